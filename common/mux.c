/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams on a lane: the table of streams, and sending; see mux.h. Receiving is in mux_input.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mux.h"
#include "mux_internal.h"
#include "wire.h"

enum {
	PUMPS_PER_WAKEUP = 16,
	ACK_BYTES = 64 * 1024, /* acknowledge at once after so many */
	WRITE_BATCH = 256 * 1024,
};

struct loop *
mux_loop(struct mux *m)
{
	return m->loop;
}

void
mux_fail(struct mux *m, const char *why)
{
	if (m->failed)
		return;
	m->failed = true;
	m->ops->failed(m, why);
}

/* ---- the table of streams ---- */

static struct stream **
bucket(struct mux *m, uint32_t id)
{
	return &m->buckets[id % MUX_BUCKETS];
}

struct stream *
mux_find(struct mux *m, uint32_t id)
{
	struct stream *s = *bucket(m, id);

	while (s != NULL && s->id != id)
		s = s->hash_next;
	return s;
}

struct stream *
mux_add_stream(struct mux *m, uint32_t id)
{
	struct stream *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->mux = m;
	s->id = id;
	s->io.fd = -1;
	s->window = STREAM_WINDOW_MIN;
	s->recv_limit = STREAM_WINDOW_MIN;
	s->send_limit = m->peer_credit;
	s->hash_next = *bucket(m, id);
	*bucket(m, id) = s;
	m->last_id = id;
	m->streams++;
	return s;
}

static void
forget(struct mux *m, struct stream *s)
{
	struct stream **p = bucket(m, s->id);

	m->ops->closed(m, s, (enum reason)s->reason);
	while (*p != s)
		p = &(*p)->hash_next;
	*p = s->hash_next;
	m->streams--;
	if (s->io.fd != -1)
		close(s->io.fd);
	s->io.fd = -1;
	bytes_free(&s->queue);
	sched_remove(&s->node);
	loop_defer_free(m->loop, &s->garbage);
}

static void
add_control(struct mux *m, struct stream *s)
{
	if (s->in_control)
		return;
	s->in_control = true;
	s->control_next = NULL;
	*m->control_tail = s;
	m->control_tail = &s->control_next;
}

void
mux_stream_pending(struct mux *m, struct stream *s, enum stream_pending what)
{
	s->pending |= (uint8_t)what;
	add_control(m, s);
}

void
mux_stream_check(struct mux *m, struct stream *s)
{
	/* Never forgotten here, in the middle of an event: put_control() does that. */
	if (stream_is_finished(s))
		add_control(m, s);
	else if (stream_can_send(s))
		sched_add(&m->sched, &s->node);
}

struct stream *
mux_open(struct mux *m, int fd, const struct addr *src, const struct addr *dst)
{
	uint32_t id = m->last_id + 1;

	if (m->streams >= m->max_streams) {
		errno = EMFILE;
		return NULL;
	}
	while (id == 0 || mux_find(m, id) != NULL)
		id++;
	struct stream *s = mux_add_stream(m, id);
	if (s == NULL)
		return NULL;
	s->src = *src;
	s->dst = *dst;
	mux_stream_pending(m, s, PENDING_OPEN);
	if (stream_attach(s, fd, STREAM_OPEN) == -1) {
		int err = errno;
		s->life = STREAM_DEAD;
		s->pending = 0;
		errno = err;
		return NULL;
	}
	s->writable = true;
	return s;
}

void
mux_abort_all(struct mux *m)
{
	for (size_t i = 0; i < MUX_BUCKETS; i++)
		for (struct stream *s = m->buckets[i]; s != NULL; s = s->hash_next)
			stream_abort(s);
}

/* ---- sending ---- */

static void
put_open(struct stream *s, struct lane *l)
{
	uint8_t *p = lane_control(l, FRAME_OPEN, s->id, 20);

	p = wire_put_u8(p, s->dst.family);
	p = wire_put_u8(p, 0);
	p = wire_put_u16(p, s->dst.port);
	wire_put_bytes(p, s->dst.bytes, 16);
}

/* One due frame of s, in the order in which they make sense. */
static void
put_pending(struct stream *s, struct lane *l)
{
	if (s->pending & PENDING_OPEN) {
		put_open(s, l);
		s->pending &= (uint8_t)~PENDING_OPEN;
	} else if (s->pending & PENDING_OPENED) {
		lane_control(l, FRAME_OPENED, s->id, 0);
		s->pending &= (uint8_t)~PENDING_OPENED;
	} else if (s->pending & PENDING_RESET) {
		wire_put_u32(lane_control(l, FRAME_RESET, s->id, 4), s->reason);
		s->pending = 0;
	} else if (s->pending & PENDING_CREDIT) {
		wire_put_u64(lane_control(l, FRAME_CREDIT, s->id, 8), s->recv_limit);
		s->pending &= (uint8_t)~PENDING_CREDIT;
	} else if (s->pending & PENDING_EOF) {
		wire_put_u64(lane_control(l, FRAME_EOF, s->id, 8), s->sent);
		s->pending &= (uint8_t)~PENDING_EOF;
	}
}

