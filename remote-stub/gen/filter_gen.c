/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs on the build machine: compiles sshuttle-remote's seccomp table with libseccomp and prints
 * it as a C array, because a small static program cannot carry the library.
 *
 * Should: let the remote program move bytes and connect TCP sockets.
 * Mustn't: open a file, start a program, bind or listen, see another process.
 */
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define ANY               \
	0,                \
	{                 \
		{         \
			0 \
		}         \
	}
#define IF1(a)    \
	1,        \
	{         \
		a \
	}
#define IF2(a, b)    \
	2,           \
	{            \
		a, b \
	}
#define STREAM_FLAGS    (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
#define IS(arg, v)      SCMP_CMP64(arg, SCMP_CMP_EQ, (scmp_datum_t)(v), 0)
#define WITHOUT(arg, v) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(v), 0)

static const struct {
	int nr;
	unsigned argc;
	struct scmp_arg_cmp arg[3];
	/* clang-format off */
} calls[] = {
    /* the event loop */
    {SCMP_SYS(epoll_wait), ANY},
    {SCMP_SYS(epoll_pwait), ANY},
    {SCMP_SYS(epoll_ctl), ANY},
    {SCMP_SYS(clock_gettime), ANY}, /* where the vDSO has none */
    {SCMP_SYS(restart_syscall), ANY},
    /* the lane, the log */
    {SCMP_SYS(read), ANY},
    {SCMP_SYS(write), ANY},
    {SCMP_SYS(ppoll), ANY},
    /* streams */
    {SCMP_SYS(socket), 3, {IS(0, AF_INET), IS(1, STREAM_FLAGS), IS(2, IPPROTO_TCP)}},
    {SCMP_SYS(socket), 3, {IS(0, AF_INET6), IS(1, STREAM_FLAGS), IS(2, IPPROTO_TCP)}},
    {SCMP_SYS(connect), ANY},
    {SCMP_SYS(recvfrom), ANY},
    {SCMP_SYS(sendto), ANY},
    {SCMP_SYS(sendmsg), ANY},
    {SCMP_SYS(shutdown), IF1(IS(1, SHUT_WR))},
    {SCMP_SYS(close), ANY},
    {SCMP_SYS(getsockopt), IF2(IS(1, SOL_SOCKET), IS(2, SO_ERROR))},
    {SCMP_SYS(setsockopt), IF2(IS(1, SOL_SOCKET), IS(2, SO_LINGER))},
    {SCMP_SYS(setsockopt), IF2(IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE))},
    {SCMP_SYS(setsockopt), IF2(IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY))},
    {SCMP_SYS(setsockopt), IF2(IS(1, IPPROTO_IP), IS(2, IP_TTL))},                /* no ssh */
    {SCMP_SYS(setsockopt), IF2(IS(1, IPPROTO_IPV6), IS(2, IPV6_UNICAST_HOPS))}, /* no ssh */
    /* malloc */
    {SCMP_SYS(brk), ANY},
    {SCMP_SYS(mmap), IF2(WITHOUT(2, PROT_EXEC), SCMP_CMP64(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS))},
    {SCMP_SYS(mmap2), IF2(WITHOUT(2, PROT_EXEC), SCMP_CMP64(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS))},
    {SCMP_SYS(mprotect), IF1(WITHOUT(2, PROT_EXEC))},
    {SCMP_SYS(mremap), ANY},
    {SCMP_SYS(munmap), ANY},
    {SCMP_SYS(madvise), ANY},
    /* the end */
    {SCMP_SYS(rt_sigreturn), ANY},
    {SCMP_SYS(exit_group), ANY},
#ifdef SANITIZE
    {SCMP_SYS(futex), ANY},
    {SCMP_SYS(sched_yield), ANY},
    {SCMP_SYS(getpid), ANY},
    {SCMP_SYS(gettid), ANY},
    {SCMP_SYS(sigaltstack), ANY},
    {SCMP_SYS(rt_sigprocmask), ANY},
#endif
};
/* clang-format on */

static void
check(int r, const char *what)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "filter_gen: %s: error %d\n", what, -r);
	exit(1);
}

static void
print_array(FILE *bpf)
{
	struct sock_filter f;

	(void)printf("/* made by remote-stub/gen/filter_gen.c */\n"
		     "static const struct sock_filter remote_filter[] = {\n");
	while (fread(&f, sizeof f, 1, bpf) == 1)
		(void)printf("    {0x%02x, %u, %u, 0x%08x},\n", f.code, f.jt, f.jf, f.k);
	(void)printf("};\n");
}

int
main(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	FILE *bpf = tmpfile();

	if (ctx == NULL || bpf == NULL)
		check(-1, "start");
	check(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "badarch");
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		check(seccomp_rule_add_array(
			  ctx, SCMP_ACT_ALLOW, calls[i].nr, calls[i].argc, calls[i].arg),
		    "rule");
	check(seccomp_export_bpf(ctx, fileno(bpf)), "export");
	rewind(bpf);
	print_array(bpf);
	seccomp_release(ctx);
	return fflush(stdout) == 0 ? 0 : 1;
}
