/* The makers' table: what it maps, what it never may, and how it sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
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

static bool
below(const char *oid, const char *prefix)
{
	size_t	 len = strlen(prefix);

	return strncmp(oid, prefix, len) == 0 &&
	    (oid[len] == '\0' || oid[len] == '.');
}

static bool
is_text(const char *name)
{
	static const char *const	 texts[] = { "model", "weak-model",
		"serial", "firmware", "hostname", "asset-tag", "id-1284",
		"label", "unit" };
	size_t				 i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i], name) == 0)
			return true;
	return false;
}

/* Objects that public tools take for counters, and which are none; the whole
 * list is tests/data/vendor-false.tsv. */
static void
not_false(void *arg, const struct vendor_named *named)
{
	static const char *const	 lies[] = {
		"1.3.6.1.4.1.641.2.1.2.1.6", "1.3.6.1.4.1.11.2.3.9.1.1.7.0",
		"1.3.6.1.4.1.2001.1.1.1.1.11.1.10.45.0",
		"1.3.6.1.4.1.367.3.2.1.2.19.5.1.5",
		"1.3.6.1.2.1.43.10.2.1.5", "1.3.6.1.2.1.43.10.2.1.4",
		"1.3.6.1.2.1.43.9.2.1.9" };
	size_t				 i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (below(named->oid, lies[i]) && !is_text(named->name))
			fail_msg("%s is no counter (%s)", named->oid,
			    named->name);
}

/* Branches where a question does harm: passwords, a control channel. */
static void
not_forbidden(void *arg, const struct vendor_named *named)
{
	static const char *const	 banned[] = {
		"1.3.6.1.4.1.236.11.5.11.81", "1.3.6.1.4.1.1248.1.2.2.44",
		"1.3.6.1.4.1.367.3.2.1.3", "1.3.6.1.2.1.43.16",
		"1.3.6.1.4.1.11.2.3.9.4.2.1.1.6" };
	size_t				 i;

	for (i = 0; i < sizeof(banned) / sizeof(banned[0]); i++)
		if (below(named->oid, banned[i]) ||
		    below(banned[i], named->oid))
			fail_msg("%s must not be asked for", named->oid);
}

static void
test_known_false(void **state)
{
	vendor_each_object(not_false, NULL);
}

static bool
excluded(const char *oid)
{
	struct objid	 id;

	objid_parse(oid, &id);
	return vendor_excluded(&id);
}

