/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splits -e COMMAND into words; see words.h. The rules are XCU 2.2, without expansion. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

struct splitter {
	const char *at;
	char *out;
};

/* Inside double quotes a backslash keeps only these; elsewhere it keeps anything. */
static bool
escapes(char next, bool quoted)
{
	return next != '\0' && (!quoted || strchr("\\\"$`", next) != NULL);
}

/* Copy up to the closing quote. Returns false if there is none. */
static bool
copy_quoted(struct splitter *s, char quote)
{
	for (s->at++; *s->at != quote; s->at++) {
		if (*s->at == '\0')
			return false;
		if (quote == '"' && *s->at == '\\' && escapes(s->at[1], true))
			s->at++;
		*s->out++ = *s->at;
	}
	s->at++;
	return true;
}

static bool
copy_word(struct splitter *s)
{
	while (*s->at != '\0' && strchr(" \t\n", *s->at) == NULL) {
		if (*s->at == '\'' || *s->at == '"') {
			if (!copy_quoted(s, *s->at))
				return false;
			continue;
		}
		if (*s->at == '\\' && escapes(s->at[1], false))
			s->at++;
		*s->out++ = *s->at++;
	}
	*s->out++ = '\0';
	return true;
}

char **
words_split(const char *text)
{
	size_t len = strlen(text);
	/* One block: pointers, then the words, which are never longer than the text. */
	char **words = calloc(1, (len / 2 + 2) * sizeof *words + len + 2);
	struct splitter s;
	size_t n = 0;

	if (words == NULL)
		return NULL;
	s.at = text;
	s.out = (char *)(words + len / 2 + 2);
	for (;;) {
		s.at += strspn(s.at, " \t\n");
		if (*s.at == '\0')
			return words;
		words[n++] = s.out;
		if (!copy_word(&s)) {
			free(words);
			errno = EINVAL;
			return NULL;
		}
	}
}

void
words_free(char **words)
{
	free(words);
}
