/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "net.h"
#include "remote.h"

enum exit_code {
	EXIT_INTERRUPTED = 1,
	EXIT_BAD_USAGE = 2,
	EXIT_FATAL = 99,
	EXIT_SIGNAL = 128, /* + the signal's number */
};

enum scope { SCOPE_AUTO, SCOPE_OWN, SCOPE_SYSTEM };

enum { OPTIONS_MAX_LISTEN = 16 };

/* What the command line says. Strings point into argv. */
struct options {
	bool local; /* no -r: both ends on this machine */
	struct remote remote;
	char **ssh_command; /* words of -e */
	enum scope scope;
	int verbosity;
	struct addr listen[OPTIONS_MAX_LISTEN]; /* port 0: choose one */
	size_t listen_count;                    /* 0: loopback, any port */
	struct target *targets;                 /* includes and excludes, as written */
	size_t target_count;
};

/*
 * Understand the command line, or say what is wrong with it in one line and exit with
 * EXIT_BAD_USAGE. --help and --version print and exit 0. Looks up no name, except for -l.
 */
void options_parse(struct options *o, int argc, char **argv);

#endif
