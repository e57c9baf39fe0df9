/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which TCP connections a process and its descendants have: real ones, of real processes. */
#include "unit.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "ssh_sockets.h"

enum { MAX = 16 };

static struct addr at4, at6;
static int listener4, listener6;

static int
listen6(struct addr *at)
{
	struct sockaddr_storage sa;
	struct addr any = {.family = 6};
	socklen_t len = addr_to_sockaddr(&any, &sa);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, len) == -1 || listen(fd, 16) == -1)
		return -1;
	len = sizeof sa;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(addr_from_sockaddr(at, &sa), 0);
	at->bytes[15] = 1; /* ::1 */
	return fd;
}

static int
setup(void **state)
{
	(void)state;
	listener4 = unit_listen(&at4);
	listener6 = listen6(&at6); /* -1: no IPv6 here */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(listener4);
	close(listener6);
	return 0;
}

struct process {
	pid_t pid;
	int hold; /* closed: it ends */
};

static void
connect_all(const struct addr *const *to)
{
	for (size_t i = 0; to[i] != NULL; i++) {
		struct sockaddr_storage sa;
		socklen_t len = addr_to_sockaddr(to[i], &sa);
		int fd = socket(addr_af(to[i]), SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&sa, len) == -1)
			_exit(1);
	}
}

/* Connect to each of to[]; with deeper, so does a child. End when hold does. */
static void
be_process(const struct addr *const *to, int deeper, int ready, int hold)
{
	pid_t child = 0;
	char c;

	(void)prctl(
	    PR_SET_NAME, "a) R 1 (b", 0, 0, 0); /* /proc/PID/stat is to be read from behind */
	for (; child == 0; deeper--) {
		for (int fd = 3; fd < 256; fd++) /* its own connections only */
			if (fd != ready && fd != hold)
				close(fd);
		connect_all(to);
		child = deeper > 0 ? fork() : -1;
	}
	(void)!write(ready, "r", 1);
	(void)!read(hold, &c, 1);
	if (child > 0)
		waitpid(child, NULL, 0);
	_exit(0);
}

static struct process
start(const struct addr *const *to, int deeper)
{
	int ready[2], hold[2];
	struct process p;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	p.pid = fork();
	if (p.pid == 0) {
		close(hold[1]);
		be_process(to, deeper, ready[1], hold[0]);
	}
	close(ready[1]);
	close(hold[0]);
	p.hold = hold[1];
	for (int i = 0; i <= deeper; i++)
		assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return p;
}

static void
stop(struct process p)
{
	close(p.hold);
	assert_int_equal(waitpid(p.pid, NULL, 0), p.pid);
}

/* Accept one connection and find it in the list: what ssh calls its peer is our own end. */
static void
expect_accepted(int listener, const struct tcp_tuple *list, size_t n)
{
	struct sockaddr_storage here = {0}, there = {0};
	socklen_t here_len = sizeof here, there_len = sizeof there;
	struct addr src, dst;
	size_t found = 0;
	int fd = accept(listener, (struct sockaddr *)&there, &there_len);

	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &here_len), 0);
	assert_int_equal(addr_from_sockaddr(&src, &there), 0);
	assert_int_equal(addr_from_sockaddr(&dst, &here), 0);
	close(fd);
	for (size_t i = 0; i < n; i++)
		found += addr_equal(&list[i].src, &src) && addr_equal(&list[i].dst, &dst);
	assert_int_equal(found, 1);
}

static void
test_one(void **state)
{
	const struct addr *to[] = {&at4, NULL};
	struct tcp_tuple list[MAX];
	struct process p = start(to, 0);

	(void)state;
	size_t n = ssh_sockets_find(p.pid, list, MAX);
	assert_int_equal(n, 1);
	expect_accepted(listener4, list, n);
	stop(p);
}

/* ssh -J: ssh has a child that has the connection; and that may have one too. */
static void
test_descendants(void **state)
{
	const struct addr *to[] = {&at4, NULL};
	struct tcp_tuple list[MAX];
	struct process p = start(to, 3);

	(void)state;
	size_t n = ssh_sockets_find(p.pid, list, MAX);
	assert_int_equal(n, 4);
	for (int i = 0; i < 4; i++)
		expect_accepted(listener4, list, n);
	stop(p);
}

static void
test_ipv6(void **state)
{
	const struct addr *to[] = {&at6, NULL};
	struct tcp_tuple list[MAX];

	(void)state;
	if (listener6 == -1)
		skip();
	struct process p = start(to, 0);
	size_t n = ssh_sockets_find(p.pid, list, MAX);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].dst.family, 6);
	expect_accepted(listener6, list, n);
	stop(p);
}

/* An IPv6 socket that speaks IPv4: the packet filter sees IPv4. */
static void
test_mapped(void **state)
{
	struct addr mapped = {
	    .family = 6, .port = at4.port, .bytes = {[10] = 255, 255, 127, 0, 0, 1}};
	const struct addr *to[] = {&mapped, NULL};
	struct tcp_tuple list[MAX];

	(void)state;
	if (listener6 == -1)
		skip();
	struct process p = start(to, 0);
	size_t n = ssh_sockets_find(p.pid, list, MAX);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].src.family, 4);
	expect_accepted(listener4, list, n);
	stop(p);
}

static void
test_limit(void **state)
{
	const struct addr *to[] = {&at4, &at4, &at4, &at4, &at4, NULL};
	struct tcp_tuple list[MAX];
	struct process p = start(to, 0);

	(void)state;
	memset(list, 0xee, sizeof list);
	for (size_t max = 0; max <= 5; max++)
		assert_int_equal(ssh_sockets_find(p.pid, list, max), max);
	for (size_t i = 5 * sizeof *list; i < sizeof list; i++)
		assert_int_equal(((unsigned char *)list)[i], 0xee);
	assert_int_equal(ssh_sockets_find(p.pid, list, MAX), 5);
	stop(p);
}

/* Listeners and strangers' connections are not counted; nobody has none. */
static void
test_others(void **state)
{
	const struct addr *none[] = {NULL}, *to[] = {&at4, NULL};
	struct tcp_tuple list[MAX];
	struct process p = start(none, 0), other = start(to, 0);

	(void)state;
	assert_int_equal(ssh_sockets_find(p.pid, list, MAX), 0);
	stop(other); /* first: it has inherited what holds p */
	stop(p);
	assert_int_equal(ssh_sockets_find(p.pid, list, MAX), 0);
	assert_int_equal(ssh_sockets_find(0x7ffffff0, list, MAX), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_one),
	    TEST(test_descendants),
	    TEST(test_ipv6),
	    TEST(test_mapped),
	    TEST(test_limit),
	    TEST(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
