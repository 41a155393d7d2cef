/* How far catching up is, and what is noted of it. */
#include "agent/catchup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct outbox_lane waiting[LANES] = {
	[LANE_BULK] = { .acked_seq = 10, .next_seq = 111 },
	[LANE_URGENT] = { .acked_seq = 5, .next_seq = 26 },
};

static void
it_goes_from_nothing_to_all(void **state)
{
	struct catchup c;
	int64_t acked[LANES] = { 10, 5 }, done, total;

	catchup_begin(&c, waiting, 1000000);
	assert_int_equal(c.since_ms, 1000000);
	catchup_progress(&c, acked, &done, &total);
	assert_int_equal(done, 0);
	assert_int_equal(total, 120);
	assert_int_equal(catchup_left_ms(&c, done, total, 1005000), -1);
	acked[LANE_URGENT] = 25;
	acked[LANE_BULK] = 20;
	catchup_progress(&c, acked, &done, &total);
	assert_int_equal(done, 30);
	assert_int_equal(catchup_left_ms(&c, done, total, 1010000), 30000);
	/* A clock that was set back tells nothing. */
	assert_int_equal(catchup_left_ms(&c, done, total, 900000), -1);
	/* What came meanwhile does not count. */
	acked[LANE_URGENT] = 99;
	acked[LANE_BULK] = 500;
	catchup_progress(&c, acked, &done, &total);
	assert_int_equal(done, total);
}

static void
a_few_are_nothing_to_speak_of(void **state)
{
	struct outbox_lane few[LANES] = {
		{ .acked_seq = 10, .next_seq = 60 },
		{ .acked_seq = 0, .next_seq = 50 } };
	struct catchup c;

	catchup_begin(&c, few, 1000);
	assert_int_equal(c.since_ms, 0);
	few[0].next_seq++;
	few[1].next_seq++;
	catchup_begin(&c, few, 1000);
	assert_int_equal(c.since_ms, 1000);
}

static void
notes_come_back(void **state)
{
	static const char *const bad[] = { "", "x", "5", "5 1 2 3", "0 0 1 0 1",
	    "5 2 1 0 0", "5 0 1 0 1 ", "5 0 1 0 1 9", "5 -1 1 0 1", "5 0 1 0 x" };
	char text[CATCHUP_TEXT_MAX];
	struct catchup c, back;
	size_t i;

	catchup_begin(&c, waiting, 1000000);
	assert_true(catchup_parse(catchup_format(&c, text), &back));
	assert_memory_equal(&c, &back, sizeof(c));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (catchup_parse(bad[i], &back))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(back.since_ms, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_from_nothing_to_all),
		cmocka_unit_test(a_few_are_nothing_to_speak_of),
		cmocka_unit_test(notes_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
