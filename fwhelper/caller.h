/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALLER_H
#define CALLER_H

#include "session.h"

/*
 * Find out from the kernel who is at the other end of descriptor 0. Fills in caller_uid,
 * caller_pid and peer_pidfd. Ends the program if fd 0 is no door or the caller may not enter.
 */
void caller_identify(struct session *s);

#endif
