/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdint.h>

/*
 * Raise the limit of open descriptors as far as it goes. Returns how many streams that allows,
 * with some kept for everything else; at least 1.
 */
uint32_t descriptors_raise(void);

/* Make a lane's end ready: non-blocking, and large if it is a pipe. 0, or -1 with errno. */
int descriptors_prepare(int fd);

/* Close a connected socket so that its peer gets a reset. */
void descriptors_close_reset(int fd);

#endif
