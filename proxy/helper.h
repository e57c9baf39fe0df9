/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "child.h"
#include "fwproto.h"
#include "options.h"

/* sshuttle-fwhelper, as the supervisor sees it. */
struct helper {
	int sock;           /* its only door; closing it undoes everything it has done */
	int errors;         /* read end of its stderr; -1: it writes to ours */
	struct child child; /* itself, or the sudo, doas or pkexec in front of it */
	uint32_t seq;
	const char *via;  /* "sudo", ...; "" when started directly */
	enum scope scope; /* what it was started with */
};

/*
 * Start the helper at path and agree on a version. Directly if we are root, else through sudo,
 * doas or pkexec, without a password where that works, with scope as asked (SCOPE_AUTO: the
 * widest that needs no password, else system). Returns 0; -1 after an error message; 1 if
 * signal_fd became readable while waiting. flags: enum fw_hello_flags.
 */
int helper_start(
    struct helper *h, const char *path, enum scope scope, uint32_t flags, int signal_fd);

/*
 * One request each: m without header, filled in; the reply comes back in r. Returns 0, or -1 with
 * errno: as the helper gave it (then r->why tells more), or EPIPE when the helper is gone.
 */
#define X(name, number, legal, then) \
	int helper_##name(struct helper *h, struct fw_##name *m, struct fw_reply *r);
FW_OPS(X)
#undef X

/* The first request in two halves, because a password may be asked for between them. */
int helper_send_hello(struct helper *h, uint32_t flags);
int helper_receive_hello(struct helper *h, struct fw_reply *r);

/* As helper_listen(), and *fd is the listener. */
int helper_listen_fd(struct helper *h, struct fw_listen *m, struct fw_reply *r, int *fd);

/* Text for a reason in a reply. */
const char *helper_reason(uint32_t why);
/* Pass on what it has written to its stderr. */
void helper_show_errors(struct helper *h);
/* Undo: close the door, wait until the rules are gone. */
void helper_stop(struct helper *h);

#endif
