/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_H
#define UNIT_H

/* What most unit tests need: cmocka in its order, pipes, loopback sockets, random numbers. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "addr.h"
#include "frame.h"
#include "wire.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Random, but the same in every run: xorshift64. */
static inline uint64_t
unit_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The byte that a test sends at this place of a stream of its own. */
static inline uint8_t
unit_byte(uint64_t seed, uint64_t offset)
{
	return (uint8_t)((seed * 167 + offset) * 2654435761u >> 13);
}

static inline void
unit_pipe(int fd[2], int size)
{
	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	if (size != 0)
		assert_true(fcntl(fd[1], F_SETPIPE_SZ, size) >= size);
}

static inline void
unit_write(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), (ssize_t)len);
}

/* A listener of one's own on 127.0.0.1; *at is where. */
static inline int
unit_listen(struct addr *at)
{
	struct sockaddr_storage sa;
	struct addr any = {.family = 4, .bytes = {127, 0, 0, 1}};
	socklen_t len = addr_to_sockaddr(&any, &sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 4096), 0);
	len = sizeof sa;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(addr_from_sockaddr(at, &sa), 0);
	return fd;
}

static inline int
unit_connect(const struct addr *to)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	int fd = socket(addr_af(to), SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Two connected TCP sockets, both non-blocking. */
static inline void
unit_tcp_pair(int pair[2])
{
	struct addr at;
	int listener = unit_listen(&at);

	pair[0] = unit_connect(&at);
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(pair[1] >= 0);
	close(listener);
}

static inline void
unit_close_with_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(fd);
}

/* How many descriptors this process has. */
static inline unsigned
unit_count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Write a frame's header at p; returns where its payload goes. */
static inline uint8_t *
unit_frame(uint8_t *p, unsigned type, uint32_t stream, size_t len)
{
	p = wire_put_u32(p, (uint32_t)type << 24 | (uint32_t)len);
	p = wire_put_u32(p, stream);
	return wire_put_u32(p, 0);
}

#endif
