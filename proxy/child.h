/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* A program the supervisor has started. */
struct child {
	pid_t pid;  /* 0: none */
	int pidfd;  /* readable when it has ended; -1: none */
	int status; /* of wait(2), once reaped */
};

enum { CHILD_MAX_FDS = 8 };

struct child_setup {
	const char *path;        /* of the program; NULL: search PATH for argv[0] */
	const char *const *argv; /* NULL-terminated */
	int fds[CHILD_MAX_FDS];  /* become 0, 1, 2, ...; all others are closed */
	size_t fd_count;         /* at least 3 */
	bool ignore_interrupt;   /* SIGINT and SIGQUIT from the terminal are for the supervisor */
	bool die_with_parent;    /* SIGTERM it when the supervisor goes, however it goes */
};

/*
 * Start a program with the caller's environment, default signals and an empty signal mask.
 * Returns 0, or -1 with errno, also when the program could not be executed.
 */
int child_start(struct child *c, const struct child_setup *setup);
/* True if it has ended; then its status is set and it is reaped. Never blocks. */
bool child_reap(struct child *c);
/* Wait at most ms milliseconds for the end; true if it came. */
bool child_wait(struct child *c, int ms);
void child_signal(const struct child *c, int sig);
/*
 * End it: wait grace_ms, SIGTERM, wait again, SIGKILL. Fine with none. False: it goes on, because
 * it is another user's by now (sudo in -e).
 */
bool child_stop(struct child *c, int grace_ms);

#endif
