/* The alert table (printers.md 7): what is shown, what it says, since when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "snmp/faultcode.h"
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
test_removal(void **state)
{
	struct printer	 p;

	decode(ROW
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
	/* All of it is shown here; who does not want to hear, says so. */
	decode(ROW ALERT "7.1.1|2|23\n" ALERT "8.1.1|4|Sleep\n"
	    ALERT "7.1.3|2|507\n" ALERT "2.1.4|2|1\n" ALERT "8.1.4|4|\n",
	    &p);
	assert_int_equal(p.alerts_len, 3);
	assert_text(p.alerts[1].description, "printer ready to print");
	assert_null(p.alerts[2].description);
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

/* Finishers have the generic codes in blocks of 100; PWG 5107.3 has scanners
 * and faxes. */
static void
test_code_names(void **state)
{
	static const struct {
		const char	*code, *name;
	} cases[] = {
		{ "8", "jam" }, { "38", "subunitThermistorFailure" },
		{ "39", NULL }, { "1115", "markerTonerCartridgeMissing" },
		{ "30203", "coverOpen" }, { "30208", "jam" },
		{ "30338", "subunitThermistorFailure" }, { "30339", NULL },
		{ "30202", NULL }, { "31912", "subunitAlmostEmpty" },
		{ "32768", NULL }, { "5206", "scanMediaPathJam" },
		{ "6101", "faxModemMissing" },
	};
	struct printer	 p;
	char		*text;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = xasprintf(ROW ALERT "7.1.1|2|%s\n", cases[i].code);
		decode(text, &p);
		assert_text(p.alerts[0].code_name, cases[i].name);
		printer_clear(&p);
		free(text);
	}
}

static void
expect_bits(const char *errors, const char *status, const char *rows,
    const char *want)
{
	struct buf	 got = { 0 };
	struct printer	 p;
	char		*text;
	size_t		 i;

	text = xasprintf(ROW HR "2.1.5.1|2|%c\n" HR "5.1.1.1|2|%c\n" HR
	    "5.1.2.1|4x|%s\n%s", status[0], status[1], errors, rows);
	decode(text, &p);
	for (i = 0; i < p.alerts_len; i++)
		if (p.alerts[i].source == ALERT_ERROR_BITS)
			buf_printf(&got, "%s%d/%d/%d", got.len > 0 ? " " : "",
			    (int)p.alerts[i].group, (int)p.alerts[i].code,
			    (int)p.alerts[i].severity);
	if (strcmp(got.len > 0 ? got.data : "", want) != 0)
		fail_msg("%s %s: %s, not %s", errors, status,
		    got.len > 0 ? got.data : "", want);
	buf_free(&got);
	printer_clear(&p);
	free(text);
}

/* status: hrDeviceStatus and hrPrinterStatus; 33 is a warning, 51 down. */
static void
test_error_bits(void **state)
{
	/* Each alone, first where it only warns, then where it stops. */
	expect_bits("8000", "33", "", "8/807/4");
	expect_bits("4000", "33", "", "8/808/5");
	expect_bits("4000", "51", "", "8/808/3");
	expect_bits("2000", "33", "", "11/1104/5");
	expect_bits("2000", "51", "", "11/1104/5");
	expect_bits("1000", "51", "", "11/1101/3");
	expect_bits("0800", "51", "", "6/3/3");
	expect_bits("0400", "51", "", "13/8/3");
	expect_bits("0200", "51", "", "5/22/3");
	expect_bits("0100", "33", "", "5/1/5");
	expect_bits("0080", "51", "", "8/801/3");
	expect_bits("0040", "51", "", "9/901/3");
	expect_bits("0020", "51", "", "11/1124/3");
	expect_bits("0010", "51", "", "9/902/5");
	expect_bits("0008", "51", "", "9/903/3");
	expect_bits("0004", "33", "", "8/808/5");
	expect_bits("0002", "33", "", "5/11/5");
	expect_bits("0001", "51", "", "");
	expect_bits("0000", "51", "", "");
	expect_bits("", "51", "", "");
	/* One octet, three octets. */
	expect_bits("04", "51", "", "13/8/3");
	expect_bits("0400ff", "51", "", "13/8/3");
	/* Ink where there is no toner. */
	expect_bits("3000", "33", SUPPLY "5.1.1|2|5\n" SUPPLY
	    "9.1.1|2|4\n", "11/1102/5");
	expect_bits("2000", "33", SUPPLY "5.1.1|2|5\n" SUPPLY
	    "9.1.1|2|4\n", "11/1105/5");
	/* What another says as well. */
	expect_bits("c004", "51", "", "8/808/3");
	expect_bits("0018", "51", "", "9/903/3");
	expect_bits("0600", "51", "", "13/8/3");
	/* Lie 12, and what a sleeper says. */
	expect_bits("8000", "23", "", "");
	expect_bits("0200", "21", "", "");
	expect_bits("4000", "21", "", "8/808/5");
}

