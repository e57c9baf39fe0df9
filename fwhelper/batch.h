/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BATCH_H
#define BATCH_H

#include <libnftnl/rule.h>

#include "nl.h"
#include "session.h"

/*
 * One nf_tables transaction under construction: all its messages, one behind the other. The
 * words of a rule are added one at a time, in the order in which `nft list ruleset` shows them.
 */
struct batch {
	char *buf;
	size_t used;
	bool full;             /* something did not fit; it will not be sent */
	struct nlmsghdr *last; /* the message that asks for the acknowledgement */
	uint32_t seq, rules, sets;
	const char *table;
};

/* p, or the end of the program: there is no memory. */
void *batch_need(void *p);

void batch_begin(struct batch *b, const struct session *s, const char *table);
/* Send and free. Returns 0, or -1 with errno; then nothing has changed. */
int batch_send(struct batch *b, struct session *s);

/* A new message at the end of the batch; done when its payload is complete. */
struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags);
void batch_message_done(struct batch *b, const struct nlmsghdr *h);

void batch_add_table(struct batch *b, uint32_t flags);
void batch_add_chain(struct batch *b, const char *name);
void batch_add_nat_chain(struct batch *b, const char *name, uint32_t hook);
/* A set of the addresses of count entries of one family. */
void batch_add_set(struct batch *b, const char *name, const struct entry *entries, size_t count);

struct nftnl_rule *rule_begin(struct batch *b, const char *chain);

void rule_skuid(struct nftnl_rule *r, uid_t uid);
void rule_family(struct nftnl_rule *r, uint8_t family);
void rule_tcp(struct nftnl_rule *r);
void rule_tcp_syn(struct nftnl_rule *r); /* the first packet of a connection, nothing else */
void rule_ttl(struct nftnl_rule *r, uint8_t family, uint8_t ttl);
void rule_source(struct nftnl_rule *r, const struct fw_address *a);
void rule_destination(struct nftnl_rule *r, const struct fw_address *a);
void rule_in_set(struct nftnl_rule *r, const struct entry *tier, const char *set);
void rule_source_port(struct nftnl_rule *r, uint16_t port);
void rule_ports(struct nftnl_rule *r, uint16_t first, uint16_t last);
void rule_local(struct nftnl_rule *r); /* destination is an address of this machine */

void rule_return(struct nftnl_rule *r);
void rule_goto(struct nftnl_rule *r, const char *chain);
/* dnat to first-last (last NULL: one address); redirect when both are NULL. */
void rule_redirect(struct nftnl_rule *r, uint8_t family, const uint8_t *first, const uint8_t *last,
    uint16_t port_first, uint16_t port_last);

void rule_end(struct batch *b, struct nftnl_rule *r); /* also frees it */

#endif
