/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames on a byte pipe; see lane.h, and frame.h for the format.
 *
 * In: one buffer, one read(2) at a time, a parser that looks at a header only when it is complete
 * and checks it against FRAMES before anything else. Out: one buffer that sockets are read into
 * directly. ACK frames count on neither side, or two idle ends would acknowledge each other's
 * acknowledgements for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lane.h"
#include "log.h"
#include "wire.h"

struct row {
	uint8_t from;
	bool on_stream;
	uint32_t least, most;
};

static const struct row rows[] = {
#define X(name, number, from, stream, least, most) [number] = {from, stream, least, most},
    FRAMES(X)
#undef X
};

enum { DATA_PREFIX = 8 /* offset */ };

int
lane_init(struct lane *l, int in_fd, int out_fd, enum frame_side peer)
{
	*l = (struct lane){.in_fd = in_fd, .out_fd = out_fd, .peer = peer, .out_ready = true};
	l->in = malloc(LANE_IN_SIZE);
	l->out = malloc(LANE_OUT_SIZE);
	if (l->in == NULL || l->out == NULL) {
		lane_free(l);
		errno = ENOMEM;
		return -1;
	}
	/* Take the pages now, so that later growth is what streams hold and nothing else. */
	memset(l->in, 0, LANE_IN_SIZE);
	memset(l->out, 0, LANE_OUT_SIZE);
	return 0;
}

void
lane_free(struct lane *l)
{
	free(l->in);
	free(l->out);
	l->in = l->out = NULL;
}

int
lane_preload(struct lane *l, const void *data, size_t len)
{
	if (len > LANE_IN_SIZE - l->in_end)
		return -1;
	memcpy(l->in + l->in_end, data, len);
	l->in_end += len;
	return 0;
}

long
lane_read(struct lane *l)
{
	size_t have = l->in_end - l->in_start;

	/* What is left is less than one control frame, or lane_next() had not been drained. */
	if (l->in_start > 0) {
		memmove(l->in, l->in + l->in_start, have);
		l->in_start = 0;
		l->in_end = have;
	}
	ssize_t n = read(l->in_fd, l->in + have, LANE_IN_SIZE - have);
	if (n > 0)
		l->in_end += (size_t)n;
	return n;
}

static int
violation(struct lane *l, const char *why)
{
	l->why = why;
	return -1;
}

static void
consume(struct lane *l, size_t len, bool counts)
{
	l->in_start += len;
	if (counts)
		l->processed += len;
}

/* Hand out what has arrived of the DATA frame we are in. */
static int
next_data(struct lane *l, struct lane_piece *p)
{
	size_t have = l->in_end - l->in_start;
	size_t len = have < l->data_left ? have : l->data_left;

	if (len == 0)
		return 0;
	*p = (struct lane_piece){.type = FRAME_DATA,
	    .stream = l->data_stream,
	    .offset = l->data_offset,
	    .data = l->in + l->in_start,
	    .len = len};
	l->data_left -= (uint32_t)len;
	l->data_offset += len;
	if (l->data_left == 0)
		l->in_data = false;
	consume(l, len, true);
	return 1;
}

static const char *
header_violation(const struct lane *l, unsigned type, uint32_t len, uint32_t stream)
{
	if (type >= sizeof rows / sizeof *rows || rows[type].most + rows[type].from == 0)
		return "unknown frame type";
	if (!(rows[type].from & l->peer))
		return "frame type that the other side may not send";
	if (len < rows[type].least || len > rows[type].most)
		return "frame of illegal length";
	if (rows[type].on_stream != (stream != 0))
		return "frame with an illegal stream number";
	return NULL;
}

static int
take_ack(struct lane *l, const uint8_t *payload, size_t len)
{
	struct wire w;

	wire_init(&w, payload, len);
	uint64_t bytes = wire_u64(&w);
	uint32_t clock = wire_u32(&w);
	uint32_t delay = wire_u32(&w);
	if (!wire_done(&w) || bytes < l->acked || bytes > l->sent)
		return violation(l, "acknowledgement of bytes that were not sent");
	l->acked = bytes;
	uint32_t elapsed = (uint32_t)l->now - clock;
	l->rtt = elapsed > delay ? elapsed - delay : 0;
	return 0;
}

