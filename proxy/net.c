/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets and networks; see net.h. Strict where sshuttle guesses: what it would have taken for
 * something else is an error with a hint.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum { PORT_MAX = 65535 };

__attribute__((format(printf, 3, 4))) static int
bad(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* All of text as a decimal number of at most max; -1 if it is anything else. */
static long
number(const char *text, long max)
{
	long v = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || v > max)
			return -1;
		v = v * 10 + (*text - '0');
	}
	return v <= max ? v : -1;
}

static int
parse_ports(struct target *t, char *text, char *why, size_t size)
{
	char *dash = strchr(text, '-');
	const char *last = text;

	if (dash != NULL) {
		*dash = '\0';
		last = dash + 1;
	}
	long first_port = number(text, PORT_MAX), last_port = number(last, PORT_MAX);
	if (first_port < 1 || last_port < 1)
		return bad(why, size, "'%s': ports are numbers from 1 to 65535", t->text);
	if (first_port > last_port)
		return bad(why, size, "'%s': the port range runs backwards; write %ld-%ld", t->text,
		    last_port, first_port);
	t->port_first = (uint16_t)first_port;
	t->port_last = (uint16_t)last_port;
	return 0;
}

static int
parse_width(struct target *t, char *text, char *why, size_t size)
{
	long width = number(text, 128);

	if (width == -1)
		return bad(why, size,
		    "'%s': the width behind / is a number from 0 to 32 (IPv4) or "
		    "128 (IPv6)",
		    t->text);
	t->width = (int)width;
	return 0;
}

static bool
is_ipv4(const char *host)
{
	struct in_addr in;

	return inet_pton(AF_INET, host, &in) == 1;
}

static bool
is_ipv6(const char *host)
{
	struct in6_addr in6;

	return inet_pton(AF_INET6, host, &in6) == 1;
}

static bool
is_mapped(const char *host)
{
	struct in6_addr in6;

	return inet_pton(AF_INET6, host, &in6) == 1 && IN6_IS_ADDR_V4MAPPED(&in6);
}

/* "10/8", "10.1/16", "10.1.2/24": components left out are zero, as in sshuttle 0.54. */
static void
fill_components(struct target *t)
{
	unsigned dots = 0;
	size_t len = strlen(t->host);

	if (t->width == -1 || strspn(t->host, "0123456789.") != len)
		return;
	for (size_t i = 0; i < len; i++)
		dots += t->host[i] == '.';
	while (dots++ < 3 && len + 3 < sizeof t->host) {
		strcpy(t->host + len, ".0");
		len += 2;
	}
}

