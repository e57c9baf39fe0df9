/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LISTEN_SPEC_H
#define LISTEN_SPEC_H

#include <stddef.h>

#include "addr.h"

/*
 * Understand -l [IP:]PORT[,...] and append to list[*count]. A bare port means 127.0.0.1 (not
 * 0.0.0.0 as in sshuttle: what opens this machine to others has to be written). An IP alone means
 * any free port. A name gives its first address. -1: malformed, why says how.
 */
int listen_spec_parse(
    struct addr *list, size_t max, size_t *count, const char *text, char *why, size_t size);

#endif