static void
test_forbidden(void **state)
{
	const struct standard_object	*o;

	vendor_each_object(not_forbidden, NULL);
	assert_true(excluded("1.3.6.1.4.1.1248.1.2.2.44.1.1.2.1"));
	assert_true(excluded("1.3.6.1.4.1.236.11.5.11.81.10.1.5.0"));
	assert_true(excluded("1.3.6.1.2.1.1.4.0"));
	assert_false(excluded("1.3.6.1.4.1.1248.1.2.2.4"));
	for (o = standard_objects; o->oid != NULL; o++)
		assert_false(excluded(o->oid));
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

#define CARE "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|"

/* Toner by the maker's own records, in hundredths of a percent. */
static void
test_brother_supplies(void **state)
{
	struct bag		*bag;
	struct objid		 ids[8];
	const struct vendor	*v;

	/* 6f: 46.00 %, 70: 250 %, a2: 61.01 %, 41: 64.59 % */
	bag = bag_of(BROTHER CARE "6f0104000011f8" "700104000061a8"
	    "a20104000017d5" "4101040000193b" "ff\n");
	v = vendor_match(bag);
	assert_int_equal(vendor_supply_percent(v, bag, 21, "black"), 46);
	assert_int_equal(vendor_supply_percent(v, bag, 3, "Black"), 46);
	assert_int_equal(vendor_supply_percent(v, bag, 21, "cyan"), 61);
	assert_true(vendor_supply_percent(v, bag, 21, "magenta") == ABSENT);
	assert_true(vendor_supply_percent(v, bag, 21, NULL) == ABSENT);
	assert_int_equal(vendor_supply_percent(v, bag, 9, NULL), 64);
	assert_true(vendor_supply_percent(v, bag, 4, "black") == ABSENT);
	assert_true(vendor_supply_percent(NULL, bag, 3, "black") == ABSENT);
	assert_int_equal(vendor_supply_objects(v, ids, 8), 1);
	assert_int_equal(vendor_supply_objects(NULL, ids, 8), 0);
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
	/* The labels are walked, the values asked where they are known. */
	assert_int_equal(vendor_tables(v, ids, 64), 1);
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

#define OF(pen) "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1." pen "\n"
#define LEX_T "1.3.6.1.4.1.641.6.4.2.1.1.2.1."
#define LEX_U "1.3.6.1.4.1.641.6.4.2.1.1.3.1."
#define LEX_V "1.3.6.1.4.1.641.6.4.2.1.1.4.1."
#define LEX_ST "1.3.6.1.4.1.641.6.4.3.1.1.2.1."
#define LEX_SV "1.3.6.1.4.1.641.6.4.3.1.1.4.1."

/* Rows by their type, wherever they are; sides by size of paper add up. */
static void
test_lexmark_types(void **state)
{
	struct bag		*bag;
	struct objid		 ids[64];
	struct asset		 a;
	const struct vendor	*v;

	bag = bag_of(OF("641.2.5")
	    LEX_T "7|2|2\n" LEX_U "7|2|7\n" LEX_V "7|65|900\n"
	    LEX_T "9|2|3\n" LEX_U "9|2|7\n" LEX_V "9|65|600\n"
	    LEX_T "3|2|4\n" LEX_U "3|2|7\n" LEX_V "3|65|300\n"
	    LEX_T "4|2|32\n" LEX_U "4|2|99\n" LEX_V "4|65|55\n"
	    LEX_T "5|2|99\n" LEX_V "5|65|1\n"
	    LEX_ST "1|2|1\n" LEX_SV "1|65|10\n"
	    LEX_ST "2|2|4\n" LEX_SV "2|65|20\n"
	    LEX_ST "3|2|4\n" LEX_SV "3|65|21\n"
	    LEX_ST "4|2|261\n" LEX_SV "4|65|5\n"
	    LEX_ST "5|2|257\n" LEX_SV "5|65|7\n");
	v = vendor_match(bag);
	asset_init(&a);
	vendor_counters(v, bag, ABSENT, &a);
	assert_string_equal(expect(&a, "vendor-total", 900, CHECK_OK)->oid,
	    LEX_V "7");
	assert_int_equal(expect(&a, "mono", 600, CHECK_OK)->unit, 7);
	/* A unit that the standard does not know is none. */
	assert_int_equal(expect(&a, "copy", 55, CHECK_NONE)->unit, ABSENT);
	assert_null(asset_counter(&a, "print"));
	/* Its source is the rule: another row is still the same counter. */
	assert_string_equal(expect(&a, "scan", 46, CHECK_NONE)->oid,
	    "1.3.6.1.4.1.641.6.4.3.1.1.4#3-7+#259-263+#771-775");
	expect(&a, "scan-adf", 51, CHECK_NONE);
	expect(&a, "scan-flatbed", 12, CHECK_NONE);
	asset_clear(&a);
	assert_int_equal(vendor_tables(v, ids, 64), 3);
	assert_int_equal(vendor_counter_objects(v, bag, ids, 64), 9);
	bag_free(bag);
	/* Two rows of one type decide nothing. */
	bag = bag_of(OF("641.2.5") LEX_T "7|2|2\n" LEX_V "7|65|900\n"
	    LEX_T "8|2|2\n" LEX_V "8|65|900\n");
	asset_init(&a);
	vendor_counters(v, bag, ABSENT, &a);
	assert_int_equal(a.counters_len, 0);
	asset_clear(&a);
	bag_free(bag);
}

#define SAM "1.3.6.1.4.1.236.11.5.11.53.11.2.1."

static void
test_samsung_rows(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	bag = bag_of(OF("236.11.5.1") SAM "2.1|2|1\n" SAM "2.2|2|1\n"
	    SAM "2.3|2|2\n" SAM "2.4|2|11\n" SAM "7.1|65|100\n"
	    SAM "7.2|65|11\n" SAM "7.3|65|5\n" SAM "7.4|65|3\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "print", 111, CHECK_NONE);
	expect(&a, "copy", 5, CHECK_NONE);
	/* Scans to a PC are the main part: without it no sum. */
	assert_null(asset_counter(&a, "scan"));
	asset_clear(&a);
	bag_free(bag);
	/* One that HP sells. */
	bag = bag_of(OF("236.11.5.1")
	    "1.3.6.1.2.1.25.3.2.1.3.1|4|HP Laser MFP 12x\n");
	assert_string_equal(vendor_name(vendor_match(bag)), "hp");
	bag_free(bag);
	bag = bag_of(OF("11.2.3.9.1")
	    "1.3.6.1.2.1.25.3.2.1.3.1|4|HP LaserJet 12x\n");
	assert_true(vendor_no_bulk(vendor_match(bag)));
	assert_string_equal(vendor_match(bag)->file, "hp.ini");
	bag_free(bag);
	assert_false(vendor_no_bulk(NULL));
}

#define XL "1.3.6.1.4.1.253.8.53.13.2.1.8."
#define XV "1.3.6.1.4.1.253.8.53.13.2.1.6."

static void
test_xerox_devices(void **state)
{
	struct bag		*bag;
	struct objid		 ids[64];
	struct asset		 a;
	const struct vendor	*v;

	bag = bag_of(OF("253.8.62.1")
	    XL "1.20.1|4|Total Impressions\n" XV "1.20.1|2|909\n"
	    XL "1.20.33|4|Color Impressions\n" XV "1.20.33|2|390\n"
	    XL "1.20.34|4|Black Impressions \n" XV "1.20.34|2|519\n"
	    /* Another device's, and another sort of row. */
	    XL "9.20.1|4|Total Impressions\n" XV "9.20.1|2|4\n"
	    XL "1.21.1|4|Total Impressions\n" XV "1.21.1|2|5\n"
	    XL "103.20.3|4|  Black Copied Impressions\n"
	    XV "103.20.3|2|77\n");
	v = vendor_match(bag);
	total_set(&a, 909, 7);
	vendor_counters(v, bag, ABSENT, &a);
	expect(&a, "vendor-total", 909, CHECK_OK);
	expect(&a, "colour", 390, CHECK_OK);
	assert_string_equal(expect(&a, "mono", 519, CHECK_OK)->oid,
	    XV "1.20.34");
	expect(&a, "copy-mono", 77, CHECK_NONE);
	asset_clear(&a);
	assert_int_equal(vendor_tables(v, ids, 64), 9);
	assert_int_equal(vendor_counter_objects(v, bag, ids, 64), 4);
	bag_free(bag);
}

#define RIC "1.3.6.1.4.1.367.3.2.1.2.19."

/* The table before the scalars, each with the unit that it gives. */
static void
test_ricoh(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	bag = bag_of(OF("367.1.1") RIC "1.0|65|1000\n" RIC "4.0|65|30\n"
	    RIC "5.1.2.6|2|10\n" RIC "5.1.4.6|2|8\n" RIC "5.1.9.6|65|1001\n"
	    RIC "5.1.2.7|2|873\n" RIC "5.1.4.7|2|50\n"
	    RIC "5.1.9.7|65|12\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	assert_int_equal(expect(&a, "vendor-total", 1001, CHECK_NONE)->unit,
	    8);
	assert_string_equal(expect(&a, "copy", 30, CHECK_NONE)->oid,
	    RIC "4.0");
	assert_int_equal(expect(&a, "scan-colour", 12, CHECK_NONE)->unit,
	    ABSENT);
	asset_clear(&a);
	bag_free(bag);
}

#define PML "1.3.6.1.4.1.11.2.3.9.4.2.1."

static void
test_hp_sanity(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	bag = bag_of(OF("11.2.3.9.1") PML "2.2.1.44.0|2|0\n"
	    PML "2.2.1.45.0|2|10884743\n" PML "2.2.1.74.0|2|12\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "scan-adf", 0, CHECK_NONE);
	assert_null(asset_counter(&a, "scan-adf-host"));
	expect(&a, "scan-flatbed", 12, CHECK_NONE);
	assert_int_equal(a.counters_len, 2);
	asset_clear(&a);
	bag_free(bag);
	bag = bag_of(OF("11.2.3.9.1") PML "2.2.1.44.0|2|60\n"
	    PML "2.2.1.45.0|2|50\n"
	    PML "1.16.1.47.13|4x|44160666\n"
	    PML "1.16.1.47.1|4x|7fc00000\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "scan-adf-host", 50, CHECK_NONE);
	expect(&a, "a4-total", 600, CHECK_NONE);
	assert_null(asset_counter(&a, "a4-mono"));
	asset_clear(&a);
	bag_free(bag);
}

static void
test_canon_kyocera_zebra(void **state)
{
	struct bag	*bag;
	struct asset	 a;

	bag = bag_of(OF("1602.4") "1.3.6.1.4.1.1602.1.11.1.4.1.4.101|2|70\n"
	    "1.3.6.1.4.1.1602.1.11.1.4.1.4.113|2|40\n"
	    "1.3.6.1.4.1.1602.1.11.1.4.1.4.112|2|10\n"
	    "1.3.6.1.4.1.1602.1.11.1.4.1.4.123|2|19\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "mono", 50, CHECK_MISMATCH);
	expect(&a, "vendor-total", 70, CHECK_MISMATCH);
	expect(&a, "large-format-mono", 10, CHECK_NONE);
	asset_clear(&a);
	bag_free(bag);
	bag = bag_of(OF("1347.41") "1.3.6.1.4.1.1347.42.3.1.1.1.1.1|2|35\n"
	    "1.3.6.1.4.1.1347.42.3.1.2.1.1.1.1|2|30\n"
	    "1.3.6.1.4.1.1347.42.3.1.2.1.1.1.2|2|3\n"
	    "1.3.6.1.4.1.1347.42.3.1.2.1.1.1.3|2|2\n"
	    "1.3.6.1.4.1.1347.42.3.1.2.1.1.2.2|2|2\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	expect(&a, "print", 35, CHECK_OK);
	expect(&a, "print-colour", 5, CHECK_OK);
	/* Single colour alone is no colour total. */
	assert_null(asset_counter(&a, "copy-colour"));
	asset_clear(&a);
	bag_free(bag);
	bag = bag_of(OF("10642.1") "1.3.6.1.4.1.10642.200.17.3.0|2|12\n");
	asset_init(&a);
	vendor_counters(vendor_match(bag), bag, ABSENT, &a);
	assert_int_equal(expect(&a, "length", 120000, CHECK_NONE)->unit, 3);
	asset_clear(&a);
	bag_free(bag);
}

/* --- files ---------------------------------------------------------------- */

static char	 complaints[2000];

static void
note(void *arg, const char *file, size_t line, const char *what)
{
	size_t	 len = strlen(complaints);
	char	*slash = strrchr(file, '/');

	snprintf(complaints + len, sizeof(complaints) - len, "%s:%zu: %s\n",
	    slash == NULL ? file : slash + 1, line, what);
}

static void
test_file_errors(void **state)
{
	static const struct {
		const char	*text, *why;
	}			 bad[] = {
		{ "[vendor]\nmake = X\n", "x.ini:0: name is missing" },
		{ "[vendor]\nname = x\n", "x.ini:0: nothing says whose" },
		{ "[vendor]\nname = X\n", "x.ini:2: name may have" },
		{ "[vendor]\nname = x\nfoo = 1\n",
		    "x.ini:3: there is no key \"foo\" in vendor" },
		{ "name = x\n", "x.ini:1: there is no key" },
		{ "[vendor]\nname = x\n[nonsense]\na = 1\n",
		    "x.ini:3: there is no section [nonsense]" },
		{ "[vendor\n", "x.ini:1: \"[vendor\" has no ]" },
		{ "[vendor]\nwhat\n", "x.ini:2: \"what\" is no" },
		{ "[vendor]\nlabel = maybe\n", "label is yes or no" },
		{ "[vendor]\nenterprise = 1.3.6.1.4.1\n", "too short" },
		{ "[identity]\nserial = 1.3.x\n", "no object identifier" },
		{ "[identity]\nserial = 1.3.6.1.4.1.9.1 magic\n",
		    "no way to read" },
		{ "[identity]\nshoe = 1.3.6.1.4.1.9.1\n", "\"shoe\"" },
		{ "[counters]\nmono = 1.3.6.1.4.1.9.1 furlongs\n",
		    "furlongs" },
		{ "[counters]\nmono = ?1.3.6.1.4.1.9.1\n", "optional" },
		{ "[counters]\nmno = 1.3.6.1.4.1.9.1\n",
		    "\"mno\" is no counter" },
		{ "[counters]\nmono = 1.3.6.1.4.1.9.1 record:fff\n",
		    "record:" },
		{ "[counters]\nmono = 1.3.6.1.4.1.9.1 scale:0\n", "scale:" },
		{ "[vendor]\nname = x\ntext = x\n[table]\n"
		    "label = 1.3.6.1.4.1.9.1\n", "x.ini:4: this [table] "
		    "needs both" },
		{ "[vendor]\nname = x\ntext = x\n[table]\n"
		    "label = 1.3.6.1.4.1.9.1\nvalue = 1.3.6.1.4.1.9.2\n"
		    "mono = #1-3\n", "sum = yes" },
		{ "[table]\nmono = #1x\n", "x.ini:2: \"#1x\" is no number" },
		{ "[table]\nmono = #3-1\n", "is no number of rows" },
		{ "[table]\nindex = 1.a\n", "no part of an index" },
		{ "[table]\nindex = 1..2\n", "no part of an index" },
		{ "[table]\nindex = 1 .2\n", "no part of an index" },
		{ "[table]\nindex = 4294967296\n", "no part of an index" },
		{ "[checks]\ntotal = mono + everything\n",
		    "\"everything\" is no counter" },
		{ "[at-most]\nscan = scan-adf + scan-flatbed\n",
		    "NAME = NAME" },
		{ "[rules]\nlevel = -2 low\n", "below -3" },
		{ "[rules]\nlevel = -20 purple\n", "below -3" },
		{ "[supplies]\nbanana = 1.3.6.1.4.1.9.1\n", "no kind" },
		{ "[supplies]\ntoner = 1.3.6.1.4.1.9.1 + 1.3.6.1.4.1.9.2\n",
		    "one object" },
		{ "[supplies]\ntoner = 1.3.6.1.4.1.9.1 divide:0\n",
		    "divide:" },
		{ "[exclude]\n1.3.6.1.4.1.9.1 =\n", "say why" } };
	struct vendor	 v;
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&v, 0, sizeof(v));
		complaints[0] = '\0';
		assert_int_equal(vendorfile_parse("x.ini", bad[i].text, &v,
		    note, NULL), -1);
		if (strstr(complaints, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, complaints);
		vendorfile_clear(&v);
	}
	memset(&v, 0, sizeof(v));
	assert_int_equal(vendorfile_parse("x.ini", "; a\n[vendor]\n"
	    "name = x\ntext = x\n[counters]\nmono = 1.3.6.1.4.1.9.1 + "
	    "?1.3.6.1.4.1.9.2 digits scale:10 sheets\n", &v, note, NULL), 0);
	assert_int_equal(v.counters.item[0].terms, 2);
	assert_int_equal(v.counters.item[0].unit, 8);
	assert_int_equal(v.counters.item[0].scale, 10);
	assert_true(v.counters.item[0].digits);
	assert_true(v.counters.item[0].term[1].optional);
	vendorfile_clear(&v);
}

/* A file full of everything, or of mistakes, ends early. */
static void
test_file_bounds(void **state)
{
	struct buf	 text = { 0 };
	struct vendor	 v;
	size_t		 i, lines = 0;

	buf_puts(&text, "[vendor]\nname = x\ntext = x\n[counters]\n");
	for (i = 0; i < 2000; i++)
		buf_printf(&text, "mono = 1.3.6.1.4.1.9.%zu\n", i);
	memset(&v, 0, sizeof(v));
	complaints[0] = '\0';
	assert_int_equal(vendorfile_parse("x.ini", text.data, &v, note,
	    NULL), -1);
	for (i = 0; complaints[i] != '\0'; i++)
		lines += complaints[i] == '\n';
	assert_in_range(lines, 1, VENDORFILE_COMPLAINTS_MAX);
	assert_true(v.counters.count <= VENDORFILE_SUMS_MAX);
	vendorfile_clear(&v);
	buf_free(&text);
}

static char	 folder[2][64];

static void
file_write(int n, const char *name, const char *text)
{
	char	 path[128];
	FILE	*fp;

	snprintf(path, sizeof(path), "%s/%s", folder[n], name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static void
file_remove(int n, const char *name)
{
	char	 path[128];

	snprintf(path, sizeof(path), "%s/%s", folder[n], name);
	assert_int_equal(unlink(path), 0);
}

static size_t
load(bool installed, bool own)
{
	complaints[0] = '\0';
	return vendor_load(installed ? folder[0] : NULL,
	    own ? folder[1] : "/nowhere/at/all", note, NULL);
}

static const char *
file_of(const char *snmprec)
{
	struct bag		*bag = bag_of(snmprec);
	const struct vendor	*v = vendor_match(bag);

	bag_free(bag);
	return v == NULL ? "nobody" : v->file;
}

static void
test_folders(void **state)
{
	static const char	 plan[] = "[vendor]\nname = acme\n"
		"enterprise = 1.3.6.1.4.1.99\n";
	size_t			 built_in;
	struct objid		 ids[64];

	strcpy(folder[0], "/tmp/test_vendor.XXXXXX");
	strcpy(folder[1], "/tmp/test_vendor.XXXXXX");
	assert_non_null(mkdtemp(folder[0]));
	assert_non_null(mkdtemp(folder[1]));
	/* Empty folders are as good as none. */
	assert_int_equal(load(true, true), 0);
	assert_string_equal(complaints, "");
	built_in = vendor_count();
	assert_true(built_in > 25);

	/* A technician's file beside those built in. */
	file_write(1, "acme.ini", plan);
	file_write(1, "readme.txt", "not one");
	assert_int_equal(load(true, true), 0);
	assert_int_equal(vendor_count(), built_in + 1);
	assert_string_equal(file_of(OF("99.1")), "acme.ini");

	/* In place of one, with what was excluded still excluded. */
	file_write(1, "samsung.ini", "[vendor]\nname = samsung\n"
	    "enterprise = 1.3.6.1.4.1.236\n[identity]\n"
	    "serial = 1.3.6.1.4.1.236.1.1\n");
	assert_int_equal(load(true, true), 0);
	assert_int_equal(vendor_count(), built_in + 1);
	assert_int_equal(vendor_objects(vendor_nth(1), ids, 64), 2);
	assert_true(excluded("1.3.6.1.4.1.236.11.5.11.81.10.1.5.0"));

	/* What names that is refused, and the one built in serves. */
	file_write(1, "samsung.ini", "[vendor]\nname = samsung\n"
	    "enterprise = 1.3.6.1.4.1.236\n[identity]\n"
	    "serial = 1.3.6.1.4.1.236.11.5.11.81.10.1.5.0\n"
	    "firmware = 1.3.6.1.4.1.236.11.5.11 first\n");
	assert_int_equal(load(true, true), 1);
	assert_non_null(strstr(complaints, "samsung.ini:5: 1.3.6.1.4.1.236.11"
	    ".5.11.81.10.1.5.0 must never be asked: "));
	assert_non_null(strstr(complaints, "samsung.ini:6: "));
	assert_int_equal(vendor_count(), built_in + 1);
	assert_string_equal(file_of(OF("236.11.5.1")), "samsung.ini");

	/* So with what cannot be read at all. */
	file_write(1, "samsung.ini", "[nonsense]\n");
	assert_int_equal(load(true, true), 1);
	assert_non_null(strstr(complaints, "samsung.ini:1: there is no"));
	file_remove(1, "samsung.ini");

	/* The same number twice: the technician's own serves. */
	file_write(1, "acme.ini", "[vendor]\nname = acme\n"
	    "enterprise = 1.3.6.1.4.1.2385\n");
	assert_int_equal(load(true, true), 0);
	assert_non_null(strstr(complaints, "sharp.ini:0: enterprise "
	    "1.3.6.1.4.1.2385 stands in acme.ini, too"));
	assert_string_equal(file_of(OF("2385.3")), "acme.ini");

	/* He may keep from objects, though not from the standard's. */
	file_write(1, "acme.ini", "[vendor]\nname = acme\ntext = acme\n"
	    "[exclude]\n1.3.6.1.4.1.2385.2.1.1.2.1.2.1 = not wanted here\n"
	    "1.3.6.1.2.1.43.11 = nor these\n");
	assert_int_equal(load(true, true), 0);
	assert_non_null(strstr(complaints, "acme.ini:6: this has standard"));
	assert_string_equal(file_of(OF("2385.3")), "sharp.ini");
	assert_true(excluded("1.3.6.1.4.1.2385.2.1.1.2.1.2.1"));
	assert_false(excluded("1.3.6.1.2.1.43.11.1.1.9.1.1"));

	/* What is installed is all that there is; one that is broken there
	 * is replaced by the one built in. */
	file_remove(1, "acme.ini");
	file_remove(1, "readme.txt");
	file_write(0, "acme.ini", plan);
	file_write(0, "hp.ini", "[nonsense]\n");
	assert_int_equal(load(true, false), 1);
	assert_int_equal(vendor_count(), 3);	/* common.ini always */
	assert_string_equal(file_of(OF("99.1")), "acme.ini");
	assert_string_equal(file_of(OF("11.2")), "hp.ini");
	assert_string_equal(file_of(OF("2385.3")), "nobody");
	file_remove(0, "acme.ini");
	file_remove(0, "hp.ini");
	rmdir(folder[0]);
	rmdir(folder[1]);
	vendor_unload();
	assert_int_equal(vendor_count(), built_in);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_known_false),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_brother_records),
		cmocka_unit_test(test_brother_supplies),
		cmocka_unit_test(test_sharp_labels),
		cmocka_unit_test(test_konica_sums),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_lexmark_types),
		cmocka_unit_test(test_samsung_rows),
		cmocka_unit_test(test_xerox_devices),
		cmocka_unit_test(test_ricoh),
		cmocka_unit_test(test_hp_sanity),
		cmocka_unit_test(test_canon_kyocera_zebra),
		cmocka_unit_test(test_file_errors),
		cmocka_unit_test(test_file_bounds),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
