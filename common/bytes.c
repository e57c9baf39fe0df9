/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte queue in chunks; see bytes.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "log.h"

struct bytes_chunk {
	struct bytes_chunk *next;
	uint32_t start, end, size;
	unsigned char data[];
};

enum { CHUNK_MIN = 4096 - sizeof(struct bytes_chunk) - 16 /* malloc's own */ };

static struct bytes_chunk *
chunk_new(size_t len)
{
	size_t size = len > CHUNK_MIN ? len : CHUNK_MIN;
	struct bytes_chunk *c = malloc(sizeof *c + size);

	if (c != NULL)
		*c = (struct bytes_chunk){.size = (uint32_t)size};
	return c;
}

int
bytes_put(struct bytes *q, const void *data, size_t len)
{
	const unsigned char *from = data;
	size_t room = q->tail != NULL ? q->tail->size - q->tail->end : 0;
	size_t now = len < room ? len : room;
	struct bytes_chunk *c = NULL;

	if (len > now && (c = chunk_new(len - now)) == NULL)
		return -1;
	if (now > 0) {
		memcpy(q->tail->data + q->tail->end, from, now);
		q->tail->end += (uint32_t)now;
	}
	if (c != NULL) {
		memcpy(c->data, from + now, len - now);
		c->end = (uint32_t)(len - now);
		if (q->tail != NULL)
			q->tail->next = c;
		else
			q->head = c;
		q->tail = c;
	}
	q->len += len;
	return 0;
}

int
bytes_peek(const struct bytes *q, struct iovec *iov, int max)
{
	int n = 0;

	for (struct bytes_chunk *c = q->head; c != NULL && n < max; c = c->next) {
		iov[n].iov_base = c->data + c->start;
		iov[n].iov_len = c->end - c->start;
		n++;
	}
	return n;
}

void
bytes_drop(struct bytes *q, size_t n)
{
	if (n > q->len)
		bug("bytes_drop: more than there is");
	q->len -= n;
	while (n > 0) {
		struct bytes_chunk *c = q->head;
		size_t have = c->end - c->start;

		if (n < have) {
			c->start += (uint32_t)n;
			return;
		}
		n -= have;
		q->head = c->next;
		if (q->head == NULL)
			q->tail = NULL;
		free(c);
	}
}

void
bytes_free(struct bytes *q)
{
	bytes_drop(q, q->len);
}
