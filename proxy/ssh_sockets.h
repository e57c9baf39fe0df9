/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SSH_SOCKETS_H
#define SSH_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

#include "addr.h"

struct tcp_tuple {
	struct addr src, dst;
};

/*
 * The established TCP connections of process pid and its descendants (ssh starts another ssh for
 * ProxyJump, or any program for ProxyCommand), from /proc. Returns how many were found, at most
 * max; 0 also when /proc does not tell. Best effort: redirection takes only new connections
 * anyway.
 */
size_t ssh_sockets_find(pid_t pid, struct tcp_tuple *list, size_t max);

#endif
