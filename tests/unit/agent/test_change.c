/* What is worth telling, and when.  A model that starts empty and applies
 * what is told must always be what was told. */
#include "kit.h"

#include "agent/change.h"
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/squeeze.h"
#include "agent/store.h"

#define HOUR	INT64_C(3600000)
#define MINUTE	INT64_C(60000)

/* A printer under observation: what was told of it, and the centre's view. */
struct watched {
	struct printer		 now;
	struct report		 told;
	struct change_state	 state;
	struct change_suspects	 suspects;
	struct change_policy	 policy;
	int64_t			 time;
	struct change		 c;		/* the last step's */
};

static void
start(struct watched *w)
{
	memset(w, 0, sizeof(*w));
	kit_printer(&w->now);
	report_init(&w->told);
	change_init(&w->c);
	w->state.suspects = &w->suspects;
	w->policy.counters_ms = HOUR;
	w->policy.levels_ms = 15 * MINUTE;
	w->policy.levels_read = true;
	w->time = KIT_TIME;
}

static void
end(struct watched *w)
{
	printer_clear(&w->now);
	report_clear(&w->told);
	change_clear(&w->c);
}

/* Puts one record of what is told now in the place of its older self. */
static void
take_told(struct watched *w)
{
	const struct change *c = &w->c;
	size_t i, j;

	if (c->told.assets_len > 0) {
		assert_int_equal(c->told.assets_len, 1);
		if (w->told.assets_len == 0)
			report_asset(&w->told);
		record_copy(asset_fields, &w->told.assets[0],
		    &c->told.assets[0]);
		asset_copy_counters(&w->told.assets[0], &c->told.assets[0]);
	}
	for (i = 0; i < c->told.consumables_len; i++) {
		for (j = 0; j < w->told.consumables_len; j++)
			if (strcmp(w->told.consumables[j].id,
			    c->told.consumables[i].id) == 0)
				break;
		if (j == w->told.consumables_len)
			report_consumable(&w->told);
		record_copy(consumable_fields, &w->told.consumables[j],
		    &c->told.consumables[i]);
	}
	for (i = 0; i < c->told.alerts_len; i++) {
		for (j = 0; j < w->told.alerts_len; j++)
			if (strcmp(w->told.alerts[j].id,
			    c->told.alerts[i].id) == 0)
				break;
		if (j == w->told.alerts_len)
			report_alert(&w->told);
		record_copy(alert_fields, &w->told.alerts[j],
		    &c->told.alerts[i]);
	}
	for (i = 0; i < c->forget_len; i++) {
		for (j = 0; j < w->told.consumables_len; j++)
			if (strcmp(w->told.consumables[j].id,
			    c->forget[i]) == 0) {
				consumable_clear(&w->told.consumables[j]);
				w->told.consumables[j] = w->told.consumables[
				    --w->told.consumables_len];
			}
		for (j = 0; j < w->told.alerts_len; j++)
			if (strcmp(w->told.alerts[j].id, c->forget[i]) == 0) {
				alert_clear(&w->told.alerts[j]);
				w->told.alerts[j] = w->told.alerts[
				    --w->told.alerts_len];
			}
	}
}

/* Time passes, the printer is looked at. */
static void
step(struct watched *w, int64_t after_ms)
{
	w->time += after_ms;
	change_clear(&w->c);
	change_find(&w->told, &w->now, &w->state, &w->policy, w->time, &w->c);
	take_told(w);
}

/* How many elements the report's only asset, or consumable, has, and the
 * text of the report for more. */
static char *
xml_of(const struct report *r)
{
	struct buf xml = { 0 };

	report_write(r, &xml);
	return buf_take(&xml);
}

static void
assert_xml(const struct report *r, const char *want)
{
	char *xml = xml_of(r), *whole;

	whole = xasprintf("<report xmlns='" REPORT_NS "'>%s</report>", want);
	assert_string_equal(xml, whole);
	free(whole);
	free(xml);
}

#define TIME_0	"2027-01-15T08:00:00.000Z"
#define TIME_1	"2027-01-15T08:01:00.000Z"
#define ASSET_0	"<asset id='" KIT_ASSET "'>"

static void
everything_is_told_at_first(void **state)
{
	struct watched w;
	char *xml;

	start(&w);
	step(&w, 0);
	assert_int_equal(w.c.event.assets_len, 1);
	assert_int_equal(w.c.event.consumables_len, 2);
	assert_int_equal(w.c.detail.assets_len, 0);
	assert_int_equal(w.c.event.assets[0].counters_len, 2);
	assert_int_equal(w.c.due_ms, 0);
	xml = xml_of(&w.c.event);
	assert_non_null(strstr(xml, "<serial>KX7731</serial>"));
	assert_non_null(strstr(xml, "<errors>none</errors>"));
	assert_non_null(strstr(xml, "<percent>80</percent>"));
	assert_non_null(strstr(xml, "<location>Hall &amp; &lt;entrance&gt;"
	    "</location>"));
	free(xml);
	assert_true(uuid_valid(w.now.consumables[0].id));
	assert_string_not_equal(w.now.consumables[0].id,
	    w.now.consumables[1].id);
	end(&w);
}

static void
nothing_new_is_nothing(void **state)
{
	struct watched w;
	int i;

	start(&w);
	step(&w, 0);
	for (i = 0; i < 50; i++) {
		w.now.asset.time = w.time + MINUTE;
		step(&w, MINUTE);
		assert_false(change_any(&w.c));
		assert_int_equal(w.c.due_ms, 0);
		assert_false(w.c.again);
	}
	end(&w);
}

static void
a_changed_location_is_just_that(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_text(&w.now.asset.location, "Cellar");
	step(&w, MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<location>Cellar</location><time>"
	    TIME_1 "</time></asset>");
	assert_xml(&w.c.detail, "");
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	/* And gone is told once as well. */
	kit_text(&w.now.asset.location, NULL);
	step(&w, -MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<location/><time>" TIME_1
	    "</time></asset>");
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	end(&w);
}

static void
states_are_told_at_once(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	w.now.asset.errors = 1 << 5 | 1 << 1;
	w.now.asset.device_status = 5;
	step(&w, MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<device_status>down</device_status>"
	    "<errors>noPaper jammed</errors><time>" TIME_1 "</time></asset>");
	w.now.asset.errors = 0;
	step(&w, 0);
	assert_xml(&w.c.event, ASSET_0 "<errors>none</errors><time>" TIME_1
	    "</time></asset>");
	end(&w);
}

/* --- counters ------------------------------------------------------------ */

static void
counters_wait_for_their_interval(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_counter(&w.now.asset, "total", 1001);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_int_equal(w.c.due_ms, KIT_TIME + HOUR);
	kit_counter(&w.now.asset, "total", 1002);
	step(&w, HOUR - MINUTE);
	assert_int_equal(w.c.event.assets_len, 0);
	assert_int_equal(w.c.detail.assets_len, 1);
	assert_int_equal(w.c.detail.assets[0].counters_len, 1);
	assert_int_equal(w.c.detail.assets[0].counters[0].value, 1002);
	assert_int_equal(w.c.due_ms, 0);
	/* Both are in what was told, the one that moved and the other. */
	assert_int_equal(w.told.assets[0].counters_len, 2);
	assert_null(w.c.detail.assets[0].serial);
	end(&w);
}

static void
held_back_counters_stay_held_back(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_counter(&w.now.asset, "total", 1001);
	kit_text(&w.now.asset.location, "Cellar");
	step(&w, MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<location>Cellar</location><time>"
	    TIME_1 "</time></asset>");
	assert_int_equal(w.c.due_ms, KIT_TIME + HOUR);
	step(&w, HOUR);
	assert_int_equal(w.c.detail.assets_len, 1);
	end(&w);
}

static void
a_counter_keeps_its_source(void **state)
{
	struct watched w;
	struct counter *c;

	start(&w);
	step(&w, 0);
	c = asset_counter(&w.now.asset, "total");
	c->value = 5;
	kit_text(&c->oid, "1.3.6.1.4.1.99999.1");
	step(&w, 2 * HOUR);
	assert_false(change_any(&w.c));
	/* The old source again. */
	c->value = 1010;
	kit_text(&c->oid, "1.3.6.1.2.1.43.10.2.1.4.1.1");
	step(&w, 2 * HOUR);
	assert_int_equal(w.c.detail.assets[0].counters[0].value, 1010);
	/* With other firmware another source is what there is. */
	kit_text(&c->oid, "1.3.6.1.4.1.99999.1");
	c->value = 7;
	kit_text(&w.now.asset.firmware, "2.00");
	step(&w, 2 * HOUR);
	assert_int_equal(w.c.event.assets[0].counters_len, 1);
	assert_int_equal(w.c.event.assets[0].counters[0].value, 7);
	assert_int_equal(w.c.event.assets[0].counters[0].epoch, 1);
	assert_int_equal(w.c.event.assets[0].counters[0].before, 1010);
	end(&w);
}

