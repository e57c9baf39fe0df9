/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

/*
 * Should: move bytes between descriptors it has, accept connections, take listeners from the
 * supervisor. Mustn't: open a file, start a program, make a socket, see another process.
 * Ends the program if the sandbox cannot be had.
 */
void engine_sandbox_enter(void);

#endif
