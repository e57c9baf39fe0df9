/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many connections, readers that stop, no descriptors: nobody else may notice. */
#include "tunnel.h"

#include <sys/resource.h>

enum { MANY = 1000 };

static struct tunnel *t;

static int
setup(void **state)
{
	(void)state;
	t = tunnel_start();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tunnel_stop(t);
	return 0;
}

static struct stream *
find_stream(struct mux *m, uint32_t id)
{
	struct stream *s = m->buckets[id % MUX_BUCKETS];

	while (s != NULL && s->id != id)
		s = s->hash_next;
	assert_non_null(s);
	return s;
}

/* Write into fd until nothing moves any more. */
static uint64_t
stuff(int fd)
{
	static char much[65536];
	uint64_t total = 0;

	for (int idle = 0; idle < 200;) {
		ssize_t n = write(fd, much, sizeof much);

		total += n > 0 ? (uint64_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		tunnel_turn(t);
	}
	return total;
}

/* stalled does not read what is stuffed into full; other connections go on both ways. */
static void
stall(struct mux *m, bool down)
{
	struct conn c, other;
	char buf[65536];
	int small = 16384;

	conn_open(t, &c);
	conn_open(t, &other);
	/* A reader that was fast until now has the largest credit. */
	int full = down ? c.target : c.app, stalled = down ? c.app : c.target;
	conn_transfer(t, full, stalled, 20000000);
	const struct stream *s = find_stream(m, c.id);
	assert_int_equal(s->window, STREAM_WINDOW_MAX);
	/* With a small buffer in the kernel our queue drains in many steps. */
	assert_int_equal(setsockopt(s->io.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);

	uint64_t written = stuff(full), seen = 0;
	assert_true(s->queue.len > STREAM_WINDOW_MIN);
	assert_in_range(s->queue.len, 0, STREAM_WINDOW_MAX);
	conn_transfer(t, other.app, other.target, 4000000);
	conn_transfer(t, other.target, other.app, 4000000);
	conn_transfer(t, stalled, full, 1000000); /* its own other direction too */
	assert_in_range(s->queue.len, 0, STREAM_WINDOW_MAX);
	/* When it reads again, all of it comes. */
	for (int i = 0; seen < written && i < TUNNEL_PATIENCE; i++) {
		ssize_t n = recv(stalled, buf, sizeof buf, 0);
		seen += n > 0 ? (uint64_t)n : 0;
		tunnel_turn(t);
	}
	assert_true(seen == written);
	conn_close(&c);
	conn_close(&other);
}

static void
test_stalled_target(void **state)
{
	(void)state;
	stall(&t->server.mux, false);
}

static void
test_stalled_application(void **state)
{
	(void)state;
	stall(&t->client.mux, true);
}

/* It resets instead of reading: what is queued for it is dropped, and the writer hears of it. */
static void
test_stalled_reader_resets(void **state)
{
	struct conn c;

	(void)state;
	conn_open(t, &c);
	conn_transfer(t, c.app, c.target, 20000000);
	(void)stuff(c.app);
	assert_true(find_stream(&t->server.mux, c.id)->queue.len > 0);
	unit_close_with_reset(c.target);
	c.target = -1;
	EXPECT_END(t, c.app, ECONNRESET);
	UNTIL(t, t->client.closed == 1 && t->server.closed == 1);
	assert_int_equal(t->client.why, REASON_RESET);
	conn_close(&c);
}

/* A reader that takes a few bytes now and then keeps no more either. */
static void
test_slow_reader(void **state)
{
	static char much[65536];
	struct conn c;

	(void)state;
	conn_open(t, &c);
	conn_transfer(t, c.app, c.target, 20000000);
	const struct stream *s = find_stream(&t->server.mux, c.id);
	(void)stuff(c.app);
	for (int i = 0; i < 2000; i++) {
		(void)!write(c.app, much, sizeof much);
		if (i % 3 == 0)
			(void)!recv(c.target, much, 20011, 0);
		tunnel_turn(t);
		assert_in_range(s->queue.len, 0, STREAM_WINDOW_MAX);
	}
	conn_close(&c);
}

/* The far end's connect(2) hangs: data waits within the first credit, nobody else does. */
static void
test_hanging_connect(void **state)
{
	/* A listener whose queue is full: the kernel drops further SYNs. */
	struct addr full;
	int listener = unit_listen(&full), fillers[8];
	struct conn hanging, other;

	(void)state;
	assert_int_equal(listen(listener, 0), 0);
	for (size_t i = 0; i < COUNT(fillers); i++) {
		struct sockaddr_storage sa;
		socklen_t len = addr_to_sockaddr(&full, &sa);

		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], (struct sockaddr *)&sa, len);
	}
	conn_begin(t, &hanging, &full);
	(void)stuff(hanging.app);
	const struct stream *s = find_stream(&t->server.mux, hanging.id);
	assert_int_equal(s->life, STREAM_CONNECTING);
	assert_int_equal(s->queue.len, STREAM_WINDOW_MIN);
	conn_open(t, &other);
	conn_transfer(t, other.app, other.target, 1000000);
	conn_close(&other);
	/* The application gives up: so does the connect. */
	unit_close_with_reset(hanging.app);
	hanging.app = -1;
	UNTIL(t, t->server.mux.streams == 0 && t->client.mux.streams == 0);
	assert_int_equal(t->client.failed + t->server.failed, 0);
	for (size_t i = 0; i < COUNT(fillers); i++)
		close(fillers[i]);
	close(listener);
}

