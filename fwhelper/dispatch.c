/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door. Each record passes the same checks in the same order: whole and without a descriptor,
 * known operation, exact size, clean header and next number, legal now, allowed by policy. Only
 * then does its handler see it. Whoever fails before policy is not a sshuttle-proxy: the session
 * ends. Nothing here waits for the peer, neither for its requests nor for its reading.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "audit.h"
#include "dispatch.h"
#include "log.h"
#include "ops.h"
#include "policy.h"
#include "record.h"

enum {
	HELLO_SECONDS = 10,
	COMMIT_SECONDS = 15 * 60, /* a user may be typing a second factor into ssh */
};

struct op {
	const char *name;
	uint16_t number;
	size_t size;
	enum fw_state legal, then;
	struct verdict (*check)(const struct session *, const union record *);
	struct verdict (*carry_out)(struct session *, const union record *, struct answer *);
};

#define X(name, number, legal, then)                                                       \
	static struct verdict check_##name(const struct session *s, const union record *r) \
	{                                                                                  \
		return policy_##name(s, &r->name);                                         \
	}                                                                                  \
	static struct verdict do_##name(                                                   \
	    struct session *s, const union record *r, struct answer *a)                    \
	{                                                                                  \
		return op_##name(s, &r->name, a);                                          \
	}
FW_OPS(X)
#undef X

static const struct op ops[] = {
#define X(name, number, legal, then) \
	{#name, (number), sizeof(struct fw_##name), (legal), (then), check_##name, do_##name},
    FW_OPS(X)
#undef X
};

static const struct op *
op_find(uint16_t number)
{
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (ops[i].number == number)
			return &ops[i];
	}
	return NULL;
}

static void
deadline_set(struct session *s, time_t seconds)
{
	(void)clock_gettime(CLOCK_MONOTONIC, &s->deadline); /* cannot fail */
	s->deadline.tv_sec += seconds;
}

static enum cause
violation(struct session *s, const char *what)
{
	audit_deny(s, what, FW_WHY_NONE);
	return CAUSE_VIOLATION;
}

/* A refused hello leaves nothing to go on with. */
static enum cause
cause_of_refusal(const struct session *s, struct verdict v)
{
	if (s->state != FW_STATE_NEW)
		return CAUSE_NONE;
	return v.why == FW_WHY_METHOD ? CAUSE_METHOD : CAUSE_VERSION;
}

static enum cause
reply(const union record *r, struct verdict v, const struct answer *a)
{
	struct fw_reply out = {
	    .op = r->h.op,
	    .seq = r->h.seq,
	    .error = v.error,
	    .why = v.why,
	    .value = a->value,
	    .scope = a->scope,
	};

	if (record_send(DOOR, &out, sizeof out, a->fd) == 0)
		return CAUSE_NONE;
	return errno == EAGAIN ? CAUSE_UNREAD : CAUSE_EOF;
}

static void
state_enter(struct session *s, enum fw_state then)
{
	if (s->state == FW_STATE_NEW && then == FW_STATE_SETUP)
		deadline_set(s, COMMIT_SECONDS);
	s->state = then;
}

enum cause
dispatch_record(struct session *s, const union record *r, size_t len)
{
	struct answer a = {.fd = -1};
	const struct op *op = len < sizeof r->h ? NULL : op_find(r->h.op);

	if (op == NULL)
		return violation(s, "operation");
	if (len != op->size)
		return violation(s, "size");
	if (r->h.zero != 0 || r->h.seq != s->next_seq)
		return violation(s, "header");
	if ((op->legal & s->state) == 0)
		return violation(s, "state");
	struct verdict v = op->check(s, r);
	if (v.error == POLICY_VIOLATION)
		return violation(s, "field");
	if (v.error != 0)
		audit_deny(s, op->name, v.why);
	else
		v = op->carry_out(s, r, &a);
	s->next_seq++;
	enum cause refused = CAUSE_NONE;
	if (v.error == 0)
		state_enter(s, op->then);
	else
		refused = cause_of_refusal(s, v);
	enum cause unsent = reply(r, v, &a);
	return refused != CAUSE_NONE ? refused : unsent;
}

static enum cause
receive(struct session *s)
{
	union record untrusted;

	memset(&untrusted, 0, sizeof untrusted);
	ssize_t n = record_recv(DOOR, &untrusted, sizeof untrusted, NULL);
	if (n > 0)
		return dispatch_record(s, &untrusted, (size_t)n);
	if (n == 0 || errno == ECONNRESET)
		return CAUSE_EOF;
	if (errno == EMSGSIZE)
		return violation(s, "record");
	return errno == EAGAIN ? CAUSE_NONE : CAUSE_SYSTEM;
}

/* How long until the deadline? False: it has passed. */
static bool
time_left(const struct session *s, struct timespec *left)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	left->tv_sec = s->deadline.tv_sec - now.tv_sec;
	left->tv_nsec = s->deadline.tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000;
	}
	return left->tv_sec >= 0;
}

static enum cause
wait_once(struct session *s)
{
	bool waiting = s->state != FW_STATE_ACTIVE;
	struct timespec left;
	struct pollfd p[] = {
	    {.fd = s->signal_fd, .events = POLLIN},
	    {.fd = s->peer_pidfd, .events = POLLIN}, /* -1 is passed over */
	    {.fd = DOOR, .events = POLLIN},
	};

	if (waiting && !time_left(s, &left))
		return CAUSE_TIMEOUT;
	int n = ppoll(p, sizeof p / sizeof *p, waiting ? &left : NULL, NULL);
	if (n == -1 && errno != EINTR)
		return CAUSE_SYSTEM;
	if (n <= 0)
		return CAUSE_NONE;
	if (p[0].revents != 0)
		return CAUSE_TERM;
	if (p[1].revents != 0)
		return CAUSE_PEER_EXIT;
	return receive(s);
}

enum cause
dispatch_run(struct session *s)
{
	enum cause cause;

	deadline_set(s, HELLO_SECONDS);
	do {
		cause = wait_once(s);
	} while (cause == CAUSE_NONE);
	return cause;
}
