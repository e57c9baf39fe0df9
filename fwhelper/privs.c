/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up root. Each step is checked, and then the result is checked as a whole, from what the
 * kernel says: a drop that did not happen must end the program, not the user's safety.
 *
 * HELPER_UID is a number that no account has: nobody can signal or trace us. Two sessions share
 * it, so neither may be traced (not dumpable) and the filters have no kill and no ptrace.
 */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "privs.h"
#include "session.h"

/* uid 0 means nothing any more, and neither setuid(2) nor a file can change that. */
#define SECUREBITS                                                       \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |    \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static void
need(bool ok, const char *what)
{
	if (!ok)
		die(EXIT_SYSTEM, "cannot give up root (%s): %s", what, strerror(errno));
}

/* Exactly these, effective and permitted, and none that could be inherited. */
static void
verify_caps(uint32_t wanted)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	need(syscall(SYS_capget, &head, data) == 0, "capget");
	need(data[0].effective == wanted && data[0].permitted == wanted &&
		 data[0].inheritable == 0 && data[1].effective == 0 && data[1].permitted == 0 &&
		 data[1].inheritable == 0,
	    "capabilities");
}

static void
verify_identity(void)
{
	uid_t r, e, v;
	gid_t rg, eg, vg;

	need(getresuid(&r, &e, &v) == 0 && r == HELPER_UID && e == r && v == r, "uid");
	need(getresgid(&rg, &eg, &vg) == 0 && rg == HELPER_UID && eg == rg && vg == rg, "gid");
	need(getgroups(0, NULL) == 0, "groups");
	need(setuid(0) == -1 && setgid(0) == -1, "could come back");
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		need(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0, "bounding set");
	need(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == (int)SECUREBITS, "securebits");
	need(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs");
}

void
privs_drop(void)
{
	static const struct rlimit none;

	/* First: with these bits set, changing the uid leaves the capabilities alone. */
	need(prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) == 0, "securebits");
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	capng_clear(CAPNG_SELECT_ALL);
	need(capng_apply(CAPNG_SELECT_BOUNDS) == 0, "bounding set");
	need(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, "ambient set");
	need(setgroups(0, NULL) == 0, "setgroups");
	need(setresgid(HELPER_UID, HELPER_UID, HELPER_UID) == 0, "setresgid");
	need(setresuid(HELPER_UID, HELPER_UID, HELPER_UID) == 0, "setresuid");
	need(capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN) == 0,
	    "CAP_NET_ADMIN");
	need(capng_apply(CAPNG_SELECT_CAPS) == 0, "capset");
	need(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
	need(setrlimit(RLIMIT_NPROC, &none) == 0, "RLIMIT_NPROC"); /* no fork, ever */
	verify_identity();
	verify_caps(1U << CAP_NET_ADMIN);
}

void
privs_drop_all(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	need(capng_apply(CAPNG_SELECT_CAPS) == 0, "capset");
	verify_caps(0);
}
