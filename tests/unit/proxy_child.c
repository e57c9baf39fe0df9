/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real programs, started and ended. */
#include "unit.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "child.h"

static unsigned fds_before;

static int
setup(void **state)
{
	(void)state;
	fds_before = unit_count_fds();
	return 0;
}

/* Neither a descriptor nor a zombie may be left. */
static int
teardown(void **state)
{
	(void)state;
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return -1;
	return unit_count_fds() == fds_before ? 0 : -1;
}

/* Start sh -c script with its output in *out. */
static int
start_shell(struct child *c, const char *script, int *out, struct child_setup *s)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	s->argv = argv;
	s->fds[1] = p[1];
	s->fds[2] = STDERR_FILENO;
	if (s->fd_count < 3)
		s->fd_count = 3;
	int r = child_start(c, s);
	close(p[1]);
	*out = p[0];
	return r;
}

static void
expect_output(int fd, const char *want)
{
	char got[4096];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof got - 1 && (n = read(fd, got + len, sizeof got - 1 - len)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	close(fd);
	assert_string_equal(got, want);
}

static void
test_run(void **state)
{
	struct child_setup s = {0};
	struct child c;
	int out;

	(void)state;
	assert_int_equal(start_shell(&c, "echo hello; exit 7", &out, &s), 0);
	assert_true(c.pid > 0);
	expect_output(out, "hello\n");
	assert_true(child_wait(&c, 5000));
	assert_int_equal(WEXITSTATUS(c.status), 7);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.pidfd, -1);
	assert_true(child_reap(&c)); /* once more: still ended */
	assert_true(child_wait(&c, 5000));
	child_signal(&c, SIGKILL); /* nobody */
	child_stop(&c, 1000);
}

static void
test_exec_failure(void **state)
{
	static const struct {
		const char *path, *argv0;
		int err;
	} rows[] = {
	    {"/nonexistent/program", "x", ENOENT},
	    {NULL, "no-such-program-in-path", ENOENT},
	    {"/etc/passwd", "x", EACCES},
	    {"/", "x", EACCES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *argv[] = {rows[i].argv0, NULL};
		struct child_setup s = {
		    .path = rows[i].path, .argv = argv, .fds = {0, 1, 2}, .fd_count = 3};
		struct child c;

		errno = 0;
		assert_int_equal(child_start(&c, &s), -1);
		assert_int_equal(errno, rows[i].err);
		assert_int_equal(c.pid, 0);
		assert_int_equal(c.pidfd, -1);
		assert_int_equal(teardown(state), 0);
	}
}

static void
test_bad_descriptor(void **state)
{
	const char *argv[] = {"true", NULL};
	struct child_setup s = {.argv = argv, .fds = {0, 1, 999}, .fd_count = 3};
	struct child c;

	(void)state;
	assert_int_equal(child_start(&c, &s), -1);
	assert_int_equal(errno, EBADF);
}

/* The child has exactly what it was given, whatever is open here, close-on-exec or not. */
static void
test_nothing_leaks(void **state)
{
	struct child_setup s = {.fds = {STDERR_FILENO}, .fd_count = 5};
	int extra[100], out, dev = open("/dev/null", O_RDWR); /* not close-on-exec */
	struct child c;

	(void)state;
	s.fds[3] = s.fds[4] = dev;
	for (size_t i = 0; i < COUNT(extra); i++)
		extra[i] = dup(dev);
	assert_int_equal(start_shell(&c,
			     "i=0; while [ $i -lt 1024 ]; do [ -e /proc/$$/fd/$i ] && echo $i; "
			     "i=$((i+1)); done",
			     &out, &s),
	    0);
	expect_output(out, "0\n1\n2\n3\n4\n");
	assert_true(child_wait(&c, 5000));
	for (size_t i = 0; i < COUNT(extra); i++)
		close(extra[i]);
	close(dev);
}

/* Each of the eight at its place, also where source and place are crossed. */
static void
test_places(void **state)
{
	const char *argv[] = {"sh", "-c", "for i in 0 1 2 3 4 5 6 7; do echo $i >&$i; done", NULL};
	struct child_setup s = {.argv = argv, .fd_count = 8};
	int pipes[8][2], base[8];
	struct child c;

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
	/* The write ends lie at 2 * i and so on: descriptor 5 is meant for place 7, and the like. */
	for (int i = 0; i < 8; i++)
		s.fds[i] = base[i] = pipes[7 - i][1];
	assert_int_equal(child_start(&c, &s), 0);
	assert_memory_equal(s.fds, base, sizeof base);
	for (int i = 0; i < 8; i++)
		close(pipes[i][1]);
	for (int i = 0; i < 8; i++) {
		char want[4];
		(void)snprintf(want, sizeof want, "%d\n", i);
		expect_output(pipes[7 - i][0], want);
	}
	assert_true(child_wait(&c, 5000));
}

static void
handler(int sig)
{
	(void)sig;
}

static void
expect_signals(bool ignore_interrupt, unsigned long long ignored)
{
	static const char script[] = "exec sed -nE '/^Sig(Blk|Ign|Cgt)/p' /proc/self/status";
	/* libc keeps 32 and 33 to itself: how they are is whoever's who started this test. */
	const unsigned long long of_libc = 3ull << 31;
	struct child_setup s = {.ignore_interrupt = ignore_interrupt};
	unsigned long long blocked, ign, caught;
	struct child c;
	char got[200];
	int out;

	assert_int_equal(start_shell(&c, script, &out, &s), 0);
	assert_true(child_wait(&c, 5000));
	ssize_t n = read(out, got, sizeof got - 1);
	close(out);
	assert_true(n > 0);
	got[n] = '\0';
	assert_int_equal(
	    sscanf(got, "SigBlk: %llx SigIgn: %llx SigCgt: %llx", &blocked, &ign, &caught), 3);
	assert_true(blocked == 0);
	assert_true((ign & ~of_libc) == ignored);
	assert_true(caught == 0);
}

/* Signals that we block, ignore or handle are as usual in the child. */
static void
test_signals(void **state)
{
	sigset_t set, old;

	(void)state;
	sigfillset(&set);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, handler);
	expect_signals(false, 0);
	expect_signals(true, 1 << (SIGINT - 1) | 1 << (SIGQUIT - 1));
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGUSR1, SIG_DFL);
}

