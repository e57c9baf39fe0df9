/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -l: what it means, and what is wrong with it. */
#include "unit.h"

#include "resolver.h"

#include "listen_spec.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text, *list;
	} rows[] = {
	    {"12300", "127.0.0.1:12300 "},
	    {"0", "127.0.0.1:0 "},
	    {"1024", "127.0.0.1:1024 "},
	    {"65535", "127.0.0.1:65535 "},
	    {"0.0.0.0:12300", "0.0.0.0:12300 "},
	    {"192.0.2.1", "192.0.2.1:0 "},
	    {"[::1]:12300", "[::1]:12300 "},
	    {"[::]:0", "[::]:0 "},
	    {"[::1]", "[::1]:0 "},
	    {"12300,[::1]:12300", "127.0.0.1:12300 [::1]:12300 "},
	    {"1024,1025,1026,1027", "127.0.0.1:1024 127.0.0.1:1025 127.0.0.1:1026 127.0.0.1:1027 "},
	    {"one.example:2000", "192.0.2.1:2000 "},
	    {"two.example:2000", "192.0.2.1:2000 "}, /* the first address */
	    {"[127.0.0.1]:2000", "127.0.0.1:2000 "},
	};
	char why[256], got[256], one[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr list[4];
		size_t count = 0;

		if (listen_spec_parse(list, 4, &count, rows[i].text, why, sizeof why) != 0)
			fail_msg("%s: %s", rows[i].text, why);
		got[0] = '\0';
		for (size_t j = 0; j < count; j++) {
			strcat(got, addr_format(&list[j], one));
			strcat(got, " ");
		}
		assert_string_equal(got, rows[i].list);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"", "expected [ip:]port"},
	    {",", "expected [ip:]port"},
	    {"80", "1024 to 65535"},
	    {"1023", "1024 to 65535"},
	    {"65536", "1024 to 65535"},
	    {"99999999999999999999", "1024 to 65535"},
	    {"127.0.0.1:", "1024 to 65535"},
	    {"127.0.0.1:http", "1024 to 65535"},
	    {"127.0.0.1:-1", "1024 to 65535"},
	    {"127.0.0.1:+2000", "1024 to 65535"},
	    {"127.0.0.1: 2000", "1024 to 65535"},
	    {"[::1]:", "1024 to 65535"},
	    {"::1", "brackets"},
	    {"::1:12300", "brackets"},
	    {"[::1", "brackets"},
	    {"[::1]12300", "brackets"},
	    {":12300", "cannot find"},
	    {"nohost", "cannot find"},
	    {"nohost:12300", "cannot find"},
	    {"10.256.0.0:12300", "cannot find"},
	    {"[]:12300", "cannot find"},
	    {"12300,80", "'80'"},
	    {"1024,1025,1026,1027,1028", "too many"},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr list[4];
		size_t count = 0;

		if (listen_spec_parse(list, 4, &count, rows[i].text, why, sizeof why) != -1)
			fail_msg("'%s' was taken", rows[i].text);
		if (strstr(why, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].text, why);
		assert_memory_equal(why, "-l '", 4);
		assert_true(count <= 4);
	}
}

/* -l may be repeated: the list goes on. */
static void
test_append(void **state)
{
	struct addr list[3];
	char why[256];
	size_t count = 0;

	(void)state;
	assert_int_equal(listen_spec_parse(list, 3, &count, "2000,2001", why, sizeof why), 0);
	assert_int_equal(listen_spec_parse(list, 3, &count, "2002", why, sizeof why), 0);
	assert_int_equal(count, 3);
	assert_int_equal(list[2].port, 2002);
	assert_int_equal(listen_spec_parse(list, 3, &count, "2003", why, sizeof why), -1);
	assert_int_equal(count, 3);
}

static void
test_long(void **state)
{
	char text[3000], why[256];
	struct addr list[4];

	(void)state;
	for (size_t len = 1; len < sizeof text; len += 7) {
		size_t count = 0;
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(listen_spec_parse(list, 4, &count, text, why, sizeof why), -1);
		memset(text, ',', len);
		assert_int_equal(listen_spec_parse(list, 4, &count, text, why, sizeof why), -1);
		memset(text, '[', len);
		assert_int_equal(listen_spec_parse(list, 4, &count, text, why, sizeof why), -1);
		assert_int_equal(count, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_append),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
