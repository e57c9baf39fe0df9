/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_SANDBOX_H
#define SUPERVISOR_SANDBOX_H

/*
 * For the time of waiting, once everything is started. Should: wait, hear its children, end
 * them. Mustn't: open a file, start a program, make a socket. Ends the program if the sandbox
 * cannot be had.
 */
void supervisor_sandbox_enter(void);

#endif
