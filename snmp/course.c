#include "snmp/course.h"

#include <string.h>

#include "base/log.h"
#include "snmp/contrast.h"
#include "snmp/course_form.h"
#include "snmp/gate.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

const struct objid *
course_oid(enum course_known which)
{
	static const char *const text[KNOWN] = { STD_SYS_UPTIME,
		STD_SYS_OBJECT_ID, STD_MARKER_LIFE, STD_MARKER_UNIT,
		STD_SUPPLY_DESCR, STD_SUPPLY_LEVEL, STD_ALERT_CODE,
		"1.3.6.1.2.1.43.11", "1.3.6.1.2.1.43.12",
		"1.3.6.1.2.1.43.18" };
	static struct objid id[KNOWN];

	if (id[which].len == 0)
		objid_parse(text[which], &id[which]);
	return &id[which];
}

static bool
has_any(const struct bag *bag, enum course_known column)
{
	struct objid id;
	size_t cursor = 0;

	return bag_next(bag, course_oid(column), &cursor, &id, NULL);
}

struct errand *
course_errand(const struct course *c)
{
	struct errand *errand = errand_new();

	errand_bulk(errand, c->bulk);
	return errand;
}

/* That one from here on. */
static void
turn_to(struct course *c, struct errand *errand)
{
	if (c->past_len == COURSE_PAST_MAX)
		fatalx("course", "more than %d errands", COURSE_PAST_MAX);
	c->past[c->past_len++] = c->errand;
	c->errand = errand;
}

void
course_begin(struct course *c, unsigned what, const struct bag *image)
{
	c->what = what;
	c->errand = course_errand(c);
	c->fresh = bag_new();
	c->before = bag_new();
	if (image != NULL)
		contrast_keep(c->before, image, what & READING_ALL ?
		    CONTRAST_SLEEP : what & READING_KNOWN_ALERTS ?
		    CONTRAST_ALERTS : CONTRAST_NEWS);
}

const struct vendor *
course_maker(const struct course *c, const struct bag *bag)
{
	return c->standard_only ? NULL : vendor_match(bag);
}

void
course_open_private(struct course *c, const struct bag *bag)
{
	plan_private_free(c->private);
	c->private = c->standard_only ? NULL :
	    plan_private_new(c->vendor, bag);
}

void
course_open_tables(struct course *c)
{
	plan_private_free(c->private);
	c->private = c->standard_only ? NULL :
	    plan_private_tables(c->vendor);
}

bool
course_is_supply(const struct plan_item *item)
{
	return objid_within(&item->id, course_oid(SUPPLIES)) ||
	    objid_within(&item->id, course_oid(COLORANTS));
}

void
course_start_all(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;

	course_begin(c, READING_ALL, image);
	if (image != NULL) {
		course_start_again(c, image);
		return;
	}
	c->phase = COURSE_IDENTIFY;
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].when & STANDARD_IDENTIFY)
			gate_item(c->errand, &item[i]);
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
		if (item[i].shape != STANDARD_BY_DEVICE &&
		    !(item[i].when & STANDARD_IDENTIFY))
			gate_item(c->errand, &item[i]);
}

static void
start_tables(struct course *c)
{
	const struct vendor *prepared_for = c->tables_of;
	struct objid id;
	size_t cursor = 0;

	c->phase = COURSE_TABLES;
	c->vendor = course_maker(c, c->fresh);
	if (c->bulk && vendor_no_bulk(c->vendor))
		course_set_bulk(c, false);
	if (c->private == NULL || c->vendor != prepared_for)
		course_open_tables(c);
	else if (c->tables != NULL) {
		turn_to(c, c->tables);
		c->tables = NULL;
		return;
	}
	while (plan_private_next(c->private, PLAN_TABLES, &cursor, &id))
		gate_column(c->errand, &id, NULL, COURSE_VENDOR_ROWS,
		    c->private);
}

/* Now its printers are known (a print server has several), and the many
 * other devices that a server may have are none of our business. */
static void
want_by_device(struct course *c)
{
	int64_t row[PRINTER_ROWS_MAX];
	const struct plan_item *item;
	struct objid id;
	size_t i, j, n, rows;

	rows = printer_rows(c->fresh, row, NULL, 0);
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (item[i].shape != STANDARD_BY_DEVICE ||
		    (item[i].when & STANDARD_IDENTIFY))
			continue;
		for (j = 0; j < rows; j++) {
			objid_copy(&id, &item[i].id);
			objid_add(&id, (uint32_t)row[j]);
			gate_object(c->errand, &id, c->private);
		}
	}
}

void
course_want_private(struct course *c, enum plan_sort sort)
{
	struct objid id;
	size_t cursor = 0;

	while (plan_private_next(c->private, sort, &cursor, &id))
		gate_object(c->errand, &id, c->private);
}

static void
start_objects(struct course *c)
{
	c->phase = COURSE_OBJECTS;
	course_open_private(c, c->fresh);	/* tables name some */
	want_by_device(c);
	/* Nobody's, too: many answer them. */
	course_want_private(c, PLAN_OBJECTS);
	/* Together with the life counts, though these were read a moment
	 * ago: sums of a printer at work hold only within one sample. */
	if (plan_private_count(c->private, PLAN_COUNTERS) > 0)
		gate_cells(c->errand, course_oid(LIFE), c->fresh);
	course_want_private(c, PLAN_COUNTERS);
}

