/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes in on a lane: checks each frame against the state of its stream and hands it on; see
 * mux.h.
 *
 * Frames about a stream that we have already forgotten are legal: they crossed our RESET or our
 * last frame on the way. Frames about a stream that was never opened are not.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "mux.h"
#include "mux_internal.h"
#include "wire.h"

enum { ACK_DELAY_US = 1000 /* let an ACK ride on what is sent within this time */ };

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
	if (!wire_done(&w) || zero != 0 || dst.port == 0 || !addr_is_valid(&dst)) {
		*why = "a connection request with illegal values";
		return -1;
	}
	if ((int32_t)(p->stream - m->last_id) <= 0 || mux_find(m, p->stream) != NULL) {
		*why = "a stream number used twice";
		return -1;
	}
	/* We may still drain streams that the client has forgotten: it cannot count ours exactly. */
	if (m->streams >= 2 * MUX_MAX_STREAMS) {
		*why = "more connections than were agreed";
		return -1;
	}
	struct stream *s = mux_add_stream(m, p->stream);
	if (s == NULL) {
		*why = "out of memory";
		return -1;
	}
	s->dst = dst;
	s->life = STREAM_CONNECTING;
	if (m->streams > m->capacity)
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
	if (r == REASON_NONE)
		r = REASON_OTHER; /* a reset is never a clean end */
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

	struct stream *s = mux_find(m, p->stream);
	if (s != NULL)
		return take_stream_frame(m, s, p, why);
	if ((int32_t)(p->stream - m->last_id) > 0) {
		*why = "a frame for a connection that was never opened";
		return -1;
	}
	return 0;
}

void
mux_take_pieces(struct mux *m)
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
		mux_fail(m, text);
	}
}

void
mux_in_ready(struct loop_fd *f, uint32_t events)
{
	struct mux *m = (struct mux *)((char *)f - offsetof(struct mux, in));

	(void)events; /* an error shows when we read */
	m->lane.now = m->loop->now;
	/* One read a turn: more, and the sender would stand still until it hears of new credit. */
	long n = lane_read(&m->lane);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		mux_fail(m, MUX_CLOSED);
		return;
	}
	mux_take_pieces(m);
	if (lane_ack_wanted(&m->lane) && !m->ack_timer.armed)
		loop_timer_set(m->loop, &m->ack_timer, ACK_DELAY_US);
}