static void
a_new_counter_and_a_smaller_one_are_told(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_counter(&w.now.asset, "colour", 400);
	kit_counter(&w.now.asset, "total", 3);
	/* The fall at once, the other when its time has come. */
	step(&w, MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<time>" TIME_1 "</time><counter "
	    "name='total' unit='impressions' oid='1.3.6.1.2.1.43.10.2.1.4.1.1'"
	    " check='none' epoch='1' before='1000'>3</counter></asset>");
	assert_xml(&w.c.detail, "");
	assert_int_equal(w.c.due_ms, KIT_TIME + HOUR);
	step(&w, HOUR);
	assert_int_equal(w.c.event.assets_len, 0);
	assert_int_equal(w.c.detail.assets[0].counters_len, 1);
	assert_int_equal(w.told.assets[0].counters_len, 3);
	/* Once only; later values say to which epoch they belong. */
	kit_counter(&w.now.asset, "total", 7);
	step(&w, HOUR);
	assert_int_equal(w.c.event.assets_len, 0);
	assert_int_equal(w.c.detail.assets[0].counters[0].epoch, 1);
	assert_int_equal(w.c.detail.assets[0].counters[0].before, 1000);
	kit_counter(&w.now.asset, "total", 6);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.assets[0].counters[0].epoch, 2);
	assert_int_equal(w.c.event.assets[0].counters[0].before, 7);
	end(&w);
}

/* 32 bits run over from above 4.2e9 only: all else is a reset. */
static void
only_a_full_counter_runs_over(void **state)
{
	static const struct { int64_t from, to, epoch, before; } table[] = {
		{ 4294967290, 5, ABSENT, 4294967290 },
		{ 4200000001, 0, ABSENT, 4200000001 },
		{ 4200000000, 5, 1, 4200000000 },
		{ 99999, 98, 1, 99999 },
		{ 5000000000, 4000000000, 1, 5000000000 },	/* 64 bits */
		{ 5, 6, ABSENT, ABSENT },
	};
	struct watched w;
	struct counter *c;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&w);
		kit_counter(&w.now.asset, "total", table[i].from);
		step(&w, 0);
		kit_counter(&w.now.asset, "total", table[i].to);
		step(&w, HOUR);
		assert_int_equal(w.c.event.assets_len,
		    table[i].before != ABSENT);
		c = asset_counter(&w.told.assets[0], "total");
		assert_int_equal(c->value, table[i].to);
		assert_int_equal(c->epoch, table[i].epoch);
		assert_int_equal(c->before, table[i].before);
		end(&w);
	}
}

/* A board that said 0 for a while after its start: what it leaps back to was
 * not printed in between. */
static void
a_leap_back_is_an_epoch_too(void **state)
{
	struct watched w;
	struct counter *c;

	start(&w);
	step(&w, 0);
	kit_counter(&w.now.asset, "total", 0);
	step(&w, MINUTE);
	kit_counter(&w.now.asset, "total", 1004);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.assets_len, 1);
	c = asset_counter(&w.told.assets[0], "total");
	assert_int_equal(c->value, 1004);
	assert_int_equal(c->epoch, 2);
	assert_int_equal(c->before, 0);
	/* A new board that came by and by to where the old one ended. */
	c->before = 1010;
	kit_counter(&w.now.asset, "total", 1011);
	step(&w, HOUR);
	assert_int_equal(asset_counter(&w.told.assets[0],
	    "total")->epoch, 2);
	end(&w);
}

static void
another_unit_is_another_series(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	asset_counter(&w.now.asset, "total")->unit = 8;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.assets[0].counters_len, 1);
	assert_int_equal(w.c.event.assets[0].counters[0].epoch, 1);
	assert_int_equal(w.c.event.assets[0].counters[0].unit, 8);
	end(&w);
}

/* The pinned source has gone for good: after three readings the new one
 * begins an epoch of its own. */
static void
a_lost_source_is_given_up(void **state)
{
	struct watched w;
	struct counter *c;
	int i;

	start(&w);
	step(&w, 0);
	c = asset_counter(&w.now.asset, "total");
	c->value = 50;
	kit_text(&c->oid, "1.3.6.1.4.1.99999.1");
	/* However often we look: readings count. */
	for (i = 0; i < 20; i++) {
		step(&w, MINUTE);
		assert_false(change_any(&w.c));
	}
	assert_int_equal(w.c.due_ms, KIT_TIME + MINUTE + 45 * MINUTE);
	step(&w, 30 * MINUTE);
	assert_false(change_any(&w.c));
	/* Asleep it does not count. */
	w.now.asset.state = ASSET_ASLEEP;
	step(&w, HOUR);
	assert_int_equal(asset_counter(&w.told.assets[0],
	    "total")->value, 1000);
	w.now.asset.state = ASSET_ONLINE;
	step(&w, HOUR);
	assert_int_equal(w.c.event.assets_len, 1);
	assert_int_equal(w.c.event.assets[0].counters_len, 1);
	c = asset_counter(&w.told.assets[0], "total");
	assert_int_equal(c->value, 50);
	assert_int_equal(c->epoch, 1);
	assert_int_equal(c->before, 1000);
	assert_string_equal(c->oid, "1.3.6.1.4.1.99999.1");
	/* Back again: that one is the stranger now. */
	kit_counter(&w.now.asset, "total", 1001);
	step(&w, 2 * HOUR);
	assert_int_equal(w.c.event.assets_len + w.c.detail.assets_len, 0);
	end(&w);
}

/* Sources that take turns: the first one stays. */
static void
a_source_that_returns_is_kept(void **state)
{
	struct watched w;
	struct counter *c;
	int i;

	start(&w);
	step(&w, 0);
	for (i = 0; i < 12; i++) {
		c = asset_counter(&w.now.asset, "total");
		c->value = i % 3 == 2 ? 1001 + i : 5;
		kit_text(&c->oid, i % 3 == 2 ? "1.3.6.1.2.1.43.10.2.1.4.1.1" :
		    "1.3.6.1.4.1.99999.1");
		step(&w, HOUR);
	}
	c = asset_counter(&w.told.assets[0], "total");
	assert_int_equal(c->value, 1012);
	assert_int_equal(c->epoch, ABSENT);
	end(&w);
}

/* Whatever a counter does: within an epoch it never falls, and every fall is
 * told with what it was before. */
static void
differences_are_never_negative(void **state)
{
	struct watched w;
	struct counter *c, seen;
	int i, epochs = 0;

	start(&w);
	step(&w, 0);
	counter_init(&seen);
	record_copy(counter_fields, &seen,
	    asset_counter(&w.told.assets[0], "total"));
	srandom(7);
	for (i = 0; i < 5000; i++) {
		c = asset_counter(&w.now.asset, "total");
		c->value = random() % 50 == 0 ? random() % 5000 :
		    c->value + random() % 9;
		if (random() % 100 == 0)
			kit_text(&c->oid, random() % 2 ? "1.3.6.1.4.1.99999.1" :
			    "1.3.6.1.2.1.43.10.2.1.4.1.1");
		step(&w, random() % (2 * HOUR));
		c = asset_counter(&w.told.assets[0], "total");
		if (c->epoch == seen.epoch) {
			assert_true(c->value >= seen.value);
			assert_string_equal(c->oid, seen.oid);
		} else {
			assert_int_equal(c->epoch, ++epochs);
			assert_int_equal(c->before, seen.value);
			assert_int_equal(w.c.event.assets_len, 1);
		}
		record_copy(counter_fields, &seen, c);
	}
	assert_true(epochs > 50);
	counter_clear(&seen);
	end(&w);
}

/* --- levels -------------------------------------------------------------- */

static void
levels_wait_for_their_interval(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	/* The first telling counts. */
	kit_level(&w.now, 0, 79);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_int_equal(w.c.due_ms, KIT_TIME + 15 * MINUTE);
	step(&w, 14 * MINUTE);
	assert_int_equal(w.c.detail.consumables_len, 1);
	assert_int_equal(w.c.detail.consumables[0].level, 79);
	assert_null(w.c.detail.consumables[0].description);
	assert_int_equal(w.c.detail.consumables[0].state, ABSENT);
	kit_level(&w.now, 0, 78);
	kit_level(&w.now, 1, 50);
	step(&w, 14 * MINUTE);
	assert_false(change_any(&w.c));
	assert_int_equal(w.c.due_ms, KIT_TIME + 30 * MINUTE);
	step(&w, MINUTE);
	assert_int_equal(w.c.detail.consumables_len, 2);
	end(&w);
}

static void
a_level_that_means_something_goes_at_once(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_level(&w.now, 0, 9);
	kit_level(&w.now, 1, 59);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_int_equal(w.c.event.consumables[0].state, SUPPLY_LOW);
	assert_int_equal(w.c.event.consumables[0].level, 9);
	assert_int_equal(w.c.event.consumables[0].percent, 9);
	assert_null(w.c.event.consumables[0].colour);
	assert_int_equal(w.c.detail.consumables_len, 0);
	assert_int_equal(w.c.due_ms, KIT_TIME + 15 * MINUTE);
	end(&w);
}

/* What travels first leaves it to nothing that is still on its way to say what
 * the level is. */
