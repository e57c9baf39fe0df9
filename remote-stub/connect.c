/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the far end of a stream; see connect.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect.h"
#include "fwproto.h"

static int
set_options(int fd, const struct addr *dst, bool local)
{
	int on = 1, ttl = FW_LOCAL_TTL;

	/* Without these the connection still works, only later or longer. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	if (!local)
		return 0;
	if (dst->family == 6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
	return setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
}

void
connect_stream(struct stream *s, bool local)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&s->dst, &sa);
	int fd = socket(addr_af(&s->dst), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd == -1) {
		stream_fail(s, reason_from_errno(errno));
		return;
	}
	if (set_options(fd, &s->dst, local) == -1 ||
	    (connect(fd, (struct sockaddr *)&sa, len) == -1 && errno != EINPROGRESS) ||
	    stream_attach(s, fd, STREAM_CONNECTING) == -1) {
		int err = errno;
		close(fd);
		stream_fail(s, reason_from_errno(err));
	}
}
