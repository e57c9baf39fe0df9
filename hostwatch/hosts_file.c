/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads hosts(5); see hosts_file.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "hosts_file.h"

enum { LINE_LENGTH = 1024 };

ssize_t
hosts_file_read(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Letters, digits, hyphens and underscores in labels of 1 to 63, 253 in all (RFC 1123 2.1). */
static bool
is_host_name(const char *name)
{
	size_t label = 0, all = strlen(name);

	if (all == 0 || all > 253 || strcmp(name, "localhost") == 0)
		return false;
	for (size_t i = 0; i < all; i++) {
		bool hyphen = name[i] == '-';
		bool letter = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_",
				  name[i]) != NULL;

		if (name[i] == '.') {
			if (label == 0 || name[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if ((!letter && !hyphen) || (hyphen && label == 0) || ++label > 63)
			return false;
	}
	return label > 0 && name[all - 1] != '-';
}

static bool
is_address(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) != 127;
	return inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_LOOPBACK(&v6);
}

static void
take_line(char *line, void (*each)(const char *, const char *))
{
	char *save = NULL;

	line[strcspn(line, "#")] = '\0';
	const char *address = strtok_r(line, " \t\r", &save);
	if (address == NULL || !is_address(address))
		return;
	for (const char *name = strtok_r(NULL, " \t\r", &save); name != NULL;
	     name = strtok_r(NULL, " \t\r", &save))
		if (is_host_name(name))
			each(name, address);
}

void
hosts_file_each(const char *text, size_t len, void (*each)(const char *name, const char *address))
{
	char line[LINE_LENGTH];

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : len;

		if (n < sizeof line && memchr(text, '\0', n) == NULL) {
			memcpy(line, text, n);
			line[n] = '\0';
			take_line(line, each);
		}
		n += end != NULL;
		text += n;
		len -= n;
	}
}
