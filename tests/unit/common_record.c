/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record, at most one descriptor: on real SEQPACKET pairs, and no descriptor left behind. */
#include "unit.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include "record.h"

static int pair[2];
static unsigned fds_before;

static int
setup(void **state)
{
	(void)state;
	fds_before = unit_count_fds();
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int
teardown(void **state)
{
	(void)state;
	if (pair[0] != -1)
		close(pair[0]);
	close(pair[1]);
	return unit_count_fds() == fds_before ? 0 : -1;
}

static void
send_many_descriptors(int count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} ctl = {0};
	struct iovec iov = {.iov_base = "hello", .iov_len = 5};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl};
	size_t len = (size_t)count * sizeof(int);

	msg.msg_controllen = CMSG_SPACE(len);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(len);
	for (int i = 0; i < count; i++) {
		int fd = pair[0];
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof fd, &fd, sizeof fd);
	}
	assert_int_equal(sendmsg(pair[0], &msg, 0), 5);
}

static void
test_plain(void **state)
{
	char buf[16];
	int fd = 99;

	(void)state;
	assert_int_equal(record_send(pair[0], "hello", 5, -1), 0);
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, &fd), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(fd, -1);
	assert_int_equal(record_send(pair[0], "exact", 5, -1), 0);
	assert_int_equal(record_recv(pair[1], buf, 5, NULL), 5);
}

static void
test_descriptor(void **state)
{
	struct stat sent, got;
	char buf[16];
	int p[2], fd = -1;

	(void)state;
	unit_pipe(p, 0);
	assert_int_equal(record_send(pair[0], "x", 1, p[0]), 0);
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, &fd), 1);
	assert_true(fd > 2);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(p[0], &sent), 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(sent.st_ino, got.st_ino);
	close(fd);
	close(p[0]);
	close(p[1]);
}

static void
expect_too_long(size_t size, int *fd)
{
	char buf[16];

	errno = 0;
	assert_int_equal(record_recv(pair[1], buf, size, fd), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(unit_count_fds(), fds_before + 2);
	/* The next record is whole. */
	assert_int_equal(record_send(pair[0], "next", 4, -1), 0);
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, NULL), 4);
	assert_memory_equal(buf, "next", 4);
}

static void
test_truncated(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(record_send(pair[0], "hello", 5, -1), 0);
	expect_too_long(4, &fd);
	assert_int_equal(record_send(pair[0], "hello", 5, pair[0]), 0);
	expect_too_long(4, &fd);
}

static void
test_unwanted_descriptor(void **state)
{
	(void)state;
	assert_int_equal(record_send(pair[0], "hello", 5, pair[0]), 0);
	expect_too_long(16, NULL);
}

static void
test_too_many_descriptors(void **state)
{
	int fd;

	(void)state;
	for (int count = 2; count <= 16; count++) {
		send_many_descriptors(count);
		expect_too_long(16, &fd);
		send_many_descriptors(count);
		expect_too_long(16, NULL);
	}
}

static void
test_end_of_file(void **state)
{
	char buf[16];
	int fd;

	(void)state;
	errno = 0;
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, &fd), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(record_send(pair[0], "last", 4, -1), 0);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, &fd), 4);
	assert_int_equal(record_recv(pair[1], buf, sizeof buf, &fd), 0);
	/* No SIGPIPE, whose default would end the test. */
	assert_int_equal(record_send(pair[1], "x", 1, -1), -1);
	assert_int_equal(errno, EPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_plain),
	    TEST(test_descriptor),
	    TEST(test_truncated),
	    TEST(test_unwanted_descriptor),
	    TEST(test_too_many_descriptors),
	    TEST(test_end_of_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
