/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile proxy: the input is a sequence of records, each behind one byte of length, that go
 * through dispatch, policy and the real handlers; what would ask the kernel is replaced here.
 * The first byte of the input is the scope. So that the fuzzer gets past the counter, a
 * record's sequence number is set unless the length has its high bit set.
 * Needs: fwhelper/{dispatch,policy,ops,tiers}.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "dispatch.h"
#include "listeners.h"
#include "record.h"
#include "ruleset.h"
#include "stages.h"
#include "tiers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct session session;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
record_send(int sock, const void *data, size_t len, int fd)
{
	const struct fw_reply *r = data;

	must(sock == DOOR && len == sizeof *r && (fd == -1) == (r->error != 0 || r->op != 4));
	must(r->error >= 0 && (r->error == 0) == (r->why == FW_WHY_NONE));
	return 0;
}

ssize_t
record_recv(int sock, void *data, size_t size, int *fd)
{
	(void)sock;
	(void)data;
	(void)size;
	(void)fd;
	return 0;
}

int
listener_open(const struct fw_address *addr, uint16_t port)
{
	must(addr->family == 4 || addr->family == 6);
	must(port >= FW_MIN_PORT);
	must(session.system_scope || addr->bytes[0] == 127 ||
	     (addr->bytes[0] == 0 && addr->bytes[15] == 1));
	return 1000;
}

/* What ruleset.c takes for granted. */
int
ruleset_commit(struct session *s)
{
	must(s->state == FW_STATE_SETUP && s->listener_count > 0);
	must(s->entry_count > 0 && s->entry_count <= s->net_count);
	must(s->net_count <= FW_MAX_NETS && s->except_count <= FW_MAX_EXCEPTS);
	for (size_t i = 0; i < s->entry_count; i++) {
		const struct entry *e = &s->entries[i];

		must(e->family == 4 || e->family == 6);
		must(e->prefix_len <= (e->family == 4 ? 32 : 128));
		must(e->port_first <= e->port_last);
		must(!e->loopback || !e->exclude);
	}
	s->table_made = s->table_owned = true;
	return 0;
}

void
stage_active(const struct session *s)
{
	must(s->table_made);
}

void
audit_commit(struct session *s)
{
	(void)s;
}

void
audit_deny(struct session *s, const char *what, unsigned why)
{
	must(what != NULL && why <= FW_WHY_SYSTEM);
	s->denials++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum cause cause = CAUSE_NONE;

	if (len == 0)
		return 0;
	memset(&session, 0, sizeof session);
	session.state = FW_STATE_NEW;
	session.next_seq = 1;
	session.system_scope = data[0] & 1;
	for (size_t at = 1; at < len && cause == CAUSE_NONE;) {
		union record r = {.h = {0}};
		size_t size = data[at] & 0x7f;
		bool exact = data[at++] & 0x80;

		if (size > len - at)
			size = len - at;
		if (size > sizeof r)
			size = sizeof r;
		memcpy(&r, data + at, size);
		at += size;
		if (!exact)
			r.h.seq = session.next_seq;
		cause = dispatch_record(&session, &r, size);
		must(cause == CAUSE_NONE || cause == CAUSE_VIOLATION || cause == CAUSE_VERSION ||
		     cause == CAUSE_METHOD);
	}
	return 0;
}
