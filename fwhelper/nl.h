/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NL_H
#define NL_H

#include <libmnl/libmnl.h>

#include "session.h"

enum { NL_BATCH_MAX = 4 * 1024 * 1024 }; /* bytes; FW_MAX_NETS in TIERS_MAX tiers take 2 MiB */

/*
 * Open the netlink socket. The first thing that owned rules depend on, so it must stay the only
 * copy. Ends the program where the kernel has no nf_tables.
 */
void nl_open(struct session *s);

/* Close it. The kernel then removes an owned table, before this returns. */
void nl_close(struct session *s);

/* Send a whole batch whose last message asks for an acknowledgement. 0, or -1 with errno. */
int nl_batch(struct session *s, const void *batch, size_t len);

/* Send one dump request and call cb for each message that answers it. 0, or -1 with errno. */
int nl_dump(struct session *s, struct nlmsghdr *request, mnl_cb_t cb, void *data);

#endif
