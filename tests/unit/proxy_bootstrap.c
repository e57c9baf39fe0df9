/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mark in what a server prints: cut anywhere, behind any noise, within the limit. */
#include "unit.h"

#include "bootstrap.h"

static const char nonce[] = "0123456789abcdef";
static uint8_t mark[BOOTSTRAP_MARK];

static int
setup(void **state)
{
	(void)state;
	memcpy(mark, FRAME_SYNC, FRAME_SYNC_LEN);
	memcpy(mark + FRAME_SYNC_LEN, nonce, FRAME_NONCE);
	return 0;
}

/* Everything at once, then byte by byte, then in random pieces: *end is where the mark ended. */
static void
expect_found(const uint8_t *bytes, size_t len, size_t end)
{
	uint64_t seed = len;

	for (int mode = 0; mode < 3; mode++) {
		struct bootstrap b;
		size_t at = 0, used;

		bootstrap_init(&b, nonce);
		for (;;) {
			size_t n = mode == 0 ? len : mode == 1 ? 1 : unit_random(&seed) % 40 + 1;

			n = n < len - at ? n : len - at;
			assert_true(n > 0);
			enum bootstrap_verdict v = bootstrap_take(&b, bytes + at, n, &used);
			at += used;
			if (v == BOOTSTRAP_FOUND)
				break;
			assert_int_equal(v, BOOTSTRAP_MORE);
			assert_int_equal(used, n);
		}
		assert_int_equal(at, end);
		assert_int_equal(b.noise, end - BOOTSTRAP_MARK);
	}
}

static void
test_every_cut(void **state)
{
	uint8_t bytes[BOOTSTRAP_MARK + 3];

	(void)state;
	memcpy(bytes, mark, sizeof mark);
	memcpy(bytes + sizeof mark, "\1\2\3", 3);
	expect_found(bytes, sizeof bytes, BOOTSTRAP_MARK);
	for (size_t cut = 1; cut < BOOTSTRAP_MARK; cut++) {
		struct bootstrap b;
		size_t used = 0;

		bootstrap_init(&b, nonce);
		assert_int_equal(bootstrap_take(&b, bytes, cut, &used), BOOTSTRAP_MORE);
		assert_int_equal(used, cut);
		assert_int_equal(
		    bootstrap_take(&b, bytes + cut, sizeof bytes - cut, &used), BOOTSTRAP_FOUND);
		assert_int_equal(used, BOOTSTRAP_MARK - cut);
		assert_int_equal(b.noise, 0);
		assert_string_equal(b.kept, "");
	}
}

/* The mark right behind the first n bytes of itself, for each n; also twice, and with text. */
static void
test_behind_partial_mark(void **state)
{
	uint8_t bytes[3 * BOOTSTRAP_MARK + 16];

	(void)state;
	for (size_t n = 0; n < BOOTSTRAP_MARK; n++) {
		memcpy(bytes, mark, n);
		memcpy(bytes + n, mark, sizeof mark);
		expect_found(bytes, n + sizeof mark, n + sizeof mark);
		memcpy(bytes + n, mark, n);
		memcpy(bytes + 2 * n, mark, sizeof mark);
		expect_found(bytes, 2 * n + sizeof mark, 2 * n + sizeof mark);
		memcpy(bytes + n, "Welcome\r\n", 9);
		memcpy(bytes + n + 9, mark, sizeof mark);
		expect_found(bytes, n + 9 + sizeof mark, n + 9 + sizeof mark);
	}
}

/* The mark starts with two NULs: more of them in front must not hide it. */
static void
test_behind_nuls(void **state)
{
	uint8_t bytes[100];

	(void)state;
	for (size_t n = 0; n < 60; n++) {
		memset(bytes, 0, n);
		memcpy(bytes + n, mark, sizeof mark);
		expect_found(bytes, n + sizeof mark, n + sizeof mark);
	}
}

static void
test_random_noise(void **state)
{
	static uint8_t bytes[5000];
	uint64_t seed = 17;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t len = unit_random(&seed) % (sizeof bytes - sizeof mark);
		for (size_t i = 0; i < len; i++) /* made of the mark's own bytes */
			bytes[i] = mark[unit_random(&seed) % 4];
		memcpy(bytes + len, mark, sizeof mark);
		expect_found(bytes, len + sizeof mark, len + sizeof mark);
	}
}

static void
test_wrong_nonce(void **state)
{
	uint8_t bytes[2 * BOOTSTRAP_MARK];

	(void)state;
	memcpy(bytes, mark, sizeof mark);
	bytes[BOOTSTRAP_MARK - 1] ^= 1;
	memcpy(bytes + BOOTSTRAP_MARK, mark, sizeof mark);
	expect_found(bytes, sizeof bytes, sizeof bytes);
}

static void
test_limit(void **state)
{
	static uint8_t noise[BOOTSTRAP_NOISE_MAX + 1];
	struct bootstrap b;
	size_t used;

	(void)state;
	memset(noise, 'n', sizeof noise);
	bootstrap_init(&b, nonce);
	assert_int_equal(bootstrap_take(&b, noise, BOOTSTRAP_NOISE_MAX, &used), BOOTSTRAP_MORE);
	assert_int_equal(bootstrap_take(&b, mark, sizeof mark, &used), BOOTSTRAP_FOUND);
	bootstrap_init(&b, nonce);
	assert_int_equal(bootstrap_take(&b, noise, sizeof noise, &used), BOOTSTRAP_TOO_MUCH);
	/* In small pieces it is the same. */
	bootstrap_init(&b, nonce);
	for (size_t i = 0; i < BOOTSTRAP_NOISE_MAX; i++)
		assert_int_equal(bootstrap_take(&b, noise, 1, &used), BOOTSTRAP_MORE);
	assert_int_equal(bootstrap_take(&b, noise, 1, &used), BOOTSTRAP_TOO_MUCH);
}

/* What is kept for the message: the start, whole; a NUL does not hide what is behind it. */
static void
test_kept(void **state)
{
	static const char text[] = "\0\0SSHUTTLE-Hello\0, world";
	char long_text[300];
	struct bootstrap b;
	size_t used;

	(void)state;
	bootstrap_init(&b, nonce);
	assert_int_equal(
	    bootstrap_take(&b, (const uint8_t *)text, sizeof text - 1, &used), BOOTSTRAP_MORE);
	assert_int_equal(b.noise, sizeof text - 1);
	assert_non_null(strstr(b.kept, "SSHUTTLE-Hello"));
	assert_non_null(strstr(b.kept, ", world"));

	memset(long_text, 'x', sizeof long_text);
	bootstrap_init(&b, nonce);
	(void)bootstrap_take(&b, (const uint8_t *)long_text, sizeof long_text, &used);
	assert_int_equal(strlen(b.kept), BOOTSTRAP_NOISE_KEPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_cut),
	    cmocka_unit_test(test_behind_partial_mark),
	    cmocka_unit_test(test_behind_nuls),
	    cmocka_unit_test(test_random_noise),
	    cmocka_unit_test(test_wrong_nonce),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
