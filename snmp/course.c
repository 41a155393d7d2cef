#include "snmp/course.h"

#include <string.h>

#include "base/log.h"
#include "schema/record.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

#define VENDOR_ROWS_MAX	128

/*
 * The two gates through which everything goes that is ever asked of a
 * device, whoever came up with it.
 */
static void
must_be_allowed(const struct course *c, const struct objid *id)
{
	char text[OBJID_TEXT_MAX];

	if (!plan_allows(id, c->private))
		fatalx("course", "%s may not be asked",
		    objid_format(id, text));
}

static void
want_object(struct course *c, struct errand *errand, const struct objid *id)
{
	must_be_allowed(c, id);
	errand_object(errand, id);
}

static void
want_column(struct course *c, struct errand *errand, const struct objid *id,
    const char *name, unsigned rows_max)
{
	must_be_allowed(c, id);
	errand_column(errand, id, name, rows_max);
}

/* A scalar is walked too (one row), so that one GETNEXT takes them all. */
static void
want_item_column(struct course *c, struct errand *errand,
    const struct plan_item *item)
{
	struct objid id = item->id;

	if (item->shape == STANDARD_SCALAR)
		id.len--;
	want_column(c, errand, &id, item->name, item->rows_max);
}

static void
want_columns(struct course *c, struct errand *errand, unsigned when)
{
	const struct plan_item *item;
	size_t i, n;

	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].when & when)
			want_item_column(c, errand, &item[i]);
}

static bool
has_any(const struct bag *bag, const char *column)
{
	struct objid prefix, id;
	struct bag_value value;
	size_t cursor = 0;

	objid_parse(column, &prefix);
	return bag_next(bag, &prefix, &cursor, &id, &value);
}

/* The number at that OID; what has another type is not there. */
static bool
get_number(const struct bag *bag, const struct objid *id, int64_t *number)
{
	struct bag_value value;

	if (!bag_get(bag, id, &value) || value.type == BAG_OCTETS ||
	    value.type == BAG_OBJID || value.type == BAG_IPADDRESS)
		return false;
	*number = value.number;
	return true;
}

static void
start(struct course *c, unsigned what)
{
	c->what = what;
	c->errand = errand_new();
	c->fresh = bag_new();
	c->before = bag_new();
}

void
course_start_all(struct course *c)
{
	start(c, READING_ALL);
	c->jetdirect = false;
	c->phase = COURSE_IDENTIFY;
	want_columns(c, c->errand, STANDARD_IDENTIFY);
}

/* It is a printer: all other columns, and those begun to their ends. */
static void
start_standard(struct course *c)
{
	const struct plan_item *item;
	size_t i, n;

	c->phase = COURSE_STANDARD;
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].shape != STANDARD_BY_DEVICE)
			want_item_column(c, c->errand, &item[i]);
}

/* Now its printers are known (a print server has several), and the many
 * other devices that a server may have are none of our business. */
static void
start_devices(struct course *c)
{
	int64_t row[PRINTER_ROWS_MAX];
	const struct plan_item *item;
	struct objid id;
	char why[ERRAND_WHY_MAX];
	size_t i, j, n, rows;

	c->phase = COURSE_DEVICES;
	rows = printer_rows(c->fresh, row, why, sizeof(why));
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (item[i].shape != STANDARD_BY_DEVICE ||
		    (item[i].when & STANDARD_IDENTIFY))
			continue;
		for (j = 0; j < rows; j++) {
			id = item[i].id;
			objid_add(&id, (uint32_t)row[j]);
			want_object(c, c->errand, &id);
		}
	}
}

static void
want_known(struct course *c, struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	struct bag_value value;
	size_t cursor = 0;

	while (bag_next(image, column, &cursor, &id, &value))
		want_object(c, errand, &id);
}

/* Whose objects may be asked for; NULL where only the standard's may. */
static const struct vendor *
maker(const struct course *c, const struct bag *bag)
{
	return c->standard_only ? NULL : vendor_match(bag);
}

static size_t
counter_objects(const struct course *c, const struct bag *bag,
    struct objid list[PLAN_VENDOR_OBJECTS])
{
	return c->standard_only ? 0 : vendor_counter_objects(c->vendor, bag,
	    list, PLAN_VENDOR_OBJECTS);
}

static void
want_vendor_objects(struct course *c)
{
	struct objid list[PLAN_VENDOR_OBJECTS];
	size_t i, n;

	if (c->standard_only)
		return;
	n = vendor_objects(c->vendor, list, PLAN_VENDOR_OBJECTS);
	for (i = 0; i < n; i++)
		want_object(c, c->errand, &list[i]);
}

static void
open_private(struct course *c, const struct bag *bag)
{
	plan_private_free(c->private);
	c->private = plan_private_new(c->vendor, bag);
}

