/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SESSION_H
#define SESSION_H

/*
 * All state of one helper: one process, one caller, one set of rules. Every function that needs
 * any of it takes the struct first; there is nothing else that changes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "fwproto.h"

enum { DOOR = 0 }; /* the one descriptor that is taken from outside */

/* sysexits(3) where one fits; the man page explains each. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_TIMEOUT = 62,
	EXIT_BAD_USAGE = 64,
	EXIT_VIOLATION = 65,
	EXIT_NO_SOCKET = 66,
	EXIT_NO_KERNEL = 69,
	EXIT_SYSTEM = 71,
	EXIT_REFUSED = 77,
};

/* Why a session ends; session.c ties each to a word for the audit line and an exit code. */
enum cause {
	CAUSE_NONE, /* it does not */
	CAUSE_EOF,
	CAUSE_PEER_EXIT,
	CAUSE_TERM,
	CAUSE_TIMEOUT,
	CAUSE_VIOLATION,
	CAUSE_UNREAD,
	CAUSE_VERSION,
	CAUSE_METHOD,
	CAUSE_SYSTEM,
	CAUSE_COUNT
};

/* A variable of the environment, copied before the environment is cleared. */
struct launcher_value {
	bool set;
	char text[32];
};

/* One subnet to include or exclude, in host order, already judged by policy_net(). */
struct entry {
	uint8_t family;
	uint8_t prefix_len;
	bool exclude;
	bool loopback; /* an include of one loopback address */
	uint16_t port_first, port_last;
	uint8_t bytes[16];
};

struct listener {
	int fd;
	uint16_t port;
	struct fw_address addr; /* as asked */
};

struct session {
	bool system_scope;
	struct launcher_value sudo_uid, pkexec_uid, doas_user;
	uid_t caller_uid;
	pid_t caller_pid;

	int peer_pidfd; /* -1: not to be had */
	int signal_fd;
	int audit_fd;  /* -1: nobody listens */
	int lock_fd;   /* holds the table's name while this process lives */
	pid_t own_pid; /* getpid(2) is not in the filters */

	struct mnl_socket *nl;
	uint32_t nl_seq;
	char table[32];
	bool table_made;
	bool table_owned; /* the kernel removes it when nl closes */

	enum fw_state state;
	uint32_t next_seq;
	struct timespec deadline; /* of this state; none in FW_STATE_ACTIVE */
	unsigned denials;
	bool local; /* FW_HELLO_LOCAL */

	uint32_t net_count, include_count; /* accepted */
	size_t entry_count;                /* in entries[]; fewer once duplicates are gone */
	struct entry entries[FW_MAX_NETS];
	uint32_t except_count;
	struct fw_except excepts[FW_MAX_EXCEPTS];
	uint32_t listener_count;
	struct listener listeners[FW_MAX_LISTENERS];
};

/* Every descriptor to -1, the protocol to its start. */
void session_init(struct session *s);

/* Undo everything, in the one order that leaks nothing, write the audit line and exit. */
__attribute__((noreturn)) void session_leave(struct session *s, enum cause cause);

#endif
