/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_H
#define ENGINE_H

/* argv[0] with which sshuttle-proxy starts itself as the engine. */
#define ENGINE_NAME "sshuttle-engine"

/*
 * The engine: carries all data and sees all hostile bytes. Descriptors as in control.h, first a
 * struct control_start on ENGINE_FD_CONTROL. Returns the exit status.
 */
int engine_main(void);

#endif
