/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/*
 * What is to be forwarded: targets as the user wrote them, and the networks they mean.
 * The grammar is sshuttle's: HOST[/WIDTH][:PORT[-PORT]], and for IPv6 with ports
 * [HOST/WIDTH]:PORT[-PORT].
 */
struct target {
	char host[256];                 /* an address or a name */
	int width;                      /* -1: none given */
	uint16_t port_first, port_last; /* 0 and 65535: every port */
	bool exclude;
	const char *text; /* as written, for messages */
};

struct net {
	struct addr addr; /* host bits 0; port unused */
	uint8_t width;
	bool exclude;
	uint16_t port_first, port_last;
};

struct net_list {
	struct net *net;
	size_t count, size;
};

/* Understand text. -1: it is malformed, and why (size bytes) holds one sentence that says how. */
int target_parse(struct target *t, const char *text, bool exclude, char *why, size_t size);

/*
 * Append every network that t means. A name is looked up with getaddrinfo(3) and gives all its
 * addresses. Returns 0; -1 with a sentence in why if it is wrong (width that does not fit);
 * 1 with a sentence in why if the name does not resolve.
 */
int target_resolve(const struct target *t, struct net_list *list, char *why, size_t size);

/*
 * Sort by precedence: smaller port range first, then longer prefix, then exclude before include.
 * The first match decides.
 */
void net_list_sort(struct net_list *list);
void net_list_free(struct net_list *list);

#endif
