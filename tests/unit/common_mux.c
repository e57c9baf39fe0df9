/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mux against a peer that this test writes byte by byte: what a hostile or broken other side
 * may do, and with which sentence the session ends; what is legal all the same.
 */
#include "unit.h"

#include "mux.h"

static const char prefix[] = "the other side broke the tunnel protocol: ";

static struct {
	struct loop loop;
	struct mux mux;
	int in[2], out[2]; /* of the mux */
	int app;	   /* behind stream 1, this test's end of a TCP connection */
	int ready, opened, closed, failed;
	enum reason why;
	char sentence[200];
	struct addr target; /* listens, where OPEN leads */
	int listener;
} t;

static void
on_ready(struct mux *m, unsigned flags)
{
	(void)m;
	(void)flags;
	t.ready++;
}

/* The server's end of a stream is a connection to the test's listener. */
static void
on_open(struct mux *m, struct stream *s)
{
	(void)m;
	assert_int_equal(s->life, STREAM_CONNECTING);
	assert_int_equal(stream_attach(s, unit_connect(&t.target), STREAM_CONNECTING), 0);
}

static void
on_opened(struct mux *m, struct stream *s)
{
	(void)m;
	(void)s;
	t.opened++;
}

static void
on_closed(struct mux *m, struct stream *s, enum reason why)
{
	(void)m;
	(void)s;
	t.closed++;
	t.why = why;
}

static void
on_failed(struct mux *m, const char *why)
{
	t.failed++;
	(void)snprintf(t.sentence, sizeof t.sentence, "%s", why);
	mux_abort_all(m);
	loop_remove(&t.loop, &m->in);
	loop_remove(&t.loop, &m->out);
	t.loop.stop = true;
}

static const struct mux_ops ops = {on_ready, on_open, on_opened, on_closed, on_failed};

static void
pump_and_stop(void *arg)
{
	mux_pump(arg);
	t.loop.stop = true;
}

static void
tick(struct loop_timer *timer)
{
	(void)timer;
}

/* A few turns of the loop, each of which a timer ends. */
static void
run(void)
{
	struct loop_timer timer = {.fire = tick};

	for (int i = 0; i < 4; i++) {
		t.loop.stop = false;
		t.loop.now = loop_clock();
		loop_timer_set(&t.loop, &timer, 200);
		assert_int_equal(loop_run(&t.loop), 0);
		loop_timer_cancel(&t.loop, &timer);
	}
}

static void
start(enum frame_side side, uint32_t max_streams)
{
	memset(&t, 0, sizeof t);
	t.app = -1;
	unit_pipe(t.in, 1024 * 1024);
	unit_pipe(t.out, 1024 * 1024);
	t.listener = unit_listen(&t.target);
	assert_int_equal(loop_init(&t.loop), 0);
	assert_int_equal(mux_init(&t.mux, &t.loop, &ops, NULL, side, t.in[0], t.out[1],
			     (const uint8_t *)"0123456789abcdef", max_streams, 0),
	    0);
	t.loop.after = pump_and_stop;
}

static void
stop(void)
{
	if (!t.failed)
		mux_abort_all(&t.mux);
	for (size_t i = 0; i < MUX_BUCKETS; i++) {
		while (t.mux.buckets[i] != NULL) {
			struct stream *s = t.mux.buckets[i];
			t.mux.buckets[i] = s->hash_next;
			free(s);
		}
	}
	lane_free(&t.mux.lane);
	for (int i = 0; i < 2; i++) {
		close(t.in[i]);
		close(t.out[i]);
	}
	if (t.app != -1)
		close(t.app);
	close(t.listener);
	close(t.loop.epoll_fd);
}

/* ---- frames of the test's ---- */

struct frame {
	unsigned type;
	uint32_t stream;
	uint64_t value; /* offset, limit, reason; HELLO: see below */
	size_t len;	/* DATA: bytes */
};

enum {
	HELLO_GOOD,
	HELLO_VERSION,
	HELLO_NO_STREAMS,
	HELLO_FRAME_MAX,
	HELLO_ONE_STREAM,
	HELLO_NO_CREDIT
};
enum { OPEN_GOOD, OPEN_FAMILY, OPEN_ZERO };

static uint8_t *
put_hello(uint8_t *p, uint64_t kind)
{
	p = wire_put_u16(p, kind == HELLO_VERSION ? 2 : FRAME_VERSION);
	p = wire_put_u16(p, 0);
	p = wire_put_bytes(p, "0123456789abcdef", 16);
	p = wire_put_u32(p, kind == HELLO_NO_CREDIT ? 0 : 65536);
	p = wire_put_u32(p, kind == HELLO_FRAME_MAX ? 65536 : FRAME_DATA_MAX);
	return wire_put_u32(p, kind == HELLO_NO_STREAMS ? 0 : kind == HELLO_ONE_STREAM ? 1 : 1000);
}

static uint8_t *
put_open(uint8_t *p, uint64_t kind)
{
	p = wire_put_u8(p, kind == OPEN_FAMILY ? 5 : 4);
	p = wire_put_u8(p, kind == OPEN_ZERO);
	p = wire_put_u16(p, t.target.port);
	return wire_put_bytes(p, t.target.bytes, 16);
}

static void
send_frame(const struct frame *f)
{
	static uint8_t bytes[FRAME_HEADER + 8 + FRAME_DATA_MAX];
	static const size_t sizes[] = {0, 32, 20, 0, 8, 8, 4, 8, 16};
	uint8_t *p = unit_frame(bytes, f->type, f->stream, sizes[f->type] + f->len);

	switch (f->type) {
	case FRAME_HELLO:
		p = put_hello(p, f->value);
		break;
	case FRAME_OPEN:
		p = put_open(p, f->value);
		break;
	case FRAME_OPENED:
		break;
	case FRAME_RESET:
		p = wire_put_u32(p, (uint32_t)f->value);
		break;
	default:
		p = wire_put_u64(p, f->value);
		memset(p, 'x', f->type == FRAME_ACK ? 8 : f->len);
		p += f->type == FRAME_ACK ? 8 : f->len;
	}
	unit_write(t.in[1], bytes, (size_t)(p - bytes));
}

#define HELLO                                 \
	{                                     \
		FRAME_HELLO, 0, HELLO_GOOD, 0 \
	}
#define OPEN(id)                             \
	{                                    \
		FRAME_OPEN, id, OPEN_GOOD, 0 \
	}
#define DATA(o, n)                  \
	{                           \
		FRAME_DATA, 1, o, n \
	}
#define END                \
	{                  \
		0, 0, 0, 0 \
	}

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
	    cmocka_unit_test(test_both),
	    cmocka_unit_test(test_from_server),
	    cmocka_unit_test(test_from_client),
	    cmocka_unit_test(test_nothing_after_failure),
	    cmocka_unit_test(test_end_of_lane),
	    cmocka_unit_test(test_too_much_before),
	    cmocka_unit_test(test_too_many_streams),
	    cmocka_unit_test(test_gone_before_open),
	    cmocka_unit_test(test_open_over_limit),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
