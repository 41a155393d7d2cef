/* Parts of an image: what is asked for is what it has. */
#include "snmp/course_form.h"

#include "snmp/gate.h"
#include "snmp/reading.h"
#include "snmp/routine.h"

/* Fewer supplies fit in one request by name, with the heartbeat. */
#define BULK_ROWS_MIN	6

/* Of each device's markers only the first one's: it is what the total goes
 * by, and enough to tell that something was printed. */
static void
want_first_life(struct course *c, const struct bag *image)
{
	const struct objid *column = course_oid(LIFE);
	struct objid id;
	uint32_t device = 0;
	size_t cursor = 0;
	bool any = false;

	while (bag_next(image, column, &cursor, &id, NULL)) {
		if (id.len == column->len ||
		    (any && id.sub[column->len] == device))
			continue;
		device = id.sub[column->len];
		any = true;
		gate_object(c->errand, &id, c->private);
	}
}

static void
want_heartbeat(struct course *c, const struct plan_item *item,
    const struct bag *image)
{
	if (item->shape == STANDARD_SCALAR)
		gate_object(c->errand, &item->id, c->private);
	else if (objid_cmp(&item->id, course_oid(LIFE)) != 0)
		gate_cells(c->errand, &item->id, image);
	else if (!(c->what & READING_COUNTERS))
		want_first_life(c, image);
}

static void
want_known_counters(struct course *c, const struct bag *image)
{
	course_open_private(c, image);
	gate_cells(c->errand, course_oid(UNIT), image);
	if (!(c->what & READING_HEARTBEAT))
		gate_object(c->errand, course_oid(UPTIME), c->private);
	gate_cells(c->errand, course_oid(LIFE), image);
	course_want_private(c, PLAN_COUNTERS);
}

/* What the maker says of levels, as far as the device has it. */
static void
want_vendor_supplies(struct course *c, const struct bag *image)
{
	struct objid list[PLAN_VENDOR_OBJECTS];
	struct bag_value value;
	size_t i, n;

	n = vendor_supply_objects(c->vendor, list, PLAN_VENDOR_OBJECTS);
	if (n == 0)
		return;
	if (c->private == NULL)
		course_open_private(c, image);
	for (i = 0; i < n; i++)
		if (bag_get(image, &list[i], &value))
			gate_object(c->errand, &list[i], c->private);
}

/* By the first of the column and how many follow. */
static void
want_rows_in_bulk(struct course *c, struct errand *errand,
    const struct plan_item *item, const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;
	bool any = false;

	gate_item(errand, item);
	while (bag_next(image, &item->id, &cursor, &id, NULL)) {
		errand_row(errand, &id);
		any = true;
	}
	if (any)
		errand_row_last(errand, &id);
}

/* By the names of the cells; many rows with GETBULK, whose question is
 * shorter. */
static void
want_supplies(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	struct errand *errand = c->errand;
	struct objid id;
	size_t i, n, rows = 0, cursor = 0;

	while (bag_next(image, course_oid(SUPPLY_LEVEL), &cursor, &id, NULL))
		rows++;
	if (c->jetdirect)
		errand = c->context = course_errand(c);
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (!(item[i].when & STANDARD_SUPPLIES))
			continue;
		if (c->bulk && rows >= BULK_ROWS_MIN)
			want_rows_in_bulk(c, errand, &item[i], image);
		else
			gate_cells(errand, &item[i].id, image);
	}
	want_vendor_supplies(c, image);
}

/* What goes by the OIDs of the image. */
static void
want_known(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;

	item = plan_items(&n);
	for (i = 0; (c->what & READING_HEARTBEAT) && i < n; i++)
		if (item[i].when & STANDARD_HEARTBEAT)
			want_heartbeat(c, &item[i], image);
	if (c->what & READING_COUNTERS)
		want_known_counters(c, image);
	if (c->what & READING_SUPPLIES)
		want_supplies(c, image);
}

/* The same as what was wanted of a device with those OIDs before.  All of it
 * came through the gate then, for the same maker. */
static void
want_as_before(struct course *c, const struct bag *image)
{
	struct routine_key key = { .what = c->what & (READING_HEARTBEAT |
	    READING_COUNTERS | READING_SUPPLIES), .vendor = c->vendor,
	    .bulk = c->bulk, .standard_only = c->standard_only };
	struct errand *errand = routine_recall(&key, image);
	struct objid list[PLAN_VENDOR_TABLES];

	if (errand != NULL) {
		errand_free(c->errand);
		c->errand = errand;
		return;
	}
	want_known(c, image);
	routine_keep(&key, image, list, vendor_labels(c->vendor, list,
	    PLAN_VENDOR_TABLES), c->errand);
}

static void
want_known_alerts(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;

	item = plan_items(&n);
	for (i = 0; (c->what & READING_ALERTS) && i < n; i++)
		if ((item[i].when & STANDARD_ALERTS) &&
		    !((c->what & READING_HEARTBEAT) &&
		    (item[i].when & STANDARD_HEARTBEAT)))
			gate_item_again(c->errand, &item[i], image);
	for (i = 0; (c->what & READING_ANY_ALERTS) && i < n; i++)
		if (objid_cmp(&item[i].id, course_oid(ALERT_CODE)) == 0)
			gate_item_again(c->errand, &item[i], image);
	/* The counters tell of new alerts only; whether the known ones still
	 * stand is seen by asking for each (printers.md 7). */
	if ((c->what & READING_KNOWN_ALERTS) && !(c->what & READING_ALERTS))
		gate_cells(c->errand, course_oid(ALERT_CODE), image);
}

void
course_start_known(struct course *c, unsigned what, const struct bag *image)
{
	course_begin(c, what, image);
	c->phase = COURSE_KNOWN;
	if (what & (READING_COUNTERS | READING_SUPPLIES))
		c->vendor = course_maker(c, image);
	/* What is asked in the other context is an errand of its own. */
	if (c->jetdirect && (what & READING_SUPPLIES))
		want_known(c, image);
	else
		want_as_before(c, image);
	want_known_alerts(c, image);
}
