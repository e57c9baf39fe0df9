/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a seccomp table; see sandbox.h. Which calls are allowed is each program's own business. */
#include <errno.h>
#include <sys/prctl.h>

#include "sandbox.h"

#ifdef SANITIZE
/* What the sanitizers' run-time library calls by itself; only in `make asan` builds. */
static const struct sandbox_call sanitizer_calls[] = {
    {SCMP_SYS(mmap), 0, {{0}}},        /* allocator */
    {SCMP_SYS(munmap), 0, {{0}}},      /* allocator */
    {SCMP_SYS(mremap), 0, {{0}}},      /* allocator */
    {SCMP_SYS(mprotect), 0, {{0}}},    /* allocator */
    {SCMP_SYS(madvise), 0, {{0}}},     /* allocator gives pages back */
    {SCMP_SYS(brk), 0, {{0}}},         /* allocator */
    {SCMP_SYS(futex), 0, {{0}}},       /* allocator's locks */
    {SCMP_SYS(sched_yield), 0, {{0}}}, /* allocator's locks */
    {SCMP_SYS(getpid), 0, {{0}}},      /* reports */
    {SCMP_SYS(gettid), 0, {{0}}},      /* reports */
    {SCMP_SYS(sigaltstack), 0, {{0}}}, /* thread exit */
    {SCMP_SYS(write), 0, {{0}}},       /* reports */
    {SCMP_SYS(rt_sigprocmask), 0, {{0}}},
    {SCMP_SYS(clock_gettime), 0, {{0}}},
};

static int add_calls(scmp_filter_ctx ctx, const struct sandbox_call *table, size_t count);

static int
add_sanitizer_calls(scmp_filter_ctx ctx)
{
	return add_calls(ctx, sanitizer_calls, sizeof sanitizer_calls / sizeof *sanitizer_calls);
}
#else
static int
add_sanitizer_calls(scmp_filter_ctx ctx)
{
	(void)ctx;
	return 0;
}
#endif

static int
add_calls(scmp_filter_ctx ctx, const struct sandbox_call *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, table[i].nr, table[i].argc, table[i].arg);
		if (r < 0)
			return r;
	}
	return 0;
}

int
sandbox_enter(const struct sandbox_call *table, size_t count)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = add_calls(ctx, table, count);
	if (r == 0)
		r = add_sanitizer_calls(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return 0;
}
