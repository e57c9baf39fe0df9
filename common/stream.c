/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TCP connection, carried; see stream.h for the theory.
 *
 * Sockets are watched once, edge triggered, for everything; what epoll said is kept in readable,
 * writable and read_to_end until a call on the socket says otherwise. So there is no interest mask to
 * keep right, and a connection costs one epoll_ctl(2) in its life.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "log.h"
#include "mux.h"
#include "stream.h"

static const char *const life_names[] = {
#define X(name) [STREAM_##name] = #name,
    STREAM_LIVES(X)
#undef X
};
_Static_assert(sizeof life_names / sizeof *life_names == STREAM_DEAD + 1, "one name per life");

static void
set_life(struct stream *s, enum stream_life life)
{
	log_debug("stream %u: %s -> %s", s->id, life_names[s->life], life_names[life]);
	s->life = (uint8_t)life;
}

void
stream_abort(struct stream *s)
{
	if (s->io.fd != -1)
		descriptors_close_reset(s->io.fd);
	s->io.fd = -1;
	bytes_free(&s->queue);
	sched_remove(&s->node);
	s->pending = 0;
	set_life(s, STREAM_DEAD);
}

void
stream_fail(struct stream *s, enum reason r)
{
	bool known = !(s->pending & PENDING_OPEN); /* to the other end */

	if (s->life == STREAM_DEAD)
		return;
	stream_abort(s);
	s->reason = (uint8_t)r;
	if (known)
		mux_stream_pending(s->mux, s, PENDING_RESET);
	else
		mux_stream_check(s->mux, s);
}

bool
stream_is_finished(const struct stream *s)
{
	if (s->pending != 0)
		return false;
	return s->life == STREAM_DEAD || (s->up == HALF_DONE && s->down == HALF_DONE);
}

bool
stream_can_send(const struct stream *s)
{
	return s->life == STREAM_OPEN && s->up == HALF_OPEN && s->readable &&
	       s->sent < s->send_limit;
}

/* Grant more as the socket takes bytes; grow the grant while the socket keeps up. */
static void
update_credit(struct stream *s)
{
	uint64_t taken = s->received - s->queue.len;

	if (s->down != HALF_OPEN || s->life == STREAM_DEAD)
		return;
	/* In small steps: half a window at a time would leave the sender half a window. */
	if (s->recv_limit - taken > s->window - s->window / 8)
		return;
	if (s->queue.len == 0 && s->window < STREAM_WINDOW_MAX)
		s->window = s->window * 2 < STREAM_WINDOW_MAX ? s->window * 2 : STREAM_WINDOW_MAX;
	s->recv_limit = taken + s->window;
	mux_stream_pending(s->mux, s, PENDING_CREDIT);
}

/* The queue is empty and EOF has come: pass it on. */
static void
end_down(struct stream *s)
{
	if (s->down != HALF_ENDING || s->queue.len > 0 || s->life != STREAM_OPEN)
		return;
	/* With both ways done the close(2) that follows says it. */
	if (s->up != HALF_DONE && shutdown(s->io.fd, SHUT_WR) == -1 && errno != ENOTCONN) {
		stream_fail(s, reason_from_errno(errno));
		return;
	}
	s->down = HALF_DONE;
	mux_stream_check(s->mux, s);
}

/* Write what is queued while the socket takes it. */
static void
drain(struct stream *s)
{
	while (s->queue.len > 0 && s->writable) {
		struct iovec iov[16];
		struct msghdr msg = {.msg_iov = iov};

		msg.msg_iovlen = (__typeof__(msg.msg_iovlen))bytes_peek(&s->queue, iov, 16);
		ssize_t n = sendmsg(s->io.fd, &msg, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN) {
			s->writable = false;
		} else if (n == -1 && errno != EINTR) {
			stream_fail(s, reason_from_errno(errno));
			return;
		} else if (n > 0) {
			bytes_drop(&s->queue, (size_t)n);
		}
	}
	update_credit(s);
	end_down(s);
}

/* The error that waits on the socket, 0 if none; asking takes it off. */
static int
take_error(const struct stream *s)
{
	int err = 0;
	socklen_t len = sizeof err;

	return getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 ? errno : err;
}

static void
finish_connect(struct stream *s)
{
	int err = take_error(s);

	if (err != 0) {
		stream_fail(s, reason_from_errno(err));
		return;
	}
	set_life(s, STREAM_OPEN);
	s->writable = true;
	mux_stream_pending(s->mux, s, PENDING_OPENED);
}

