/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "session.h"

/* Any request, once its size and operation have been checked. */
union record {
	struct fw_header h;
#define X(name, number, legal, then) struct fw_##name name;
	FW_OPS(X)
#undef X
	unsigned char bytes[FW_RECORD_MAX];
};

/* Serve the door until the session has to end; returns why. */
enum cause dispatch_run(struct session *s);

/* Judge and carry out one record of len bytes, and answer it. CAUSE_NONE: the session goes on. */
enum cause dispatch_record(struct session *s, const union record *untrusted, size_t len);

#endif