static bool
start_stranger(struct course *c)
{
	errand_stop(c->errand);
	c->vendor = maker(c, c->fresh);
	if (c->vendor == NULL)
		return false;
	c->phase = COURSE_STRANGER;
	open_private(c, c->fresh);
	want_vendor_objects(c);
	return true;
}

static void
start_vendor(struct course *c)
{
	struct objid list[PLAN_VENDOR_TABLES];
	size_t i, n;

	c->phase = COURSE_VENDOR;
	c->vendor = maker(c, c->fresh);
	open_private(c, c->fresh);
	want_vendor_objects(c);		/* nobody's, too: many answer them */
	n = vendor_tables(c->vendor, list, PLAN_VENDOR_TABLES);
	for (i = 0; i < n; i++)
		want_column(c, c->errand, &list[i], NULL, VENDOR_ROWS_MAX);
}

static void
start_counters(struct course *c)
{
	struct objid list[PLAN_VENDOR_OBJECTS], life;
	size_t i, n;

	c->phase = COURSE_COUNTERS;
	open_private(c, c->fresh);	/* its tables name more */
	n = counter_objects(c, c->fresh, list);
	/* Together with the life counts, though some were read a moment ago:
	 * sums of a printer at work hold only within one sample. */
	objid_parse(STD_MARKER_LIFE, &life);
	if (n > 0)
		want_known(c, c->errand, &life, c->fresh);
	for (i = 0; i < n; i++)
		want_object(c, c->errand, &list[i]);
}

/*
 * Some HP cards show only the supplies' types by default, or no supplies at
 * all; the rest lives in the SNMPv3 context "Jetdirect", which v1 and v2c
 * reach through the community's name.
 */
static bool
start_context(struct course *c)
{
	static const struct objid hp = { 7, { 1, 3, 6, 1, 4, 1, 11 } };
	struct objid id;
	struct bag_value value;
	const struct plan_item *item;
	struct objid supplies, colorants;
	size_t i, n;

	objid_parse(STD_SYS_OBJECT_ID, &id);
	if (!bag_get(c->fresh, &id, &value) || value.type != BAG_OBJID ||
	    !objid_within(&value.objid, &hp) ||
	    (has_any(c->fresh, STD_SUPPLY_DESCR) &&
	    has_any(c->fresh, STD_SUPPLY_LEVEL)))
		return false;
	c->phase = COURSE_CONTEXT;
	c->in_context = true;
	c->other = c->errand;
	c->errand = errand_new();
	objid_parse("1.3.6.1.2.1.43.11", &supplies);
	objid_parse("1.3.6.1.2.1.43.12", &colorants);
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (objid_within(&item[i].id, &supplies) ||
		    objid_within(&item[i].id, &colorants))
			want_item_column(c, c->errand, &item[i]);
	return true;
}

static void
end_context(struct course *c)
{
	c->jetdirect = has_any(c->fresh, STD_SUPPLY_DESCR) &&
	    has_any(c->fresh, STD_SUPPLY_LEVEL);
}

/*
 * Is it a printer?  The first row of each deciding column tells, unless it
 * is one of those label printers that have but a row in hrDeviceTable: for a
 * known maker that table is read to its end.
 */
static enum course_turn
decide(struct course *c)
{
	int64_t row[PRINTER_ROWS_MAX];

	if (printer_rows(c->fresh, row, c->why, sizeof(c->why)) > 0) {
		c->why[0] = '\0';
		start_standard(c);
		return COURSE_ON;
	}
	if (c->phase == COURSE_IDENTIFY && vendor_match(c->fresh) != NULL) {
		c->phase = COURSE_TYPES;
		return COURSE_ON;
	}
	return start_stranger(c) ? COURSE_ON : COURSE_NO_PRINTER;
}

bool
course_ripe(const struct course *c)
{
	return c->phase == COURSE_IDENTIFY && !errand_untried(c->errand);
}

enum course_turn
course_advance(struct course *c)
{
	struct errand *next;

	switch (c->phase) {
	case COURSE_IDENTIFY:
	case COURSE_TYPES:
		return decide(c);
	case COURSE_STRANGER:
		return COURSE_NO_PRINTER;
	case COURSE_STANDARD:
		start_devices(c);
		return COURSE_ON;
	case COURSE_DEVICES:
		start_vendor(c);
		return COURSE_ON;
	case COURSE_VENDOR:
		start_counters(c);
		return COURSE_ON;
	case COURSE_COUNTERS:
		return start_context(c) ? COURSE_ON_CONTEXT : COURSE_DONE;
	case COURSE_CONTEXT:
		end_context(c);
		return COURSE_DONE;
	case COURSE_KNOWN:
		if (c->other == NULL || c->in_context)
			return COURSE_DONE;
		next = c->other;
		c->other = c->errand;
		c->errand = next;
		c->in_context = true;
		return COURSE_ON_CONTEXT;
	}
	return COURSE_DONE;
}

