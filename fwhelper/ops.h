/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPS_H
#define OPS_H

#include "policy.h"

/* What goes back besides the verdict. */
struct answer {
	uint32_t value, scope;
	int fd; /* -1: none; stays the session's */
};

/* op_<op>(): carry out a request that policy_<op>() has allowed. Changes nothing if it fails. */
#define X(name, number, legal, then) \
	struct verdict op_##name(    \
	    struct session *s, const struct fw_##name *request, struct answer *answer);
FW_OPS(X)
#undef X

#endif