static bool
is_name(const char *host)
{
	size_t len = strlen(host);

	if (len == 0 || len > 253 || host[0] == '-' || host[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && strchr("-_.", host[i]) == NULL)
			return false;
	/* A last label of digits is a mistyped address, never a name (RFC 3696 section 2); and
	   getaddrinfo(3) takes hexadecimal ones for addresses too: 0x7f is 0.0.0.127. */
	const char *label = strrchr(host, '.');
	label = label != NULL && label[1] != '\0' ? label + 1 : host;
	const char *digits = "0123456789";
	if (strncasecmp(label, "0x", 2) == 0) {
		label += 2;
		digits = "0123456789abcdefABCDEF";
	}
	return strspn(label, digits) != strlen(label);
}

static int
check_host(struct target *t, char *why, size_t size)
{
	fill_components(t);
	bool v4 = is_ipv4(t->host), v6 = is_ipv6(t->host);
	int most = v4 ? 32 : 128;

	if (strchr(t->host, '%') != NULL)
		return bad(why, size, "'%s': an address with a zone cannot be forwarded", t->text);
	if (is_mapped(t->host))
		return bad(why, size, "'%s': write the IPv4 address itself", t->text);
	if (!v4 && !v6 && !is_name(t->host))
		return bad(why, size, "'%s' is not an address, a subnet or a host name", t->text);
	if ((v4 || v6) && t->width > most)
		return bad(
		    why, size, "'%s': the width behind / is a number from 0 to %d", t->text, most);
	return 0;
}

/* Split off a width; what is left of part is the host. */
static int
parse_host(struct target *t, char *part, char *why, size_t size)
{
	char *slash = strchr(part, '/');

	if (slash != NULL) {
		*slash = '\0';
		if (parse_width(t, slash + 1, why, size) == -1)
			return -1;
	}
	if (strlen(part) >= sizeof t->host)
		return bad(why, size, "'%.60s...': too long for a host name", t->text);
	strcpy(t->host, part);
	return check_host(t, why, size);
}

static int
parse_bracketed(struct target *t, char *text, char *why, size_t size)
{
	char *end = strchr(text, ']');

	if (end == NULL)
		return bad(why, size, "'%s': the bracket is not closed", t->text);
	*end = '\0';
	char *rest = end + 1;
	char *slash = *rest == '/' ? rest : NULL;
	char *colon = strchr(rest, ':');
	if ((*rest != '\0' && *rest != '/' && *rest != ':') || (slash && strchr(text + 1, '/')))
		return bad(why, size, "'%s' is not [address/width]:port", t->text);
	if (colon != NULL) {
		*colon = '\0';
		if (parse_ports(t, colon + 1, why, size) == -1)
			return -1;
	}
	if (slash != NULL && parse_width(t, slash + 1, why, size) == -1)
		return -1;
	if (parse_host(t, text + 1, why, size) == -1)
		return -1;
	if (!is_ipv6(t->host))
		return bad(why, size, "'%s': brackets are for IPv6 addresses", t->text);
	return 0;
}

/* "::1:80" is an address, but whoever writes it means a port of ::1. */
static int
check_ambiguous(const struct target *t, char *why, size_t size)
{
	if (t->width != -1 || strncmp(t->host, "::1:", 4) != 0 || number(t->host + 4, PORT_MAX) < 1)
		return 0;
	return bad(why, size, "'%s': did you mean [::1]:%s? Write %s/128 for the address", t->text,
	    t->host + 4, t->host);
}

static int
parse_ipv6(struct target *t, char *text, char *why, size_t size)
{
	char *slash = strchr(text, '/');
	char *colon = slash != NULL ? strchr(slash, ':') : NULL;

	if (colon == NULL && slash == NULL && strchr(text, '-') != NULL)
		return bad(why, size,
		    "'%s': an IPv6 address with ports is written [address]:first-last", t->text);
	if (colon != NULL) {
		*colon = '\0';
		if (parse_ports(t, colon + 1, why, size) == -1)
			return -1;
	}
	if (parse_host(t, text, why, size) == -1)
		return -1;
	return check_ambiguous(t, why, size);
}

static int
parse_plain(struct target *t, char *text, char *why, size_t size)
{
	char *colon = strchr(text, ':');

	if (colon != NULL) {
		*colon = '\0';
		if (parse_ports(t, colon + 1, why, size) == -1)
			return -1;
	}
	return parse_host(t, text, why, size);
}

int
target_parse(struct target *t, const char *text, bool exclude, char *why, size_t size)
{
	char copy[512];

	*t = (struct target){.width = -1, .port_last = PORT_MAX, .exclude = exclude, .text = text};
	if (strlen(text) >= sizeof copy)
		return bad(
		    why, size, "'%.60s...' is not an address, a subnet or a host name", text);
	strcpy(copy, text);
	const char *colon = strchr(copy, ':');
	if (copy[0] == '[')
		return parse_bracketed(t, copy, why, size);
	if (colon != NULL && strchr(colon + 1, ':') != NULL)
		return parse_ipv6(t, copy, why, size);
	return parse_plain(t, copy, why, size);
}

/* ---- networks ---- */

static int
append(struct net_list *list, const struct net *n)
{
	if (list->count == list->size) {
		size_t size = list->size != 0 ? list->size * 2 : 64;
		struct net *p = realloc(list->net, size * sizeof *p);
		if (p == NULL)
			return -1;
		list->net = p;
		list->size = size;
	}
	list->net[list->count++] = *n;
	return 0;
}

static int
append_target(struct net_list *list, const struct target *t, const struct addr *a)
{
	struct net n = {.addr = *a,
	    .exclude = t->exclude,
	    .port_first = t->port_first,
	    .port_last = t->port_last};

	n.width = (uint8_t)(t->width == -1 ? (int)addr_bits(a) : t->width);
	n.addr.port = 0;
	addr_mask(&n.addr, n.width);
	return append(list, &n);
}

static int
check_name_width(const struct target *t, const struct addrinfo *all, char *why, size_t size)
{
	bool v4 = false, v6 = false;

	for (const struct addrinfo *ai = all; ai != NULL; ai = ai->ai_next) {
		v4 |= ai->ai_family == AF_INET;
		v6 |= ai->ai_family == AF_INET6;
	}
	if (t->width == -1)
		return 0;
	if (v4 && v6)
		return bad(why, size,
		    "'%s': %s has IPv4 and IPv6 addresses, so the mask of /%d is "
		    "not supported; give the addresses themselves",
		    t->text, t->host, t->width);
	if (v4 && t->width > 32)
		return bad(why, size, "'%s': the width behind / is a number from 0 to 32", t->text);
	return 0;
}

static int
resolve_all(const struct target *t, struct net_list *list, const struct addrinfo *all)
{
	for (const struct addrinfo *ai = all; ai != NULL; ai = ai->ai_next) {
		struct sockaddr_storage sa = {0};
		struct addr a;

		memcpy(&sa, ai->ai_addr, ai->ai_addrlen);
		if (addr_from_sockaddr(&a, &sa) == -1)
			continue;
		if (append_target(list, t, &a) == -1)
			return -1;
	}
	return 0;
}

int
target_resolve(const struct target *t, struct net_list *list, char *why, size_t size)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
	int r;

	if (is_ipv4(t->host) || is_ipv6(t->host))
		hints.ai_flags = AI_NUMERICHOST;
	r = getaddrinfo(t->host, NULL, &hints, &all);
	if (r != 0) {
		(void)bad(why, size, "'%s': cannot find the address of %s: %s", t->text, t->host,
		    r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return 1;
	}
	r = check_name_width(t, all, why, size);
	if (r == 0 && (r = resolve_all(t, list, all)) == -1)
		(void)bad(why, size, "out of memory");
	freeaddrinfo(all);
	return r;
}

static int
compare(const void *left, const void *right)
{
	const struct net *a = left, *b = right;
	int span_a = a->port_last - a->port_first, span_b = b->port_last - b->port_first;

	if (span_a != span_b)
		return span_a - span_b;
	if (a->width != b->width)
		return b->width - a->width;
	if (a->exclude != b->exclude)
		return b->exclude - a->exclude;
	if (a->addr.family != b->addr.family)
		return a->addr.family - b->addr.family;
	int r = memcmp(a->addr.bytes, b->addr.bytes, sizeof a->addr.bytes);
	return r != 0 ? r : a->port_first - b->port_first;
}

void
net_list_sort(struct net_list *list)
{
	if (list->count > 0)
		qsort(list->net, list->count, sizeof *list->net, compare);
}

void
net_list_free(struct net_list *list)
{
	free(list->net);
	*list = (struct net_list){0};
}
