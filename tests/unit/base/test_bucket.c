#include "base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Takes what there is, waiting as long as it says; how many until end. */
static int64_t
drain(struct bucket *b, int64_t now, int64_t end, int64_t batch, int64_t *most)
{
	int64_t taken = 0, n, wait;

	*most = 0;
	while (now < end) {
		n = bucket_look(b, now);
		bucket_take(b, n);
		taken += n;
		if (n > *most)
			*most = n;
		wait = bucket_wait_ms(b, batch);
		assert_true(wait > 0);
		now += wait;
	}
	return taken;
}

static void
rates_are_exact(void **state)
{
	static const int64_t rates[] = { 1, 3, 7, 50, 99, 333, 1000, 1001,
	    5000, 9999, 10000 };
	struct bucket b;
	int64_t most, taken, start = INT64_C(1) << 40;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		bucket_init(&b, rates[i], rates[i] / 20, start);
		taken = drain(&b, start, start + 100000,
		    1 + rates[i] / 100, &most);
		assert_in_range(taken, rates[i] * 100 - rates[i] / 50,
		    rates[i] * 100 + 1);
		assert_in_range(most, 1, 1 + rates[i] / 50);
	}
}

static void
pauses_give_no_more_than_the_burst(void **state)
{
	struct bucket b;

	bucket_init(&b, 1000, 50, 0);
	assert_int_equal(bucket_look(&b, 0), 1);
	assert_int_equal(bucket_look(&b, 3600 * 1000), 50);
	assert_int_equal(bucket_look(&b, INT64_C(1) << 50), 50);
	/* Time that goes back gives and takes nothing. */
	assert_int_equal(bucket_look(&b, 0), 50);
	bucket_init(&b, 5, 0, 0);
	assert_int_equal(bucket_look(&b, 60000), 1);
}

static void
debts_are_paid_first(void **state)
{
	struct bucket b;

	bucket_init(&b, 100, 10, 0);
	bucket_take(&b, 21);
	assert_int_equal(bucket_look(&b, 0), 0);
	assert_int_equal(bucket_wait_ms(&b, 1), 210);
	assert_int_equal(bucket_look(&b, 209), 0);
	assert_int_equal(bucket_look(&b, 210), 1);
	/* A long debt is paid by a long pause, at the rate. */
	bucket_take(&b, 1001);
	assert_int_equal(bucket_look(&b, 5210), 0);
	assert_int_equal(bucket_look(&b, 10220), 1);
	/* More than it can hold is not worth waiting for. */
	assert_int_equal(bucket_wait_ms(&b, 1000), 90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_exact),
		cmocka_unit_test(pauses_give_no_more_than_the_burst),
		cmocka_unit_test(debts_are_paid_first),
	};

	return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
