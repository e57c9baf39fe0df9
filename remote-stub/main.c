/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sshuttle-remote: the far end of the tunnel. Uploaded through ssh, started by a line of shell
 * with the nonce of this session, it speaks frames on stdin and stdout and connects TCP sockets
 * for the client. Everything it reads comes from the ssh user who could run any program here; it
 * is sandboxed all the same, so that a hijacked client gets no more than these connections.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "connect.h"
#include "descriptors.h"
#include "frame.h"
#include "log.h"
#include "mux.h"
#include "sandbox.h"

enum {
	EXIT_USAGE = 2,
	EXIT_FAILED = 99,
};

struct session {
	struct loop loop;
	struct mux mux;
	bool local;
};

static void
on_ready(struct mux *m, unsigned flags)
{
	struct session *s = m->owner;

	s->local = flags & FRAME_HELLO_LOCAL;
}

static void
on_open(struct mux *m, struct stream *st)
{
	const struct session *s = m->owner;

	connect_stream(st, s->local);
}

static void
on_opened(struct mux *m, struct stream *st)
{
	(void)m;
	(void)st;
	bug("the frame table lets no client send OPENED");
}

static void
on_closed(struct mux *m, struct stream *st, enum reason why)
{
	char text[ADDR_TEXT_MAX];

	(void)m;
	if (why != REASON_NONE)
		log_debug("%s: %s", addr_format(&st->dst, text), reason_text(why));
}

static void
on_failed(struct mux *m, const char *why)
{
	struct session *s = m->owner;

	log_debug("%s", why);
	mux_abort_all(m);
	s->loop.stop = true;
}

static const struct mux_ops ops = {
    .ready = on_ready,
    .open = on_open,
    .opened = on_opened,
    .closed = on_closed,
    .failed = on_failed,
};

static void
scrub(void)
{
	(void)prctl(PR_SET_NAME, "sshuttle-remote", 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)syscall(SYS_close_range, 3, ~0u, 0); /* the shell's; older kernels keep them */
	if (chdir("/") == -1)
		log_debug("chdir: %s", strerror(errno));
}

/* Write the mark that ends whatever the login shell has printed. */
static void
greet(const char *nonce)
{
	char sync[FRAME_SYNC_LEN + FRAME_NONCE];
	size_t done = 0;

	memcpy(sync, FRAME_SYNC, FRAME_SYNC_LEN);
	memcpy(sync + FRAME_SYNC_LEN, nonce, FRAME_NONCE);
	while (done < sizeof sync) {
		ssize_t n = write(STDOUT_FILENO, sync + done, sizeof sync - done);
		if (n == -1 && errno != EINTR)
			die(EXIT_FAILED, "stdout: %s", strerror(errno));
		if (n > 0)
			done += (size_t)n;
	}
}

static const char *
parse_arguments(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("sshuttle-remote %s\n", VERSION);
		exit(0);
	}
	if (argc != 3 || strlen(argv[1]) != FRAME_NONCE || argv[2][0] < '0' || argv[2][0] > '3') {
		(void)fprintf(stderr, "usage: sshuttle-remote NONCE VERBOSITY\n"
				      "This program is uploaded and started by sshuttle-proxy; see "
				      "sshuttle-remote(8).\n");
		exit(EXIT_USAGE);
	}
	log_init(" s: ", argv[2][0] - '0');
	return argv[1];
}

int
main(int argc, char **argv)
{
	static struct session s;
	const char *nonce = parse_arguments(argc, argv);

	scrub();
	uint32_t streams = descriptors_raise();
	greet(nonce);
	if (descriptors_prepare(STDIN_FILENO) == -1 || descriptors_prepare(STDOUT_FILENO) == -1)
		die(EXIT_FAILED, "stdin or stdout: %s", strerror(errno));
	if (loop_init(&s.loop) == -1 || mux_init(&s.mux, &s.loop, &ops, &s, FRAME_SIDE_SERVER,
					    STDIN_FILENO, STDOUT_FILENO, NULL, streams, 0) == -1)
		die(EXIT_FAILED, "start: %s", strerror(errno));
	remote_sandbox_enter();
	if (loop_run(&s.loop) == -1)
		die(EXIT_FAILED, "epoll: %s", strerror(errno));
	return 0;
}
