/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -r: nothing of it may become an option or a second word for ssh. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct remote r;
	char why[100];
	char *text = malloc(len + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	why[0] = '\0';
	if (remote_parse(&r, text, why, sizeof why) == -1) {
		if (why[0] == '\0')
			abort();
	} else {
		const char *at = strrchr(r.destination, '@');
		const char *host = at != NULL ? at + 1 : r.destination;

		if (r.destination[0] == '-' || *host == '-' || *host == '\0' || at == r.destination)
			abort();
		for (const unsigned char *p = (unsigned char *)r.destination; *p != '\0'; p++)
			if (*p <= ' ' || *p == 127)
				abort();
		long port = strtol(r.port, NULL, 10);
		if (strspn(r.port, "0123456789") != strlen(r.port) ||
		    (r.port[0] != '\0' && (port < 1 || port > 65535)))
			abort();
	}
	free(text);
	return 0;
}
