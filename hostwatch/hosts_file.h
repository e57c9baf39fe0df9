/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOSTS_FILE_H
#define HOSTS_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* hosts(5): the part of it that fits is read, the rest ignored. */
enum { HOSTS_FILE_MAX = 1024 * 1024 };

/* Read fd to its end or size bytes. Returns the length, or -1 with errno. */
ssize_t hosts_file_read(int fd, char *text, size_t size);

/*
 * Call each(name, address) for every legal host name of every line with a legal address that is
 * not this machine's own loopback. Both are NUL-terminated and valid during the call only.
 */
void hosts_file_each(
    const char *text, size_t len, void (*each)(const char *name, const char *address));

#endif
