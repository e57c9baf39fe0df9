/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <sys/uio.h>

/*
 * A queue of bytes in heap chunks: what came for a socket that cannot take it now. Empty, it
 * owns no memory. Chunks have at least half a KiB, so many small pieces cost little more than their
 * bytes, and at most 32, which bounds what a large piece of which most was taken still holds. The
 * owner bounds the length (stream credit does).
 */
struct bytes_chunk;
struct bytes {
	struct bytes_chunk *head, *tail;
	size_t len;
};

/* Append a copy. Returns 0, or -1 with ENOMEM and nothing appended. */
int bytes_put(struct bytes *q, const void *data, size_t len);
/* Describe the first bytes in at most max slices; returns how many were filled. */
int bytes_peek(const struct bytes *q, struct iovec *iov, int max);
/* Forget the first n bytes, n <= len. */
void bytes_drop(struct bytes *q, size_t n);
void bytes_free(struct bytes *q);

#endif
