/* Walks and the devices' own values over them, against a plain model. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/sim/ber.c"
#include "tests/sim/guise.c"
#include "tests/sim/oid.c"
#include "tests/sim/value.c"
#include "tests/sim/view.c"
#include "tests/sim/walk.c"

static struct walk *
parse(const char *text)
{
	struct walk *walk = walk_parse("test", text, strlen(text), true);

	assert_non_null(walk);
	return walk;
}

static const char *
text_of(const struct value *v, struct buf *out)
{
	buf_reset(out);
	value_format(v, out);
	return out->data;
}

static void
test_values_round_trip(void **state)
{
	static const char *const lines[] = { "2|-5", "2|2147483647", "4|text",
	    "4x|00FF", "5|", "6|1.3.6.1.4.1.11", "64|192.0.2.7",
	    "65|4294967295", "66|0", "67|12345", "70|18446744073709551615",
	    "4|a|b", "2x|" };
	struct buf all = { 0 }, out = { 0 };
	struct walk *walk;
	size_t i, count = sizeof(lines) / sizeof(*lines);

	/* backwards and with a leading dot: order is the walk's business */
	for (i = count; i > 0; i--)
		buf_printf(&all, ".1.3.%zu|%s\r\n", i, lines[i - 1]);
	walk = parse(all.data);
	assert_int_equal(walk->len, count);
	for (i = 0; i < count; i++)
		assert_string_equal(text_of(&walk->values[i], &out), lines[i]);
	walk_free(walk);
	buf_free(&all);
	buf_free(&out);
}

static void
test_bad_lines(void **state)
{
	static const char *const bad[] = { "1.3.6|65|6git3159", "x|2|1",
	    "1.3.6|2|", "1.3.6|2|4294967296", "1.3.6|65|-1", "1.3.6|4x|0",
	    "1.3.6|4x|0g", "1.3.6|64|1.2.3", "1.3.6|64|1.2.3.256",
	    "1.3.6|300|1", "1.3.6|2:numeric|1", "1.3.6|2", "1.3.6",
	    "#: count what 1.3", "#: nothing" };
	const char *good = "1.3.7|2|1\n";
	struct walk *walk;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s\n%s# a comment\n\n", bad[i],
		    good);
		assert_null(walk_parse("t", text, strlen(text), true));
		walk = walk_parse("t", text, strlen(text), false);
		assert_non_null(walk);
		assert_int_equal(walk->len, 1);
		walk_free(walk);
	}
}

#define NAMES	40

/* Names 1.3.0 ... 1.3.39, the even ones in the walk. */
static void
test_overlay_against_model(void **state)
{
	struct view view = { 0 };
	struct buf text = { 0 };
	int model[NAMES], name, next, turn;	/* -1: absent */
	const struct value *v;
	uint32_t sub[3] = { 1, 3, 0 };
	uint8_t body[9];
	int64_t n;

	for (name = 0; name < NAMES; name++) {
		model[name] = name % 2 == 0 ? name : -1;
		if (name % 2 == 0)
			buf_printf(&text, "1.3.%d|2|%d\n", name, name);
	}
	view.walk = parse(text.data);
	srandom(3);
	for (turn = 0; turn < 50000; turn++) {
		name = (int)(random() % NAMES);
		sub[2] = (uint32_t)name;
		if (random() % 3 == 0) {
			view_unset(&view, sub, 3);
			model[name] = -1;
		} else if (random() % 50 == 0) {
			view_unset_tree(&view, sub, 2);
			for (name = 0; name < NAMES; name++)
				model[name] = -1;
		} else {
			model[name] = turn;
			view_set(&view, sub, 3, BER_INTEGER, body,
			    value_make(BER_INTEGER, turn, body));
		}
		name = (int)(random() % NAMES);
		sub[2] = (uint32_t)name;
		v = view_get(&view, sub, 3);
		assert_int_equal(v == NULL, model[name] < 0);
		if (v != NULL) {
			assert_int_equal(value_number(v, &n), 0);
			assert_int_equal(n, model[name]);
		}
		for (next = name + 1; next < NAMES && model[next] < 0; next++)
			;
		v = view_next(&view, sub, 3);
		assert_int_equal(v == NULL, next == NAMES);
		if (v != NULL)
			assert_int_equal(v->sub[2], next);
	}
	view_clear(&view);
	walk_free((struct walk *)(uintptr_t)view.walk);
	buf_free(&text);
}

static const char printer[] =
    "1.3.6.1.2.1.1.5.0|4|PRN0042\n"
    "1.3.6.1.2.1.2.2.1.6.1|4x|025E00000001\n"
    "1.3.6.1.2.1.2.2.1.6.2|4x|00005E101112\n"
    "1.3.6.1.2.1.4.20.1.1.192.0.2.1|64|192.0.2.1\n"
    "1.3.6.1.2.1.4.20.1.2.192.0.2.1|2|2\n"
    "1.3.6.1.2.1.43.5.1.1.17.3|4|AB12345X\n"
    "1.3.6.1.4.1.11.2.3.9.1.1.7.0|4|MFG:X;SN:AB12345X;MAC:00005e101112;\n"
    "1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0|4x|01154142313233343558\n";

static void
test_guise(void **state)
{
	struct view view = { .walk = parse(printer) };
	struct buf out = { 0 };
	struct guise guise;
	struct oid id;

	assert_string_equal(view.walk->serial, "AB12345X");
	assert_string_equal(view.walk->sys_name, "PRN0042");
	assert_int_equal(view.walk->printer_row, 3);
	assert_int_equal(view.walk->mac[5], 0x12);
	guise_number(view.walk, 7, &guise);
	assert_string_equal(guise.serial, "AB100007");
	guise_apply(&guise, &view);
	guise_address(&view, 0, 0x7f000102);

	oid_parse("1.3.6.1.4.1.11.2.3.9.1.1.7.0", &id);
	assert_string_equal(text_of(view_get(&view, id.sub, id.len), &out),
	    "4|MFG:X;SN:AB100007;MAC:00005e100007;");
	oid_parse("1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0", &id);
	assert_string_equal(text_of(view_get(&view, id.sub, id.len), &out),
	    "4x|01154142313030303037");
	oid_parse("1.3.6.1.2.1.4.20.1.2.192.0.2.1", &id);
	assert_null(view_get(&view, id.sub, id.len));
	oid_parse("1.3.6.1.2.1.4.20.1.1.127.0.1.2", &id);
	assert_string_equal(text_of(view_get(&view, id.sub, id.len), &out),
	    "64|127.0.1.2");
	guise_address(&view, 0x7f000102, 0x7f000103);
	assert_null(view_get(&view, id.sub, id.len));

	view_clear(&view);
	walk_free((struct walk *)(uintptr_t)view.walk);
	buf_free(&out);
}

static void
test_numbers_are_unique(void **state)
{
	static const char *const serials[] = { "VNB3K04418", "X7QK004120",
	    "18J214403127", "AB-12-34-5", "ABCDE", "ABCDEFG" };
	char a[64], b[64];
	uint32_t n;
	size_t i;

	for (i = 0; i < sizeof(serials) / sizeof(*serials); i++)
		for (n = 1; n < 20000; n += 7) {
			number_serial(serials[i], n, a, sizeof(a));
			number_serial(serials[i], n + 1, b, sizeof(b));
			assert_string_not_equal(a, b);
			assert_true(strlen(a) >= 6);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_round_trip),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_overlay_against_model),
		cmocka_unit_test(test_guise),
		cmocka_unit_test(test_numbers_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
