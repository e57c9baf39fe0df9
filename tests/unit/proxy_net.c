/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subnets as users write them: sshuttle's grammar, and where this program is stricter. The names'
 * part is in proxy_net_names.c.
 */
#include "unit.h"

#include <arpa/inet.h>

#include "net.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text, *addr;
		int width;
		unsigned first, last;
	} rows[] = {
	    {"1.2.3.4", "1.2.3.4", 32, 0, 65535},
	    {"0/0", "0.0.0.0", 0, 0, 65535},
	    {"0.0.0.0/0", "0.0.0.0", 0, 0, 65535},
	    {"::/0", "::", 0, 0, 65535},
	    {"::0/0", "::", 0, 0, 65535},
	    {"10/8", "10.0.0.0", 8, 0, 65535}, /* as in sshuttle 0.54, not 0.0.0.10/8 */
	    {"10.1/16", "10.1.0.0", 16, 0, 65535},
	    {"10.1.2/24", "10.1.2.0", 24, 0, 65535},
	    {"10/8:80", "10.0.0.0", 8, 80, 80},
	    {"10.1.2.3/8", "10.0.0.0", 8, 0, 65535},
	    {"10.1.2.3/31", "10.1.2.2", 31, 0, 65535},
	    {"255.255.255.255/1", "128.0.0.0", 1, 0, 65535},
	    {"1.2.3.0/24:8000-9000", "1.2.3.0", 24, 8000, 9000},
	    {"1.2.3.4:8000", "1.2.3.4", 32, 8000, 8000},
	    {"1.2.3.4:1-65535", "1.2.3.4", 32, 1, 65535},
	    {"1.2.3.4:80-80", "1.2.3.4", 32, 80, 80},
	    {"127.0.0.1:5432", "127.0.0.1", 32, 5432, 5432},
	    {"2001:db8::1", "2001:db8::1", 128, 0, 65535},
	    {"2001:DB8::/32", "2001:db8::", 32, 0, 65535},
	    {"2001:db8::ffff/64", "2001:db8::", 64, 0, 65535},
	    {"[2001:db8::1]", "2001:db8::1", 128, 0, 65535},
	    {"[2001:db8::/32]:80", "2001:db8::", 32, 80, 80},
	    {"[2001:db8::]/32", "2001:db8::", 32, 0, 65535},
	    {"[2001:db8::]/32:80", "2001:db8::", 32, 80, 80},
	    {"[2001:db8::/32]", "2001:db8::", 32, 0, 65535},
	    {"[::1]:80-90", "::1", 128, 80, 90},
	    {"2001:db8::/32:80", "2001:db8::", 32, 80, 80},
	    {"2001:db8::/32:80-90", "2001:db8::", 32, 80, 90},
	    {"::1:80/128", "::0.1.0.128", 128, 0, 65535},
	    {"::1/128:80", "::1", 128, 80, 80},
	    {"::ffff:1", "::255.255.0.1", 128, 0, 65535}, /* not a mapped address */
	    {"fe80::1", "fe80::1", 128, 0, 65535},
	};
	char why[256], got[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_list list = {0};
		struct target t;

		if (target_parse(&t, rows[i].text, i % 2, why, sizeof why) != 0)
			fail_msg("%s: %s", rows[i].text, why);
		assert_ptr_equal(t.text, rows[i].text);
		assert_int_equal(target_resolve(&t, &list, why, sizeof why), 0);
		assert_int_equal(list.count, 1);
		const struct net *n = &list.net[0];
		assert_string_equal(addr_format_host(&n->addr, got), rows[i].addr);
		assert_int_equal(n->addr.port, 0);
		assert_int_equal(n->width, rows[i].width);
		assert_int_equal(n->port_first, rows[i].first);
		assert_int_equal(n->port_last, rows[i].last);
		assert_int_equal(n->exclude, i % 2);
		net_list_free(&list);
	}
}

