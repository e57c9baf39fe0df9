/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nf_tables transactions: tables, chains and sets. Rules are in rule.c. What is shown here is
 * only how to say things to the kernel; what is said is in ruleset.c.
 */
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "log.h"

enum {
	MESSAGE_MAX = 96 * 1024, /* no message of ours is longer */
	ELEMENTS_MAX = 2000,     /* in a message: 28 bytes each, and an attribute ends at 64 KiB */
	NAT_PRIORITY = -100,     /* NF_IP_PRI_NAT_DST; of equals, the newest table comes first */
	TYPE_IPV4 = 7,           /* nft's numbers, for whoever lists the set */
	TYPE_IPV6 = 8,
};

void *
batch_need(void *p)
{
	if (p == NULL)
		die(EXIT_SYSTEM, "out of memory");
	return p;
}

struct nlmsghdr *
batch_message(struct batch *b, uint16_t type, uint16_t flags)
{
	if (b->used + MESSAGE_MAX > NL_BATCH_MAX) {
		b->full = true;
		b->used = 0;
	}
	b->last = nftnl_nlmsg_build_hdr(b->buf + b->used, type, NFPROTO_INET, flags, b->seq++);
	return b->last;
}

void
batch_message_done(struct batch *b, const struct nlmsghdr *h)
{
	b->used += NLMSG_ALIGN(h->nlmsg_len);
}

void
batch_begin(struct batch *b, const struct session *s, const char *table)
{
	*b = (struct batch){
	    .buf = batch_need(malloc(NL_BATCH_MAX)), .seq = s->nl_seq, .table = table};
	batch_message_done(b, nftnl_batch_begin(b->buf, b->seq++));
}

int
batch_send(struct batch *b, struct session *s)
{
	int result = -1;

	b->last->nlmsg_flags |= NLM_F_ACK;
	batch_message_done(b, nftnl_batch_end(b->buf + b->used, b->seq++));
	s->nl_seq = b->seq;
	errno = ENOSPC;
	if (!b->full)
		result = nl_batch(s, b->buf, b->used);
	int saved = errno;
	free(b->buf);
	errno = saved;
	return result;
}

void
batch_add_table(struct batch *b, uint32_t flags)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
	struct nftnl_table *t = batch_need(nftnl_table_alloc());

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->table);
	nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, flags);
	nftnl_table_nlmsg_build_payload(h, t);
	nftnl_table_free(t);
	batch_message_done(b, h);
}

static struct nftnl_chain *
chain_new(const struct batch *b, const char *name)
{
	struct nftnl_chain *c = batch_need(nftnl_chain_alloc());

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	return c;
}

static void
chain_message(struct batch *b, struct nftnl_chain *c)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);

	nftnl_chain_nlmsg_build_payload(h, c);
	nftnl_chain_free(c);
	batch_message_done(b, h);
}

void
batch_add_chain(struct batch *b, const char *name)
{
	chain_message(b, chain_new(b, name));
}

void
batch_add_nat_chain(struct batch *b, const char *name, uint32_t hook)
{
	struct nftnl_chain *c = chain_new(b, name);

	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "nat");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, NAT_PRIORITY);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	chain_message(b, c);
}

static uint16_t
address_size(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

/* libnftnl would allocate twice for every element, so these few attributes are put by hand. */
static void
elements_message(struct batch *b, const char *name, const struct entry *entries, size_t count)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE);

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, b->table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, name);
	struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < count; i++) {
		struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
		struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);

		mnl_attr_put(h, NFTA_DATA_VALUE, address_size(entries[i].family), entries[i].bytes);
		mnl_attr_nest_end(h, key);
		mnl_attr_nest_end(h, element);
	}
	mnl_attr_nest_end(h, list);
	batch_message_done(b, h);
}

void
batch_add_set(struct batch *b, const char *name, const struct entry *entries, size_t count)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
	struct nftnl_set *set = batch_need(nftnl_set_alloc());
	uint8_t family = entries->family;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, ++b->sets);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, 0);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, family == 4 ? TYPE_IPV4 : TYPE_IPV6);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, address_size(family));
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, (uint32_t)count);
	nftnl_set_nlmsg_build_payload(h, set);
	nftnl_set_free(set);
	batch_message_done(b, h);
	for (size_t i = 0; i < count; i += ELEMENTS_MAX)
		elements_message(b, name, entries + i,
		    count - i < ELEMENTS_MAX ? count - i : (size_t)ELEMENTS_MAX);
}
