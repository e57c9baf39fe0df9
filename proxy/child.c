/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and ends programs; see child.h. Between fork and exec only async-signal-safe calls. What
 * goes wrong there travels back as an errno through a close-on-exec pipe: end of file on it means
 * that the program runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

enum { HIGH_FD = CHILD_MAX_FDS, TERM_GRACE_MS = 500 };

static void
reset_signals(bool ignore_interrupt)
{
	/* The kernel's struct, all zero: SIG_DFL. libc keeps two signals from us; a launcher may
	   have had them ignored all the same (make does). */
	static const unsigned char kernel_default[64];
	struct sigaction hup;
	sigset_t none;

	(void)sigaction(SIGHUP, NULL, &hup); /* fails for no valid signal */
	for (int sig = 1; sig < NSIG; sig++) /* KILL and STOP refuse */
		(void)syscall(SYS_rt_sigaction, sig, kernel_default, NULL, NSIG / 8);
	if (hup.sa_handler == SIG_IGN) /* nohup(1) means our children too */
		(void)signal(SIGHUP, SIG_IGN);
	if (ignore_interrupt) {
		(void)signal(SIGINT, SIG_IGN);
		(void)signal(SIGQUIT, SIG_IGN);
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Bring the descriptors to their places: first out of the way, then down. */
static int
place_descriptors(const struct child_setup *setup, int report)
{
	int moved[CHILD_MAX_FDS];

	for (size_t i = 0; i < setup->fd_count; i++) {
		moved[i] = fcntl(setup->fds[i], F_DUPFD, HIGH_FD);
		if (moved[i] == -1)
			return -1;
	}
	int high_report = fcntl(report, F_DUPFD_CLOEXEC, HIGH_FD);
	if (high_report == -1)
		return -1;
	for (size_t i = 0; i < setup->fd_count; i++)
		if (dup2(moved[i], (int)i) == -1)
			return -1;
	if (syscall(SYS_close_range, (unsigned)setup->fd_count, (unsigned)high_report - 1, 0) ==
		-1 ||
	    syscall(SYS_close_range, (unsigned)high_report + 1, ~0u, 0) == -1)
		return -1;
	return high_report;
}

__attribute__((noreturn)) static void
run_program(const struct child_setup *setup, pid_t parent, int report)
{
	int err;

	reset_signals(setup->ignore_interrupt);
	if (setup->die_with_parent) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (getppid() != parent)
			_exit(1); /* it went before the line above */
	}
	int high_report = place_descriptors(setup, report);
	if (high_report != -1) {
		report = high_report;
		if (setup->path != NULL)
			execv(setup->path, (char *const *)(size_t)setup->argv);
		else
			execvp(setup->argv[0], (char *const *)(size_t)setup->argv);
	}
	err = errno;
	(void)!write(report, &err, sizeof err);
	_exit(127);
}

/* 0 when the program runs, else the errno with which it did not. */
static int
read_report(int fd)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(fd, &err, sizeof err);
	} while (n == -1 && errno == EINTR);
	return n == sizeof err ? err : 0;
}

int
child_start(struct child *c, const struct child_setup *setup)
{
	int report[2], err;
	pid_t parent = getpid();

	*c = (struct child){.pidfd = -1};
	if (pipe2(report, O_CLOEXEC) == -1)
		return -1;
	c->pid = fork();
	if (c->pid == 0)
		run_program(setup, parent, report[1]);
	err = errno;
	close(report[1]);
	if (c->pid == -1) {
		c->pid = 0;
		close(report[0]);
		errno = err;
		return -1;
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	err = c->pidfd == -1 ? errno : read_report(report[0]);
	close(report[0]);
	if (err != 0) {
		(void)child_stop(c, 0);
		errno = err;
		return -1;
	}
	return 0;
}

bool
child_reap(struct child *c)
{
	if (c->pid == 0)
		return true;
	if (waitpid(c->pid, &c->status, WNOHANG) != c->pid)
		return false;
	if (c->pidfd != -1)
		close(c->pidfd);
	c->pidfd = -1;
	c->pid = 0;
	return true;
}

bool
child_wait(struct child *c, int ms)
{
	struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

	if (c->pid != 0)
		(void)poll(&p, 1, ms);
	return child_reap(c);
}

void
child_signal(const struct child *c, int sig)
{
	if (c->pid != 0)
		(void)kill(c->pid, sig); /* not reaped, so the pid is still its own */
}

bool
child_stop(struct child *c, int grace_ms)
{
	if (child_wait(c, grace_ms))
		return true;
	child_signal(c, SIGTERM);
	if (child_wait(c, TERM_GRACE_MS))
		return true;
	child_signal(c, SIGKILL);
	return child_wait(c, TERM_GRACE_MS);
}