int
lane_next(struct lane *l, struct lane_piece *p)
{
	for (;;) {
		if (l->in_data)
			return next_data(l, p);

		const uint8_t *at = l->in + l->in_start;
		size_t have = l->in_end - l->in_start;
		if (have < FRAME_HEADER)
			return 0;
		struct wire w;
		wire_init(&w, at, FRAME_HEADER);
		uint32_t head = wire_u32(&w);
		unsigned type = head >> 24;
		uint32_t len = head & 0xffffff;
		uint32_t stream = wire_u32(&w);
		uint32_t clock = wire_u32(&w);
		const char *why = header_violation(l, type, len, stream);
		if (why != NULL)
			return violation(l, why);

		bool data = type == FRAME_DATA;
		size_t whole = FRAME_HEADER + (data ? DATA_PREFIX : len);
		if (have < whole)
			return 0;
		consume(l, whole, type != FRAME_ACK);
		if (type == FRAME_ACK) {
			if (take_ack(l, at + FRAME_HEADER, len) == -1)
				return -1;
			continue;
		}
		l->last_clock = clock;
		l->last_arrival = l->now;
		if (data) {
			wire_init(&w, at + FRAME_HEADER, DATA_PREFIX);
			l->in_data = true;
			l->data_stream = stream;
			l->data_offset = wire_u64(&w);
			l->data_left = len - DATA_PREFIX;
			continue;
		}
		*p = (struct lane_piece){.type = (enum frame_type)type,
		    .stream = stream,
		    .data = at + FRAME_HEADER,
		    .len = len};
		return 1;
	}
}

size_t
lane_data_room(const struct lane *l)
{
	size_t space = LANE_OUT_SIZE - l->out_end;
	size_t need = FRAME_HEADER + DATA_PREFIX + LANE_CONTROL_ROOM;
	uint64_t flying = l->sent - l->acked;

	if (space <= need || (l->window != 0 && flying >= l->window))
		return 0;
	space -= need;
	if (space > FRAME_DATA_MAX)
		space = FRAME_DATA_MAX;
	if (l->window != 0 && space > l->window - flying)
		space = (size_t)(l->window - flying);
	return space;
}

uint8_t *
lane_data_begin(struct lane *l)
{
	return l->out + l->out_end + FRAME_HEADER + DATA_PREFIX;
}

static uint8_t *
put_header(struct lane *l, enum frame_type type, uint32_t stream, size_t len)
{
	uint8_t *p = l->out + l->out_end;

	p = wire_put_u32(p, (uint32_t)type << 24 | (uint32_t)len);
	p = wire_put_u32(p, stream);
	p = wire_put_u32(p, (uint32_t)l->now);
	l->out_end += FRAME_HEADER + len;
	if (type != FRAME_ACK)
		l->sent += FRAME_HEADER + len;
	return p;
}

void
lane_data_commit(struct lane *l, uint32_t stream, uint64_t offset, size_t len)
{
	uint8_t *p = put_header(l, FRAME_DATA, stream, DATA_PREFIX + len);

	wire_put_u64(p, offset);
}

bool
lane_control_room(const struct lane *l)
{
	return LANE_OUT_SIZE - l->out_end >= 2 * FRAME_CONTROL_MAX;
}

uint8_t *
lane_control(struct lane *l, enum frame_type type, uint32_t stream, size_t len)
{
	if (LANE_OUT_SIZE - l->out_end < FRAME_HEADER + len)
		bug("control frame without room");
	return put_header(l, type, stream, len);
}

bool
lane_ack_wanted(const struct lane *l)
{
	return l->processed != l->ack_sent;
}

uint64_t
lane_unacked(const struct lane *l)
{
	return l->processed - l->ack_sent;
}

void
lane_put_ack(struct lane *l)
{
	uint64_t delay = l->now - l->last_arrival;
	uint8_t *p = lane_control(l, FRAME_ACK, 0, 16);

	p = wire_put_u64(p, l->processed);
	p = wire_put_u32(p, l->last_clock);
	wire_put_u32(p, delay > UINT32_MAX ? UINT32_MAX : (uint32_t)delay);
	l->ack_sent = l->processed;
}

int
lane_flush(struct lane *l)
{
	while (l->out_start < l->out_end && l->out_ready) {
		ssize_t n = write(l->out_fd, l->out + l->out_start, l->out_end - l->out_start);

		if (n == -1 && errno == EAGAIN)
			l->out_ready = false;
		else if (n == -1 && errno != EINTR)
			return -1;
		else if (n > 0)
			l->out_start += (size_t)n;
	}
	if (l->out_start == l->out_end) {
		l->out_start = l->out_end = 0;
	} else if (l->out_start > LANE_OUT_SIZE / 2) {
		memmove(l->out, l->out + l->out_start, l->out_end - l->out_start);
		l->out_end -= l->out_start;
		l->out_start = 0;
	}
	return 0;
}
