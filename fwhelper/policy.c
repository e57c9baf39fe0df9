/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every decision about what a caller may ask, field by field, in one file without side effects.
 * A record that no correct proxy can send (padding that is not zero, a number outside its
 * enum) is a violation; a request that a user could cause by a wrong option is refused.
 */
#include <errno.h>
#include <string.h>

#include "policy.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct verdict yes = {0, FW_WHY_NONE};
static const struct verdict violation = {POLICY_VIOLATION, FW_WHY_NONE};

struct range {
	uint8_t family, prefix_len;
	uint8_t bytes[16];
};

/* Redirecting a net inside one of these makes no sense, or harms; a net around it is fine. */
static const struct range never[] = {
    {4, 32, {0}},                                        /* unspecified */
    {4, 4, {224}},                                       /* multicast */
    {4, 32, {255, 255, 255, 255}},                       /* broadcast */
    {6, 128, {0}},                                       /* unspecified */
    {6, 96, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, /* IPv4-mapped: never on the wire */
    {6, 10, {0xfe, 0x80}},                               /* link-local: needs an interface */
    {6, 8, {0xff}},                                      /* multicast */
};

static const struct range loopback[] = {
    {4, 8, {127}},
    {6, 128, {[15] = 1}},
};

static struct verdict
refuse(int error, enum fw_reason why)
{
	return (struct verdict){error, why};
}

static uint8_t
address_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	while (len > 0 && *p == 0)
		p++, len--;
	return len == 0;
}

/* Are the first len bits the same? */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, unsigned len)
{
	unsigned rest = len % 8;

	return memcmp(a, b, len / 8) == 0 &&
	       (rest == 0 || ((a[len / 8] ^ b[len / 8]) >> (8 - rest)) == 0);
}

static bool
inside(const struct range *table, size_t count, const struct fw_address *a, unsigned prefix_len)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].family == a->family && prefix_len >= table[i].prefix_len &&
		    same_prefix(a->bytes, table[i].bytes, table[i].prefix_len))
			return true;
	}
	return false;
}

static bool
inside_loopback(const struct fw_address *a, unsigned prefix_len)
{
	return inside(loopback, COUNT(loopback), a, prefix_len);
}

bool
policy_is_loopback(const struct fw_address *a)
{
	return inside_loopback(a, address_bits(a->family));
}

static bool
address_malformed(const struct fw_address *a)
{
	return (a->family != 4 && a->family != 6) || !all_zero(a->zero, sizeof a->zero) ||
	       (a->family == 4 && !all_zero(a->bytes + 4, sizeof a->bytes - 4));
}

static bool
host_bits_zero(const struct fw_net *m)
{
	static const uint8_t zero[16];
	const uint8_t *a = m->addr.bytes + m->prefix_len / 8;
	unsigned used = m->prefix_len % 8;
	size_t left = sizeof m->addr.bytes - m->prefix_len / 8;

	if (used != 0 && (uint8_t)(*a << used) != 0)
		return false;
	return used == 0 ? memcmp(a, zero, left) == 0 : memcmp(a + 1, zero, left - 1) == 0;
}

struct verdict
policy_hello(const struct session *s, const struct fw_hello *m)
{
	(void)s;
	if (m->version != FW_VERSION)
		return refuse(EPROTONOSUPPORT, FW_WHY_VERSION);
	if (m->zero != 0 || (m->flags & ~(uint32_t)FW_HELLO_LOCAL) != 0)
		return violation;
	if (m->method != FW_METHOD_NFT)
		return refuse(EOPNOTSUPP, FW_WHY_METHOD);
	return yes;
}

struct verdict
policy_net(const struct session *s, const struct fw_net *m)
{
	if (address_malformed(&m->addr) || m->exclude > 1 || m->zero != 0)
		return violation;
	if (m->prefix_len > address_bits(m->addr.family) || !host_bits_zero(m) ||
	    m->port_first > m->port_last)
		return refuse(EINVAL, FW_WHY_FIELD);
	if (s->net_count >= FW_MAX_NETS)
		return refuse(ENOSPC, FW_WHY_FULL);
	if (m->exclude)
		return yes;
	if (inside(never, COUNT(never), &m->addr, m->prefix_len))
		return refuse(EADDRNOTAVAIL, FW_WHY_RANGE);
	/* One local address may be meant; the whole loopback range never is. */
	if (inside_loopback(&m->addr, m->prefix_len) &&
	    m->prefix_len != address_bits(m->addr.family))
		return refuse(EADDRNOTAVAIL, FW_WHY_RANGE);
	return yes;
}

struct verdict
policy_except(const struct session *s, const struct fw_except *m)
{
	if (address_malformed(&m->src) || address_malformed(&m->dst))
		return violation;
	if (m->src.family != m->dst.family || m->src_port == 0 || m->dst_port == 0)
		return refuse(EINVAL, FW_WHY_FIELD);
	if (s->except_count >= FW_MAX_EXCEPTS)
		return refuse(ENOSPC, FW_WHY_FULL);
	return yes;
}

struct verdict
policy_listen(const struct session *s, const struct fw_listen *m)
{
	if (address_malformed(&m->addr) || m->zero != 0)
		return violation;
	if (m->port < FW_MIN_PORT)
		return refuse(EINVAL, FW_WHY_FIELD);
	if (!s->system_scope && !policy_is_loopback(&m->addr))
		return refuse(EPERM, FW_WHY_SCOPE_LISTEN);
	if (s->listener_count >= FW_MAX_LISTENERS)
		return refuse(ENOSPC, FW_WHY_FULL);
	return yes;
}

static bool
family_has_listener(const struct session *s, uint8_t family)
{
	for (uint32_t i = 0; i < s->listener_count; i++) {
		if (s->listeners[i].addr.family == family)
			return true;
	}
	return false;
}

struct verdict
policy_commit(const struct session *s, const struct fw_commit *m)
{
	if (m->nets != s->net_count || m->excepts != s->except_count ||
	    m->listeners != s->listener_count || s->include_count == 0)
		return refuse(EINVAL, FW_WHY_COUNT);
	for (size_t i = 0; i < s->entry_count; i++) {
		if (!s->entries[i].exclude && !family_has_listener(s, s->entries[i].family))
			return refuse(EADDRNOTAVAIL, FW_WHY_LISTENER);
	}
	return yes;
}
