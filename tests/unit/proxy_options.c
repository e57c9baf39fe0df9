/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: what it means, and each mistake with its exit code and its one line. */
#include "unit.h"

#include <getopt.h>
#include <sys/wait.h>

#include "options.h"

enum { MAX_ARGS = 40 };

struct result {
	int exit_code; /* -1: options_parse() returned */
	char out[8192], err[1024];
};

/* Split at blanks; "''" is an empty argument. */
static int
make_argv(char *copy, char **argv)
{
	int argc = 0;

	argv[argc++] = "sshuttle-proxy";
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = strcmp(w, "''") == 0 ? "" : w;
	argv[argc] = NULL;
	assert_true(argc < MAX_ARGS);
	return argc;
}

static void
read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
}

/* In a child, because a mistake ends the process. */
static void
run(const char *line, struct result *r)
{
	static struct options o;
	char copy[1024], *argv[MAX_ARGS];
	int out[2], err[2], status;

	strcpy(copy, line);
	int argc = make_argv(copy, argv);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		options_parse(&o, argc, argv);
		_exit(77);
	}
	close(out[1]);
	close(err[1]);
	read_all(out[0], r->out, sizeof r->out);
	read_all(err[0], r->err, sizeof r->err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	r->exit_code = WEXITSTATUS(status) == 77 ? -1 : WEXITSTATUS(status);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
	    {"", "at least one subnet expected"},
	    {"-v", "at least one subnet expected"},
	    {"-r host", "at least one subnet expected"},
	    {"-r host -x 10.0.0.0/8", "at least one subnet expected"},
	    {"-r host nonsense/129", "'nonsense/129'"},
	    {"-r host 10.0.0.0/33", "'10.0.0.0/33'"},
	    {"-r host 10.0.0.0/8 10.0.0.1:0", "'10.0.0.1:0'"},
	    {"-r host -x 10.0.0.0/33 0/0", "'10.0.0.0/33'"},
	    {"-r host ''", "''"},
	    {"-r -oProxyCommand=x 0/0", "-oProxyCommand=x"},
	    {"-r user:pass@host 0/0", "password"},
	    {"-r host:0 0/0", "'host:0'"},
	    {"-r", "requires an argument"},
	    {"-l 80 0/0", "'80'"},
	    {"-l ::1 0/0", "brackets"},
	    {"-e '' 0/0", "-e"},
	    {"-e 'ssh 0/0", "quote is not closed"},
	    {"--method nat 0/0", "choose auto or nft"},
	    {"--method '' 0/0", "choose auto or nft"},
	    {"--scope all 0/0", "choose auto, own or system"},
	    {"--nonsense 0/0", "--nonsense"},
	    {"-Z 0/0", "'Z'"},
	    {"--verbose=3 0/0", "--verbose"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result r;

		run(rows[i].line, &r);
		if (r.exit_code != EXIT_BAD_USAGE)
			fail_msg("'%s': %d", rows[i].line, r.exit_code);
		if (strstr(r.err, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].line, r.err);
		/* One line, and it says who speaks. */
		assert_memory_equal(r.err, "sshuttle-proxy: ", 16);
		assert_ptr_equal(strchr(r.err, '\n'), r.err + strlen(r.err) - 1);
		assert_string_equal(r.out, "");
	}
}

/* What a terminal would obey does not reach it. */
static void
test_escaped(void **state)
{
	struct result r;

	(void)state;
	run("-r host 10.0.0.0/\033[2J", &r);
	assert_int_equal(r.exit_code, EXIT_BAD_USAGE);
	assert_null(strchr(r.err, '\033'));
	assert_non_null(strstr(r.err, "\\x1b"));
}

static void
test_help_and_version(void **state)
{
	static const char *const options[] = {"--remote", "--exclude", "--listen", "--ssh-cmd",
	    "--method", "--scope", "--verbose", "--version", "--help"};
	struct result r;

	(void)state;
	run("--help", &r);
	assert_int_equal(r.exit_code, 0);
	assert_string_equal(r.err, "");
	for (size_t i = 0; i < COUNT(options); i++)
		assert_non_null(strstr(r.out, options[i]));
	run("-h 10.0.0.0/99", &r);
	assert_int_equal(r.exit_code, 0);
	run("--version", &r);
	assert_int_equal(r.exit_code, 0);
	assert_string_equal(r.out, VERSION "\n");
	run("-V", &r);
	assert_string_equal(r.out, VERSION "\n");
}

static void
parse(struct options *o, const char *line)
{
	static char copy[1024];
	static char *argv[MAX_ARGS];

	strcpy(copy, line);
	int argc = make_argv(copy, argv);
	optind = 0; /* glibc: start over */
	options_parse(o, argc, argv);
}

static void
release(struct options *o)
{
	free(o->ssh_command);
	free(o->targets);
}

static void
test_all(void **state)
{
	struct options o;

	(void)state;
	parse(&o,
	    "-r user@host:2222 -vv 10.0.0.0/8 -x 10.1.0.0/16 --listen 12300,[::1]:12301 -l 12302 "
	    "--ssh-cmd ssh\t-4 --scope=own --method=nft 192.0.2.0/24:80-90 -x 10.2.0.0/16 -v "
	    "-- 198.51.100.1");
	assert_false(o.local);
	assert_string_equal(o.remote.destination, "user@host");
	assert_string_equal(o.remote.port, "2222");
	assert_int_equal(o.verbosity, 3);
	assert_int_equal(o.scope, SCOPE_OWN);
	assert_int_equal(o.listen_count, 3);
	assert_int_equal(o.listen[1].family, 6);
	assert_int_equal(o.listen[2].port, 12302);
	assert_string_equal(o.ssh_command[0], "ssh");
	assert_string_equal(o.ssh_command[1], "-4");
	assert_null(o.ssh_command[2]);
	assert_int_equal(o.target_count, 5);
	int excludes = 0;
	for (size_t i = 0; i < o.target_count; i++)
		excludes += o.targets[i].exclude;
	assert_int_equal(excludes, 2);
	release(&o);
}

static void
test_defaults(void **state)
{
	static const char *const local[] = {"0/0", "-r '' 0/0", "-r - 0/0", "-r host -r - 0/0"};
	struct options o;

	(void)state;
	for (size_t i = 0; i < COUNT(local); i++) {
		parse(&o, local[i]);
		assert_true(o.local);
		release(&o);
	}
	parse(&o, "--rem host --verb 0/0"); /* abbreviated, as in sshuttle */
	assert_false(o.local);
	assert_int_equal(o.verbosity, 1);
	assert_int_equal(o.scope, SCOPE_AUTO);
	assert_int_equal(o.listen_count, 0);
	assert_string_equal(o.ssh_command[0], "ssh");
	assert_null(o.ssh_command[1]);
	release(&o);
	parse(
	    &o, "-e one -e two -r a -r b -vvvvvvvvv 0/0"); /* the last one counts; -v is bounded */
	assert_string_equal(o.ssh_command[0], "two");
	assert_string_equal(o.remote.destination, "b");
	assert_int_equal(o.verbosity, 3);
	release(&o);
}

static void
test_many_targets(void **state)
{
	struct options o;
	char *argv[1003];

	(void)state;
	argv[0] = "sshuttle-proxy";
	for (int i = 1; i <= 1001; i++)
		argv[i] = i % 2 ? "10.0.0.0/8" : "-x10.1.0.0/16";
	argv[1002] = NULL;
	optind = 0;
	options_parse(&o, 1002, argv);
	assert_int_equal(o.target_count, 1001);
	release(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_escaped),
	    cmocka_unit_test(test_help_and_version),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
