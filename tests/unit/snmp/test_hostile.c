/*
 * Printers that answer anything: random values at the places where decoding
 * looks, seeded, so that a failure repeats.  Nothing may crash, leak, or
 * leave the record model; what comes out must survive a report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/field.h"
#include "schema/report.h"
#include "snmp/standard.h"
#include "snmp/vendor.h"
#include "tests/unit/snmp/bagtext.h"

#define ROUNDS	3000
#define UUID	"5f1f9f6e-3c54-4a8c-9d2f-0d4a5b8f1a77"

static const char *const makers[] = { "2435.2", "11.2.3.9.1", "2385.3",
	"18334.1", "367.1", "253.8", "1347.41", "641.1", "674.10898.2",
	"1248.1", "236.11", "2001.1", "10642.1", "40093.1", "99999.9" };

static uint32_t
draw(uint32_t below)
{
	return (uint32_t)random() % below;
}

static int64_t
odd_number(void)
{
	static const int64_t	 odd[] = { 0, 1, -1, -2, -3, -4, -100, 100,
		101, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN,
		INT64_MIN + 1, 1801, 1104, 23, 11, 8, 5, 4 };

	return draw(3) == 0 ? (int64_t)random() : odd[draw(22)];
}

static void
put_odd(struct bag *bag, const struct objid *id)
{
	static const char *const texts[] = { "Black Toner, PN X;SNY",
		"Toner S/N:", " HP ", "MFG:;MDL:;SN:", ";;;:", "Series",
		"HP", "HP HP HP", "1.2.3", "Lexmark 1.2", ", PN ", "[][]" };
	static const enum bag_type	 types[] = { BAG_INTEGER, BAG_COUNTER,
		BAG_GAUGE, BAG_TICKS, BAG_COUNTER64 };
	uint8_t				 octets[2000];
	const char			*text;
	size_t				 len, i;

	switch (draw(5)) {
	case 0:
		len = draw(4) == 0 ? draw(sizeof(octets)) : draw(40);
		for (i = 0; i < len; i++)
			octets[i] = (uint8_t)random();
		bag_put_octets(bag, id, BAG_OCTETS, octets, len);
		break;
	case 1:
		text = texts[draw(12)];
		bag_put_octets(bag, id, BAG_OCTETS, text, strlen(text));
		break;
	case 2:
		bag_put_objid(bag, id, id);
		break;
	default:
		bag_put_number(bag, id, types[draw(5)], odd_number());
		break;
	}
}

static void
put_standard(struct bag *bag, const struct standard_object *o)
{
	struct objid	 id;
	uint32_t	 rows, i;

	objid_parse(o->oid, &id);
	if (o->shape == STANDARD_SCALAR) {
		put_odd(bag, &id);
		return;
	}
	objid_add(&id, 1 + draw(2));
	if (o->shape == STANDARD_BY_DEVICE || draw(8) == 0) {
		put_odd(bag, &id);
		return;
	}
	objid_add(&id, 0);
	rows = draw(20) == 0 ? 300 : draw(6);
	for (i = 0; i < rows; i++) {
		id.sub[id.len - 1] = draw(4) == 0 ? draw(UINT32_MAX) :
		    draw(8);
		put_odd(bag, &id);
	}
}

static struct bag *
random_bag(void)
{
	const struct standard_object	*o;
	const struct vendor		*v;
	struct bag			*bag = bag_new();
	struct objid			 id, ids[64];
	size_t				 n;

	for (o = standard_objects; o->oid != NULL; o++) {
		if (draw(3) > 0)
			put_standard(bag, o);
	}
	objid_parse(STD_SYS_OBJECT_ID, &id);
	if (draw(4) > 0) {
		char	*oid = xasprintf("1.3.6.1.4.1.%s", makers[draw(15)]);

		objid_parse(oid, &ids[0]);
		bag_put_objid(bag, &id, &ids[0]);
		free(oid);
	}
	v = vendor_match(bag);
	for (n = vendor_objects(v, ids, 64); n-- > 0; )
		put_odd(bag, &ids[n]);
	for (n = vendor_counter_objects(v, bag, ids, 64); n-- > 0; )
		put_odd(bag, &ids[n]);
	if (draw(2) == 0)
		vendor_sample(bag);
	return bag;
}

static void
check_text(const char *text)
{
	if (text == NULL)
		return;
	assert_in_range(strlen(text), 1, RECORD_TEXT_MAX);
	for (; *text != '\0'; text++)
		assert_false((unsigned char)*text < ' ' || *text == 0x7f);
}

static void
check_number(int64_t number)
{
	assert_true(number == ABSENT || number > INT64_MIN + 1);
}

static void
check_printer(const struct printer *p)
{
	const struct consumable	*c;
	size_t			 i;

	check_text(p->asset.make);
	check_text(p->asset.model);
	check_text(p->asset.serial);
	check_text(p->asset.key);
	check_text(p->asset.mac);
	check_text(p->asset.hostname);
	check_text(p->asset.location);
	check_text(p->asset.firmware);
	check_text(p->asset.asset_tag);
	assert_non_null(p->asset.key);
	assert_true(p->asset.errors == ABSENT ||
	    (p->asset.errors >= 0 && p->asset.errors < 1 << ERROR_BITS));
	for (i = 0; i < p->asset.counters_len; i++) {
		assert_true(p->asset.counters[i].value >= 0);
		check_text(p->asset.counters[i].oid);
	}
	assert_true(p->consumables_len <= RECORD_CONSUMABLES_MAX);
	for (i = 0; i < p->consumables_len; i++) {
		c = &p->consumables[i];
		check_text(c->description);
		check_text(c->colour);
		check_text(c->part_number);
		check_text(c->serial);
		check_number(c->level);
		check_number(c->capacity);
		assert_true(c->percent == ABSENT ||
		    (c->percent >= 0 && c->percent <= 100));
		assert_in_range(c->state, SUPPLY_OK, SUPPLY_NOT_REPORTED);
		assert_true(i == 0 || c[-1].index < c->index);
	}
	assert_true(p->alerts_len <= RECORD_ALERTS_MAX);
	for (i = 0; i < p->alerts_len; i++) {
		check_text(p->alerts[i].description);
		check_text(p->alerts[i].code_name);
		check_text(p->alerts[i].vendor_code);
		assert_true(p->alerts[i].description != NULL ||
		    p->alerts[i].code == ABSENT);
		assert_true(p->alerts[i].code != 1801);
		assert_true(p->alerts[i].raised == ABSENT ||
		    p->alerts[i].raised <= NOW);
	}
}

/* A report of it is valid: whatever a printer says, the centre reads it. */
static void
check_report(struct printer *p)
{
	struct report	 r, back;
	struct buf	 xml = { 0 };
	char		 why[200] = "";
	size_t		 i;

	report_init(&r);
	r.seq = 1;
	record_copy(asset_fields, report_asset(&r), &p->asset);
	r.assets[0].id = xstrdup(UUID);
	asset_copy_counters(&r.assets[0], &p->asset);
	for (i = 0; i < 4 && i < p->consumables_len; i++) {
		record_copy(consumable_fields, report_consumable(&r),
		    &p->consumables[i]);
		r.consumables[i].id = xstrdup(UUID);
		r.consumables[i].asset = xstrdup(UUID);
	}
	for (i = 0; i < 4 && i < p->alerts_len; i++) {
		record_copy(alert_fields, report_alert(&r), &p->alerts[i]);
		r.alerts[i].id = xstrdup(UUID);
		r.alerts[i].asset = xstrdup(UUID);
	}
	report_write(&r, &xml);
	if (report_read(xml.data, xml.len, &back, why, sizeof(why)) == -1)
		fail_msg("%s: %s", why, xml.data);
	report_clear(&back);
	report_clear(&r);
	buf_free(&xml);
}

