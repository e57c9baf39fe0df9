/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names as targets, with a resolver of the test's own: several addresses, both families, none. */
#include "unit.h"

#include "resolver.h"

#include "net.h"

static void
test_names(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *nets; /* or what the message says */
	} rows[] = {
	    {"one.example", 0, "192.0.2.1/32 "},
	    {"two.example", 0, "192.0.2.1/32 198.51.100.2/32 "},
	    {"two.example/24", 0, "192.0.2.0/24 198.51.100.0/24 "},
	    {"two.example/24:80-90", 0, "192.0.2.0/24 198.51.100.0/24 "},
	    {"one.example:80", 0, "192.0.2.1/32 "},
	    {"six.example", 0, "2001:db8::6/128 "},
	    {"six.example/64", 0, "2001:db8::/64 "},
	    {"six.example/20", 0, "2001::/20 "},
	    {"both.example", 0, "192.0.2.1/32 2001:db8::1/128 "},
	    {"both.example:8000-9000", 0, "192.0.2.1/32 2001:db8::1/128 "},
	    {"both.example/24", -1, "both.example has IPv4 and IPv6 addresses"},
	    {"one.example/33", -1, "0 to 32"},
	    {"none.example", 1, "cannot find the address of none.example"},
	    {"none.example/24:80", 1, "none.example/24:80"},
	};
	char why[256], host[64], got[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_list list = {0};
		struct target t;

		why[0] = got[0] = '\0';
		assert_int_equal(target_parse(&t, rows[i].text, true, why, sizeof why), 0);
		assert_int_equal(target_resolve(&t, &list, why, sizeof why), rows[i].result);
		for (size_t j = 0; j < list.count; j++) {
			const struct net *n = &list.net[j];
			size_t len = strlen(got);

			(void)snprintf(got + len, sizeof got - len, "%s/%d ",
			    addr_format_host(&n->addr, host), n->width);
			assert_true(n->exclude);
			assert_int_equal(n->port_first, t.port_first);
			assert_int_equal(n->port_last, t.port_last);
		}
		if (rows[i].result == 0) {
			assert_string_equal(got, rows[i].nets);
		} else {
			assert_int_equal(list.count, 0);
			assert_non_null(strstr(why, rows[i].nets));
		}
		net_list_free(&list);
	}
}

/* The list grows, and keeps what is in it when a target is wrong. */
static void
test_list(void **state)
{
	struct net_list list = {0};
	struct target t;
	char why[256];

	(void)state;
	assert_int_equal(target_parse(&t, "two.example", false, why, sizeof why), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(target_resolve(&t, &list, why, sizeof why), 0);
	assert_int_equal(list.count, 1000);
	assert_int_equal(target_parse(&t, "both.example/24", false, why, sizeof why), 0);
	assert_int_equal(target_resolve(&t, &list, why, sizeof why), -1);
	assert_int_equal(list.count, 1000);
	net_list_free(&list);
	assert_null(list.net);
	net_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
