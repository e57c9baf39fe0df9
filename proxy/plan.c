/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes and shows the plan; see plan.h. */
#include <stdlib.h>
#include <sys/socket.h>

#include "fwproto.h"
#include "log.h"
#include "plan.h"

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
	note_families(p);
	if (!p->v4 && !p->v6) {
		log_error("nothing is left to forward: none of the names has an address");
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
	log_verbose("IPv4: on");
	log_verbose("IPv6: on");
	log_verbose("UDP : off (not available with nft method)");
	log_verbose("DNS : off (not available yet)");
	log_verbose("User: off (not available yet)");
	log_verbose("Subnets to forward through remote host (type, IP, cidr mask width, startPort, "
	            "endPort):");
	show_nets(p, false);
	log_verbose("Subnets to exclude from forwarding:");
	show_nets(p, true);
}
