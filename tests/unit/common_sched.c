/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends next. */
#include "unit.h"

#include "sched.h"

enum { NODES = 1000 };

static void
test_empty(void **state)
{
	struct sched s;
	struct sched_node n = {0};

	(void)state;
	sched_init(&s);
	assert_true(sched_empty(&s));
	assert_null(sched_next(&s));
	sched_remove(&n); /* not queued: nothing happens */
	sched_add(&s, &n);
	sched_add(&s, &n);
	assert_false(sched_empty(&s));
	assert_ptr_equal(sched_next(&s), &n);
	assert_true(sched_empty(&s));
	assert_null(sched_next(&s));
}

static void
test_sparse_before_bulk(void **state)
{
	struct sched s;
	struct sched_node bulk[3] = {0}, sparse = {0};

	(void)state;
	sched_init(&s);
	for (int i = 0; i < 3; i++) {
		sched_charge(&bulk[i], SCHED_SPARSE + 1);
		sched_add(&s, &bulk[i]);
	}
	sched_add(&s, &sparse);
	assert_ptr_equal(sched_next(&s), &sparse);
	assert_ptr_equal(sched_next(&s), &bulk[0]);
	/* At the border it is still sparse; one byte more is bulk. */
	sched_charge(&sparse, SCHED_SPARSE);
	sched_add(&s, &sparse);
	assert_ptr_equal(sched_next(&s), &sparse);
	sched_charge(&sparse, 1);
	sched_add(&s, &sparse);
	assert_ptr_equal(sched_next(&s), &bulk[1]);
	/* Having run dry, bulk is sparse again. */
	sched_dry(&bulk[1]);
	sched_add(&s, &bulk[1]);
	assert_ptr_equal(sched_next(&s), &bulk[1]);
	assert_ptr_equal(sched_next(&s), &bulk[2]);
	assert_ptr_equal(sched_next(&s), &sparse);
}

static void
test_remove(void **state)
{
	struct sched s;
	struct sched_node n[3] = {0};

	(void)state;
	sched_init(&s);
	for (int i = 0; i < 3; i++)
		sched_add(&s, &n[i]);
	sched_remove(&n[1]);
	sched_remove(&n[1]);
	assert_ptr_equal(sched_next(&s), &n[0]);
	assert_ptr_equal(sched_next(&s), &n[2]);
	assert_true(sched_empty(&s));
}

/* A thousand that always have more: after many turns nobody is a quantum ahead of anybody. */
static void
test_fair(void **state)
{
	static struct sched_node n[NODES];
	static size_t sent[NODES];
	struct sched s;

	(void)state;
	sched_init(&s);
	for (int i = 0; i < NODES; i++)
		sched_add(&s, &n[i]);
	for (int turn = 0; turn < 20 * NODES; turn++) {
		struct sched_node *next = sched_next(&s);

		assert_non_null(next);
		sent[next - n] += SCHED_QUANTUM;
		sched_charge(next, SCHED_QUANTUM);
		sched_add(&s, next);
	}
	for (int i = 0; i < NODES; i++)
		assert_int_equal(sent[i], (size_t)20 * SCHED_QUANTUM);
}

/* Turns in which a keystroke waits behind 1000 downloads: none. */
static void
test_keystroke(void **state)
{
	static struct sched_node n[NODES];
	struct sched_node key = {0};
	struct sched s;

	(void)state;
	sched_init(&s);
	for (int i = 0; i < NODES; i++) {
		sched_charge(&n[i], SCHED_QUANTUM);
		sched_add(&s, &n[i]);
	}
	for (int i = 0; i < 100; i++) {
		sched_add(&s, &key);
		assert_ptr_equal(sched_next(&s), &key);
		sched_charge(&key, 1);
		sched_dry(&key);
		struct sched_node *other = sched_next(&s);
		sched_add(&s, other);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_sparse_before_bulk),
	    cmocka_unit_test(test_remove),
	    cmocka_unit_test(test_fair),
	    cmocka_unit_test(test_keystroke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