static void
test_bad(void **state)
{
	/* The text, and what the message says of it. */
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"", "is not an address"},
	    {" ", "is not an address"},
	    {"10", "is not an address"}, /* sshuttle: 0.0.0.10 */
	    {"10.0", "is not an address"},
	    {"1.2.3", "is not an address"},
	    {"0x7f.1", "is not an address"}, /* sshuttle: 127.0.0.1 */
	    {"0x7f", "is not an address"},
	    {"0x7f000001", "is not an address"},
	    {"1.0x7f", "is not an address"},
	    {"0X7F", "is not an address"},
	    {"3098282570", "is not an address"},
	    {"0270.0254.0012.0112", "is not an address"},
	    {"010.0.0.1", "is not an address"},
	    {"10.256.0.0", "is not an address"},
	    {"1.2.3.4.5", "is not an address"},
	    {"1.2.3.4.5/8", "is not an address"},
	    {"10./8", "is not an address"},
	    {"/8", "is not an address"},
	    {":80", "is not an address"},
	    {"a b", "is not an address"},
	    {"host\n", "is not an address"},
	    {"-host", "is not an address"},
	    {".host", "is not an address"},
	    {"*.example.com", "is not an address"},
	    {"user@host", "is not an address"},
	    {"10.0.0.0/33", "0 to 32"},
	    {"10/33", "0 to 32"},
	    {"10.0.0.0/", "width"},
	    {"10.0.0.0/a", "width"},
	    {"10.0.0.0/-1", "width"},
	    {"10.0.0.0/+8", "width"},
	    {"10.0.0.0/8/8", "width"},
	    {"10.0.0.0/999999999999999999999", "width"},
	    {"10.0.0.0/255.0.0.0", "width"},
	    {"fc00::/129", "width"},
	    {"1.2.3.4:", "1 to 65535"},
	    {"1.2.3.4:0", "1 to 65535"},
	    {"1.2.3.4:65536", "1 to 65535"},
	    {"1.2.3.4:99999", "1 to 65535"},
	    {"1.2.3.4:4294967376", "1 to 65535"},
	    {"1.2.3.4:18446744073709551696", "1 to 65535"},
	    {"1.2.3.4:-80", "1 to 65535"},
	    {"1.2.3.4:80-", "1 to 65535"},
	    {"1.2.3.4:80-90-99", "1 to 65535"},
	    {"1.2.3.4:http", "1 to 65535"},
	    {"1.2.3.4: 80", "1 to 65535"},
	    {"1.2.3.4:80/24", "1 to 65535"},
	    {"1.2.3.4:9000-8000", "8000-9000"},
	    {"1.2.3.4:80:90", "not an address"},
	    {"::1:80", "[::1]:80"},
	    {"::1:80-90", "[address]:first-last"},
	    {"[::1", "bracket"},
	    {"::1]", "is not an address"},
	    {"[::1]80", "[address/width]:port"},
	    {"[::1/64]/64", "[address/width]:port"},
	    {"[::1]:80/64", "1 to 65535"},
	    {"[1.2.3.4]:80", "brackets are for IPv6"},
	    {"[example.com]:80", "brackets are for IPv6"},
	    {"[]", "is not an address"},
	    {"[[::1]]", "is not"},
	    {"fe80::1%eth0", "zone"},
	    {"[fe80::1%eth0]:80", "zone"},
	    {"::ffff:1.2.3.4", "IPv4 address itself"},
	    {"::FFFF:1.2.3.4/128", "IPv4 address itself"},
	    {"::ffff:102:304", "IPv4 address itself"},
	    {"0:0:0:0:0:ffff:1.2.3.4", "IPv4 address itself"},
	    {"[0::ffff:0:0/96]:80", "IPv4 address itself"},
	    {"1:2:3:4:5:6:7:8:9", "is not an address"},
	    {"12345::1", "is not an address"},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target t;

		why[0] = '\0';
		if (target_parse(&t, rows[i].text, false, why, sizeof why) != -1)
			fail_msg("'%s' was taken", rows[i].text);
		if (strstr(why, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].text, why);
		if (strlen(rows[i].text) > 1 && strstr(why, rows[i].text) == NULL)
			fail_msg("'%s' is not named: %s", rows[i].text, why);
	}
}

