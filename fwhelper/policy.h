/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef POLICY_H
#define POLICY_H

#include "session.h"

enum { POLICY_VIOLATION = -1 }; /* an error no errno has: this peer does not speak the protocol */

struct verdict {
	int error;          /* 0: go on; an errno: refused; POLICY_VIOLATION: end the session */
	enum fw_reason why; /* when refused */
};

/*
 * policy_<op>(): may this caller ask this now? Pure: each looks at the request and at what the
 * session already has, and changes nothing.
 */
#define X(name, number, legal, then) \
	struct verdict policy_##name(const struct session *s, const struct fw_##name *untrusted);
FW_OPS(X)
#undef X

bool policy_is_loopback(const struct fw_address *a);

#endif
