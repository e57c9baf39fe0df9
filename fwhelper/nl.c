/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The netlink socket to nf_tables. The kernel handles a batch inside sendto(2), so every answer
 * is in the receive queue when that returns: the socket does not block, and an empty queue is
 * the end of the answers. More than 256 acknowledgements would overflow it (ENOBUFS) although
 * the batch was carried out; so only the last message of a batch asks for one.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "nl.h"

enum { RECEIVE_SIZE = 32 * 1024 }; /* no dump message is longer (netlink(7)) */

static int
set_option(struct session *s, int level, int name, int value)
{
	return setsockopt(mnl_socket_get_fd(s->nl), level, name, &value, sizeof value);
}

void
nl_open(struct session *s)
{
	s->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (s->nl == NULL || mnl_socket_bind(s->nl, 0, MNL_SOCKET_AUTOPID) == -1)
		die(EXIT_NO_KERNEL, "cannot talk to the kernel's packet filter: %s",
		    strerror(errno));
	if (set_option(s, SOL_SOCKET, SO_SNDBUFFORCE, NL_BATCH_MAX) == -1 ||
	    set_option(s, SOL_SOCKET, SO_RCVBUFFORCE, 1024 * 1024) == -1)
		die(EXIT_SYSTEM, "cannot enlarge the netlink buffers: %s", strerror(errno));
	/* Errors shall not carry the message that failed: it can be longer than our buffer. */
	if (set_option(s, SOL_NETLINK, NETLINK_CAP_ACK, 1) == -1)
		die(EXIT_NO_KERNEL, "netlink: %s", strerror(errno));
}

void
nl_close(struct session *s)
{
	(void)mnl_socket_close(s->nl); /* frees it even if that fails */
	s->nl = NULL;
}

/* The first error among these messages, 0 for an acknowledgement, -1 for neither. */
static int
find_error(const char *buf, size_t len, uint32_t first_seq)
{
	int left = (int)len, found = -1;

	for (const struct nlmsghdr *h = (const void *)buf; mnl_nlmsg_ok(h, left);
	     h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq - first_seq > INT32_MAX)
			continue;
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
		if (e->error != 0)
			return -e->error;
		found = 0;
	}
	return found;
}

/* Read all answers; those to earlier requests do not count. */
static int
take_answers(struct session *s, uint32_t first_seq)
{
	char buf[RECEIVE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int result = -1;
	ssize_t n;

	while ((n = mnl_socket_recvfrom(s->nl, buf, sizeof buf)) > 0) {
		int r = find_error(buf, (size_t)n, first_seq);

		if (result <= 0 && r != -1)
			result = r;
	}
	if (result <= 0 && n == -1 && errno != EAGAIN)
		return errno;
	return result == -1 ? EPROTO : result;
}

int
nl_batch(struct session *s, const void *batch, size_t len)
{
	const struct nlmsghdr *first = batch;

	if (mnl_socket_sendto(s->nl, batch, len) == -1)
		return -1;
	errno = take_answers(s, first->nlmsg_seq);
	return errno == 0 ? 0 : -1;
}

/* Throw away what an interrupted dump has left; the kernel makes it as we read. */
static void
drain(const struct session *s)
{
	char buf[RECEIVE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	while (mnl_socket_recvfrom(s->nl, buf, sizeof buf) > 0)
		;
}

int
nl_dump(struct session *s, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	char buf[RECEIVE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned portid = mnl_socket_get_portid(s->nl);
	int more = MNL_CB_OK;

	request->nlmsg_seq = s->nl_seq++;
	if (mnl_socket_sendto(s->nl, request, request->nlmsg_len) == -1)
		return -1;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s->nl, buf, sizeof buf);

		if (n == -1)
			return -1;
		more = mnl_cb_run(buf, (size_t)n, request->nlmsg_seq, portid, cb, data);
	}
	if (more != MNL_CB_ERROR)
		return 0;
	int err = errno;
	drain(s);
	errno = err;
	return -1;
}
