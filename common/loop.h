/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * The event loop: epoll(7), a few timers, and memory that is freed only when no event can still
 * point to it. One thread, no signals (they arrive by signalfd as a loop_fd).
 */

/* One watched descriptor, embedded in its owner. */
struct loop_fd {
	int fd; /* -1: none */
	void (*ready)(struct loop_fd *f, uint32_t events);
};

/* A one-shot timer, embedded in its owner; all zero is a valid, idle one. */
struct loop_timer {
	struct loop_timer *next;
	uint64_t due; /* microseconds, CLOCK_MONOTONIC */
	bool armed;
	void (*fire)(struct loop_timer *t);
};

/* First member of whatever is freed through loop_defer_free(). */
struct loop_garbage {
	struct loop_garbage *next;
};

struct loop {
	int epoll_fd;
	bool stop;
	uint64_t now; /* microseconds, CLOCK_MONOTONIC, as of the last wake-up */
	struct loop_timer *timers;
	struct loop_garbage *garbage;
	struct epoll_event *batch; /* being handled */
	int batch_len;
	/* Called once after each batch of events, before the loop sleeps. May be NULL. */
	void (*after)(void *arg);
	void *after_arg;
};

/* Returns 0, or -1 with errno. */
int loop_init(struct loop *l);
/* Watch f->fd for events (EPOLLIN ...); -1 with errno. Closing the descriptor ends the watch. */
int loop_add(struct loop *l, struct loop_fd *f, uint32_t events);
int loop_change(struct loop *l, struct loop_fd *f, uint32_t events);
/* No event comes after it, also none that is in the batch already. */
void loop_remove(struct loop *l, struct loop_fd *f);
void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t delay_us);
void loop_timer_cancel(struct loop *l, struct loop_timer *t);
/* free(g) after the current batch; its events, if any are left in the batch, are dropped. */
void loop_defer_free(struct loop *l, struct loop_garbage *g);
/* Run until l->stop. Returns 0, or -1 with errno when epoll fails. */
int loop_run(struct loop *l);
uint64_t loop_clock(void);

#endif
