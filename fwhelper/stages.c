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

#define IS(n, value)                         \
	{                                    \
		(n), SCMP_CMP_EQ, (value), 0 \
	}
#define ABOVE(n, value)                      \
	{                                    \
		(n), SCMP_CMP_GT, (value), 0 \
	}
#define SOCKOPT(lv, name)                      \
	{                                      \
		SCMP_SYS(setsockopt), 2,       \
		{                              \
			IS(1, lv), IS(2, name) \
		}                              \
	}
#define TCP_SOCKET(af)                                                                \
	{                                                                             \
		SCMP_SYS(socket), 3,                                                  \
		{                                                                     \
			IS(0, af), IS(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), \
			    IS(2, IPPROTO_TCP)                                        \
		}                                                                     \
	}

/* Both stages. */
#define LIVE                                                                             \
	{SCMP_SYS(ppoll), 0, {{0}}},		   /* dispatch */                        \
	    {SCMP_SYS(restart_syscall), 0, {{0}}}, /* ppoll after SIGSTOP and SIGCONT */ \
	    {SCMP_SYS(clock_gettime), 0, {{0}}},   /* dispatch, where the vDSO cannot */ \
	    {SCMP_SYS(recvmsg), 1, {IS(0, DOOR)}}, /* requests */                        \
	    {SCMP_SYS(sendmsg), 1, {IS(0, DOOR)}}, /* replies */                         \
	    {SCMP_SYS(sendto), 1, {IS(4, 0)}},	   /* audit: a connected socket */       \
	    {SCMP_SYS(write), 1, {IS(0, 2)}},	   /* log */                             \
	    {SCMP_SYS(close), 1, {ABOVE(0, 2)}},   /* session_leave */                   \
	{                                                                                \
		SCMP_SYS(exit_group), 0,                                                 \
		{                                                                        \
			{                                                                \
				0                                                        \
			}                                                                \
		} /* session_leave, die */                                               \
	}

/* Talking to nf_tables. */
#define NETLINK                                    \
	{SCMP_SYS(sendto), 0, {{0}}}, /* libmnl */ \
	{                                          \
		SCMP_SYS(recvmsg), 0,              \
		{                                  \
			{                          \
				0                  \
			}                          \
		} /* libmnl */                     \
	}

static const struct sandbox_call setup_calls[] = {
    LIVE, NETLINK, TCP_SOCKET(AF_INET),	  /* listeners */
    TCP_SOCKET(AF_INET6),		  /* listeners */
    SOCKOPT(SOL_SOCKET, SO_REUSEADDR),	  /* listeners */
    SOCKOPT(SOL_SOCKET, SO_KEEPALIVE),	  /* listeners */
    SOCKOPT(SOL_SOCKET, SO_BINDTODEVICE), /* listeners */
    SOCKOPT(IPPROTO_TCP, TCP_NODELAY),	  /* listeners */
    SOCKOPT(IPPROTO_IPV6, IPV6_V6ONLY),	  /* listeners */
    {SCMP_SYS(bind), 0, {{0}}},		  /* listeners */
    {SCMP_SYS(listen), 0, {{0}}},	  /* listeners */
    {SCMP_SYS(brk), 0, {{0}}},		  /* malloc: libnftnl, libseccomp */
    {SCMP_SYS(mmap), 2,
	{IS(2, PROT_READ | PROT_WRITE), /* malloc: the batch */
	    IS(3, MAP_PRIVATE | MAP_ANONYMOUS)}},
    {SCMP_SYS(munmap), 0, {{0}}},			      /* free: the batch */
    {SCMP_SYS(capget), 0, {{0}}},			      /* privs_drop_all */
    {SCMP_SYS(capset), 0, {{0}}},			      /* privs_drop_all */
    {SCMP_SYS(prctl), 1, {IS(0, PR_SET_NO_NEW_PRIVS)}},	      /* entering stage 2 */
    {SCMP_SYS(seccomp), 1, {IS(0, SECCOMP_SET_MODE_FILTER)}}, /* entering stage 2 */
};

static const struct sandbox_call active_calls[] = {LIVE};
static const struct sandbox_call active_unowned_calls[] = {LIVE, NETLINK};

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
		enter(active_unowned_calls, sizeof active_unowned_calls / sizeof *active_calls);
		return;
	}
	privs_drop_all();
	enter(active_calls, sizeof active_calls / sizeof *active_calls);
}
