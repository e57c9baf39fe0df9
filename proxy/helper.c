/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to sshuttle-fwhelper; see helper.h. How it is started is in helper_start.c. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"
#include "log.h"
#include "record.h"

enum { REPLY_TIMEOUT_MS = 20000, STOP_TIMEOUT_MS = 3000, SUDO_TIMEOUT_MS = 500 };

static int
receive_reply(struct helper *h, const struct fw_header *sent, struct fw_reply *r, int *fd)
{
	struct pollfd p = {.fd = h->sock, .events = POLLIN};

	if (poll(&p, 1, REPLY_TIMEOUT_MS) == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	ssize_t n = record_recv(h->sock, r, sizeof *r, fd);
	if (n == -1)
		return -1;
	if (n != sizeof *r || r->op != sent->op || r->seq != sent->seq) {
		errno = EPIPE;
		return -1;
	}
	if (r->error != 0) {
		errno = r->error;
		return -1;
	}
	return 0;
}

static int
send_request(struct helper *h, enum fw_op op, struct fw_header *m, size_t size)
{
	*m = (struct fw_header){.op = (uint16_t)op, .seq = ++h->seq};
	return record_send(h->sock, m, size, -1);
}

static int
call(struct helper *h, enum fw_op op, struct fw_header *m, size_t size, struct fw_reply *r, int *fd)
{
	memset(r, 0, sizeof *r);
	if (send_request(h, op, m, size) == -1)
		return -1;
	return receive_reply(h, m, r, fd);
}

int
helper_send_hello(struct helper *h, uint32_t flags)
{
	struct fw_hello m = {.version = FW_VERSION, .method = FW_METHOD_NFT, .flags = flags};

	return send_request(h, FW_OP_hello, &m.h, sizeof m);
}

int
helper_receive_hello(struct helper *h, struct fw_reply *r)
{
	const struct fw_header sent = {.op = FW_OP_hello, .seq = h->seq};

	return receive_reply(h, &sent, r, NULL);
}

#define X(name, number, legal, then)                                                 \
	int helper_##name(struct helper *h, struct fw_##name *m, struct fw_reply *r) \
	{                                                                            \
		return call(h, FW_OP_##name, &m->h, sizeof *m, r, NULL);             \
	}
FW_OPS(X)
#undef X

int
helper_listen_fd(struct helper *h, struct fw_listen *m, struct fw_reply *r, int *fd)
{
	*fd = -1;
	if (call(h, FW_OP_listen, &m->h, sizeof *m, r, fd) == -1)
		return -1;
	if (*fd == -1) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}

const char *
helper_reason(uint32_t why)
{
	static const char *const texts[] = {
#define X(name, text) [FW_WHY_##name] = text,
	    FW_REASONS(X)
#undef X
	};

	return why < sizeof texts / sizeof *texts ? texts[why] : texts[FW_WHY_NONE];
}

void
helper_show_errors(struct helper *h)
{
	char text[2048];

	if (h->errors == -1)
		return;
	ssize_t n = read(h->errors, text, sizeof text - 1);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(h->errors);
		h->errors = -1;
		return;
	}
	text[n] = '\0';
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		log_notice("fw: %s", line);
}

void
helper_stop(struct helper *h)
{
	struct pollfd end = {.fd = h->sock};

	if (h->sock == -1)
		return;
	/* Our half of the door closes; when the other half does, the rules are gone. */
	(void)shutdown(h->sock, SHUT_WR); /* fails if it is gone already */
	if (poll(&end, 1, STOP_TIMEOUT_MS) == 0)
		log_warn("sshuttle-fwhelper has not ended yet; its rules go when it does");
	close(h->sock);
	h->sock = -1;
	(void)child_wait(&h->child, SUDO_TIMEOUT_MS); /* it may be root's: it cannot be hurried */
	helper_show_errors(h);
}
