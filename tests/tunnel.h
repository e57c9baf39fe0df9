/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TUNNEL_H
#define TUNNEL_H

/*
 * A whole tunnel in one process: the client's mux and the server's, real pipes, real TCP at both
 * ends, and the real connect_stream(). Between the two sits a tap that reads along, independently
 * of the code under test, and checks in every test that DATA has no gap and stays within the credit.
 */
#include "unit.h"

#include "connect.h"
#include "mux.h"

enum { TAP_SIZE = 4 * 1024 * 1024, TAP_STREAMS = 4096, TUNNEL_PATIENCE = 20000 };

/* One direction. Bytes: [0, forwarded) passed on, [0, parsed) understood, [0, len) read. */
struct tap {
	int from, to;
	bool held; /* read, but pass nothing on */
	uint8_t *buf;
	size_t len, parsed, forwarded;
	uint64_t sent[TAP_STREAMS], limit[TAP_STREAMS]; /* limit: granted in this direction */
	unsigned frames[9];
	struct tap *back;
};

struct tunnel_side {
	struct mux mux;
	unsigned ready, opened, closed, failed;
	enum reason why; /* of the last one closed */
	char sentence[200];
	struct tunnel *tunnel;
};

struct tunnel {
	struct loop loop;
	struct tunnel_side client, server;
	struct tap up, down;
	int pipe[4][2];
	struct addr target;
	int listener;
	unsigned fds_before;
};

/* One connection through it, seen by those who use it. */
struct conn {
	int app, target;
	uint32_t id;
};

