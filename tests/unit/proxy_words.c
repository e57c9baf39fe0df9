/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of a command line, quoted as in a shell; and the real shell agrees. */
#include "unit.h"

#include <sys/wait.h>

#include "words.h"

/* The words, each behind a <, joined. */
static void
join(char *out, size_t size, char **words)
{
	size_t len = 0;

	out[0] = '\0';
	for (; *words != NULL; words++)
		len += (size_t)snprintf(out + len, size - len, "<%s", *words);
}

static void
test_good(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
	    {"", ""},
	    {" \t\n", ""},
	    {"ssh", "<ssh"},
	    {"  ssh \t-v\n", "<ssh<-v"},
	    {"ssh -o 'ProxyCommand=nc %h %p'", "<ssh<-o<ProxyCommand=nc %h %p"},
	    {"a\"b c\"d", "<ab cd"},
	    {"'a''b'\"c\"d", "<abcd"},
	    {"'' \"\"", "<<"},
	    {"a '' b", "<a<<b"},
	    {"a\\ b", "<a b"},
	    {"\\'a\\'", "<'a'"},
	    {"\\\\", "<\\"},
	    {"'a\\'", "<a\\"},
	    {"\"a\\\"b\\\\c\\$d\\`e\\n\"", "<a\"b\\c$d`e\\n"},
	    {"\"'\" '\"'", "<'<\""},
	    {"$HOME `x` *", "<$HOME<`x`<*"}, /* nothing is expanded */
	    {"a;b|c&d", "<a;b|c&d"},
	    {"a#b", "<a#b"},
	    {"caf\xc3\xa9 \xff", "<caf\xc3\xa9<\xff"},
	};
	char got[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char **words = words_split(rows[i].text);

		assert_non_null(words);
		join(got, sizeof got, words);
		assert_string_equal(got, rows[i].words);
		words_free(words);
	}
	words_free(NULL);
}

static void
test_open_quote(void **state)
{
	static const char *const rows[] = {
	    "'", "\"", "ssh '", "'a\\'b'", "\"a\\\"", "\"\\", "a \"b' c"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		errno = 0;
		assert_null(words_split(rows[i]));
		assert_int_equal(errno, EINVAL);
	}
}

/* What /bin/sh makes of the same text, read back from printf(1). */
static void
ask_shell(const char *text, char *out, size_t size)
{
	char script[256];
	int p[2], status;

	(void)snprintf(
	    script, sizeof script, "set -f; for w in %s; do printf '<%%s' \"$w\"; done", text);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		close(STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(p[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		strcpy(out, "?");
}

static void
test_as_shell(void **state)
{
	static const char alphabet[] = "aa  ''\"\"\\";
	uint64_t seed = 4;
	char text[16], shell[128], got[128];

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t len = unit_random(&seed) % 10 + 1;
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[unit_random(&seed) % (sizeof alphabet - 1)];
		/* At the very end a backslash would quote our own script. */
		if (text[len - 1] == '\\')
			text[len - 1] = 'a';
		text[len] = '\0';
		ask_shell(text, shell, sizeof shell);
		char **words = words_split(text);
		if (words == NULL) {
			assert_string_equal(shell, "?");
			continue;
		}
		join(got, sizeof got, words);
		if (strcmp(got, shell) != 0)
			fail_msg("%s: %s, but sh says %s", text, got, shell);
		words_free(words);
	}
}

/* The block is sized by the text: the tightest texts, for the sanitizer. */
static void
test_sizes(void **state)
{
	char text[302];

	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		for (size_t i = 0; i < len; i++)
			text[i] = i % 2 ? ' ' : 'a';
		text[len] = '\0';
		char **words = words_split(text);
		assert_non_null(words);
		size_t n = 0;
		while (words[n] != NULL)
			n++;
		assert_int_equal(n, (len + 1) / 2);
		words_free(words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_open_quote),
	    cmocka_unit_test(test_as_shell),
	    cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