static void
what_goes_at_once_says_both_readings(void **state)
{
	struct watched w;

	start(&w);
	kit_level(&w.now, 0, 50);
	step(&w, 0);
	kit_text(&w.now.consumables[0].part_number, "CF-1");
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_int_equal(w.c.event.consumables[0].level, 50);
	assert_int_equal(w.c.event.consumables[0].percent, 50);
	/* Also that one has gone. */
	w.now.consumables[0].percent = ABSENT;
	step(&w, HOUR);
	assert_int_equal(w.c.detail.consumables_len, 1);
	assert_int_equal(w.c.detail.consumables[0].percent, CLEARED);
	kit_text(&w.now.consumables[0].part_number, "CF-2");
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables[0].level, 50);
	assert_int_equal(w.c.event.consumables[0].percent, CLEARED);
	end(&w);
}

/* Set back by a day, the clock must not keep us silent for one. */
static void
a_clock_set_back_silences_nobody(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_level(&w.now, 0, 79);
	kit_counter(&w.now.asset, "total", 1001);
	step(&w, -24 * HOUR);
	assert_int_equal(w.c.detail.consumables_len, 1);
	assert_int_equal(w.c.detail.assets_len, 1);
	assert_int_equal(w.c.due_ms, 0);
	end(&w);
}

/* --- replacements -------------------------------------------------------- */

static void
another_serial_is_another_cartridge(void **state)
{
	struct watched w;

	start(&w);
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	kit_level(&w.now, 0, 5);
	step(&w, 0);
	kit_text(&w.now.consumables[0].serial, "CRUM-2");
	kit_level(&w.now, 0, 100);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_int_equal(w.c.event.consumables[0].replaced, w.time);
	assert_string_equal(w.c.event.consumables[0].serial, "CRUM-2");
	assert_int_equal(w.c.event.consumables[0].level, 100);
	assert_false(w.c.again);
	/* The moment is told once. */
	kit_level(&w.now, 0, 50);
	step(&w, HOUR);
	assert_int_equal(w.c.detail.consumables[0].replaced, ABSENT);
	end(&w);
}

static void
the_same_serial_is_the_same_cartridge(void **state)
{
	struct watched w;

	start(&w);
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	kit_level(&w.now, 0, 5);
	step(&w, 0);
	kit_level(&w.now, 0, 100);	/* shaken, or the printer's whim */
	step(&w, HOUR);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, ABSENT);
	assert_int_equal(w.told.consumables[0].level, 100);
	end(&w);
}

static void
a_risen_level_needs_a_second_reading(void **state)
{
	struct watched w;

	start(&w);
	kit_level(&w.now, 0, 5);
	step(&w, 0);
	kit_level(&w.now, 0, 100);
	step(&w, HOUR);
	assert_true(w.c.again);
	assert_false(change_any(&w.c));
	/* Looked at for another reason, levels as remembered. */
	w.policy.levels_read = false;
	step(&w, MINUTE);
	assert_true(w.c.again);
	assert_false(change_any(&w.c));
	w.policy.levels_read = true;
	kit_level(&w.now, 0, 99);
	step(&w, MINUTE);
	assert_false(w.c.again);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_int_equal(w.c.event.consumables[0].replaced, w.time);
	assert_int_equal(w.c.event.consumables[0].level, 99);
	assert_int_equal(w.c.event.consumables[0].state, SUPPLY_OK);
	end(&w);
}

static void
a_level_that_falls_back_was_a_mistake(void **state)
{
	struct watched w;

	start(&w);
	kit_level(&w.now, 0, 40);
	step(&w, 0);
	kit_level(&w.now, 0, 100);
	step(&w, HOUR);
	assert_true(w.c.again);
	kit_level(&w.now, 0, 40);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_false(w.c.again);
	/* And the next rise is suspected anew. */
	kit_level(&w.now, 0, 100);
	step(&w, MINUTE);
	assert_true(w.c.again);
	assert_false(change_any(&w.c));
	end(&w);
}

static void
small_rises_and_unknown_levels_are_no_replacement(void **state)
{
	static const struct { int64_t from, to; } table[] = {
		{ 40, 54 },	/* less than 15 */
		{ 10, 49 },	/* not to 50 */
		{ -2, 100 },	/* unknown before */
		{ -3, 100 },
	};
	struct watched w;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&w);
		w.now.consumables[0].level = table[i].from;
		w.now.consumables[0].percent = table[i].from < 0 ? ABSENT :
		    table[i].from;
		w.now.consumables[0].state = table[i].from == -2 ?
		    SUPPLY_UNKNOWN : table[i].from == -3 ? SUPPLY_SOME :
		    SUPPLY_OK;
		step(&w, 0);
		kit_level(&w.now, 0, table[i].to);
		w.now.consumables[0].state = SUPPLY_OK;
		step(&w, HOUR);
		assert_false(w.c.again);
		step(&w, HOUR);
		assert_int_equal(w.told.consumables[0].replaced, ABSENT);
		assert_int_equal(w.told.consumables[0].level, table[i].to);
		end(&w);
	}
}

static void
pages_left_without_a_capacity(void **state)
{
	struct watched w;
	struct consumable *c;

	start(&w);
	c = &w.now.consumables[0];
	c->capacity = -2;
	c->percent = ABSENT;
	c->level = 0;
	c->state = SUPPLY_EMPTY;
	step(&w, 0);
	c->level = 5000;
	c->state = SUPPLY_OK;
	step(&w, MINUTE);
	assert_true(w.c.again);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables[0].replaced, w.time);
	end(&w);
}

/* "Some" (-3) is no number, but it does not make one forgotten. */
static void
a_number_after_some(void **state)
{
	static const struct { int64_t before, after; bool replaced; } table[] =
	{
		{ 60, 60, false },	/* -3 while it slept */
		{ 60, 74, false },
		{ 12, 100, true },
		{ 3, 100, true },
	};
	struct watched w;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&w);
		kit_level(&w.now, 0, table[i].before);
		step(&w, 0);
		kit_level(&w.now, 0, table[i].before);
		w.now.consumables[0].level = -3;
		w.now.consumables[0].percent = ABSENT;
		w.now.consumables[0].state = SUPPLY_SOME;
		step(&w, HOUR);
		assert_int_equal(w.told.consumables[0].level, -3);
		kit_level(&w.now, 0, table[i].after);
		step(&w, HOUR);
		assert_int_equal(w.c.again, table[i].replaced);
		step(&w, HOUR);
		assert_int_equal(w.told.consumables[0].replaced !=
		    ABSENT, table[i].replaced);
		end(&w);
	}
}

static void
set_pages(struct consumable *c, int64_t level, int64_t state)
{
	c->unit = 7;
	c->capacity = -2;
	c->percent = ABSENT;
	c->level = level;
	c->state = state;
}

/* Pages left: only what said low, empty or some, and says it no more. */
static void
pages_left_and_flags(void **state)
{
	static const struct {
		int64_t from, from_state, to, to_state;
		bool replaced;
	} table[] = {
		{ 0, SUPPLY_EMPTY, 5000, SUPPLY_OK, true },
		{ 200, SUPPLY_LOW, 5000, SUPPLY_OK, true },
		{ -3, SUPPLY_LOW, 5000, SUPPLY_OK, true },
		{ -3, SUPPLY_SOME, 5000, SUPPLY_OK, false },	/* of what? */
		{ -2, SUPPLY_LOW, 5000, SUPPLY_OK, false },
		{ -2, SUPPLY_UNKNOWN, 5000, SUPPLY_OK, false },
		{ ABSENT, SUPPLY_NOT_REPORTED, 5000, SUPPLY_OK, false },
		{ 200, SUPPLY_LOW, 150, SUPPLY_OK, false },
		{ 200, SUPPLY_LOW, 5000, SUPPLY_LOW, false },
		{ 200, SUPPLY_OK, 5000, SUPPLY_OK, false },
		{ 200, SUPPLY_LOW, -2, SUPPLY_UNKNOWN, false },
		{ 0, SUPPLY_EMPTY, -3, SUPPLY_SOME, false },
	};
	struct watched w;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&w);
		set_pages(&w.now.consumables[0], table[i].from,
		    table[i].from_state);
		step(&w, 0);
		set_pages(&w.now.consumables[0], table[i].to,
		    table[i].to_state);
		step(&w, HOUR);
		step(&w, HOUR);
		if ((w.told.consumables[0].replaced != ABSENT) !=
		    table[i].replaced)
			fail_msg("case %zu", i);
		end(&w);
	}
}

/* Whatever the levels do without a serial: replaced only where two readings
 * in a row are 15 points above the last number, at 50 or more. */
