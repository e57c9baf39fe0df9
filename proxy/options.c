/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. Each option is one row of a table, from which getopt_long(3), the help and
 * the dispatch to its setter are made; see options.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listen_spec.h"
#include "log.h"
#include "options.h"
#include "words.h"

struct option_row {
	const char *name;
	char letter;     /* 0: none */
	const char *arg; /* NULL: takes none */
	void (*set)(struct options *o, const char *arg);
	const char *help;
};

__attribute__((noreturn, format(printf, 1, 2))) static void
usage_error(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_init("sshuttle-proxy: ", 0);
	log_error("%s", text);
	exit(EXIT_BAD_USAGE);
}

static void
set_remote(struct options *o, const char *arg)
{
	char why[256];

	o->local = strcmp(arg, "") == 0 || strcmp(arg, "-") == 0; /* as in sshuttle: as if absent */
	if (!o->local && remote_parse(&o->remote, arg, why, sizeof why) == -1)
		usage_error("%s", why);
}

static void
set_listen(struct options *o, const char *arg)
{
	char why[256];

	if (listen_spec_parse(
		o->listen, OPTIONS_MAX_LISTEN, &o->listen_count, arg, why, sizeof why) == -1)
		usage_error("%s", why);
}

static void
add_target(struct options *o, const char *text, bool exclude)
{
	char why[256];

	/* Grows by doubling: at 0 and at each power of two the array is full. */
	if ((o->target_count & (o->target_count - 1)) == 0) {
		size_t size = o->target_count != 0 ? o->target_count * 2 : 1;
		struct target *p = realloc(o->targets, size * sizeof *p);
		if (p == NULL)
			die(EXIT_FATAL, "out of memory");
		o->targets = p;
	}
	if (target_parse(&o->targets[o->target_count], text, exclude, why, sizeof why) == -1)
		usage_error("%s", why);
	o->target_count++;
}

static void
set_exclude(struct options *o, const char *arg)
{
	add_target(o, arg, true);
}

static void
set_ssh_command(struct options *o, const char *arg)
{
	words_free(o->ssh_command);
	o->ssh_command = words_split(arg);
	if (o->ssh_command == NULL)
		usage_error("-e '%s': a quote is not closed", arg);
	if (o->ssh_command[0] == NULL)
		usage_error("-e '%s': the command is empty", arg);
}

static void
set_scope(struct options *o, const char *arg)
{
	static const char *const names[] = {"auto", "own", "system"};

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(arg, names[i]) == 0) {
			o->scope = (enum scope)i;
			return;
		}
	}
	usage_error("--scope '%s': choose auto, own or system", arg);
}

static void
set_method(struct options *o, const char *arg)
{
	(void)o;
	if (strcmp(arg, "auto") != 0 && strcmp(arg, "nft") != 0)
		usage_error("--method '%s': choose auto or nft", arg);
}

static void
set_verbose(struct options *o, const char *arg)
{
	(void)arg;
	if (o->verbosity < LOG_LEVEL_TRACE)
		o->verbosity++;
}

static void show_help(struct options *o, const char *arg);

static void
show_version(struct options *o, const char *arg)
{
	(void)o;
	(void)arg;
	(void)printf("%s\n", VERSION);
	exit(0);
}

static const struct option_row rows[] = {
    {"remote", 'r', "[USER@]HOST[:PORT]", set_remote,
	"ssh server to forward through; without it both ends run here, for testing"},
    {"exclude", 'x', "SUBNET", set_exclude, "do not forward this subnet (repeatable)"},
    {"listen", 'l', "[IP:]PORT[,...]", set_listen,
	"where to accept redirected connections (default: loopback, a free port)"},
    {"ssh-cmd", 'e', "COMMAND", set_ssh_command, "the command that runs ssh (default: ssh)"},
    {"method", 0, "TYPE", set_method, "how to redirect: auto or nft"},
    {"scope", 0, "SCOPE", set_scope,
	"whose traffic: own, system (everyone's), or auto: what sudo grants"},
    {"verbose", 'v', NULL, set_verbose, "say more (repeatable)"},
    {"version", 'V', NULL, show_version, "print the version"},
    {"help", 'h', NULL, show_help, "print this"},
};

enum { ROWS = sizeof rows / sizeof *rows };

static void
show_help(struct options *o, const char *arg)
{
	(void)o;
	(void)arg;
	(void)printf("usage: sshuttle-proxy [-r [USER@]HOST[:PORT]] [options] SUBNET...\n\n"
		     "Makes TCP connections to each SUBNET (HOST[/WIDTH][:PORT[-PORT]]) come out "
		     "of HOST.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[64], letter[8] = "    ";

		if (rows[i].letter != 0)
			(void)snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
		(void)snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name,
		    rows[i].arg != NULL ? " " : "", rows[i].arg != NULL ? rows[i].arg : "");
		(void)printf("  %-36s %s\n", left, rows[i].help);
	}
	(void)printf("\nThe manual is sshuttle-proxy(8).\n");
	exit(0);
}

/* getopt_long's two tables, made from ours. Its value is the row's number behind all letters. */
enum { FIRST_VALUE = 256 };

static void
make_tables(char *letters, struct option *longs)
{
	for (int i = 0; i < ROWS; i++) {
		longs[i] = (struct option){.name = rows[i].name,
		    .val = FIRST_VALUE + i,
		    .has_arg = rows[i].arg != NULL ? required_argument : no_argument};
		if (rows[i].letter == 0)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].arg != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
}

static const struct option_row *
find_row(int value)
{
	if (value >= FIRST_VALUE)
		return &rows[value - FIRST_VALUE];
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter != 0 && rows[i].letter == value)
			return &rows[i];
	return NULL;
}

void
options_parse(struct options *o, int argc, char **argv)
{
	char letters[2 * ROWS + 1];
	struct option longs[ROWS + 1] = {0};
	int value;

	*o = (struct options){.local = true};
	make_tables(letters, longs);
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = find_row(value);
		if (row == NULL) /* getopt_long has named the option */
			exit(EXIT_BAD_USAGE);
		row->set(o, optarg);
	}
	for (; optind < argc; optind++)
		add_target(o, argv[optind], false);

	bool any = false;
	for (size_t i = 0; i < o->target_count; i++)
		any |= !o->targets[i].exclude;
	if (!any)
		usage_error("at least one subnet expected, for example 10.0.0.0/8; see --help");
	if (o->ssh_command == NULL)
		o->ssh_command = words_split("ssh");
	if (o->ssh_command == NULL)
		die(EXIT_FATAL, "out of memory");
}
