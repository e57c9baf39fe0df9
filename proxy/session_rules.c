/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor asks the helper for: listeners, networks, the rules; see session.h.
 *
 * Listeners: on the IPv4 loopback one port serves the whole 127.0.0.0/8 range. Everywhere else
 * there is one address, and connections to different servers from the same local port would
 * become the same tuple in the kernel's NAT table; so a few ports above the first are taken too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "session.h"
#include "ssh_sockets.h"

enum {
	PORT_FIRST = 12300, /* where sshuttle starts looking, downwards */
	PORT_LAST = 9001,
	PORT_RANGE = 16,
};

static struct fw_address
to_wire(const struct addr *a)
{
	struct fw_address w = {.family = a->family};

	memcpy(w.bytes, a->bytes, sizeof w.bytes);
	return w;
}

static int
fail(const char *what, const struct fw_reply *r)
{
	if (errno == EPIPE || errno == ECONNRESET)
		log_fatal("%s: sshuttle-fwhelper is gone", what);
	else if (r->why == FW_WHY_NONE || r->why == FW_WHY_SYSTEM)
		log_fatal("%s: %s", what, strerror(errno));
	else
		log_fatal("%s: %s", what, helper_reason(r->why));
	return -1;
}

/* ---- listeners ---- */

/* One listener. 0, or -1 with errno and r. */
static int
listen_at(struct session *s, const struct addr *a, struct fw_reply *r)
{
	struct fw_listen m = {.addr = to_wire(a), .port = a->port};

	if (s->listeners == SESSION_MAX_LISTENERS) {
		errno = ENOSPC;
		return -1;
	}
	if (helper_listen_fd(&s->helper, &m, r, &s->listener[s->listeners]) == -1)
		return -1;
	s->listeners++;
	return 0;
}

static void
show_listener(const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	log_verbose("TCP redirector listening on ('%s', %u).", addr_format_host(a, text), a->port);
	if (!addr_is_loopback(a))
		log_notice("%s: other machines that route through this one are forwarded too",
		    addr_format(a, text));
}

static bool
needs_range(const struct addr *a)
{
	return a->family == 6 || !addr_is_loopback(a);
}

/* More ports above a's, as far as they are free. */
static void
extend_range(struct session *s, struct addr a)
{
	struct fw_reply r;

	if (!needs_range(&a))
		return;
	for (int i = 1; i < PORT_RANGE && a.port < UINT16_MAX; i++) {
		a.port++;
		if (listen_at(s, &a, &r) == -1)
			return;
	}
}

static int
listen_failed(const struct addr *a, const struct fw_reply *r)
{
	char text[ADDR_TEXT_MAX], what[ADDR_TEXT_MAX + 32];

	(void)snprintf(what, sizeof what, "listening on %s", addr_format(a, text));
	return fail(what, r);
}

static bool
is_no_family(int err)
{
	return err == EADDRNOTAVAIL || err == EAFNOSUPPORT;
}

/*
 * Listen on a, searching for a free port if it names none; a->port becomes the port. 1: this
 * machine does not have the address.
 */
static int
listen_on(struct session *s, struct addr *a)
{
	struct fw_reply r = {0};
	bool search = a->port == 0;
	int port = search ? PORT_FIRST : a->port, step = needs_range(a) ? PORT_RANGE : 1;

	for (; port >= PORT_LAST || !search; port -= step) {
		a->port = (uint16_t)port;
		if (listen_at(s, a, &r) == 0) {
			show_listener(a);
			return 0;
		}
		if (!search || errno != EADDRINUSE)
			break;
	}
	return is_no_family(errno) ? 1 : listen_failed(a, &r);
}

