/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a session begins and ends, and what happens at its limits. */
#include "mux_peer.h"

/* After the violation nothing more is handled, though it came in the same read. */
static void
test_nothing_after_failure(void **state)
{
	static const struct frame frames[] = {HELLO, HELLO, OPEN(1), {FRAME_ACK, 0, 99999, 0}};

	(void)state;
	start(FRAME_SIDE_SERVER, 100);
	for (size_t i = 0; i < COUNT(frames); i++)
		send_frame(&frames[i]);
	run();
	run();
	assert_int_equal(t.failed, 1);
	assert_int_equal(t.mux.streams, 0);
	stop();
}

static void
test_end_of_lane(void **state)
{
	static const struct frame hello = HELLO;

	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	send_frame(&hello);
	run();
	close(t.in[1]);
	run();
	assert_int_equal(t.failed, 1);
	assert_string_equal(t.sentence, MUX_CLOSED);
	t.in[1] = dup(t.in[0]);
	stop();
}

/* Nobody reads what we write. */
static void
test_lane_broken(void **state)
{
	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	close(t.out[0]);
	run();
	assert_int_equal(t.failed, 1);
	assert_string_equal(t.sentence, MUX_CLOSED);
	t.out[0] = dup(t.out[1]);
	stop();
}

static void
test_preload(void **state)
{
	static const struct frame hello = HELLO;
	uint8_t bytes[FRAME_HEADER + 32];

	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	send_frame(&hello);
	assert_int_equal(read(t.in[0], bytes, sizeof bytes), sizeof bytes);
	mux_preload(&t.mux, bytes, 20);
	assert_int_equal(t.ready, 0);
	mux_preload(&t.mux, bytes + 20, sizeof bytes - 20);
	assert_int_equal(t.ready, 1);
	assert_int_equal(t.failed, 0);
	stop();
}

static void
test_too_much_before(void **state)
{
	static uint8_t much[LANE_IN_SIZE + 1];

	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	mux_preload(&t.mux, much, sizeof much);
	assert_string_equal(t.sentence, "the other side sent too much before the tunnel stood");
	stop();
}

/* The limit is the smaller of both sides': one more gets a reset, and the session goes on. */
static void
test_too_many_streams(void **state)
{
	static const struct frame frames[] = {HELLO, OPEN(1), OPEN(2), OPEN(3)};

	(void)state;
	start(FRAME_SIDE_SERVER, 2);
	for (size_t i = 0; i < COUNT(frames); i++)
		send_frame(&frames[i]);
	run();
	assert_int_equal(t.failed, 0);
	assert_int_equal(t.closed, 1);
	assert_int_equal(t.why, REASON_NO_DESCRIPTORS);
	assert_int_equal(t.mux.streams, 2);
	stop();
}

/* Reset before its request could be sent: the other side never hears of it. */
static void
test_gone_before_open(void **state)
{
	static const struct frame hello = {FRAME_HELLO, 0, HELLO_NO_CREDIT, 0};
	struct addr none = {.family = 4};
	uint8_t buf[256];
	int pair[2];

	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	send_frame(&hello);
	run();
	unit_tcp_pair(pair);
	assert_non_null(mux_open(&t.mux, pair[1], &none, &t.target));
	assert_true(read(t.out[0], buf, sizeof buf) > 0); /* greeting, acknowledgement */
	unit_close_with_reset(pair[0]);
	run();
	assert_int_equal(t.closed, 1);
	assert_int_equal(t.why, REASON_RESET);
	assert_int_equal(t.mux.streams, 0);
	assert_int_equal(read(t.out[0], buf, sizeof buf), -1);
	stop();
}

/* There is no room for one more: the caller keeps its socket. */
static void
test_open_over_limit(void **state)
{
	static const struct frame hello = {FRAME_HELLO, 0, HELLO_ONE_STREAM, 0};
	struct addr none = {.family = 4};
	int pair[2];

	(void)state;
	start(FRAME_SIDE_CLIENT, 100);
	send_frame(&hello);
	run();
	unit_tcp_pair(pair);
	t.app = pair[0];
	assert_non_null(mux_open(&t.mux, pair[1], &none, &t.target));
	errno = 0;
	assert_null(mux_open(&t.mux, pair[1], &none, &t.target));
	assert_int_equal(errno, EMFILE);
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_after_failure),
	    cmocka_unit_test(test_end_of_lane),
	    cmocka_unit_test(test_lane_broken),
	    cmocka_unit_test(test_preload),
	    cmocka_unit_test(test_too_much_before),
	    cmocka_unit_test(test_too_many_streams),
	    cmocka_unit_test(test_gone_before_open),
	    cmocka_unit_test(test_open_over_limit),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
