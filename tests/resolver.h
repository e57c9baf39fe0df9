/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RESOLVER_H
#define RESOLVER_H

/*
 * getaddrinfo(3) and freeaddrinfo(3) as this program's own: numbers as usual, and a few names that
 * are the same on every machine. Include it in the one file of a test or a fuzz target.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *name, *addr[3];
} resolver_names[] = {
    {"one.example", {"192.0.2.1"}},
    {"two.example", {"192.0.2.1", "198.51.100.2"}},
    {"six.example", {"2001:db8::6"}},
    {"both.example", {"192.0.2.1", "2001:db8::1"}},
};

void
freeaddrinfo(struct addrinfo *ai)
{
	while (ai != NULL) {
		struct addrinfo *next = ai->ai_next;
		free(ai);
		ai = next;
	}
}

static int
resolver_add(struct addrinfo **list, const char *text)
{
	struct node {
		struct addrinfo ai;
		struct sockaddr_storage sa;
	} *n = calloc(1, sizeof *n);
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (n == NULL)
		return EAI_MEMORY;
	n->ai.ai_addr = (struct sockaddr *)&n->sa;
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		n->ai.ai_family = AF_INET;
		n->ai.ai_addrlen = sizeof in;
		memcpy(&n->sa, &in, sizeof in);
	} else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
		n->ai.ai_family = AF_INET6;
		n->ai.ai_addrlen = sizeof in6;
		memcpy(&n->sa, &in6, sizeof in6);
	} else {
		free(n);
		return EAI_NONAME;
	}
	while (*list != NULL)
		list = &(*list)->ai_next;
	*list = &n->ai;
	return 0;
}

int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	(void)service;
	(void)hints;
	*list = NULL;
	for (size_t i = 0; i < sizeof resolver_names / sizeof *resolver_names; i++) {
		if (strcmp(resolver_names[i].name, name) != 0)
			continue;
		for (size_t j = 0; j < 3 && resolver_names[i].addr[j] != NULL; j++)
			if (resolver_add(list, resolver_names[i].addr[j]) != 0)
				return EAI_MEMORY;
		return 0;
	}
	return resolver_add(list, name);
}

#endif