#define R(col, value)	ALERT #col ".1.7|2|" #value "\n"
static void
test_explained_bits(void **state)
{
	expect_bits("4000", "51", R(7, 808) R(4, 8), "");
	expect_bits("4000", "51", R(7, 13) R(4, 8), "");
	expect_bits("4000", "51", R(7, 13) R(4, 11), "8/808/3");
	expect_bits("8000", "33", R(7, 808) R(4, 8), "");
	expect_bits("4000", "51", R(7, 807) R(4, 8), "8/808/3");
	expect_bits("2000", "33", R(7, 12) R(4, 11), "");
	expect_bits("0800", "51", R(7, 3) R(4, 6), "");
	expect_bits("0800", "51", R(7, 501) R(4, 5), "");
	expect_bits("0400", "51", R(7, 8) R(4, 8), "");
	expect_bits("0400", "51", R(7, 3) R(4, 6), "13/8/3");
	expect_bits("0200", "51", R(7, 3) R(4, 6) R(2, 3), "");
	expect_bits("0100", "33", R(7, 3) R(4, 6) R(2, 5), "5/1/5");
	expect_bits("0100", "33", R(7, 30) R(4, 10) R(2, 5), "");
	/* A row without a code may be anything of its group, or anything at
	 * all that stops the printer. */
	expect_bits("4000", "51", R(7, 1) R(4, 8), "");
	expect_bits("4000", "51", R(7, 1) R(4, 5) R(2, 3), "");
	expect_bits("4000", "51", R(7, 1) R(4, 5) R(2, 5), "8/808/3");
	expect_bits("4000", "51", R(7, 23) R(4, 5) R(2, 5), "8/808/3");
	/* Removed rows explain nothing. */
	expect_bits("4000", "51", R(7, 808) R(4, 8) ALERT "7.1.9|2|1801\n"
	    ALERT "5.1.9|2|7\n", "8/808/3");
	/* Events explain for a day (8,640,000 ticks). */
	expect_bits("2000", "33", R(7, 1104) R(4, 11) R(2, 4)
	    SYS "3.0|67|9000000\n" ALERT "9.1.7|67|500000\n", "");
	expect_bits("2000", "33", R(7, 1104) R(4, 11) R(2, 4)
	    SYS "3.0|67|9000000\n" ALERT "9.1.7|67|300000\n", "11/1104/5");
	expect_bits("2000", "33", R(7, 1104) R(4, 11) R(2, 5)
	    SYS "3.0|67|9000000\n" ALERT "9.1.7|67|300000\n", "");
}

static void
expect_code(const char *vendor, const char *text, const char *code)
{
	char	*got = faultcode_find(text, vendor);

	if (strcmp_null(got, code) != 0)
		fail_msg("%s: \"%s\": %s, not %s", vendor == NULL ? "-" :
		    vendor, text, got == NULL ? "-" : got,
		    code == NULL ? "-" : code);
	free(got);
}

static void
test_fault_codes(void **state)
{
	expect_code("hp", "50.2 ERROR", "50.2");
	expect_code("hp", "50.2 FUSER ERROR TO CONTINUE", "50.2");
	expect_code("hp", "13.B2.D2 Jam in right door", "13.B2.D2");
	expect_code("hp", "49.4C02 ERROR. Turn off then on", "49.4C02");
	expect_code("hp", "Error 49.4C02.", "49.4C02");
	expect_code("hp", "Load tray 2: 11.69 x 8.27", NULL);
	expect_code("hp", "Ready", NULL);
	expect_code("ricoh", "SC542", "SC542");
	expect_code("ricoh", "Call service: SC542-01", "SC542-01");
	expect_code(NULL, "Functional problem (SC 542)", "SC542");
	expect_code("kyocera", "Call service C6000:0012345", "C6000");
	expect_code("kyocera", "Error C6000", "C6000");
	expect_code("kyocera", "F245", "F245");
	expect_code("kyocera", "Toner C5000 low", NULL);
	expect_code("brother", "Machine Error 4F", "4F");
	expect_code("brother", "Print Unable ZC", "ZC");
	expect_code("brother", "Jam 2-sided", NULL);
	expect_code("brother", "No Paper T1", NULL);
	expect_code("canon", "Error E602-0001", "E602-0001");
	expect_code("konica-minolta", "Trouble (C-3101)", "C-3101");
	expect_code("samsung", "Error: #S2-4211", "S2-4211");
	expect_code("xerox", "016-799 Print instruction failed", "016-799");
	expect_code("lexmark", "200.03 Paper jam", "200.03");
	expect_code("lexmark", "[84.10A]", NULL);
	expect_code("sharp", "Call for service. Code: E7-01.", "E7-01");
	expect_code("oki", "Service call 172: Error", "172");
	expect_code("toshiba", "Error C449", "C449");
	/* Somebody else's shape, lower case, nothing, too long. */
	expect_code("epson", "13.20 error", NULL);
	expect_code("brother", "error of paper", NULL);
	expect_code("hp", "", NULL);
	expect_code("hp", NULL, NULL);
	expect_code("hp", "50.2222222222222222222222222222222222222222", NULL);
	expect_code("ricoh", "SC542222222222222222222222222222222 SC", NULL);
}

/* The code is in the model as well. */
static void
test_vendor_code(void **state)
{
	struct printer	 p;

	decode(ROW SYS "2.0|6|1.3.6.1.4.1.11.2.3.9.1\n" ALERT "7.1.1|2|30\n"
	    ALERT "8.1.1|4|50.2 FUSER ERROR\n", &p);
	assert_text(p.alerts[0].vendor_code, "50.2");
	assert_int_equal(p.alerts[0].source, ALERT_ROW);
	printer_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_code_names),
		cmocka_unit_test(test_error_bits),
		cmocka_unit_test(test_explained_bits),
		cmocka_unit_test(test_fault_codes),
		cmocka_unit_test(test_vendor_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
