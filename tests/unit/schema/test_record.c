/* Records, their fields as text, changes, and their JSON. */
#include "schema/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "schema/field.h"
#include "schema/recjson.h"
#include "tests/unit/schema/fill.h"

#define EVERY	(1u << FIELD_IDENTITY | 1u << FIELD_STATE | 1u << FIELD_READING)

union any {
	struct asset		asset;
	struct consumable	consumable;
	struct alert		alert;
	struct agent		agent;
	struct counter		counter;
};

static const struct field *const tables[] = { asset_fields,
    consumable_fields, alert_fields, agent_fields, counter_fields };
#define TABLES	(sizeof tables / sizeof tables[0])

static void
assert_same(const struct field *f, const void *a, const void *b)
{
	for (; f->name != NULL; f++)
		if (!field_equal(f, a, b))
			fail_msg("%s differs", f->name);
}

static void
test_init_clear(void **state)
{
	union any r;
	const struct field *f;
	size_t i;

	for (i = 0; i < TABLES; i++) {
		memset(&r, 0x55, sizeof r);
		record_init(tables[i], &r);
		for (f = tables[i]; f->name != NULL; f++)
			assert_true(field_absent(f, &r));
		fill_record(tables[i], &r, false);
		for (f = tables[i]; f->name != NULL; f++)
			assert_false(field_absent(f, &r));
		record_clear(tables[i], &r);
		for (f = tables[i]; f->name != NULL; f++)
			assert_true(field_absent(f, &r));
	}
}

static void
test_counters(void **state)
{
	struct asset a, b;
	struct counter *c;
	char name[32];
	int i;

	asset_init(&a);
	asset_init(&b);
	assert_null(asset_counter(&a, "total"));
	c = asset_counter_add(&a, "total");
	assert_true(c->value == ABSENT);
	c->value = 7;
	c->oid = xstrdup("1.3.6");
	for (i = 1; i < RECORD_COUNTERS_MAX; i++) {
		snprintf(name, sizeof name, "c%d", i);
		assert_non_null(asset_counter_add(&a, name));
	}
	assert_null(asset_counter_add(&a, "more"));
	assert_true(asset_counter(&a, "total")->value == 7);
	assert_string_equal(asset_counter(&a, "c63")->name, "c63");
	asset_counter_add(&b, "old");
	asset_copy_counters(&b, &a);
	assert_int_equal(b.counters_len, RECORD_COUNTERS_MAX);
	assert_null(asset_counter(&b, "old"));
	assert_string_equal(asset_counter(&b, "total")->oid, "1.3.6");
	asset_clear(&a);
	assert_int_equal(a.counters_len, 0);
	asset_clear(&b);
	asset_clear(&b);
}

static void
test_keywords(void **state)
{
	struct consumable c;

	consumable_init(&c);
	c.state = SUPPLY_EMPTY;
	c.class = CLASS_CONSUMED;
	assert_string_equal(words_supply_shown(&c), "empty");
	c.class = CLASS_FILLED;
	assert_string_equal(words_supply_shown(&c), "full");
	c.state = SUPPLY_LOW;
	assert_string_equal(words_supply_shown(&c), "low");
	assert_string_equal(keyword_of(words_alert_code, 8), "jam");
	assert_null(keyword_of(words_alert_code, 30203));
	assert_int_equal(keyword_value(words_unit, "sheets"), 8);
	assert_int_equal(keyword_value(words_unit, "42"), 42);
	assert_int_equal(keyword_value(words_unit, "-2147483648"), INT32_MIN);
	assert_true(keyword_value(words_unit, "2147483648") == ABSENT);
	assert_true(keyword_value(words_unit, "Sheets") == ABSENT);
	assert_true(keyword_value(words_unit, "") == ABSENT);
	assert_true(keyword_value(words_unit, "-") == ABSENT);
	assert_true(keyword_value(words_unit, "4 2") == ABSENT);
	assert_true(keyword_value(words_unit,
	    "99999999999999999999999") == ABSENT);
}

static void
test_format_parse(void **state)
{
	union any r, back;
	const struct field *f;
	char *text;
	size_t i;
	int round;

	srandom(1);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < TABLES; i++) {
			record_init(tables[i], &r);
			record_init(tables[i], &back);
			fill_record(tables[i], &r, round % 2 != 0);
			for (f = tables[i]; f->name != NULL; f++) {
				text = field_format(f, &r);
				assert_true((text == NULL) ==
				    field_absent(f, &r));
				if (text != NULL &&
				    field_parse(f, &back, text) == -1)
					fail_msg("%s: %s", f->name, text);
				free(text);
			}
			assert_same(tables[i], &r, &back);
			record_clear(tables[i], &r);
			record_clear(tables[i], &back);
		}
	}
}

