/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts sshuttle-fwhelper with the rights it needs; see helper.h.
 *
 * What may give them is a table, tried in order. Rows that ask nobody anything come first, so
 * that a right without a password is used where there is one; their complaints are kept and shown
 * only if nothing works. Once the helper itself has run and refused, no other way is tried: it
 * knows why.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"
#include "log.h"

struct way {
	const char *program; /* NULL: none, start the helper itself */
	const char *option[2];
	enum scope scope;
	bool asks; /* for a password, on the terminal: its stderr must be ours */
};

static const struct way root_ways[] = {
    {NULL, {NULL}, SCOPE_SYSTEM, false},
    {NULL, {NULL}, SCOPE_OWN, false},
};

static const struct way user_ways[] = {
    {"sudo", {"-n"}, SCOPE_SYSTEM, false},
    {"sudo", {"-n"}, SCOPE_OWN, false},
    {"doas", {"-n"}, SCOPE_SYSTEM, false},
    {"doas", {"-n"}, SCOPE_OWN, false},
    {"pkexec", {"--disable-internal-agent"}, SCOPE_OWN, false},
    {"sudo", {"-p", "[local sudo] Password: "}, SCOPE_SYSTEM, true},
    {"sudo", {"-p", "[local sudo] Password: "}, SCOPE_OWN, true},
    {"doas", {NULL}, SCOPE_SYSTEM, true},
    {"doas", {NULL}, SCOPE_OWN, true},
    {"pkexec", {NULL}, SCOPE_SYSTEM, true},
    {"pkexec", {NULL}, SCOPE_OWN, true},
};

enum {
	SILENT_TIMEOUT_MS = 15000,
	HELPER_EXIT_FIRST = 62, /* exit codes of its own: sshuttle-fwhelper(8) */
	HELPER_EXIT_LAST = 78,
};

enum outcome { STARTED, NOT_THIS_WAY, REFUSED, INTERRUPTED };

static bool
is_wanted(const struct way *w, enum scope scope)
{
	if (scope == SCOPE_AUTO)
		return w->scope == SCOPE_SYSTEM || !w->asks;
	return w->scope == scope;
}

/*
 * Started by root itself, the helper must not take what an earlier sudo left in our environment
 * for the caller: its check of SUDO_UID against the socket would rightly fail.
 */
static void
forget_launcher(const struct way *w)
{
	if (w->program != NULL)
		return;
	(void)unsetenv("SUDO_UID"); /* these fail only for a malformed name */
	(void)unsetenv("PKEXEC_UID");
	(void)unsetenv("DOAS_USER");
}

static int
launch(struct helper *h, const struct way *w, const char *path)
{
	const char *argv[6];
	size_t n = 0;
	int pair[2], errors[2] = {-1, -1};

	if (w->program != NULL)
		argv[n++] = w->program;
	for (size_t i = 0; i < 2 && w->option[i] != NULL; i++)
		argv[n++] = w->option[i];
	argv[n++] = path;
	argv[n++] = w->scope == SCOPE_OWN ? "--scope=own" : "--scope=system";
	argv[n] = NULL;

	forget_launcher(w);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	if (!w->asks && pipe2(errors, O_CLOEXEC | O_NONBLOCK) == -1) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	int err_fd = w->asks ? STDERR_FILENO : errors[1];
	struct child_setup setup = {.argv = argv, .fds = {pair[1], err_fd, err_fd}, .fd_count = 3};
	int r = child_start(&h->child, &setup), err = errno;
	close(pair[1]);
	if (errors[1] != -1)
		close(errors[1]);
	h->sock = pair[0];
	h->errors = errors[0];
	h->seq = 0;
	h->via = w->program != NULL ? w->program : "";
	h->scope = w->scope;
	errno = err;
	return r;
}

static void
drop(struct helper *h)
{
	if (h->sock != -1)
		close(h->sock);
	if (h->errors != -1)
		close(h->errors);
	h->sock = h->errors = -1;
	/* Still ours while it asks: a prompt must not stay on the terminal without us. */
	if (!child_stop(&h->child, 0))
		log_warn("%s (process %d) does not end", h->via, (int)h->child.pid);
}

