/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCRUB_H
#define SCRUB_H

#include "session.h"

/*
 * Forget everything that a process inherits and a hostile launcher may have chosen. Fills in the
 * launcher's values and signal_fd. Ends the program if that is impossible.
 */
void scrub_inherited(struct session *s);

#endif
