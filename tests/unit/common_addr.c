/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as values. */
#include "unit.h"

#include <arpa/inet.h>

static struct addr
address(const char *text, uint16_t port)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? 6 : 4, .port = port};

	assert_int_equal(inet_pton(addr_af(&a), text, a.bytes), 1);
	return a;
}

static void
test_format(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		const char *text;
	} rows[] = {
	    {"10.0.0.1", 80, "10.0.0.1:80"},
	    {"0.0.0.0", 0, "0.0.0.0:0"},
	    {"255.255.255.255", 65535, "255.255.255.255:65535"},
	    {"2001:db8::1", 80, "[2001:db8::1]:80"},
	    {"::", 1, "[::]:1"},
	    {"::ffff:255.255.255.255", 65535, "[::ffff:255.255.255.255]:65535"},
	    {"1111:2222:3333:4444:5555:6666:7777:8888", 65535,
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
	};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = address(rows[i].host, rows[i].port), back;
		struct sockaddr_storage sa;

		assert_string_equal(addr_format(&a, buf), rows[i].text);
		assert_string_equal(addr_format_host(&a, buf), rows[i].host);
		socklen_t len = addr_to_sockaddr(&a, &sa);
		assert_int_equal(
		    len, a.family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_int_equal(addr_from_sockaddr(&back, &sa), 0);
		assert_true(addr_equal(&a, &back));
	}
}

static void
test_other_family(void **state)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNIX};
	struct addr a;

	(void)state;
	errno = 0;
	assert_int_equal(addr_from_sockaddr(&a, &sa), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *host;
		bool loopback, any;
	} rows[] = {
	    {"127.0.0.1", true, false},
	    {"127.255.255.254", true, false},
	    {"128.0.0.1", false, false},
	    {"126.255.255.255", false, false},
	    {"0.0.0.0", false, true},
	    {"0.0.0.1", false, false},
	    {"::1", true, false},
	    {"::2", false, false},
	    {"::", false, true},
	    {"7f00::1", false, false},
	    {"1::1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = address(rows[i].host, 7);

		assert_int_equal(addr_is_loopback(&a), rows[i].loopback);
		assert_int_equal(addr_is_any(&a), rows[i].any);
		assert_int_equal(addr_bits(&a), a.family == 4 ? 32 : 128);
	}
}

static bool
bit(const struct addr *a, unsigned i)
{
	return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Every prefix length, bit by bit. */
static void
test_mask(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct addr a = {.family = round % 2 ? 4 : 6}, b = a;

		for (unsigned i = 0; i < addr_bits(&a) / 8; i++)
			a.bytes[i] = (uint8_t)unit_random(&seed);
		for (unsigned len = 0; len <= addr_bits(&a); len++) {
			struct addr m = a;

			addr_mask(&m, len);
			for (unsigned i = 0; i < 128; i++)
				assert_int_equal(bit(&m, i), i < len && bit(&a, i));
			b = a;
			assert_true(addr_in_prefix(&b, &m, len));
			if (len == 0)
				continue;
			b.bytes[(len - 1) / 8] ^= (uint8_t)(0x80 >> (len - 1) % 8);
			assert_false(addr_in_prefix(&b, &m, len));
			if (len < addr_bits(&a)) {
				b = a;
				b.bytes[len / 8] ^= (uint8_t)(0x80 >> len % 8);
				assert_true(addr_in_prefix(&b, &a, len));
			}
		}
	}
}

static void
test_families_differ(void **state)
{
	struct addr v4 = {.family = 4}, v6 = {.family = 6};

	(void)state;
	assert_false(addr_equal(&v4, &v6));
	assert_false(addr_in_prefix(&v4, &v6, 0));
	assert_true(addr_in_prefix(&v4, &v4, 0));
	v6.family = 4;
	v6.port = 1;
	assert_false(addr_equal(&v4, &v6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_other_family),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_mask),
	    cmocka_unit_test(test_families_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
