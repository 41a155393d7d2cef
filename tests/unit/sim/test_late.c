/* Answers that wait come out at their time, in order, and all of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "tests/sim/late.c"

static const struct sockaddr_in to;

/* Takes what is due: how many, each between low and high. */
static size_t
take(struct late *l, int64_t now_ms, int64_t low, int64_t high)
{
	struct late_answer *a = late_take(l, now_ms), *next;
	int64_t last = 0;
	size_t count = 0;

	for (; a != NULL; a = next) {
		assert_in_range(a->due_ms, low, high);
		if (now_ms - low < SLOTS)
			assert_true(a->due_ms >= last);
		last = a->due_ms;
		next = a->next;
		free(a);
		count++;
	}
	return count;
}

static void
test_in_time(void **state)
{
	struct late *l = late_new(1000);
	int i;

	assert_int_equal(late_next(l), -1);
	for (i = 0; i < 100; i++)
		late_put(l, 1100 - i, "x", 1, 0, &to);
	assert_int_equal(late_next(l), 1001);
	assert_int_equal(take(l, 1000, 0, 0), 0);
	assert_int_equal(take(l, 1050, 1001, 1050), 50);
	assert_int_equal(late_next(l), 1051);
	assert_int_equal(take(l, 5000, 1051, 1100), 50);
	assert_int_equal(late_next(l), -1);
	late_free(l);
}

static void
test_longer_than_a_round(void **state)
{
	struct late *l = late_new(0);
	int64_t now;

	late_put(l, 3 * SLOTS + 7, "x", 1, 0, &to);
	late_put(l, 7, "x", 1, 0, &to);
	late_put(l, 90000, "x", 1, 0, &to);
	assert_int_equal(take(l, 7, 7, 7), 1);
	for (now = 8; now < 3 * SLOTS + 7; now += 100)
		assert_int_equal(take(l, now, 0, 0), 0);
	assert_int_equal(take(l, 3 * SLOTS + 7, 3 * SLOTS + 7,
	    3 * SLOTS + 7), 1);
	/* a long sleep past all of the wheel */
	assert_int_equal(take(l, 1000000, 90000, 90000), 1);
	/* a time that is over already is the next one */
	late_put(l, 5, "x", 1, 0, &to);
	assert_int_equal(late_next(l), 1000001);
	late_put(l, 2000000, "left over", 9, 0, &to);
	late_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_longer_than_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
