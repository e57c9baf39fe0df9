/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as values: conversion, comparison, text; see addr.h. No names, no lookups. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"

int
addr_from_sockaddr(struct addr *a, const struct sockaddr_storage *sa)
{
	memset(a, 0, sizeof *a);
	if (sa->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		a->family = 4;
		a->port = ntohs(in.sin_port);
		memcpy(a->bytes, &in.sin_addr, 4);
		return 0;
	}
	if (sa->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof in6);
		a->family = 6;
		a->port = ntohs(in6.sin6_port);
		memcpy(a->bytes, &in6.sin6_addr, 16);
		return 0;
	}
	errno = EAFNOSUPPORT;
	return -1;
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *sa)
{
	memset(sa, 0, sizeof *sa);
	if (a->family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
		memcpy(&in.sin_addr, a->bytes, 4);
		memcpy(sa, &in, sizeof in);
		return sizeof in;
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
	memcpy(&in6.sin6_addr, a->bytes, 16);
	memcpy(sa, &in6, sizeof in6);
	return sizeof in6;
}

const char *
addr_format_host(const struct addr *a, char *buf)
{
	if (inet_ntop(addr_af(a), a->bytes, buf, ADDR_TEXT_MAX) == NULL)
		strcpy(buf, "?");
	return buf;
}

const char *
addr_format(const struct addr *a, char *buf)
{
	char host[ADDR_TEXT_MAX];

	addr_format_host(a, host);
	(void)snprintf(buf, ADDR_TEXT_MAX, a->family == 6 ? "[%.45s]:%u" : "%.45s:%u", host,
	    (unsigned)a->port);
	return buf;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == 4)
		return a->bytes[0] == 127;
	return memcmp(a->bytes, one, sizeof one) == 0;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof zero) == 0;
}

bool
addr_is_valid(const struct addr *a)
{
	static const uint8_t zero[12];

	return a->family == 6 || (a->family == 4 && memcmp(a->bytes + 4, zero, sizeof zero) == 0);
}

int
addr_af(const struct addr *a)
{
	return a->family == 6 ? AF_INET6 : AF_INET;
}

unsigned
addr_bits(const struct addr *a)
{
	return a->family == 6 ? 128 : 32;
}

void
addr_mask(struct addr *a, unsigned prefix_len)
{
	for (unsigned i = 0; i < sizeof a->bytes; i++) {
		unsigned keep = prefix_len > 8 * i ? prefix_len - 8 * i : 0;
		if (keep < 8)
			a->bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

bool
addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix_len)
{
	struct addr masked = *a, want = *net;

	if (a->family != net->family)
		return false;
	addr_mask(&masked, prefix_len);
	addr_mask(&want, prefix_len);
	return memcmp(masked.bytes, want.bytes, sizeof want.bytes) == 0;
}
