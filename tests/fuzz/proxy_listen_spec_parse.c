/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -l, with a resolver of the target's own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "listen_spec.h"
#include "resolver.h"

enum { MAX = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct addr *list = calloc(MAX, sizeof *list);
	char why[100], *text = malloc(len + 1);
	size_t count = 0;

	if (text == NULL || list == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	why[0] = '\0';
	int r = listen_spec_parse(list, MAX, &count, text, why, sizeof why);
	if (count > MAX || (r == 0 && count == 0) || (r == -1 && why[0] == '\0'))
		abort();
	for (size_t i = 0; i < count; i++)
		if ((list[i].family != 4 && list[i].family != 6) ||
		    (list[i].port != 0 && list[i].port < 1024))
			abort();
	free(text);
	free(list);
	return 0;
}