static bool
start_stranger(struct course *c)
{
	errand_stop(c->errand);
	c->vendor = course_maker(c, c->fresh);
	if (c->vendor == NULL)
		return false;
	c->phase = COURSE_STRANGER;
	course_open_private(c, NULL);
	course_want_private(c, PLAN_OBJECTS);
	return true;
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
	const struct plan_item *item;
	struct bag_value value;
	size_t i, n;

	if (!bag_get(c->fresh, course_oid(OBJECT_ID), &value) ||
	    value.type != BAG_OBJID || !objid_within(&value.objid, &hp) ||
	    (has_any(c->fresh, SUPPLY_DESCR) &&
	    has_any(c->fresh, SUPPLY_LEVEL))) {
		c->jetdirect = false;
		return false;
	}
	c->phase = COURSE_CONTEXT;
	c->in_context = true;
	turn_to(c, c->context != NULL ? c->context : course_errand(c));
	if (c->context == NULL) {
		item = plan_items(&n);
		for (i = 0; i < n; i++)
			if (course_is_supply(&item[i]))
				gate_item(c->errand, &item[i]);
	}
	c->context = NULL;
	return true;
}

static void
end_context(struct course *c)
{
	c->jetdirect = has_any(c->fresh, SUPPLY_DESCR) &&
	    has_any(c->fresh, SUPPLY_LEVEL);
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
		if (c->phase == COURSE_STANDARD)
			start_tables(c);
		else
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
	switch (c->phase) {
	case COURSE_IDENTIFY:
	case COURSE_TYPES:
	case COURSE_STANDARD:
		return decide(c);
	case COURSE_STRANGER:
		return COURSE_NO_PRINTER;
	case COURSE_TABLES:
		start_objects(c);
		return COURSE_ON;
	case COURSE_OBJECTS:
		return start_context(c) ? COURSE_ON_CONTEXT : COURSE_DONE;
	case COURSE_CONTEXT:
		end_context(c);
		return COURSE_DONE;
	case COURSE_KNOWN:
		if (c->context == NULL)
			return COURSE_DONE;
		turn_to(c, c->context);
		c->context = NULL;
		c->in_context = true;
		return COURSE_ON_CONTEXT;
	}
	return COURSE_DONE;
}

/* --- GETBULK --- */

void
course_set_bulk(struct course *c, bool bulk)
{
	c->bulk = bulk;
	errand_bulk(c->errand, bulk);
	if (c->tables != NULL)
		errand_bulk(c->tables, bulk);
	if (c->context != NULL)
		errand_bulk(c->context, bulk);
}

bool
course_bulk_harms(const struct course *c)
{
	return vendor_no_bulk(vendor_match(c->fresh));
}

/* The first column from item i on with several rows; i is behind it then. */
static size_t
trial_column(const struct course *c, size_t *i, struct objid *column,
    struct objid *row, size_t max)
{
	const struct plan_item *item;
	size_t n, len, cursor;

	item = plan_items(&n);
	while (*i < n) {
		if (item[(*i)++].shape != STANDARD_BY_ROW)
			continue;
		objid_copy(column, &item[*i - 1].id);
		cursor = 0;
		for (len = 0; len < max && bag_next(c->fresh, column, &cursor,
		    &row[len], NULL); len++)
			;
		if (len > 1)
			return len;
	}
	return 0;
}

/* sysUpTime once, and the first rows of one column, or of two. */
size_t
course_trial(const struct course *c, struct talk_question *question,
    struct objid ids[COURSE_TRIAL_IDS], struct objid expect[COURSE_TRIAL_MAX])
{
	struct objid row[2][COURSE_TRIAL_MAX / 2];
	size_t i = 0, len, other, columns, n = 0, r;

	len = trial_column(c, &i, &ids[1], row[0], COURSE_TRIAL_MAX / 2);
	if (len == 0 || !bag_get(c->fresh, course_oid(UPTIME),
	    &(struct bag_value){ .type = BAG_TICKS }))
		return 0;
	other = trial_column(c, &i, &ids[2], row[1], len);
	columns = other == len ? 2 : 1;
	objid_copy(&expect[n++], course_oid(UPTIME));
	objid_copy(&ids[0], course_oid(UPTIME));
	ids[0].len--;
	for (r = 0; r < len * columns; r++)
		objid_copy(&expect[n++], &row[r % columns][r / columns]);
	*question = (struct talk_question){ .op = TALK_GETBULK, .ids = ids,
	    .n = 1 + columns, .non_repeaters = 1,
	    .repetitions = (unsigned)len };
	return n;
}

/* --- what came of it --- */

/* What is missing of a printer that sleeps speaks for nothing. */
static void
drop_asleep(const struct course *c, struct objid *list, size_t *len)
{
	size_t i, kept = 0;
	bool alerts;

	if (!contrast_asleep(c->before, c->fresh))
		return;
	alerts = contrast_alerts_believed(c->before, c->fresh);
	for (i = 0; i < *len; i++)
		if (alerts && objid_within(&list[i], course_oid(ALERT_TABLE)))
			objid_copy(&list[kept++], &list[i]);
	*len = kept;
}

void
course_covered(const struct course *c, struct objid **out, size_t *len)
{
	size_t i;

	for (i = 0; i < c->past_len; i++)
		errand_covered(c->past[i], out, len);
	errand_covered(c->errand, out, len);
	drop_asleep(c, *out, len);
}

const char *
course_why(const struct course *c)
{
	size_t i;

	for (i = 0; i < c->past_len; i++)
		if (errand_why(c->past[i])[0] != '\0')
			return errand_why(c->past[i]);
	return errand_why(c->errand);
}

void
course_clear(struct course *c)
{
	size_t i;

	for (i = 0; i < c->past_len; i++)
		errand_free(c->past[i]);
	errand_free(c->errand);
	errand_free(c->tables);
	errand_free(c->context);
	bag_free(c->fresh);
	bag_free(c->before);
	plan_private_free(c->private);
	memset(c, 0, sizeof(*c));
}
