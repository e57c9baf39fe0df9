/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server prints, in pieces: byte 0 is their size. The mark's bytes may be written as the
 * letters a to z and {, so that the fuzzer finds them. The verdict is compared with a plain search.
 */
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"

enum { INPUT_MAX = 2 * BOOTSTRAP_NOISE_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char nonce[] = "0011001100220000";
	static uint8_t bytes[INPUT_MAX];
	struct bootstrap b;
	size_t at = 0, used = 0;
	enum bootstrap_verdict v = BOOTSTRAP_MORE;

	if (len < 2 || len > INPUT_MAX)
		return 0;
	size_t step = data[0] == 0 ? len : data[0];
	data++;
	len--;
	bootstrap_init(&b, nonce);
	for (size_t i = 0; i < len; i++)
		bytes[i] = data[i] >= 'a' && data[i] < 'a' + BOOTSTRAP_MARK ? b.mark[data[i] - 'a']
		                                                            : data[i];
	while (v == BOOTSTRAP_MORE && at < len) {
		size_t n = len - at < step ? len - at : step;

		v = bootstrap_take(&b, bytes + at, n, &used);
		if (v == BOOTSTRAP_MORE && used != n)
			abort();
		at += v == BOOTSTRAP_FOUND ? used : n;
	}
	if (strlen(b.kept) > BOOTSTRAP_NOISE_KEPT)
		abort();
	const uint8_t *found = memmem(bytes, len, b.mark, BOOTSTRAP_MARK);
	size_t noise = found != NULL ? (size_t)(found - bytes) : len;
	if ((v == BOOTSTRAP_FOUND) != (found != NULL && noise <= BOOTSTRAP_NOISE_MAX))
		abort();
	if (v == BOOTSTRAP_FOUND && (at != noise + BOOTSTRAP_MARK || b.noise != noise))
		abort();
	return 0;
}
