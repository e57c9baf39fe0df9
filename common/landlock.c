/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock without a library; see landlock.h. The numbers are from the kernel's
 * include/uapi/linux/landlock.h and stand here because older headers lack the later ones.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444 /* the same on every architecture */
#define SYS_landlock_restrict_self  446
#endif

struct ruleset {
	uint64_t fs, net, scoped;
};

enum { CREATE_VERSION = 1 };

/* Which file-system rights each ABI version knows: all bits up to the newest. */
static uint64_t
fs_rights(long abi)
{
	static const uint64_t known[] = {
	    0, (1 << 13) - 1, /* 1: Linux 5.13 */
	    (1 << 14) - 1,    /* 2: refer */
	    (1 << 15) - 1,    /* 3: truncate */
	    (1 << 15) - 1,    /* 4 */
	    (1 << 16) - 1,    /* 5: ioctl on devices */
	};
	long last = (long)(sizeof known / sizeof *known) - 1;

	return known[abi < last ? abi : last];
}

int
landlock_deny_files(unsigned also)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	if (abi <= 0)
		return abi == -1 && errno != ENOSYS && errno != EOPNOTSUPP ? -1 : 0;
	struct ruleset r = {.fs = fs_rights(abi)};
	size_t size = sizeof r.fs;
	if (abi >= 4) {
		r.net = also; /* bind is 1, connect is 2 */
		size += sizeof r.net;
	}
	if (abi >= 6) {
		r.scoped = 1 /* abstract unix sockets */ | 2 /* signals */;
		size += sizeof r.scoped;
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (fd == -1)
		return -1;
	long err = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return err == -1 ? -1 : (int)abi;
}
