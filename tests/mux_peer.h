/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUX_PEER_H
#define MUX_PEER_H

/*
 * One mux, t.mux, on real pipes. At the other end of them is the test, which writes frames by
 * hand: send_frame(), then run() a few turns of the loop, then look at t.
 */
#include "unit.h"

#include "mux.h"

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

static inline void
on_ready(struct mux *m, unsigned flags)
{
	(void)m;
	(void)flags;
	t.ready++;
}

/* The server's end of a stream is a connection to the test's listener. */
static inline void
on_open(struct mux *m, struct stream *s)
{
	(void)m;
	assert_int_equal(s->life, STREAM_CONNECTING);
	assert_int_equal(stream_attach(s, unit_connect(&t.target), STREAM_CONNECTING), 0);
}

static inline void
on_opened(struct mux *m, struct stream *s)
{
	(void)m;
	(void)s;
	t.opened++;
}

static inline void
on_closed(struct mux *m, struct stream *s, enum reason why)
{
	(void)m;
	(void)s;
	t.closed++;
	t.why = why;
}

static inline void
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

static inline void
pump_and_stop(void *arg)
{
	mux_pump(arg);
	t.loop.stop = true;
}

static inline void
tick(struct loop_timer *timer)
{
	(void)timer;
}

/* A few turns of the loop, each of which a timer ends. */
static inline void
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

static inline void
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

static inline void
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

static inline uint8_t *
put_hello(uint8_t *p, uint64_t kind)
{
	p = wire_put_u16(p, kind == HELLO_VERSION ? 2 : FRAME_VERSION);
	p = wire_put_u16(p, 0);
	p = wire_put_bytes(p, "0123456789abcdef", 16);
	p = wire_put_u32(p, kind == HELLO_NO_CREDIT ? 0 : 65536);
	p = wire_put_u32(p, kind == HELLO_FRAME_MAX ? 65536 : FRAME_DATA_MAX);
	return wire_put_u32(p, kind == HELLO_NO_STREAMS ? 0 : kind == HELLO_ONE_STREAM ? 1 : 1000);
}

static inline uint8_t *
put_open(uint8_t *p, uint64_t kind)
{
	p = wire_put_u8(p, kind == OPEN_FAMILY ? 5 : 4);
	p = wire_put_u8(p, kind == OPEN_ZERO);
	p = wire_put_u16(p, t.target.port);
	return wire_put_bytes(p, t.target.bytes, 16);
}

static inline void
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

#endif
