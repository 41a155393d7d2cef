/* The makers' table: what it maps, what it never may, and how it sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "snmp/standard.h"
#include "snmp/vendor.h"
#include "snmp/vendorfile.h"

static struct bag *
bag_of(const char *snmprec)
{
	struct bag	*bag = bag_new();
	FILE		*fp = fmemopen((void *)(uintptr_t)snmprec,
			    strlen(snmprec), "r");
	char		 why[200] = "";

	if (bag_read_snmprec(bag, fp, why, sizeof(why)) == -1)
		fail_msg("%s", why);
	fclose(fp);
	return bag;
}

/* Every object that any file names. */
static void
each_object(void (*fn)(const char *oid, const char *name))
{
	const struct vendor	*v;
	size_t			 n, i, k;

	for (n = 0; (v = vendor_nth(n)) != NULL; n++) {
		for (i = 0; i < v->objects_len; i++)
			fn(v->objects[i].oid, NULL);
		for (i = 0; i < v->counters.count; i++) {
			for (k = 0; k < v->counters.item[i].terms; k++)
				fn(v->counters.item[i].term[k].text,
				    v->counters.item[i].name);
		}
		for (i = 0; i < v->tables_len; i++) {
			fn(v->tables[i].label, NULL);
			fn(v->tables[i].value, "table");
		}
	}
}

static bool
below(const char *oid, const char *prefix)
{
	size_t	 len = strlen(prefix);

	return strncmp(oid, prefix, len) == 0 &&
	    (oid[len] == '\0' || oid[len] == '.');
}

/* Objects that public tools take for counters, and which are none. */
static void
not_false(const char *oid, const char *name)
{
	static const char *const	 lies[] = {
		"1.3.6.1.4.1.641.2.1.2.1.6", "1.3.6.1.4.1.11.2.3.9.1.1.7.0",
		"1.3.6.1.4.1.2001.1.1.1.1.11.1.10.45.0",
		"1.3.6.1.4.1.367.3.2.1.2.19.5.1.5",
		"1.3.6.1.4.1.1347.43.10.1.1.12",
		"1.3.6.1.2.1.43.10.2.1.5", "1.3.6.1.2.1.43.10.2.1.4",
		"1.3.6.1.2.1.43.9.2.1.9",
		"1.3.6.1.4.1.1602.1.11.1.3.1.4.112",
		"1.3.6.1.4.1.1602.1.11.1.3.1.4.113",
		"1.3.6.1.4.1.1602.1.11.1.3.1.4.122",
		"1.3.6.1.4.1.1602.1.11.1.3.1.4.123" };
	size_t				 i;

	if (name == NULL)
		return;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		if (below(oid, lies[i]))
			fail_msg("%s is no counter (%s)", oid, name);
	}
	if (below(oid, "1.3.6.1.4.1.253.8.53.13.2.1.6.1.20.33"))
		assert_string_not_equal(name, "mono");
	if (below(oid, "1.3.6.1.4.1.1347.42.3.1.2.1.1.1.2"))
		assert_string_not_equal(name, "print-colour");
	if (strstr(name, "colour") == NULL)
		assert_false(below(oid,
		    "1.3.6.1.4.1.18334.1.1.1.5.7.2.2.1.5.2"));
}

/* Branches where a question does harm: passwords, a control channel. */
static void
not_forbidden(const char *oid, const char *name)
{
	static const char *const	 banned[] = {
		"1.3.6.1.4.1.236.11.5.11.81", "1.3.6.1.4.1.1248.1.2.2.44" };
	size_t				 i;

	for (i = 0; i < sizeof(banned) / sizeof(banned[0]); i++) {
		if (below(oid, banned[i]) || below(banned[i], oid))
			fail_msg("%s must not be asked for", oid);
	}
}

static void
test_known_false(void **state)
{
	each_object(not_false);
}

static void
test_forbidden(void **state)
{
	each_object(not_forbidden);
}

