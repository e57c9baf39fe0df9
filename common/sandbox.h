/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <seccomp.h>
#include <stddef.h>

/*
 * A seccomp filter from a plain table: what is not listed kills the whole process (SIGSYS), and so
 * does a call through another architecture's table. One row per system call, or per way of
 * calling it: rows for the same call add up. A later, smaller table may be entered on top.
 */
struct sandbox_call {
	int nr;        /* SCMP_SYS(name) */
	unsigned argc; /* how many of arg[] must hold, all of them at once */
	struct scmp_arg_cmp arg[3];
};

/*
 * Set no_new_privs and load the table. Allocates (libseccomp) and frees before it returns.
 * Returns 0, or -1 with errno. Must be able to call seccomp(2) or prctl(2) until it returns.
 */
int sandbox_enter(const struct sandbox_call *table, size_t count);

#endif
