/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounds-checked cursor over bytes from outside: the only reader of the tunnel's wire format.
 * A read past the end yields 0 and marks the cursor bad; after the last field ask wire_done().
 * All integers are big endian.
 */
struct wire {
	const uint8_t *at;
	size_t left;
	bool bad;
};

void wire_init(struct wire *w, const void *data, size_t len);
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u32(struct wire *w);
uint64_t wire_u64(struct wire *w);
/* Copy len bytes to out; zeros when they are not there. */
void wire_bytes(struct wire *w, void *out, size_t len);
/* True if every field was there and nothing is left over. */
bool wire_done(const struct wire *w);

/* The writers fill a buffer that the caller has sized; each returns the byte behind its field. */
uint8_t *wire_put_u8(uint8_t *p, uint8_t v);
uint8_t *wire_put_u16(uint8_t *p, uint16_t v);
uint8_t *wire_put_u32(uint8_t *p, uint32_t v);
uint8_t *wire_put_u64(uint8_t *p, uint64_t v);
uint8_t *wire_put_bytes(uint8_t *p, const void *data, size_t len);

#endif
