/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lane, inwards: every row of the frame table against a second table that is written here by
 * hand, and DATA cut anywhere by real reads from a real pipe.
 */
#include "unit.h"

#include "lane.h"

static struct lane lane;
static int in[2], out[2];

static int
setup(void **state)
{
	(void)state;
	unit_pipe(in, 1024 * 1024);
	unit_pipe(out, 0);
	return lane_init(&lane, in[0], out[1], FRAME_SIDE_CLIENT);
}

static int
teardown(void **state)
{
	(void)state;
	lane_free(&lane);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	return 0;
}

/* As frame.h says, but said again. from: 1 client, 2 server. */
static const struct rule {
	unsigned from;
	bool stream;
	uint32_t least, most;
} rules[256] = {
    [1] = {1 | 2, false, 32, 32},
    [2] = {1, true, 20, 20},
    [3] = {2, true, 0, 0},
    [4] = {1 | 2, true, 9, 8 + 262144},
    [5] = {1 | 2, true, 8, 8},
    [6] = {1 | 2, true, 4, 4},
    [7] = {1 | 2, true, 8, 8},
    [8] = {1 | 2, false, 16, 16},
};

static const char *
verdict(unsigned type, unsigned from, uint32_t len, uint32_t stream)
{
	const struct rule *r = &rules[type];

	if (r->from == 0)
		return "unknown frame type";
	if ((r->from & from) == 0)
		return "frame type that the other side may not send";
	if (len < r->least || len > r->most)
		return "frame of illegal length";
	if (r->stream == (stream == 0))
		return "frame with an illegal stream number";
	return NULL;
}

/* A fresh reading state, so that one lane serves thousands of tries. */
static void
forget_input(enum frame_side peer)
{
	lane.in_start = lane.in_end = 0;
	lane.in_data = false;
	lane.why = NULL;
	lane.peer = peer;
}

/* The header alone decides: nothing of the payload has come. */
static void
try_header(unsigned type, enum frame_side from, uint32_t len, uint32_t stream)
{
	uint8_t header[FRAME_HEADER];
	struct lane_piece p;
	const char *want = verdict(type, from, len, stream);

	forget_input(from);
	unit_frame(header, type, stream, len);
	unit_write(in[1], header, sizeof header);
	assert_int_equal(lane_read(&lane), FRAME_HEADER);
	int r = lane_next(&lane, &p);
	if (want != NULL) {
		assert_int_equal(r, -1);
		assert_string_equal(lane.why, want);
	} else {
		assert_int_equal(r, len == 0);
	}
}

static void
test_table(void **state)
{
	static const uint32_t lengths[] = {0, 1, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 19, 20, 21, 31,
	    32, 33, 65536, 8 + 262144, 9 + 262144, 0xffffff};

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (size_t i = 0; i < COUNT(lengths); i++) {
			for (uint32_t side = 1; side <= 2; side++) {
				try_header(type, (enum frame_side)side, lengths[i], 0);
				try_header(type, (enum frame_side)side, lengths[i], 1);
				try_header(type, (enum frame_side)side, lengths[i], UINT32_MAX);
			}
		}
	}
}

/* ---- pieces ---- */

enum { SENT_MAX = 3 * 1024 * 1024 };

struct sent {
	uint8_t *bytes;
	size_t len;
	uint64_t offset[8]; /* of each stream */
	uint64_t got[8];
	unsigned controls, controls_got;
};

static void
add_data(struct sent *s, uint32_t stream, size_t len)
{
	uint8_t *p = unit_frame(s->bytes + s->len, FRAME_DATA, stream, 8 + len);

	p = wire_put_u64(p, s->offset[stream]);
	for (size_t i = 0; i < len; i++)
		p[i] = unit_byte(stream, s->offset[stream]++);
	s->len = (size_t)(p + len - s->bytes);
}

static void
add_control(struct sent *s, uint32_t stream)
{
	uint8_t *p = unit_frame(s->bytes + s->len, FRAME_CREDIT, stream, 8);

	p = wire_put_u64(p, ++s->controls);
	s->len = (size_t)(p - s->bytes);
}

