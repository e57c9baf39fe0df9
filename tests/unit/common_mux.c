/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile or broken other side may send, frame by frame, and with which sentence the
 * session ends; what is legal all the same.
 */
#include "mux_peer.h"

static const char prefix[] = "the other side broke the tunnel protocol: ";

struct row {
	struct frame frame[8];
	const char *why; /* NULL: legal */
};

/* The client's mux: stream 1 was opened to us. The server's: nothing. */
static void
run_row(enum frame_side side, const struct row *row)
{
	struct addr none = {.family = 4};
	int pair[2];

	start(side, 100);
	for (int i = 0; i < 8 && row->frame[i].type != 0; i++) {
		send_frame(&row->frame[i]);
		run();
		if (i == 0 && side == FRAME_SIDE_CLIENT && t.ready) {
			unit_tcp_pair(pair);
			t.app = pair[0];
			assert_non_null(mux_open(&t.mux, pair[1], &none, &t.target));
			run();
		}
	}
	if (row->why == NULL) {
		assert_string_equal(t.sentence, "");
	} else {
		assert_int_equal(t.failed, 1);
		assert_memory_equal(t.sentence, prefix, sizeof prefix - 1);
		assert_string_equal(t.sentence + sizeof prefix - 1, row->why);
	}
	stop();
}

static const struct row both[] = {
    {{HELLO}, NULL},
    {{HELLO, HELLO}, "a second greeting"},
    {{DATA(0, 5)}, "a frame before the greeting"},
    {{{FRAME_RESET, 1, 0, 0}}, "a frame before the greeting"},
    {{{FRAME_HELLO, 0, HELLO_VERSION, 0}}, "another version of the tunnel protocol"},
    {{{FRAME_HELLO, 0, HELLO_NO_STREAMS, 0}}, "a greeting with illegal values"},
    {{{FRAME_HELLO, 0, HELLO_FRAME_MAX, 0}}, "a greeting with illegal values"},
    {{{FRAME_HELLO, 7, HELLO_GOOD, 0}}, "frame with an illegal stream number"},
    {{HELLO, {FRAME_ACK, 0, 1000000, 0}}, "acknowledgement of bytes that were not sent"},
    {{HELLO, {FRAME_DATA, 77, 0, 1}}, "a frame for a connection that was never opened"},
    {{HELLO, {FRAME_EOF, 77, 0, 0}}, "a frame for a connection that was never opened"},
    {{HELLO, {FRAME_CREDIT, 77, 0, 0}}, "a frame for a connection that was never opened"},
    {{HELLO, {FRAME_RESET, 77, 0, 0}}, "a frame for a connection that was never opened"},
};

