/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONNECT_H
#define CONNECT_H

#include <stdbool.h>

#include "mux.h"

/*
 * Start a TCP connection to s->dst and attach it to s, or fail s with the reason. local: this
 * session has no ssh; mark the packets by their TTL so that our own redirection spares them.
 */
void connect_stream(struct stream *s, bool local);

#endif