static void
test_errors(void **state)
{
	const struct field *f = field_find(asset_fields, "errors");
	struct asset a;
	char *text;

	asset_init(&a);
	assert_null(field_format(f, &a));
	a.errors = 0;
	text = field_format(f, &a);
	assert_string_equal(text, "none");
	free(text);
	a.errors = 1 << 5 | 1 << 1 | INT64_C(1) << 40;
	text = field_format(f, &a);
	assert_string_equal(text, "noPaper jammed");
	free(text);
	assert_int_equal(field_parse(f, &a, "none"), 0);
	assert_true(a.errors == 0);
	assert_int_equal(field_parse(f, &a, ""), 0);
	assert_true(a.errors == CLEARED);
	assert_int_equal(field_parse(f, &a, "  jammed\n lowPaper "), 0);
	assert_true(a.errors == (1 << 5 | 1));
	assert_int_equal(field_parse(f, &a, "jam"), -1);
	assert_int_equal(field_parse(f, &a, "none jammed"), -1);
	assert_int_equal(field_parse(f, &a, "5"), -1);
	assert_int_equal(field_parse(f, &a, " "), -1);
	assert_true(a.errors == (1 << 5 | 1));
}

static void
test_parse_bad(void **state)
{
	static const struct { const char *name, *text; } bad[] = {
		{ "level", "-9223372036854775808" },
		{ "level", "-9223372036854775807" },
		{ "level", "9223372036854775807" },
		{ "level", "1e3" }, { "level", "0x10" }, { "level", " 5" },
		{ "level", "+5" }, { "level", "-" },
		{ "state", "fine" }, { "time", "yesterday" },
		{ "id", "" }, { "id", "ABC" },
		{ "description", "a\tb" }, { "description", "a\x7f" },
		{ "description", "\xc2\x85" }, { "description", "\xff" },
	};
	const struct field *f;
	struct consumable c;
	char text[300];
	size_t i;

	consumable_init(&c);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		f = field_find(consumable_fields, bad[i].name);
		if (field_parse(f, &c, bad[i].text) != -1)
			fail_msg("%s: %s", bad[i].name, bad[i].text);
		assert_true(field_absent(f, &c));
	}
	f = field_find(consumable_fields, "description");
	memset(text, 'x', 256);
	text[256] = '\0';
	assert_int_equal(field_parse(f, &c, text), -1);
	text[255] = '\0';
	assert_int_equal(field_parse(f, &c, text), 0);
	assert_null(field_find(consumable_fields, "nothing"));
	consumable_clear(&c);
}

/* apply(before, diff(before, now)) is now, over random snapshots. */
static void
test_diff_apply(void **state)
{
	union any before, now, change;
	const struct field *f;
	size_t i;
	int round, count, expect;

	srandom(2);
	for (round = 0; round < 1000; round++) {
		for (i = 0; i < 4; i++) {
			record_init(tables[i], &before);
			record_init(tables[i], &now);
			record_init(tables[i], &change);
			fill_snapshot(tables[i], &before);
			if (fill_below(4) == 0)
				record_copy(tables[i], &now, &before);
			else
				fill_snapshot(tables[i], &now);
			for (f = tables[i]; f->name != NULL; f++)
				if (f->probe_only) {
					field_set_int(f, &before, ABSENT);
					field_set_int(f, &now, ABSENT);
				}
			expect = 0;
			for (f = tables[i]; f->name != NULL; f++)
				expect += f->class != FIELD_KEY &&
				    f->class != FIELD_STAMP &&
				    !field_equal(f, &before, &now);
			count = record_diff(tables[i], &before, &now, EVERY,
			    &change);
			assert_int_equal(count, expect);
			record_apply(tables[i], &before, &change);
			if (count > 0)
				assert_same(tables[i], &before, &now);
			record_clear(tables[i], &before);
			record_clear(tables[i], &now);
			record_clear(tables[i], &change);
		}
	}
}

static void
test_diff_classes(void **state)
{
	struct consumable before, now, change;

	consumable_init(&before);
	consumable_init(&now);
	consumable_init(&change);
	before.id = xstrdup("0b7f5a0e-8a5a-4b1e-9d3c-111111111111");
	now.id = xstrdup(before.id);
	before.index = now.index = 3;
	before.level = 50;
	now.level = 40;
	before.serial = xstrdup("A");
	before.colour = xstrdup("black");
	now.colour = xstrdup("black");
	now.state = SUPPLY_LOW;
	now.time = 5000;

	assert_int_equal(record_diff(consumable_fields, &before, &now,
	    1u << FIELD_READING, &change), 1);
	assert_string_equal(change.id, now.id);
	assert_int_equal(change.index, 3);
	assert_int_equal(change.level, 40);
	assert_int_equal(change.time, 5000);
	assert_null(change.serial);
	assert_null(change.colour);
	assert_true(change.state == ABSENT);
	consumable_clear(&change);

	assert_int_equal(record_diff(consumable_fields, &before, &now,
	    1u << FIELD_IDENTITY | 1u << FIELD_STATE, &change), 2);
	assert_string_equal(change.serial, "");
	assert_int_equal(change.state, SUPPLY_LOW);
	assert_true(change.level == ABSENT);
	consumable_clear(&change);

	/* Only the time is another: nothing to tell. */
	record_copy(consumable_fields, &before, &now);
	now.time = 6000;
	assert_int_equal(record_diff(consumable_fields, &before, &now, EVERY,
	    &change), 0);
	assert_true(change.time == ABSENT);
	consumable_clear(&change);

	/* From nothing: everything that there is. */
	assert_int_equal(record_diff(consumable_fields, NULL, &now, EVERY,
	    &change), 3);
	assert_string_equal(change.colour, "black");
	assert_null(change.serial);
	assert_int_equal(change.time, 6000);
	consumable_clear(&before);
	consumable_clear(&now);
	consumable_clear(&change);
}

