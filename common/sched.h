/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHED_H
#define SCHED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Who sends next on a lane. Two queues of streams that have something to send: fresh, those that
 * were idle, and bulk. Fresh ones go first, so that a keystroke or a new connection never stands
 * behind a download; who sends more than SCHED_SPARSE bytes without running dry is bulk, and bulk
 * goes round and round, one quantum each.
 */
enum {
	SCHED_QUANTUM = 128 * 1024,
	SCHED_SPARSE = 32 * 1024,
};

enum sched_queue { SCHED_NONE, SCHED_FRESH, SCHED_BULK };

/* Embedded in a stream. All zero: not queued, idle. */
struct sched_node {
	struct sched_node *next, *prev;
	enum sched_queue queue;
	size_t burst; /* bytes sent since it last ran dry */
};

struct sched {
	struct sched_node fresh, bulk; /* list heads */
};

void sched_init(struct sched *s);
/* Queue n behind its like; nothing if it is queued. */
void sched_add(struct sched *s, struct sched_node *n);
void sched_remove(struct sched_node *n);
/* The next to send, taken off its queue, or NULL. */
struct sched_node *sched_next(struct sched *s);
bool sched_empty(const struct sched *s);
/* n sent len bytes. */
void sched_charge(struct sched_node *n, size_t len);
/* n has nothing more to send for now. */
void sched_dry(struct sched_node *n);

#endif
