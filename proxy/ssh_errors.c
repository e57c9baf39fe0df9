/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relays ssh's stderr; see ssh_errors.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ssh_errors.h"

enum { LINES_PER_SECOND = 100, READS_PER_WAKEUP = 8, SECOND_US = 1000000 };

static bool
may_show(struct ssh_errors *e)
{
	if (e->loop->now - e->window >= SECOND_US) {
		if (e->dropped > 0)
			log_warn("%u lines from ssh were too many and are left out", e->dropped);
		e->window = e->loop->now;
		e->lines = e->dropped = 0;
	}
	if (e->lines < LINES_PER_SECOND) {
		e->lines++;
		return true;
	}
	e->dropped++;
	return false;
}

static void
end_line(struct ssh_errors *e)
{
	while (e->len > 0 && e->line[e->len - 1] == '\r')
		e->len--;
	if (e->len > 0 && may_show(e))
		log_foreign(e->line, e->len);
	e->len = 0;
}

static void
take(struct ssh_errors *e, const char *untrusted, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (untrusted[i] == '\n')
			end_line(e);
		else if (e->len < sizeof e->line)
			e->line[e->len++] = untrusted[i];
	}
}

void
ssh_errors_drain(struct ssh_errors *e)
{
	char buf[4096];

	for (int i = 0; i < READS_PER_WAKEUP && e->io.fd != -1; i++) {
		ssize_t n = read(e->io.fd, buf, sizeof buf);

		if (n > 0) {
			take(e, buf, (size_t)n);
			continue;
		}
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		end_line(e);
		close(e->io.fd);
		e->io.fd = -1;
	}
}

static void
errors_ready(struct loop_fd *f, uint32_t events)
{
	(void)events;
	ssh_errors_drain((struct ssh_errors *)((char *)f - offsetof(struct ssh_errors, io)));
}

int
ssh_errors_start(struct ssh_errors *e, struct loop *loop, int fd)
{
	*e = (struct ssh_errors){.loop = loop, .io = {.fd = fd, .ready = errors_ready}};
	return loop_add(loop, &e->io, EPOLLIN);
}
