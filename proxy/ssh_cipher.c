/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the cheaper of ssh's default ciphers where nobody has chosen; see ssh_cipher.h. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "child.h"
#include "ssh_cipher.h"

enum { MAX_WORDS = 64, CONFIG_MAX = 64 * 1024, ANSWER_MS = 2000 };

static bool
has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & (1 << 3); /* HWCAP_AES */
#else
	return false;
#endif
}

/* Read fd to its end, or until nothing comes for a while. */
static size_t
read_answer(int fd, char *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, ANSWER_MS) != 1)
			break;
		ssize_t n = read(fd, out + len, size - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

/* The value of "ciphers" that argv prints as effective configuration. -1: it prints none. */
static int
ask_ciphers(const char *const *argv, char *value, size_t size)
{
	static char config[CONFIG_MAX + 1];
	struct child c;
	int out[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = -1;

	if (null == -1)
		return -1;
	if (pipe2(out, O_CLOEXEC) == -1) {
		close(null);
		return -1;
	}
	struct child_setup setup = {.argv = argv, .fds = {null, out[1], null}, .fd_count = 3,
	    .ignore_interrupt = true, .die_with_parent = true};
	r = child_start(&c, &setup);
	close(out[1]);
	close(null);
	if (r == 0) {
		config[read_answer(out[0], config, CONFIG_MAX)] = '\0';
		child_stop(&c, 0);
	}
	close(out[0]);
	const char *line = r == 0 ? strstr(config, "\nciphers ") : NULL;
	if (line == NULL)
		return -1;
	line += strlen("\nciphers ");
	(void)snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

const char *
ssh_cipher_option(const struct options *o)
{
	static const char wanted[] = "aes128-gcm@openssh.com";
	const char *plain[] = {o->ssh_command[0], "-F", "none", "-G", "host", NULL};
	const char *mine[MAX_WORDS + 4];
	char by_default[2048], configured[2048];
	size_t n = 0;

	if (!has_aes())
		return NULL;
	while (o->ssh_command[n] != NULL && n < MAX_WORDS) {
		mine[n] = o->ssh_command[n];
		n++;
	}
	mine[n++] = "-G";
	mine[n++] = o->remote.destination;
	mine[n] = NULL;
	if (ask_ciphers(plain, by_default, sizeof by_default) == -1 ||
	    ask_ciphers(mine, configured, sizeof configured) == -1)
		return NULL;
	if (strcmp(by_default, configured) != 0 || strstr(by_default, wanted) == NULL)
		return NULL;
	return "Ciphers=^aes128-gcm@openssh.com";
}
