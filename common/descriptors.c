/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many descriptors there are to use; see descriptors.h. */
#include <sys/resource.h>

#include "descriptors.h"

enum {
	SPARE = 16,
	ENOUGH = 65536, /* more than there are streams; a huge limit makes a huge table */
};

uint32_t
descriptors_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 1;
	r.rlim_cur = r.rlim_max < ENOUGH ? r.rlim_max : ENOUGH;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* what counts is read back */
	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur <= SPARE)
		return 1;
	return r.rlim_cur < ENOUGH ? (uint32_t)r.rlim_cur - SPARE : ENOUGH - SPARE;
}
