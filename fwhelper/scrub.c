/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undoes what the launcher can have set before it started us: sudo and pkexec pass on most of
 * it. Runs before anything that could be influenced, so it uses nothing but system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "log.h"
#include "scrub.h"

/* A value too long for its place is cut, and then equals nothing that it is compared with. */
static void
save_value(struct launcher_value *v, const char *name)
{
	const char *untrusted = getenv(name);

	v->set = untrusted != NULL;
	if (v->set)
		memcpy(v->text, untrusted, strnlen(untrusted, sizeof v->text - 1));
}

static void
scrub_environment(struct session *s)
{
	save_value(&s->sudo_uid, "SUDO_UID");
	save_value(&s->pkexec_uid, "PKEXEC_UID");
	save_value(&s->doas_user, "DOAS_USER");
	clearenv();
}

/* A closed 0, 1 or 2 would become the next file that is opened. All above are not ours. */
static void
scrub_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_SYSTEM);
	}
	if (syscall(SYS_close_range, 3U, UINT_MAX, 0U) == -1)
		die(EXIT_NO_KERNEL, "cannot close inherited files (needs Linux 5.9): %s",
		    strerror(errno));
}

/*
 * Ignored: what a terminal sends (the session ends when the proxy does, never by a stray ^C), a
 * reader that left, a full disk under stderr. TERM is taken in the main loop: undo, then exit.
 */
static void
scrub_signals(struct session *s)
{
	static const int ignored[] = {
	    SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGPIPE, SIGXFSZ};
	/* The kernel's struct, not libc's: libc keeps its own two signals from us, a caller's
	   launcher does not have to. All zero is SIG_DFL without flags. */
	static const unsigned char kernel_default[64];
	struct sigaction sa = {.sa_handler = SIG_IGN};
	sigset_t term;

	for (int sig = 1; sig < NSIG; sig++) /* KILL and STOP refuse */
		(void)syscall(SYS_rt_sigaction, sig, kernel_default, NULL, NSIG / 8);
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)sigaction(ignored[i], &sa, NULL);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	s->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigprocmask(SIG_SETMASK, &term, NULL) == -1 || s->signal_fd == -1)
		die(EXIT_SYSTEM, "cannot set up signals: %s", strerror(errno));
}

/* An armed timer outlives execve(2) and would kill us; so would the parent's death signal. */
static void
scrub_timers(void)
{
	static const struct itimerval off;

	(void)setitimer(ITIMER_REAL, &off, NULL);
	(void)setitimer(ITIMER_VIRTUAL, &off, NULL);
	(void)setitimer(ITIMER_PROF, &off, NULL);
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

/* Where a limit cannot be raised (a container), the hard one has to do. */
static void
scrub_limits(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {
	    {RLIMIT_CORE, 0},              /* no memory of ours on disk */
	    {RLIMIT_FSIZE, RLIM_INFINITY}, /* 0 makes a line to a log file fatal */
	    {RLIMIT_CPU, RLIM_INFINITY},   /* would kill a session after a while */
	    {RLIMIT_AS, RLIM_INFINITY},    /* would fail the commit */
	    {RLIMIT_DATA, RLIM_INFINITY},  /* would fail the commit */
	    {RLIMIT_NOFILE, FW_MAX_LISTENERS + 32},
	};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct rlimit r = {limits[i].value, limits[i].value};

		if (setrlimit(limits[i].resource, &r) == 0)
			continue;
		if (getrlimit(limits[i].resource, &r) == 0) {
			r.rlim_cur = r.rlim_max;
			(void)setrlimit(limits[i].resource, &r);
		}
	}
}

/*
 * nice 19 or SCHED_IDLE on a busy machine would delay the undoing without end. (Not through
 * <sched.h>: with -Icommon that name is the tunnel's scheduler.)
 */
static void
scrub_schedule(void)
{
	static const struct {
		int priority;
	} normal;

	(void)syscall(SYS_sched_setscheduler, 0, 0 /* SCHED_OTHER */, &normal);
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

void
scrub_inherited(struct session *s)
{
	scrub_environment(s);
	scrub_limits(); /* before anything that opens */
	scrub_descriptors();
	scrub_signals(s);
	scrub_timers();
	scrub_schedule();
	umask(077);
	if (chdir("/") == -1) /* keep no file system busy */
		die(EXIT_SYSTEM, "cannot enter /: %s", strerror(errno));
	(void)setsid(); /* fails for the leader of a process group, as under sudo's pty */
}
