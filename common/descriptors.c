/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many descriptors there are, and what is done to them alike; see descriptors.h. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"

enum {
	SPARE = 16,
	ENOUGH = 65536, /* more than there are streams; a huge limit makes a huge table */
	PIPE_SIZE = 256 * 1024,
};

uint32_t
descriptors_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 1;
	r.rlim_cur = r.rlim_max < ENOUGH ? r.rlim_max : ENOUGH;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* what counts is read back */
	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur <= SPARE)
		return 1;
	return r.rlim_cur < ENOUGH ? (uint32_t)r.rlim_cur - SPARE : ENOUGH - SPARE;
}

int
descriptors_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* no pipe, or over the limit: works as it is */
	return 0;
}

void
descriptors_close_reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	/* Should it fail, the peer sees an end of file instead of a reset. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}
