/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparse streams first, bulk in turn; see sched.h. */
#include "sched.h"

void
sched_init(struct sched *s)
{
	s->fresh.next = s->fresh.prev = &s->fresh;
	s->bulk.next = s->bulk.prev = &s->bulk;
}

void
sched_add(struct sched *s, struct sched_node *n)
{
	if (n->queue != SCHED_NONE)
		return;
	n->queue = n->burst > SCHED_SPARSE ? SCHED_BULK : SCHED_FRESH;
	struct sched_node *head = n->queue == SCHED_BULK ? &s->bulk : &s->fresh;
	n->next = head;
	n->prev = head->prev;
	head->prev->next = n;
	head->prev = n;
}

void
sched_remove(struct sched_node *n)
{
	if (n->queue == SCHED_NONE)
		return;
	n->next->prev = n->prev;
	n->prev->next = n->next;
	n->queue = SCHED_NONE;
}

struct sched_node *
sched_next(struct sched *s)
{
	struct sched_node *n = s->fresh.next;

	if (n == &s->fresh)
		n = s->bulk.next;
	if (n == &s->bulk)
		return NULL;
	sched_remove(n);
	return n;
}

bool
sched_empty(const struct sched *s)
{
	return s->fresh.next == &s->fresh && s->bulk.next == &s->bulk;
}

void
sched_charge(struct sched_node *n, size_t len)
{
	n->burst += len;
}

void
sched_dry(struct sched_node *n)
{
	n->burst = 0;
}
