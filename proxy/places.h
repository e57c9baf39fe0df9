/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLACES_H
#define PLACES_H

enum { PLACES_MAX = 4096 };

/*
 * Where a program of the suite is: beside this one when it runs from a build directory, else in
 * LIBEXECDIR. path (PLACES_MAX bytes) is filled in also on failure. 0, or -1 with errno.
 */
int places_find(char *path, const char *name);

/*
 * As places_find() for the helper, and from LIBEXECDIR it must be root's and writable by root
 * only, or -1 with EPERM: nobody else's program is started as root by an installed proxy.
 */
int places_find_helper(char *path);

#endif