static void
replacements_are_proven(void **state)
{
	struct watched w;
	int64_t level, number = 80, replaced, last = 80;
	int i, n = 0;

	start(&w);
	consumable_clear(&w.now.consumables[1]);
	w.now.consumables_len = 1;
	step(&w, 0);
	srandom(11);
	for (i = 0; i < 5000; i++) {
		level = random() % 3 ? last : random() % 8 == 0 ? -2 :
		    random() % 8 == 0 ? -3 : random() % 101;
		kit_level(&w.now, 0, level);
		if (level < 0) {
			w.now.consumables[0].percent = ABSENT;
			w.now.consumables[0].state = level == -2 ?
			    SUPPLY_UNKNOWN : SUPPLY_SOME;
		}
		replaced = w.told.consumables[0].replaced;
		step(&w, HOUR);
		if (w.told.consumables[0].replaced != replaced) {
			n++;
			assert_true(level >= number + 15 && level >= 50);
			assert_true(last >= number + 15 && last >= 50);
		}
		/* What is suspected is not told: it is no number yet. */
		if (level != -3 && w.told.consumables[0].level == level)
			number = level == -2 ? 1000 : level;
		last = level;
	}
	assert_true(n > 50);
	end(&w);
}

/* A row with the index 0 is a row like any other. */
static void
a_row_numbered_nought_needs_two_readings_too(void **state)
{
	struct watched w;

	start(&w);
	w.now.consumables[0].index = 0;
	kit_level(&w.now, 0, 5);
	step(&w, 0);
	kit_level(&w.now, 0, 100);
	step(&w, HOUR);
	assert_true(w.c.again);
	assert_false(change_any(&w.c));
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables[0].replaced, w.time);
	end(&w);
}

static void
rows_that_go_are_told_and_forgotten(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	step(&w, 0);
	id = xstrdup(w.now.consumables[1].id);
	consumable_clear(&w.now.consumables[1]);
	w.now.consumables_len = 1;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_int_equal(w.c.due_ms, w.time + 30 * MINUTE);
	step(&w, 30 * MINUTE);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_string_equal(w.c.event.consumables[0].id, id);
	assert_string_equal(w.c.event.consumables[0].asset, KIT_ASSET);
	assert_int_equal(w.c.event.consumables[0].removed, w.time);
	assert_int_equal(w.told.consumables_len, 1);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	/* One that comes is a new one. */
	kit_consumable(&w.now.consumables[1], 2, "cyan", 60);
	w.now.consumables_len = 2;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.consumables_len, 1);
	assert_string_not_equal(w.c.event.consumables[0].id, id);
	assert_string_equal(w.c.event.consumables[0].colour, "cyan");
	free(id);
	end(&w);
}

/* --- replacements that are none ------------------------------------------ */

static void
an_other_unit_is_the_same_cartridge(void **state)
{
	struct watched w;
	struct consumable *c;

	start(&w);
	kit_level(&w.now, 0, 20);
	step(&w, 0);
	c = &w.now.consumables[0];
	c->unit = 7;
	c->capacity = 8000;
	c->level = 7800;
	c->percent = 98;
	c->state = SUPPLY_OK;
	step(&w, HOUR);
	assert_false(w.c.again);
	assert_int_equal(w.told.consumables[0].unit, 7);
	step(&w, HOUR);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, ABSENT);
	end(&w);
}

static void
cartridges_that_change_places_are_not_new(void **state)
{
	struct watched w;

	start(&w);
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	kit_text(&w.now.consumables[1].serial, "CRUM-2");
	kit_level(&w.now, 0, 10);
	kit_level(&w.now, 1, 90);
	step(&w, 0);
	kit_text(&w.now.consumables[0].serial, "CRUM-2");
	kit_text(&w.now.consumables[1].serial, "CRUM-1");
	kit_level(&w.now, 0, 90);
	kit_level(&w.now, 1, 10);
	step(&w, HOUR);
	assert_int_equal(w.c.event.consumables_len, 2);
	assert_string_equal(w.told.consumables[0].serial, "CRUM-2");
	assert_int_equal(w.told.consumables[0].replaced, ABSENT);
	assert_int_equal(w.told.consumables[1].replaced, ABSENT);
	/* One that moved, and a new one in its place. */
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	kit_text(&w.now.consumables[1].serial, "CRUM-3");
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, ABSENT);
	assert_int_equal(w.told.consumables[1].replaced, w.time);
	end(&w);
}

/* One serial on two rows (toner and drum in one): both are new. */
static void
one_cartridge_of_two_rows(void **state)
{
	struct watched w;

	start(&w);
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	kit_text(&w.now.consumables[1].serial, "CRUM-1");
	step(&w, 0);
	kit_text(&w.now.consumables[0].serial, "CRUM-2");
	kit_text(&w.now.consumables[1].serial, "CRUM-2");
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, w.time);
	assert_int_equal(w.told.consumables[1].replaced, w.time);
	end(&w);
}

static void
two_black_toners_change_places(void **state)
{
	static const struct {
		const char *colour;
		int64_t to;
		bool replaced;
	} table[] = {
		{ "black", 11, false },
		{ "black", 30, true },		/* the other did not fall */
		{ "cyan", 11, true },		/* and cannot have */
	};
	struct watched w;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&w);
		kit_text(&w.now.consumables[1].colour, table[i].colour);
		kit_level(&w.now, 0, 12);
		kit_level(&w.now, 1, 95);
		step(&w, 0);
		kit_level(&w.now, 0, 95);
		kit_level(&w.now, 1, table[i].to);
		step(&w, HOUR);
		assert_int_equal(w.c.again, table[i].replaced);
		step(&w, HOUR);
		assert_int_equal(w.told.consumables[0].replaced != ABSENT,
		    table[i].replaced);
		end(&w);
	}
}

static void
a_row_that_comes_back_is_the_same(void **state)
{
	struct watched w;
	struct consumable out;
	char *id;

	start(&w);
	kit_text(&w.now.consumables[1].serial, "CRUM-1");
	step(&w, 0);
	id = xstrdup(w.now.consumables[1].id);
	out = w.now.consumables[1];
	w.now.consumables_len = 1;
	step(&w, MINUTE);
	step(&w, 20 * MINUTE);
	assert_false(change_any(&w.c));
	w.now.consumables[1] = out;
	w.now.consumables_len = 2;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_int_equal(w.c.due_ms, 0);
	assert_string_equal(w.now.consumables[1].id, id);
	assert_int_equal(w.suspects.gone_ms, 0);
	/* Another one is put in after a while: that one is new. */
	out = w.now.consumables[1];
	w.now.consumables_len = 1;
	step(&w, MINUTE);
	step(&w, 20 * MINUTE);
	w.now.consumables[1] = out;
	w.now.consumables_len = 2;
	kit_text(&w.now.consumables[1].serial, "CRUM-2");
	step(&w, MINUTE);
	assert_string_equal(w.c.event.consumables[0].id, id);
	assert_int_equal(w.c.event.consumables[0].replaced, w.time);
	free(id);
	end(&w);
}

#define MISSING	(1 << 10)

/* markerSupplyMissing: the slot is empty for hours. */
static void
an_empty_slot_keeps_its_cartridge(void **state)
{
	struct watched w;
	struct consumable *c;

	start(&w);
	c = &w.now.consumables[0];
	kit_text(&c->serial, "CRUM-1");
	kit_level(&w.now, 0, 60);
	step(&w, 0);
	w.now.asset.errors = MISSING;
	kit_text(&c->serial, NULL);
	kit_level(&w.now, 0, 0);
	step(&w, HOUR);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].level, 60);
	assert_int_equal(w.told.consumables[0].state, SUPPLY_OK);
	assert_string_equal(w.told.consumables[0].serial, "CRUM-1");
	/* Back in: what is still remembered of the empty slot has to be read
	 * again. */
	w.now.asset.errors = 0;
	w.policy.levels_read = false;
	step(&w, MINUTE);
	assert_true(w.c.again);
	assert_int_equal(w.told.consumables[0].level, 60);
	w.policy.levels_read = true;
	kit_text(&c->serial, "CRUM-1");
	kit_level(&w.now, 0, 60);
	step(&w, MINUTE);
	assert_false(w.c.again);
	assert_int_equal(w.told.consumables[0].replaced, ABSENT);
	/* Out again, and another one in. */
	w.now.asset.errors = MISSING;
	kit_level(&w.now, 0, 0);
	step(&w, HOUR);
	w.now.asset.errors = 0;
	kit_text(&c->serial, "CRUM-2");
	kit_level(&w.now, 0, 100);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, w.time);
	end(&w);
}

/* Not said while nothing is left, the serial is not gone for that. */
static void
an_unknown_level_keeps_the_serial(void **state)
{
	struct watched w;
	struct consumable *c;

	start(&w);
	c = &w.now.consumables[0];
	kit_text(&c->serial, "CRUM-1");
	kit_text(&c->part_number, "XY-1");
	step(&w, 0);
	kit_text(&c->serial, NULL);
	kit_text(&c->part_number, NULL);
	c->level = -2;
	c->percent = ABSENT;
	c->state = SUPPLY_UNKNOWN;
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].state, SUPPLY_UNKNOWN);
	assert_string_equal(w.told.consumables[0].serial, "CRUM-1");
	assert_string_equal(w.told.consumables[0].part_number, "XY-1");
	kit_text(&c->serial, "CRUM-2");
	kit_level(&w.now, 0, 100);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, w.time);
	/* A cartridge without a chip has none. */
	kit_text(&c->serial, NULL);
	kit_level(&w.now, 0, 99);
	step(&w, HOUR);
	assert_null(w.told.consumables[0].serial);
	end(&w);
}

