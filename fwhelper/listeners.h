/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LISTENERS_H
#define LISTENERS_H

#include "session.h"

/*
 * Make a TCP listener as struct fw_listen describes it. Returns a descriptor that the caller
 * owns, or -1 with errno; EADDRINUSE is an everyday answer.
 */
int listener_open(const struct fw_address *addr, uint16_t port);

void listeners_close(struct session *s);

#endif
