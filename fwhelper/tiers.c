/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Precedence of subnets. The whole order is one number per entry, so that "sorts before" and
 * "belongs to the same tier" cannot disagree. Heapsort: in place, no worst case, and unlike
 * libc's qsort it needs neither memory nor a system call inside the filter.
 */
#include <string.h>

#include "tiers.h"

/* From the most significant: family, ports covered, prefix, verdict, which ports, kind. */
static uint64_t
tier_key(const struct entry *e)
{
	uint64_t key = e->family == 6;

	key = key << 16 | (uint16_t)(e->port_last - e->port_first);
	key = key << 8 | (uint8_t)(128 - e->prefix_len);
	key = key << 1 | !e->exclude;
	key = key << 16 | e->port_first;
	return key << 1 | e->loopback;
}

static int
compare(const struct entry *a, const struct entry *b)
{
	uint64_t ka = tier_key(a), kb = tier_key(b);

	if (ka != kb)
		return ka < kb ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static void
swap(struct entry *a, struct entry *b)
{
	struct entry t = *a;

	*a = *b;
	*b = t;
}

/* Let the entry at root sink until none below it is greater. */
static void
sift_down(struct entry *e, size_t root, size_t count)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && compare(&e[child], &e[child + 1]) < 0)
			child++;
		if (compare(&e[root], &e[child]) >= 0)
			return;
		swap(&e[root], &e[child]);
	}
}

size_t
tiers_sort(struct entry *e, size_t count)
{
	size_t kept = 0;

	for (size_t i = count / 2; i > 0; i--)
		sift_down(e, i - 1, count);
	for (size_t last = count; last > 1; last--) {
		swap(&e[0], &e[last - 1]);
		sift_down(e, 0, last - 1);
	}
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare(&e[kept - 1], &e[i]) != 0)
			e[kept++] = e[i];
	}
	return kept;
}

size_t
tier_end(const struct entry *e, size_t count, size_t start)
{
	size_t end = start + 1;

	while (end < count && tier_key(&e[end]) == tier_key(&e[start]))
		end++;
	return end;
}

size_t
tiers_count(const struct entry *e, size_t count)
{
	size_t tiers = 0;

	for (size_t i = 0; i < count; i = tier_end(e, count, i))
		tiers++;
	return tiers;
}

bool
tier_applies(const struct entry *e, bool local)
{
	return e->exclude || e->loopback == local;
}
