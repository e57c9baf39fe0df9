/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine; see engine.h. Its life: take orders, enter the sandbox, upload sshuttle-remote, find
 * its answer, run the tunnel, and when the tunnel is over say why and wait to be dismissed. The
 * control socket's end of file is the dismissal, whoever died.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "accept.h"
#include "bootstrap.h"
#include "control.h"
#include "descriptors.h"
#include "engine.h"
#include "engine_sandbox.h"
#include "log.h"
#include "mux.h"
#include "options.h"
#include "record.h"
#include "ssh_errors.h"

enum {
	IMAGE_MAX = 64 * 1024 * 1024,
	BOOT_READ = 16 * 1024,
	BOOT_TIMEOUT_US = 60 * 1000000,
};

struct engine {
	struct loop loop;
	struct control_start start;
	struct loop_fd control;
	struct loop_fd to_ssh, from_ssh; /* until the tunnel stands */
	struct ssh_errors errors;
	uint8_t *image;
	size_t image_sent;
	struct bootstrap boot;
	struct loop_timer boot_timer; /* runs while the server says something else */
	struct acceptor acceptor;
	struct mux mux;
	bool tunnel; /* mux is in use */
	bool ended;  /* and why has been reported */
	uint32_t max_streams;
};

/* ---- to the supervisor ---- */

static void
report(struct engine *e, enum control_type type, enum control_end end, const char *text)
{
	struct control_message m = {.type = type, .end = end};

	(void)snprintf(m.text, sizeof m.text, "%s", text);
	/* If the supervisor is gone, the control socket says so next. */
	(void)record_send(e->control.fd, &m, sizeof m, -1);
}

static void
end_tunnel(struct engine *e, enum control_end end, const char *text)
{
	e->ended = true;
	if (e->tunnel)
		mux_abort_all(&e->mux);
	loop_timer_cancel(&e->loop, &e->boot_timer);
	e->loop.after = NULL;
	acceptor_stop(&e->acceptor);
	loop_remove(&e->loop, e->tunnel ? &e->mux.in : &e->from_ssh);
	loop_remove(&e->loop, e->tunnel ? &e->mux.out : &e->to_ssh);
	report(e, CONTROL_ENDED, end, text);
}

/* ---- the tunnel ---- */

static void
on_ready(struct mux *m, unsigned flags)
{
	(void)flags;
	report(m->owner, CONTROL_READY, 0, "");
}

static void
on_open(struct mux *m, struct stream *s)
{
	(void)m;
	(void)s;
	bug("the frame table lets no server send OPEN");
}

static void
on_opened(struct mux *m, struct stream *s)
{
	(void)m;
	log_debug("stream %u: connected on the server", s->id);
}

static void
on_closed(struct mux *m, struct stream *s, enum reason why)
{
	struct engine *e = m->owner;
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	if (why != REASON_NONE)
		log_verbose("%s -> %s: %s", addr_format(&s->src, from), addr_format(&s->dst, to),
		    reason_text(why));
	acceptor_resume(&e->acceptor);
}

static void
on_failed(struct mux *m, const char *why)
{
	if (strcmp(why, MUX_CLOSED) == 0)
		end_tunnel(m->owner, CONTROL_END_CLOSED, "");
	else
		end_tunnel(m->owner, CONTROL_END_VIOLATION, why);
}

static const struct mux_ops ops = {
    .ready = on_ready,
    .open = on_open,
    .opened = on_opened,
    .closed = on_closed,
    .failed = on_failed,
};

/* ---- before the tunnel ---- */

/* The mark was found; rest is what came behind it. */
static void
start_tunnel(struct engine *e, const uint8_t *rest, size_t len)
{
	loop_timer_cancel(&e->loop, &e->boot_timer);
	loop_remove(&e->loop, &e->from_ssh);
	loop_remove(&e->loop, &e->to_ssh);
	free(e->image);
	e->image = NULL;
	if (e->boot.noise > 0)
		log_verbose("the server said before sshuttle-remote started: %s", e->boot.kept);
	if (mux_init(&e->mux, &e->loop, &ops, e, FRAME_SIDE_CLIENT, e->from_ssh.fd, e->to_ssh.fd,
		e->start.session, e->max_streams, e->start.local ? FRAME_HELLO_LOCAL : 0) == -1) {
		end_tunnel(e, CONTROL_END_SYSTEM, strerror(errno));
		return;
	}
	e->tunnel = true;
	mux_preload(&e->mux, rest, len);
}

static void
from_ssh_ready(struct loop_fd *f, uint32_t events)
{
	struct engine *e = (struct engine *)((char *)f - offsetof(struct engine, from_ssh));
	uint8_t buf[BOOT_READ];
	size_t used;

	(void)events;
	ssize_t n = read(f->fd, buf, sizeof buf);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_tunnel(e, CONTROL_END_CLOSED, e->boot.kept);
		return;
	}
	switch (bootstrap_take(&e->boot, buf, (size_t)n, &used)) {
	case BOOTSTRAP_FOUND:
		if (e->image_sent < e->start.image_size)
			end_tunnel(e, CONTROL_END_VIOLATION,
			    "the server answers although it does not have our program yet");
		else
			start_tunnel(e, buf + used, (size_t)n - used);
		break;
	case BOOTSTRAP_TOO_MUCH:
		end_tunnel(e, CONTROL_END_NOISE, e->boot.kept);
		break;
	case BOOTSTRAP_MORE:
		if (!e->boot_timer.armed && e->boot.noise > 0)
			loop_timer_set(&e->loop, &e->boot_timer, BOOT_TIMEOUT_US);
		break;
	}
}

