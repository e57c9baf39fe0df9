/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FWPROTO_H
#define FWPROTO_H

/*
 * Everything that root can be asked to do. FW_OPS is expanded by fwhelper/dispatch.c into the
 * table of handlers and by proxy/helper.c into the senders, so the two cannot disagree.
 *
 * Transport: AF_UNIX SOCK_SEQPACKET, one struct a record, the machine's own byte order. The
 * proxy sends struct fw_<op>, the helper answers each with one struct fw_reply, in order; a
 * descriptor travels only from the helper to the proxy, with the reply. Every field named zero,
 * and every address byte behind an IPv4 address, must be 0. seq starts at 1 and grows by 1.
 * A record that breaks any of this ends the session: the helper undoes everything and leaves.
 * A request that is well formed but refused gets an error in its reply, and the session goes on.
 * The helper never waits for its replies to be read: have at most 64 requests unanswered.
 */
#include <stdint.h>

enum fw_state {
	FW_STATE_NEW = 1,    /* nothing agreed */
	FW_STATE_SETUP = 2,  /* collecting what to redirect; the kernel is untouched */
	FW_STATE_ACTIVE = 4, /* the rules are in; nothing of them can change any more */
};

/* clang-format off */
/* op       no  legal in        then             what for                                       */
#define FW_OPS(X)                                                                                  \
	X(hello, 1, FW_STATE_NEW, FW_STATE_SETUP)      /* version, method, kind of session */      \
	X(net, 2, FW_STATE_SETUP, FW_STATE_SETUP)      /* include or exclude one subnet */         \
	X(except, 3, FW_STATE_SETUP, FW_STATE_SETUP)   /* leave one live TCP connection alone */   \
	X(listen, 4, FW_STATE_SETUP, FW_STATE_SETUP)   /* make a listener; fd comes back */        \
	X(commit, 5, FW_STATE_SETUP, FW_STATE_ACTIVE)  /* put the rules in, all or nothing */
/* clang-format on */

enum fw_op {
#define X(name, number, legal, then) FW_OP_##name = (number),
	FW_OPS(X)
#undef X
};

enum { FW_VERSION = 1 };

enum fw_method { FW_METHOD_NFT = 1 };

enum fw_limits {
	FW_MAX_NETS = 16384,
	FW_MAX_EXCEPTS = 16,
	FW_MAX_LISTENERS = 64,
	FW_MIN_PORT = 1024, /* lowest port a listener may have */
	FW_LOCAL_TTL = 63,  /* IP TTL of the remote side's sockets in a session without ssh */
};

enum fw_hello_flags {
	FW_HELLO_LOCAL = 1, /* no ssh: leave the caller's packets with TTL FW_LOCAL_TTL alone */
};

struct fw_header {
	uint16_t op; /* enum fw_op */
	uint16_t zero;
	uint32_t seq;
};

struct fw_address {
	uint8_t family; /* 4 or 6 */
	uint8_t zero[3];
	uint8_t bytes[16]; /* network order */
};

struct fw_hello {
	struct fw_header h;
	uint16_t version; /* FW_VERSION */
	uint8_t method;   /* enum fw_method */
	uint8_t zero;
	uint32_t flags; /* enum fw_hello_flags */
};

struct fw_net {
	struct fw_header h;
	struct fw_address addr; /* host bits must be 0 */
	uint8_t prefix_len;
	uint8_t exclude; /* 0 or 1 */
	uint16_t zero;
	uint16_t port_first, port_last; /* host order, inclusive; 0 and 65535: every port */
};

struct fw_except {
	struct fw_header h;
	struct fw_address src, dst;
	uint16_t src_port, dst_port; /* host order */
};

/*
 * A TCP listener, close-on-exec and non-blocking, of which the helper keeps a copy until the
 * rules are gone. An address in 127.0.0.0/8 means the whole loopback range, on the loopback
 * interface only. Reply: the descriptor.
 */
struct fw_listen {
	struct fw_header h;
	struct fw_address addr;
	uint16_t port; /* host order, at least FW_MIN_PORT */
	uint16_t zero;
};

/* The counts must be what the helper has accepted: a lost request cannot go unnoticed. */
struct fw_commit {
	struct fw_header h;
	uint32_t nets, excepts, listeners;
};

/* Why a request was refused; the text is what the user reads. */
#define FW_REASONS(X)                                                                      \
	X(NONE, "no reason given")                                                         \
	X(VERSION, "sshuttle-proxy and sshuttle-fwhelper are of different versions")       \
	X(METHOD, "this method is not available in sshuttle-fwhelper")                     \
	X(SCOPE_LISTEN, "a listener outside loopback needs --scope=system")                \
	X(FIELD, "a field of the request has an illegal value")                            \
	X(RANGE, "this address cannot be redirected")                                      \
	X(FULL, "too many entries")                                                        \
	X(COUNT, "the number of entries differs from what was asked")                      \
	X(LISTENER, "there is no listener for an address family that is to be redirected") \
	X(SYSTEM, "the kernel refused")

enum fw_reason {
#define X(name, text) FW_WHY_##name,
	FW_REASONS(X)
#undef X
};

struct fw_reply {
	uint16_t op;
	uint16_t zero;
	uint32_t seq;   /* of the request */
	int32_t error;  /* 0, or an errno */
	uint32_t why;   /* enum fw_reason, when error is not 0 */
	uint32_t value; /* hello: the caller's uid as the helper sees it; else 0 */
	uint32_t scope; /* hello: 'o' or 's'; else 0 */
};

_Static_assert(sizeof(struct fw_header) == 8, "layout");
_Static_assert(sizeof(struct fw_hello) == 16, "layout");
_Static_assert(sizeof(struct fw_net) == 36, "layout");
_Static_assert(sizeof(struct fw_except) == 52, "layout");
_Static_assert(sizeof(struct fw_listen) == 32, "layout");
_Static_assert(sizeof(struct fw_commit) == 20, "layout");
_Static_assert(sizeof(struct fw_reply) == 24, "layout");

enum { FW_RECORD_MAX = 64 }; /* no request is longer */

#endif
