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

enum {
	OVERHEAD = sizeof(struct bytes_chunk) + 16 /* malloc's own */,
	CHUNK_MIN = 512 - OVERHEAD,
	CHUNK_MAX = 32 * 1024 - OVERHEAD,
};

static struct bytes_chunk *
chunk_new(size_t len)
{
	size_t size = len < CHUNK_MIN ? CHUNK_MIN : len > CHUNK_MAX ? CHUNK_MAX : len;
	struct bytes_chunk *c = malloc(sizeof *c + size);

	if (c != NULL)
		*c = (struct bytes_chunk){.size = (uint32_t)size};
	return c;
}

static void
link_chain(struct bytes *q, struct bytes_chunk *head, struct bytes_chunk *tail)
{
	if (q->tail != NULL)
		q->tail->next = head;
	else
		q->head = head;
	q->tail = tail;
}

/* Fill an empty queue with a copy of data. */
static int
make_chain(struct bytes *q, const unsigned char *from, size_t len)
{
	while (len > 0) {
		struct bytes_chunk *c = chunk_new(len);

		if (c == NULL) {
			bytes_free(q);
			return -1;
		}
		size_t n = len < c->size ? len : c->size;
		memcpy(c->data, from, n);
		c->end = (uint32_t)n;
		link_chain(q, c, c);
		q->len += n;
		from += n;
		len -= n;
	}
	return 0;
}

int
bytes_put(struct bytes *q, const void *data, size_t len)
{
	const unsigned char *from = data;
	size_t room = q->tail != NULL ? q->tail->size - q->tail->end : 0;
	size_t now = len < room ? len : room;
	struct bytes more = {0};

	if (make_chain(&more, from + now, len - now) == -1)
		return -1;
	if (now > 0) {
		memcpy(q->tail->data + q->tail->end, from, now);
		q->tail->end += (uint32_t)now;
	}
	if (more.head != NULL)
		link_chain(q, more.head, more.tail);
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