/* A password prompt may wait for ever; a login script that goes on printing may not. */
static void
boot_timed_out(struct loop_timer *t)
{
	struct engine *e = (struct engine *)((char *)t - offsetof(struct engine, boot_timer));

	end_tunnel(e, CONTROL_END_NOISE, e->boot.kept);
}

static void
to_ssh_ready(struct loop_fd *f, uint32_t events)
{
	struct engine *e = (struct engine *)((char *)f - offsetof(struct engine, to_ssh));

	(void)events;
	while (e->image_sent < e->start.image_size) {
		ssize_t n =
		    write(f->fd, e->image + e->image_sent, e->start.image_size - e->image_sent);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			break; /* ssh is gone: its output says so next */
		e->image_sent += (size_t)n;
	}
	loop_remove(&e->loop, f);
}

/* ---- from the supervisor ---- */

static void
take_order(struct engine *e, const struct control_message *m, int fd)
{
	switch (m->type) {
	case CONTROL_LISTENER:
		if (fd == -1 || acceptor_add(&e->acceptor, fd) == -1)
			bug("a listener that cannot be used");
		break;
	case CONTROL_ACCEPT:
		if (!e->ended && acceptor_start(&e->acceptor, &e->mux) == -1)
			end_tunnel(e, CONTROL_END_SYSTEM, strerror(errno));
		break;
	default:
		bug("an order that does not exist");
	}
}

static void
control_ready(struct loop_fd *f, uint32_t events)
{
	struct engine *e = (struct engine *)((char *)f - offsetof(struct engine, control));
	struct control_message m;
	int fd;

	(void)events;
	ssize_t n = record_recv(f->fd, &m, sizeof m, &fd);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n == sizeof m) {
		take_order(e, &m, fd);
		return;
	}
	acceptor_stop(&e->acceptor);
	if (e->tunnel)
		mux_abort_all(&e->mux);
	ssh_errors_drain(&e->errors);
	e->loop.stop = true;
}

/* ---- start ---- */

static void
load_image(struct engine *e)
{
	size_t size = e->start.image_size, done = 0;

	if (size > IMAGE_MAX || (e->image = malloc(size + 1)) == NULL)
		die(EXIT_FATAL, "out of memory");
	while (done < size) {
		ssize_t n = read(ENGINE_FD_IMAGE, e->image + done, size - done);
		if (n <= 0)
			die(EXIT_FATAL, "sshuttle-remote: cannot read it to upload it");
		done += (size_t)n;
	}
	close(ENGINE_FD_IMAGE);
}

static void
watch_all(struct engine *e)
{
	e->control = (struct loop_fd){.fd = ENGINE_FD_CONTROL, .ready = control_ready};
	e->to_ssh = (struct loop_fd){.fd = ENGINE_FD_TO_SSH, .ready = to_ssh_ready};
	e->from_ssh = (struct loop_fd){.fd = ENGINE_FD_FROM_SSH, .ready = from_ssh_ready};
	for (int fd = ENGINE_FD_CONTROL; fd <= ENGINE_FD_SSH_ERRORS; fd++)
		if (descriptors_prepare(fd) == -1)
			die(EXIT_FATAL, "descriptor %d: %s", fd, strerror(errno));
	if (loop_init(&e->loop) == -1 || loop_add(&e->loop, &e->control, EPOLLIN) == -1 ||
	    loop_add(&e->loop, &e->to_ssh, EPOLLOUT) == -1 ||
	    loop_add(&e->loop, &e->from_ssh, EPOLLIN) == -1)
		die(EXIT_FATAL, "epoll: %s", strerror(errno));
	if (ssh_errors_start(&e->errors, &e->loop, ENGINE_FD_SSH_ERRORS) == -1)
		die(EXIT_FATAL, "epoll: %s", strerror(errno));
}

/*
 * A terminal can say that it takes a line and then not take all of it (log.c asks first). Our own
 * open file of it does not wait, and leaves the one that we share with others as it is.
 */
static void
detach_stderr(void)
{
	int fd = -1;

	if (isatty(STDERR_FILENO))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return; /* no terminal, or another user's: works as it is */
	(void)dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
settle(void)
{
	detach_stderr();
	(void)prctl(PR_SET_NAME, ENGINE_NAME, 0, 0, 0);
	/* The terminal's signals are for the supervisor, which then dismisses us. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
}

int
engine_main(void)
{
	static struct engine e;

	log_init("c : ", 0);
	settle();
	if (record_recv(ENGINE_FD_CONTROL, &e.start, sizeof e.start, NULL) != sizeof e.start ||
	    e.start.type != CONTROL_START)
		die(EXIT_BAD_USAGE, "the engine is started by sshuttle-proxy only");
	log_init("c : ", (int)e.start.verbosity);
	load_image(&e);
	e.max_streams = descriptors_raise();
	bootstrap_init(&e.boot, e.start.nonce);
	watch_all(&e);
	e.boot_timer.fire = boot_timed_out;
	acceptor_init(&e.acceptor, &e.loop);
	engine_sandbox_enter();
	if (loop_run(&e.loop) == -1)
		die(EXIT_FATAL, "epoll: %s", strerror(errno));
	return 0;
}