static void
put_control(struct mux *m)
{
	while (m->control_head != NULL && lane_control_room(&m->lane)) {
		struct stream *s = m->control_head;

		if (s->pending != 0) {
			put_pending(s, &m->lane);
			continue;
		}
		m->control_head = s->control_next;
		if (m->control_head == NULL)
			m->control_tail = &m->control_head;
		s->in_control = false;
		if (stream_is_finished(s))
			forget(m, s);
		else
			mux_stream_check(m, s);
	}
}

/* One turn of one stream; it goes back in the queue if it has more. */
static void
put_data(struct mux *m)
{
	struct sched_node *n = sched_next(&m->sched);
	struct stream *s = (struct stream *)((char *)n - offsetof(struct stream, node));

	if (!stream_can_send(s))
		return;
	size_t len = stream_pull(s, &m->lane);
	sched_charge(n, len);
	if (!s->readable)
		sched_dry(n);
	mux_stream_check(m, s);
}

static void
put_frames(struct mux *m)
{
	put_control(m);
	while (!sched_empty(&m->sched) && lane_data_room(&m->lane) > 0 &&
	       m->lane.out_end - m->lane.out_start < WRITE_BATCH) {
		put_data(m);
		put_control(m);
	}
	bool more = m->lane.out_end > m->lane.out_start;
	if (lane_ack_wanted(&m->lane) && lane_control_room(&m->lane) &&
	    (more || lane_unacked(&m->lane) >= ACK_BYTES || !m->ack_timer.armed)) {
		loop_timer_cancel(m->loop, &m->ack_timer);
		lane_put_ack(&m->lane);
	}
}

void
mux_pump(void *mux)
{
	struct mux *m = mux;

	m->lane.now = m->loop->now;
	for (int i = 0; i < PUMPS_PER_WAKEUP && !m->failed; i++) {
		put_frames(m);
		if (m->lane.out_end == 0)
			return; /* nothing is due, or the window is full */
		if (lane_flush(&m->lane) == -1) {
			mux_fail(m, MUX_CLOSED);
			return;
		}
		if (m->lane.out_end > 0)
			return; /* the pipe is full: out_ready() comes back */
	}
	/* Enough for one turn, and nothing else may wake us for the rest. */
	if (!m->failed)
		loop_timer_set(m->loop, &m->again, 0);
}

static void
pump_due(struct loop_timer *t)
{
	(void)t; /* mux_pump() runs behind every timer and sees which are not armed any more */
}

static void
out_ready(struct loop_fd *f, uint32_t events)
{
	struct mux *m = (struct mux *)((char *)f - offsetof(struct mux, out));

	(void)events; /* an error shows when mux_pump() writes */
	m->lane.out_ready = true;
}

/* ---- start ---- */

static void
put_hello(struct mux *m, const uint8_t *session, unsigned flags)
{
	static const uint8_t none[16];
	uint8_t *p = lane_control(&m->lane, FRAME_HELLO, 0, 32);

	p = wire_put_u16(p, FRAME_VERSION);
	p = wire_put_u16(p, (uint16_t)flags);
	p = wire_put_bytes(p, session != NULL ? session : none, sizeof none);
	p = wire_put_u32(p, STREAM_WINDOW_MIN);
	p = wire_put_u32(p, FRAME_DATA_MAX);
	wire_put_u32(p, m->max_streams);
}

int
mux_init(struct mux *m, struct loop *loop, const struct mux_ops *ops, void *owner,
    enum frame_side side, int in_fd, int out_fd, const uint8_t *session, uint32_t max_streams,
    unsigned flags)
{
	enum frame_side peer = side == FRAME_SIDE_CLIENT ? FRAME_SIDE_SERVER : FRAME_SIDE_CLIENT;

	memset(m, 0, sizeof *m);
	m->loop = loop;
	m->ops = ops;
	m->owner = owner;
	m->side = side;
	m->capacity = max_streams < MUX_MAX_STREAMS ? max_streams : MUX_MAX_STREAMS;
	m->max_streams = m->capacity;
	if (side == FRAME_SIDE_SERVER)
		m->max_streams -= m->capacity / 8;
	m->control_tail = &m->control_head;
	m->in = (struct loop_fd){.fd = in_fd, .ready = mux_in_ready};
	m->out = (struct loop_fd){.fd = out_fd, .ready = out_ready};
	m->ack_timer.fire = pump_due;
	m->again.fire = pump_due;
	sched_init(&m->sched);
	if (lane_init(&m->lane, in_fd, out_fd, peer) == -1)
		return -1;
	m->lane.now = loop->now;
	m->lane.window = MUX_WINDOW;
	put_hello(m, session, flags);
	if (loop_add(loop, &m->in, EPOLLIN) == -1 ||
	    loop_add(loop, &m->out, EPOLLOUT | EPOLLET) == -1) {
		lane_free(&m->lane);
		return -1;
	}
	loop->after = mux_pump;
	loop->after_arg = m;
	return 0;
}

void
mux_preload(struct mux *m, const void *data, size_t len)
{
	if (lane_preload(&m->lane, data, len) == -1)
		mux_fail(m, "the other side sent too much before the tunnel stood");
	else
		mux_take_pieces(m);
}
