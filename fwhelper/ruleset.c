/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is put into the kernel:
 *
 *   chain output (nat hook)   our uid's packets of TTL 63 return, in a session without ssh;
 *                             [our uid's] TCP SYN: goto select
 *   chain select              excepted connections return; destinations on this machine: goto
 *                             local, or return; one rule per tier: return, or goto to4, to6
 *   chain local               our own listeners return; the tiers, of the includes only those
 *                             for loopback addresses
 *   chains to4, to6           dnat to the listener
 *   chains prerouting, forwarded, divert4, divert6
 *                             the same for other machines' connections; only in system scope and
 *                             for families with a listener that they can reach
 *
 * A tier's addresses are a hash set, so 16384 subnets are as fast as one. Only SYN is redirected:
 * a connection that was there before stays as it is. Order between two tunnels is the kernel's:
 * of two tables with one priority the newer comes first.
 *
 * to4 maps to a random one of 16 million loopback addresses, not to one: if all destinations became
 * one address, connections from one local port to two hosts would become the same tuple, and the
 * second SYN would vanish. IPv6 has one loopback address, so there a range of ports does it.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "listeners.h"
#include "policy.h"
#include "ruleset.h"
#include "table.h"
#include "tiers.h"

#ifndef FW_TRY_OWNER
#define FW_TRY_OWNER 1 /* 0: as on a kernel before 5.12; for the tests */
#endif

enum { FAMILIES = 2, SET_NAME_SIZE = 40 };

static const uint8_t families[FAMILIES] = {4, 6};
static const uint8_t unspecified[16];
static const uint8_t loopback4_first[] = {127, 0, 0, 1}, loopback4_last[] = {127, 255, 255, 254};
static const uint8_t loopback6[16] = {[15] = 1};

/* Which chains a session needs; [0] is IPv4, [1] is IPv6. NULL: no such chain. */
struct plan {
	const char *local;        /* some loopback address is included */
	const char *to[FAMILIES]; /* something of the family is included */
	const char *divert[FAMILIES];
};

/* The first listener of this kind, and the last of the consecutive ports that follow it. */
static const struct listener *
find_listener(const struct session *s, uint8_t family, bool loopback, uint16_t *port_last)
{
	const struct listener *first = NULL;

	for (const struct listener *l = s->listeners; l < s->listeners + s->listener_count; l++) {
		if (l->addr.family != family || policy_is_loopback(&l->addr) != loopback)
			continue;
		if (first == NULL)
			first = l;
		else if (memcmp(&l->addr, &first->addr, sizeof l->addr) != 0 ||
			 l->port != *port_last + 1)
			continue;
		*port_last = l->port;
	}
	return first;
}

static void
plan_make(struct plan *p, const struct session *s)
{
	static const char *const to[] = {"to4", "to6"}, *const divert[] = {"divert4", "divert6"};
	uint16_t port_last;

	*p = (struct plan){.local = NULL};
	for (size_t i = 0; i < s->entry_count; i++) {
		const struct entry *e = &s->entries[i];
		int six = e->family == 6;

		if (e->exclude)
			continue;
		p->to[six] = to[six];
		if (e->loopback)
			p->local = "local";
		else if (s->system_scope && find_listener(s, e->family, false, &port_last) != NULL)
			p->divert[six] = divert[six];
	}
}

static void
set_name(char name[static SET_NAME_SIZE], const struct entry *e)
{
	const char *kind = e->exclude ? "exclude" : e->loopback ? "loopback" : "include";
	int n = snprintf(name, SET_NAME_SIZE, "%s%u-%u", kind, e->family, e->prefix_len);

	if (e->port_first != 0 || e->port_last != UINT16_MAX)
		(void)snprintf(
		    name + n, (size_t)(SET_NAME_SIZE - n), "-%u-%u", e->port_first, e->port_last);
}

static void
add_sets(struct batch *b, const struct session *s, const struct plan *p)
{
	char name[SET_NAME_SIZE];

	for (size_t i = 0, end; i < s->entry_count; i = end) {
		const struct entry *e = &s->entries[i];

		end = tier_end(s->entries, s->entry_count, i);
		if (e->prefix_len == 0 || p->to[e->family == 6] == NULL)
			continue; /* any address will do, or none */
		set_name(name, e);
		batch_add_set(b, name, e, end - i);
	}
}

static void
add_tier(struct batch *b, const char *chain, const struct entry *e, const char *target)
{
	struct nftnl_rule *r = rule_begin(b, chain);
	char name[SET_NAME_SIZE];

	rule_family(r, e->family);
	set_name(name, e);
	if (e->prefix_len > 0)
		rule_in_set(r, e, name);
	if (e->port_first != 0 || e->port_last != UINT16_MAX)
		rule_ports(r, e->port_first, e->port_last);
	if (e->exclude)
		rule_return(r);
	else
		rule_goto(r, target);
	rule_end(b, r);
}

static void
add_tiers(struct batch *b, const struct session *s, const char *chain, bool local,
    const char *const targets[FAMILIES])
{
	for (size_t i = 0; i < s->entry_count; i = tier_end(s->entries, s->entry_count, i)) {
		const struct entry *e = &s->entries[i];

		if (tier_applies(e, local) && targets[e->family == 6] != NULL)
			add_tier(b, chain, e, targets[e->family == 6]);
	}
}

/* Destinations on this machine do not go through the tiers, but where includes say so. */
static void
add_local_rule(struct batch *b, const char *chain, const char *target)
{
	struct nftnl_rule *r = rule_begin(b, chain);

	rule_local(r);
	if (target == NULL)
		rule_return(r);
	else
		rule_goto(r, target);
	rule_end(b, r);
}

/* Let the remote side out, in a session without ssh: it runs here, with the caller's uid. */
static void
add_ttl_rules(struct batch *b, const struct session *s)
{
	for (int i = 0; i < FAMILIES; i++) {
		struct nftnl_rule *r = rule_begin(b, "output");

		rule_skuid(r, s->caller_uid);
		rule_ttl(r, families[i], FW_LOCAL_TTL);
		rule_return(r);
		rule_end(b, r);
	}
}

static void
add_syn_rule(struct batch *b, const char *chain, const uid_t *only, const char *target)
{
	struct nftnl_rule *r = rule_begin(b, chain);

	if (only != NULL)
		rule_skuid(r, *only);
	rule_tcp_syn(r);
	rule_goto(r, target);
	rule_end(b, r);
}

static void
add_excepts(struct batch *b, const struct session *s)
{
	for (uint32_t i = 0; i < s->except_count; i++) {
		const struct fw_except *x = &s->excepts[i];
		struct nftnl_rule *r = rule_begin(b, "select");

		rule_family(r, x->src.family);
		rule_source(r, &x->src);
		rule_destination(r, &x->dst);
		rule_source_port(r, x->src_port);
		rule_ports(r, x->dst_port, x->dst_port);
		rule_return(r);
		rule_end(b, r);
	}
}

/* Whoever connects to a listener itself means it. */
static void
add_own_ports(struct batch *b, const struct session *s)
{
	for (uint32_t i = 0; i < s->listener_count; i++) {
		struct nftnl_rule *r = rule_begin(b, "local");

		rule_family(r, s->listeners[i].addr.family);
		rule_ports(r, s->listeners[i].port, s->listeners[i].port);
		rule_return(r);
		rule_end(b, r);
	}
}

/* This machine's connections: a loopback listener if there is one, over loopback if possible. */
static void
add_to(struct batch *b, const struct session *s, uint8_t family, const char *chain)
{
	uint16_t port_last;
	const struct listener *l = find_listener(s, family, true, &port_last);
	bool over_loopback = l != NULL;
	struct nftnl_rule *r = rule_begin(b, chain);

	if (l == NULL)
		l = find_listener(s, family, false, &port_last);
	if (memcmp(l->addr.bytes, unspecified, sizeof unspecified) == 0)
		over_loopback = true;
	if (!over_loopback)
		rule_redirect(r, family, l->addr.bytes, NULL, l->port, port_last);
	else if (family == 4)
		rule_redirect(r, 4, loopback4_first, loopback4_last, l->port, port_last);
	else
		rule_redirect(r, 6, loopback6, NULL, l->port, port_last);
	rule_end(b, r);
}

/* Other machines' connections: a specific listener by its address, a wildcard one by redirect. */
static void
add_divert(struct batch *b, const struct session *s, uint8_t family, const char *chain)
{
	uint16_t port_last;
	const struct listener *l = find_listener(s, family, false, &port_last);
	bool wildcard = memcmp(l->addr.bytes, unspecified, sizeof unspecified) == 0;
	struct nftnl_rule *r = rule_begin(b, chain);

	rule_redirect(r, family, wildcard ? NULL : l->addr.bytes, NULL, l->port, port_last);
	rule_end(b, r);
}

static void
build_output(struct batch *b, const struct session *s, const struct plan *p)
{
	batch_add_nat_chain(b, "output", NF_INET_LOCAL_OUT);
	batch_add_chain(b, "select");
	if (p->local != NULL)
		batch_add_chain(b, p->local);
	for (int i = 0; i < FAMILIES; i++) {
		if (p->to[i] == NULL)
			continue;
		batch_add_chain(b, p->to[i]);
		add_to(b, s, families[i], p->to[i]);
	}
	if (s->local)
		add_ttl_rules(b, s);
	add_syn_rule(b, "output", s->system_scope ? NULL : &s->caller_uid, "select");
	add_excepts(b, s);
	add_local_rule(b, "select", p->local);
	add_tiers(b, s, "select", false, p->to);
	if (p->local != NULL) {
		add_own_ports(b, s);
		add_tiers(b, s, p->local, true, p->to);
	}
}

static void
build_forward(struct batch *b, const struct session *s, const struct plan *p)
{
	if (p->divert[0] == NULL && p->divert[1] == NULL)
		return;
	batch_add_nat_chain(b, "prerouting", NF_INET_PRE_ROUTING);
	batch_add_chain(b, "forwarded");
	for (int i = 0; i < FAMILIES; i++) {
		if (p->divert[i] == NULL)
			continue;
		batch_add_chain(b, p->divert[i]);
		add_divert(b, s, families[i], p->divert[i]);
	}
	add_syn_rule(b, "prerouting", NULL, "forwarded");
	add_local_rule(b, "forwarded", NULL);
	add_tiers(b, s, "forwarded", false, p->divert);
}

static int
commit_with(struct session *s, const struct plan *p, uint32_t flags)
{
	struct batch b;

	batch_begin(&b, s, s->table);
	batch_add_table(&b, flags);
	add_sets(&b, s, p);
	build_output(&b, s, p);
	build_forward(&b, s, p);
	if (batch_send(&b, s) == -1)
		return -1;
	s->table_made = true;
	s->table_owned = (flags & NFT_TABLE_F_OWNER) != 0;
	if (table_verify(s, b.rules))
		return 0;
	table_delete(s, s->table);
	s->table_made = false;
	errno = EPROTO;
	return -1;
}

int
ruleset_commit(struct session *s)
{
	struct plan p;

	plan_make(&p, s);
	if (FW_TRY_OWNER) {
		if (commit_with(s, &p, NFT_TABLE_F_OWNER) == 0)
			return 0;
		if (errno != EOPNOTSUPP && errno != EINVAL)
			return -1;
	}
	return commit_with(s, &p, 0);
}
