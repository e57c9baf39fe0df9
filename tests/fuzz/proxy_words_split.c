/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -e COMMAND. The words hold no byte that was not in the text, and quoted again give themselves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

/* Each word in single quotes. */
static char *
quote(char **words, size_t len)
{
	char *out = malloc(6 * len + 16), *p = out;

	if (out == NULL)
		abort();
	for (; *words != NULL; words++) {
		*p++ = '\'';
		for (const char *c = *words; *c != '\0'; c++) {
			if (*c == '\'') {
				memcpy(p, "'\\''", 4);
				p += 4;
			} else {
				*p++ = *c;
			}
		}
		*p++ = '\'';
		*p++ = ' ';
	}
	*p = '\0';
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	size_t n = 0, total = 0;

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	char **words = words_split(text);
	if (words != NULL) {
		for (; words[n] != NULL; n++)
			total += strlen(words[n]);
		if (total > strlen(text))
			abort();
		char *again = quote(words, len);
		char **same = words_split(again);
		for (size_t i = 0; i <= n; i++)
			if (same == NULL || (same[i] == NULL) != (words[i] == NULL) ||
			    (words[i] != NULL && strcmp(same[i], words[i]) != 0))
				abort();
		words_free(same);
		free(again);
	}
	words_free(words);
	free(text);
	return 0;
}