/* --- moments in which nothing is believed ---------------------------------- */

enum moment { BOOTING, WARMING, ASLEEP, OPEN, GOOD };

static void
set_moment(struct watched *w, enum moment moment)
{
	w->now.uptime = 90 * 24 * HOUR / 10;
	w->now.asset.state = ASSET_ONLINE;
	w->now.asset.printer_status = 3;
	w->now.asset.errors = 0;
	if (moment == BOOTING)
		w->now.uptime = 2 * MINUTE / 10;
	else if (moment == WARMING)
		w->now.asset.printer_status = 5;
	else if (moment == ASLEEP)
		w->now.asset.state = ASSET_ASLEEP;
	else if (moment == OPEN)
		w->now.asset.errors = MISSING;
}

static void
set_level(struct watched *w, int64_t level)
{
	kit_level(&w->now, 0, level);
	if (level >= 0)
		return;
	w->now.consumables[0].percent = ABSENT;
	w->now.consumables[0].state = level == -2 ? SUPPLY_UNKNOWN :
	    level == -3 ? SUPPLY_SOME : SUPPLY_NOT_REPORTED;
}

static void
a_fall_in_a_bad_moment_is_not_told(void **state)
{
	static const int64_t levels[] = { 0, -2, ABSENT };
	static const int64_t before[] = { 60, 12, -3 };
	struct watched w;
	size_t m, i, k;

	for (m = BOOTING; m <= OPEN; m++)
	for (i = 0; i < 3; i++)
	for (k = 0; k < 3; k++) {
		start(&w);
		set_level(&w, before[k]);
		w.now.total_pages = 1000;
		step(&w, 0);
		set_moment(&w, (enum moment)m);
		set_level(&w, levels[i]);
		step(&w, HOUR);
		/* Levels are not worth asking for in most of them. */
		assert_int_equal(w.c.again, m == BOOTING);
		step(&w, MINUTE);
		assert_int_equal(w.told.consumables[0].level, before[k]);
		assert_int_equal(w.c.event.consumables_len, 0);
		/* Over, and all is as before. */
		set_moment(&w, GOOD);
		w.policy.levels_read = false;
		step(&w, MINUTE);
		assert_true(w.c.again);
		assert_int_equal(w.told.consumables[0].level, before[k]);
		w.policy.levels_read = true;
		set_level(&w, before[k]);
		step(&w, MINUTE);
		assert_false(w.c.again);
		assert_false(w.suspects.doubted);
		assert_int_equal(w.told.consumables[0].replaced, ABSENT);
		end(&w);
	}
}

/* It was true: it is told when the moment is over, or proves none. */
static void
a_fall_that_lasts_is_told(void **state)
{
	struct watched w;
	size_t m;

	for (m = BOOTING; m <= OPEN; m++) {
		start(&w);
		set_level(&w, 60);
		w.now.total_pages = 1000;
		step(&w, 0);
		set_moment(&w, (enum moment)m);
		set_level(&w, 0);
		step(&w, HOUR);
		assert_int_equal(w.told.consumables[0].level, 60);
		if (m % 2 == 0) {
			set_moment(&w, GOOD);
			step(&w, MINUTE);
		} else {
			/* It prints. */
			w.now.total_pages += 2;
			step(&w, MINUTE);
			assert_int_equal(w.told.consumables[0].level, 60);
			w.now.total_pages += 2;
			step(&w, MINUTE);
		}
		assert_int_equal(w.told.consumables[0].state, SUPPLY_EMPTY);
		assert_false(w.suspects.doubted);
		end(&w);
	}
}

static void
what_other_signs_say_is_believed(void **state)
{
	struct watched w;

	/* Asleep, but its bits say that toner is wanted. */
	start(&w);
	set_level(&w, 60);
	step(&w, 0);
	set_moment(&w, ASLEEP);
	w.now.asset.errors = 1 << 3;
	set_level(&w, 0);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].state, SUPPLY_EMPTY);
	end(&w);
	/* It was low; now it is missed. */
	start(&w);
	set_level(&w, 4);
	step(&w, 0);
	set_moment(&w, OPEN);
	set_level(&w, 0);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].state, SUPPLY_EMPTY);
	end(&w);
	/* Another serial is another cartridge at any time. */
	start(&w);
	set_level(&w, 60);
	kit_text(&w.now.consumables[0].serial, "CRUM-1");
	step(&w, 0);
	set_moment(&w, BOOTING);
	kit_text(&w.now.consumables[0].serial, "CRUM-2");
	set_level(&w, -2);
	step(&w, HOUR);
	assert_int_equal(w.told.consumables[0].replaced, w.time);
	end(&w);
}

/* Changed while it was off: what it said meanwhile was no evidence. */
static void
replaced_while_it_was_off(void **state)
{
	struct watched w;

	start(&w);
	set_level(&w, 12);
	step(&w, 0);
	set_moment(&w, BOOTING);
	set_level(&w, -2);
	step(&w, HOUR);
	step(&w, MINUTE);
	set_level(&w, 100);
	step(&w, MINUTE);
	assert_true(w.c.again);
	step(&w, MINUTE);
	assert_int_equal(w.told.consumables[0].replaced, w.time);
	end(&w);
}

/* More rows rise than can be remembered: they wait, none is taken on trust. */
static void
many_new_cartridges_need_two_readings_each(void **state)
{
	struct watched w;
	struct consumable more[CHANGE_SUSPECTS + 4];
	size_t i, n = CHANGE_SUSPECTS + 4, replaced;
	int steps;

	start(&w);
	for (i = 0; i < w.now.consumables_len; i++)
		consumable_clear(&w.now.consumables[i]);
	free(w.now.consumables);
	w.now.consumables = more;
	w.now.consumables_len = n;
	for (i = 0; i < n; i++)
		kit_consumable(&more[i], (int64_t)i + 1, "black", 5);
	step(&w, 0);
	for (i = 0; i < n; i++)
		kit_level(&w.now, i, 100);
	step(&w, HOUR);
	assert_true(w.c.again);
	assert_false(change_any(&w.c));
	for (steps = 0; w.c.again; steps++)
		step(&w, MINUTE);
	assert_true(steps <= 3);
	for (i = 0, replaced = 0; i < n; i++)
		replaced += w.told.consumables[i].replaced != ABSENT;
	assert_int_equal(replaced, n);
	for (i = 0; i < n; i++)
		consumable_clear(&more[i]);
	w.now.consumables = NULL;
	w.now.consumables_len = 0;
	end(&w);
}

/* --- alerts -------------------------------------------------------------- */

static void
alerts_rise_go_on_and_clear(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	step(&w, 0);
	kit_alert(&w.now.alerts[0], 7, 8, 3);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].raised, w.time);
	assert_int_equal(w.c.event.alerts[0].cleared, ABSENT);
	assert_int_equal(w.c.event.alerts[0].pages, 1000);
	assert_string_equal(w.c.event.alerts[0].asset, KIT_ASSET);
	id = xstrdup(w.c.event.alerts[0].id);
	assert_true(uuid_valid(id));
	/* The printer restarts: another index, another time. */
	w.now.uptime = 5000;
	w.now.alerts[0].index = 1;
	w.now.alerts[0].raised = w.time + 30000;
	w.now.alerts[0].time_ticks = 2000;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_string_equal(w.now.alerts[0].id, id);
	/* The words change with the language. */
	kit_text(&w.now.alerts[0].description, "Papierstau");
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_equal(w.c.event.alerts[0].id, id);
	assert_string_equal(w.c.event.alerts[0].description, "Papierstau");
	assert_int_equal(w.c.event.alerts[0].raised, ABSENT);
	alert_clear(&w.now.alerts[0]);
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_equal(w.c.event.alerts[0].id, id);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	assert_int_equal(w.told.alerts_len, 0);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	free(id);
	end(&w);
}

static void
the_same_again_is_another_alert(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 8, 3);
	w.now.alerts_len = 1;
	step(&w, 0);
	id = xstrdup(w.c.event.alerts[0].id);
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	w.now.alerts_len = 1;
	w.now.alerts[0].raised = ABSENT;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_not_equal(w.c.event.alerts[0].id, id);
	free(id);
	end(&w);
}

/* It went and came back between two looks: the first has ended. */
static void
the_same_again_unseen(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 8, 3);
	w.now.alerts_len = 1;
	step(&w, 0);
	id = xstrdup(w.c.event.alerts[0].id);
	/* A little later by the ticks is the same moment. */
	w.now.alerts[0].index = 9;
	w.now.alerts[0].raised = w.time + 1500;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	w.now.alerts[0].index = 10;
	w.now.alerts[0].raised = w.time - 5000;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 2);
	assert_string_not_equal(w.c.event.alerts[0].id, id);
	assert_int_equal(w.c.event.alerts[0].cleared, ABSENT);
	assert_string_equal(w.c.event.alerts[1].id, id);
	assert_int_equal(w.c.event.alerts[1].cleared, w.time);
	assert_int_equal(w.told.alerts_len, 1);
	free(id);
	end(&w);
}

