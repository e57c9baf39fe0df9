/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_H
#define PLAN_H

#include "net.h"
#include "options.h"

/* What will be redirected: the options with every name replaced by addresses. */
struct plan {
	struct net_list nets; /* by precedence */
	bool v4, v6;          /* families with an include */
};

/*
 * Resolve o's targets. A name that does not resolve is a warning if something else is left to
 * forward. Else prints why and exits with EXIT_BAD_USAGE.
 */
void plan_make(struct plan *p, const struct options *o);
/* The -v summary, in sshuttle's words. */
void plan_show(const struct plan *p);

#endif
