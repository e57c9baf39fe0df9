/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REASON_H
#define REASON_H

/*
 * Why a stream ended, as it travels in a RESET frame. Numbers of our own, because errno differs
 * between processors. X(name, number on the wire, errno, what the user reads)
 */
#define REASONS(X)                                                                  \
	X(NONE, 0, 0, "closed")                                                     \
	X(RESET, 1, ECONNRESET, "connection reset")                                 \
	X(REFUSED, 2, ECONNREFUSED, "connection refused")                           \
	X(NET_UNREACHABLE, 3, ENETUNREACH, "network unreachable")                   \
	X(HOST_UNREACHABLE, 4, EHOSTUNREACH, "no route to host")                    \
	X(TIMED_OUT, 5, ETIMEDOUT, "connection timed out")                          \
	X(DENIED, 6, EACCES, "not permitted on the server")                         \
	X(NO_FAMILY, 7, EAFNOSUPPORT, "address family not available on the server") \
	X(NO_DESCRIPTORS, 8, EMFILE, "too many open connections")                   \
	X(NO_MEMORY, 9, ENOMEM, "out of memory")                                    \
	X(OTHER, 10, EIO, "failed")                                                 \
	X(NO_PORT, 11, EADDRNOTAVAIL, "no free local port left on the server")

enum reason {
#define X(name, number, err, text) REASON_##name = (number),
	REASONS(X)
#undef X
};

enum reason reason_from_errno(int err);
/* Any number from the wire; unknown ones become REASON_OTHER. */
enum reason reason_from_wire(unsigned number);
const char *reason_text(enum reason r);

#endif
