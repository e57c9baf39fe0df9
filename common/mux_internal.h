/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MUX_INTERNAL_H
#define MUX_INTERNAL_H

#include "mux.h"

/* Between mux.c (streams, sending) and mux_input.c (receiving). */

/* The session is over; only the first call counts. */
void mux_fail(struct mux *m, const char *why);
/* NULL: forgotten, or never there. */
struct stream *mux_find(struct mux *m, uint32_t id);
/* NULL: out of memory. */
struct stream *mux_add_stream(struct mux *m, uint32_t id);
/* Handle what has been read into the lane. */
void mux_take_pieces(struct mux *m);
/* The lane is readable: loop_fd's callback. */
void mux_in_ready(struct loop_fd *f, uint32_t events);

#endif
