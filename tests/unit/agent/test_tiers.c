/* What is read when: decisions in a table, with a clock that is made up, and
 * a day in the life of a printer. */
#include "kit.h"

#include "agent/tiers.h"
#include "snmp/reading.h"
#include "snmp/standard.h"

#define H	READING_HEARTBEAT
#define A	READING_ALERTS
#define ANY	READING_ANY_ALERTS
#define K	READING_KNOWN_ALERTS
#define S	READING_SUPPLIES
#define C	READING_COUNTERS
#define ALL	READING_ALL

#define S_MS	INT64_C(1000)
#define MIN_MS	(60 * S_MS)
#define HOUR_MS	(60 * MIN_MS)
#define DAY_MS	(24 * HOUR_MS)

static const struct config conf = { .heartbeat_ms = MIN_MS,
    .supplies_ms = 15 * MIN_MS, .counters_ms = HOUR_MS,
    .assets_ms = DAY_MS };

/* Read whole at time 0, when it had a thousand pages. */
static struct tiers
fresh(void)
{
	struct tiers_news news = { .what = ALL,
	    .signs = { .life = 1000, .alerts_counted = true } };
	struct tiers t;

	tiers_init(&t);
	assert_int_equal(tiers_visit(&t, 0), ALL);
	assert_int_equal(tiers_news(&t, &news, &conf, 0), 0);
	return t;
}

/* Who does not count alerts: the table is looked into when one turned up;
 * who has no Printer MIB is not asked at all. */
static void
alerts_without_numbers(void **state)
{
	struct tiers_news news = { .what = H | ANY, .alerts_moved = true,
	    .signs = { .life = 1000 } };
	struct tiers t = fresh();

	assert_int_equal(tiers_news(&t, &news, &conf, MIN_MS), 0);
	assert_int_equal(tiers_visit(&t, 2 * MIN_MS), H | ANY);
	news.signs.alerts_listed = true;
	assert_int_equal(tiers_news(&t, &news, &conf, MIN_MS) & A, A);
	assert_int_equal(tiers_visit(&t, 2 * MIN_MS), H | A);
	news.what = H;
	news.signs.alerts_listed = false;
	news.signs.alertless = true;
	assert_int_equal(tiers_news(&t, &news, &conf, MIN_MS), 0);
	assert_int_equal(tiers_visit(&t, 2 * MIN_MS), H);
}

/* --- what a visit begins with --- */

static void
a_visit_asks_for_what_is_due(void **state)
{
	static const struct {
		const char	*case_;
		int64_t		 at_ms, life;
		bool		 asleep, stand, uncounted, blind;
		unsigned	 want;
	} table[] = {
		{ "quiet", MIN_MS, 1000, 0, 0, 0, 0, H },
		{ "an alert stands", MIN_MS, 1000, 0, 1, 0, 0, H | K },
		{ "alerts without numbers", MIN_MS, 1000, 0, 1, 1, 0, H | A },
		{ "none, without numbers", MIN_MS, 1000, 0, 0, 1, 0,
		    H | ANY },
		{ "levels are due", 17 * MIN_MS, 1000, 0, 0, 0, 0, H | S },
		{ "no page since", 2 * HOUR_MS, 1000, 0, 0, 0, 0, H | S },
		{ "a page since", 2 * HOUR_MS, 1001, 0, 0, 0, 0, H | S | C },
		{ "no page, but scans", 2 * HOUR_MS, 1000, 0, 0, 0, 1,
		    H | S | C },
		{ "no page counter", 2 * HOUR_MS, ABSENT, 0, 0, 0, 0,
		    H | S | C },
		{ "asleep", 2 * HOUR_MS, 1001, 1, 1, 0, 0, H },
		{ "asleep, alerts without numbers", HOUR_MS, 1000, 1, 1, 1, 0,
		    H },
		{ "asleep, not quite a day", 23 * HOUR_MS, 1000, 1, 0, 0, 0,
		    H },
		{ "a day", 26 * HOUR_MS, 1000, 0, 0, 0, 0, ALL },
		{ "asleep for a day", 26 * HOUR_MS, 1000, 1, 0, 0, 0, ALL },
	};
	struct tiers t;
	unsigned got;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		t = fresh();
		t.signs.life = table[i].life;
		t.signs.asleep = table[i].asleep;
		t.signs.alerts_stand = table[i].stand;
		t.signs.alerts_counted = !table[i].uncounted;
		t.signs.alerts_listed = table[i].stand;
		t.blind = table[i].blind;
		got = tiers_visit(&t, table[i].at_ms);
		if (got != table[i].want)
			fail_msg("%s: %u, want %u", table[i].case_, got,
			    table[i].want);
	}
}

/* Even if `assets` is shorter than a day. */
static void
asleep_everything_is_read_once_a_day(void **state)
{
	struct config often = conf;
	struct tiers_news news = { .what = ALL, .signs = { .life = 1 } };
	struct tiers t;

	often.assets_ms = HOUR_MS;
	tiers_init(&t);
	tiers_news(&t, &news, &often, 0);
	assert_int_equal(tiers_visit(&t, 2 * HOUR_MS), ALL);
	t.signs.asleep = true;
	assert_int_equal(tiers_visit(&t, 2 * HOUR_MS), H);
	assert_int_equal(tiers_visit(&t, 24 * HOUR_MS), ALL);
}

