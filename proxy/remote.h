/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REMOTE_H
#define REMOTE_H

#include <stddef.h>

/* -r [USER@]HOST[:PORT], taken apart. HOST goes to ssh as it is written, so aliases work. */
struct remote {
	char destination[512]; /* [user@]host, without brackets; as long as what was given */
	char port[8];          /* "" if none */
};

/* -1: text is malformed, and why (size bytes) holds one sentence that says how. */
int remote_parse(struct remote *r, const char *text, char *why, size_t size);

#endif
