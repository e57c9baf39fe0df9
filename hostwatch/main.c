/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sshuttle-hostwatch: prints the host names that this machine knows, one "name,address" a line.
 * So far its only source is /etc/hosts. The file is opened first; then the program can do no more
 * than read it and write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hosts_file.h"
#include "landlock.h"
#include "log.h"
#include "sandbox.h"

enum { EXIT_USAGE = 2, EXIT_FAILED = 99 };

/* clang-format off */
static const struct sandbox_call calls[] = {
    {SCMP_SYS(read), 0, {{0}}},         /* the file */
    {SCMP_SYS(write), 0, {{0}}},        /* names, log */
    {SCMP_SYS(ppoll), 0, {{0}}},        /* log.c: can stderr take a line? */
    {SCMP_SYS(close), 0, {{0}}},        /* the file */
    {SCMP_SYS(fstat), 0, {{0}}},        /* stdio, at its first write */
    /* the same under glibc 2.33 and later: of a descriptor, never of a path */
    {SCMP_SYS(newfstatat), 1, {SCMP_CMP64(3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0)}},
    {SCMP_SYS(ioctl), 0, {{0}}},        /* stdio asks whether stdout is a terminal */
    {SCMP_SYS(brk), 0, {{0}}},          /* stdio's buffer */
    {SCMP_SYS(rt_sigreturn), 0, {{0}}}, /* the kernel */
    {SCMP_SYS(exit_group), 0, {{0}}},   /* the end */
};
/* clang-format on */

static void
enter_sandbox(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || landlock_deny_files(0) == -1 ||
	    sandbox_enter(calls, sizeof calls / sizeof *calls) == -1)
		die(EXIT_FAILED, "sandbox: %s", strerror(errno));
}

static void
print_host(const char *name, const char *address)
{
	(void)printf("%s,%s\n", name, address);
}

int
main(int argc, char **argv)
{
	static char text[HOSTS_FILE_MAX];
	int verbosity = 0, c;

	while ((c = getopt(argc, argv, "hvV")) != -1) {
		switch (c) {
		case 'v':
			verbosity++;
			break;
		case 'V':
			return printf("%s\n", VERSION) < 0;
		default:
			(void)fprintf(c == 'h' ? stdout : stderr,
			    "usage: sshuttle-hostwatch [-v]\n"
			    "Prints the names in /etc/hosts; see sshuttle-hostwatch(8).\n");
			return c == 'h' ? 0 : EXIT_USAGE;
		}
	}
	log_init("HH: ", verbosity);
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		die(EXIT_FAILED, "/etc/hosts: %s", strerror(errno));
	enter_sandbox();
	log_verbose("reading /etc/hosts");
	ssize_t len = hosts_file_read(fd, text, sizeof text);
	if (len == -1)
		die(EXIT_FAILED, "/etc/hosts: %s", strerror(errno));
	hosts_file_each(text, (size_t)len, print_host);
	return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}