static void
raise_limit(void)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	assert_true(r.rlim_cur > 4 * MANY + 100);
}

/* Find the target's ends: each connection says its number first. */
static size_t
accept_all(struct conn *c)
{
	static int waiting[MANY];
	static size_t waiters;
	size_t found = 0;
	int fd;

	while ((fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1)
		waiting[waiters++] = fd;
	for (size_t i = 0; i < waiters;) {
		uint32_t number;

		if (recv(waiting[i], &number, sizeof number, 0) != sizeof number) {
			i++;
			continue;
		}
		assert_true(number < MANY && c[number].target == -1);
		c[number].target = waiting[i];
		waiting[i] = waiting[--waiters];
		found++;
	}
	return found;
}

static void
test_many(void **state)
{
	static struct conn c[MANY];
	static struct flow up[MANY], down[MANY];
	size_t arrived = 0, done = 0;

	(void)state;
	raise_limit();
	for (uint32_t i = 0; i < MANY; i++) {
		conn_begin(t, &c[i], &t->target);
		unit_write(c[i].app, &i, sizeof i);
	}
	UNTIL(t, (arrived += accept_all(c)) == MANY);
	for (size_t i = 0; i < MANY; i++) {
		up[i] = (struct flow){c[i].app, c[i].target, i, 20000, 0, 0};
		down[i] = (struct flow){c[i].target, c[i].app, i + MANY, 20000, 0, 0};
	}
	for (int turn = 0; done < MANY && turn < TUNNEL_PATIENCE; turn++) {
		done = 0;
		for (size_t i = 0; i < MANY; i++)
			done += (int)flow_step(&up[i]) + (int)flow_step(&down[i]) == 2;
		tunnel_turn(t);
	}
	assert_int_equal(done, MANY);
	assert_int_equal(t->server.mux.streams, MANY);
	for (size_t i = 0; i < MANY; i++)
		conn_close(&c[i]);
	UNTIL(t, t->client.closed == MANY && t->server.closed == MANY);
	assert_int_equal(t->client.failed + t->server.failed, 0);
}

/* With 100 downloads that are all busy, an echo takes few turns. */
static void
test_echo_under_load(void **state)
{
	static struct conn c[100];
	static char much[65536];
	struct conn echo;
	char byte;

	(void)state;
	for (size_t i = 0; i < COUNT(c); i++)
		conn_open(t, &c[i]);
	conn_open(t, &echo);
	for (int turn = 0; turn < 300; turn++) {
		for (size_t i = 0; i < COUNT(c); i++) {
			(void)!write(c[i].app, much, sizeof much);
			(void)!recv(c[i].target, much, sizeof much, 0);
		}
		if (turn == 200)
			unit_write(echo.app, "k", 1);
		if (turn > 200 && recv(echo.target, &byte, 1, 0) == 1) {
			/* What was in the pipe before it: a window of 2 MB, in steps of 64 KiB. */
			assert_in_range(turn, 201, 260);
			break;
		}
		assert_true(turn < 299);
		tunnel_turn(t);
	}
	for (size_t i = 0; i < COUNT(c); i++)
		conn_close(&c[i]);
	conn_close(&echo);
	UNTIL(t, t->client.mux.streams == 0 && t->server.mux.streams == 0);
}

/* The server cannot make one more socket: that one is reset, the next works. */
static void
test_no_descriptors(void **state)
{
	static int fds[65536];
	struct conn c[2];
	size_t n = 0;

	(void)state;
	conn_open(t, &c[0]);
	conn_begin(t, &c[1], &t->target);
	struct rlimit old, low = {256, 0};
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n < COUNT(fds) && (fds[n] = dup(0)) != -1)
		n++;
	assert_int_equal(errno, EMFILE);
	EXPECT_END(t, c[1].app, ECONNRESET);
	UNTIL(t, t->server.closed == 1 && t->client.closed == 1);
	assert_int_equal(t->server.why, REASON_NO_DESCRIPTORS);
	assert_int_equal(t->client.why, REASON_NO_DESCRIPTORS);
	conn_transfer(t, c[0].app, c[0].target, 100000);
	while (n > 0)
		close(fds[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	conn_close(&c[1]);
	conn_open(t, &c[1]);
	conn_transfer(t, c[1].app, c[1].target, 100000);
	conn_close(&c[0]);
	conn_close(&c[1]);
	UNTIL(t, t->client.mux.streams == 0 && t->server.mux.streams == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stalled_target),
	    TEST(test_stalled_application),
	    TEST(test_stalled_reader_resets),
	    TEST(test_slow_reader),
	    TEST(test_hanging_connect),
	    TEST(test_many),
	    TEST(test_echo_under_load),
	    TEST(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
