/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STAGES_H
#define STAGES_H

#include "session.h"

/* Enter the filter for collecting requests and committing. Or exit. */
void stage_setup(void);

/* After the commit: give up what the undoing does not need, and enter the smaller filter. Or exit.
 */
void stage_active(const struct session *s);

#endif
