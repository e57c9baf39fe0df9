/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop; see loop.h. A batch is at most 64 events. An owner that goes away in the middle
 * of a batch sets its fd to -1 and frees itself through loop_defer_free(): a later event of the
 * same batch then finds fd -1 and is dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

enum { BATCH = 64 };

uint64_t
loop_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with a valid clock */
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int
loop_init(struct loop *l)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .now = loop_clock()};
	return l->epoll_fd == -1 ? -1 : 0;
}

int
loop_add(struct loop *l, struct loop_fd *f, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = f};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, f->fd, &ev);
}

int
loop_change(struct loop *l, struct loop_fd *f, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = f};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, f->fd, &ev);
}

void
loop_remove(struct loop *l, struct loop_fd *f)
{
	struct epoll_event ev = {0};

	/* Fails only if it was not watched, which is what is wanted. */
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, f->fd, &ev);
	for (int i = 0; i < l->batch_len; i++)
		if (l->batch[i].data.ptr == f)
			l->batch[i].data.ptr = NULL;
}

void
loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
	if (!t->armed)
		return;
	for (struct loop_timer **p = &l->timers; *p != NULL; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->armed = false;
}

void
loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t delay_us)
{
	struct loop_timer **p = &l->timers;

	loop_timer_cancel(l, t);
	t->due = l->now + delay_us;
	while (*p != NULL && (*p)->due <= t->due)
		p = &(*p)->next;
	t->next = *p;
	t->armed = true;
	*p = t;
}

static void
run_timers(struct loop *l)
{
	while (l->timers != NULL && l->timers->due <= l->now) {
		struct loop_timer *t = l->timers;

		l->timers = t->next;
		t->armed = false;
		t->fire(t);
	}
}

void
loop_defer_free(struct loop *l, struct loop_garbage *g)
{
	g->next = l->garbage;
	l->garbage = g;
}

static void
collect_garbage(struct loop *l)
{
	while (l->garbage != NULL) {
		struct loop_garbage *g = l->garbage;

		l->garbage = g->next;
		free(g);
	}
}

/* Milliseconds for epoll_wait, rounded up so that a timer is never early. */
static int
wait_time(const struct loop *l)
{
	if (l->timers == NULL)
		return -1;
	uint64_t now = loop_clock();
	if (l->timers->due <= now)
		return 0;
	uint64_t ms = (l->timers->due - now + 999) / 1000;
	return ms > 3600000 ? 3600000 : (int)ms;
}

static void
handle_events(struct loop *l, struct epoll_event *ev, int n)
{
	l->batch = ev;
	l->batch_len = n;
	for (int i = 0; i < n && !l->stop; i++) {
		struct loop_fd *f = ev[i].data.ptr;
		if (f != NULL && f->fd != -1)
			f->ready(f, ev[i].events);
	}
	l->batch_len = 0;
}

int
loop_run(struct loop *l)
{
	struct epoll_event ev[BATCH];

	while (!l->stop) {
		int n = epoll_wait(l->epoll_fd, ev, BATCH, wait_time(l));

		if (n == -1 && errno != EINTR)
			return -1;
		l->now = loop_clock();
		handle_events(l, ev, n);
		if (!l->stop)
			run_timers(l);
		if (!l->stop && l->after != NULL)
			l->after(l->after_arg);
		collect_garbage(l);
	}
	return 0;
}
