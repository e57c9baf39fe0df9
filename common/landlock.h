/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LANDLOCK_H
#define LANDLOCK_H

/*
 * landlock(7): from now on this process opens no file and, with tcp_bind, binds no TCP port; with
 * tcp_connect it connects none either; it reaches no abstract socket and signals no process
 * outside. Descriptors that are open stay usable. Needs no_new_privs.
 *
 * Returns the ABI version that was enforced, 0 where the kernel has no Landlock (before 5.13, or
 * switched off): then only seccomp stands. -1 with errno if the kernel has it and refused.
 */
enum landlock_deny { LANDLOCK_DENY_TCP_BIND = 1, LANDLOCK_DENY_TCP_CONNECT = 2 };
int landlock_deny_files(unsigned also);

#endif