static void
keep_before(struct course *c, const struct bag *image)
{
	static const char *const kept[] = { STD_SYS_UPTIME,
		STD_CONFIG_CHANGES, STD_CRITICAL_EVENTS, STD_ALL_EVENTS,
		STD_ALERT_CODE };
	struct objid prefix, id;
	struct bag_value value;
	int64_t number;
	size_t i, cursor;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		objid_parse(kept[i], &prefix);
		cursor = 0;
		while (bag_next(image, &prefix, &cursor, &id, &value))
			if (get_number(image, &id, &number))
				bag_put_number(c->before, &id, value.type,
				    number);
	}
}

static void
want_known_counters(struct course *c, const struct bag *image)
{
	struct objid list[PLAN_VENDOR_OBJECTS], id;
	size_t i, n;

	objid_parse(STD_MARKER_UNIT, &id);
	want_known(c, c->errand, &id, image);
	if (!(c->what & READING_HEARTBEAT)) {
		objid_parse(STD_SYS_UPTIME, &id);
		want_object(c, c->errand, &id);
		objid_parse(STD_MARKER_LIFE, &id);
		want_known(c, c->errand, &id, image);
	}
	n = counter_objects(c, image, list);
	for (i = 0; i < n; i++)
		want_object(c, c->errand, &list[i]);
}

void
course_start_known(struct course *c, unsigned what, const struct bag *image)
{
	const struct plan_item *item;
	struct errand *supplies;
	struct objid code;
	size_t i, n;

	start(c, what);
	keep_before(c, image);
	c->phase = COURSE_KNOWN;
	supplies = c->errand;
	if ((c->what & READING_SUPPLIES) && c->jetdirect)
		supplies = c->other = errand_new();
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if ((c->what & READING_HEARTBEAT) &&
		    (item[i].when & STANDARD_HEARTBEAT)) {
			if (item[i].shape == STANDARD_SCALAR)
				want_object(c, c->errand, &item[i].id);
			else
				want_known(c, c->errand, &item[i].id, image);
		} else if ((c->what & READING_ALERTS) &&
		    (item[i].when & STANDARD_ALERTS))
			want_item_column(c, c->errand, &item[i]);
		if ((c->what & READING_SUPPLIES) &&
		    (item[i].when & STANDARD_SUPPLIES))
			want_known(c, supplies, &item[i].id, image);
	}
	/* The counters tell of new alerts only; whether the known ones still
	 * stand is seen by asking for each (printers.md 7). */
	if ((c->what & READING_HEARTBEAT) && !(c->what & READING_ALERTS)) {
		objid_parse(STD_ALERT_CODE, &code);
		want_known(c, c->errand, &code, image);
	}
	if (c->what & READING_COUNTERS) {
		c->vendor = maker(c, image);
		open_private(c, image);
		want_known_counters(c, image);
	}
}

/* sysUpTime that fell (a wrap after 497 days looks the same, and costs a
 * reading), or a configuration counter that moved. */
bool
course_restarted(const struct course *c)
{
	struct objid prefix, id;
	struct bag_value was;
	int64_t then, now;
	size_t cursor = 0;

	objid_parse(STD_SYS_UPTIME, &id);
	if (get_number(c->before, &id, &then) &&
	    get_number(c->fresh, &id, &now) && now < then)
		return true;
	objid_parse(STD_CONFIG_CHANGES, &prefix);
	while (bag_next(c->before, &prefix, &cursor, &id, &was))
		if (get_number(c->fresh, &id, &now) && now != was.number)
			return true;
	return false;
}

bool
course_alerts_moved(const struct course *c)
{
	static const char *const columns[] = {
		STD_CRITICAL_EVENTS, STD_ALL_EVENTS, STD_ALERT_CODE
	};
	struct objid prefix, id;
	struct bag_value was;
	int64_t now;
	size_t i, cursor;
	bool any = false;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		objid_parse(columns[i], &prefix);
		cursor = 0;
		while (bag_next(c->before, &prefix, &cursor, &id, &was)) {
			any |= i < 2;		/* a counter */
			if (!get_number(c->fresh, &id, &now) ||
			    now != was.number)
				return true;
		}
	}
	return !any;
}

void
course_clear(struct course *c)
{
	errand_free(c->errand);
	errand_free(c->other);
	bag_free(c->fresh);
	bag_free(c->before);
	plan_private_free(c->private);
	memset(c, 0, sizeof(*c));
}