static void
check_piece(struct sent *s, const struct lane_piece *p)
{
	assert_in_range(p->stream, 1, 7);
	assert_true(p->len > 0);
	if (p->type == FRAME_CREDIT) {
		struct wire w;
		wire_init(&w, p->data, p->len);
		assert_true(wire_u64(&w) == ++s->controls_got);
		assert_true(wire_done(&w));
		return;
	}
	assert_int_equal(p->type, FRAME_DATA);
	assert_true(p->offset == s->got[p->stream]);
	for (size_t i = 0; i < p->len; i++)
		if (p->data[i] != unit_byte(p->stream, s->got[p->stream] + i))
			fail_msg("wrong byte");
	s->got[p->stream] += p->len;
}

/* Send all of it in steps of at most step bytes, and check what comes out. */
static void
feed(struct sent *s, uint64_t *seed, size_t step)
{
	struct lane_piece p;
	size_t at = 0;
	int r;

	while (at < s->len) {
		size_t n = step == 1 ? 1 : unit_random(seed) % step + 1;

		if (n > s->len - at)
			n = s->len - at;
		unit_write(in[1], s->bytes + at, n);
		at += n;
		assert_true(lane_read(&lane) > 0);
		while ((r = lane_next(&lane, &p)) == 1)
			check_piece(s, &p);
		assert_int_equal(r, 0);
	}
	while (lane_read(&lane) > 0)
		while (lane_next(&lane, &p) == 1)
			check_piece(s, &p);
}

static void
expect_all(const struct sent *s)
{
	for (uint32_t i = 1; i < 8; i++)
		assert_true(s->got[i] == s->offset[i]);
	assert_int_equal(s->controls_got, s->controls);
	assert_int_equal(lane.in_start, lane.in_end);
}

static void
test_pieces(void **state)
{
	static const size_t steps[] = {1, 2, 13, 21, 100, 5000, 100000, 700000};
	uint64_t seed = 21, total = 0;
	struct sent s = {.bytes = malloc(SENT_MAX)};

	(void)state;
	assert_non_null(s.bytes);
	for (size_t i = 0; i < COUNT(steps); i++) {
		size_t most = steps[i] < 1000 ? 300 : FRAME_DATA_MAX;

		s.len = 0;
		for (int frame = 0; frame < (most == 300 ? 200 : 10); frame++) {
			add_data(&s, (uint32_t)(unit_random(&seed) % 7 + 1),
			    unit_random(&seed) % most + 1);
			if (unit_random(&seed) % 2)
				add_control(&s, 1);
		}
		feed(&s, &seed, steps[i]);
		expect_all(&s);
		total += s.len;
		assert_true(lane.processed == total);
	}
	free(s.bytes);
}

/* Before a whole control frame has come, nothing is handed out and nothing counts. */
static void
test_control_is_whole(void **state)
{
	uint8_t bytes[64];
	struct sent s = {.bytes = bytes};
	struct lane_piece p;

	(void)state;
	add_control(&s, 1);
	for (size_t i = 0; i + 1 < s.len; i++) {
		unit_write(in[1], bytes + i, 1);
		assert_int_equal(lane_read(&lane), 1);
		assert_int_equal(lane_next(&lane, &p), 0);
		assert_true(lane.processed == 0);
	}
	unit_write(in[1], bytes + s.len - 1, 1);
	assert_int_equal(lane_read(&lane), 1);
	assert_int_equal(lane_next(&lane, &p), 1);
	check_piece(&s, &p);
}

static void
test_preload(void **state)
{
	static uint8_t much[LANE_IN_SIZE + 1];
	struct sent s = {.bytes = malloc(SENT_MAX)};
	struct lane_piece p;

	(void)state;
	assert_non_null(s.bytes);
	add_data(&s, 1, 1000);
	add_control(&s, 2);
	assert_int_equal(lane_preload(&lane, s.bytes, 500), 0);
	while (lane_next(&lane, &p) == 1)
		check_piece(&s, &p);
	assert_true(s.got[1] == 480);
	unit_write(in[1], s.bytes + 500, s.len - 500);
	while (lane_read(&lane) > 0)
		while (lane_next(&lane, &p) == 1)
			check_piece(&s, &p);
	expect_all(&s);
	assert_int_equal(lane_preload(&lane, much, sizeof much), -1);
	free(s.bytes);
}

static void
test_end_of_file(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(lane_read(&lane), -1);
	assert_int_equal(errno, EAGAIN);
	close(in[1]);
	assert_int_equal(lane_read(&lane), 0);
	in[1] = dup(in[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_table),
	    TEST(test_pieces),
	    TEST(test_control_is_whole),
	    TEST(test_preload),
	    TEST(test_end_of_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
