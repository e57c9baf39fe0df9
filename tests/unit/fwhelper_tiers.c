/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tiers against a reference that knows neither keys nor tiers: it looks at every entry that
 * covers the destination and keeps the one that sshuttle's manual says wins.
 * Needs: fwhelper/tiers.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tiers.h"

enum { CASES = 20000, MOST = 24, PROBES = 20 };

struct destination {
	uint8_t family, bytes[16];
	uint16_t port;
	bool local;
};

static uint32_t
random_below(uint32_t n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32) % n;
}

/* Few bits and few lengths, so that entries overlap all the time. */
static struct entry
random_entry(void)
{
	static const uint16_t ports[][2] = {
	    {0, 65535}, {0, 65535}, {80, 80}, {80, 89}, {85, 94}, {1, 65535}, {443, 443}, {0, 0}};
	static const uint8_t lengths[] = {0, 1, 2, 7, 8, 9, 16, 31, 32};
	struct entry e = {.family = random_below(3) ? 4 : 6};
	const uint16_t *range = ports[random_below(8)];

	e.prefix_len = lengths[random_below(sizeof lengths)];
	for (unsigned bit = 0; bit < e.prefix_len; bit++) {
		if (random_below(4) == 0 || bit == 1)
			e.bytes[bit / 8] |= (uint8_t)(random_below(2) << (7 - bit % 8));
	}
	e.exclude = random_below(3) == 0;
	e.loopback = !e.exclude && e.prefix_len == 32 && random_below(2);
	e.port_first = range[0];
	e.port_last = range[1];
	return e;
}

static bool
covers(const struct entry *e, const struct destination *d)
{
	if (e->family != d->family || d->port < e->port_first || d->port > e->port_last)
		return false;
	for (unsigned bit = 0; bit < e->prefix_len; bit++) {
		if ((e->bytes[bit / 8] ^ d->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	}
	return e->exclude || e->loopback == d->local;
}

/* sshuttle(8): narrower port range, then longer prefix, then exclude. */
static bool
beats(const struct entry *a, const struct entry *b)
{
	int wa = a->port_last - a->port_first, wb = b->port_last - b->port_first;

	if (wa != wb)
		return wa < wb;
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len > b->prefix_len;
	return a->exclude && !b->exclude;
}

static bool
reference(const struct entry *e, size_t n, const struct destination *d)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (covers(&e[i], d) && (best == NULL || beats(&e[i], best)))
			best = &e[i];
	}
	return best != NULL && !best->exclude;
}

/* As the kernel does it: rule by rule, each a mask, a set and a port range. */
static bool
by_tiers(const struct entry *e, size_t n, const struct destination *d)
{
	for (size_t i = 0, end; i < n; i = end) {
		end = tier_end(e, n, i);
		if (!tier_applies(&e[i], d->local))
			continue;
		for (size_t k = i; k < end; k++) {
			struct entry member = e[i]; /* the rule; only the address differs */

			memcpy(member.bytes, e[k].bytes, sizeof member.bytes);
			if (covers(&member, d))
				return !e[i].exclude;
		}
	}
	return false;
}

static struct destination
random_destination(const struct entry *e, size_t n)
{
	static const uint16_t ports[] = {0, 1, 79, 80, 81, 85, 89, 90, 94, 95, 443, 65535};
	const struct entry *near = &e[random_below((uint32_t)n)];
	struct destination d = {.family = near->family,
	    .port = ports[random_below(sizeof ports / sizeof *ports)],
	    .local = random_below(2)};

	memcpy(d.bytes, near->bytes, sizeof d.bytes);
	if (random_below(2))
		d.bytes[random_below(4)] ^= (uint8_t)(1u << random_below(8));
	return d;
}

static void
test_random(void **state)
{
	struct entry asked[MOST], sorted[MOST];
	unsigned captured = 0;

	(void)state;
	for (int c = 0; c < CASES; c++) {
		size_t n = 1 + random_below(MOST);

		for (size_t i = 0; i < n; i++)
			asked[i] = random_entry();
		memcpy(sorted, asked, sizeof sorted);
		size_t kept = tiers_sort(sorted, n);
		for (int p = 0; p < PROBES; p++) {
			struct destination d = random_destination(asked, n);
			bool want = reference(asked, n, &d);

			assert_int_equal(by_tiers(sorted, kept, &d), want);
			captured += want;
		}
	}
	assert_in_range(captured, CASES * PROBES / 10, CASES * PROBES * 9 / 10);
}

static void
test_duplicates(void **state)
{
	static struct entry many[FW_MAX_NETS];

	(void)state;
	for (size_t i = 0; i < FW_MAX_NETS; i++) {
		many[i] = (struct entry){.family = 4, .prefix_len = 24, .port_last = 65535};
		many[i].bytes[1] = (uint8_t)(i % 100);
	}
	assert_int_equal(tiers_sort(many, FW_MAX_NETS), 100);
	assert_int_equal(tier_end(many, 100, 0), 100);
	assert_int_equal(tiers_sort(many, 0), 0);
	assert_int_equal(tiers_sort(many, 1), 1);
}

/* What the order of the rules will be, written down. */
static void
test_order(void **state)
{
	struct entry e[] = {
	    {.family = 6, .prefix_len = 128, .port_first = 1, .port_last = 1},
	    {.family = 4, .prefix_len = 0, .port_last = 65535},
	    {.family = 4, .prefix_len = 8, .port_last = 65535},
	    {.family = 4, .prefix_len = 8, .port_last = 65535, .exclude = true},
	    {.family = 4, .prefix_len = 32, .port_last = 65535},
	    {.family = 4, .prefix_len = 0, .port_first = 80, .port_last = 89},
	    {.family = 4, .prefix_len = 0, .port_first = 443, .port_last = 443, .exclude = true},
	    {.family = 4, .prefix_len = 0, .port_first = 22, .port_last = 22, .exclude = true},
	};
	static const size_t want[] = {7, 6, 5, 4, 3, 2, 1, 0};
	struct entry sorted[8];

	(void)state;
	memcpy(sorted, e, sizeof e);
	assert_int_equal(tiers_sort(sorted, 8), 8);
	for (size_t i = 0; i < 8; i++) {
		assert_memory_equal(&sorted[i], &e[want[i]], sizeof *e);
		assert_int_equal(tier_end(sorted, 8, i), i + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_duplicates),
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