static void
no_counter_is_left_for_more_than_a_day(void **state)
{
	struct config rarely = conf;
	struct tiers_news news = { .what = ALL, .signs = { .life = 1,
	    .alerts_counted = true } };
	struct tiers t;

	rarely.assets_ms = 7 * DAY_MS;
	tiers_init(&t);
	tiers_news(&t, &news, &rarely, 0);
	t.levels_at = INT64_MAX;
	assert_int_equal(tiers_visit(&t, DAY_MS - 1), H);
	assert_int_equal(tiers_visit(&t, DAY_MS), H | C);
}

/* --- what a heartbeat makes worth reading --- */

static void
a_heartbeat_says_what_is_worth_asking(void **state)
{
	static const struct {
		const char	*case_;
		unsigned	 what;
		int64_t		 at_ms, life;
		uint32_t	 bits;
		bool		 asleep, restarted, alerts, supplies;
		unsigned	 want;
	} table[] = {
		{ "nothing", H, MIN_MS, 1000, 0, 0, 0, 0, 0, 0 },
		{ "restarted", H, MIN_MS, 1000, 0, 0, 1, 1, 0, ALL },
		{ "a new alert, levels just read", H, 30 * S_MS, 1000, 0, 0,
		    0, 1, 0, A },
		{ "a new alert", H, MIN_MS, 1000, 0, 0, 0, 1, 0, A | S },
		{ "a new alert that was read", H | A, MIN_MS, 1000, 0, 0, 0,
		    1, 0, 0 },
		{ "a toner bit", H, S_MS, 1000, 0x20, 0, 0, 0, 1, S },
		{ "a toner bit, asleep", H, S_MS, 1000, 0x20, 1, 0, 0, 1, S },
		{ "pages within the minute", H, 59 * S_MS, 1003, 0, 0, 0, 0,
		    1, 0 },
		{ "pages", H, MIN_MS, 1003, 0, 0, 0, 0, 1, S },
		{ "pages, asleep", H, MIN_MS, 1003, 0, 1, 0, 0, 1, 0 },
		{ "pages, and levels were read", H | S, MIN_MS, 1003, 0, 0, 0,
		    0, 1, 0 },
		{ "pages, counters due", H, 2 * HOUR_MS, 1003, 0, 0, 0, 0, 1,
		    S | C },
		{ "no pages, counters due", H | S, 2 * HOUR_MS, 1000, 0, 0, 0,
		    0, 0, 0 },
	};
	struct tiers_news news;
	struct tiers t;
	unsigned got;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		t = fresh();
		memset(&news, 0, sizeof(news));
		news.what = table[i].what;
		news.restarted = table[i].restarted;
		news.alerts_moved = table[i].alerts;
		news.supplies_moved = table[i].supplies;
		news.signs = t.signs;
		news.signs.life = table[i].life;
		news.signs.supply_bits = table[i].bits;
		news.signs.asleep = table[i].asleep;
		got = tiers_news(&t, &news, &conf, table[i].at_ms);
		if (got != table[i].want)
			fail_msg("%s: %u, want %u", table[i].case_, got,
			    table[i].want);
	}
}

static void
what_was_wanted_stays_wanted(void **state)
{
	struct tiers_news news = { .what = H };
	struct tiers t = fresh();

	/* Restarted, and then it did not answer any more. */
	news.restarted = true;
	news.signs = t.signs;
	assert_int_equal(tiers_news(&t, &news, &conf, MIN_MS), ALL);
	assert_int_equal(tiers_visit(&t, 2 * MIN_MS), ALL);
	/* The same for a toner bit. */
	t = fresh();
	news.restarted = false;
	news.signs = t.signs;
	news.signs.supply_bits = 0x10;
	assert_int_equal(tiers_news(&t, &news, &conf, S_MS), S);
	assert_int_equal(tiers_visit(&t, MIN_MS), H | S);
	news.what = H | S;
	assert_int_equal(tiers_news(&t, &news, &conf, MIN_MS), 0);
	assert_int_equal(tiers_visit(&t, 2 * MIN_MS), H);
}

/* A printer that prints all day: levels once a minute, counters hourly. */
static void
a_busy_day(void **state)
{
	struct tiers_news news = { .what = H };
	struct tiers t = fresh();
	int64_t now, life = 1000;
	unsigned what, more, levels = 0, counters = 0, all = 0;

	for (now = 20 * S_MS; now < 23 * HOUR_MS; now += 20 * S_MS) {
		what = tiers_visit(&t, now);
		news.what = what;
		news.signs = t.signs;
		news.signs.life = life += 3;
		more = tiers_news(&t, &news, &conf, now);
		what |= more;
		levels += (what & S) != 0;
		counters += (what & C) != 0;
		all += (what & ALL) != 0;
		if (more != 0) {
			news.what = more;
			assert_int_equal(tiers_news(&t, &news, &conf, now),
			    0);
		}
	}
	assert_in_range(levels, 22 * 60, 23 * 60);
	assert_in_range(counters, 20, 25);
	assert_int_equal(all, 0);
}

