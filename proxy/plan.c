/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes and shows the plan; see plan.h. */
#include <stdlib.h>
#include <sys/socket.h>

#include "fwproto.h"
#include "log.h"
#include "plan.h"

static bool
has_listener(const struct options *o, uint8_t family)
{
	for (size_t i = 0; i < o->listen_count; i++)
		if (o->listen[i].family == family)
			return true;
	return o->listen_count == 0;
}

/* -l names the families: as in sshuttle, what has no listener is left out, and said. */
static void
drop_family(struct plan *p, uint8_t family, const char *name)
{
	size_t kept = 0, dropped = 0;

	for (size_t i = 0; i < p->nets.count; i++) {
		if (p->nets.net[i].addr.family != family)
			p->nets.net[kept++] = p->nets.net[i];
		else
			dropped++;
	}
	p->nets.count = kept;
	if (dropped > 0)
		log_warn("%s subnets are ignored because -l names no %s address", name, name);
}

static void
note_families(struct plan *p)
{
	for (size_t i = 0; i < p->nets.count; i++) {
		const struct net *n = &p->nets.net[i];
		p->v4 |= !n->exclude && n->addr.family == 4;
		p->v6 |= !n->exclude && n->addr.family == 6;
	}
}

void
plan_make(struct plan *p, const struct options *o)
{
	char why[512];

	*p = (struct plan){0};
	for (size_t i = 0; i < o->target_count; i++) {
		int r = target_resolve(&o->targets[i], &p->nets, why, sizeof why);

		if (r == -1) {
			log_error("%s", why);
			exit(EXIT_BAD_USAGE);
		}
		if (r == 1)
			log_warn("%s", why);
	}
	if (!has_listener(o, 4))
		drop_family(p, 4, "IPv4");
	if (!has_listener(o, 6))
		drop_family(p, 6, "IPv6");
	note_families(p);
	if (!p->v4 && !p->v6) {
		log_error("nothing is left to forward");
		exit(EXIT_BAD_USAGE);
	}
	if (p->nets.count > FW_MAX_NETS) {
		log_error("%zu subnets are too many; at most %d work", p->nets.count, FW_MAX_NETS);
		exit(EXIT_BAD_USAGE);
	}
	net_list_sort(&p->nets);
}

static void
show_nets(const struct plan *p, bool exclude)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < p->nets.count; i++) {
		const struct net *n = &p->nets.net[i];
		bool all = n->port_first == 0;

		if (n->exclude != exclude)
			continue;
		log_verbose("  (<AddressFamily.%s: %d>, '%s', %u, %u, %u)",
		    n->addr.family == 4 ? "AF_INET" : "AF_INET6", addr_af(&n->addr),
		    addr_format_host(&n->addr, text), n->width, all ? 0 : n->port_first,
		    all ? 0 : n->port_last);
	}
}

void
plan_show(const struct plan *p)
{
	log_verbose("Method: nft");
	log_verbose("IPv4: %s", p->v4 ? "on" : "off (no IPv4 subnets)");
	log_verbose("IPv6: %s", p->v6 ? "on" : "off (no IPv6 subnets)");
	log_verbose("UDP : off (not available with nft method)");
	log_verbose("DNS : off (not available yet)");
	log_verbose("User: off (not available yet)");
	log_verbose("Subnets to forward through remote host (type, IP, cidr mask width, startPort, "
		    "endPort):");
	show_nets(p, false);
	log_verbose("Subnets to exclude from forwarding:");
	show_nets(p, true);
}
