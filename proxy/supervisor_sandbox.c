/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's sandbox; see supervisor_sandbox.h. One call a line, with who needs it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "log.h"
#include "options.h"
#include "sandbox.h"
#include "supervisor_sandbox.h"

#define BITS(n, mask, v) SCMP_CMP64(n, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(v))

/* clang-format off */
static const struct sandbox_call calls[] = {
    {SCMP_SYS(poll), 0, {{0}}},            /* waiting */
    {SCMP_SYS(ppoll), 0, {{0}}},           /* waiting, where there is no poll */
    {SCMP_SYS(restart_syscall), 0, {{0}}}, /* the kernel, after SIGSTOP and SIGCONT */
    {SCMP_SYS(read), 0, {{0}}},            /* signalfd, the helper's stderr */
    {SCMP_SYS(write), 0, {{0}}},           /* log.c */
    {SCMP_SYS(recvmsg), 0, {{0}}},         /* record.c: the engine's reports */
    {SCMP_SYS(shutdown), 0, {{0}}},        /* telling the helper to undo */
    {SCMP_SYS(close), 0, {{0}}},           /* letting go of helper and engine */
    {SCMP_SYS(wait4), 0, {{0}}},           /* child.c */
    {SCMP_SYS(kill), 0, {{0}}},            /* child.c: ssh and engine */
    {SCMP_SYS(brk), 0, {{0}}},             /* malloc */
    {SCMP_SYS(mmap), 2, {BITS(2, PROT_EXEC, 0), BITS(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}}, /* malloc */
    {SCMP_SYS(munmap), 0, {{0}}},          /* malloc */
    {SCMP_SYS(rt_sigreturn), 0, {{0}}},    /* the kernel */
    {SCMP_SYS(exit_group), 0, {{0}}},      /* the end */
};
/* clang-format on */

void
supervisor_sandbox_enter(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no ptrace by others of the same user */
	if (sandbox_enter(calls, sizeof calls / sizeof *calls) == -1)
		die(EXIT_FATAL, "seccomp: %s", strerror(errno));
}