static void
test_names(void **state)
{
	static const char *const	 known[] = { "total", "vendor-total",
		"mono", "colour", "print", "print-mono", "print-colour",
		"copy", "copy-mono", "copy-colour", "fax", "scan",
		"scan-mono", "scan-colour", "scan-adf", "scan-flatbed",
		"duplex", "jams" };
	const struct vendor		*v;
	size_t				 n, i, k;
	bool				 ok;

	for (n = 0; (v = vendor_nth(n)) != NULL; n++) {
		assert_non_null(v->name);
		for (i = 0; i < v->counters.count; i++) {
			for (k = 0, ok = false; k < 18; k++)
				ok |= strcmp(v->counters.item[i].name,
				    known[k]) == 0;
			assert_true(ok);
		}
	}
	assert_true(n > 20);
}

static const char *
match_name(const char *snmprec)
{
	struct bag		*bag = bag_of(snmprec);
	const struct vendor	*v = vendor_match(bag);

	bag_free(bag);
	return v == NULL ? "nobody" : vendor_name(v);
}

static void
test_match(void **state)
{
	struct objid	 ids[32];

	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1\n"), "brother");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.26696.1.7\n"), "hp");
	/* The longest prefix, and whole numbers only. */
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.674.10898.2.1\n"), "lexmark");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.674.10898.10.1\n"),
	    "fuji-xerox");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1129.1.2.1\n"), "toshiba-tec");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1129.2.3.1\n"), "toshiba");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.115.1\n"), "nobody");
	/* The number beats the text, the text helps where there is none. */
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.1.0|4|HP ETHERNET MULTI-ENVIRONMENT\n"
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1347.41\n"), "kyocera");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.1.0|4|SAVIN MP C1234 1.2 / SAVIN Network\n"),
	    "ricoh");
	assert_string_equal(match_name(
	    "1.3.6.1.2.1.1.1.0|4|Linux bookinger 6.1\n"), "nobody");
	assert_int_equal(vendor_objects(NULL, ids, 32), 1);
}

/* MFC-8660DN restarts when its private tree is read (printers.md 1). */
static void
test_quiet(void **state)
{
	struct bag		*bag;
	const struct vendor	*v;
	struct objid		 ids[32];

	bag = bag_of("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1\n"
	    "1.3.6.1.2.1.25.3.2.1.3.1|4|Brother MFC-8660DN\n");
	v = vendor_match(bag);
	assert_string_equal(vendor_name(v), "brother");
	assert_int_equal(vendor_objects(v, ids, 32), 0);
	assert_int_equal(vendor_counter_objects(v, bag, ids, 32), 0);
	assert_int_equal(vendor_tables(v, ids, 32), 0);
	bag_free(bag);
	bag = bag_of("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1\n"
	    "1.3.6.1.2.1.25.3.2.1.3.1|4|Brother MFC-8661DN\n");
	assert_true(vendor_objects(vendor_match(bag), ids, 32) > 3);
	bag_free(bag);
}

static struct counter *
expect(struct asset *a, const char *name, int64_t value, int64_t check)
{
	struct counter	*c = asset_counter(a, name);

	if (c == NULL)
		fail_msg("%s is absent", name);
	assert_int_equal(c->value, value);
	assert_int_equal(c->check, check);
	return c;
}

static void
total_set(struct asset *a, int64_t value, int64_t unit)
{
	struct counter	*c;

	asset_init(a);
	c = asset_counter_add(a, "total");
	c->value = value;
	c->unit = unit;
	c->check = CHECK_NONE;
	c->oid = xstrdup("1.3.6.1.2.1.43.10.2.1.4.1.1");
}

#define BROTHER "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1\n"
#define RECORDS "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.10.0|4x|"

