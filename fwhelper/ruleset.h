/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULESET_H
#define RULESET_H

#include "session.h"

/*
 * Put the rules for the session's sorted entries into the kernel, all or nothing, and check that
 * they are there. Sets table_made and table_owned. Returns 0, or -1 with errno; then the kernel is
 * as it was.
 */
int ruleset_commit(struct session *s);

#endif
