/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "options.h"
#include "plan.h"

/*
 * Run a session from start to end: helper, listeners, ssh, engine, rules, and everything away
 * again whatever happens. Returns the exit status of the program.
 */
int supervisor_run(const struct options *o, const struct plan *p);

#endif
