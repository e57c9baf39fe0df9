/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is asking. The only evidence is what the kernel noted when the socket pair was made; an
 * environment is never believed. But sudo and pkexec tell in it who started them, and that may
 * contradict: if A passed in a socket made by root, "own scope" would mean root's traffic. So
 * their values can only lead to a refusal, never to another identity.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "caller.h"
#include "log.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static const char *
door_kind(void)
{
	static const struct {
		mode_t type;
		const char *name;
	} kinds[] = {
	    {S_IFIFO, "a pipe"},
	    {S_IFCHR, "a terminal or another device"},
	    {S_IFREG, "a file"},
	    {S_IFSOCK, "a socket of another kind"},
	    {S_IFDIR, "a directory"},
	};
	struct stat st;

	if (fstat(DOOR, &st) == -1)
		return "closed";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if ((st.st_mode & S_IFMT) == kinds[i].type)
			return kinds[i].name;
	}
	return "something else";
}

static int
door_option(int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(DOOR, SOL_SOCKET, option, &value, &len) == -1 ? -1 : value;
}

static void
check_door(void)
{
	int flags = fcntl(DOOR, F_GETFL);

	if (door_option(SO_DOMAIN) != AF_UNIX || door_option(SO_TYPE) != SOCK_SEQPACKET)
		die(EXIT_NO_SOCKET,
		    "standard input is %s, not the socket that sshuttle-proxy makes; "
		    "if sudo logs input, switch that off for this command with "
		    "Defaults!" LIBEXECDIR "/sshuttle-fwhelper !log_input, !log_stdin",
		    door_kind());
	if (flags == -1 || fcntl(DOOR, F_SETFL, flags | O_NONBLOCK) == -1)
		die(EXIT_NO_SOCKET, "cannot use the socket: %s", strerror(errno));
}

static bool
differs(const struct launcher_value *v, const char *text)
{
	return v->set && strcmp(v->text, text) != 0;
}

static void
check_launcher(struct session *s)
{
	char uid[16];

	(void)snprintf(uid, sizeof uid, "%u", s->caller_uid);
	if (!differs(&s->sudo_uid, uid) && !differs(&s->pkexec_uid, uid) &&
	    !(differs(&s->doas_user, "root") && s->caller_uid == 0))
		return;
	audit_deny(s, "launcher", FW_WHY_NONE);
	die(EXIT_REFUSED, "the socket was made by uid %s, but another user started this", uid);
}

/* Ready to read when the peer is dead, even if a grandchild of it keeps the socket open. */
static int
open_peer_pidfd(pid_t pid)
{
	struct ucred again;
	socklen_t len = sizeof again;
	int fd = door_option(SO_PEERPIDFD);

	if (fd != -1 || pid <= 0)
		return fd;
	fd = pidfd_open(pid, 0);
	if (fd == -1)
		return -1;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, 0) == 0 && getsockopt(DOOR, SOL_SOCKET, SO_PEERCRED, &again, &len) == 0 &&
	    again.pid == pid)
		return fd;
	close(fd);
	return -1;
}

void
caller_identify(struct session *s)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getuid() != 0 || geteuid() != 0)
		die(EXIT_REFUSED, "must be started as root, by sudo, doas or pkexec");
	check_door();
	if (getsockopt(DOOR, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		die(EXIT_NO_SOCKET, "cannot tell who made the socket: %s", strerror(errno));
	if (peer.uid == (uid_t)-1)
		die(EXIT_REFUSED, "the socket's maker has no uid here");
	s->caller_uid = peer.uid;
	s->caller_pid = peer.pid;
	check_launcher(s);
	s->peer_pidfd = open_peer_pidfd(peer.pid);
}
