/* SPDX-License-Identifier: GPL-2.0-or-later */
/* errno to the number on the wire and back to words. */
#include "unit.h"

#include "reason.h"

static void
test_errno(void **state)
{
	static const struct {
		int err;
		enum reason reason;
	} rows[] = {
	    {ECONNRESET, REASON_RESET}, {EPIPE, REASON_RESET}, {ECONNREFUSED, REASON_REFUSED},
	    {ENETUNREACH, REASON_NET_UNREACHABLE}, {EHOSTUNREACH, REASON_HOST_UNREACHABLE},
	    {ETIMEDOUT, REASON_TIMED_OUT}, {EACCES, REASON_DENIED}, {EPERM, REASON_DENIED},
	    {EAFNOSUPPORT, REASON_NO_FAMILY}, {EMFILE, REASON_NO_DESCRIPTORS},
	    {ENFILE, REASON_NO_DESCRIPTORS}, {ENOMEM, REASON_NO_MEMORY}, {EIO, REASON_OTHER},
	    {EDOM, REASON_OTHER}, {0, REASON_OTHER}, /* a failure is never a clean end */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(reason_from_errno(rows[i].err), rows[i].reason);
}

static void
test_wire(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 10; n++)
		assert_int_equal(reason_from_wire(n), n);
	assert_int_equal(reason_from_wire(12), REASON_OTHER);
	assert_int_equal(reason_from_wire(256), REASON_OTHER);
	assert_int_equal(reason_from_wire(UINT32_MAX), REASON_OTHER);
}

static void
test_text(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 10; n++)
		assert_true(strlen(reason_text(reason_from_wire(n))) > 3);
	assert_string_equal(reason_text(REASON_REFUSED), "connection refused");
	assert_string_equal(reason_text((enum reason)200), "failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_wire),
	    cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
