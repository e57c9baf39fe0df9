/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>

/* True for --scope=system, false for --scope=own; anything else ends the program. */
bool args_scope(int argc, char *const argv[]);

#endif