/* The socket has failed, and nothing may be read that would say so: find out now. */
static void
fail_if_broken(struct stream *s)
{
	int err = take_error(s);

	if (err != 0)
		stream_fail(s, reason_from_errno(err));
}

static void
stream_ready(struct loop_fd *f, uint32_t events)
{
	struct stream *s = (struct stream *)((char *)f - offsetof(struct stream, io));

	if (s->life == STREAM_CONNECTING) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		finish_connect(s);
		if (s->life == STREAM_DEAD)
			return;
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		s->read_to_end = true;
	if (events & EPOLLOUT) {
		s->writable = true;
		drain(s);
	}
	if ((events & EPOLLERR) && s->life != STREAM_DEAD && !stream_can_send(s))
		fail_if_broken(s);
	mux_stream_check(s->mux, s);
}

int
stream_attach(struct stream *s, int fd, enum stream_life life)
{
	s->io = (struct loop_fd){.fd = fd, .ready = stream_ready};
	if (loop_add(mux_loop(s->mux), &s->io,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET) == -1) {
		s->io.fd = -1;
		return -1;
	}
	s->life = (uint8_t)life;
	return 0;
}

static void
end_up(struct stream *s)
{
	s->up = HALF_DONE;
	sched_dry(&s->node);
	mux_stream_pending(s->mux, s, PENDING_EOF);
}

size_t
stream_pull(struct stream *s, struct lane *l)
{
	size_t room = lane_data_room(l);
	uint64_t credit = s->send_limit - s->sent;

	if (room > SCHED_QUANTUM)
		room = SCHED_QUANTUM;
	if (room > credit)
		room = (size_t)credit;
	ssize_t n = recv(s->io.fd, lane_data_begin(l), room, 0);
	if (n > 0) {
		lane_data_commit(l, s->id, s->sent, (size_t)n);
		s->sent += (uint64_t)n;
		/*
		 * epoll(7): a short read means empty, but not if an end was announced behind it,
		 * nor with urgent data (tcp(7)), at whose mark recv(2) stops.
		 */
		if ((size_t)n < room && !s->read_to_end)
			s->readable = false;
		return (size_t)n;
	}
	if (n == 0)
		end_up(s);
	else if (errno == EAGAIN)
		s->readable = false;
	else if (errno != EINTR)
		stream_fail(s, reason_from_errno(errno));
	return 0;
}

static int
violation(const char **why, const char *text)
{
	*why = text;
	return -1;
}

int
stream_deliver(struct stream *s, uint64_t offset, const uint8_t *data, size_t len, const char **why)
{
	if (s->life == STREAM_DEAD)
		return 0; /* our RESET is on its way */
	if (offset != s->received)
		return violation(why, "data that does not follow what came before");
	if (s->down != HALF_OPEN)
		return violation(why, "data behind the end of a stream");
	if (len > s->recv_limit - s->received)
		return violation(why, "more data than was granted");
	s->received += len;

	if (s->life == STREAM_OPEN && s->queue.len == 0 && s->writable) {
		ssize_t n = send(s->io.fd, data, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			stream_fail(s, reason_from_errno(errno));
			return 0;
		}
		size_t took = n > 0 ? (size_t)n : 0;
		s->writable = took == len || (n == -1 && errno == EINTR);
		data += took;
		len -= took;
	}
	if (len > 0 && bytes_put(&s->queue, data, len) == -1) {
		stream_fail(s, REASON_NO_MEMORY);
		return 0;
	}
	update_credit(s);
	return 0;
}

int
stream_take_eof(struct stream *s, uint64_t offset, const char **why)
{
	if (s->life == STREAM_DEAD)
		return 0;
	if (s->down != HALF_OPEN)
		return violation(why, "a second end of a stream");
	if (offset != s->received)
		return violation(why, "an end of stream with bytes missing before it");
	s->down = HALF_ENDING;
	end_down(s);
	return 0;
}

int
stream_take_credit(struct stream *s, uint64_t limit, const char **why)
{
	if (s->life == STREAM_DEAD)
		return 0;
	if (limit < s->send_limit)
		return violation(why, "credit that takes back what was granted");
	s->send_limit = limit;
	mux_stream_check(s->mux, s);
	return 0;
}
