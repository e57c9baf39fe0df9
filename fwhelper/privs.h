/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVS_H
#define PRIVS_H

/* Stop being root: uid HELPER_UID with CAP_NET_ADMIN and nothing else, for good. Or exit. */
void privs_drop(void);

/* Give up the last capability. May be called inside the stage 1 filter. Or exit. */
void privs_drop_all(void);

#endif
