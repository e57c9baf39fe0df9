/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the table goes on to work; anything else ends the process with SIGSYS. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sandbox.h"
#include "unit.h"

enum { FINE = 7, NOT_ENTERED = 99 };

#define SECOND_ARG(v) SCMP_CMP64(1, SCMP_CMP_EQ, (scmp_datum_t)(v), 0)

static const struct sandbox_call calls[] = {
    {SCMP_SYS(exit_group), 0, {{0}}},
    {SCMP_SYS(openat), 0, {{0}}},
    {SCMP_SYS(shutdown), 1, {SECOND_ARG(SHUT_WR)}},
    {SCMP_SYS(seccomp), 0, {{0}}}, /* for the second table */
    {SCMP_SYS(prctl), 0, {{0}}},   /* the same */
    {SCMP_SYS(brk), 0, {{0}}},
    {SCMP_SYS(mmap), 0, {{0}}},
    {SCMP_SYS(munmap), 0, {{0}}},
    {SCMP_SYS(getrandom), 0, {{0}}},
};
static const struct sandbox_call fewer[] = {{SCMP_SYS(exit_group), 0, {{0}}}};

static void
nothing(void)
{
}

static void
open_something(void)
{
	(void)!openat(AT_FDCWD, "/dev/null", O_RDONLY);
}

static void
make_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void
shut_writing(void)
{
	(void)shutdown(-1, SHUT_WR);
}

static void
shut_reading(void)
{
	(void)shutdown(-1, SHUT_RD);
}

static void
open_after_second_table(void)
{
	if (sandbox_enter(fewer, COUNT(fewer)) == -1)
		_exit(NOT_ENTERED);
	open_something();
}

/* The wait status of a process that does this inside the sandbox. */
static int
status_of(void (*act)(void))
{
	const struct rlimit no_core = {0, 0};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		if (sandbox_enter(calls, COUNT(calls)) == -1)
			_exit(NOT_ENTERED);
		act();
		_exit(FINE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
expect_fine(void (*act)(void))
{
	int status = status_of(act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static void
expect_killed(void (*act)(void))
{
	int status = status_of(act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
test_listed(void **state)
{
	(void)state;
	expect_fine(nothing);
	expect_fine(open_something);
}

static void
test_not_listed(void **state)
{
	(void)state;
	expect_killed(make_socket);
}

/* A row with a condition allows the call in this way only. */
static void
test_condition(void **state)
{
	(void)state;
	expect_fine(shut_writing);
	expect_killed(shut_reading);
}

static void
test_second_table(void **state)
{
	(void)state;
	expect_killed(open_after_second_table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listed),
	    cmocka_unit_test(test_not_listed),
	    cmocka_unit_test(test_condition),
	    cmocka_unit_test(test_second_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
