/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SSH_H
#define SSH_H

#include "child.h"
#include "options.h"

/* ssh's ends of the tunnel, from our side; -1: none. */
struct ssh_pipes {
	int to, from, errors;
};

/* Exit codes of the line of shell that starts sshuttle-remote on the server. */
enum ssh_remote_exit {
	SSH_EXIT_CANNOT_RUN = 96, /* wrong processor, or programs may not run anywhere */
	SSH_EXIT_NO_PLACE = 97,   /* no directory to put it in */
	SSH_EXIT_INCOMPLETE = 98, /* disk full, or the upload broke off */
	SSH_EXIT_REMOTE = 99,     /* sshuttle-remote failed, and has said why */
	SSH_EXIT_NO_SHELL = 127,
	SSH_EXIT_SSH = 255, /* ssh itself */
};

/*
 * Start ssh to o->remote with the command that receives image_size bytes of sshuttle-remote and
 * runs it with nonce. Without -r: start the program at image_path here. The pipes are the
 * caller's. Returns 0, or -1 with errno.
 */
int ssh_start(struct child *ssh, struct ssh_pipes *pipes, const struct options *o,
    const char *image_path, size_t image_size, const char *nonce);

/* What an exit status of ssh means and what to do; size bytes of text. */
void ssh_explain_end(char *text, size_t size, const struct options *o, int status);

#endif
