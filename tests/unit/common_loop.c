/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: order of timers, what happens to events whose owner has gone. */
#include "unit.h"

#include "loop.h"

enum { TIMERS = 200 };

static struct loop loop;

static int
setup(void **state)
{
	(void)state;
	return loop_init(&loop);
}

static int
teardown(void **state)
{
	(void)state;
	return close(loop.epoll_fd);
}

/* ---- timers ---- */

struct numbered {
	struct loop_timer timer;
	int number;
};

static struct numbered timers[TIMERS];
static int fired[TIMERS], fired_count, expected;
static uint64_t fired_at[TIMERS];

static void
note(struct loop_timer *t)
{
	fired[fired_count] = ((struct numbered *)t)->number;
	fired_at[fired_count] = loop_clock();
	if (++fired_count == expected)
		loop.stop = true;
}

static void
reset_timers(int count)
{
	fired_count = 0;
	expected = count;
	for (int i = 0; i < TIMERS; i++)
		timers[i] = (struct numbered){.timer.fire = note, .number = i};
}

static void
test_timer_order(void **state)
{
	uint64_t seed = 3;

	(void)state;
	reset_timers(TIMERS - TIMERS / 10);
	for (int i = 0; i < TIMERS; i++)
		loop_timer_set(&loop, &timers[i].timer, unit_random(&seed) % 30 * 1000);
	for (int i = 0; i < TIMERS; i += 10) {
		loop_timer_cancel(&loop, &timers[i].timer);
		loop_timer_cancel(&loop, &timers[i].timer);
		assert_false(timers[i].timer.armed);
	}
	assert_int_equal(loop_run(&loop), 0);
	assert_null(loop.timers);
	for (int i = 0; i < fired_count; i++) {
		const struct numbered *now = &timers[fired[i]];
		assert_true(now->number % 10 != 0);
		assert_true(fired_at[i] >= now->timer.due); /* never early */
		if (i == 0)
			continue;
		const struct numbered *before = &timers[fired[i - 1]];
		assert_true(before->timer.due <= now->timer.due);
		/* Due at the same time: in the order in which they were set. */
		assert_true(before->timer.due < now->timer.due || before->number < now->number);
	}
}

static void
test_timer_again(void **state)
{
	(void)state;
	reset_timers(2);
	loop_timer_set(&loop, &timers[0].timer, 1000);
	loop_timer_set(&loop, &timers[1].timer, 5000);
	loop_timer_set(&loop, &timers[0].timer, 10000); /* set anew, not twice */
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[1], 0);
}

/* ---- events ---- */

struct watched {
	struct loop_garbage garbage; /* first */
	struct loop_fd io;
	struct watched *other;
	int calls;
};

static int after_calls;

static void
stop_after(void *arg)
{
	(void)arg;
	after_calls++;
	loop.stop = true;
}

/* Whichever of the two comes first takes the other away. */
static void
take_other_away(struct loop_fd *f, uint32_t events)
{
	struct watched *w = (struct watched *)((char *)f - offsetof(struct watched, io));

	assert_true(events & EPOLLIN);
	w->calls++;
	close(w->other->io.fd);
	w->other->io.fd = -1;
	loop_defer_free(&loop, &w->other->garbage);
}

static void
run_once(void)
{
	after_calls = 0;
	loop.after = stop_after;
	loop.stop = false;
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(after_calls, 1);
}

/* Both are ready in one batch; the sanitizer sees it if the second event uses freed memory. */
static void
test_owner_gone(void **state)
{
	struct watched *w[2];
	int p[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		unit_pipe(p[i], 0);
		w[i] = calloc(1, sizeof *w[i]);
		assert_non_null(w[i]);
		w[i]->io = (struct loop_fd){.fd = p[i][0], .ready = take_other_away};
		assert_int_equal(loop_add(&loop, &w[i]->io, EPOLLIN), 0);
		unit_write(p[i][1], "x", 1);
	}
	w[0]->other = w[1];
	w[1]->other = w[0];
	run_once();
	struct watched *rest = fcntl(p[0][0], F_GETFD) == -1 ? w[1] : w[0];
	assert_int_equal(rest->calls, 1);
	assert_null(loop.garbage);
	close(rest->io.fd);
	free(rest);
	close(p[0][1]);
	close(p[1][1]);
}

