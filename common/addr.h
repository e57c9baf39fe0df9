/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IP address with a TCP or UDP port. Not the layout of any wire or kernel structure. */
struct addr {
	uint8_t family;    /* 4 or 6; 0: none */
	uint16_t port;     /* host order */
	uint8_t bytes[16]; /* network order; behind an IPv4 address all 0 */
};

enum { ADDR_TEXT_MAX = 64 };

/* Returns -1 with EAFNOSUPPORT unless sa is AF_INET or AF_INET6. Scope ids are dropped. */
int addr_from_sockaddr(struct addr *a, const struct sockaddr_storage *sa);
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *sa);
/* "10.0.0.1:80" or "[2001:db8::1]:80"; returns buf, which holds ADDR_TEXT_MAX bytes. */
const char *addr_format(const struct addr *a, char *buf);
/* The address alone. */
const char *addr_format_host(const struct addr *a, char *buf);
bool addr_equal(const struct addr *a, const struct addr *b);
/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);
/* 0.0.0.0 or ::. */
bool addr_is_any(const struct addr *a);
/* The family is 4 or 6, and behind an IPv4 address all is 0. */
bool addr_is_valid(const struct addr *a);
int addr_af(const struct addr *a);
/* 32 or 128. */
unsigned addr_bits(const struct addr *a);
/* True if the first prefix_len bits of a and b are the same and the families are. */
bool addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix_len);
/* Clear all bits behind prefix_len. */
void addr_mask(struct addr *a, unsigned prefix_len);

#endif
