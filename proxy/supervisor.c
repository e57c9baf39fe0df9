/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a session; see supervisor.h. Everything that can happen while waiting is a
 * descriptor in one table, in order of importance: a signal from the user first, so that Ctrl-C,
 * which ssh gets too, is never mistaken for a failure.
 *
 * However it ends, the way out is the same: the engine lets its connections go, the helper its
 * rules, then ssh ends.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "places.h"
#include "record.h"
#include "session.h"
#include "ssh.h"
#include "supervisor.h"
#include "supervisor_sandbox.h"

enum { SSH_GRACE_MS = 300, SSH_STATUS_MS = 1000, ENGINE_REPORT_MS = 200, ENGINE_GRACE_MS = 250 };

enum wake {
	WAKE_SIGNAL,
	WAKE_HELPER_EXIT,
	WAKE_HELPER,
	WAKE_HELPER_ERRORS,
	WAKE_ENGINE,
	WAKE_ENGINE_EXIT,
	WAKE_SSH_EXIT,
	WAKE_COUNT,
};

static int
over(struct session *s, int exit_code)
{
	s->exit_code = exit_code;
	return -1;
}

/* The session failed. Why is said last, behind what ssh had to say. */
__attribute__((format(printf, 2, 3))) static int
fatal(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->failure, sizeof s->failure, fmt, ap);
	va_end(ap);
	return over(s, EXIT_FATAL);
}

static enum wake
wait_for_event(struct session *s)
{
	struct pollfd p[WAKE_COUNT] = {
	    [WAKE_SIGNAL] = {.fd = s->signals},
	    [WAKE_HELPER_EXIT] = {.fd = s->helper.child.pidfd},
	    [WAKE_HELPER] = {.fd = s->helper.sock},
	    [WAKE_HELPER_ERRORS] = {.fd = s->helper.errors},
	    [WAKE_ENGINE] = {.fd = s->control},
	    [WAKE_ENGINE_EXIT] = {.fd = s->engine.pidfd},
	    [WAKE_SSH_EXIT] = {.fd = s->ssh.pidfd},
	};

	for (int i = 0; i < WAKE_COUNT; i++)
		p[i].events = POLLIN;
	for (;;) {
		if (poll(p, WAKE_COUNT, -1) == -1 && errno != EINTR)
			bug("poll");
		for (int i = 0; i < WAKE_COUNT; i++)
			if (p[i].revents != 0)
				return (enum wake)i;
	}
}

/* ---- what can happen ---- */

static int
on_signal(struct session *s)
{
	struct signalfd_siginfo si;

	if (read(s->signals, &si, sizeof si) != sizeof si)
		return 0;
	if (si.ssi_signo == SIGINT) {
		log_notice("Keyboard interrupt: exiting.");
		return over(s, EXIT_INTERRUPTED);
	}
	log_notice("exiting on signal %u", si.ssi_signo);
	return over(s, EXIT_SIGNAL + (int)si.ssi_signo);
}

static int
on_helper_gone(struct session *s)
{
	return fatal(s, "sshuttle-fwhelper has ended; nothing is forwarded any more");
}

/* Why is found out at the end, when the rules are gone: ssh may take its time to say. */
static int
on_ssh_gone(struct session *s)
{
	s->ssh_gone = true;
	return over(s, EXIT_FATAL);
}

static void
explain_ssh_end(struct session *s)
{
	char text[512];

	if (!child_wait(&s->ssh, SSH_STATUS_MS)) {
		(void)fatal(s, "the connection to the server is closed");
		return;
	}
	ssh_explain_end(text, sizeof text, s->options, s->ssh.status);
	(void)fatal(s, "%s", text);
}

static int
on_tunnel_ended(struct session *s, struct control_message *m)
{
	m->text[sizeof m->text - 1] = '\0';
	switch (m->end) {
	case CONTROL_END_CLOSED:
		if (m->text[0] != '\0')
			log_error("the server said: %s", m->text);
		return on_ssh_gone(s);
	case CONTROL_END_NOISE:
		return fatal(s, "the server does not run sshuttle-remote but says: %s", m->text);
	case CONTROL_END_VIOLATION:
		return fatal(s, "%s", m->text);
	default:
		return fatal(s, "the engine failed: %s", m->text);
	}
}

/* Returns 1 when the tunnel stands, 0 for nothing, -1 when the session is over. */
static int
on_engine(struct session *s)
{
	struct control_message m;
	ssize_t n = record_recv(s->control, &m, sizeof m, NULL);

	if (n == sizeof m && m.type == CONTROL_READY)
		return 1;
	if (n == sizeof m && m.type == CONTROL_ENDED)
		return on_tunnel_ended(s, &m);
	return fatal(s, "the engine has died");
}

