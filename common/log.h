/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

/*
 * One line of text to stderr, nothing else. No stdio, no allocation, so that sandboxed and root
 * code can use it. Every byte that is not printable ASCII leaves escaped as
 * \xNN: text from a server cannot drive the user's terminal.
 */

enum log_level {
	LOG_LEVEL_ERROR = 0,   /* always shown */
	LOG_LEVEL_VERBOSE = 1, /* -v */
	LOG_LEVEL_DEBUG = 2,   /* -vv */
	LOG_LEVEL_TRACE = 3,   /* -vvv */
};

/* Set the prefix ("c : ") and the highest level shown. prefix must outlive the program. */
void log_init(const char *prefix, int level);
int log_level(void);

__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
/* The error that ends the program, once it has cleaned up. */
__attribute__((format(printf, 1, 2))) void log_fatal(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *fmt, ...);
/* Always shown, like an error, but no complaint: "Connected to server." */
__attribute__((format(printf, 1, 2))) void log_notice(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_verbose(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *fmt, ...);

/* A line that somebody else wrote (ssh, the remote side), escaped, without our prefix. */
void log_foreign(const char *untrusted, size_t len);

/*
 * die: the world or the peer failed us. Prints "fatal: ..." and leaves with _exit(code).
 * bug: we failed. Prints file and line and aborts.
 */
__attribute__((noreturn, format(printf, 2, 3))) void die(int code, const char *fmt, ...);
__attribute__((noreturn)) void log_bug(const char *file, int line, const char *what);
#define bug(what) log_bug(__FILE__, __LINE__, what)

#endif
