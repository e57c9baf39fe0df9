/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cursor that reads, and the writers that make, the tunnel's bytes; see wire.h. */
#include <string.h>

#include "wire.h"

void
wire_init(struct wire *w, const void *data, size_t len)
{
	w->at = data;
	w->left = len;
	w->bad = false;
}

static uint64_t
get(struct wire *w, size_t n)
{
	uint64_t v = 0;

	if (w->bad || w->left < n) {
		w->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | w->at[i];
	w->at += n;
	w->left -= n;
	return v;
}

uint8_t
wire_u8(struct wire *w)
{
	return (uint8_t)get(w, 1);
}

uint16_t
wire_u16(struct wire *w)
{
	return (uint16_t)get(w, 2);
}

uint32_t
wire_u32(struct wire *w)
{
	return (uint32_t)get(w, 4);
}

uint64_t
wire_u64(struct wire *w)
{
	return get(w, 8);
}

void
wire_bytes(struct wire *w, void *out, size_t len)
{
	if (w->bad || w->left < len) {
		w->bad = true;
		memset(out, 0, len);
		return;
	}
	memcpy(out, w->at, len);
	w->at += len;
	w->left -= len;
}

bool
wire_done(const struct wire *w)
{
	return !w->bad && w->left == 0;
}

static uint8_t *
put(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		p[i] = (uint8_t)v;
		v >>= 8;
	}
	return p + n;
}

uint8_t *
wire_put_u8(uint8_t *p, uint8_t v)
{
	return put(p, v, 1);
}

uint8_t *
wire_put_u16(uint8_t *p, uint16_t v)
{
	return put(p, v, 2);
}

uint8_t *
wire_put_u32(uint8_t *p, uint32_t v)
{
	return put(p, v, 4);
}

uint8_t *
wire_put_u64(uint8_t *p, uint64_t v)
{
	return put(p, v, 8);
}

uint8_t *
wire_put_bytes(uint8_t *p, const void *data, size_t len)
{
	memcpy(p, data, len);
	return p + len;
}
