/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The handlers: all that a caller can make this process do. Above each stands what a hostile
 * caller gains from it.
 */
#include <errno.h>
#include <string.h>

#include "audit.h"
#include "listeners.h"
#include "ops.h"
#include "ruleset.h"
#include "stages.h"
#include "tiers.h"

static const struct verdict done = {0, FW_WHY_NONE};

static struct verdict
failed(int error)
{
	return (struct verdict){error, FW_WHY_SYSTEM};
}

/* Gains nothing: learns its own uid. */
struct verdict
op_hello(struct session *s, const struct fw_hello *m, struct answer *a)
{
	s->local = (m->flags & FW_HELLO_LOCAL) != 0;
	a->value = s->caller_uid;
	a->scope = s->system_scope ? 's' : 'o';
	return done;
}

/* Gains nothing: fills a slot in an array of fixed size. The kernel is not asked. */
struct verdict
op_net(struct session *s, const struct fw_net *m, struct answer *a)
{
	struct entry *e = &s->entries[s->entry_count];

	(void)a;
	*e = (struct entry){
	    .family = m->addr.family,
	    .prefix_len = m->prefix_len,
	    .exclude = m->exclude != 0,
	    .port_first = m->port_first,
	    .port_last = m->port_last,
	};
	memcpy(e->bytes, m->addr.bytes, sizeof e->bytes);
	/* policy_net() lets an include begin inside loopback only if it is one address. */
	e->loopback = !e->exclude && policy_is_loopback(&m->addr);
	s->entry_count++;
	s->net_count++;
	s->include_count += !e->exclude;
	return done;
}

/* Gains nothing: an exception takes a connection out of the rules, it never adds one. */
struct verdict
op_except(struct session *s, const struct fw_except *m, struct answer *a)
{
	(void)a;
	s->excepts[s->except_count++] = *m;
	return done;
}

/*
 * Gains a TCP listener on an unprivileged port, on loopback unless the scope is system: what
 * any user can make. The one thing more is that it covers 127.0.0.0/8 and not one address.
 */
struct verdict
op_listen(struct session *s, const struct fw_listen *m, struct answer *a)
{
	int fd = listener_open(&m->addr, m->port);

	if (fd == -1)
		return failed(errno);
	s->listeners[s->listener_count++] =
	    (struct listener){.fd = fd, .port = m->port, .addr = m->addr};
	a->fd = fd;
	return done;
}

/*
 * Gains, in own scope, that its own new TCP connections arrive at its own listener, which it could
 * as well have connected to. In system scope everyone's do; that right is as good as root, and
 * whoever grants it is told so. Afterwards no further request is legal in either.
 */
struct verdict
op_commit(struct session *s, const struct fw_commit *m, struct answer *a)
{
	(void)m;
	(void)a;
	s->entry_count = tiers_sort(s->entries, s->entry_count);
	if (tiers_count(s->entries, s->entry_count) > TIERS_MAX)
		return (struct verdict){ENOSPC, FW_WHY_FULL};
	if (ruleset_commit(s) == -1)
		return failed(errno);
	audit_commit(s);
	stage_active(s);
	return done;
}
