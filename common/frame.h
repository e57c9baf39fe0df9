/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FRAME_H
#define FRAME_H

/*
 * What travels between sshuttle-proxy and sshuttle-remote. This table is the protocol: a frame
 * that breaks its row ends the session before any code looks inside it.
 *
 * Before the first frame the remote side writes FRAME_SYNC and the nonce it was started with, so
 * that login banners in front of it can be skipped. Then each side sends HELLO, once, first.
 *
 *   0      1      2      3      4      5      6      7      8      9      10     11
 *   +------+--------------------+---------------------------+---------------------------+
 *   | type | payload length     | stream, 0: the lane       | sender's clock, us        |
 *   +------+--------------------+---------------------------+---------------------------+
 *
 * Big endian. A lane is one byte pipe (one ssh session). DATA, EOF and CREDIT carry offsets in
 * their stream, so that a stream depends neither on one lane nor on its order. The clock is echoed
 * in ACK and gives round-trip times; the receiver never interprets it.
 *
 * X(name, type, who may send it: 1 client, 2 server, on a stream?, least and most payload)
 */
/* clang-format off */
#define FRAMES(X)                                                                                  \
	X(HELLO, 1, 3, 0, 32, 32)            /* version16 flags16 session128 credit32 frame32      \
	                                        streams32: what the sender is and grants */        \
	X(OPEN, 2, 1, 1, 20, 20)             /* family8 zero8 port16 address128: connect there.    \
	                                        DATA may follow at once, within HELLO's credit */  \
	X(OPENED, 3, 2, 1, 0, 0)             /* the connection stands */                           \
	X(DATA, 4, 3, 1, 9, 8 + FRAME_DATA_MAX) /* offset64, then bytes */                         \
	X(EOF, 5, 3, 1, 8, 8)                /* offset64: no bytes come after it */                \
	X(RESET, 6, 3, 1, 4, 4)              /* reason32: the stream is gone, both ways */         \
	X(CREDIT, 7, 3, 1, 8, 8)             /* offset64: the receiver may send up to there */     \
	X(ACK, 8, 3, 0, 16, 16)              /* bytes64 of this lane processed (ACK frames not     \
	                                        counted), clock32 of the last frame, delay32 us    \
	                                        between its arrival and this ACK */
/* clang-format on */

enum {
	FRAME_HEADER = 12,
	FRAME_DATA_MAX = 256 * 1024,
	FRAME_CONTROL_MAX = FRAME_HEADER + 32, /* the longest frame but DATA */
	FRAME_VERSION = 1,
	FRAME_NONCE = 16, /* characters */
};

enum frame_type {
#define X(name, number, from, stream, least, most) FRAME_##name = (number),
	FRAMES(X)
#undef X
};

enum frame_side { FRAME_SIDE_CLIENT = 1, FRAME_SIDE_SERVER = 2 };

enum frame_hello_flags {
	FRAME_HELLO_LOCAL = 1, /* client: there is no ssh; mark your packets (FW_LOCAL_TTL) */
};

/* 12 bytes, then the nonce; the NULs keep it apart from any text. */
#define FRAME_SYNC "\0\0SSHUTTLE-C"
enum { FRAME_SYNC_LEN = sizeof FRAME_SYNC - 1 };

#endif
