/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

#include "child.h"
#include "control.h"
#include "helper.h"
#include "options.h"
#include "plan.h"

enum { SESSION_MAX_LISTENERS = FW_MAX_LISTENERS };

/* What the supervisor knows. */
struct session {
	const struct options *options;
	const struct plan *plan;
	int signals; /* signalfd */
	struct helper helper;
	struct child ssh;
	struct child engine;
	int control; /* to the engine */
	int listener[SESSION_MAX_LISTENERS];
	size_t listeners;
	uint32_t nets, excepts; /* accepted by the helper */
	bool ssh_gone;          /* ssh has ended, or its output has */
	bool no_v6;             /* this machine has none: IPv6 networks are left out */
	int exit_code;          /* once the session is over */
	char failure[640];      /* and why, if it failed and nothing has said so yet */
};

/* Make the listeners that the plan needs, through the helper. 0, or -1 after an error message. */
int session_listen(struct session *s);
/* Tell the helper the networks. 0, or -1 after an error message. */
int session_send_nets(struct session *s);
/* Leave ssh's connection alone, then put the rules in. 0, or -1 after an error message. */
int session_commit(struct session *s);
/* Start ssh and the engine. 0, or -1 after an error message. */
int session_start_tunnel(struct session *s);

#endif
