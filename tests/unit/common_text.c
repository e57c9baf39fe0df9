/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of unknown origin, made harmless. */
#include "unit.h"

#include "text.h"

static void
test_every_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char in = (char)c, out[8], want[8];
		size_t n = text_escape(out, sizeof out, &in, 1);

		if (c >= 0x20 && c < 0x7f)
			(void)snprintf(want, sizeof want, "%c", c);
		else
			(void)snprintf(want, sizeof want, "\\x%02x", c);
		assert_int_equal(n, strlen(want));
		assert_memory_equal(out, want, n);
	}
}

/* For each size of the buffer: nothing is written behind it and no escape is cut. */
static void
test_every_size(void **state)
{
	static const char in[] = "ab\033[2J\xff\xc3\xa9z\n";
	static const char whole[] = "ab\\x1b[2J\\xff\\xc3\\xa9z\\x0a";
	char out[64];

	(void)state;
	for (size_t size = 0; size < sizeof out - 1; size++) {
		memset(out, '#', sizeof out);
		size_t n = text_escape(out, size, in, sizeof in - 1);
		assert_true(n <= size);
		assert_memory_equal(out, whole, n);
		for (size_t i = n; i < sizeof out; i++)
			assert_int_equal(out[i], '#');
		assert_true(n == sizeof whole - 1 || n + 4 > size);
		assert_true(n == sizeof whole - 1 || whole[n] == '\\' || n == size);
		assert_true(n < 3 || out[n - 1] != 'x' || out[n - 2] != '\\');
	}
	assert_int_equal(text_escape(out, sizeof out, in, sizeof in - 1), sizeof whole - 1);
}

static void
test_nothing(void **state)
{
	char out[1] = {'#'};

	(void)state;
	assert_int_equal(text_escape(out, 0, "abc", 3), 0);
	assert_int_equal(text_escape(out, 1, "", 0), 0);
	assert_int_equal(out[0], '#');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_every_size),
	    cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
