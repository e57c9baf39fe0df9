/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"
#include "lane.h"
#include "loop.h"
#include "reason.h"
#include "sched.h"

/*
 * A stream is one TCP connection, carried: a socket at this end and a number that names it in the
 * tunnel. Both programs run this code; only how the socket came to be differs.
 *
 *   up:    socket -> tunnel. Open until the socket says end of file; then EOF is sent.
 *   down:  tunnel -> socket. Open until EOF comes; then the queue drains, then shutdown(2).
 *
 * When both are done the stream is finished. An error on the socket, or RESET from the tunnel,
 * ends both at once, and the socket is closed with a reset.
 *
 * Credit: the other end sends only up to recv_limit, which moves on as the socket takes bytes. A
 * reader that stops costs what it was granted, at most STREAM_WINDOW_MAX, and stops only itself.
 */
enum {
	STREAM_WINDOW_MIN = 64 * 1024, /* granted from the start: the two sides' HELLO agree */
	STREAM_WINDOW_MAX = 768 * 1024,
};

#define STREAM_LIVES(X) X(CONNECTING) X(OPEN) X(DEAD)
enum stream_life {
#define X(name) STREAM_##name,
	STREAM_LIVES(X)
#undef X
};

enum stream_half { HALF_OPEN, HALF_ENDING, HALF_DONE };

/* Control frames that are due, as bits of pending. */
enum stream_pending {
	PENDING_OPEN = 1,
	PENDING_OPENED = 2,
	PENDING_CREDIT = 4,
	PENDING_EOF = 8,
	PENDING_RESET = 16,
};

struct mux;

struct stream {
	struct loop_garbage garbage; /* first: see loop_defer_free() */
	struct loop_fd io;
	struct sched_node node;
	struct stream *hash_next;
	struct stream *control_next; /* list of streams with pending frames */
	struct mux *mux;
	uint32_t id;
	uint8_t life;     /* enum stream_life */
	uint8_t up, down; /* enum stream_half */
	uint8_t pending;  /* enum stream_pending */
	uint8_t reason;   /* enum reason, of the RESET that is pending */
	bool in_control;
	bool readable, writable; /* as epoll said last, edge triggered */
	bool read_to_end;        /* a short read does not mean empty: more waits behind a mark */
	uint32_t window;         /* bytes granted ahead of the socket */
	uint64_t sent, send_limit;
	uint64_t received, recv_limit;
	struct bytes queue; /* received, not yet taken by the socket */
	struct addr src, dst;
};

/* Take fd, which is connected (life OPEN) or connecting. -1 with errno: fd is still yours. */
int stream_attach(struct stream *s, int fd, enum stream_life life);
/* True if its socket may be read for the tunnel now. A pure function of the state. */
bool stream_can_send(const struct stream *s);
/* Read the socket into one DATA frame on the lane. Returns bytes sent; 0: it ran dry or ended. */
size_t stream_pull(struct stream *s, struct lane *l);
/* Bytes from the tunnel. -1: the other side broke the protocol, *why says how. */
int stream_deliver(
    struct stream *s, uint64_t offset, const uint8_t *data, size_t len, const char **why);
int stream_take_eof(struct stream *s, uint64_t offset, const char **why);
int stream_take_credit(struct stream *s, uint64_t limit, const char **why);
/* Our side failed: close with a reset and tell the other end why. */
void stream_fail(struct stream *s, enum reason r);
/* The other side is gone: close with a reset, tell nobody. */
void stream_abort(struct stream *s);
/* True when nothing more can happen: the mux may forget it. */
bool stream_is_finished(const struct stream *s);

#endif
