/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the helper allows, field by field: each row changes one thing in a request that is fine.
 * Needs: fwhelper/policy.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "policy.h"

enum { OK = 0, BAD = POLICY_VIOLATION };

static struct fw_address
address(const char *text)
{
	struct fw_address a = {.family = strchr(text, ':') ? 6 : 4};

	assert_int_equal(inet_pton(a.family == 4 ? AF_INET : AF_INET6, text, a.bytes), 1);
	return a;
}

static struct session *
session(bool system_scope)
{
	static struct session s;

	memset(&s, 0, sizeof s);
	s.system_scope = system_scope;
	return &s;
}

static void
expect(struct verdict v, int error, enum fw_reason why)
{
	assert_int_equal(v.error, error);
	assert_int_equal(v.why, why);
}

static void
test_hello(void **state)
{
	static const struct {
		struct fw_hello m;
		int error;
		enum fw_reason why;
	} rows[] = {
	    {{.version = FW_VERSION, .method = FW_METHOD_NFT}, OK, FW_WHY_NONE},
	    {{.version = FW_VERSION, .method = FW_METHOD_NFT, .flags = FW_HELLO_LOCAL}, OK, 0},
	    {{.version = FW_VERSION, .method = FW_METHOD_NFT, .flags = 2}, BAD, 0},
	    {{.version = FW_VERSION, .method = FW_METHOD_NFT, .flags = 1u << 31}, BAD, 0},
	    {{.version = FW_VERSION, .method = FW_METHOD_NFT, .zero = 1}, BAD, 0},
	    {{.version = FW_VERSION, .method = 0}, EOPNOTSUPP, FW_WHY_METHOD},
	    {{.version = FW_VERSION, .method = 2}, EOPNOTSUPP, FW_WHY_METHOD},
	    {{.version = 0, .method = FW_METHOD_NFT}, EPROTONOSUPPORT, FW_WHY_VERSION},
	    {{.version = 2, .method = 77, .zero = 1}, EPROTONOSUPPORT, FW_WHY_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(policy_hello(session(false), &rows[i].m), rows[i].error, rows[i].why);
}

static void
test_net_range(void **state)
{
	static const struct {
		const char *addr;
		uint8_t len;
		int include, exclude;
	} rows[] = {
	    {"10.0.0.0", 8, OK, OK},
	    {"10.1.2.3", 32, OK, OK},
	    {"0.0.0.0", 0, OK, OK},
	    {"::", 0, OK, OK},
	    {"fd00::", 8, OK, OK},
	    {"2001:db8::1", 128, OK, OK},
	    {"10.0.0.1", 8, EINVAL, EINVAL}, /* host bits */
	    {"10.128.0.0", 8, EINVAL, EINVAL},
	    {"10.0.0.1", 31, EINVAL, EINVAL},
	    {"2001:db8::1", 127, EINVAL, EINVAL},
	    {"fc80::", 8, EINVAL, EINVAL},
	    {"10.0.0.0", 33, EINVAL, EINVAL},
	    {"fd00::", 129, EINVAL, EINVAL},
	    {"10.0.0.0", 255, EINVAL, EINVAL},
	    {"224.0.0.0", 4, EADDRNOTAVAIL, OK},
	    {"224.0.0.0", 3, OK, OK}, /* covers it, like 0/0 */
	    {"239.1.2.3", 32, EADDRNOTAVAIL, OK},
	    {"0.0.0.0", 32, EADDRNOTAVAIL, OK},
	    {"0.0.0.0", 31, OK, OK},
	    {"255.255.255.255", 32, EADDRNOTAVAIL, OK},
	    {"127.0.0.0", 8, EADDRNOTAVAIL, OK},
	    {"127.0.0.0", 31, EADDRNOTAVAIL, OK},
	    {"127.0.0.1", 32, OK, OK},
	    {"127.255.255.255", 32, OK, OK},
	    {"126.0.0.0", 7, OK, OK},
	    {"::1", 128, OK, OK},
	    {"::", 128, EADDRNOTAVAIL, OK},
	    {"::", 127, OK, OK},
	    {"fe80::", 10, EADDRNOTAVAIL, OK},
	    {"fe80::1", 128, EADDRNOTAVAIL, OK},
	    {"fe00::", 9, OK, OK},
	    {"ff02::1", 128, EADDRNOTAVAIL, OK},
	    {"ff00::", 8, EADDRNOTAVAIL, OK},
	    {"::ffff:10.0.0.0", 104, EADDRNOTAVAIL, OK},
	    {"::ffff:0.0.0.0", 96, EADDRNOTAVAIL, OK},
	    {"::fffe:0:0", 95, OK, OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fw_net m = {
		    .addr = address(rows[i].addr), .prefix_len = rows[i].len, .port_last = 65535};

		assert_int_equal(policy_net(session(false), &m).error, rows[i].include);
		m.exclude = 1;
		assert_int_equal(policy_net(session(true), &m).error, rows[i].exclude);
	}
}

/* Every byte that has to be zero, one at a time. */
static void
test_net_padding(void **state)
{
	static const size_t zeros[] = {offsetof(struct fw_net, addr.zero[0]),
	    offsetof(struct fw_net, addr.zero[1]), offsetof(struct fw_net, addr.zero[2]),
	    offsetof(struct fw_net, addr.bytes[4]), offsetof(struct fw_net, addr.bytes[11]),
	    offsetof(struct fw_net, addr.bytes[15]), offsetof(struct fw_net, zero),
	    offsetof(struct fw_net, zero) + 1};
	const struct fw_net good = {
	    .addr = address("10.0.0.0"), .prefix_len = 8, .port_last = 65535};

	(void)state;
	for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
		struct fw_net m = good;

		((uint8_t *)&m)[zeros[i]] = 1;
		expect(policy_net(session(true), &m), BAD, FW_WHY_NONE);
	}
}

static void
test_net_fields(void **state)
{
	struct session *s = session(false);
	struct fw_net m = {.addr = address("10.0.0.0"), .prefix_len = 8, .port_last = 65535};

	(void)state;
	m.exclude = 2;
	expect(policy_net(s, &m), BAD, FW_WHY_NONE);
	m.exclude = 0;
	for (unsigned family = 0; family < 256; family++) {
		m.addr.family = (uint8_t)family;
		if (family != 4 && family != 6)
			expect(policy_net(s, &m), BAD, FW_WHY_NONE);
	}
	m.addr.family = 4;
	m.port_first = 81;
	m.port_last = 80;
	expect(policy_net(s, &m), EINVAL, FW_WHY_FIELD);
	m.port_last = 81;
	expect(policy_net(s, &m), OK, FW_WHY_NONE);
	m.port_first = 0;
	m.port_last = 0;
	expect(policy_net(s, &m), OK, FW_WHY_NONE);
	s->net_count = FW_MAX_NETS - 1;
	expect(policy_net(s, &m), OK, FW_WHY_NONE);
	s->net_count = FW_MAX_NETS;
	expect(policy_net(s, &m), ENOSPC, FW_WHY_FULL);
}

static void
test_except(void **state)
{
	const struct fw_except good = {.src = address("10.0.0.1"),
	    .dst = address("192.0.2.1"),
	    .src_port = 40000,
	    .dst_port = 22};
	struct session *s = session(false);
	struct fw_except m = good;

	(void)state;
	expect(policy_except(s, &m), OK, FW_WHY_NONE);
	m.src_port = 0;
	expect(policy_except(s, &m), EINVAL, FW_WHY_FIELD);
	m = good;
	m.dst_port = 0;
	expect(policy_except(s, &m), EINVAL, FW_WHY_FIELD);
	m = good;
	m.dst = address("2001:db8::1");
	expect(policy_except(s, &m), EINVAL, FW_WHY_FIELD);
	m = good;
	m.dst.family = 0;
	expect(policy_except(s, &m), BAD, FW_WHY_NONE);
	m = good;
	m.src.bytes[15] = 1;
	expect(policy_except(s, &m), BAD, FW_WHY_NONE);
	m = good;
	m.dst.zero[1] = 1;
	expect(policy_except(s, &m), BAD, FW_WHY_NONE);
	s->except_count = FW_MAX_EXCEPTS;
	expect(policy_except(s, &good), ENOSPC, FW_WHY_FULL);
}

static void
test_listen(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		int own, system;
	} rows[] = {
	    {"127.0.0.1", 12300, OK, OK}, {"127.9.9.9", 1024, OK, OK}, {"::1", 65535, OK, OK},
	    {"127.0.0.1", 1023, EINVAL, EINVAL}, {"127.0.0.1", 0, EINVAL, EINVAL},
	    {"0.0.0.0", 12300, EPERM, OK}, {"128.0.0.1", 12300, EPERM, OK},
	    {"126.255.255.255", 12300, EPERM, OK}, {"::", 12300, EPERM, OK},
	    {"::2", 12300, EPERM, OK},
	    {"::ffff:127.0.0.1", 12300, EPERM, OK}, /* bind(2) refuses it: v6 only */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fw_listen m = {.addr = address(rows[i].addr), .port = rows[i].port};

		assert_int_equal(policy_listen(session(false), &m).error, rows[i].own);
		assert_int_equal(policy_listen(session(true), &m).error, rows[i].system);
		m.zero = 1;
		expect(policy_listen(session(true), &m), BAD, FW_WHY_NONE);
	}
	struct session *s = session(true);
	struct fw_listen m = {.addr = address("127.0.0.1"), .port = 12300};
	s->listener_count = FW_MAX_LISTENERS;
	expect(policy_listen(s, &m), ENOSPC, FW_WHY_FULL);
}

static void
test_commit(void **state)
{
	struct session *s = session(false);
	struct fw_commit m = {.nets = 2, .excepts = 0, .listeners = 1};

	(void)state;
	s->net_count = 2;
	s->entry_count = 2;
	s->include_count = 1;
	s->entries[0].family = 4;
	s->entries[1].family = 6;
	s->entries[1].exclude = true;
	s->listener_count = 1;
	s->listeners[0].addr.family = 4;
	expect(policy_commit(s, &m), OK, FW_WHY_NONE);
	s->listeners[0].addr.family = 6;
	expect(policy_commit(s, &m), EADDRNOTAVAIL, FW_WHY_LISTENER);
	s->listeners[0].addr.family = 4;
	s->include_count = 0;
	expect(policy_commit(s, &m), EINVAL, FW_WHY_COUNT);
	s->include_count = 1;
	for (size_t i = 0; i < 3; i++) {
		struct fw_commit wrong = m;

		((uint32_t *)&wrong.nets)[i]++;
		expect(policy_commit(s, &wrong), EINVAL, FW_WHY_COUNT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hello),
	    cmocka_unit_test(test_net_range),
	    cmocka_unit_test(test_net_padding),
	    cmocka_unit_test(test_net_fields),
	    cmocka_unit_test(test_except),
	    cmocka_unit_test(test_listen),
	    cmocka_unit_test(test_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
