/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection through a whole tunnel: data, and every way in which it can end. */
#include "tunnel.h"

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

/* Both ends have forgotten all streams; both say why. */
static void
expect_closed(unsigned count, enum reason client, enum reason server)
{
	UNTIL(t, t->client.closed == count && t->server.closed == count);
	assert_int_equal(t->client.why, client);
	assert_int_equal(t->server.why, server);
	assert_int_equal(t->client.mux.streams, 0);
	assert_int_equal(t->server.mux.streams, 0);
	assert_int_equal(t->client.failed + t->server.failed, 0);
}

static void
test_both_ways(void **state)
{
	struct conn c;

	(void)state;
	conn_open(t, &c);
	UNTIL(t, t->client.opened == 1);
	conn_transfer(t, c.app, c.target, 1);
	conn_transfer(t, c.target, c.app, 1);
	conn_transfer(t, c.app, c.target, 5000000);
	conn_transfer(t, c.target, c.app, 5000000);
	struct flow up = {.from = c.app, .to = c.target, .seed = 8, .total = 3000000};
	struct flow down = {.from = c.target, .to = c.app, .seed = 9, .total = 3000000};
	UNTIL(t, (int)flow_step(&up) + (int)flow_step(&down) == 2);
	conn_close(&c);
	UNTIL(t, t->client.closed && t->server.closed);
}

/* first ends its direction; the other one goes on until second ends it. */
static void
half_close(struct conn *c, int first, int second)
{
	unsigned closed = t->client.closed + t->server.closed;

	conn_transfer(t, first, second, 300000);
	assert_int_equal(shutdown(first, SHUT_WR), 0);
	EXPECT_END(t, second, 0);
	conn_transfer(t, second, first, 2000000);
	assert_int_equal(t->client.closed + t->server.closed, closed);
	assert_int_equal(shutdown(second, SHUT_WR), 0);
	EXPECT_END(t, first, 0);
	conn_close(c);
}

/* Read what is there; true once everything that is expected has come. */
static bool
has_come(int fd, char *got, size_t *len, const char *expected)
{
	ssize_t n = recv(fd, got + *len, strlen(expected) - *len, 0);

	if (n > 0)
		*len += (size_t)n;
	assert_memory_equal(got, expected, *len);
	return *len == strlen(expected);
}

/* tcp(7): a read stops at the mark of urgent data, though more waits behind it. */
static void
send_with_urgent(int from, int to)
{
	char got[16];
	size_t len = 0;

	unit_write(from, "AAA", 3);
	assert_int_equal(send(from, "B", 1, MSG_OOB), 1);
	unit_write(from, "CCC", 3);
	UNTIL(t, has_come(to, got, &len, "AAACCC"));
	unit_write(from, "DDD", 3);
	UNTIL(t, has_come(to, got, &len, "AAACCCDDD"));
}

static void
test_urgent_data(void **state)
{
	struct conn c;

	(void)state;
	conn_open(t, &c);
	send_with_urgent(c.app, c.target);
	send_with_urgent(c.target, c.app);
	conn_transfer(t, c.app, c.target, 300000);
	assert_int_equal(shutdown(c.app, SHUT_WR), 0);
	EXPECT_END(t, c.target, 0);
	conn_close(&c);
	expect_closed(1, REASON_NONE, REASON_NONE);
}

static void
test_half_close(void **state)
{
	struct conn c;

	(void)state;
	conn_open(t, &c);
	half_close(&c, c.app, c.target);
	expect_closed(1, REASON_NONE, REASON_NONE);
	conn_open(t, &c);
	half_close(&c, c.target, c.app);
	expect_closed(2, REASON_NONE, REASON_NONE);
}

/* All that was written before the end arrives, although nobody read it until then. */
static void
test_end_behind_data(void **state)
{
	static char much[400000];
	struct conn c;
	size_t written = 0, seen = 0;

	(void)state;
	conn_open(t, &c);
	UNTIL(t, t->client.opened == 1);
	while (written < sizeof much) {
		ssize_t n = write(c.app, much + written, sizeof much - written);
		if (n > 0)
			written += (size_t)n;
		tunnel_turn(t);
	}
	close(c.app);
	c.app = -1;
	for (int i = 0; i < 50; i++)
		tunnel_turn(t);
	for (int i = 0; seen < written && i < TUNNEL_PATIENCE; i++) {
		ssize_t n = read(c.target, much, 1000);
		seen += n > 0 ? (size_t)n : 0;
		tunnel_turn(t);
	}
	EXPECT_END(t, c.target, 0);
	conn_close(&c);
	expect_closed(1, REASON_NONE, REASON_NONE);
}