static void
test_brother_records(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	/* 00: 300, 01: 100, 02: 200, 06: never counted. */
	bag = bag_of(BROTHER RECORDS "0001040000012c"
	    "01010400000064" "020104000000c8" "060104ffffffff" "ff\n");
	total_set(&a, 300, 7);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "vendor-total", 300, CHECK_OK);
	expect(&a, "mono", 100, CHECK_OK);
	expect(&a, "colour", 200, CHECK_OK);
	expect(&a, "total", 300, CHECK_OK);
	assert_null(asset_counter(&a, "duplex"));
	asset_clear(&a);
	/* Two totals: the panel's and the standard's. */
	total_set(&a, 310, 7);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "total", 310, CHECK_MISMATCH);
	expect(&a, "vendor-total", 300, CHECK_MISMATCH);
	expect(&a, "mono", 100, CHECK_OK);
	asset_clear(&a);
	/* Seven pages printed since the vendor counters were read. */
	total_set(&a, 307, 7);
	vendor_counters(vendor_match(bag), bag, 300, &a);
	expect(&a, "total", 307, CHECK_OK);
	asset_clear(&a);
	/* Sheets are not compared with impressions. */
	total_set(&a, 300, 8);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "total", 300, CHECK_NONE);
	asset_clear(&a);
	bag_free(bag);

	/* A mismatch inside, an unknown layout, records cut short. */
	bag = bag_of(BROTHER RECORDS "0001040000012c" "01010400000064"
	    "02010400000001" "ff\n");
	total_set(&a, 300, 7);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "mono", 100, CHECK_MISMATCH);
	expect(&a, "total", 300, CHECK_OK);
	asset_clear(&a);
	bag_free(bag);
	bag = bag_of(BROTHER RECORDS "000214000001\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	assert_int_equal(a.counters_len, 0);
	asset_clear(&a);
	bag_free(bag);
}

#define SHARP "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2385.3.1\n"
#define LABEL "1.3.6.1.4.1.2385.1.1.19.2.1.4."
#define VALUE "1.3.6.1.4.1.2385.1.1.19.2.1.3."

static void
test_sharp_labels(void **state)
{
	struct bag		*bag;
	struct objid		 ids[64];
	struct asset		 a;
	const struct vendor	*v;

	bag = bag_of(SHARP
	    LABEL "9.4.61|4x|426c61636b2026205768697465"
	    "20546f74616c20436f756e7400\n"
	    LABEL "9.4.63|4|full color total count\n"
	    LABEL "9.4.64|4|Two Color Total Count\n"
	    LABEL "2.4.75|4|Duplex\n"
	    LABEL "2.4.60|4|Prints\n" LABEL "3.4.60|4|Prints\n"
	    VALUE "9.4.61|65|1000\n" VALUE "9.4.63|65|200\n"
	    VALUE "9.4.64|65|30\n" VALUE "2.4.75|65|5\n"
	    VALUE "2.4.60|65|77\n" VALUE "3.4.60|65|78\n");
	v = vendor_match(bag);
	total_set(&a, 1230, 7);
	vendor_counters(v, bag, ABSENT, &a);
	assert_string_equal(expect(&a, "mono", 1000, CHECK_OK)->oid,
	    VALUE "9.4.61");
	assert_string_equal(expect(&a, "colour", 230, CHECK_OK)->oid,
	    VALUE "9.4.63+" VALUE "9.4.64");
	expect(&a, "total", 1230, CHECK_OK);
	assert_int_equal(expect(&a, "duplex", 5, CHECK_NONE)->unit, ABSENT);
	/* A label that two rows have decides nothing. */
	assert_null(asset_counter(&a, "print"));
	asset_clear(&a);
	assert_int_equal(vendor_tables(v, ids, 64), 2);
	assert_int_equal(vendor_counter_objects(v, bag, ids, 64), 4);
	bag_free(bag);
}