static void
test_alert_ticks_stay(void **state)
{
	struct alert now, change;

	alert_init(&now);
	alert_init(&change);
	now.time_ticks = 77;
	now.code = 8;
	assert_int_equal(record_diff(alert_fields, NULL, &now, EVERY,
	    &change), 1);
	assert_true(change.time_ticks == ABSENT);
	assert_int_equal(change.code, 8);
}

/* The members that `platen probe --json` promises, and their form. */
static void
test_json(void **state)
{
	struct asset a;
	struct alert al;
	struct consumable c;
	struct buf out = { 0 };
	struct json j;

	asset_init(&a);
	a.make = xstrdup("Brother");
	a.serial = xstrdup("");
	a.state = ASSET_ONLINE;
	a.errors = 1 | 1 << 5;
	a.printer_status = 77;
	json_start(&j, &out);
	json_object(&j, NULL);
	recjson_fields(&j, asset_fields, &a, true);
	json_object_end(&j);
	assert_string_equal(out.data,
	    "{\n"
	    "  \"make\": \"Brother\",\n"
	    "  \"model\": null,\n"
	    "  \"engine\": null,\n"
	    "  \"serial\": null,\n"
	    "  \"mac\": null,\n"
	    "  \"hostname\": null,\n"
	    "  \"ip\": null,\n"
	    "  \"location\": null,\n"
	    "  \"asset_tag\": null,\n"
	    "  \"firmware\": null,\n"
	    "  \"state\": \"online\",\n"
	    "  \"device_status\": null,\n"
	    "  \"printer_status\": 77,\n"
	    "  \"errors\": [\n"
	    "    \"lowPaper\",\n"
	    "    \"jammed\"\n"
	    "  ]\n"
	    "}\n");
	asset_clear(&a);

	buf_reset(&out);
	consumable_init(&c);
	c.class = CLASS_FILLED;
	c.state = SUPPLY_NOT_REPORTED;
	c.level = -3;
	json_start(&j, &out);
	json_object(&j, NULL);
	recjson_fields(&j, consumable_fields, &c, true);
	json_object_end(&j);
	assert_string_equal(out.data,
	    "{\n"
	    "  \"index\": null,\n"
	    "  \"kind\": null,\n"
	    "  \"colour\": null,\n"
	    "  \"class\": \"filled\",\n"
	    "  \"description\": null,\n"
	    "  \"part_number\": null,\n"
	    "  \"serial\": null,\n"
	    "  \"unit\": null,\n"
	    "  \"level\": -3,\n"
	    "  \"capacity\": null,\n"
	    "  \"percent\": null,\n"
	    "  \"state\": \"not-reported\"\n"
	    "}\n");

	buf_reset(&out);
	alert_init(&al);
	al.code = 30203;
	al.severity = 5;
	al.raised = 0;
	json_start(&j, &out);
	json_object(&j, NULL);
	recjson_fields(&j, alert_fields, &al, true);
	json_object_end(&j);
	assert_string_equal(out.data,
	    "{\n"
	    "  \"index\": null,\n"
	    "  \"code\": 30203,\n"
	    "  \"code_name\": null,\n"
	    "  \"vendor_code\": null,\n"
	    "  \"severity\": \"warningBinaryChangeEvent\",\n"
	    "  \"group\": null,\n"
	    "  \"group_index\": null,\n"
	    "  \"training\": null,\n"
	    "  \"description\": null,\n"
	    "  \"location\": null,\n"
	    "  \"source\": null,\n"
	    "  \"time_ticks\": null\n"
	    "}\n");
	buf_reset(&out);
	json_start(&j, &out);
	json_object(&j, NULL);
	recjson_fields(&j, alert_fields, &al, false);
	json_object_end(&j);
	assert_non_null(strstr(out.data,
	    "\"raised\": \"1970-01-01T00:00:00.000Z\""));
	assert_null(strstr(out.data, "time_ticks"));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_clear),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_format_parse),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_diff_apply),
		cmocka_unit_test(test_diff_classes),
		cmocka_unit_test(test_alert_ticks_stay),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
