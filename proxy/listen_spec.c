/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Understands -l; see listen_spec.h. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fwproto.h"
#include "listen_spec.h"

static int
bad(char *why, size_t size, const char *item, const char *how)
{
	(void)snprintf(why, size, "-l '%.100s': %s", item, how);
	return -1;
}

static int
parse_port(struct addr *a, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return -1;
	int port = atoi(text);
	if (port > 65535 || (port != 0 && port < FW_MIN_PORT))
		return -1;
	a->port = (uint16_t)port;
	return 0;
}

static int
lookup(struct addr *a, const char *host)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *ai;
	struct sockaddr_storage sa = {0};

	if (getaddrinfo(host, NULL, &hints, &ai) != 0)
		return -1;
	memcpy(&sa, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	return addr_from_sockaddr(a, &sa);
}

/* Take "host:port", "[v6]:port", "host" or "port" apart, in place. */
static int
split(char *item, const char **host, const char **port)
{
	char *colon = strrchr(item, ':');

	*host = item;
	*port = "0";
	if (*item == '[') {
		char *end = strchr(item, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -1;
		*end = '\0';
		*host = item + 1;
		if (end[1] == ':')
			*port = end + 2;
	} else if (strspn(item, "0123456789") == strlen(item)) {
		*host = "127.0.0.1";
		*port = item;
	} else if (colon != NULL) {
		if (strchr(item, ':') != colon)
			return -1; /* IPv6 without brackets */
		*colon = '\0';
		*port = colon + 1;
	}
	return 0;
}

static int
parse_item(struct addr *a, const char *item, char *why, size_t size)
{
	char copy[300];
	const char *host, *port;

	if (strlen(item) >= sizeof copy || *item == '\0')
		return bad(why, size, item, "expected [ip:]port");
	strcpy(copy, item);
	if (split(copy, &host, &port) == -1)
		return bad(why, size, item,
		    "expected [ip:]port; an IPv6 address needs brackets: [::1]:12300");
	if (lookup(a, host) == -1)
		return bad(why, size, item, "cannot find this address");
	if (parse_port(a, port) == -1)
		return bad(why, size, item, "ports are numbers from 1024 to 65535, or 0 for any");
	return 0;
}

int
listen_spec_parse(
    struct addr *list, size_t max, size_t *count, const char *text, char *why, size_t size)
{
	char copy[1024], *save = NULL;

	if (strlen(text) >= sizeof copy)
		return bad(why, size, text, "too long");
	strcpy(copy, text);
	char *item = strtok_r(copy, ",", &save);
	if (item == NULL)
		return bad(why, size, text, "expected [ip:]port");
	for (; item != NULL; item = strtok_r(NULL, ",", &save)) {
		if (*count == max)
			return bad(why, size, text, "too many listeners");
		if (parse_item(&list[*count], item, why, size) == -1)
			return -1;
		(*count)++;
	}
	return 0;
}