static void
asleep_it_is_visited_half_as_often(void **state)
{
	struct tiers t = fresh();

	assert_int_equal(tiers_pause(&t, &conf), MIN_MS);
	t.signs.asleep = true;
	assert_int_equal(tiers_pause(&t, &conf), 2 * MIN_MS);
}

/* Woken, it is asked for what was left out. */
static void
awake_again_it_is_asked_at_once(void **state)
{
	struct tiers_news news = { .what = H };
	struct tiers t = fresh();

	t.signs.asleep = true;
	assert_int_equal(tiers_visit(&t, 3 * HOUR_MS), H);
	news.signs = t.signs;
	news.signs.asleep = false;
	news.signs.life = 1001;
	assert_int_equal(tiers_news(&t, &news, &conf, 3 * HOUR_MS), S | C);
}

/* --- what an image says --- */

static void
put(struct bag *bag, const char *column, uint32_t a, uint32_t b,
    int64_t value)
{
	struct objid id;

	assert_int_equal(objid_parse(column, &id), 0);
	objid_add(&id, a);
	if (b != 0)
		objid_add(&id, b);
	bag_put_number(bag, &id, BAG_INTEGER, value);
}

static void
put_errors(struct bag *bag, const char *octets, size_t len)
{
	struct objid id;

	objid_parse(STD_PRINTER_ERRORS, &id);
	objid_add(&id, 1);
	bag_put_octets(bag, &id, BAG_OCTETS, octets, len);
}

static void
an_image_gives_signs(void **state)
{
	const int64_t rows[] = { 1 };
	struct tiers_signs signs;
	struct bag *bag = bag_new();

	tiers_look(bag, rows, 1, &signs);
	assert_int_equal(signs.life, ABSENT);
	assert_false(signs.asleep);
	/* Without a Printer MIB there is no table to look into. */
	assert_false(signs.alerts_counted);
	assert_true(signs.alertless);
	assert_false(signs.alerts_stand);
	put(bag, STD_MARKER_LIFE, 1, 1, 700);
	tiers_look(bag, rows, 1, &signs);
	assert_false(signs.alerts_counted);
	assert_false(signs.alertless);
	assert_false(signs.alerts_listed);
	put(bag, STD_MARKER_LIFE, 1, 2, 7);
	put(bag, STD_MARKER_LIFE, 2, 1, 100000);
	put(bag, STD_DEVICE_STATUS, 1, 0, 2);
	put(bag, STD_PRINTER_STATUS, 1, 0, 1);
	put(bag, STD_ALL_EVENTS, 1, 0, 3);
	put(bag, STD_ALERT_SEVERITY, 1, 9, 4);
	tiers_look(bag, rows, 1, &signs);
	assert_int_equal(signs.life, 707);
	assert_true(signs.asleep);
	assert_true(signs.alerts_counted);
	assert_false(signs.alerts_stand);
	put(bag, STD_ALERT_SEVERITY, 1, 10, 3);
	tiers_look(bag, rows, 1, &signs);
	assert_true(signs.alerts_stand);
	tiers_look(bag, rows, 0, &signs);
	assert_false(signs.asleep);
	bag_free(bag);
}

static void
only_toner_bits_count(void **state)
{
	static const struct {
		const char	*octets;
		size_t		 len;
		bool		 any;
	} table[] = {
		{ "", 0, false }, { "\x00", 1, false },
		{ "\x20", 1, true },		/* lowToner */
		{ "\x10", 1, true },		/* noToner */
		{ "\x00\x20", 2, true },	/* markerSupplyMissing */
		{ "\xcf\xdf\xff", 3, false },	/* all others */
	};
	const int64_t rows[] = { 1 };
	struct tiers_signs signs;
	struct bag *bag = bag_new();
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		put_errors(bag, table[i].octets, table[i].len);
		tiers_look(bag, rows, 1, &signs);
		if ((signs.supply_bits != 0) != table[i].any)
			fail_msg("case %zu", i);
	}
	bag_free(bag);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_visit_asks_for_what_is_due),
		cmocka_unit_test(alerts_without_numbers),
		cmocka_unit_test(asleep_everything_is_read_once_a_day),
		cmocka_unit_test(no_counter_is_left_for_more_than_a_day),
		cmocka_unit_test(a_heartbeat_says_what_is_worth_asking),
		cmocka_unit_test(what_was_wanted_stays_wanted),
		cmocka_unit_test(a_busy_day),
		cmocka_unit_test(asleep_it_is_visited_half_as_often),
		cmocka_unit_test(awake_again_it_is_asked_at_once),
		cmocka_unit_test(an_image_gives_signs),
		cmocka_unit_test(only_toner_bits_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