/* An index used once more: a row that was made after we had looked. */
static void
an_index_used_again(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	w.now.uptime = 10000000;
	kit_alert(&w.now.alerts[0], 1, 8, 3);
	w.now.alerts[0].raised = KIT_TIME - MINUTE;
	w.now.alerts_len = 1;
	step(&w, 0);
	id = xstrdup(w.c.event.alerts[0].id);
	w.now.uptime += 6000;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	/* Our clock is set forward by an hour, and everything with it. */
	w.now.uptime += 6000;
	w.now.alerts[0].raised += HOUR;
	step(&w, HOUR + MINUTE);
	assert_false(change_any(&w.c));
	/* A time of just now proves nothing. */
	w.now.uptime += 6000;
	w.now.alerts[0].raised = w.time + MINUTE - 1000;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	w.now.uptime += 6000;
	w.now.alerts[0].raised = w.time + MINUTE / 2;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 2);
	assert_string_not_equal(w.c.event.alerts[0].id, id);
	assert_string_equal(w.c.event.alerts[1].id, id);
	assert_int_equal(w.c.event.alerts[1].cleared, w.time);
	free(id);
	end(&w);
}

/* After a restart, what comes late comes anew. */
static void
a_restart_ends_what_it_does_not_raise(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	w.now.uptime = 10000000;
	kit_alert(&w.now.alerts[0], 5, 8, 3);
	w.now.alerts[0].raised = KIT_TIME - HOUR;
	w.now.alerts_len = 1;
	step(&w, 0);
	id = xstrdup(w.c.event.alerts[0].id);
	w.now.uptime = 2 * 360000;
	w.now.alerts[0].raised = KIT_TIME + 2 * HOUR;
	w.now.alerts[0].index = 1;
	step(&w, 3 * HOUR);
	assert_int_equal(w.c.event.alerts_len, 2);
	assert_string_not_equal(w.c.event.alerts[0].id, id);
	free(id);
	end(&w);
}

/* Rows in another order, of positions for indexes: each stays itself. */
static void
rows_in_another_order(void **state)
{
	struct watched w;
	struct alert swap;
	char *id[3];
	int i;

	start(&w);
	for (i = 0; i < 3; i++) {
		kit_alert(&w.now.alerts[i], i + 1, 12, 5);
		w.now.alerts[i].raised = KIT_TIME - (i + 1) * MINUTE;
		kit_text(&w.now.alerts[i].description, i == 0 ? "cyan low" :
		    i == 1 ? "magenta low" : "yellow low");
	}
	w.now.alerts_len = 3;
	step(&w, 0);
	for (i = 0; i < 3; i++)
		id[i] = xstrdup(w.now.alerts[i].id);
	swap = w.now.alerts[0];
	w.now.alerts[0] = w.now.alerts[2];
	w.now.alerts[2] = swap;
	for (i = 0; i < 3; i++)
		w.now.alerts[i].index = i + 1;
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	assert_string_equal(w.now.alerts[0].id, id[2]);
	/* The one in the middle ends, the last moves up. */
	alert_clear(&w.now.alerts[1]);
	w.now.alerts[1] = w.now.alerts[2];
	w.now.alerts[1].index = 2;
	w.now.alerts_len = 2;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_equal(w.c.event.alerts[0].id, id[1]);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	for (i = 0; i < 3; i++)
		free(id[i]);
	end(&w);
}

/* What nobody wants to hear of is not told; what was told before the rule
 * came ends. */
static void
ignored_alerts_are_not_told(void **state)
{
	struct ignore *ignore = ignore_new_default();
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 1, 23, 5);
	kit_alert(&w.now.alerts[1], 2, 8, 3);
	w.now.alerts_len = 2;
	step(&w, 0);
	assert_int_equal(w.told.alerts_len, 2);
	w.policy.ignore = ignore;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	assert_int_equal(w.told.alerts_len, 1);
	assert_int_equal(w.told.alerts[0].code, 8);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	ignore_free(ignore);
	end(&w);
}

/* --- alerts of a sleeping printer ----------------------------------------- */

static void
sleep_hides_the_table(void **state)
{
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 1, 8, 3);
	kit_alert(&w.now.alerts[1], 2, 29, 4);
	w.now.alerts_len = 2;
	step(&w, 0);
	w.now.asset.state = ASSET_ASLEEP;
	w.now.alerts_len = 0;
	step(&w, HOUR);
	assert_int_equal(w.c.event.alerts_len, 0);
	/* The event ends by its own rule all the same. */
	step(&w, 25 * HOUR);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.told.alerts_len, 1);
	w.now.asset.state = ASSET_ONLINE;
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	/* It sleeps again, and wakes before its table does. */
	w.now.asset.state = ASSET_ASLEEP;
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	w.now.asset.state = ASSET_ONLINE;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	assert_int_equal(w.c.due_ms, w.time + 1);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	assert_int_equal(w.c.due_ms, 0);
	/* It wakes without. */
	w.now.asset.state = ASSET_ASLEEP;
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	w.now.asset.state = ASSET_ONLINE;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	alert_clear(&w.now.alerts[0]);
	alert_clear(&w.now.alerts[1]);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	end(&w);
}

/* Some are never anything but "asleep" and show their alerts: there the end
 * of a row is the end. */
static void
sleep_that_shows_the_table(void **state)
{
	struct watched w;

	start(&w);
	w.now.asset.state = ASSET_ASLEEP;
	step(&w, 0);
	kit_alert(&w.now.alerts[0], 1, 8, 3);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.told.alerts_len, 1);
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	alert_clear(&w.now.alerts[0]);
	end(&w);
}

/* --- alerts of the error bits ---------------------------------------------- */

static void
kit_bit(struct alert *a, int64_t group, int64_t code, int64_t severity)
{
	alert_init(a);
	a->source = ALERT_ERROR_BITS;
	a->group = group;
	a->code = code;
	a->severity = severity;
	a->description = xstrdup("by its bit");
}

static void
a_bit_stands_until_it_falls(void **state)
{
	struct watched w;

	start(&w);
	step(&w, 0);
	kit_bit(&w.now.alerts[0], 8, 808, 5);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].raised, w.time);
	assert_int_equal(w.c.event.alerts[0].source, ALERT_ERROR_BITS);
	/* Months. */
	step(&w, 2000 * HOUR);
	assert_int_equal(w.c.event.alerts_len, 0);
	/* The printer stops for it. */
	w.now.alerts[0].severity = 3;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].severity, 3);
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	alert_clear(&w.now.alerts[0]);
	end(&w);
}

/* A row that comes for the bit, and goes before it: one alert. */
static void
a_bit_and_its_row_are_one(void **state)
{
	struct watched w;
	char *id;

	start(&w);
	step(&w, 0);
	kit_bit(&w.now.alerts[0], 8, 808, 5);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	id = xstrdup(w.c.event.alerts[0].id);
	alert_clear(&w.now.alerts[0]);
	kit_alert(&w.now.alerts[0], 4, 808, 3);
	w.now.alerts[0].source = ALERT_ROW;
	w.now.alerts[0].group = 8;
	w.now.alerts[0].group_index = 2;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_equal(w.c.event.alerts[0].id, id);
	assert_int_equal(w.c.event.alerts[0].source, ALERT_ROW);
	assert_int_equal(w.c.event.alerts[0].index, 4);
	assert_int_equal(w.c.event.alerts[0].group_index, 2);
	assert_int_equal(w.c.event.alerts[0].raised, ABSENT);
	alert_clear(&w.now.alerts[0]);
	kit_bit(&w.now.alerts[0], 8, 808, 5);
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 0);
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_string_equal(w.c.event.alerts[0].id, id);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	alert_clear(&w.now.alerts[0]);
	free(id);
	end(&w);
}

/* Lie 12: lowPaper that was there from the start is no news, and one that
 * was seen to come is an event. */
static void
low_paper_for_ever(void **state)
{
	struct watched w;
	int i;

	start(&w);
	w.now.asset.errors = 1;
	kit_bit(&w.now.alerts[0], 8, 807, 4);
	w.now.alerts_len = 1;
	for (i = 0; i < 9; i++) {
		step(&w, 10 * HOUR);
		assert_int_equal(w.c.event.alerts_len, 0);
	}
	w.now.asset.errors = 0;
	w.now.alerts_len = 0;
	step(&w, MINUTE);
	w.now.asset.errors = 1;
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	step(&w, 25 * HOUR);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	for (i = 0; i < 9; i++) {
		step(&w, 10 * HOUR);
		assert_int_equal(w.c.event.alerts_len, 0);
	}
	alert_clear(&w.now.alerts[0]);
	w.now.alerts_len = 0;
	end(&w);
}

static void
twins_are_two(void **state)
{
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 8, 3);
	kit_alert(&w.now.alerts[1], 8, 8, 3);
	w.now.alerts_len = 2;
	step(&w, 0);
	assert_int_equal(w.c.event.alerts_len, 2);
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	alert_clear(&w.now.alerts[1]);
	w.now.alerts_len = 1;
	step(&w, MINUTE);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.told.alerts_len, 1);
	end(&w);
}