/* Wait for the answer to hello, the end of the program, or a signal for us. */
static enum outcome
await_answer(struct helper *h, const struct way *w, int signal_fd)
{
	struct pollfd p[] = {
	    {.fd = signal_fd, .events = POLLIN},
	    {.fd = h->sock, .events = POLLIN},
	    {.fd = h->child.pidfd, .events = POLLIN},
	};
	int n;

	do {
		n = poll(p, 3, w->asks ? -1 : SILENT_TIMEOUT_MS);
	} while (n == -1 && errno == EINTR);
	if (p[0].revents != 0)
		return INTERRUPTED;
	return (p[1].revents & POLLIN) ? STARTED : NOT_THIS_WAY;
}

/* First line of what a way has complained, for the message if none works. */
static void
keep_complaint(struct helper *h, char *complaint, size_t size)
{
	char text[512];
	ssize_t n = h->errors != -1 ? read(h->errors, text, sizeof text - 1) : 0;

	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	log_verbose("%s", text);
	if (complaint[0] == '\0')
		(void)snprintf(complaint, size, "%s", text);
}

/* It has ended without an answer: was it the helper itself, or what stands before it? */
static enum outcome
judge_end(struct helper *h, const struct way *w, char *complaint, size_t size)
{
	(void)child_wait(&h->child, 1000);
	if (h->child.pid == 0 && WIFEXITED(h->child.status) &&
	    WEXITSTATUS(h->child.status) >= HELPER_EXIT_FIRST &&
	    WEXITSTATUS(h->child.status) <= HELPER_EXIT_LAST) {
		complaint[0] = '\0';
		keep_complaint(h, complaint, size);
		if (complaint[0] == '\0')
			(void)snprintf(complaint, size, "it refused; what it said is above");
		return REFUSED;
	}
	keep_complaint(h, complaint, size);
	if (w->asks)
		(void)snprintf(
		    complaint, size, "%s did not allow it; what it said is above", w->program);
	return NOT_THIS_WAY;
}

static enum outcome
try_way(struct helper *h, const struct way *w, const char *path, uint32_t flags, int signal_fd,
    char *complaint, size_t size)
{
	struct fw_reply reply = {0};

	if (launch(h, w, path) == -1) {
		if (w->program == NULL || errno != ENOENT)
			(void)snprintf(complaint, size, "%s: %s",
			    w->program != NULL ? w->program : path, strerror(errno));
		return NOT_THIS_WAY;
	}
	/* The request waits in the socket while a password is typed. */
	if (helper_send_hello(h, flags) == -1)
		return judge_end(h, w, complaint, size);
	enum outcome o = await_answer(h, w, signal_fd);
	if (o == INTERRUPTED)
		return o;
	if (o != STARTED || helper_receive_hello(h, &reply) == -1) {
		if (o == STARTED && errno != EPIPE && reply.why != FW_WHY_NONE) {
			(void)snprintf(complaint, size, "%s", helper_reason(reply.why));
			return REFUSED;
		}
		return judge_end(h, w, complaint, size);
	}
	return STARTED;
}

int
helper_start(struct helper *h, const char *path, enum scope scope, uint32_t flags, int signal_fd)
{
	bool root = geteuid() == 0;
	const struct way *ways = root ? root_ways : user_ways;
	size_t count =
	    root ? sizeof root_ways / sizeof *root_ways : sizeof user_ways / sizeof *user_ways;
	char complaint[512] = "";

	for (size_t i = 0; i < count; i++) {
		if (!is_wanted(&ways[i], scope))
			continue;
		enum outcome o =
		    try_way(h, &ways[i], path, flags, signal_fd, complaint, sizeof complaint);
		if (o == STARTED)
			return 0;
		drop(h);
		if (o == INTERRUPTED)
			return 1;
		if (o == REFUSED)
			break;
	}
	log_fatal("cannot run %s as root: %s", path,
	    complaint[0] != '\0' ? complaint : "none of sudo, doas and pkexec allows it");
	return -1;
}
