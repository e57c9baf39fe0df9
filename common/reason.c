/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns errno into a number that means the same at both ends, and into words; see reason.h. */
#include <errno.h>
#include <stddef.h>

#include "reason.h"

static const struct {
	enum reason reason;
	int err;
	const char *text;
} table[] = {
#define X(name, number, err, text) {REASON_##name, err, text},
    REASONS(X)
#undef X
};

enum { COUNT = sizeof table / sizeof *table };

enum reason
reason_from_errno(int err)
{
	if (err == EPIPE)
		return REASON_RESET;
	if (err == EPERM)
		return REASON_DENIED;
	if (err == ENFILE)
		return REASON_NO_DESCRIPTORS;
	if (err == ENETDOWN)
		return REASON_NET_UNREACHABLE;
	for (size_t i = 1; i < COUNT; i++)
		if (table[i].err == err)
			return table[i].reason;
	return REASON_OTHER;
}

enum reason
reason_from_wire(unsigned number)
{
	for (size_t i = 0; i < COUNT; i++)
		if ((unsigned)table[i].reason == number)
			return table[i].reason;
	return REASON_OTHER;
}

const char *
reason_text(enum reason r)
{
	for (size_t i = 0; i < COUNT; i++)
		if (table[i].reason == r)
			return table[i].text;
	return "failed";
}
