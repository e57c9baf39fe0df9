/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load generator and the servers of `make bench`: as little work per byte as possible, so
 * that what is measured is the tunnel. Every measurement prints one number.
 *
 *   load serve PORT                  for ever: a byte 'd' asks for data without end, 'u' announces
 *                                    data without end, 's' + 99 bytes get 1000 bytes and a close
 *   load down ADDR PORT SECONDS      bytes per second
 *   load up ADDR PORT SECONDS        bytes per second, as acknowledged by the far end
 *   load short ADDR PORT SECONDS N   finished connections per second, N at a time
 *   load hold ADDR PORT COUNT        opens COUNT connections, prints how many stand, waits for EOF
 *                                    on stdin
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, REQUEST = 100, ANSWER = 1000 };
static char chunk[CHUNK];

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static socklen_t
parse_address(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	in_port_t number = htons((uint16_t)atoi(port));
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		fail(text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = number;
	return sizeof *v6;
}

/* ---- server ---- */

static void *
serve_up(void *arg)
{
	int fd = (int)(intptr_t)arg;
	uint64_t got = 0;
	double last = now();
	ssize_t n;
	while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0) {
		got += (uint64_t)n;
		if (now() - last > 0.05) { /* tell the sender how much has arrived */
			last = now();
			if (send(fd, &got, sizeof got, MSG_NOSIGNAL) != sizeof got)
				break;
		}
	}
	close(fd);
	return NULL;
}

static void *
serve_down(void *arg)
{
	int fd = (int)(intptr_t)arg;
	while (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) > 0)
		;
	close(fd);
	return NULL;
}

/* One readable connection: small ones are served here, bulk gets a thread of its own. */
static void
serve_readable(int ep, int fd)
{
	char request[REQUEST];
	pthread_t thread;
	ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);
	if (n == REQUEST && request[0] == 's') {
		/* The answer and the end in one segment, as servers do that know its length. */
		(void)send(fd, chunk, ANSWER, MSG_NOSIGNAL | MSG_MORE);
		close(fd);
		return;
	}
	if (n > 0 && (request[0] == 'd' || request[0] == 'u')) {
		(void)epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
		if (pthread_create(&thread, NULL, request[0] == 'u' ? serve_up : serve_down,
			(void *)(intptr_t)fd) != 0)
			fail("thread");
		pthread_detach(thread);
		return;
	}
	if (n > 0 && request[0] == 'h') {
		(void)send(fd, "h", 1, MSG_NOSIGNAL);
		return;
	}
	if (n == -1 && errno == EAGAIN)
		return;
	close(fd); /* its end, or a request in pieces: not of our kind */
}

static void
serve(const char *port)
{
	struct sockaddr_storage any;
	struct epoll_event ev = {.events = EPOLLIN}, events[64];
	socklen_t len = parse_address("::", port, &any);
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM, 0), ep = epoll_create1(0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	ev.data.fd = fd;
	if (bind(fd, (struct sockaddr *)&any, len) != 0 || listen(fd, 4096) != 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		fail("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != fd) {
				serve_readable(ep, events[i].data.fd);
				continue;
			}
			ev.data.fd = accept(fd, NULL, NULL);
			if (ev.data.fd >= 0)
				(void)epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
		}
	}
}

/* ---- client ---- */

static struct sockaddr_storage peer;
static socklen_t peer_len;

static int
dial(int flags)
{
	int fd = socket(peer.ss_family, SOCK_STREAM | flags, 0);
	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&peer, peer_len) != 0 && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

/* The first second is not counted: windows open, processors wake up. */
enum { WARM_UP = 1 };

static void
down(double seconds)
{
	int fd = dial(0);
	if (send(fd, "d", 1, 0) != 1)
		fail("send");
	double start = now(), from = 0;
	uint64_t got = 0;
	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof chunk, 0);
		double t = now() - start;
		if (n <= 0)
			fail("recv");
		if (t < WARM_UP)
			continue;
		if (from == 0.0)
			from = t;
		got += (uint64_t)n;
		if (t >= WARM_UP + seconds) {
			printf("%.0f\n", (double)got / (t - from));
			return;
		}
	}
}

