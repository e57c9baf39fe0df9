/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the other programs; see places.h. Never through PATH or the environment. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "places.h"

_Static_assert(PLACES_MAX >= PATH_MAX, "room for any path");

/* The directory this program is in, without a final slash. */
static int
own_directory(char *path)
{
	ssize_t n = readlink("/proc/self/exe", path, PLACES_MAX - 1);

	if (n <= 0)
		return -1;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	return 0;
}

static int
find(char *path, const char *name, bool *installed)
{
	char own[PLACES_MAX];

	*installed = false;
	if (own_directory(own) == 0 && strcmp(own, BINDIR) != 0) {
		int n = snprintf(path, PLACES_MAX, "%s/%s", own, name);
		if (n > 0 && n < PLACES_MAX && access(path, X_OK) == 0)
			return 0;
	}
	*installed = true;
	(void)snprintf(path, PLACES_MAX, "%s/%s", LIBEXECDIR, name);
	return access(path, X_OK);
}

int
places_find(char *path, const char *name)
{
	bool installed;

	return find(path, name, &installed);
}

int
places_find_helper(char *path)
{
	struct stat st;
	bool installed;

	if (find(path, "sshuttle-fwhelper", &installed) == -1)
		return -1;
	if (!installed)
		return 0;
	if (stat(path, &st) == -1)
		return -1;
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
