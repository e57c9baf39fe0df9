/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the user's ssh what it would do; see ssh_probe.h. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "ssh_probe.h"

enum { MAX_WORDS = 64, CONFIG_MAX = 64 * 1024, LIST_MAX = 2048, ANSWER_MS = 2000 };

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

static int
ms_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with a valid clock */
	return (
	    int)((now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000);
}

/* Read fd to its end, for ANSWER_MS at most. */
static size_t
read_answer(int fd, char *out, size_t size)
{
	struct timespec start;
	size_t len = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (len < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int left = ANSWER_MS - ms_since(&start);
		if (left <= 0 || poll(&p, 1, left) != 1)
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
	struct child_setup setup = {.argv = argv,
	    .fds = {null, out[1], null},
	    .fd_count = 3,
	    .ignore_interrupt = true,
	    .die_with_parent = true};
	r = child_start(&c, &setup);
	close(out[1]);
	close(null);
	if (r == 0) {
		config[read_answer(out[0], config, CONFIG_MAX)] = '\0';
		if (!child_stop(&c, 0))
			log_warn("%s -G (process %d) does not end", argv[0], (int)c.pid);
	}
	close(out[0]);
	const char *line = r == 0 ? strstr(config, "\nciphers ") : NULL;
	if (line == NULL)
		return -1;
	line += strlen("\nciphers ");
	(void)snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

/* What the configuration would become with SSH_PREFER_GCM. False: GCM is not in the list. */
static bool
move_to_front(char *out, size_t size, const char *list)
{
	static const char gcm[] = "aes128-gcm@openssh.com";
	size_t len = sizeof gcm - 1;
	int n = snprintf(out, size, "%s", gcm);
	bool found = false;

	while (*list != '\0') {
		size_t word = strcspn(list, ",");

		if (word == len && strncmp(list, gcm, len) == 0)
			found = true;
		else
			n += snprintf(out + n, size - (size_t)n, ",%.*s", (int)word, list);
		if ((size_t)n >= size)
			return false;
		list += word + (list[word] == ',');
	}
	return found;
}

void
ssh_probe(struct ssh_probe *p, const struct options *o)
{
	const char *preferred[] = {
	    o->ssh_command[0], "-F", "none", "-o", SSH_PREFER_GCM, "-G", "host", NULL};
	const char *mine[MAX_WORDS + 3];
	char configured[LIST_MAX], by_default[LIST_MAX], moved[LIST_MAX];
	size_t n = 0;

	while (n < MAX_WORDS && o->ssh_command[n] != NULL) {
		mine[n] = o->ssh_command[n];
		n++;
	}
	mine[n++] = "-G";
	mine[n++] = o->remote.destination;
	mine[n] = NULL;
	p->openssh = ask_ciphers(mine, configured, sizeof configured) == 0;
	p->prefer_gcm = p->openssh && has_aes() && move_to_front(moved, sizeof moved, configured) &&
	                ask_ciphers(preferred, by_default, sizeof by_default) == 0 &&
	                strcmp(moved, by_default) == 0;
}