static void *
pour(void *arg)
{
	int fd = (int)(intptr_t)arg;
	while (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void
up(double seconds)
{
	int fd = dial(0);
	pthread_t thread;
	if (send(fd, "u", 1, 0) != 1 ||
	    pthread_create(&thread, NULL, pour, (void *)(intptr_t)fd) != 0)
		fail("send");
	double start = now(), from = 0;
	uint64_t first = 0, got = 0;
	for (;;) {
		if (recv(fd, &got, sizeof got, MSG_WAITALL) != sizeof got)
			fail("recv");
		double t = now() - start;
		if (t >= WARM_UP && from == 0.0) {
			from = t;
			first = got;
		}
		if (t >= WARM_UP + seconds) {
			printf("%.0f\n", (double)(got - first) / (t - from));
			return;
		}
	}
}

struct conn {
	int fd;
	unsigned got;
	int asked;
};

static void
short_start(int ep, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	c->fd = dial(SOCK_NONBLOCK);
	c->got = 0;
	c->asked = 0;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		fail("epoll_ctl");
}

/* Returns 1 when the connection has ended: whole, or not. */
static int
short_step(struct conn *c, unsigned *whole)
{
	char buf[2 * ANSWER];
	ssize_t n;
	if (!c->asked) {
		memset(buf, 's', REQUEST);
		c->asked = 1;
		if (send(c->fd, buf, REQUEST, MSG_NOSIGNAL) != REQUEST)
			return 1;
		return 0;
	}
	while ((n = recv(c->fd, buf, sizeof buf, 0)) > 0)
		c->got += (unsigned)n;
	if (n < 0 && errno == EAGAIN)
		return 0;
	*whole += n == 0 && c->got == ANSWER;
	return 1;
}

static void
shorts(double seconds, int count)
{
	int ep = epoll_create1(0);
	struct conn *conns = calloc((size_t)count, sizeof *conns);
	struct epoll_event events[64];
	unsigned whole = 0, ended = 0, before = 0;
	double start = now(), from = 0;
	for (int i = 0; i < count; i++)
		short_start(ep, &conns[i]);
	for (;;) {
		int n = epoll_wait(ep, events, 64, 1000);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!short_step(c, &whole))
				continue;
			close(c->fd);
			ended++;
			short_start(ep, c);
		}
		double t = now() - start;
		if (t >= WARM_UP && from == 0.0) {
			from = t;
			before = whole;
		}
		if (t >= WARM_UP + seconds) {
			if (ended != whole)
				fprintf(
				    stderr, "%u of %u connections failed\n", ended - whole, ended);
			printf("%.1f\n", (whole - before) / (t - from));
			return;
		}
	}
}

static void
hold(int count)
{
	int *fds = calloc((size_t)count, sizeof *fds), stand = 0;
	char byte;
	for (int i = 0; i < count; i++) {
		fds[i] = dial(0);
		if (send(fds[i], "h", 1, MSG_NOSIGNAL) != 1)
			fail("send");
	}
	for (int i = 0; i < count; i++)
		stand += recv(fds[i], &byte, 1, 0) == 1;
	printf("%d\n", stand);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

int
main(int argc, char **argv)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc < 5)
		return 2;
	peer_len = parse_address(argv[2], argv[3], &peer);
	if (strcmp(argv[1], "down") == 0)
		down(atof(argv[4]));
	else if (strcmp(argv[1], "up") == 0)
		up(atof(argv[4]));
	else if (strcmp(argv[1], "short") == 0 && argc == 6)
		shorts(atof(argv[4]), atoi(argv[5]));
	else if (strcmp(argv[1], "hold") == 0)
		hold(atoi(argv[4]));
	else
		return 2;
	return 0;
}
