/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes redirected connections; see accept.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4.h> /* behind netinet/in.h, or the two clash */
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "accept.h"
#include "descriptors.h"
#include "log.h"

enum {
	ACCEPTS_PER_WAKEUP = 64,
	BACKLOG_MAX = 4096, /* of a listener: fwhelper/listeners.c */
	RETRY_US = 100000,  /* descriptors may be freed by someone else */
	WARN_EVERY_US = 10000000,
};

static bool
is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static int
socket_address(int fd, struct addr *a)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == -1)
		return -1;
	return addr_from_sockaddr(a, &sa);
}

/* Where the connection wanted to go before it was redirected: from the kernel's NAT table. */
static int
original_destination(int fd, const struct listener *l, struct addr *dst)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof sa;
	bool v6 = l->addr.family == 6;

	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		v6 ? IP6T_SO_ORIGINAL_DST : SO_ORIGINAL_DST, &sa, &len) == -1)
		return -1;
	return addr_from_sockaddr(dst, &sa);
}

/* True if somebody connected to our port itself: there is nowhere to forward that to. */
static bool
is_direct(int fd, const struct listener *l, const struct addr *dst)
{
	struct addr here;

	if (dst->port != l->addr.port)
		return false;
	return socket_address(fd, &here) == -1 || addr_equal(&here, dst);
}

static void
take_connection(
    struct acceptor *a, const struct listener *l, int fd, const struct sockaddr_storage *peer)
{
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
	struct addr src, dst;

	if (addr_from_sockaddr(&src, peer) == -1) {
		close(fd);
		return;
	}
	if (original_destination(fd, l, &dst) == -1 || is_direct(fd, l, &dst)) {
		log_verbose("%s: -- ignored: that's my address!", addr_format(&src, from));
		close(fd);
		return;
	}
	log_verbose("Accept TCP: %s -> %s.", addr_format(&src, from), addr_format(&dst, to));
	if (mux_open(a->mux, fd, &src, &dst) == NULL) {
		log_warn("%s -> %s: %s", from, to, strerror(errno));
		close(fd);
	}
}

static void
watch(struct acceptor *a, uint32_t events)
{
	for (size_t i = 0; i < a->count; i++)
		(void)loop_change(a->loop, &a->listener[i].io, events); /* it is watched */
}

static void
pause_accepting(struct acceptor *a, const char *why)
{
	if (a->paused)
		return;
	if (a->warned == 0 || a->loop->now - a->warned >= WARN_EVERY_US)
		log_warn("too many open connections (%s); new ones wait", why);
	a->warned = a->loop->now;
	a->paused = true;
	watch(a, 0);
	loop_timer_set(a->loop, &a->retry, RETRY_US);
}

void
acceptor_resume(struct acceptor *a)
{
	if (!a->paused)
		return;
	a->paused = false;
	loop_timer_cancel(a->loop, &a->retry);
	watch(a, EPOLLIN);
}

/* Take and reset what waits at a listener. */
static void
reset_waiting(const struct listener *l)
{
	for (int i = 0; i < BACKLOG_MAX; i++) {
		int fd = accept4(l->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1 && (errno == EAGAIN || is_shortage(errno)))
			return;
		if (fd != -1)
			descriptors_close_reset(fd);
	}
}

void
acceptor_stop(struct acceptor *a)
{
	loop_timer_cancel(a->loop, &a->retry);
	for (size_t i = 0; i < a->count; i++) {
		loop_remove(a->loop, &a->listener[i].io);
		reset_waiting(&a->listener[i]);
	}
}

static void
retry_due(struct loop_timer *t)
{
	acceptor_resume((struct acceptor *)((char *)t - offsetof(struct acceptor, retry)));
}

static void
listener_ready(struct loop_fd *f, uint32_t events)
{
	struct listener *l = (struct listener *)((char *)f - offsetof(struct listener, io));
	struct acceptor *a = l->acceptor;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_WAKEUP && !a->paused; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t len = sizeof peer;

		if (a->mux->streams >= a->mux->max_streams) {
			pause_accepting(a, "the server takes no more");
			return;
		}
		int fd =
		    accept4(l->io.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			take_connection(a, l, fd, &peer);
		else if (is_shortage(errno))
			pause_accepting(a, strerror(errno));
		else if (errno == EAGAIN)
			return;
		/* Anything else ended the one connection that was to be taken: accept(2). */
	}
}

void
acceptor_init(struct acceptor *a, struct loop *loop)
{
	*a = (struct acceptor){.loop = loop};
	a->retry.fire = retry_due;
}

int
acceptor_add(struct acceptor *a, int fd)
{
	struct listener *l = &a->listener[a->count];

	if (a->count == ACCEPT_MAX || socket_address(fd, &l->addr) == -1)
		return -1;
	l->io = (struct loop_fd){.fd = fd, .ready = listener_ready};
	l->acceptor = a;
	a->count++;
	return 0;
}

int
acceptor_start(struct acceptor *a, struct mux *mux)
{
	a->mux = mux;
	for (size_t i = 0; i < a->count; i++)
		if (loop_add(a->loop, &a->listener[i].io, EPOLLIN) == -1)
			return -1;
	return 0;
}
