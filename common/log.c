/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines on stderr. The one place that decides which bytes may reach a terminal; see log.h.
 * A line that cannot be written is dropped: a closed terminal must not end a tunnel.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

/* A whole line is at most PIPE_BUF long: pipe(7) takes such a write whole or not at all. */
enum { LINE_MAX_RAW = 1000, LINE_MAX_OUT = 4 * LINE_MAX_RAW + 64 };
_Static_assert(LINE_MAX_OUT <= PIPE_BUF, "a line can be written without blocking");

static const char *log_prefix = "";
static int log_max = LOG_LEVEL_ERROR;

void
log_init(const char *prefix, int level)
{
	log_prefix = prefix;
	log_max = level;
}

int
log_level(void)
{
	return log_max;
}

/* A reader that has stopped (a pager, a hung login) must not stop us: the line is dropped. */
static void
put_line(const char *line, size_t len)
{
	static const struct timespec at_once;
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (ppoll(&p, 1, &at_once, NULL) == 1 && (p.revents & POLLOUT))
		(void)!write(STDERR_FILENO, line, len);
}

__attribute__((format(printf, 2, 0))) static void
write_line(const char *kind, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_RAW], out[LINE_MAX_OUT];
	int saved = errno;
	int n = vsnprintf(raw, sizeof raw, fmt, ap);

	if (n < 0)
		return;
	int m = snprintf(out, sizeof out, "%s%s", log_prefix, kind);
	if (m < 0)
		return;
	size_t len = (size_t)m;
	len += text_escape(out + len, sizeof out - len - 1, raw, strlen(raw));
	out[len++] = '\n';
	put_line(out, len);
	errno = saved;
}

#define DEFINE_LOG(name, level, kind)      \
	void name(const char *fmt, ...)    \
	{                                  \
		va_list ap;                \
		if ((level) > log_max)     \
			return;            \
		va_start(ap, fmt);         \
		write_line(kind, fmt, ap); \
		va_end(ap);                \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR, "error: ")
DEFINE_LOG(log_fatal, LOG_LEVEL_ERROR, "fatal: ")
DEFINE_LOG(log_warn, LOG_LEVEL_ERROR, "warning: ")
DEFINE_LOG(log_notice, LOG_LEVEL_ERROR, "")
DEFINE_LOG(log_verbose, LOG_LEVEL_VERBOSE, "")
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG, "")

void
log_foreign(const char *untrusted, size_t len)
{
	char out[LINE_MAX_OUT];
	size_t n = text_escape(out, sizeof out - 1, untrusted, len);

	out[n++] = '\n';
	put_line(out, n);
}

void
die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line("fatal: ", fmt, ap);
	va_end(ap);
	_exit(code);
}

void
log_bug(const char *file, int line, const char *what)
{
	log_error("internal error at %s:%d: %s", file, line, what);
	abort();
}
