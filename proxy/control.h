/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

/*
 * Between supervisor and engine: one struct a record on a SEQPACKET pair (record.h), the
 * machine's byte order. The engine reads what a server sends and may be in its hands, so the
 * supervisor takes nothing from it but these two facts: that the tunnel stands, and that it ended.
 */
enum control_type {
	CONTROL_START = 1, /* to the engine, first: struct control_start */
	CONTROL_LISTENER,  /* to the engine, with a listening socket: struct control_message */
	CONTROL_ACCEPT,    /* to the engine: the rules are in, accept */
	CONTROL_READY,     /* to the supervisor: the server has answered */
	CONTROL_ENDED,     /* to the supervisor: struct control_message, why */
};

enum control_end {
	CONTROL_END_CLOSED = 1, /* ssh's output ended; text: what came before the mark */
	CONTROL_END_VIOLATION,  /* the server broke the protocol; text: how */
	CONTROL_END_NOISE,      /* it never said what sshuttle-remote says; text: what it said */
	CONTROL_END_SYSTEM,     /* this machine failed us; text: how */
};

struct control_start {
	uint32_t type;
	uint32_t verbosity;
	uint32_t image_size; /* bytes of sshuttle-remote to send first; 0: it runs already */
	uint32_t local;      /* 1: no ssh */
	char nonce[16];
	uint8_t session[16];
};

struct control_message {
	uint32_t type;
	uint32_t end;   /* enum control_end */
	char text[240]; /* NUL-terminated */
};

/* The engine's descriptors, by number. */
enum {
	ENGINE_FD_CONTROL = 3,
	ENGINE_FD_TO_SSH = 4,
	ENGINE_FD_FROM_SSH = 5,
	ENGINE_FD_SSH_ERRORS = 6, /* stderr of ssh, or of a local sshuttle-remote */
	ENGINE_FD_IMAGE = 7,      /* sshuttle-remote, open for reading */
	ENGINE_FD_COUNT = 8,
};

#endif
