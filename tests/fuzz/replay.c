/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds every file of the directories on the command line to a fuzz target, so that what a
 * fuzzer once found is tried in every test run, with any compiler.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
replay_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		perror(name);
		exit(1);
	}
	size_t len = (size_t)st.st_size;
	/* Exactly the size: the sanitizer sees the first byte that is read behind it. */
	uint8_t *data = malloc(len ? len : 1);
	if (data == NULL || read(fd, data, len) != (ssize_t)len) {
		perror(name);
		exit(1);
	}
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
	close(fd);
}

static unsigned
replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		exit(1);
	}
	unsigned count = 0;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		replay_file(dirfd(dir), entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%s: %s: %u inputs\n", argv[0], argv[i], replay_dir(argv[i]));
	return 0;
}