static void
test_reset(void **state)
{
	struct conn c;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool app_resets = i % 2, half_closed = i / 2;
		int *who, other;

		conn_open(t, &c);
		conn_transfer(t, c.app, c.target, 1000);
		who = app_resets ? &c.app : &c.target;
		other = app_resets ? c.target : c.app;
		if (half_closed) {
			assert_int_equal(shutdown(*who, SHUT_WR), 0);
			EXPECT_END(t, other, 0);
		}
		unit_close_with_reset(*who);
		*who = -1;
		if (half_closed) /* after the end of file a reset shows when we write: as in TCP */
			UNTIL(t, send(other, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
		else
			EXPECT_END(t, other, ECONNRESET);
		expect_closed(i + 1, REASON_RESET, REASON_RESET);
		conn_close(&c);
	}
}

/* A reset is seen at once, also while this direction may not send: no credit, so nobody reads. */
static void
test_reset_without_credit(void **state)
{
	static char much[65536];
	struct conn c;
	int idle = 0;

	(void)state;
	conn_open(t, &c);
	UNTIL(t, t->client.opened == 1);
	while (idle < 100) {
		idle = write(c.app, much, sizeof much) > 0 ? 0 : idle + 1;
		tunnel_turn(t);
	}
	unit_close_with_reset(c.app);
	c.app = -1;
	UNTIL(t, t->client.closed == 1 && t->server.closed == 1);
	assert_int_equal(t->client.why, REASON_RESET);
	assert_int_equal(t->server.why, REASON_RESET);
	/* What TCP had taken from the far end may still be read, then the reset. */
	ssize_t n;
	while ((n = recv(c.target, much, sizeof much, 0)) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	conn_close(&c);
}

static void
test_refused(void **state)
{
	struct addr nobody;
	struct conn c;

	(void)state;
	close(unit_listen(&nobody));
	conn_begin(t, &c, &nobody);
	EXPECT_END(t, c.app, ECONNRESET);
	expect_closed(1, REASON_REFUSED, REASON_REFUSED);
	assert_int_equal(t->client.opened, 0);
	conn_close(&c);
}

/* The data that was sent at once is lost with a connection that is refused; nothing else is. */
static void
test_refused_with_data(void **state)
{
	struct addr nobody;
	struct conn c;

	(void)state;
	close(unit_listen(&nobody));
	conn_begin(t, &c, &nobody);
	unit_write(c.app, "hello", 5);
	assert_int_equal(shutdown(c.app, SHUT_WR), 0);
	EXPECT_END(t, c.app, ECONNRESET);
	expect_closed(1, REASON_REFUSED, REASON_REFUSED);
	conn_close(&c);
	conn_open(t, &c);
	conn_transfer(t, c.app, c.target, 1000);
	conn_close(&c);
	UNTIL(t, t->server.closed == 2 && t->client.closed == 2);
}

static void
test_bad_destination(void **state)
{
	/* 255.255.255.255 and a multicast address: connect(2) fails at once. */
	static const struct addr rows[] = {
	    {.family = 4, .port = 80, .bytes = {255, 255, 255, 255}},
	    {.family = 4, .port = 80, .bytes = {224, 0, 0, 1}},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct conn c;

		conn_begin(t, &c, &rows[i]);
		EXPECT_END(t, c.app, ECONNRESET);
		UNTIL(t, t->client.closed == i + 1 && t->server.closed == i + 1);
		assert_true(t->client.why != REASON_NONE);
		assert_int_equal(t->client.why, t->server.why);
		conn_close(&c);
	}
}

/* Data follows the request at once: it reaches the target while no answer has come back. */
static void
test_data_before_opened(void **state)
{
	char buf[8];
	struct conn c;

	(void)state;
	t->down.held = true;
	conn_begin(t, &c, &t->target);
	unit_write(c.app, "hello", 5);
	UNTIL(t, conn_arrived(t, &c));
	UNTIL(t, recv(c.target, buf, sizeof buf, MSG_PEEK) == 5);
	assert_int_equal(t->client.opened, 0);
	assert_int_equal(t->up.frames[FRAME_OPEN], 1);
	assert_int_equal(t->up.frames[FRAME_DATA], 1);
	t->down.held = false;
	UNTIL(t, t->client.opened == 1);
	conn_close(&c);
	UNTIL(t, t->client.closed && t->server.closed);
}

/* Without an answer it stops at the first credit. */
static void
test_initial_credit(void **state)
{
	static char much[300000];
	struct conn c;

	(void)state;
	t->up.held = true;
	conn_begin(t, &c, &t->target);
	for (int i = 0; i < 100; i++) {
		(void)!write(c.app, much, sizeof much);
		tunnel_turn(t);
	}
	assert_true(t->up.sent[c.id] == STREAM_WINDOW_MIN);
	t->up.held = false;
	UNTIL(t, conn_arrived(t, &c));
	conn_close(&c);
	UNTIL(t, t->client.closed && t->server.closed);
}

/* Accepted here, and reset before anything else happened. */
static void
test_gone_at_once(void **state)
{
	struct conn c;

	(void)state;
	conn_begin(t, &c, &t->target);
	unit_close_with_reset(c.app);
	c.app = -1;
	UNTIL(t, t->client.closed == 1 && t->server.closed == 1);
	assert_int_equal(t->client.why, REASON_RESET);
	if (conn_arrived(t, &c))
		EXPECT_END(t, c.target, ECONNRESET);
	conn_close(&c);
	conn_open(t, &c);
	conn_transfer(t, c.app, c.target, 1000);
	conn_close(&c);
	UNTIL(t, t->client.mux.streams == 0 && t->server.mux.streams == 0);
	assert_int_equal(t->client.failed + t->server.failed, 0);
}

/* Both ends reset at the same time: the frames cross, and nobody takes it amiss. */
static void
test_crossing_resets(void **state)
{
	struct conn c;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		conn_open(t, &c);
		t->up.held = t->down.held = true;
		unit_close_with_reset(c.app);
		unit_close_with_reset(c.target);
		UNTIL(t, t->client.closed == i && t->server.closed == i);
		t->up.held = t->down.held = false;
		for (int turn = 0; turn < 10; turn++)
			tunnel_turn(t);
		assert_int_equal(t->client.failed + t->server.failed, 0);
	}
}

/* After 2^32 connections the numbers start again: 0 is never used, nor one that is in use. */
static void
test_numbers_wrap(void **state)
{
	struct conn first, second;

	(void)state;
	conn_open(t, &first);
	assert_int_equal(first.id, 1);
	t->client.mux.last_id = t->server.mux.last_id = UINT32_MAX;
	conn_open(t, &second);
	assert_int_equal(second.id, 2);
	conn_transfer(t, second.app, second.target, 1000);
	conn_transfer(t, first.target, first.app, 1000);
	conn_close(&first);
	conn_close(&second);
	UNTIL(t, t->client.mux.streams == 0 && t->server.mux.streams == 0);
	assert_int_equal(t->client.failed + t->server.failed, 0);
}

/* The tunnel is gone: every application sees a reset, none a clean end. */
static void
test_abort_all(void **state)
{
	struct conn c[10];

	(void)state;
	for (size_t i = 0; i < COUNT(c); i++)
		conn_open(t, &c[i]);
	UNTIL(t, t->client.opened == COUNT(c));
	mux_abort_all(&t->client.mux);
	mux_abort_all(&t->server.mux);
	for (size_t i = 0; i < COUNT(c); i++) {
		EXPECT_END(t, c[i].app, ECONNRESET);
		EXPECT_END(t, c[i].target, ECONNRESET);
		conn_close(&c[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_both_ways),
	    TEST(test_urgent_data),
	    TEST(test_half_close),
	    TEST(test_end_behind_data),
	    TEST(test_reset),
	    TEST(test_reset_without_credit),
	    TEST(test_refused),
	    TEST(test_refused_with_data),
	    TEST(test_bad_destination),
	    TEST(test_data_before_opened),
	    TEST(test_initial_credit),
	    TEST(test_gone_at_once),
	    TEST(test_crossing_resets),
	    TEST(test_numbers_wrap),
	    TEST(test_abort_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