/* An event in the table (unary) stays until it is pushed out; it is not
 * active for ever. */
static void
an_event_ends_after_a_day(void **state)
{
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 30, 4);
	w.now.alerts_len = 1;
	step(&w, 0);
	assert_int_equal(w.c.event.alerts[0].cleared, ABSENT);
	step(&w, CHANGE_UNARY_MS);
	assert_false(change_any(&w.c));
	step(&w, 1);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].cleared, w.time);
	assert_int_equal(w.c.event.alerts[0].code, ABSENT);
	step(&w, HOUR);
	assert_false(change_any(&w.c));
	/* When the row goes at last there is no more to say. */
	alert_clear(&w.now.alerts[0]);
	w.now.alerts_len = 0;
	step(&w, HOUR);
	assert_int_equal(w.c.event.alerts_len, 0);
	assert_int_equal(w.c.forget_len, 1);
	end(&w);
}

static void
an_old_event_comes_with_its_end(void **state)
{
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 30, 4);
	w.now.alerts[0].raised = KIT_TIME - 48 * HOUR;
	w.now.alerts_len = 1;
	step(&w, 0);
	assert_int_equal(w.c.event.alerts_len, 1);
	assert_int_equal(w.c.event.alerts[0].cleared, KIT_TIME - 48 * HOUR);
	step(&w, HOUR);
	assert_false(change_any(&w.c));
	end(&w);
}

static void
no_alert_is_from_the_future(void **state)
{
	struct watched w;

	start(&w);
	kit_alert(&w.now.alerts[0], 7, 8, 3);
	w.now.alerts[0].raised = KIT_TIME + HOUR;
	w.now.alerts_len = 1;
	step(&w, 0);
	assert_int_equal(w.c.event.alerts[0].raised, KIT_TIME);
	end(&w);
}

/* --- gone and back ------------------------------------------------------- */

static void
unreachable_is_told_once_and_so_is_its_end(void **state)
{
	struct watched w;

	start(&w);
	change_unreachable(&w.told, w.time, &w.c);
	assert_false(change_any(&w.c));		/* never seen */
	step(&w, 0);
	change_clear(&w.c);
	change_unreachable(&w.told, w.time + MINUTE, &w.c);
	take_told(&w);
	assert_xml(&w.c.event, ASSET_0 "<state>unreachable</state><time>"
	    TIME_1 "</time></asset>");
	assert_int_equal(w.told.assets[0].counters_len, 2);
	change_clear(&w.c);
	change_unreachable(&w.told, w.time + MINUTE, &w.c);
	assert_false(change_any(&w.c));
	step(&w, MINUTE);
	assert_xml(&w.c.event, ASSET_0 "<state>online</state><time>" TIME_1
	    "</time></asset>");
	step(&w, MINUTE);
	assert_false(change_any(&w.c));
	end(&w);
}

/* --- any sequence of states ---------------------------------------------- */

/* The centre's view: applies reports as they come, the urgent ones first, and
 * lets no older reading replace a newer one. */
struct view {
	struct report	 all;
	int64_t		 counter_turn[RECORD_COUNTERS_MAX];
	int64_t		*turn;		/* of each consumable's reading */
	int		 serials, models, descriptions, stale;
};

static void
view_asset(struct view *v, const struct asset *change, int64_t turn)
{
	struct asset *a;
	struct counter *c;
	size_t j;

	if (v->all.assets_len == 0)
		report_asset(&v->all);
	a = &v->all.assets[0];
	record_apply(asset_fields, a, change);
	for (j = 0; j < change->counters_len; j++) {
		c = asset_counter(a, change->counters[j].name);
		if (c == NULL)
			c = asset_counter_add(a, change->counters[j].name);
		if (v->counter_turn[c - a->counters] > turn) {
			v->stale++;
			continue;
		}
		v->counter_turn[c - a->counters] = turn;
		record_apply(counter_fields, c, &change->counters[j]);
	}
	v->serials += change->serial != NULL;
	v->models += change->model != NULL;
}

static bool
reads(const struct consumable *c)
{
	return c->level != ABSENT || c->percent != ABSENT;
}

static void
view_consumable(struct view *v, const struct consumable *change, int64_t turn)
{
	struct consumable *c = NULL, part;
	size_t j;

	for (j = 0; j < v->all.consumables_len; j++)
		if (strcmp(v->all.consumables[j].id, change->id) == 0)
			c = &v->all.consumables[j];
	if (c == NULL) {
		c = report_consumable(&v->all);
		v->turn = xreallocarray(v->turn, v->all.consumables_len,
		    sizeof(*v->turn));
		v->turn[c - v->all.consumables] = 0;
	}
	consumable_init(&part);
	record_copy(consumable_fields, &part, change);
	if (reads(change) && v->turn[c - v->all.consumables] > turn) {
		v->stale++;
		part.level = part.percent = ABSENT;
	} else if (reads(change))
		v->turn[c - v->all.consumables] = turn;
	record_apply(consumable_fields, c, &part);
	consumable_clear(&part);
	v->descriptions += change->description != NULL;
}

static void
view_alert(struct view *v, const struct alert *change)
{
	struct alert *a = NULL;
	size_t j;

	for (j = 0; j < v->all.alerts_len; j++)
		if (strcmp(v->all.alerts[j].id, change->id) == 0)
			a = &v->all.alerts[j];
	if (a == NULL)
		a = report_alert(&v->all);
	record_apply(alert_fields, a, change);
}

static void
view_lane(struct view *v, struct store *st, enum lane lane)
{
	struct outbox_lane numbers;
	struct report one;
	int64_t after;
	size_t i;

	outbox_numbers(st, lane, &numbers);
	after = numbers.acked_seq;
	while (kit_next(st, lane, after, &one) == 1) {
		for (i = 0; i < one.assets_len; i++)
			view_asset(v, &one.assets[i], one.turn);
		for (i = 0; i < one.consumables_len; i++)
			view_consumable(v, &one.consumables[i], one.turn);
		for (i = 0; i < one.alerts_len; i++)
			view_alert(v, &one.alerts[i]);
		after = one.seq;
		report_clear(&one);
	}
	assert_int_equal(outbox_ack(st, lane, after), 0);
}

static void
view_outbox(struct view *v, struct store *st)
{
	view_lane(v, st, LANE_URGENT);
	view_lane(v, st, LANE_BULK);
}

/* Stamps go along with other changes and may be older than what was told;
 * everything else must be the same. */
static void
assert_same(const struct field *f, const void *told, const void *seen)
{
	char *a, *b;

	for (; f->name != NULL; f++) {
		if (f->class == FIELD_STAMP || f->probe_only)
			continue;
		a = field_format(f, told);
		b = field_format(f, seen);
		if (strcmp_null(a, b) != 0)
			fail_msg("%s: told \"%s\", seen \"%s\"", f->name,
			    a == NULL ? "-" : a, b == NULL ? "-" : b);
		free(a);
		free(b);
	}
}

static void
compare(const struct report *told, const struct view *v)
{
	size_t i, j, standing = 0, open = 0, told_open = 0;

	assert_int_equal(told->assets_len, v->all.assets_len);
	if (told->assets_len == 0)
		return;
	assert_same(asset_fields, &told->assets[0], &v->all.assets[0]);
	assert_int_equal(told->assets[0].counters_len,
	    v->all.assets[0].counters_len);
	for (i = 0; i < told->assets[0].counters_len; i++)
		assert_same(counter_fields, &told->assets[0].counters[i],
		    asset_counter(&v->all.assets[0],
		    told->assets[0].counters[i].name));
	for (i = 0; i < told->consumables_len; i++) {
		for (j = 0; j < v->all.consumables_len; j++)
			if (strcmp(told->consumables[i].id,
			    v->all.consumables[j].id) == 0)
				break;
		assert_true(j < v->all.consumables_len);
		assert_same(consumable_fields, &told->consumables[i],
		    &v->all.consumables[j]);
	}
	for (j = 0; j < v->all.consumables_len; j++)
		standing += v->all.consumables[j].removed == ABSENT;
	assert_int_equal(standing, told->consumables_len);
	for (i = 0; i < told->alerts_len; i++) {
		for (j = 0; j < v->all.alerts_len; j++)
			if (strcmp(told->alerts[i].id,
			    v->all.alerts[j].id) == 0)
				break;
		assert_true(j < v->all.alerts_len);
		assert_same(alert_fields, &told->alerts[i],
		    &v->all.alerts[j]);
		told_open += told->alerts[i].cleared == ABSENT;
	}
	for (j = 0; j < v->all.alerts_len; j++)
		open += v->all.alerts[j].cleared == ABSENT;
	assert_int_equal(open, told_open);
}

static bool
chance(int in)
{
	return random() % in == 0;
}