/* ssh has ended: the engine, which reads its output to the end, may know more. */
static bool
engine_reports(const struct session *s)
{
	struct pollfd p = {.fd = s->control, .events = POLLIN};

	return poll(&p, 1, ENGINE_REPORT_MS) == 1;
}

static int
handle_event(struct session *s)
{
	switch (wait_for_event(s)) {
	case WAKE_SIGNAL:
		return on_signal(s);
	case WAKE_HELPER_EXIT:
	case WAKE_HELPER: /* it never speaks first: this is its end */
		return on_helper_gone(s);
	case WAKE_HELPER_ERRORS:
		helper_show_errors(&s->helper);
		return 0;
	case WAKE_ENGINE:
	case WAKE_ENGINE_EXIT:
		return on_engine(s);
	case WAKE_SSH_EXIT:
		return engine_reports(s) ? on_engine(s) : on_ssh_gone(s);
	case WAKE_COUNT:
		break;
	}
	bug("wake-up without an event");
}

/* ---- start and end ---- */

static int
watch_signals(struct session *s)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction was;
	sigset_t set;

	sigemptyset(&set);
	/* What nohup(1) or a background shell has switched off stays off. */
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (sigaction(wanted[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaddset(&set, wanted[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, it would lose us our children's status */
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* fails only for a bad first argument */
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return s->signals == -1 ? fatal(s, "signalfd: %s", strerror(errno)) : 0;
}

/* A listener beyond loopback takes in other machines' traffic: that needs the wider right. */
static enum scope
needed_scope(const struct options *o)
{
	for (size_t i = 0; i < o->listen_count; i++)
		if (!addr_is_loopback(&o->listen[i]) && o->scope == SCOPE_AUTO)
			return SCOPE_SYSTEM;
	return o->scope;
}

static int
start_helper(struct session *s)
{
	char path[PLACES_MAX];

	if (places_find_helper(path) == -1)
		return fatal(s, "%s: %s", path,
		    errno == EPERM ? "it must belong to root and be writable by root only"
				   : strerror(errno));
	int r = helper_start(&s->helper, path, needed_scope(s->options),
	    s->options->local ? FW_HELLO_LOCAL : 0, s->signals);
	if (r == 1)
		return on_signal(s);
	if (r == -1)
		return over(s, EXIT_FATAL);
	log_verbose("fw: ready method name nft, started %s%s.",
	    s->helper.via[0] != '\0' ? "through " : "directly", s->helper.via);
	if (s->helper.scope == SCOPE_OWN && s->options->scope == SCOPE_AUTO)
		log_notice("only your own traffic is forwarded (--scope=own is what %s grants "
			   "without a password)",
		    s->helper.via);
	return 0;
}

static int
start(struct session *s)
{
	int r;

	if (watch_signals(s) == -1 || start_helper(s) == -1)
		return -1;
	plan_show(s->plan);
	if (session_listen(s) == -1 || session_send_nets(s) == -1)
		return over(s, EXIT_FATAL);
	log_verbose("Connecting to server...");
	if (session_start_tunnel(s) == -1)
		return over(s, EXIT_FATAL);
	while ((r = handle_event(s)) == 0)
		;
	if (r == -1)
		return -1;
	log_notice("Connected to server.");
	return 0;
}

static int
redirect(struct session *s)
{
	const struct control_message go = {.type = CONTROL_ACCEPT};

	if (session_commit(s) == -1)
		return over(s, EXIT_FATAL);
	return record_send(s->control, &go, sizeof go, -1) == -1 ? fatal(s, "the engine has died")
	                                                         : 0;
}

/*
 * The engine goes first, so that its resets still find their way back to the applications: with
 * the last NAT rule the kernel forgets whom it has redirected. But it cannot hold up the rest.
 */
static void
stop(struct session *s)
{
	if (s->control != -1)
		close(s->control);
	(void)child_wait(&s->engine, ENGINE_GRACE_MS);
	helper_stop(&s->helper);
	(void)child_stop(&s->engine, 0);
	if (s->ssh_gone)
		explain_ssh_end(s);
	if (!child_stop(&s->ssh, SSH_GRACE_MS))
		log_warn("ssh (process %d) does not end", (int)s->ssh.pid);
}

int
supervisor_run(const struct options *o, const struct plan *p)
{
	struct session s = {.options = o, .plan = p, .control = -1, .exit_code = EXIT_FATAL};

	s.helper = (struct helper){.sock = -1, .errors = -1, .child.pidfd = -1};
	s.ssh.pidfd = s.engine.pidfd = -1;
	if (start(&s) == 0 && redirect(&s) == 0) {
		supervisor_sandbox_enter();
		while (handle_event(&s) >= 0)
			;
	}
	stop(&s);
	if (s.failure[0] != '\0')
		log_fatal("%s", s.failure);
	return s.exit_code;
}
