/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts ssh, and through it sshuttle-remote; see ssh.h.
 *
 * The remote command is one line of POSIX shell in single quotes, so that any login shell (fish,
 * csh too) hands it to /bin/sh as it is. It reads the program from stdin into a private
 * directory, tries whether it runs there (noexec mounts are common) and goes on to the next
 * directory if not, then removes file and directory and runs it through the open descriptor:
 * nothing is left on the server even if it is killed a moment later. The program answers before
 * we send anything else, so it does not matter if head(1) reads ahead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "log.h"
#include "ssh.h"
#include "ssh_probe.h"

enum { MAX_WORDS = 64 };

static const char remote_command[] =
    "exec /bin/sh -c '"
    "umask 077;f=;t=;n=;"
    "[ \"$(uname -m)\" = %s ]||exit %d;"
    "trap \"exit %d\" 1 2 15;"
    "trap \"rm -rf \\\"\\$t\\\" \\\"\\$n\\\"\" 0;"
    "for d in \"$XDG_RUNTIME_DIR\" /dev/shm \"$TMPDIR\" /tmp /var/tmp \"$HOME\";do "
    "[ -n \"$d\" ]&&[ -w \"$d\" ]||continue;"
    "n=$(mktemp -d \"$d/.sshuttle.XXXXXXXXXX\" 2>/dev/null)||continue;"
    "if [ -z \"$f\" ];then t=$n;f=$n/r;"
    "head -c %zu >\"$f\"&&[ $(wc -c <\"$f\") = %zu ]||exit %d;"
    "else cp \"$f\" \"$n/r\"||exit %d;rm -rf \"$t\";t=$n;f=$n/r;fi;"
    "chmod 700 \"$f\";"
    "if \"$f\" --version >/dev/null 2>&1;then "
    "exec 3<\"$f\";"
    "if [ -r /proc/self/fd/3 ];then rm -rf \"$t\";exec /proc/self/fd/3 %.*s %d;fi;"
    "\"$f\" %.*s %d;exit $?;fi;"
    "done;"
    "[ -z \"$f\" ]&&exit %d;exit %d'";

static void
format_command(char *out, size_t size, size_t image_size, const char *nonce, int verbosity)
{
	struct utsname here;

	/* The program is for this kind of processor. Checked first, because a shell that cannot
	   execute a file reads it as a script. */
	if (uname(&here) == -1)
		bug("uname");
	(void)snprintf(out, size, remote_command, here.machine, SSH_EXIT_CANNOT_RUN,
	    SSH_EXIT_INCOMPLETE, image_size, image_size, SSH_EXIT_INCOMPLETE, SSH_EXIT_INCOMPLETE,
	    FRAME_NONCE, nonce, verbosity, FRAME_NONCE, nonce, verbosity, SSH_EXIT_NO_PLACE,
	    SSH_EXIT_CANNOT_RUN);
}

static void
close_pair(const int pair[2])
{
	if (pair[0] != -1)
		close(pair[0]);
	if (pair[1] != -1)
		close(pair[1]);
}

/* Pipes, not a socket pair: ssh and we may then splice, and a pipe can be made large. */
static int
start_with_pipes(struct child *c, struct ssh_pipes *pipes, const char *path,
    const char *const *argv, bool own_errors)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
	int r = -1, saved;

	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0) {
		struct child_setup setup = {.path = path,
		    .argv = argv,
		    .fd_count = 3,
		    .fds = {in[0], out[1], own_errors ? err[1] : STDERR_FILENO},
		    .ignore_interrupt = true,
		    .die_with_parent = true};
		r = child_start(c, &setup);
	}
	saved = errno;
	if (r == 0) {
		*pipes = (struct ssh_pipes){.to = in[1], .from = out[0], .errors = err[0]};
		in[1] = out[0] = err[0] = -1;
	}
	close_pair(in);
	close_pair(out);
	close_pair(err);
	errno = saved;
	return r;
}

static int
start_local(
    struct child *c, struct ssh_pipes *pipes, const char *path, const char *nonce, int verbosity)
{
	char nonce_text[FRAME_NONCE + 1], level[2] = {(char)('0' + verbosity), '\0'};
	const char *argv[] = {"sshuttle-remote", nonce_text, level, NULL};

	memcpy(nonce_text, nonce, FRAME_NONCE);
	nonce_text[FRAME_NONCE] = '\0';
	return start_with_pipes(c, pipes, path, argv, true);
}

int
ssh_start(struct child *ssh, struct ssh_pipes *pipes, const struct options *o,
    const char *image_path, size_t image_size, const char *nonce)
{
	const char *argv[MAX_WORDS + 16];
	char command[sizeof remote_command + 256];
	struct ssh_probe probe;
	size_t n = 0;

	if (o->local)
		return start_local(ssh, pipes, image_path, nonce, o->verbosity);
	while (o->ssh_command[n] != NULL) {
		if (n == MAX_WORDS) {
			errno = E2BIG;
			return -1;
		}
		argv[n] = o->ssh_command[n];
		n++;
	}
	if (o->remote.port[0] != '\0') {
		argv[n++] = "-p";
		argv[n++] = o->remote.port;
	}
	ssh_probe(&probe, o);
	if (probe.openssh)
		argv[n++] =
		    "-T"; /* a terminal that the configuration asks for would garble frames */
	if (probe.prefer_gcm) {
		argv[n++] = "-o";
		argv[n++] = SSH_PREFER_GCM;
	}
	format_command(command, sizeof command, image_size, nonce, o->verbosity);
	argv[n++] = o->remote.destination;
	argv[n++] = "--";
	argv[n++] = command;
	argv[n] = NULL;
	log_debug("executing: %s ... %s", argv[0], o->remote.destination);
	return start_with_pipes(ssh, pipes, NULL, argv, true);
}

void
ssh_explain_end(char *text, size_t size, const struct options *o, int status)
{
	const char *host = o->local ? "this machine" : o->remote.destination;

	if (WIFSIGNALED(status)) {
		(void)snprintf(text, size, "the connection to %s ended: %s was killed by signal %d",
		    host, o->local ? "sshuttle-remote" : "ssh", WTERMSIG(status));
		return;
	}
	switch (WEXITSTATUS(status)) {
	case SSH_EXIT_CANNOT_RUN:
		(void)snprintf(text, size,
		    "%s cannot run the uploaded sshuttle-remote: another "
		    "kind of processor, or no directory there where programs may run",
		    host);
		break;
	case SSH_EXIT_NO_PLACE:
		(void)snprintf(text, size,
		    "%s has no directory to put sshuttle-remote in: make "
		    "/tmp or the home directory writable",
		    host);
		break;
	case SSH_EXIT_INCOMPLETE:
		(void)snprintf(text, size,
		    "sshuttle-remote did not arrive complete on %s: is the "
		    "disk full there?",
		    host);
		break;
	case SSH_EXIT_REMOTE:
		(void)snprintf(
		    text, size, "sshuttle-remote failed on %s; what it said is above", host);
		break;
	case SSH_EXIT_NO_SHELL:
		(void)snprintf(text, size,
		    "%s has no usable shell for this account (exit status "
		    "127); /bin/sh is needed there",
		    host);
		break;
	case SSH_EXIT_SSH:
		(void)snprintf(text, size,
		    "ssh could not connect or log in to %s, or lost the "
		    "connection (exit status 255); what it said is above",
		    host);
		break;
	default:
		(void)snprintf(text, size,
		    "the connection to %s ended with exit status %d: is its "
		    "login shell usable?",
		    host, WEXITSTATUS(status));
	}
}
