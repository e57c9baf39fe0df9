/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listeners that redirected connections arrive at. They are made here, and a copy is kept
 * here, because the rules must never point to a port that another user could take.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listeners.h"
#include "policy.h"

enum { BACKLOG = 4096 }; /* the kernel takes the least of this and somaxconn */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int
set_on(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof on);
}

/*
 * Redirected connections arrive all over 127.0.0.0/8 (ruleset.c says why), which one bind can
 * only cover as 0.0.0.0; tied to lo, that is not reachable from outside.
 */
static int
bind_v4(int fd, const struct fw_address *addr, uint16_t port)
{
	union address sa = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};

	if (!policy_is_loopback(addr))
		memcpy(&sa.v4.sin_addr, addr->bytes, sizeof sa.v4.sin_addr);
	else if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo") == -1)
		return -1;
	return bind(fd, &sa.any, sizeof sa.v4);
}

static int
bind_v6(int fd, const struct fw_address *addr, uint16_t port)
{
	union address sa = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

	memcpy(&sa.v6.sin6_addr, addr->bytes, sizeof sa.v6.sin6_addr);
	if (set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) == -1)
		return -1;
	return bind(fd, &sa.any, sizeof sa.v6);
}

/* NODELAY and KEEPALIVE are for the accepted sockets, which inherit them. */
static int
set_up(int fd, const struct fw_address *addr, uint16_t port)
{
	if (set_on(fd, SOL_SOCKET, SO_REUSEADDR) == -1 ||
	    set_on(fd, SOL_SOCKET, SO_KEEPALIVE) == -1 ||
	    set_on(fd, IPPROTO_TCP, TCP_NODELAY) == -1)
		return -1;
	if ((addr->family == 4 ? bind_v4 : bind_v6)(fd, addr, port) == -1)
		return -1;
	return listen(fd, BACKLOG);
}

int
listener_open(const struct fw_address *addr, uint16_t port)
{
	int fd = socket(addr->family == 4 ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd != -1 && set_up(fd, addr, port) == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
listeners_close(struct session *s)
{
	for (uint32_t i = 0; i < s->listener_count; i++)
		close(s->listeners[i].fd);
	s->listener_count = 0;
}
