/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * One record on an AF_UNIX SOCK_SEQPACKET socket, with at most one descriptor (unix(7)).
 * Whole or not at all: there is no partial record, no framing, no buffering.
 */

/* Send len bytes and, unless fd is -1, a copy of fd. Returns 0, or -1 with errno. */
int record_send(int sock, const void *data, size_t len, int fd);

/*
 * Receive one record of at most size bytes. Returns its length, 0 at end of file, or -1 with
 * errno; EMSGSIZE: the record was longer than size or carried more than one descriptor.
 * *fd becomes the descriptor (CLOEXEC, owned by the caller) or -1. With fd NULL a record that
 * carries a descriptor is EMSGSIZE too, and nothing is left open.
 */
ssize_t record_recv(int sock, void *data, size_t size, int *fd);

#endif
