/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes from the other side of the tunnel, through a real pipe into a mux with real sockets
 * behind it, as client (a hostile server) and as server (a hostile client). What the mux answers
 * is read by a lane that tolerates nothing, and its bounds are checked on the way.
 *
 * Byte 0: bit 0 our role; bit 1 a legal HELLO comes first; bit 2 the rest is records, not raw
 * bytes; the others: how much arrives at once. A record is 4 bytes, op stream a b: one frame with
 * an offset that mostly fits, or something that the application does. So the fuzzer gets deep.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux.h"
#include "wire.h"

enum { PEERS = 12, STREAMS = 16, CHUNK = 300000 };

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static struct {
	struct loop loop;
	struct mux *mux;
	struct lane reader; /* of what the mux sends */
	struct loop_fd always;
	int in[2], out[2];
	int peer[PEERS]; /* the applications' ends */
	size_t peers;
	unsigned ready, failed;
	uint8_t bytes[CHUNK];
	size_t len;
	size_t step;
	uint64_t offset[STREAMS];
} f;

/* ---- what the mux calls ---- */

static int
new_socket(void)
{
	int pair[2];

	if (f.peers == PEERS || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	f.peer[f.peers++] = pair[0];
	return pair[1];
}

static void
on_ready(struct mux *m, unsigned flags)
{
	struct addr a = {.family = 4};

	(void)flags;
	CHECK(f.ready++ == 0 && f.failed == 0);
	if (m->side != FRAME_SIDE_CLIENT)
		return;
	for (int i = 0; i < 4; i++) {
		int fd = new_socket();
		if (mux_open(m, fd, &a, &a) == NULL)
			close(fd);
	}
}

static void
on_open(struct mux *m, struct stream *s)
{
	int fd = s->dst.port % 7 == 6 ? -1 : new_socket();

	CHECK(m->side == FRAME_SIDE_SERVER && f.failed == 0);
	if (fd == -1 || stream_attach(s, fd, STREAM_CONNECTING) == -1)
		stream_fail(s, REASON_REFUSED);
}

static void
on_opened(struct mux *m, struct stream *s)
{
	CHECK(m->side == FRAME_SIDE_CLIENT && s->mux == m && f.failed == 0);
}

static void
on_closed(struct mux *m, struct stream *s, enum reason why)
{
	CHECK(s->mux == m && reason_from_wire(why) == why && f.failed == 0);
}

static void
on_failed(struct mux *m, const char *why)
{
	CHECK(f.failed++ == 0 && strlen(why) > 0);
	mux_abort_all(m);
	loop_remove(m->loop, &m->in);
	loop_remove(m->loop, &m->out);
}

static const struct mux_ops ops = {on_ready, on_open, on_opened, on_closed, on_failed};

/* ---- turns ---- */

static void
keep_awake(struct loop_fd *fd, uint32_t events)
{
	(void)fd;
	(void)events;
}

static void
pump_and_stop(void *mux)
{
	mux_pump(mux);
	f.loop.stop = true;
}

static void
read_answers(void)
{
	struct lane_piece p;

	while (lane_read(&f.reader) > 0) {
		int r;
		while ((r = lane_next(&f.reader, &p)) == 1)
			;
		CHECK(r == 0);
	}
}

static void
check_streams(void)
{
	uint32_t count = 0;

	for (size_t i = 0; i < MUX_BUCKETS; i++) {
		for (const struct stream *s = f.mux->buckets[i]; s != NULL; s = s->hash_next) {
			count++;
			CHECK(s->queue.len <= STREAM_WINDOW_MAX);
			CHECK(s->sent <= s->send_limit && s->received <= s->recv_limit);
			CHECK(s->life != STREAM_DEAD || (s->io.fd == -1 && s->queue.len == 0));
		}
	}
	CHECK(count == f.mux->streams);
}

static void
turn(void)
{
	f.loop.stop = false;
	CHECK(loop_run(&f.loop) == 0);
	read_answers();
}

/* Hand over what has been gathered, in steps. */
static void
deliver(void)
{
	/* Never more than a hundred turns: long inputs cut small would take all the time. */
	size_t step = f.step > f.len / 100 ? f.step : f.len / 100;

	for (size_t at = 0; at < f.len && !f.failed;) {
		size_t n = f.len - at < step ? f.len - at : step;
		ssize_t w = write(f.in[1], f.bytes + at, n);

		at += w > 0 ? (size_t)w : 0;
		turn();
	}
	f.len = 0;
	if (f.mux->streams > 0) /* or the whole table is walked for nothing */
		check_streams();
}

/* ---- input ---- */

static uint8_t *
frame(unsigned type, uint32_t stream, size_t len)
{
	if (f.len + FRAME_HEADER + len > CHUNK)
		deliver();
	uint8_t *p = f.bytes + f.len;
	p = wire_put_u32(p, type << 24 | (uint32_t)len);
	p = wire_put_u32(p, stream);
	p = wire_put_u32(p, 12345);
	memset(p, 0, len);
	f.len += FRAME_HEADER + len;
	return p;
}

static void
put_hello(uint32_t credit, uint32_t streams)
{
	uint8_t *p = frame(FRAME_HELLO, 0, 32);

	p = wire_put_u32(p, FRAME_VERSION << 16) + 16;
	p = wire_put_u32(p, credit);
	p = wire_put_u32(p, FRAME_DATA_MAX);
	wire_put_u32(p, streams);
}

static void
application(unsigned what, size_t which, size_t len)
{
	static char buf[70000];

	deliver();
	if (f.peers == 0)
		return;
	int *fd = &f.peer[which % f.peers];
	switch (what) {
	case 0:
		(void)!recv(*fd, buf, len, 0);
		break;
	case 1:
		(void)!send(*fd, buf, len, MSG_NOSIGNAL);
		break;
	case 2:
		(void)shutdown(*fd, SHUT_WR);
		break;
	default:
		close(*fd); /* with unread bytes in it: a reset */
		*fd = -1;
	}
	turn();
}

static void
record(const uint8_t r[4])
{
	uint32_t stream = r[1] % STREAMS;
	uint64_t value = (uint64_t)(r[2] << 8 | r[3]);
	uint64_t wrong = r[0] >= 240; /* an offset that does not fit */

	switch (r[0] % 16) {
	case FRAME_HELLO:
		put_hello((uint32_t)value, r[1]);
		break;
	case FRAME_OPEN: {
		uint8_t *p = frame(FRAME_OPEN, stream, 20);
		p = wire_put_u16(p, r[2] % 8 == 0 ? 0x600 : 0x400);
		wire_put_u16(p, r[3]);
		break;
	}
	case FRAME_OPENED:
		frame(FRAME_OPENED, stream, 0);
		break;
	case FRAME_DATA:
		wire_put_u64(frame(FRAME_DATA, stream, 9 + value), f.offset[stream] + wrong);
		f.offset[stream] += value + 1;
		break;
	case FRAME_EOF:
		wire_put_u64(frame(FRAME_EOF, stream, 8), f.offset[stream] + wrong);
		break;
	case FRAME_RESET:
		wire_put_u32(frame(FRAME_RESET, stream, 4), (uint32_t)value);
		break;
	case FRAME_CREDIT:
		wire_put_u64(frame(FRAME_CREDIT, stream, 8), value << (r[0] >> 4) * 3);
		break;
	case FRAME_ACK:
		wire_put_u64(frame(FRAME_ACK, 0, 16), value);
		break;
	default:
		application(r[0] % 4, r[1], value + 1);
	}
}

static void
start(unsigned mode)
{
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	memset(&f, 0, offsetof(__typeof__(f), bytes));
	f.len = 0;
	memset(f.offset, 0, sizeof f.offset);
	f.step = mode >> 3 == 0 ? CHUNK : (size_t)1 << mode % 128 / 8;
	f.mux = malloc(sizeof *f.mux);
	CHECK(f.mux != NULL && pipe2(f.in, O_NONBLOCK) == 0 && pipe2(f.out, O_NONBLOCK) == 0);
	CHECK(loop_init(&f.loop) == 0 && (fd = eventfd(1, 0)) != -1);
	f.always = (struct loop_fd){.fd = fd, .ready = keep_awake};
	CHECK(loop_add(&f.loop, &f.always, EPOLLIN) == 0);
	enum frame_side side = mode & 1 ? FRAME_SIDE_CLIENT : FRAME_SIDE_SERVER;
	CHECK(mux_init(f.mux, &f.loop, &ops, NULL, side, f.in[0], f.out[1], NULL, 10, 0) == 0);
	f.loop.after = pump_and_stop;
	f.loop.after_arg = f.mux;
	CHECK(lane_init(&f.reader, f.out[0], -1, side) == 0);
	f.reader.sent = UINT64_MAX; /* our acknowledgements are of bytes that it did not send */
	if (mode & 2)
		put_hello(100000, 100);
}

static void
stop(void)
{
	if (f.in[1] != -1)
		close(f.in[1]);
	turn();
	turn();
	CHECK(f.failed == 1); /* the lane has ended, if nothing else */
	for (size_t i = 0; i < MUX_BUCKETS; i++) {
		while (f.mux->buckets[i] != NULL) {
			struct stream *s = f.mux->buckets[i];
			f.mux->buckets[i] = s->hash_next;
			free(s);
		}
	}
	for (size_t i = 0; i < f.peers; i++)
		close(f.peer[i]);
	lane_free(&f.mux->lane);
	lane_free(&f.reader);
	free(f.mux);
	close(f.in[0]);
	close(f.out[0]);
	close(f.out[1]);
	close(f.always.fd);
	close(f.loop.epoll_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	unsigned mode = data[0];
	start(mode);
	data++;
	len--;
	if (mode & 4) {
		for (; len >= 4 && !f.failed; data += 4, len -= 4)
			record(data);
	} else if (len < CHUNK - f.len) {
		memcpy(f.bytes + f.len, data, len);
		f.len += len;
	}
	deliver();
	stop();
	return 0;
}