/* No fact of a colour is better than half a fact. */
static void
test_konica_sums(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	bag = bag_of("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.18334.1\n"
	    "1.3.6.1.4.1.18334.1.1.1.5.7.2.2.1.5.1.1|2|11\n"
	    "1.3.6.1.4.1.18334.1.1.1.5.7.2.2.1.5.2.2|2|20\n"
	    "1.3.6.1.4.1.18334.1.1.1.5.7.2.2.1.5.3.2|2|3\n"
	    "1.3.6.1.4.1.18334.1.1.1.5.7.2.2.1.5.3.1|2|9\n"
	    "1.3.6.1.4.1.18334.1.1.1.5.7.2.1.3.0|2|-5\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "copy-mono", 11, CHECK_NONE);
	expect(&a, "print-colour", 23, CHECK_NONE);
	assert_null(asset_counter(&a, "copy-colour"));
	assert_null(asset_counter(&a, "duplex"));
	asset_clear(&a);
	bag_free(bag);
}

static void
test_sample(void **state)
{
	struct bag	*bag;

	bag = bag_of("1.3.6.1.2.1.43.10.2.1.4.1.1|65|10\n"
	    "1.3.6.1.2.1.43.10.2.1.4.1.2|65|20\n"
	    "1.3.6.1.2.1.43.10.2.1.4.7.1|65|30\n");
	vendor_sample(bag);
	assert_int_equal(bag_count(bag), 6);
	assert_int_equal(bag_number(bag, STD_LIFE_SAMPLED, 2, 1u, 2u), 20);
	assert_int_equal(bag_number(bag, STD_LIFE_SAMPLED, 2, 7u, 1u), 30);
	bag_free(bag);
}

static void
test_texts(void **state)
{
	const struct vendor	*v;
	struct bag		*bag;
	char			*text;

	bag = bag_of("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.11.2.3.9.1\n"
	    "1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0|4x|0115564e58303031\n"
	    "1.3.6.1.4.1.11.2.3.9.1.1.7.0|4|MFG:HP;MDL:X 1;\n");
	v = vendor_match(bag);
	text = vendor_text(v, bag, VENDOR_SERIAL, ABSENT);
	assert_string_equal(text, "VNX001");
	free(text);
	text = vendor_text(v, bag, VENDOR_ID_1284, ABSENT);
	assert_string_equal(text, "MFG:HP;MDL:X 1;");
	free(text);
	text = vendor_descr_text(v, "HP ETHERNET,SN:ABC12,PID:HP Laser 1,x",
	    VENDOR_SERIAL);
	assert_string_equal(text, "ABC12");
	free(text);
	assert_true(vendor_descr_generic(v, "HP ETHERNET MULTI-ENVIRONMENT"));
	bag_free(bag);
	bag = bag_of("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2001.1\n");
	v = vendor_match(bag);
	text = vendor_descr_text(v, "OKI OkiLAN 1g Rev.00.1 : Attached to "
	    "MC1 Rev.07.5 : Copyright", VENDOR_FIRMWARE);
	assert_string_equal(text, "07.5");
	free(text);
	bag_free(bag);
}

static void
test_file_errors(void **state)
{
	static const char *const	 bad[] = {
		"[vendor]\nmake = X\n", "[vendor]\nname = x\nfoo = 1\n",
		"[vendor]\nname = x\n[nonsense]\n",
		"[vendor]\nname = x\n[identity]\nserial = 1.3.x\n",
		"[vendor]\nname = x\n[identity]\nserial = 1.3.1 magic\n",
		"[vendor]\nname = x\n[counters]\nmono = 1.3.1 furlongs\n",
		"[vendor]\nname = x\n[counters]\nmono = ?1.3.1\n",
		"[vendor]\nname = x\n[table]\nlabel = 1.3\n",
		"[vendor]\nname = x\n[rules]\nlevel = -2 low\n",
		"[vendor]\nname = x\nlabel = maybe\n" };
	struct vendor			 v;
	char				 why[200];
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&v, 0, sizeof(v));
		assert_int_equal(vendorfile_parse("x.ini", bad[i], &v, why,
		    sizeof(why)), -1);
		assert_non_null(strstr(why, "x.ini"));
		vendorfile_clear(&v);
	}
	memset(&v, 0, sizeof(v));
	assert_int_equal(vendorfile_parse("x.ini", "; a\n[vendor]\n"
	    "name = x\n[counters]\nmono = 1.3.1 + ?1.3.2 sheets\n", &v, why,
	    sizeof(why)), 0);
	assert_int_equal(v.counters.item[0].terms, 2);
	assert_int_equal(v.counters.item[0].unit, 8);
	assert_true(v.counters.item[0].term[1].optional);
	vendorfile_clear(&v);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_known_false),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_brother_records),
		cmocka_unit_test(test_sharp_labels),
		cmocka_unit_test(test_konica_sums),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_file_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
