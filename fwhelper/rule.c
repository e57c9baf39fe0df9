/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that rules are made of, each as the registers and expressions of nf_tables that nft(8)
 * would use, so that `nft list ruleset` can turn them back into words. Register 1 holds what
 * is being compared. All comparisons are positive, because one that cannot be made counts as no
 * match: "meta skuid != 1000 return" does not return for a packet of the kernel's own (an NFS or
 * SMB mount has no file and so no uid), and would hand root's file system to uid 1000.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h> /* libnftnl/expr.h forgets it */
#include <string.h>

#include <libnftnl/expr.h>

#include "batch.h"

enum {
	TCP_FLAGS_OFFSET = 13,
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/* Where things are in the two network headers. */
static const struct header {
	uint8_t nfproto, address_size, source, destination, ttl;
} headers[] = {
    {NFPROTO_IPV4, 4, 12, 16, 8},
    {NFPROTO_IPV6, 16, 8, 24, 7},
};

static const struct header *
header_of(uint8_t family)
{
	return &headers[family == 6];
}

static struct nftnl_expr *
expr(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = batch_need(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(r, e);
	return e;
}

struct nftnl_rule *
rule_begin(struct batch *b, const char *chain)
{
	struct nftnl_rule *r = batch_need(nftnl_rule_alloc());

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, b->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	return r;
}

static void
compare(struct nftnl_rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void
meta(struct nftnl_rule *r, uint32_t key, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	compare(r, NFT_CMP_EQ, data, len);
}

static void
payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

static void
mask(struct nftnl_rule *r, const uint8_t *bits, uint32_t len)
{
	static const uint8_t zero[16];
	struct nftnl_expr *e = expr(r, "bitwise");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

void
rule_skuid(struct nftnl_rule *r, uid_t uid)
{
	meta(r, NFT_META_SKUID, &uid, sizeof uid);
}

void
rule_family(struct nftnl_rule *r, uint8_t family)
{
	meta(r, NFT_META_NFPROTO, &header_of(family)->nfproto, 1);
}

void
rule_tcp(struct nftnl_rule *r)
{
	static const uint8_t tcp = IPPROTO_TCP;

	meta(r, NFT_META_L4PROTO, &tcp, sizeof tcp);
}

void
rule_tcp_syn(struct nftnl_rule *r)
{
	static const uint8_t looked_at = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK, syn = TCP_SYN;

	rule_tcp(r);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	mask(r, &looked_at, 1);
	compare(r, NFT_CMP_EQ, &syn, 1);
}

void
rule_ttl(struct nftnl_rule *r, uint8_t family, uint8_t ttl)
{
	rule_family(r, family);
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, header_of(family)->ttl, 1);
	compare(r, NFT_CMP_EQ, &ttl, 1);
}

void
rule_source(struct nftnl_rule *r, const struct fw_address *a)
{
	const struct header *h = header_of(a->family);

	payload(r, NFT_PAYLOAD_NETWORK_HEADER, h->source, h->address_size);
	compare(r, NFT_CMP_EQ, a->bytes, h->address_size);
}

void
rule_destination(struct nftnl_rule *r, const struct fw_address *a)
{
	const struct header *h = header_of(a->family);

	payload(r, NFT_PAYLOAD_NETWORK_HEADER, h->destination, h->address_size);
	compare(r, NFT_CMP_EQ, a->bytes, h->address_size);
}

static void
prefix_mask(uint8_t *bits, unsigned prefix_len)
{
	memset(bits, 0, 16);
	memset(bits, 0xff, prefix_len / 8);
	if (prefix_len % 8 != 0)
		bits[prefix_len / 8] = (uint8_t)(0xff00 >> prefix_len % 8);
}

void
rule_in_set(struct nftnl_rule *r, const struct entry *tier, const char *set)
{
	const struct header *h = header_of(tier->family);
	uint8_t bits[16];

	payload(r, NFT_PAYLOAD_NETWORK_HEADER, h->destination, h->address_size);
	prefix_mask(bits, tier->prefix_len);
	if (tier->prefix_len < 8 * h->address_size)
		mask(r, bits, h->address_size);
	struct nftnl_expr *e = expr(r, "lookup");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
}

static void
port_is(struct nftnl_rule *r, uint32_t offset, uint32_t op, uint16_t port)
{
	uint16_t wire = htons(port);

	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof wire);
	compare(r, op, &wire, sizeof wire);
}

void
rule_source_port(struct nftnl_rule *r, uint16_t port)
{
	rule_tcp(r);
	port_is(r, 0, NFT_CMP_EQ, port);
}

void
rule_ports(struct nftnl_rule *r, uint16_t first, uint16_t last)
{
	uint16_t wire = htons(last);

	rule_tcp(r);
	port_is(r, 2, first == last ? NFT_CMP_EQ : NFT_CMP_GTE, first);
	if (first != last)
		compare(r, NFT_CMP_LTE, &wire, sizeof wire);
}

void
rule_local(struct nftnl_rule *r)
{
	static const uint32_t local = RTN_LOCAL;
	struct nftnl_expr *e = expr(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &local, sizeof local);
}

static void
verdict(struct nftnl_rule *r, int code, const char *chain)
{
	struct nftnl_expr *e = expr(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain != NULL)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

void
rule_return(struct nftnl_rule *r)
{
	verdict(r, NFT_RETURN, NULL);
}

void
rule_goto(struct nftnl_rule *r, const char *chain)
{
	verdict(r, NFT_GOTO, chain);
}

/* Load data into the register; returns the register. */
static uint32_t
load(struct nftnl_rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
	return reg;
}

void
rule_redirect(struct nftnl_rule *r, uint8_t family, const uint8_t *first, const uint8_t *last,
    uint16_t port_first, uint16_t port_last)
{
	const struct header *h = header_of(family);
	uint16_t ports[] = {htons(port_first), htons(port_last)};
	uint32_t p0, p1, a0 = 0, a1 = 0;

	rule_tcp(r);
	if (first != NULL)
		a0 = a1 = load(r, NFT_REG_1, first, h->address_size);
	if (last != NULL)
		a1 = load(r, NFT_REG_2, last, h->address_size);
	p0 = p1 = load(r, NFT_REG_3, &ports[0], sizeof ports[0]);
	if (port_first != port_last)
		p1 = load(r, NFT_REG_4, &ports[1], sizeof ports[1]);

	struct nftnl_expr *e = expr(r, first != NULL ? "nat" : "redir");
	if (first == NULL) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_REDIR_REG_PROTO_MIN, p0);
		nftnl_expr_set_u32(e, NFTNL_EXPR_REDIR_REG_PROTO_MAX, p1);
		return;
	}
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, h->nfproto);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, a0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, a1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, p0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, p1);
}

void
rule_end(struct batch *b, struct nftnl_rule *r)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	nftnl_rule_nlmsg_build_payload(h, r);
	nftnl_rule_free(r);
	batch_message_done(b, h);
	b->rules++;
}
