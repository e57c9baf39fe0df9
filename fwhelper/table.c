/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table's name, and whose table is alive. A table is named sshuttle-<uid>-<8 hex digits>, and
 * its session has an abstract socket of that name bound for life; both are per network
 * namespace. Linux 5.12 and later remove an owned table with its session. Before that a killed
 * session leaves its table, and the next session to start finds it: unowned, and the name free.
 * (There, a local user can keep a dead table from being found by taking its name.)
 */
#include <errno.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "batch.h"
#include "log.h"
#include "nl.h"
#include "table.h"

enum {
	MAX_DEAD = 64,  /* healed per start; the next start goes on */
	MAX_TRIES = 64, /* of a dump that others' changes interrupt (NLM_F_DUMP_INTR) */
};

#define NAME_PREFIX "sshuttle-"

struct tables {
	size_t count;
	char names[MAX_DEAD][sizeof((struct session *)0)->table];
};

/* Bind the abstract socket of that name. Returns it, or -1 if a live session has it. */
static int
lock_name(const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int n = snprintf(sa.sun_path + 1, sizeof sa.sun_path - 1, "%s", name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		die(EXIT_SYSTEM, "cannot make a socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
		return fd;
	if (errno != EADDRINUSE)
		die(EXIT_SYSTEM, "cannot name a socket: %s", strerror(errno));
	close(fd);
	return -1;
}

void
table_name(struct session *s)
{
	uint32_t r;

	while (s->lock_fd == -1) {
		if (getrandom(&r, sizeof r, 0) != sizeof r)
			die(EXIT_SYSTEM, "getrandom: %s", strerror(errno));
		(void)snprintf(s->table, sizeof s->table, NAME_PREFIX "%u-%08x", s->caller_uid, r);
		s->lock_fd = lock_name(s->table);
	}
}

static bool
name_is_ours(const char *name)
{
	size_t digits, hex;

	if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
		return false;
	name += strlen(NAME_PREFIX);
	digits = strspn(name, "0123456789");
	if (digits < 1 || digits > 10 || name[digits] != '-')
		return false;
	hex = strspn(name + digits + 1, "0123456789abcdef");
	return hex == 8 && name[digits + 1 + hex] == '\0';
}

static int
note_unowned(const struct nlmsghdr *h, void *data)
{
	struct tables *found = data;
	struct nftnl_table *t = batch_need(nftnl_table_alloc());

	if (nftnl_table_nlmsg_parse(h, t) == 0 && found->count < MAX_DEAD &&
	    (nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_OWNER) == 0 &&
	    name_is_ours(nftnl_table_get_str(t, NFTNL_TABLE_NAME)))
		(void)snprintf(found->names[found->count++], sizeof *found->names, "%s",
		    nftnl_table_get_str(t, NFTNL_TABLE_NAME));
	nftnl_table_free(t);
	return MNL_CB_OK;
}

void
table_heal(struct session *s)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct tables found;
	int r = -1;

	for (int i = 0; r == -1 && i < MAX_TRIES; i++) {
		found.count = 0;
		r = nl_dump(s,
		    nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_DUMP, 0),
		    note_unowned, &found);
		if (r == -1 && errno != EINTR)
			break;
	}
	if (r == -1 && errno == EINTR)
		return; /* never a moment's rest: the next start heals */
	if (r == -1)
		die(EXIT_NO_KERNEL, "cannot list tables, has this kernel nf_tables? %s",
		    strerror(errno));
	for (size_t i = 0; i < found.count; i++) {
		int fd = lock_name(found.names[i]);

		if (fd == -1)
			continue;
		table_delete(s, found.names[i]);
		close(fd);
	}
}

/* Built by hand and on the stack: in stage 2 there is no more memory to be had. */
void
table_delete(struct session *s, const char *name)
{
	char buf[512] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t used = nftnl_batch_begin(buf, s->nl_seq++)->nlmsg_len;
	struct nlmsghdr *h = nftnl_nlmsg_build_hdr(
	    buf + used, NFT_MSG_DELTABLE, NFPROTO_INET, NLM_F_ACK, s->nl_seq++);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, name);
	used += NLMSG_ALIGN(h->nlmsg_len);
	used += nftnl_batch_end(buf + used, s->nl_seq++)->nlmsg_len;
	(void)nl_batch(s, buf, used);
}

static int
note_flags(const struct nlmsghdr *h, void *data)
{
	struct nftnl_table *t = batch_need(nftnl_table_alloc());

	if (nftnl_table_nlmsg_parse(h, t) == 0)
		*(uint32_t *)data = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
	nftnl_table_free(t);
	return MNL_CB_STOP;
}

static int
count_one(const struct nlmsghdr *h, void *data)
{
	(void)h;
	++*(uint32_t *)data;
	return MNL_CB_OK;
}

static bool
flags_are_right(struct session *s)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint32_t flags = UINT32_MAX;
	struct nftnl_table *t = batch_need(nftnl_table_alloc());
	struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, NFPROTO_INET, 0, 0);

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, s->table);
	nftnl_table_nlmsg_build_payload(h, t);
	nftnl_table_free(t);
	return nl_dump(s, h, note_flags, &flags) == 0 &&
	       flags == (s->table_owned ? NFT_TABLE_F_OWNER : 0);
}

/* How many rules our table has. -1 with errno. */
static int
count_rules(struct session *s, uint32_t *found)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nftnl_rule *r = batch_need(nftnl_rule_alloc());
	struct nlmsghdr *h =
	    nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, 0);

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, s->table);
	nftnl_rule_nlmsg_build_payload(h, r);
	nftnl_rule_free(r);
	*found = 0;
	return nl_dump(s, h, count_one, found);
}

bool
table_verify(struct session *s, uint32_t rules)
{
	uint32_t found;
	int r = -1;

	if (!flags_are_right(s))
		return false;
	for (int i = 0; r == -1 && i < MAX_TRIES; i++) {
		r = count_rules(s, &found);
		if (r == -1 && errno != EINTR)
			break;
	}
	/* Never a moment's rest: the kernel's acknowledgement of the batch has to do. */
	if (r == -1 && errno == EINTR)
		return true;
	return r == 0 && found == rules;
}
