/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "loop.h"
#include "mux.h"

/*
 * The engine's listeners: takes redirected connections, learns where they wanted to go, opens a
 * stream for each. With too few descriptors, or as many streams as the other end takes, it stops
 * accepting and goes on when one ends; connections wait in the kernel meanwhile.
 */
enum { ACCEPT_MAX = 64 };

struct acceptor;
struct listener {
	struct loop_fd io;
	struct acceptor *acceptor;
	struct addr addr; /* as bound */
};

struct acceptor {
	struct mux *mux;
	struct loop *loop;
	struct listener listener[ACCEPT_MAX];
	size_t count;
	bool paused;
	uint64_t warned; /* when it was last said that it is */
	struct loop_timer retry;
};

void acceptor_init(struct acceptor *a, struct loop *loop);
/* Takes fd, a listening socket. -1: too many. */
int acceptor_add(struct acceptor *a, int fd);
/* From now on accept and open streams on mux. -1 with errno. */
int acceptor_start(struct acceptor *a, struct mux *mux);
/* Accept no more, and reset what waits. The sockets stay listeners: their ports stay taken. */
void acceptor_stop(struct acceptor *a);
/* A stream has ended: there may be room again. */
void acceptor_resume(struct acceptor *a);

#endif
