/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A subnet as a user writes it. Byte 0 is the size of the buffer for the message. */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "resolver.h"

static void
check(const struct target *t)
{
	struct net_list list = {0};
	char why[256];

	if (t->width < -1 || t->width > 128 || t->port_first > t->port_last ||
	    memchr(t->host, '\0', sizeof t->host) == NULL || t->host[0] == '\0' ||
	    t->host[0] == '-')
		abort();
	int r = target_resolve(t, &list, why, sizeof why);
	if ((r == 0) != (list.count > 0))
		abort();
	for (size_t i = 0; i < list.count; i++) {
		struct addr masked = list.net[i].addr;
		addr_mask(&masked, list.net[i].width);
		if (list.net[i].width > addr_bits(&masked) ||
		    !addr_equal(&masked, &list.net[i].addr))
			abort();
	}
	net_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct target t;

	if (len < 2)
		return 0;
	size_t size = data[0] == 0 ? 1 : data[0];
	char *why = malloc(size), *text = malloc(len);
	if (why == NULL || text == NULL)
		abort();
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	why[0] = '\0';
	int r = target_parse(&t, text, false, why, size);
	if (r == 0)
		check(&t);
	else if (size > 1 && why[0] == '\0')
		abort(); /* refused without a word */
	free(text);
	free(why);
	return 0;
}
