/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sshuttle-fwhelper: the only program of the suite that is ever root. This is its start order. */
#include "args.h"
#include "audit.h"
#include "caller.h"
#include "dispatch.h"
#include "log.h"
#include "nl.h"
#include "privs.h"
#include "scrub.h"
#include "session.h"
#include "stages.h"
#include "table.h"

int
main(int argc, char *argv[])
{
	static struct session session; /* too big for a stack of unknown size */
	struct session *s = &session;

	log_init("fw: ", LOG_LEVEL_ERROR);
	s->system_scope = args_scope(argc, argv);
	session_init(s);
	scrub_inherited(s);
	audit_open(s);
	caller_identify(s);
	audit_start(s);
	/* The hosts worker is forked here: a copy of the netlink socket would keep the rules. */
	nl_open(s);
	privs_drop();
	table_heal(s);
	table_name(s);
	stage_setup();
	session_leave(s, dispatch_run(s));
}
