/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lane, outwards: acknowledgements, the window, and a pipe that is full. Two real lanes. */
#include "unit.h"

#include "lane.h"

static struct lane client, server;
static int up[2], down[2];

static int
setup(void **state)
{
	(void)state;
	unit_pipe(up, 0);
	unit_pipe(down, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	if (lane_init(&client, down[0], up[1], FRAME_SIDE_SERVER) == -1)
		return -1;
	return lane_init(&server, up[0], down[1], FRAME_SIDE_CLIENT);
}

static int
teardown(void **state)
{
	(void)state;
	lane_free(&client);
	lane_free(&server);
	for (int i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
	return 0;
}

static void
put_data(struct lane *l, size_t len)
{
	assert_true(len <= lane_data_room(l));
	memset(lane_data_begin(l), 'x', len);
	lane_data_commit(l, 1, 0, len);
}

static void
put_credit(struct lane *l)
{
	wire_put_u64(lane_control(l, FRAME_CREDIT, 1, 8), 0);
}

/* Flush from, read and take everything at to; returns how many pieces came. */
static int
carry(struct lane *from, struct lane *to)
{
	struct lane_piece p;
	int pieces = 0, r = 0;

	do {
		assert_int_equal(lane_flush(from), 0);
		from->out_ready = true;
		long n = lane_read(to);
		if (n <= 0)
			break;
		while ((r = lane_next(to, &p)) == 1)
			pieces++;
	} while (r == 0);
	assert_int_equal(r, 0);
	return pieces;
}

static void
test_accounting(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		uint64_t before = client.sent;

		put_data(&client, 1000);
		put_credit(&client);
		assert_true(client.sent == before + 12 + 8 + 1000 + 12 + 8);
		assert_true(carry(&client, &server) >= 2);
		assert_true(server.processed == client.sent);
		assert_true(lane_ack_wanted(&server));
		assert_int_equal(lane_unacked(&server), 1040);
		lane_put_ack(&server);
		assert_false(lane_ack_wanted(&server));
		assert_int_equal(carry(&server, &client), 0);
		assert_true(client.acked == client.sent);
		/* An acknowledgement wants none: else two idle ends would never be silent. */
		assert_true(server.sent == 0);
		assert_false(lane_ack_wanted(&client));
	}
}

/* A frame counts with what came of it, so that a large one does not stop the pipe. */
static void
test_partial_data_counts(void **state)
{
	struct lane_piece p;

	(void)state;
	put_data(&client, 200000);
	assert_int_equal(lane_flush(&client), 0);
	assert_false(client.out_ready);
	long n = lane_read(&server);
	assert_true(n > 0 && n < 200000);
	while (lane_next(&server, &p) == 1)
		;
	assert_true(server.processed == (uint64_t)n);
	lane_put_ack(&server);
	assert_int_equal(carry(&server, &client), 0);
	assert_true(client.acked == (uint64_t)n);
}

static void
test_round_trip_time(void **state)
{
	(void)state;
	client.now = 5000000000; /* above 32 bits: the wire carries the low ones */
	put_credit(&client);
	server.now = 77;
	carry(&client, &server);
	server.now = 77 + 300; /* the server was busy */
	lane_put_ack(&server);
	client.now += 1000;
	carry(&server, &client);
	assert_int_equal(client.rtt, 700);
	/* A delay that cannot be true gives 0, not a wrapped number. */
	client.now += 10;
	put_credit(&client);
	carry(&client, &server);
	server.now += 1000000;
	lane_put_ack(&server);
	client.now += 10;
	carry(&server, &client);
	assert_int_equal(client.rtt, 0);
}

static int
receive_forged_ack(uint64_t bytes)
{
	uint8_t frame[FRAME_HEADER + 16];
	uint8_t *p = unit_frame(frame, FRAME_ACK, 0, 16);
	struct lane_piece piece;

	p = wire_put_u64(p, bytes);
	p = wire_put_u32(p, 0);
	wire_put_u32(p, 0);
	unit_write(down[1], frame, sizeof frame);
	assert_int_equal(lane_read(&client), sizeof frame);
	return lane_next(&client, &piece);
}

static void
test_forged_ack(void **state)
{
	static const char why[] = "acknowledgement of bytes that were not sent";

	(void)state;
	put_credit(&client); /* 20 bytes */
	put_credit(&client);
	assert_int_equal(receive_forged_ack(20), 0);
	assert_int_equal(receive_forged_ack(20), 0);
	assert_true(client.acked == 20);
	assert_int_equal(receive_forged_ack(41), -1);
	assert_string_equal(client.why, why);
	client.why = NULL;
	assert_int_equal(receive_forged_ack(19), -1); /* backwards */
	assert_string_equal(client.why, why);
	assert_int_equal(receive_forged_ack(UINT64_MAX), -1);
	assert_true(client.acked == 20);
	assert_int_equal(receive_forged_ack(40), 0);
	assert_true(client.acked == 40);
}

static void
test_window(void **state)
{
	(void)state;
	assert_int_equal(
	    lane_data_room(&client), FRAME_DATA_MAX); /* no window: the frame's limit */
	client.window = 1000;
	assert_int_equal(lane_data_room(&client), 1000);
	put_data(&client, 600);
	assert_int_equal(lane_data_room(&client), 380);
	put_data(&client, 380);
	assert_int_equal(lane_data_room(&client), 0);
	assert_true(lane_control_room(&client)); /* the window never stops what frees it */
	put_credit(&client);
	carry(&client, &server);
	assert_int_equal(lane_data_room(&client), 0);
	lane_put_ack(&server);
	carry(&server, &client);
	assert_int_equal(lane_data_room(&client), 1000);
	client.window = 10; /* shrunk below what flies: no wrap */
	put_data(&client, 10);
	client.window = 5;
	assert_int_equal(lane_data_room(&client), 0);
}

/* Fill buffer and pipe to the brim, then let it run: every byte comes, in order. */
static void
test_full_pipe(void **state)
{
	size_t room;
	uint64_t controls = 0, wanted;

	(void)state;
	while ((room = lane_data_room(&client)) > 0)
		put_data(&client, room);
	/* What was kept for control frames is there. */
	while (lane_control_room(&client) && ++controls)
		put_credit(&client);
	assert_true(controls >= (LANE_CONTROL_ROOM - 2 * FRAME_CONTROL_MAX) / 20);
	assert_true(client.out_end <= LANE_OUT_SIZE);
	assert_int_equal(lane_flush(&client), 0);
	assert_false(client.out_ready);
	size_t waiting = client.out_end - client.out_start;
	assert_int_equal(lane_flush(&client), 0); /* does nothing until the pipe is writable */
	assert_int_equal(client.out_end - client.out_start, waiting);
	wanted = client.sent;
	client.out_ready = true;
	carry(&client, &server);
	assert_true(server.processed == wanted);
	assert_int_equal(client.out_end, 0);
	assert_int_equal(lane_data_room(&client), FRAME_DATA_MAX);
}

static void
test_closed_pipe(void **state)
{
	(void)state;
	close(up[0]);
	put_credit(&client);
	errno = 0;
	assert_int_equal(lane_flush(&client), -1);
	assert_int_equal(errno, EPIPE);
	up[0] = dup(up[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_accounting),
	    TEST(test_partial_data_counts),
	    TEST(test_round_trip_time),
	    TEST(test_forged_ack),
	    TEST(test_window),
	    TEST(test_full_pipe),
	    TEST(test_closed_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
