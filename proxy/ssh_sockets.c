/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which TCP connections ssh really has; see ssh_sockets.h. Formats: proc(5). */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh_sockets.h"

enum { MAX_PROCESSES = 64, MAX_INODES = 256, TCP_STATE_ESTABLISHED = 1 };

struct search {
	pid_t pid[MAX_PROCESSES];
	size_t pids;
	unsigned long inode[MAX_INODES];
	size_t inodes;
};

/* The parent of pid, 0 if unknown. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], stat[512];
	int parent = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	size_t n = fread(stat, 1, sizeof stat - 1, f);
	(void)fclose(f);
	stat[n] = '\0';
	/* "pid (comm) state ppid": comm may hold anything, so start behind its last bracket. */
	const char *end = strrchr(stat, ')');
	if (end == NULL || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool
is_known(const struct search *s, pid_t pid)
{
	for (size_t i = 0; i < s->pids; i++)
		if (s->pid[i] == pid)
			return true;
	return false;
}

/* One pass over /proc: add the children of those known. Returns how many were added. */
static size_t
add_children(struct search *s)
{
	size_t before = s->pids;
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	if (proc == NULL)
		return 0;
	while ((e = readdir(proc)) != NULL && s->pids < MAX_PROCESSES) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid > 0 && !is_known(s, pid) && is_known(s, parent_of(pid)))
			s->pid[s->pids++] = pid;
	}
	(void)closedir(proc);
	return s->pids - before;
}

static void
add_inodes(struct search *s, pid_t pid)
{
	char path[320], target[64];
	const struct dirent *e;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *fds = opendir(path);
	if (fds == NULL)
		return;
	while ((e = readdir(fds)) != NULL && s->inodes < MAX_INODES) {
		(void)snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, e->d_name);
		ssize_t n = readlink(path, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (sscanf(target, "socket:[%lu]", &s->inode[s->inodes]) == 1)
			s->inodes++;
	}
	(void)closedir(fds);
}

/* Addresses in /proc/net/tcp are 32-bit words in the machine's order, each printed as hex. */
static bool
parse_address(struct addr *a, const char *hex, bool v6)
{
	size_t words = v6 ? 4 : 1;

	*a = (struct addr){.family = v6 ? 6 : 4};
	if (strlen(hex) != words * 8)
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;
		if (sscanf(hex + 8 * i, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(a->bytes + 4 * i, &word, 4);
	}
	return true;
}

/* An IPv6 socket may carry IPv4: what the packet filter sees is IPv4. */
static void
unmap(struct addr *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (a->family != 6 || memcmp(a->bytes, prefix, sizeof prefix) != 0)
		return;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
	a->family = 4;
}

static bool
parse_line(const char *line, bool v6, struct tcp_tuple *t, unsigned long *inode)
{
	char src[40], dst[40];
	unsigned src_port, dst_port, state;

	if (sscanf(line, " %*d: %39[0-9A-F]:%x %39[0-9A-F]:%x %x %*s %*s %*s %*s %*s %lu", src,
		&src_port, dst, &dst_port, &state, inode) != 6)
		return false;
	if (state != TCP_STATE_ESTABLISHED || !parse_address(&t->src, src, v6) ||
	    !parse_address(&t->dst, dst, v6))
		return false;
	unmap(&t->src);
	unmap(&t->dst);
	t->src.port = (uint16_t)src_port;
	t->dst.port = (uint16_t)dst_port;
	return true;
}

static size_t
match_table(const struct search *s, pid_t pid, bool v6, struct tcp_tuple *list, size_t max)
{
	char path[64], line[512];
	size_t n = 0;
	unsigned long inode;

	(void)snprintf(path, sizeof path, "/proc/%d/net/tcp%s", (int)pid, v6 ? "6" : "");
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (n < max && fgets(line, sizeof line, f) != NULL) {
		if (!parse_line(line, v6, &list[n], &inode))
			continue;
		for (size_t i = 0; i < s->inodes; i++) {
			if (s->inode[i] == inode) {
				n++;
				break;
			}
		}
	}
	(void)fclose(f);
	return n;
}

size_t
ssh_sockets_find(pid_t pid, struct tcp_tuple *list, size_t max)
{
	struct search s = {.pid = {pid}, .pids = 1};

	while (add_children(&s) > 0)
		;
	for (size_t i = 0; i < s.pids; i++)
		add_inodes(&s, s.pid[i]);
	size_t n = match_table(&s, pid, false, list, max);
	return n + match_table(&s, pid, true, list + n, max - n);
}
