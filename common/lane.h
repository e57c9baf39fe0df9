/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LANE_H
#define LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

/*
 * A lane is one byte pipe to the other end (one ssh session): frames in, frames out, and the
 * account of what is in flight. It knows nothing of streams. Nothing here calls up: the owner
 * reads, takes pieces until there are none, puts frames, flushes.
 *
 * DATA frames are handed out in pieces as their bytes arrive; every other frame whole.
 */
enum {
	LANE_IN_SIZE = 256 * 1024,
	LANE_OUT_SIZE = 512 * 1024,
	LANE_CONTROL_ROOM = 4096, /* of the out buffer, kept for control frames */
};

struct lane {
	int in_fd, out_fd;    /* non-blocking, owned by the caller */
	enum frame_side peer; /* who is at the other end */

	/* in */
	uint8_t *in;
	size_t in_start, in_end;
	bool in_data; /* in the middle of a DATA frame */
	uint32_t data_stream;
	uint32_t data_left;   /* its bytes still to come */
	uint64_t data_offset; /* of the next of them */
	uint64_t processed;   /* bytes, ACK frames not counted */
	uint64_t ack_sent;    /* value of the last ACK we sent */
	uint32_t last_clock;  /* of the last frame that is acknowledged */
	uint64_t last_arrival;
	const char *why; /* after a violation: which */

	/* out */
	uint8_t *out;
	size_t out_start, out_end;
	bool out_ready;  /* false: wait until out_fd is writable */
	uint64_t sent;   /* bytes put, ACK frames not counted */
	uint64_t acked;  /* of them, processed at the other end */
	uint64_t window; /* most bytes in flight; 0: no limit */
	uint64_t now;    /* microseconds, set by the owner */
	uint64_t rtt;    /* last sample, microseconds; 0: none yet */
};

/* What lane_next() found. data points into the lane's buffer until the next lane_read(). */
struct lane_piece {
	enum frame_type type;
	uint32_t stream;
	uint64_t offset; /* DATA: of data[0] */
	const uint8_t *data;
	size_t len;
};

/* Takes no ownership of the descriptors. Returns 0, or -1 with errno. */
int lane_init(struct lane *l, int in_fd, int out_fd, enum frame_side peer);
void lane_free(struct lane *l);
/* Put bytes that were read from in_fd before the lane existed. -1: too many. */
int lane_preload(struct lane *l, const void *data, size_t len);

/* One read(2). Returns its result; call lane_next() until it returns 0 before calling again. */
long lane_read(struct lane *l);
/* 1: *p is the next piece. 0: more bytes are needed. -1: violation, l->why says which. */
int lane_next(struct lane *l, struct lane_piece *p);

/* How many payload bytes of DATA may be put now; 0 while the window or the buffer is full. */
size_t lane_data_room(const struct lane *l);
/* Where to put the payload of a DATA frame; at most lane_data_room() bytes. */
uint8_t *lane_data_begin(struct lane *l);
void lane_data_commit(struct lane *l, uint32_t stream, uint64_t offset, size_t len);
bool lane_control_room(const struct lane *l);
/* Append a control frame with len bytes of payload; returns where the payload goes. */
uint8_t *lane_control(struct lane *l, enum frame_type type, uint32_t stream, size_t len);
/* True if the other end waits for an ACK; lane_put_ack() appends it. */
bool lane_ack_wanted(const struct lane *l);
uint64_t lane_unacked(const struct lane *l);
void lane_put_ack(struct lane *l);
/* Write what is there. Returns 0, also when the pipe is full, or -1 with errno. */
int lane_flush(struct lane *l);

#endif