#define UNTIL(t, condition)                                     \
	do {                                                    \
		for (int turns_ = 0; !(condition); turns_++) {  \
			if (turns_ == TUNNEL_PATIENCE)          \
				fail_msg("never: " #condition); \
			tunnel_turn(t);                         \
		}                                               \
	} while (0)

/* ---- what the muxes call ---- */

static inline void
tunnel_on_ready(struct mux *m, unsigned flags)
{
	struct tunnel_side *side = m->owner;

	assert_int_equal(flags, 0);
	side->ready++;
}

static inline void
tunnel_on_open(struct mux *m, struct stream *s)
{
	(void)m;
	connect_stream(s, false);
}

static inline void
tunnel_on_opened(struct mux *m, struct stream *s)
{
	struct tunnel_side *side = m->owner;

	(void)s;
	side->opened++;
}

static inline void
tunnel_on_closed(struct mux *m, struct stream *s, enum reason why)
{
	struct tunnel_side *side = m->owner;

	(void)s;
	side->closed++;
	side->why = why;
}

static inline void
tunnel_on_failed(struct mux *m, const char *why)
{
	struct tunnel_side *side = m->owner;

	side->failed++;
	(void)snprintf(side->sentence, sizeof side->sentence, "%s", why);
	mux_abort_all(m);
	loop_remove(m->loop, &m->in);
	loop_remove(m->loop, &m->out);
}

static const struct mux_ops tunnel_ops = {
    tunnel_on_ready, tunnel_on_open, tunnel_on_opened, tunnel_on_closed, tunnel_on_failed};

/* ---- the tap ---- */

static inline void
tap_check(struct tap *tap, unsigned type, uint32_t stream, const uint8_t *payload, size_t len)
{
	struct wire w;

	assert_in_range(type, 1, 8);
	assert_true(stream < TAP_STREAMS);
	tap->frames[type]++;
	wire_init(&w, payload, len);
	uint64_t value = wire_u64(&w);
	if (type == FRAME_DATA) {
		assert_true(value == tap->sent[stream]);
		tap->sent[stream] += len - 8;
		assert_true(tap->sent[stream] <= tap->limit[stream]);
	} else if (type == FRAME_EOF) {
		assert_true(value == tap->sent[stream]);
	} else if (type == FRAME_CREDIT) {
		assert_true(value > tap->back->limit[stream]);
		tap->back->limit[stream] = value;
	}
}

static inline void
tap_parse(struct tap *tap)
{
	while (tap->len - tap->parsed >= FRAME_HEADER) {
		struct wire w;

		wire_init(&w, tap->buf + tap->parsed, FRAME_HEADER);
		uint32_t head = wire_u32(&w), stream = wire_u32(&w);
		size_t len = head & 0xffffff;
		if (tap->len - tap->parsed < FRAME_HEADER + len)
			return;
		tap_check(tap, head >> 24, stream, tap->buf + tap->parsed + FRAME_HEADER, len);
		tap->parsed += FRAME_HEADER + len;
	}
}

static inline void
tap_relay(struct tap *tap)
{
	ssize_t n = read(tap->from, tap->buf + tap->len, TAP_SIZE - tap->len);

	if (n > 0) {
		tap->len += (size_t)n;
		tap_parse(tap);
	}
	if (tap->held)
		return;
	n = write(tap->to, tap->buf + tap->forwarded, tap->len - tap->forwarded);
	if (n > 0)
		tap->forwarded += (size_t)n;
	if (tap->forwarded == tap->len && tap->parsed == tap->len)
		tap->len = tap->forwarded = tap->parsed = 0;
	else if (tap->len > TAP_SIZE / 2) {
		size_t done = tap->forwarded < tap->parsed ? tap->forwarded : tap->parsed;
		memmove(tap->buf, tap->buf + done, tap->len - done);
		tap->len -= done;
		tap->forwarded -= done;
		tap->parsed -= done;
	}
}

/* ---- turns ---- */

static inline void
tunnel_after(void *arg)
{
	struct tunnel *t = arg;

	mux_pump(&t->client.mux);
	mux_pump(&t->server.mux);
	t->loop.stop = true;
}

static inline void
tunnel_tick(struct loop_timer *timer)
{
	(void)timer;
}

/* One batch of events, or a millisecond in which there are none; then the taps. */
static inline void
tunnel_turn(struct tunnel *t)
{
	struct loop_timer timer = {.fire = tunnel_tick};

	t->loop.stop = false;
	t->loop.now = loop_clock();
	loop_timer_set(&t->loop, &timer, 1000);
	assert_int_equal(loop_run(&t->loop), 0);
	loop_timer_cancel(&t->loop, &timer);
	tap_relay(&t->up);
	tap_relay(&t->down);
}

/* ---- start and end ---- */

static inline void
tunnel_side_start(struct tunnel *t, struct tunnel_side *s, enum frame_side side, int in, int out)
{
	static const uint8_t session[16] = "0123456789abcde";

	s->tunnel = t;
	assert_int_equal(mux_init(&s->mux, &t->loop, &tunnel_ops, s, side, in, out,
			     side == FRAME_SIDE_CLIENT ? session : NULL, 3000, 0),
	    0);
}

static inline void
tunnel_tap_start(struct tap *tap, struct tap *back, int from, int to)
{
	tap->from = from;
	tap->to = to;
	tap->back = back;
	tap->buf = malloc(TAP_SIZE);
	assert_non_null(tap->buf);
	for (size_t i = 0; i < TAP_STREAMS; i++)
		tap->limit[i] = STREAM_WINDOW_MIN;
}

static inline struct tunnel *
tunnel_start(void)
{
	struct tunnel *t = calloc(1, sizeof *t);

	assert_non_null(t);
	(void)signal(SIGPIPE, SIG_IGN);
	t->fds_before = unit_count_fds();
	for (int i = 0; i < 4; i++)
		unit_pipe(t->pipe[i], 0);
	t->listener = unit_listen(&t->target);
	assert_int_equal(loop_init(&t->loop), 0);
	tunnel_side_start(t, &t->client, FRAME_SIDE_CLIENT, t->pipe[3][0], t->pipe[0][1]);
	tunnel_side_start(t, &t->server, FRAME_SIDE_SERVER, t->pipe[1][0], t->pipe[2][1]);
	tunnel_tap_start(&t->up, &t->down, t->pipe[0][0], t->pipe[1][1]);
	tunnel_tap_start(&t->down, &t->up, t->pipe[2][0], t->pipe[3][1]);
	t->loop.after = tunnel_after;
	t->loop.after_arg = t;
	UNTIL(t, t->client.ready && t->server.ready);
	return t;
}

static inline void
tunnel_free_streams(struct mux *m)
{
	mux_abort_all(m);
	for (size_t i = 0; i < MUX_BUCKETS; i++) {
		while (m->buckets[i] != NULL) {
			struct stream *s = m->buckets[i];
			m->buckets[i] = s->hash_next;
			free(s);
		}
	}
	lane_free(&m->lane);
}

/* After the caller has closed what is its own, no descriptor may be left. */
static inline void
tunnel_stop(struct tunnel *t)
{
	unsigned before = t->fds_before;

	tunnel_free_streams(&t->client.mux);
	tunnel_free_streams(&t->server.mux);
	for (int i = 0; i < 4; i++) {
		close(t->pipe[i][0]);
		close(t->pipe[i][1]);
	}
	close(t->listener);
	close(t->loop.epoll_fd);
	free(t->up.buf);
	free(t->down.buf);
	free(t);
	assert_int_equal(unit_count_fds(), before);
}

/* ---- connections ---- */

/* The client has accepted a connection to dst; the far end need not stand yet. */
static inline void
conn_begin(struct tunnel *t, struct conn *c, const struct addr *dst)
{
	struct addr src = {.family = 4};
	int pair[2];

	unit_tcp_pair(pair);
	struct stream *s = mux_open(&t->client.mux, pair[1], &src, dst);
	assert_non_null(s);
	*c = (struct conn){.app = pair[0], .target = -1, .id = s->id};
}

static inline bool
conn_arrived(struct tunnel *t, struct conn *c)
{
	if (c->target == -1)
		c->target = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return c->target != -1;
}

static inline void
conn_open(struct tunnel *t, struct conn *c)
{
	conn_begin(t, c, &t->target);
	UNTIL(t, conn_arrived(t, c));
}

static inline void
conn_close(struct conn *c)
{
	if (c->app != -1)
		close(c->app);
	if (c->target != -1)
		close(c->target);
	c->app = c->target = -1;
}

struct flow {
	int from, to;
	uint64_t seed, total, written, seen;
};

/* Write what fits and check what has come; true when all of it has. */
static inline bool
flow_step(struct flow *f)
{
	uint8_t buf[16384];
	size_t n =
	    f->total - f->written < sizeof buf ? (size_t)(f->total - f->written) : sizeof buf;

	for (size_t i = 0; i < n; i++)
		buf[i] = unit_byte(f->seed, f->written + i);
	ssize_t w = n > 0 ? send(f->from, buf, n, MSG_NOSIGNAL) : 0;
	if (w > 0)
		f->written += (uint64_t)w;
	ssize_t r = recv(f->to, buf, sizeof buf, 0);
	for (ssize_t i = 0; i < r; i++)
		if (buf[i] != unit_byte(f->seed, f->seen + (uint64_t)i))
			fail_msg("wrong byte at %llu", (unsigned long long)f->seen);
	if (r > 0)
		f->seen += (uint64_t)r;
	assert_true(f->seen <= f->total);
	return f->seen == f->total;
}

static inline void
conn_transfer(struct tunnel *t, int from, int to, uint64_t total)
{
	struct flow f = {.from = from, .to = to, .seed = total, .total = total};

	UNTIL(t, flow_step(&f));
}

/* 0: end of file; an errno: that error; -1: neither yet. */
static inline int
socket_end(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	if (n > 0)
		fail_msg("a byte where the end was expected");
	return n == 0 ? 0 : errno == EAGAIN ? -1 : errno;
}

#define EXPECT_END(t, fd, what)                          \
	do {                                             \
		int end_ = -1;                           \
		UNTIL(t, (end_ = socket_end(fd)) != -1); \
		assert_int_equal(end_, what);            \
	} while (0)

#endif
