/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -r: what ssh gets to see, and what never reaches it. */
#include "unit.h"

#include "remote.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text, *destination, *port;
	} rows[] = {
	    {"host", "host", ""},
	    {"user@host", "user@host", ""},
	    {"user@host:22", "user@host", "22"},
	    {"host:1", "host", "1"},
	    {"host:65535", "host", "65535"},
	    {"host:00022", "host", "00022"},
	    {"host:", "host", ""},
	    {"user@host.example.com:2222", "user@host.example.com", "2222"},
	    {"192.0.2.1:2222", "192.0.2.1", "2222"},
	    {"[2001:db8::1]:2222", "2001:db8::1", "2222"},
	    {"user@[2001:db8::1]:2222", "user@2001:db8::1", "2222"},
	    {"user@[2001:db8::1]", "user@2001:db8::1", ""},
	    {"2001:db8::1", "2001:db8::1", ""},
	    {"user@2001:db8::1", "user@2001:db8::1", ""},
	    {"fe80::1%eth0", "fe80::1%eth0", ""},
	    {"DOMAIN\\user@host", "DOMAIN\\user@host", ""},
	    {"user@corp.example@host:22", "user@corp.example@host", "22"}, /* the last @ */
	    {"alias_of-config.1", "alias_of-config.1", ""},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct remote r;

		if (remote_parse(&r, rows[i].text, why, sizeof why) != 0)
			fail_msg("%s: %s", rows[i].text, why);
		assert_string_equal(r.destination, rows[i].destination);
		assert_string_equal(r.port, rows[i].port);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"", "the host is empty"},
	    {"user@", "the host is empty"},
	    {":22", "the host is empty"},
	    {"user@:22", "the host is empty"},
	    {"[]:22", "the host is empty"},
	    {"@host", "the user before @ is empty"},
	    {"-oProxyCommand=x", "may not start with '-'"},
	    {"-oProxyCommand=x@host", "may not start with '-'"},
	    {"user@-oProxyCommand=x", "may not start with '-'"},
	    {"user@[-oProxyCommand=x]:22", "may not start with '-'"},
	    {"host name", "blank or control"},
	    {" host", "blank or control"},
	    {"host\n", "blank or control"},
	    {"ho\033st", "blank or control"},
	    {"user:password@host", "password"},
	    {"user:@host", "password"},
	    {"host:0", "port from 1 to 65535"},
	    {"host:65536", "port from 1 to 65535"},
	    {"host:99999999999", "port from 1 to 65535"},
	    {"host:ssh", "port from 1 to 65535"},
	    {"host:-1", "port from 1 to 65535"},
	    {"host:+22", "port from 1 to 65535"},
	    {"[::1", "port from 1 to 65535"},
	    {"[::1]22", "port from 1 to 65535"},
	    {"[::1]:", NULL},
	    {"[::1]:0", "port from 1 to 65535"},
	    {"[::1]:22:33", "port from 1 to 65535"},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct remote r;
		int result = remote_parse(&r, rows[i].text, why, sizeof why);

		if (rows[i].says == NULL) {
			assert_int_equal(result, 0); /* an empty port is none */
			continue;
		}
		if (result != -1)
			fail_msg("'%s' was taken", rows[i].text);
		if (strstr(why, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].text, why);
	}
}

static void
test_long(void **state)
{
	char text[2000], why[256];
	struct remote r;

	(void)state;
	for (size_t len = 1; len < sizeof text; len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(remote_parse(&r, text, why, sizeof why), len < 512 ? 0 : -1);
		if (len < 512)
			assert_string_equal(r.destination, text);
		memset(text, '@', len);
		(void)remote_parse(&r, text, why, sizeof why);
		memset(text, ':', len);
		(void)remote_parse(&r, text, why, sizeof why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
