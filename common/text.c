/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes text of unknown origin harmless; see text.h. */
#include "text.h"

size_t
text_escape(char *out, size_t size, const char *untrusted, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)untrusted[i];

		if (c >= 0x20 && c < 0x7f) {
			if (n + 1 > size)
				break;
			out[n++] = (char)c;
			continue;
		}
		if (n + 4 > size)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}
