/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams on a lane; see mux.h.
 *
 * Frames about a stream that we have already forgotten are legal: they crossed our RESET or our
 * last frame on the way. Frames about a stream that was never opened are not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "mux.h"
#include "wire.h"

enum {
	READS_PER_WAKEUP = 4,
	PUMPS_PER_WAKEUP = 16,
	ACK_BYTES = 64 * 1024,  /* acknowledge at once after so many */
	ACK_DELAY_US = 1000,    /* else let it ride on what is sent within this time */
	WRITE_BATCH = 256 * 1024,
};

struct loop *
mux_loop(struct mux *m)
{
	return m->loop;
}

static void
fail(struct mux *m, const char *why)
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

static struct stream *
find(struct mux *m, uint32_t id)
{
	struct stream *s = *bucket(m, id);

	while (s != NULL && s->id != id)
		s = s->hash_next;
	return s;
}

static struct stream *
add_stream(struct mux *m, uint32_t id)
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
	while (id == 0 || find(m, id) != NULL)
		id++;
	struct stream *s = add_stream(m, id);
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
		if (lane_flush(&m->lane) == -1) {
			fail(m, MUX_CLOSED);
			return;
		}
		if (m->lane.out_end > 0 || (m->control_head == NULL && sched_empty(&m->sched)))
			return;
	}
}

static void
ack_due(struct loop_timer *t)
{
	(void)t; /* mux_pump() runs behind every timer and sees that it is not armed any more */
}

static void
out_ready(struct loop_fd *f, uint32_t events)
{
	struct mux *m = (struct mux *)((char *)f - offsetof(struct mux, out));

	(void)events; /* an error shows when mux_pump() writes */
	m->lane.out_ready = true;
}

/* ---- receiving ---- */

static int
take_hello(struct mux *m, const struct lane_piece *p, const char **why)
{
	struct wire w;
	uint8_t session[16];

	wire_init(&w, p->data, p->len);
	unsigned version = wire_u16(&w);
	unsigned flags = wire_u16(&w);
	wire_bytes(&w, session, sizeof session);
	m->peer_credit = wire_u32(&w);
	uint32_t frame_max = wire_u32(&w);
	uint32_t streams = wire_u32(&w);
	if (!wire_done(&w) || streams == 0 || frame_max != FRAME_DATA_MAX) {
		*why = "a greeting with illegal values";
		return -1;
	}
	if (version != FRAME_VERSION) {
		*why = "another version of the tunnel protocol";
		return -1;
	}
	m->hello_came = true;
	if (streams < m->max_streams)
		m->max_streams = streams;
	m->ops->ready(m, flags);
	return 0;
}

static int
take_open(struct mux *m, const struct lane_piece *p, const char **why)
{
	struct wire w;
	struct addr dst = {0};

	wire_init(&w, p->data, p->len);
	dst.family = wire_u8(&w);
	unsigned zero = wire_u8(&w);
	dst.port = wire_u16(&w);
	wire_bytes(&w, dst.bytes, sizeof dst.bytes);
	if (!wire_done(&w) || zero != 0 || (dst.family != 4 && dst.family != 6)) {
		*why = "a connection request with illegal values";
		return -1;
	}
	if ((int32_t)(p->stream - m->last_id) <= 0 || find(m, p->stream) != NULL) {
		*why = "a stream number used twice";
		return -1;
	}
	/* We may still drain streams that the client has forgotten: it cannot count ours exactly. */
	if (m->streams >= 2 * MUX_MAX_STREAMS) {
		*why = "more connections than were agreed";
		return -1;
	}
	struct stream *s = add_stream(m, p->stream);
	if (s == NULL) {
		*why = "out of memory";
		return -1;
	}
	s->dst = dst;
	s->life = STREAM_CONNECTING;
	if (m->streams > m->max_streams)
		stream_fail(s, REASON_NO_DESCRIPTORS);
	else
		m->ops->open(m, s);
	return 0;
}

static int
take_reset(struct mux *m, struct stream *s, const struct lane_piece *p)
{
	struct wire w;

	wire_init(&w, p->data, p->len);
	enum reason r = reason_from_wire(wire_u32(&w));
	if (s->life != STREAM_DEAD)
		s->reason = (uint8_t)r;
	stream_abort(s);
	mux_stream_check(m, s);
	return 0;
}

static uint64_t
only_u64(const struct lane_piece *p)
{
	struct wire w;

	wire_init(&w, p->data, p->len);
	return wire_u64(&w); /* the frame table has made sure that it is 8 bytes */
}

static int
take_stream_frame(struct mux *m, struct stream *s, const struct lane_piece *p, const char **why)
{
	int r = 0;

	switch (p->type) {
	case FRAME_DATA:
		r = stream_deliver(s, p->offset, p->data, p->len, why);
		break;
	case FRAME_EOF:
		r = stream_take_eof(s, only_u64(p), why);
		break;
	case FRAME_CREDIT:
		r = stream_take_credit(s, only_u64(p), why);
		break;
	case FRAME_OPENED:
		m->ops->opened(m, s);
		break;
	case FRAME_RESET:
		r = take_reset(m, s, p);
		break;
	case FRAME_HELLO:
	case FRAME_OPEN:
	case FRAME_ACK:
		bug("frame without a stream");
	}
	return r;
}

static int
take_piece(struct mux *m, const struct lane_piece *p, const char **why)
{
	if (m->hello_came == (p->type == FRAME_HELLO)) {
		*why = m->hello_came ? "a second greeting" : "a frame before the greeting";
		return -1;
	}
	if (p->type == FRAME_HELLO)
		return take_hello(m, p, why);
	if (p->type == FRAME_OPEN)
		return take_open(m, p, why);

	struct stream *s = find(m, p->stream);
	if (s != NULL)
		return take_stream_frame(m, s, p, why);
	if ((int32_t)(p->stream - m->last_id) > 0) {
		*why = "a frame for a connection that was never opened";
		return -1;
	}
	return 0;
}

static void
take_pieces(struct mux *m)
{
	struct lane_piece p;
	const char *why = NULL;
	int r;

	while (!m->failed && (r = lane_next(&m->lane, &p)) != 0) {
		if (r == 1 && take_piece(m, &p, &why) == 0)
			continue;
		char text[160];
		strcpy(text, "the other side broke the tunnel protocol: ");
		strncat(text, r == -1 ? m->lane.why : why, 100);
		fail(m, text);
	}
}

static void
in_ready(struct loop_fd *f, uint32_t events)
{
	struct mux *m = (struct mux *)((char *)f - offsetof(struct mux, in));

	(void)events; /* an error shows when we read */
	m->lane.now = m->loop->now;
	for (int i = 0; i < READS_PER_WAKEUP && !m->failed; i++) {
		long n = lane_read(&m->lane);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			fail(m, MUX_CLOSED);
			return;
		}
		take_pieces(m);
		if ((size_t)n < LANE_IN_SIZE / 2)
			break;
	}
	if (lane_ack_wanted(&m->lane) && !m->ack_timer.armed)
		loop_timer_set(m->loop, &m->ack_timer, ACK_DELAY_US);
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
	m->max_streams = max_streams < MUX_MAX_STREAMS ? max_streams : MUX_MAX_STREAMS;
	m->control_tail = &m->control_head;
	m->in = (struct loop_fd){.fd = in_fd, .ready = in_ready};
	m->out = (struct loop_fd){.fd = out_fd, .ready = out_ready};
	m->ack_timer.fire = ack_due;
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
		fail(m, "the other side sent too much before the tunnel stood");
	else
		take_pieces(m);
}
