/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The byte queue against a plain array, and what it costs. */
#include "unit.h"

#include <malloc.h>

#include "bytes.h"

enum { REFERENCE_MAX = 4 * 1024 * 1024, WASTE_MAX = 48 * 1024 };

/* Of the sanitizer's allocator, which mallinfo2(3) does not know. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
heap_used(void)
{
	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

/* The queue holds exactly the reference's bytes. */
static void
expect_same(const struct bytes *q, const uint8_t *want, size_t len)
{
	struct iovec iov[4096];
	int n = bytes_peek(q, iov, 4096);
	size_t at = 0;

	assert_int_equal(q->len, len);
	for (int i = 0; i < n; i++) {
		assert_true(iov[i].iov_len > 0);
		assert_true(at + iov[i].iov_len <= len);
		assert_memory_equal(iov[i].iov_base, want + at, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, len);
}

static size_t
random_length(uint64_t *seed, size_t most)
{
	static const size_t scale[] = {1, 16, 300, 4040, 5000, 20000, 262144};
	size_t n = unit_random(seed) % scale[unit_random(seed) % COUNT(scale)] + 1;

	return n < most ? n : most;
}

static void
test_random(void **state)
{
	uint8_t *ref = malloc(REFERENCE_MAX);
	struct bytes q = {0};
	size_t start = 0, end = 0;
	uint64_t seed = 11, produced = 0;

	(void)state;
	assert_non_null(ref);
	for (int round = 0; round < 5000; round++) {
		if (unit_random(&seed) % 2) {
			size_t n = random_length(&seed, 1024 * 1024 - (end - start));

			if (end + n > REFERENCE_MAX) {
				memmove(ref, ref + start, end - start);
				end -= start;
				start = 0;
			}
			for (size_t i = 0; i < n; i++)
				ref[end + i] = unit_byte(1, produced++);
			assert_int_equal(bytes_put(&q, ref + end, n), 0);
			end += n;
		} else {
			size_t n = random_length(&seed, end - start);

			bytes_drop(&q, n);
			start += n;
		}
		if (round % 16 == 0)
			expect_same(&q, ref + start, end - start);
	}
	bytes_free(&q);
	assert_int_equal(q.len, 0);
	assert_null(q.head);
	free(ref);
}

static void
test_few_slices(void **state)
{
	struct bytes q = {0};
	struct iovec iov[3];
	static uint8_t block[100000];

	(void)state;
	assert_int_equal(bytes_peek(&q, iov, 3), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(bytes_put(&q, block, sizeof block), 0);
	assert_int_equal(bytes_peek(&q, iov, 3), 3);
	assert_int_equal(bytes_peek(&q, iov, 0), 0);
	bytes_free(&q);
	bytes_free(&q);
}

/* However it was filled and drained, the heap holds little more than what is queued. */
static void
test_waste(void **state)
{
	static uint8_t block[262144];
	uint64_t seed = 5;
	struct bytes q = {0};
	size_t base = heap_used();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		if (unit_random(&seed) % 2)
			assert_int_equal(
			    bytes_put(&q, block, random_length(&seed, 983040 - q.len)), 0);
		else
			bytes_drop(&q, random_length(&seed, q.len));
		/* The thirty-second part for what an allocator keeps with each block. */
		assert_in_range(heap_used() - base, 0, q.len + q.len / 32 + WASTE_MAX);
	}
	bytes_free(&q);
	/* malloc(3) keeps a few small blocks for the next time. */
	assert_in_range(heap_used(), base, base + 16384);
}

/* The worst case: a large block of which all but the last byte has been taken. */
static void
test_waste_of_large_block(void **state)
{
	static uint8_t block[262144];
	struct bytes q = {0};
	size_t base = heap_used();

	(void)state;
	assert_int_equal(bytes_put(&q, block, sizeof block), 0);
	bytes_drop(&q, sizeof block - 1);
	assert_in_range(heap_used() - base, 0, WASTE_MAX);
	bytes_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_few_slices),
	    cmocka_unit_test(test_waste),
	    cmocka_unit_test(test_waste_of_large_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