static int64_t
milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
test_stop(void **state)
{
	/* What it runs, how it ends, how long that may take with a grace of 100 ms. */
	static const struct {
		const char *script;
		int signal, least, most;
	} rows[] = {
	    {"echo; exit 0", 0, 0, 99},
	    {"echo; exec sleep 60", SIGTERM, 100, 500},
	    {"trap '' TERM; echo; while :; do read x; sleep 60; done", SIGKILL, 600, 3000},
	};
	char c;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct child_setup s = {0};
		struct child child;
		int out;

		assert_int_equal(start_shell(&child, rows[i].script, &out, &s), 0);
		assert_int_equal(read(out, &c, 1), 1); /* it has come that far */
		assert_false(i != 0 && child_reap(&child));
		int64_t start = milliseconds();
		child_stop(&child, 100);
		assert_in_range(milliseconds() - start, rows[i].least, rows[i].most);
		assert_int_equal(child.pid, 0);
		assert_int_equal(
		    WIFSIGNALED(child.status) ? WTERMSIG(child.status) : 0, rows[i].signal);
		close(out);
	}
}

/* The one who started it is killed: with die_with_parent the program goes too. */
static void
die_with_parent(bool wanted)
{
	struct pollfd p = {.events = POLLIN};
	struct child_setup s = {.die_with_parent = wanted};
	pid_t grandchild;
	int status, report[2];

	/* Orphans come to us, so that we see how they end. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	pid_t middle = fork();
	if (middle == 0) {
		struct child c;
		int out;
		if (start_shell(&c, "exec sleep 60", &out, &s) == 0)
			(void)!write(report[1], &c.pid, sizeof c.pid);
		pause();
		_exit(1);
	}
	close(report[1]);
	assert_int_equal(read(report[0], &grandchild, sizeof grandchild), sizeof grandchild);
	close(report[0]);
	assert_int_equal(kill(middle, SIGKILL), 0);
	assert_int_equal(waitpid(middle, &status, 0), middle);
	(void)poll(&p, 0, 200);
	pid_t ended = waitpid(grandchild, &status, WNOHANG);
	if (wanted) {
		assert_int_equal(ended, grandchild);
		assert_int_equal(WTERMSIG(status), SIGTERM);
	} else {
		assert_int_equal(ended, 0);
		assert_int_equal(kill(grandchild, SIGKILL), 0);
		assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	}
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

static void
test_die_with_parent(void **state)
{
	(void)state;
	die_with_parent(true);
	die_with_parent(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_run),
	    TEST(test_exec_failure),
	    TEST(test_bad_descriptor),
	    TEST(test_nothing_leaks),
	    TEST(test_places),
	    TEST(test_signals),
	    TEST(test_stop),
	    TEST(test_die_with_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
