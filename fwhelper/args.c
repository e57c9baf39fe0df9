/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: exactly one argument, compared whole. sudoers and polkit grant by the first
 * argument only, so a second one must never mean anything (polkit: `--scope=own --scope=system`
 * is authorised as the first). argc can be 0 (CVE-2021-4034).
 */
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "session.h"

#define USAGE "usage: sshuttle-fwhelper --scope=own | --scope=system\n"

__attribute__((noreturn)) static void
say(int fd, const char *text, int code)
{
	(void)!write(fd, text, strlen(text)); /* nobody to tell */
	_exit(code);
}

bool
args_scope(int argc, char *const argv[])
{
	const char *arg = argc == 2 ? argv[1] : "";

	if (strcmp(arg, "--scope=own") == 0)
		return false;
	if (strcmp(arg, "--scope=system") == 0)
		return true;
	if (strcmp(arg, "--version") == 0)
		say(STDOUT_FILENO, "sshuttle-fwhelper " VERSION "\n", EXIT_DONE);
	if (strcmp(arg, "--help") == 0)
		say(STDOUT_FILENO, USAGE "Started by sshuttle-proxy; see sshuttle-fwhelper(8).\n",
		    EXIT_DONE);
	say(STDERR_FILENO, USAGE, EXIT_BAD_USAGE);
}