static int
listen_default_v6(struct session *s)
{
	struct addr v6 = {.family = 6, .bytes = {[15] = 1}};
	int r = listen_on(s, &v6);

	if (r == 0)
		extend_range(s, v6);
	if (r != 1)
		return r;
	if (!s->plan->v4) {
		log_fatal("IPv6 subnets cannot be forwarded: this machine has no IPv6 (no ::1)");
		return -1;
	}
	log_warn("IPv6 subnets are ignored because this machine has no IPv6 (no ::1)");
	s->no_v6 = true;
	return 0;
}

static int
listen_default(struct session *s)
{
	struct addr v4 = {.family = 4, .bytes = {127, 0, 0, 1}};
	int r = s->plan->v4 ? listen_on(s, &v4) : 0;

	if (r == 1)
		log_fatal("IPv4 subnets cannot be forwarded: this machine has no 127.0.0.1");
	if (r != 0)
		return -1;
	return s->plan->v6 ? listen_default_v6(s) : 0;
}

/* The rules use the first listener of each family inside and outside loopback: extend those. */
static void
extend_first_ones(struct session *s, const struct addr *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool first = true;

		for (size_t j = 0; j < i; j++)
			if (list[j].family == list[i].family &&
			    addr_is_loopback(&list[j]) == addr_is_loopback(&list[i]))
				first = false;
		if (first)
			extend_range(s, list[i]);
	}
}

int
session_listen(struct session *s)
{
	struct addr list[OPTIONS_MAX_LISTEN];
	char text[ADDR_TEXT_MAX];
	size_t count = s->options->listen_count;

	if (count == 0)
		return listen_default(s);
	for (size_t i = 0; i < count; i++) {
		list[i] = s->options->listen[i];
		int r = listen_on(s, &list[i]);

		if (r == 1)
			log_fatal("-l: this machine does not have the address %s",
			    addr_format_host(&list[i], text));
		if (r != 0)
			return -1;
	}
	extend_first_ones(s, list, count);
	return 0;
}

/* ---- networks and rules ---- */

int
session_send_nets(struct session *s)
{
	char text[ADDR_TEXT_MAX], what[ADDR_TEXT_MAX + 32];
	struct fw_reply r;

	for (size_t i = 0; i < s->plan->nets.count; i++) {
		const struct net *n = &s->plan->nets.net[i];
		struct fw_net m = {.addr = to_wire(&n->addr),
		    .prefix_len = n->width,
		    .exclude = n->exclude,
		    .port_first = n->port_first,
		    .port_last = n->port_last};

		if (n->addr.family == 6 && s->no_v6)
			continue;
		if (helper_net(&s->helper, &m, &r) == -1) {
			(void)snprintf(what, sizeof what, "subnet %s/%u",
			    addr_format_host(&n->addr, text), n->width);
			return fail(what, &r);
		}
		s->nets++;
	}
	return 0;
}

static int
send_excepts(struct session *s)
{
	struct tcp_tuple list[FW_MAX_EXCEPTS];
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
	struct fw_reply r;
	size_t n = s->options->local ? 0 : ssh_sockets_find(s->ssh.pid, list, FW_MAX_EXCEPTS);

	for (size_t i = 0; i < n; i++) {
		struct fw_except m = {.src = to_wire(&list[i].src),
		    .dst = to_wire(&list[i].dst),
		    .src_port = list[i].src.port,
		    .dst_port = list[i].dst.port};

		log_verbose("ssh's connection %s -> %s is left alone",
		    addr_format(&list[i].src, from), addr_format(&list[i].dst, to));
		if (helper_except(&s->helper, &m, &r) == -1)
			return fail("ssh's connection", &r);
		s->excepts++;
	}
	return 0;
}

int
session_commit(struct session *s)
{
	struct fw_commit m = {.nets = s->nets, .listeners = (uint32_t)s->listeners};
	struct fw_reply r;

	if (send_excepts(s) == -1)
		return -1;
	m.excepts = s->excepts;
	if (helper_commit(&s->helper, &m, &r) == -1)
		return fail("firewall rules", &r);
	log_verbose("fw: rules are in");
	return 0;
}