static void
test_long(void **state)
{
	char text[2000], why[256];
	struct target t;

	(void)state;
	for (size_t len = 1; len < sizeof text; len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(
		    target_parse(&t, text, false, why, sizeof why), len <= 253 ? 0 : -1);
		memset(text, '1', len);
		(void)target_parse(&t, text, false, why, sizeof why);
		memset(text, ':', len);
		assert_int_equal(target_parse(&t, text, false, why, sizeof why), len == 2 ? 0 : -1);
	}
	/* "10" with blanks for components at the buffer's end */
	memset(text, '1', sizeof text);
	strcpy(text + 250, "/8");
	assert_int_equal(target_parse(&t, text, false, why, sizeof why), -1);
	/* A small buffer for the message is cut, not overrun. */
	char small[8];
	assert_int_equal(target_parse(&t, "1.2.3.4:0", false, small, sizeof small), -1);
	assert_int_equal(strlen(small), 7);
}

/* ---- precedence ---- */

/* Said again, without looking: does a decide before b? */
static bool
stronger(const struct net *a, const struct net *b)
{
	unsigned ports_a = a->port_last - a->port_first, ports_b = b->port_last - b->port_first;

	if (ports_a < ports_b)
		return true;
	if (ports_a > ports_b)
		return false;
	if (a->width > b->width)
		return true;
	if (a->width < b->width)
		return false;
	return a->exclude && !b->exclude;
}

static void
shuffle(struct net_list *list, uint64_t *seed)
{
	for (size_t i = list->count; i > 1; i--) {
		size_t j = unit_random(seed) % i;
		struct net swap = list->net[i - 1];
		list->net[i - 1] = list->net[j];
		list->net[j] = swap;
	}
}

static struct net
random_net(uint64_t *seed)
{
	struct net n = {.addr.family = unit_random(seed) % 2 ? 4 : 6, .port_last = 65535};

	n.width = (uint8_t)(unit_random(seed) % (addr_bits(&n.addr) + 1));
	n.exclude = unit_random(seed) % 2;
	for (unsigned i = 0; i < addr_bits(&n.addr) / 8; i++)
		n.addr.bytes[i] = (uint8_t)(unit_random(seed) % 3);
	addr_mask(&n.addr, n.width);
	if (unit_random(seed) % 2) {
		n.port_first = (uint16_t)(1 + unit_random(seed) % 9);
		n.port_last = (uint16_t)(n.port_first + unit_random(seed) % 9);
	}
	return n;
}

/* Sorted, nothing stronger stands behind; and the order on the command line does not matter. */
static void
test_sort(void **state)
{
	static struct net nets[60], first[60];
	struct net_list list = {.net = nets};
	uint64_t seed = 99;

	(void)state;
	net_list_sort(&list);
	for (int round = 0; round < 300; round++) {
		list.count = unit_random(&seed) % COUNT(nets) + 1;
		memset(nets, 0, sizeof nets);
		for (size_t i = 0; i < list.count; i++)
			nets[i] = random_net(&seed);
		net_list_sort(&list);
		for (size_t i = 0; i < list.count; i++)
			for (size_t j = i + 1; j < list.count; j++)
				assert_false(stronger(&nets[j], &nets[i]));
		memcpy(first, nets, sizeof nets);
		shuffle(&list, &seed);
		net_list_sort(&list);
		for (size_t i = 0; i < list.count; i++) {
			assert_true(addr_equal(&nets[i].addr, &first[i].addr));
			assert_int_equal(nets[i].width, first[i].width);
			assert_int_equal(nets[i].exclude, first[i].exclude);
			assert_int_equal(nets[i].port_first, first[i].port_first);
			assert_int_equal(nets[i].port_last, first[i].port_last);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_sort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
