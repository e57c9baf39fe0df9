/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The beginning and the end of the one session. The end is the same for every cause, and short,
 * because the kernel does the work: closing the netlink socket removes the rules (or, on kernels
 * that cannot, one message does). Only then are the listeners closed: while a rule lives, nobody
 * else can take a port that it points to.
 */
#include <unistd.h>

#include "audit.h"
#include "listeners.h"
#include "log.h"
#include "nl.h"
#include "session.h"
#include "table.h"

static const struct {
	const char *word;     /* in the audit line */
	const char *sentence; /* for the user; NULL: nothing went wrong */
	int code;
} causes[CAUSE_COUNT] = {
    [CAUSE_EOF] = {"eof", NULL, EXIT_DONE},
    [CAUSE_PEER_EXIT] = {"peer-exit", NULL, EXIT_DONE},
    [CAUSE_TERM] = {"term", NULL, EXIT_DONE},
    [CAUSE_TIMEOUT] = {"timeout", "sshuttle-proxy took too long; giving up", EXIT_TIMEOUT},
    [CAUSE_VIOLATION] = {"violation", "a request broke the protocol; everything is undone",
	EXIT_VIOLATION},
    [CAUSE_UNREAD] = {"unread", "sshuttle-proxy does not read the answers; everything is undone",
	EXIT_VIOLATION},
    [CAUSE_VERSION] = {"version", "sshuttle-proxy is of another version", EXIT_VIOLATION},
    [CAUSE_METHOD] = {"method", "this method is not available", EXIT_NO_KERNEL},
    [CAUSE_SYSTEM] = {"system", "the system failed; everything is undone", EXIT_SYSTEM},
};

void
session_init(struct session *s)
{
	s->peer_pidfd = s->signal_fd = s->audit_fd = s->lock_fd = -1;
	s->state = FW_STATE_NEW;
	s->next_seq = 1;
	s->own_pid = getpid();
}

void
session_leave(struct session *s, enum cause cause)
{
	if (s->table_made && !s->table_owned)
		table_delete(s, s->table);
	nl_close(s);
	listeners_close(s);
	audit_end(s, causes[cause].word);
	if (causes[cause].sentence != NULL)
		log_error("%s", causes[cause].sentence);
	_exit(causes[cause].code);
}
