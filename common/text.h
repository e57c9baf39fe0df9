/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/*
 * Copy text of unknown origin so that it is safe on a terminal and in a log: printable ASCII is
 * kept, every other byte (controls, DEL, all non-ASCII) becomes \xNN. Writes at most size bytes
 * and no NUL; returns the number written. Stops early rather than cutting an escape in half.
 */
size_t text_escape(char *out, size_t size, const char *untrusted, size_t len);

#endif
