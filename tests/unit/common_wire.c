/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounds-checked cursor: every field at every length. */
#include "unit.h"

static void
test_round_trip(void **state)
{
	uint8_t buf[32], out[5];
	struct wire w;
	uint8_t *p = wire_put_u8(buf, 0xfe);

	(void)state;
	p = wire_put_u16(p, 0x1234);
	p = wire_put_u32(p, 0xfedcba98);
	p = wire_put_u64(p, 0x0102030405060708);
	p = wire_put_bytes(p, "hello", 5);
	assert_ptr_equal(p, buf + 20);
	assert_memory_equal(buf, "\xfe\x12\x34\xfe\xdc\xba\x98\1\2\3\4\5\6\7\10hello", 20);
	wire_init(&w, buf, 20);
	assert_int_equal(wire_u8(&w), 0xfe);
	assert_int_equal(wire_u16(&w), 0x1234);
	assert_int_equal(wire_u32(&w), 0xfedcba98);
	assert_true(wire_u64(&w) == 0x0102030405060708);
	assert_false(wire_done(&w));
	wire_bytes(&w, out, 5);
	assert_memory_equal(out, "hello", 5);
	assert_true(wire_done(&w));
}

/* Each read of n bytes with n - 1 there: 0, bad, and bad for ever. */
static void
test_short(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 8; n *= 2) {
		/* malloc, so that a sanitizer sees the first byte behind */
		uint8_t *buf = malloc(n), out[8] = "1234567";
		struct wire w;

		assert_non_null(buf);
		memset(buf, 0xff, n);
		wire_init(&w, buf, n - 1);
		uint64_t v = n == 1   ? wire_u8(&w)
		             : n == 2 ? wire_u16(&w)
		             : n == 4 ? wire_u32(&w)
		                      : wire_u64(&w);
		assert_true(v == 0);
		assert_true(w.bad);
		assert_false(wire_done(&w));
		/* What is left would do for a smaller field, but nothing may be read any more. */
		assert_int_equal(wire_u8(&w), 0);
		wire_bytes(&w, out, 0);
		assert_false(wire_done(&w));

		wire_init(&w, buf, n - 1);
		wire_bytes(&w, out, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], 0);
		assert_false(wire_done(&w));
		free(buf);
	}
}

static void
test_empty(void **state)
{
	struct wire w;

	(void)state;
	wire_init(&w, NULL, 0);
	assert_true(wire_done(&w));
	assert_int_equal(wire_u32(&w), 0);
	assert_false(wire_done(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_short),
	    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
