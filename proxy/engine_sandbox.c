/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's sandbox; see engine_sandbox.h. One call a line, with who needs it. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <linux/netfilter_ipv4.h> /* behind netinet/in.h, or the two clash */
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "engine_sandbox.h"
#include "landlock.h"
#include "log.h"
#include "options.h"
#include "sandbox.h"

#define IS(n, v)         SCMP_CMP64(n, SCMP_CMP_EQ, (scmp_datum_t)(v), 0)
#define BITS(n, mask, v) SCMP_CMP64(n, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(v))

/* clang-format off */
static const struct sandbox_call calls[] = {
    {SCMP_SYS(epoll_wait), 0, {{0}}},      /* loop.c */
    {SCMP_SYS(epoll_pwait), 0, {{0}}},     /* loop.c, where there is no epoll_wait */
    {SCMP_SYS(epoll_ctl), 0, {{0}}},       /* loop.c */
    {SCMP_SYS(ppoll), 0, {{0}}},           /* log.c: can stderr take a line? */
    {SCMP_SYS(clock_gettime), 0, {{0}}},   /* loop.c, where the vDSO has none */
    {SCMP_SYS(restart_syscall), 0, {{0}}}, /* the kernel, after SIGSTOP and SIGCONT */
    {SCMP_SYS(read), 0, {{0}}},            /* lane.c, ssh_errors.c, engine.c */
    {SCMP_SYS(write), 0, {{0}}},           /* lane.c, log.c, engine.c */
    {SCMP_SYS(recvfrom), 0, {{0}}},        /* stream.c */
    {SCMP_SYS(sendto), 0, {{0}}},          /* stream.c */
    {SCMP_SYS(sendmsg), 0, {{0}}},         /* stream.c; record.c to the supervisor */
    {SCMP_SYS(recvmsg), 0, {{0}}},         /* record.c: orders and listeners */
    {SCMP_SYS(accept4), 0, {{0}}},         /* accept.c */
    {SCMP_SYS(getsockname), 0, {{0}}},     /* accept.c */
    {SCMP_SYS(getsockopt), 2, {IS(1, SOL_SOCKET), IS(2, SO_ERROR)}},               /* stream.c */
    {SCMP_SYS(getsockopt), 2, {IS(1, IPPROTO_IP), IS(2, SO_ORIGINAL_DST)}},        /* accept.c */
    {SCMP_SYS(getsockopt), 2, {IS(1, IPPROTO_IPV6), IS(2, IP6T_SO_ORIGINAL_DST)}}, /* accept.c */
    {SCMP_SYS(setsockopt), 2, {IS(1, SOL_SOCKET), IS(2, SO_LINGER)}},              /* stream.c */
    {SCMP_SYS(shutdown), 1, {IS(1, SHUT_WR)}}, /* stream.c; any other would free a listener's port */
    {SCMP_SYS(close), 0, {{0}}},           /* everybody */
    {SCMP_SYS(brk), 0, {{0}}},             /* malloc */
    {SCMP_SYS(mmap), 2, {BITS(2, PROT_EXEC, 0), BITS(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}}, /* malloc */
    {SCMP_SYS(mremap), 0, {{0}}},          /* malloc */
    {SCMP_SYS(munmap), 0, {{0}}},          /* malloc */
    {SCMP_SYS(madvise), 0, {{0}}},         /* malloc gives pages back */
    {SCMP_SYS(rt_sigreturn), 0, {{0}}},    /* the kernel */
    {SCMP_SYS(exit_group), 0, {{0}}},      /* the end */
};
/* clang-format on */

void
engine_sandbox_enter(void)
{
	const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no ptrace by others of the same user */
	(void)setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		die(EXIT_FATAL, "no_new_privs: %s", strerror(errno));
	int abi = landlock_deny_files(LANDLOCK_DENY_TCP_BIND | LANDLOCK_DENY_TCP_CONNECT);
	if (abi == -1)
		die(EXIT_FATAL, "landlock: %s", strerror(errno));
	log_debug("engine: landlock %d, seccomp %zu rules", abi, sizeof calls / sizeof *calls);
	if (sandbox_enter(calls, sizeof calls / sizeof *calls) == -1)
		die(EXIT_FATAL, "seccomp: %s", strerror(errno));
}
