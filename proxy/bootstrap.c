/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the start of sshuttle-remote's output; see bootstrap.h. */
#include <string.h>

#include "bootstrap.h"

void
bootstrap_init(struct bootstrap *b, const char nonce[FRAME_NONCE])
{
	*b = (struct bootstrap){0};
	memcpy(b->mark, FRAME_SYNC, FRAME_SYNC_LEN);
	memcpy(b->mark + FRAME_SYNC_LEN, nonce, FRAME_NONCE);
}

static void
add_noise(struct bootstrap *b, uint8_t c)
{
	if (b->noise < BOOTSTRAP_NOISE_KEPT)
		b->kept[b->noise] = c != 0 ? (char)c : ' '; /* it ends no text */
	b->noise++;
}

/*
 * The longest start of the mark that what was matched, followed by c, ends with. The mark is
 * short and mismatches inside it are rare, so it is simply tried.
 */
static void
step(struct bootstrap *b, uint8_t c)
{
	uint8_t seen[BOOTSTRAP_MARK + 1];
	size_t n = b->matched;

	memcpy(seen, b->mark, n);
	seen[n++] = c;
	for (size_t skip = 0; skip < n; skip++) {
		if (memcmp(seen + skip, b->mark, n - skip) == 0) {
			b->matched = n - skip;
			return;
		}
		add_noise(b, seen[skip]);
	}
	b->matched = 0;
}

enum bootstrap_verdict
bootstrap_take(struct bootstrap *b, const uint8_t *untrusted, size_t len, size_t *used)
{
	for (size_t i = 0; i < len; i++) {
		step(b, untrusted[i]);
		if (b->matched == BOOTSTRAP_MARK) {
			*used = i + 1;
			return BOOTSTRAP_FOUND;
		}
		if (b->noise > BOOTSTRAP_NOISE_MAX)
			return BOOTSTRAP_TOO_MUCH;
	}
	*used = len;
	return BOOTSTRAP_MORE;
}