/* What a server may send on stream 1, which is open. */
static const struct row from_server[] = {
    {{HELLO, {FRAME_OPENED, 1, 0, 0}, DATA(0, 5), DATA(5, 65531), {FRAME_EOF, 1, 65536, 0}}, NULL},
    {{HELLO, DATA(0, 65536), DATA(65536, 65536)}, NULL}, /* credit grew meanwhile */
    {{HELLO, OPEN(2)}, "frame type that the other side may not send"},
    {{HELLO, {FRAME_OPENED, 2, 0, 0}}, "a frame for a connection that was never opened"},
    {{HELLO, DATA(0, 65537)}, "more data than was granted"},
    {{HELLO, DATA(0, 5), DATA(4, 5)}, "data that does not follow what came before"},
    {{HELLO, DATA(0, 5), DATA(6, 5)}, "data that does not follow what came before"},
    {{HELLO, DATA(UINT64_MAX, 1)}, "data that does not follow what came before"},
    {{HELLO, DATA(0, 5), {FRAME_EOF, 1, 5, 0}, DATA(5, 1)}, "data behind the end of a stream"},
    {{HELLO, {FRAME_EOF, 1, 0, 0}, {FRAME_EOF, 1, 0, 0}}, "a second end of a stream"},
    {{HELLO, DATA(0, 5), {FRAME_EOF, 1, 6, 0}}, "an end of stream with bytes missing before it"},
    {{HELLO, DATA(0, 5), {FRAME_EOF, 1, 4, 0}}, "an end of stream with bytes missing before it"},
    {{HELLO, {FRAME_CREDIT, 1, 65535, 0}}, "credit that takes back what was granted"},
    {{HELLO, {FRAME_CREDIT, 1, 65536, 0}, {FRAME_CREDIT, 1, UINT64_MAX, 0}}, NULL},
    {{HELLO, {FRAME_CREDIT, 1, UINT64_MAX, 0}, {FRAME_CREDIT, 1, 70000, 0}},
	"credit that takes back what was granted"},
    {{HELLO, {FRAME_RESET, 1, 2, 0}}, NULL},
    {{HELLO, {FRAME_RESET, 1, UINT32_MAX, 0}}, NULL},
    /* Late frames for a stream that is forgotten crossed its end on the way. */
    {{HELLO, {FRAME_RESET, 1, 2, 0}, DATA(99, 5), {FRAME_EOF, 1, 7, 0}, {FRAME_CREDIT, 1, 0, 0},
	 {FRAME_RESET, 1, 1, 0}, {FRAME_OPENED, 1, 0, 0}},
	NULL},
};

static const struct row from_client[] = {
    {{HELLO, OPEN(1), DATA(0, 5), {FRAME_EOF, 1, 5, 0}}, NULL},
    {{HELLO, OPEN(1), OPEN(2), OPEN(700)}, NULL},
    /* Two that share a place in the table. */
    {{HELLO, OPEN(1), OPEN(1 + MUX_BUCKETS), DATA(0, 5), {FRAME_RESET, 1, 1, 0}, DATA(5, 1),
	 {FRAME_DATA, 1 + MUX_BUCKETS, 0, 7}, {FRAME_RESET, 1 + MUX_BUCKETS, 1, 0}},
	NULL},
    {{HELLO, OPEN(0)}, "frame with an illegal stream number"},
    {{HELLO, {FRAME_OPENED, 1, 0, 0}}, "frame type that the other side may not send"},
    {{HELLO, {FRAME_OPEN, 1, OPEN_FAMILY, 0}}, "a connection request with illegal values"},
    {{HELLO, {FRAME_OPEN, 1, OPEN_ZERO, 0}}, "a connection request with illegal values"},
    {{HELLO, OPEN(1), OPEN(1)}, "a stream number used twice"},
    {{HELLO, OPEN(5), OPEN(4)}, "a stream number used twice"},
    {{HELLO, OPEN(1), {FRAME_RESET, 1, 1, 0}, OPEN(1)}, "a stream number used twice"},
    {{HELLO, OPEN(1), DATA(0, 65536), DATA(65536, 65537 + 65536)}, "more data than was granted"},
    {{HELLO, OPEN(1), DATA(1, 1)}, "data that does not follow what came before"},
    {{HELLO, OPEN(1), {FRAME_RESET, 1, 1, 0}, DATA(9, 1), {FRAME_EOF, 1, 3, 0}}, NULL},
    {{HELLO, OPEN(1), OPEN(0x7fffffff), OPEN(0xfffffffe), OPEN(3)}, NULL}, /* round the corner */
};

static void
test_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		run_row(FRAME_SIDE_CLIENT, &both[i]);
		run_row(FRAME_SIDE_SERVER, &both[i]);
	}
}

static void
test_from_server(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(from_server); i++)
		run_row(FRAME_SIDE_CLIENT, &from_server[i]);
}

static void
test_from_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(from_client); i++)
		run_row(FRAME_SIDE_SERVER, &from_client[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both),
	    cmocka_unit_test(test_from_server),
	    cmocka_unit_test(test_from_client),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
