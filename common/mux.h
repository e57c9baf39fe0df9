/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUX_H
#define MUX_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "lane.h"
#include "loop.h"
#include "sched.h"
#include "stream.h"

/*
 * The session: all streams, and the lane that carries them. Both programs run it; what differs is
 * in one const table of operations, which is the only place from which this code calls up.
 *
 * Nothing is sent while events are handled. They change state and note what is due; mux_pump(),
 * run once after each batch, writes it: due control frames, then data in the scheduler's order,
 * then an acknowledgement if one is wanted, all in one write(2).
 */
enum {
	MUX_MAX_STREAMS = 60000,
	MUX_BUCKETS = 16384,
	MUX_WINDOW = 2000000, /* in flight per lane: below OpenSSH's 2 MiB channel window */
};

#define MUX_CLOSED "the connection is closed"

struct mux_ops {
	/* HELLO came: the session stands. flags: enum frame_hello_flags. */
	void (*ready)(struct mux *m, unsigned flags);
	/* Server: connect s to s->dst with stream_attach(), or stream_fail(). */
	void (*open)(struct mux *m, struct stream *s);
	/* Client: the far connection of s stands. */
	void (*opened)(struct mux *m, struct stream *s);
	/* s is about to be forgotten. why: REASON_NONE after a clean end. */
	void (*closed)(struct mux *m, struct stream *s, enum reason why);
	/*
	 * The session is over; why is one sentence, MUX_CLOSED at the lane's end of file. Called
	 * once; nothing is called after it.
	 */
	void (*failed)(struct mux *m, const char *why);
};

struct mux {
	struct loop *loop;
	const struct mux_ops *ops;
	void *owner;
	enum frame_side side; /* ours */
	struct lane lane;
	struct loop_fd in, out;
	struct loop_timer ack_timer;
	struct loop_timer again; /* mux_pump() has more to do */
	bool hello_came, failed;
	struct sched sched;
	struct stream *control_head, **control_tail; /* streams with frames due */
	struct stream *buckets[MUX_BUCKETS];
	uint32_t streams;     /* how many there are */
	uint32_t max_streams; /* the smaller of both sides' limits, as announced in HELLO */
	/* What we can hold. A server announces less: it may still drain what the client forgot. */
	uint32_t capacity;
	uint32_t last_id;     /* highest ever opened */
	uint32_t peer_credit; /* each stream's from the start */
};

/*
 * Start a session on two descriptors (non-blocking, owned by the caller) and send HELLO.
 * session: 16 random bytes from the client, NULL on the server. max_streams: what this side can
 * hold. m is large: allocate it. Returns 0, or -1 with errno.
 */
int mux_init(struct mux *m, struct loop *loop, const struct mux_ops *ops, void *owner,
    enum frame_side side, int in_fd, int out_fd, const uint8_t *session, uint32_t max_streams,
    unsigned flags);
/* Bytes that were read from in_fd before mux_init(). */
void mux_preload(struct mux *m, const void *data, size_t len);
/* Client: a new stream to dst for the connected socket fd, which it takes. NULL with errno. */
struct stream *mux_open(struct mux *m, int fd, const struct addr *src, const struct addr *dst);
/* Reset every stream: the tunnel is gone, and no application may take that for a clean end. */
void mux_abort_all(struct mux *m);
/* Write what is due. Run by the loop after each batch. */
void mux_pump(void *mux);

/* For stream.c. */
struct loop *mux_loop(struct mux *m);
void mux_stream_pending(struct mux *m, struct stream *s, enum stream_pending what);
/* The state of s changed: queue it if it can send, or to be forgotten if it is finished. */
void mux_stream_check(struct mux *m, struct stream *s);

#endif
