/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit trail; see audit.h. Not syslog(3): that reconnects, and reads the time zone's file. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit.h"

enum {
	AUTHPRIV_NOTICE = 10 * 8 + 5, /* RFC 3164 4.1.1 */
	MAX_DENIALS = 20,
	LINE_SIZE = 256,
};

__attribute__((format(printf, 2, 3))) static void
line(const struct session *s, const char *fmt, ...)
{
	char text[LINE_SIZE];
	va_list ap;

	if (s->audit_fd == -1)
		return;
	int n = snprintf(text, sizeof text, "<%d>sshuttle-fwhelper[%d]: uid=%u scope=%s ",
	    AUTHPRIV_NOTICE, s->own_pid, s->caller_uid, s->system_scope ? "system" : "own");
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	va_end(ap);
	(void)send(s->audit_fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
audit_open(struct session *s)
{
	static const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1 && connect(fd, (const struct sockaddr *)&log, sizeof log) == -1) {
		close(fd);
		fd = -1;
	}
	s->audit_fd = fd;
}

void
audit_start(struct session *s)
{
	line(s, "ev=start pid=%d", s->caller_pid);
}

void
audit_commit(struct session *s)
{
	line(s, "ev=commit table=%s owned=%d nets=%u includes=%u excepts=%u listeners=%u", s->table,
	    s->table_owned, s->net_count, s->include_count, s->except_count, s->listener_count);
}

void
audit_deny(struct session *s, const char *what, unsigned why)
{
	if (s->denials++ < MAX_DENIALS)
		line(s, "ev=deny what=%s why=%u", what, why);
}

void
audit_end(struct session *s, const char *cause)
{
	line(s, "ev=end cause=%s denials=%u", cause, s->denials);
}