static void
test_random(void **state)
{
	struct bag	*bag;
	struct printer	 p;
	int64_t		 rows[PRINTER_ROWS_MAX];
	char		 why[160];
	size_t		 round, n, i;

	for (round = 0; round < ROUNDS; round++) {
		srandom((unsigned)round);
		bag = random_bag();
		n = printer_rows(bag, rows, why, sizeof(why));
		assert_true(n > 0 || why[0] != '\0');
		printer_decode(bag, -1, "192.0.2.7", NOW, &p);
		check_printer(&p);
		printer_clear(&p);
		for (i = 0; i < n; i++) {
			printer_decode(bag, rows[i], i % 2 ? NULL :
			    "192.0.2.7", NOW, &p);
			check_printer(&p);
			if (round % 16 == 0)
				check_report(&p);
			printer_clear(&p);
		}
		bag_free(bag);
	}
}

/* A bag full of rows in every column is decoded in no time. */
static void
test_huge(void **state)
{
	static const char *const	 columns[] = { STD_ALERT_CODE,
		STD_SUPPLY_LEVEL, STD_SUPPLY_DESCR, STD_IF_PHYS_ADDRESS,
		STD_IP_IF_INDEX, STD_DEVICE_TYPE, STD_DEVICE_DESCR,
		"1.3.6.1.4.1.2385.1.1.19.2.1.4" };
	struct bag			*bag;
	struct objid			 id;
	struct printer			 p;
	uint8_t				 octets[60];
	clock_t				 start = clock();
	uint32_t			 i;
	size_t				 k;

	memset(octets, 'x', sizeof(octets));
	for (k = 0; k < 8; k++) {
		bag = bag_of(SYS "2.0|6|" PEN "2385.3\n");
		objid_parse(columns[k], &id);
		objid_add(&id, 1);
		objid_add(&id, 0);
		for (i = 0; i < BAG_VALUES_MAX; i++) {
			id.sub[id.len - 1] = i;
			bag_put_octets(bag, &id, BAG_OCTETS, octets,
			    sizeof(octets));
		}
		assert_true(bag_count(bag) > 3000);
		for (i = 0; i < 20; i++) {
			printer_decode(bag, 1, "192.0.2.7", NOW, &p);
			check_printer(&p);
			printer_clear(&p);
		}
		bag_free(bag);
	}
	/* 160 decodings, sanitizers or valgrind included */
	assert_true(clock() - start < 120 * CLOCKS_PER_SEC);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
