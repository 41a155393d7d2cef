/* What waits for the disk: in order, bounded, and gone once it is written. */
#include "kit.h"

#include "agent/hold.h"

static void
add(struct hold *h, int64_t n)
{
	struct change c;

	change_init(&c);
	kit_asset(report_asset(&c.event), KIT_ASSET);
	c.event.assets[0].time = n;
	hold_add(h, KIT_ASSET, &c);
	assert_int_equal(c.event.assets_len, 0);	/* taken */
}

static void
expect(const struct hold *h, int64_t from, int64_t to)
{
	const struct held *held = h->first;

	for (; from <= to; from++, held = held->next) {
		assert_non_null(held);
		assert_string_equal(held->asset, KIT_ASSET);
		assert_int_equal(held->change.event.assets[0].time, from);
	}
	assert_null(held);
}

static void
kept_in_order(void **state)
{
	struct hold h = { 0 };
	struct change none;

	/* Nothing is nothing. */
	change_init(&none);
	hold_add(&h, KIT_ASSET, &none);
	assert_int_equal(h.len, 0);
	add(&h, 1);
	add(&h, 2);
	assert_int_equal(h.fresh, 2);
	hold_keep(&h);
	assert_int_equal(h.fresh, 0);
	add(&h, 3);
	hold_keep(&h);
	expect(&h, 1, 3);
	/* The last one, the first one, and on behind them. */
	hold_drop(&h, &h.first->next->next);
	add(&h, 3);
	hold_drop(&h, &h.first);
	add(&h, 4);
	expect(&h, 2, 4);
	assert_int_equal(h.len, 3);
	hold_clear(&h);
	assert_null(h.first);
	add(&h, 5);
	expect(&h, 5, 5);
	hold_clear(&h);
}

static void
bounded(void **state)
{
	struct hold h = { 0 };
	int i, round;

	kit_listen();
	for (i = 1; i <= HOLD_MAX; i++)
		add(&h, i);
	hold_keep(&h);
	assert_int_equal(kit_lines, 0);
	for (round = 0; round < 3; round++) {
		add(&h, 1000000);
		add(&h, 1000001);
		hold_keep(&h);
		assert_int_equal(h.len, HOLD_MAX);
		assert_int_equal(kit_lines, 1);
	}
	assert_said("comes and goes from now on is not told");
	expect(&h, 1, HOLD_MAX);
	hold_clear(&h);
	assert_int_equal(h.len, 0);
	kit_listen_no_more();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_in_order),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
