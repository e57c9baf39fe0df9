/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process may still ask of the kernel, in two stages. Anything else kills it (SIGSYS),
 * and the kernel removes the rules with it.
 *
 * Stage 1, from before the first request until the commit. Should: read requests, make TCP
 * listeners, send one batch, allocate. Mustn't: open files, start programs, connect, make other
 * kinds of socket, signal, trace, map anything executable.
 * Stage 2, after the commit. Should: notice the end, answer, log, close. Mustn't: anything else,
 * new sockets and memory included. A table that the kernel does not remove by itself costs one
 * more call and CAP_NET_ADMIN.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "log.h"
#include "privs.h"
#include "sandbox.h"
#include "stages.h"

/* clang-format off */
#define IS(n, value)      {(n), SCMP_CMP_EQ, (value), 0}
#define ABOVE(n, value)   {(n), SCMP_CMP_GT, (value), 0}
#define ANY(name)         {SCMP_SYS(name), 0, {{0}}}
#define ONE(name, a)      {SCMP_SYS(name), 1, {a}}
#define TWO(name, a, b)   {SCMP_SYS(name), 2, {a, b}}
#define SOCKOPT(lv, name) TWO(setsockopt, IS(1, lv), IS(2, name))
#define TCP_SOCKET(af)    {SCMP_SYS(socket), 3, {IS(0, af), \
	IS(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), IS(2, IPPROTO_TCP)}}

/* Both stages. */
#define LIVE \
	ANY(ppoll),                /* dispatch */ \
	ANY(restart_syscall),      /* ppoll after SIGSTOP and SIGCONT */ \
	ANY(clock_gettime),        /* dispatch, where the vDSO cannot */ \
	ONE(recvmsg, IS(0, DOOR)), /* requests */ \
	ONE(sendmsg, IS(0, DOOR)), /* replies */ \
	ONE(sendto, IS(4, 0)),     /* audit: a connected socket */ \
	ONE(write, IS(0, 2)),      /* log */ \
	ONE(close, ABOVE(0, 2)),   /* session_leave */ \
	ANY(exit_group)            /* session_leave, die */

/* Talking to nf_tables. */
#define NETLINK \
	ANY(sendto),               /* libmnl */ \
	ANY(recvmsg)               /* libmnl */

static const struct sandbox_call setup_calls[] = {
	LIVE,
	NETLINK,
	TCP_SOCKET(AF_INET),                  /* listeners */
	TCP_SOCKET(AF_INET6),                 /* listeners */
	SOCKOPT(SOL_SOCKET, SO_REUSEADDR),    /* listeners */
	SOCKOPT(SOL_SOCKET, SO_KEEPALIVE),    /* listeners */
	SOCKOPT(SOL_SOCKET, SO_BINDTODEVICE), /* listeners */
	SOCKOPT(IPPROTO_TCP, TCP_NODELAY),    /* listeners */
	SOCKOPT(IPPROTO_IPV6, IPV6_V6ONLY),   /* listeners */
	ANY(bind),                            /* listeners */
	ANY(listen),                          /* listeners */
	ANY(brk),                             /* malloc: libnftnl, libseccomp */
	TWO(mmap, IS(2, PROT_READ | PROT_WRITE), IS(3, MAP_PRIVATE | MAP_ANONYMOUS)), /* malloc: batch */
	ANY(munmap),                          /* free: batch */
	ANY(capget),                          /* privs_drop_all */
	ANY(capset),                          /* privs_drop_all */
	ONE(prctl, IS(0, PR_SET_NO_NEW_PRIVS)),      /* entering stage 2 */
	ONE(seccomp, IS(0, SECCOMP_SET_MODE_FILTER)), /* entering stage 2 */
};

static const struct sandbox_call active_calls[] = {LIVE};
static const struct sandbox_call active_unowned_calls[] = {LIVE, NETLINK};
/* clang-format on */

#ifdef SANITIZE
/* Looking for leaks needs ptrace. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static void
enter(const struct sandbox_call *table, size_t count)
{
	if (sandbox_enter(table, count) == -1)
		die(EXIT_NO_KERNEL, "cannot enter the seccomp filter: %s", strerror(errno));
}

void
stage_setup(void)
{
	enter(setup_calls, sizeof setup_calls / sizeof *setup_calls);
}

void
stage_active(const struct session *s)
{
	if (!s->table_owned) {
		enter(active_unowned_calls,
		    sizeof active_unowned_calls / sizeof *active_unowned_calls);
		return;
	}
	privs_drop_all();
	enter(active_calls, sizeof active_calls / sizeof *active_calls);
}
