/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Understands -r; see remote.h. Nothing of it may become an option or a second word for ssh. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote.h"

static int
bad(char *why, size_t size, const char *text, const char *how)
{
	(void)snprintf(why, size, "-r '%.100s': %s", text, how);
	return -1;
}

/* Split host[:port] or [v6]:port in place; returns the port text, "" if none, NULL if wrong. */
static const char *
split_port(char **host)
{
	char *colon = strchr(*host, ':');

	if (**host == '[') {
		char *end = strchr(*host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return NULL;
		colon = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		(*host)++;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		return ""; /* a bare IPv6 address */
	}
	if (colon == NULL)
		return "";
	*colon = '\0';
	return colon + 1;
}

static int
check_port(struct remote *r, const char *port)
{
	size_t len = strlen(port);

	if (len > 5 || strspn(port, "0123456789") != len)
		return -1;
	if (len > 0 && (atoi(port) < 1 || atoi(port) > 65535))
		return -1;
	strcpy(r->port, port);
	return 0;
}

int
remote_parse(struct remote *r, const char *text, char *why, size_t size)
{
	char copy[sizeof r->destination];
	const char *at = strrchr(text, '@');

	*r = (struct remote){0};
	if (strlen(text) >= sizeof copy)
		return bad(why, size, text, "too long");
	for (const char *p = text; *p != '\0'; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
			return bad(why, size, text, "a blank or control character in it");
	size_t user_len = at != NULL ? (size_t)(at - text) : 0;
	if (at != NULL && user_len == 0)
		return bad(why, size, text, "the user before @ is empty");
	if (text[0] == '-')
		return bad(why, size, text, "it may not start with '-'");
	if (at != NULL && memchr(text, ':', user_len) != NULL)
		return bad(why, size, text,
		    "a password does not belong on a command line; let ssh ask for it");

	strcpy(copy, at != NULL ? at + 1 : text);
	char *host = copy;
	const char *port = split_port(&host);
	if (port == NULL || check_port(r, port) == -1)
		return bad(why, size, text,
		    "expected [user@]host[:port] or [user@][v6address]:port, "
		    "with a port from 1 to 65535");
	if (*host == '\0')
		return bad(why, size, text, "the host is empty");
	if (*host == '-')
		return bad(why, size, text, "a host may not start with '-'");
	/* Fits: it is what was given, less brackets and port. */
	size_t prefix = at != NULL ? user_len + 1 : 0;
	memcpy(r->destination, text, prefix);
	strcpy(r->destination + prefix, host);
	return 0;
}
