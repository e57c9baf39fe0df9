/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

/*
 * Before there are frames: sshuttle-remote is written to ssh, and what comes back is searched for
 * the mark with which it answers. Login scripts may print in front of that, up to a limit. Pure:
 * bytes in, verdict out; the engine does the reading and writing.
 */
enum {
	BOOTSTRAP_NOISE_MAX = 32 * 1024, /* less than what an echo of the upload would be */
	BOOTSTRAP_NOISE_KEPT = 160,      /* shown when the mark never comes */
	BOOTSTRAP_MARK = FRAME_SYNC_LEN + FRAME_NONCE,
};

struct bootstrap {
	uint8_t mark[BOOTSTRAP_MARK];
	size_t matched;                      /* of the mark, at the end of what was seen */
	size_t noise;                        /* bytes seen that were not the mark */
	char kept[BOOTSTRAP_NOISE_KEPT + 1]; /* the first of them, untrusted text */
};

enum bootstrap_verdict { BOOTSTRAP_MORE, BOOTSTRAP_FOUND, BOOTSTRAP_TOO_MUCH };

void bootstrap_init(struct bootstrap *b, const char nonce[FRAME_NONCE]);
/* Look at the next bytes. On BOOTSTRAP_FOUND *used is how many came up to the mark's end. */
enum bootstrap_verdict bootstrap_take(
    struct bootstrap *b, const uint8_t *untrusted, size_t len, size_t *used);

#endif
