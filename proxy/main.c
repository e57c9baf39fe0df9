/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sshuttle-proxy: the program that users start. It is the supervisor, and, started again by
 * itself under the name ENGINE_NAME, the engine.
 */
#include <string.h>

#include "engine.h"
#include "log.h"
#include "options.h"
#include "plan.h"
#include "supervisor.h"

int
main(int argc, char **argv)
{
	struct options options;
	struct plan plan;

	if (argc == 1 && strcmp(argv[0], ENGINE_NAME) == 0)
		return engine_main();

	options_parse(&options, argc, argv);
	log_init("c : ", options.verbosity);
	log_verbose("Starting sshuttle proxy (version %s).", VERSION);
	plan_make(&plan, &options);
	return supervisor_run(&options, &plan);
}