static void
mutate_supplies(struct printer *p)
{
	static const char *const colours[] = { "black", "cyan", "magenta",
	    "yellow", "waste", "drum" };
	size_t i;

	for (i = 0; i < p->consumables_len; i++) {
		struct consumable *c = &p->consumables[i];

		if (chance(4) && c->level > 0)
			kit_level(p, i, c->level - 1);
		if (chance(12))
			kit_level(p, i, 100);
		if (chance(20)) {
			c->level = -3;
			c->percent = ABSENT;
			c->state = SUPPLY_SOME;
		}
		if (chance(30))
			kit_text(&c->serial, chance(2) ? NULL : chance(2) ?
			    "SN-A" : "SN-B");
	}
	if (chance(25) && p->consumables_len > 0)
		consumable_clear(&p->consumables[--p->consumables_len]);
	if (chance(15) && p->consumables_len < 6) {
		i = p->consumables_len++;
		kit_consumable(&p->consumables[i], (int64_t)i + 1, colours[i],
		    random() % 101);
	}
}

static void
mutate_alerts(struct printer *p)
{
	size_t i;

	if (chance(6) && p->alerts_len < 4)
		kit_alert(&p->alerts[p->alerts_len++], random() % 90,
		    random() % 3 + 8, chance(3) ? 4 : 5);
	if (chance(6) && p->alerts_len > 0) {
		i = (size_t)random() % p->alerts_len;
		alert_clear(&p->alerts[i]);
		p->alerts[i] = p->alerts[--p->alerts_len];
	}
	if (chance(20) && p->alerts_len > 0)
		kit_text(&p->alerts[0].description, chance(2) ? "x" : "y<&'");
}

static void
mutate(struct printer *p)
{
	static const char *const places[] = { "Hall", "Cellar & co", NULL,
	    "<b>", "R\xc3\xa4um'\"" };
	struct asset *a = &p->asset;

	if (chance(3)) {
		p->total_pages += random() % 50;
		kit_counter(a, "total", p->total_pages);
	}
	if (chance(10))
		kit_counter(a, chance(2) ? "colour" : "scan", random() % 9999);
	if (chance(10))
		kit_text(&a->location, places[random() % 5]);
	if (chance(15))
		a->errors = chance(2) ? 0 : chance(9) ? ABSENT :
		    random() % (1 << ERROR_BITS);
	if (chance(15))
		a->printer_status = random() % 6 + 1;
	if (chance(40))
		kit_text(&a->hostname, chance(2) ? NULL : "renamed");
	mutate_supplies(p);
	mutate_alerts(p);
}

static void
write_step(struct store *st, const struct change *c)
{
	size_t i;

	assert_int_equal(store_begin(st), 0);
	assert_true(outbox_append(st, &c->event, LANE_URGENT, KIT_ASSET) >= 0);
	assert_true(outbox_append(st, &c->detail, LANE_BULK,
	    KIT_ASSET) >= 0);
	for (i = 0; i < c->told.assets_len; i++)
		assert_int_equal(known_tell_asset(st,
		    &c->told.assets[i]), 0);
	for (i = 0; i < c->told.consumables_len; i++)
		assert_int_equal(known_tell_consumable(st,
		    &c->told.consumables[i]), 0);
	for (i = 0; i < c->told.alerts_len; i++)
		assert_int_equal(known_tell_alert(st, &c->told.alerts[i]), 0);
	for (i = 0; i < c->forget_len; i++)
		assert_int_equal(known_forget(st, KIT_ASSET,
		    c->forget[i]), 0);
	if (chance(3))
		assert_true(squeeze_outbox(st, 1) >= 0);
	if (chance(8))
		store_rollback(st);	/* the step did not happen */
	else
		assert_int_equal(store_commit(st), 0);
}

static int stale;

/* One life of a printer, seeded: what is told, carried by the store, and the
 * view that its reports make are the same at every look. */
static void
live(unsigned seed, int steps)
{
	struct store *st = store_open(kit_dir);
	struct view view = { 0 };
	struct watched w;
	int i;

	assert_non_null(st);
	srandom(seed);
	start(&w);
	report_init(&view.all);
	for (i = 0; i < steps; i++) {
		mutate(&w.now);
		w.policy.levels_read = !chance(3);
		w.time += random() % (20 * MINUTE);
		report_clear(&w.told);
		assert_int_equal(known_told(st, KIT_ASSET, &w.told), 0);
		change_clear(&w.c);
		if (chance(12))
			change_unreachable(&w.told, w.time, &w.c);
		else
			change_find(&w.told, &w.now, &w.state, &w.policy,
			    w.time, &w.c);
		write_step(st, &w.c);
		/* Offline now and then, so that there is enough to squeeze. */
		if (!chance(seed % 2 == 0 ? 10 : 150) && i < steps - 1)
			continue;
		view_outbox(&view, st);
		report_clear(&w.told);
		assert_int_equal(known_told(st, KIT_ASSET, &w.told), 0);
		compare(&w.told, &view);
	}
	assert_int_equal(view.serials, 1);
	assert_int_equal(view.models, 1);
	/* Each supply once: those that stand and those that went. */
	assert_int_equal(view.descriptions, view.all.consumables_len);
	stale += view.stale;
	report_clear(&view.all);
	free(view.turn);
	end(&w);
	store_close(st);
}

static void
any_life_can_be_followed(void **state)
{
	unsigned seed;

	for (seed = 1; seed <= 12; seed++) {
		live(seed, 250);
		assert_int_equal(kit_dir_remove(NULL), 0);
		assert_int_equal(mkdir(kit_dir, 0700), 0);
	}
	assert_true(stale > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_told_at_first),
		cmocka_unit_test(nothing_new_is_nothing),
		cmocka_unit_test(a_changed_location_is_just_that),
		cmocka_unit_test(states_are_told_at_once),
		cmocka_unit_test(counters_wait_for_their_interval),
		cmocka_unit_test(held_back_counters_stay_held_back),
		cmocka_unit_test(a_counter_keeps_its_source),
		cmocka_unit_test(a_new_counter_and_a_smaller_one_are_told),
		cmocka_unit_test(only_a_full_counter_runs_over),
		cmocka_unit_test(a_leap_back_is_an_epoch_too),
		cmocka_unit_test(another_unit_is_another_series),
		cmocka_unit_test(a_lost_source_is_given_up),
		cmocka_unit_test(a_source_that_returns_is_kept),
		cmocka_unit_test(differences_are_never_negative),
		cmocka_unit_test(levels_wait_for_their_interval),
		cmocka_unit_test(a_level_that_means_something_goes_at_once),
		cmocka_unit_test(what_goes_at_once_says_both_readings),
		cmocka_unit_test(a_clock_set_back_silences_nobody),
		cmocka_unit_test(another_serial_is_another_cartridge),
		cmocka_unit_test(the_same_serial_is_the_same_cartridge),
		cmocka_unit_test(a_risen_level_needs_a_second_reading),
		cmocka_unit_test(a_level_that_falls_back_was_a_mistake),
		cmocka_unit_test(
		    small_rises_and_unknown_levels_are_no_replacement),
		cmocka_unit_test(pages_left_without_a_capacity),
		cmocka_unit_test(a_number_after_some),
		cmocka_unit_test(pages_left_and_flags),
		cmocka_unit_test(replacements_are_proven),
		cmocka_unit_test(a_row_numbered_nought_needs_two_readings_too),
		cmocka_unit_test(rows_that_go_are_told_and_forgotten),
		cmocka_unit_test(an_other_unit_is_the_same_cartridge),
		cmocka_unit_test(cartridges_that_change_places_are_not_new),
		cmocka_unit_test(one_cartridge_of_two_rows),
		cmocka_unit_test(two_black_toners_change_places),
		cmocka_unit_test(a_row_that_comes_back_is_the_same),
		cmocka_unit_test(an_empty_slot_keeps_its_cartridge),
		cmocka_unit_test(an_unknown_level_keeps_the_serial),
		cmocka_unit_test(a_fall_in_a_bad_moment_is_not_told),
		cmocka_unit_test(a_fall_that_lasts_is_told),
		cmocka_unit_test(what_other_signs_say_is_believed),
		cmocka_unit_test(replaced_while_it_was_off),
		cmocka_unit_test(many_new_cartridges_need_two_readings_each),
		cmocka_unit_test(alerts_rise_go_on_and_clear),
		cmocka_unit_test(the_same_again_is_another_alert),
		cmocka_unit_test(the_same_again_unseen),
		cmocka_unit_test(an_index_used_again),
		cmocka_unit_test(a_restart_ends_what_it_does_not_raise),
		cmocka_unit_test(rows_in_another_order),
		cmocka_unit_test(ignored_alerts_are_not_told),
		cmocka_unit_test(sleep_hides_the_table),
		cmocka_unit_test(sleep_that_shows_the_table),
		cmocka_unit_test(a_bit_stands_until_it_falls),
		cmocka_unit_test(a_bit_and_its_row_are_one),
		cmocka_unit_test(low_paper_for_ever),
		cmocka_unit_test(twins_are_two),
		cmocka_unit_test(an_event_ends_after_a_day),
		cmocka_unit_test(an_old_event_comes_with_its_end),
		cmocka_unit_test(no_alert_is_from_the_future),
		cmocka_unit_test(unreachable_is_told_once_and_so_is_its_end),
		cmocka_unit_test_setup_teardown(any_life_can_be_followed,
		    kit_dir_make, kit_dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
