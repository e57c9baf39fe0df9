/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sshuttle-remote's sandbox; see sandbox.h. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "landlock.h"
#include "log.h"
#include "remote_filter.h"
#include "sandbox.h"

static void
limit(int what, rlim_t most)
{
	struct rlimit r = {most, most};

	(void)setrlimit(what, &r); /* one line of defence of several */
}

void
remote_sandbox_enter(void)
{
	struct sock_fprog filter = {.len = sizeof remote_filter / sizeof *remote_filter};

	filter.filter = (struct sock_filter *)(size_t)remote_filter;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_verbose("no_new_privs: %s", strerror(errno));
	int abi = landlock_deny_files(LANDLOCK_DENY_TCP_BIND);
	if (abi <= 0)
		log_verbose("landlock: not available on the server");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == -1)
		log_verbose("seccomp: %s", strerror(errno));
}
