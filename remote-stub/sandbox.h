/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REMOTE_SANDBOX_H
#define REMOTE_SANDBOX_H

/*
 * Give up everything that connecting sockets and moving bytes does not need; see
 * gen/filter_gen.c for the system calls that are left. A server's kernel without seccomp or
 * Landlock is no reason to fail: what could not be had is logged with -v.
 */
void remote_sandbox_enter(void);

#endif
