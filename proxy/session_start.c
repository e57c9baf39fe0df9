/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts ssh and the engine and connects them; see session.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "log.h"
#include "places.h"
#include "record.h"
#include "session.h"
#include "ssh.h"

static void
make_nonce(struct control_start *start)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t random[sizeof start->nonce];

	if (getrandom(start->session, sizeof start->session, 0) != sizeof start->session ||
	    getrandom(random, sizeof random, 0) != sizeof random)
		bug("getrandom");
	for (size_t i = 0; i < sizeof start->nonce; i++)
		start->nonce[i] = hex[random[i] & 15];
}

static int
start_engine(struct session *s, const struct ssh_pipes *pipes, int image)
{
	static const char *const argv[] = {ENGINE_NAME, NULL};
	int pair[2];

	int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* it gets no terminal to read */
	if (null == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		close(null);
		return -1;
	}
	struct child_setup setup = {.path = "/proc/self/exe",
	    .argv = argv,
	    .fds = {null, null, STDERR_FILENO, pair[1], pipes->to, pipes->from, pipes->errors,
		image},
	    .fd_count = ENGINE_FD_COUNT};
	int r = child_start(&s->engine, &setup), err = errno;
	close(pair[1]);
	close(null);
	s->control = pair[0];
	errno = err;
	return r;
}

static int
brief_engine(struct session *s, const struct control_start *start)
{
	const struct control_message listener = {.type = CONTROL_LISTENER};

	if (record_send(s->control, start, sizeof *start, -1) == -1)
		return -1;
	for (size_t i = 0; i < s->listeners; i++) {
		if (record_send(s->control, &listener, sizeof listener, s->listener[i]) == -1)
			return -1;
		close(s->listener[i]); /* the engine's now; the helper holds another */
		s->listener[i] = -1;
	}
	return 0;
}

static int
start_all(struct session *s, struct control_start *start, const char *image_path, int image)
{
	struct ssh_pipes pipes;
	struct stat st;

	if (fstat(image, &st) == -1)
		return -1;
	make_nonce(start);
	if (ssh_start(&s->ssh, &pipes, s->options, image_path, (size_t)st.st_size, start->nonce) ==
	    -1) {
		log_fatal("cannot run '%s': %s",
		    s->options->local ? image_path : s->options->ssh_command[0],
		    errno == ENOENT ? "there is no such program" : strerror(errno));
		return -1;
	}
	start->image_size = s->options->local ? 0 : (uint32_t)st.st_size;
	int r = start_engine(s, &pipes, image);
	close(pipes.to);
	close(pipes.from);
	close(pipes.errors);
	if (r == -1 || brief_engine(s, start) == -1) {
		log_fatal("starting the engine: %s", strerror(errno));
		return -1;
	}
	return 0;
}

int
session_start_tunnel(struct session *s)
{
	struct control_start start = {.type = CONTROL_START,
	    .verbosity = (uint32_t)s->options->verbosity,
	    .local = s->options->local};
	char path[PLACES_MAX];
	int image;

	if (places_find(path, "sshuttle-remote") == -1 ||
	    (image = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		log_fatal("%s: %s", path, strerror(errno));
		return -1;
	}
	int r = start_all(s, &start, path, image);
	close(image);
	return r;
}