static struct watched a, b;

static void
remove_other(struct loop_fd *f, uint32_t events)
{
	struct watched *w = f == &a.io ? &a : &b;

	(void)events;
	w->calls++;
	loop_remove(&loop, &w->other->io);
}

/* After loop_remove() no event comes, also none of the batch that is being handled. */
static void
test_removed(void **state)
{
	int p[2][2];

	(void)state;
	unit_pipe(p[0], 0);
	unit_pipe(p[1], 0);
	a = (struct watched){.io = {.fd = p[0][0], .ready = remove_other}, .other = &b};
	b = (struct watched){.io = {.fd = p[1][0], .ready = remove_other}, .other = &a};
	assert_int_equal(loop_add(&loop, &a.io, EPOLLIN), 0);
	assert_int_equal(loop_add(&loop, &b.io, EPOLLIN), 0);
	unit_write(p[0][1], "x", 1);
	unit_write(p[1][1], "x", 1);
	run_once();
	assert_int_equal(a.calls + b.calls, 1);
	loop_remove(&loop, &a.io); /* removing what is not watched is no error */
	for (int i = 0; i < 4; i++)
		close(p[i / 2][i % 2]);
}

static void
count_and_stop(struct loop_fd *f, uint32_t events)
{
	struct watched *w = (struct watched *)((char *)f - offsetof(struct watched, io));

	(void)events;
	w->calls++;
	loop.stop = true;
}

/* Told to stop, it handles nothing more, not even what is left of the batch. */
static void
test_stop(void **state)
{
	int p[2][2];

	(void)state;
	unit_pipe(p[0], 0);
	unit_pipe(p[1], 0);
	a = (struct watched){.io = {.fd = p[0][0], .ready = count_and_stop}};
	b = (struct watched){.io = {.fd = p[1][0], .ready = count_and_stop}};
	loop.after = stop_after;
	after_calls = 0;
	assert_int_equal(loop_add(&loop, &a.io, EPOLLIN), 0);
	assert_int_equal(loop_add(&loop, &b.io, EPOLLIN), 0);
	unit_write(p[0][1], "x", 1);
	unit_write(p[1][1], "x", 1);
	reset_timers(1);
	loop_timer_set(&loop, &timers[0].timer, 0);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal(after_calls, 0);
	assert_int_equal(fired_count, 0);
	for (int i = 0; i < 4; i++)
		close(p[i / 2][i % 2]);
}

static void
test_change(void **state)
{
	int p[2];

	(void)state;
	unit_pipe(p, 0);
	unit_write(p[1], "x", 1);
	a = (struct watched){.io = {.fd = p[0], .ready = count_and_stop}};
	reset_timers(1);
	assert_int_equal(loop_add(&loop, &a.io, 0), 0);
	loop_timer_set(&loop, &timers[0].timer, 2000);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(a.calls, 0);
	loop.stop = false;
	assert_int_equal(loop_change(&loop, &a.io, EPOLLIN), 0);
	assert_int_equal(loop_run(&loop), 0);
	assert_int_equal(a.calls, 1);
	close(p[0]);
	close(p[1]);
	errno = 0;
	a.io.fd = 9999;
	assert_int_equal(loop_add(&loop, &a.io, EPOLLIN), -1);
	assert_int_equal(errno, EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_timer_order),
	    TEST(test_timer_again),
	    TEST(test_owner_gone),
	    TEST(test_removed),
	    TEST(test_stop),
	    TEST(test_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
