/* What is kept of a printer between two comparisons comes back as it was. */
#include "kit.h"

#include "agent/recall.h"

static void
nothing_gives_nothing(void **state)
{
	struct change_suspects got, none;
	struct recall r;

	memset(&r, 0, sizeof(r));
	memset(&none, 0, sizeof(none));
	recall_get(&r, &got);
	assert_memory_equal(&got, &none, sizeof(none));
	recall_put(&r, &none);
	recall_get(&r, &got);
	assert_memory_equal(&got, &none, sizeof(none));
	recall_clear(&r);
}

static struct change_suspects
plain(void)
{
	struct change_suspects s;

	memset(&s, 0, sizeof(s));
	memcpy(s.asset, KIT_ASSET, UUID_TEXT_MAX);
	s.look_ms = INT64_C(1790000000123);
	s.uptime = 4294967295;
	s.rows = SLEEP_HIDES;
	s.bits = SLEEP_SHOWS;
	s.alerts = true;
	return s;
}

static void
the_plain_case_is_small(void **state)
{
	struct change_suspects s = plain(), got;
	struct recall r;

	memset(&r, 0, sizeof(r));
	recall_put(&r, &s);
	assert_null(r.whole);
	recall_get(&r, &got);
	assert_memory_equal(&got, &s, sizeof(s));
	recall_clear(&r);
}

static void
whatever_is_suspected_is_kept(void **state)
{
	struct change_suspects s[6], got;
	struct recall r;
	size_t i;

	memset(&r, 0, sizeof(r));
	for (i = 0; i < 6; i++)
		s[i] = plain();
	s[0].one[CHANGE_SUSPECTS - 1].used = true;
	s[0].one[CHANGE_SUSPECTS - 1].index = 7;
	s[1].pins[sizeof(s[1].pins) - 1] = 2;
	s[2].pin_ms = 5;
	memcpy(s[3].asset, "no uuid", 8);
	s[4].doubted = true;
	s[5].gone_ms = 5;
	for (i = 0; i < 6; i++) {
		recall_put(&r, &s[i]);
		assert_non_null(r.whole);
		recall_get(&r, &got);
		assert_memory_equal(&got, &s[i], sizeof(got));
	}
	/* And is over again. */
	s[0] = plain();
	recall_put(&r, &s[0]);
	assert_null(r.whole);
	recall_get(&r, &got);
	assert_memory_equal(&got, &s[0], sizeof(got));
	recall_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_gives_nothing),
		cmocka_unit_test(the_plain_case_is_small),
		cmocka_unit_test(whatever_is_suspected_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
