/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TIERS_H
#define TIERS_H

#include "session.h"

/*
 * A tier is all entries that one rule can judge: same family, port range, prefix length and
 * verdict. Tiers in order, first match wins, is sshuttle's precedence: narrower port ranges
 * first, then longer prefixes, then excludes before includes.
 */

enum {
	TIERS_MAX = 1024
}; /* each is a rule that a SYN has to pass, and a set to be found by name */

/* Put the entries into tier order, without duplicates. Returns how many are left. */
size_t tiers_sort(struct entry *entries, size_t count);

/* The tier that begins at start ends before the returned index. */
size_t tier_end(const struct entry *entries, size_t count, size_t start);

size_t tiers_count(const struct entry *entries, size_t count);

/*
 * Does e's tier apply to destinations on this machine (local), or to all others? Excludes apply to
 * both. A machine's own addresses are captured only where a single loopback address was
 * included by name: 0.0.0.0/0 must not cut a machine off from itself.
 */
bool tier_applies(const struct entry *e, bool local);

#endif
