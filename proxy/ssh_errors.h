/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SSH_ERRORS_H
#define SSH_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/*
 * Passes ssh's stderr on to ours, line by line: what ssh, the login shell and sshuttle-remote
 * write there. Some of it is the server's, so it is escaped, cut at SSH_ERRORS_LINE and rate
 * limited.
 */
enum { SSH_ERRORS_LINE = 512 };

struct ssh_errors {
	struct loop_fd io;
	struct loop *loop;
	char line[SSH_ERRORS_LINE];
	size_t len;
	uint64_t window; /* when the current second began */
	unsigned lines;  /* shown in it */
	unsigned dropped;
};

/* Watch fd (non-blocking). Returns 0, or -1 with errno. */
int ssh_errors_start(struct ssh_errors *e, struct loop *loop, int fd);
/* Read what is there now: the last words before the end. */
void ssh_errors_drain(struct ssh_errors *e);

#endif
