/* The alert table (printers.md 7): what is shown, what it says, since when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/snmp/bagtext.h"

#define ROW	PRT "5.1.1.1.1|65|1\n"
#define UPTIME	SYS "3.0|67|100000\n"

static void
test_columns(void **state)
{
	struct printer	 p;
	struct alert	*a;

	decode(UPTIME PRT "10.2.1.4.1.1|65|777\n"
	    ALERT "2.1.12|2|3\n" ALERT "3.1.12|2|4\n" ALERT "4.1.12|2|13\n"
	    ALERT "5.1.12|2|1\n" ALERT "6.1.12|2|-2\n" ALERT "7.1.12|2|8\n"
	    ALERT "8.1.12|4|Papierstau in Fach 1\n"
	    ALERT "9.1.12|67|94000\n", &p);
	assert_int_equal(p.alerts_len, 1);
	a = &p.alerts[0];
	assert_int_equal(a->index, 12);
	assert_int_equal(a->severity, 3);
	assert_int_equal(a->training, 4);
	assert_int_equal(a->group, 13);
	assert_int_equal(a->group_index, 1);
	assert_int_equal(a->location, -2);
	assert_int_equal(a->code, 8);
	assert_text(a->code_name, "jam");
	assert_text(a->description, "Papierstau in Fach 1");
	assert_int_equal(a->time_ticks, 94000);
	assert_int_equal(a->raised, NOW - 60000);
	assert_int_equal(a->cleared, ABSENT);
	assert_int_equal(a->pages, 777);
	assert_null(a->vendor_code);
	printer_clear(&p);
}

/* Lie 16: a time in the future after a restart or a wrap. */
static void
test_time(void **state)
{
	static const struct {
		const char	*uptime, *time;
		int64_t		 raised;
	} cases[] = {
		{ UPTIME, "67|100001", ABSENT },
		{ UPTIME, "67|4294967295", ABSENT },
		{ UPTIME, "67|100000", NOW },
		{ UPTIME, "67|0", NOW - 1000000 },
		{ UPTIME, "2|-1", ABSENT },
		{ UPTIME, "4|x", ABSENT },
		{ "", "67|5", ABSENT },
		{ SYS "3.0|70|9223372036854775807\n", "67|5", ABSENT },
	};
	struct printer	 p;
	char		*text;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = xasprintf("%s" ROW ALERT "7.1.1|2|8\n" ALERT
		    "9.1.1|%s\n", cases[i].uptime, cases[i].time);
		decode(text, &p);
		assert_int_equal(p.alerts_len, 1);
		assert_int_equal(p.alerts[0].raised, cases[i].raised);
		printer_clear(&p);
		free(text);
	}
}

static void
test_noise_and_removal(void **state)
{
	struct printer	 p;

	decode(ROW
	    ALERT "7.1.1|2|23\n" ALERT "8.1.1|4|Sleep\n"
	    ALERT "7.1.2|2|24\n" ALERT "7.1.3|2|507\n"
	    ALERT "2.1.4|2|1\n" ALERT "8.1.4|4|\n"
	    /* 6 takes 5 away, 8 takes away what there is not. */
	    ALERT "7.1.5|2|3\n" ALERT "2.1.5|2|5\n"
	    ALERT "7.1.6|2|1801\n" ALERT "5.1.6|2|5\n"
	    ALERT "7.1.8|2|1801\n" ALERT "5.1.8|2|99\n"
	    /* An event stays, with its severity; so does a bare text. */
	    ALERT "7.1.9|2|807\n" ALERT "2.1.9|2|4\n"
	    ALERT "8.1.10|4|Call service\n", &p);
	assert_int_equal(p.alerts_len, 2);
	assert_int_equal(p.alerts[0].index, 9);
	assert_int_equal(p.alerts[0].severity, 4);
	assert_int_equal(p.alerts[1].index, 10);
	assert_int_equal(p.alerts[1].code, ABSENT);
	assert_null(p.alerts[1].code_name);
	printer_clear(&p);
}

static void
expect_text(const char *row, const char *text)
{
	struct printer	 p;
	char		*all = xasprintf(ROW PRT "8.2.1.13.1.2|4|Tray 2\n" PRT
			    "8.2.1.18.1.3|4|Manual feed\n" PRT
			    "9.2.1.7.1.1|4|Upper bin\n" PRT
			    "6.1.1.2.1.4|4|Rear door\n" SUPPLY
			    "6.1.5|4|Cyan Toner\n%s", row);

	decode(all, &p);
	assert_int_equal(p.alerts_len, 1);
	assert_text(p.alerts[0].description, text);
	printer_clear(&p);
	free(all);
}

/* An empty description is made of what the alert points at and its code. */
static void
test_description(void **state)
{
	expect_text(ALERT "7.1.1|2|808\n" ALERT "4.1.1|2|8\n" ALERT
	    "5.1.1|2|2\n", "Tray 2: input media supply empty");
	expect_text(ALERT "7.1.1|2|8\n" ALERT "4.1.1|2|8\n" ALERT
	    "5.1.1|2|3\n" ALERT "8.1.1|4|\n", "Manual feed: jam");
	expect_text(ALERT "7.1.1|2|15\n" ALERT "4.1.1|2|9\n" ALERT
	    "5.1.1|2|1\n", "Upper bin: subunit full");
	expect_text(ALERT "7.1.1|2|3\n" ALERT "4.1.1|2|6\n" ALERT
	    "5.1.1|2|4\n", "Rear door: cover open");
	expect_text(ALERT "7.1.1|2|1104\n" ALERT "4.1.1|2|11\n" ALERT
	    "5.1.1|2|5\n", "Cyan Toner: marker toner almost empty");
	/* Points at nothing, at a row that there is not, at no known group. */
	expect_text(ALERT "7.1.1|2|8\n" ALERT "4.1.1|2|13\n" ALERT
	    "5.1.1|2|-1\n", "media path: jam");
	expect_text(ALERT "7.1.1|2|8\n" ALERT "4.1.1|2|8\n" ALERT
	    "5.1.1|2|9\n", "input: jam");
	expect_text(ALERT "7.1.1|2|8\n", "jam");
	expect_text(ALERT "7.1.1|2|31999\n" ALERT "4.1.1|2|77\n",
	    "alert code 31999");
}

/* Of too many, states before events, newer before older. */
static void
test_too_many(void **state)
{
	struct bag	*bag = bag_new();
	struct objid	 id;
	struct printer	 p;
	uint32_t	 i;
	size_t		 unary = 0;

	objid_parse(ALERT "7.1.1", &id);
	for (i = 1; i <= 100; i++) {
		id.sub[id.len - 1] = i;
		id.sub[10] = 7;
		bag_put_number(bag, &id, BAG_INTEGER, 8);
		id.sub[10] = 2;
		bag_put_number(bag, &id, BAG_INTEGER, i % 2 ? 4 : 5);
	}
	printer_decode(bag, 1, NULL, NOW, &p);
	assert_int_equal(p.alerts_len, RECORD_ALERTS_MAX);
	for (i = 0; i < p.alerts_len; i++)
		unary += p.alerts[i].severity == 4;
	assert_int_equal(unary, RECORD_ALERTS_MAX - 50);
	assert_int_equal(p.alerts[0].index, 2);
	assert_int_equal(p.alerts[RECORD_ALERTS_MAX - 1].index, 100);
	printer_clear(&p);
	bag_free(bag);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_noise_and_removal),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
