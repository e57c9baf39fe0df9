/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sshuttle-proxy: the program that users start. It is the supervisor, and, started again by
 * itself under the name ENGINE_NAME, the engine.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "log.h"
#include "options.h"
#include "plan.h"
#include "supervisor.h"

/* A caller may have closed 0, 1 or 2: nothing of ours may take their numbers. */
static void
open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct plan plan;

	open_standard_descriptors();
	if (argc == 1 && strcmp(argv[0], ENGINE_NAME) == 0)
		return engine_main();

	options_parse(&options, argc, argv);
	log_init("c : ", options.verbosity);
	log_verbose("Starting sshuttle proxy (version %s).", VERSION);
	plan_make(&plan, &options);
	return supervisor_run(&options, &plan);
}
