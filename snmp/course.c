#include "snmp/course.h"

#include <string.h>

#include "base/log.h"
#include "snmp/contrast.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

#define VENDOR_ROWS_MAX	128
/* Fewer supplies fit in one request by name, with the heartbeat. */
#define BULK_ROWS_MIN	6

/* Standard objects that are looked for by name. */
enum known {
	UPTIME, OBJECT_ID, LIFE, UNIT, SUPPLY_DESCR, SUPPLY_LEVEL, ALERT_CODE,
	SUPPLIES, COLORANTS, ALERT_TABLE, KNOWN
};

static const struct objid *
oid_of(enum known which)
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
want_item(struct course *c, struct errand *errand,
    const struct plan_item *item)
{
	struct objid id;

	objid_copy(&id, &item->id);
	if (item->shape == STANDARD_SCALAR)
		id.len--;
	want_column(c, errand, &id, item->name, item->rows_max);
}

/* The rows that the column has in the image are known ones. */
static void
want_rows(struct course *c, struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;

	while (bag_next(image, column, &cursor, &id, NULL))
		if (id.len > column->len)
			errand_row(errand, &id);
}

static void
want_known_item(struct course *c, struct errand *errand,
    const struct plan_item *item, const struct bag *image)
{
	want_item(c, errand, item);
	if (item->shape != STANDARD_SCALAR)
		want_rows(c, errand, &item->id, image);
}

static bool
has_any(const struct bag *bag, enum known column)
{
	struct objid id;
	size_t cursor = 0;

	return bag_next(bag, oid_of(column), &cursor, &id, NULL);
}

static struct errand *
new_errand(const struct course *c)
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

static void
start(struct course *c, unsigned what, const struct bag *image)
{
	c->what = what;
	c->errand = new_errand(c);
	c->fresh = bag_new();
	c->before = bag_new();
	if (image != NULL)
		contrast_keep(c->before, image, what & READING_ALL ?
		    CONTRAST_SLEEP : what & READING_KNOWN_ALERTS ?
		    CONTRAST_ALERTS : CONTRAST_NEWS);
}

/* Whose objects may be asked for; NULL where only the standard's may. */
static const struct vendor *
maker(const struct course *c, const struct bag *bag)
{
	return c->standard_only ? NULL : vendor_match(bag);
}

/* NULL: only what is standard may be asked. */
static void
open_private(struct course *c, const struct bag *bag)
{
	plan_private_free(c->private);
	c->private = c->standard_only ? NULL :
	    plan_private_new(c->vendor, bag);
}

static void
open_tables(struct course *c)
{
	plan_private_free(c->private);
	c->private = c->standard_only ? NULL :
	    plan_private_tables(c->vendor);
}

static bool
is_supply(const struct plan_item *item)
{
	return objid_within(&item->id, oid_of(SUPPLIES)) ||
	    objid_within(&item->id, oid_of(COLORANTS));
}

/* The maker's tables by the rows that they had; kept until the device has
 * said again that it is of that make. */
static void
prepare_tables(struct course *c, const struct bag *image)
{
	const struct objid *list;
	size_t i, n;

	c->vendor = c->tables_of = maker(c, image);
	open_tables(c);
	list = plan_private_list(c->private, PLAN_TABLES, &n);
	if (n == 0)
		return;
	c->tables = new_errand(c);
	for (i = 0; i < n; i++) {
		want_column(c, c->tables, &list[i], NULL, VENDOR_ROWS_MAX);
		want_rows(c, c->tables, &list[i], image);
	}
}

static void
start_again(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;
	bool other;

	c->phase = COURSE_STANDARD;
	errand_known(c->errand);
	if (c->jetdirect)
		c->context = new_errand(c);
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (item[i].shape == STANDARD_BY_DEVICE &&
		    !(item[i].when & STANDARD_IDENTIFY))
			continue;
		other = c->jetdirect && is_supply(&item[i]);
		if (other)
			want_item(c, c->errand, &item[i]);
		want_known_item(c, other ? c->context : c->errand, &item[i],
		    image);
	}
	prepare_tables(c, image);
}

void
course_start_all(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;

	start(c, READING_ALL, image);
	if (image != NULL) {
		start_again(c, image);
		return;
	}
	c->phase = COURSE_IDENTIFY;
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].when & STANDARD_IDENTIFY)
			want_item(c, c->errand, &item[i]);
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
			want_item(c, c->errand, &item[i]);
}

static void
start_tables(struct course *c)
{
	const struct vendor *prepared_for = c->tables_of;
	const struct objid *list;
	size_t i, n;

	c->phase = COURSE_TABLES;
	c->vendor = maker(c, c->fresh);
	if (c->bulk && vendor_no_bulk(c->vendor))
		course_set_bulk(c, false);
	if (c->private == NULL || c->vendor != prepared_for)
		open_tables(c);
	else if (c->tables != NULL) {
		turn_to(c, c->tables);
		c->tables = NULL;
		return;
	}
	list = plan_private_list(c->private, PLAN_TABLES, &n);
	for (i = 0; i < n; i++)
		want_column(c, c->errand, &list[i], NULL, VENDOR_ROWS_MAX);
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
			want_object(c, c->errand, &id);
		}
	}
}

static void
want_known(struct course *c, struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;

	while (bag_next(image, column, &cursor, &id, NULL))
		want_object(c, errand, &id);
}

static void
want_private(struct course *c, enum plan_sort sort)
{
	const struct objid *list;
	size_t i, n;

	list = plan_private_list(c->private, sort, &n);
	for (i = 0; i < n; i++)
		want_object(c, c->errand, &list[i]);
}

static void
start_objects(struct course *c)
{
	size_t n;

	c->phase = COURSE_OBJECTS;
	open_private(c, c->fresh);	/* tables name some */
	want_by_device(c);
	want_private(c, PLAN_OBJECTS);	/* nobody's, too: many answer them */
	/* Together with the life counts, though these were read a moment
	 * ago: sums of a printer at work hold only within one sample. */
	(void)plan_private_list(c->private, PLAN_COUNTERS, &n);
	if (n > 0)
		want_known(c, c->errand, oid_of(LIFE), c->fresh);
	want_private(c, PLAN_COUNTERS);
}

static bool
start_stranger(struct course *c)
{
	errand_stop(c->errand);
	c->vendor = maker(c, c->fresh);
	if (c->vendor == NULL)
		return false;
	c->phase = COURSE_STRANGER;
	open_private(c, NULL);
	want_private(c, PLAN_OBJECTS);
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

	if (!bag_get(c->fresh, oid_of(OBJECT_ID), &value) ||
	    value.type != BAG_OBJID || !objid_within(&value.objid, &hp) ||
	    (has_any(c->fresh, SUPPLY_DESCR) &&
	    has_any(c->fresh, SUPPLY_LEVEL))) {
		c->jetdirect = false;
		return false;
	}
	c->phase = COURSE_CONTEXT;
	c->in_context = true;
	turn_to(c, c->context != NULL ? c->context : new_errand(c));
	if (c->context == NULL) {
		item = plan_items(&n);
		for (i = 0; i < n; i++)
			if (is_supply(&item[i]))
				want_item(c, c->errand, &item[i]);
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

/* --- parts of an image --- */

/* Of each device's markers only the first one's: it is what the total goes
 * by, and enough to tell that something was printed. */
static void
want_first_life(struct course *c, const struct bag *image)
{
	const struct objid *column = oid_of(LIFE);
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
		want_object(c, c->errand, &id);
	}
}

static void
want_heartbeat(struct course *c, const struct plan_item *item,
    const struct bag *image)
{
	if (item->shape == STANDARD_SCALAR)
		want_object(c, c->errand, &item->id);
	else if (objid_cmp(&item->id, oid_of(LIFE)) != 0)
		want_known(c, c->errand, &item->id, image);
	else if (!(c->what & READING_COUNTERS))
		want_first_life(c, image);
}

static void
want_known_counters(struct course *c, const struct bag *image)
{
	c->vendor = maker(c, image);
	open_private(c, image);
	want_known(c, c->errand, oid_of(UNIT), image);
	if (!(c->what & READING_HEARTBEAT))
		want_object(c, c->errand, oid_of(UPTIME));
	want_known(c, c->errand, oid_of(LIFE), image);
	want_private(c, PLAN_COUNTERS);
}

/* What the maker says of levels, as far as the device has it. */
static void
want_vendor_supplies(struct course *c, const struct bag *image)
{
	struct objid list[PLAN_VENDOR_OBJECTS];
	struct bag_value value;
	size_t i, n;

	if (c->private == NULL)
		c->vendor = maker(c, image);
	n = vendor_supply_objects(c->vendor, list, PLAN_VENDOR_OBJECTS);
	if (n == 0)
		return;
	if (c->private == NULL)
		open_private(c, image);
	for (i = 0; i < n; i++)
		if (bag_get(image, &list[i], &value))
			want_object(c, c->errand, &list[i]);
}

/* By the first of the column and how many follow. */
static void
want_rows_in_bulk(struct course *c, struct errand *errand,
    const struct plan_item *item, const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;
	bool any = false;

	want_item(c, errand, item);
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

	while (bag_next(image, oid_of(SUPPLY_LEVEL), &cursor, &id, NULL))
		rows++;
	if (c->jetdirect)
		errand = c->context = new_errand(c);
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (!(item[i].when & STANDARD_SUPPLIES))
			continue;
		if (c->bulk && rows >= BULK_ROWS_MIN)
			want_rows_in_bulk(c, errand, &item[i], image);
		else
			want_known(c, errand, &item[i].id, image);
	}
	want_vendor_supplies(c, image);
}

void
course_start_known(struct course *c, unsigned what, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;

	start(c, what, image);
	c->phase = COURSE_KNOWN;
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if ((what & READING_HEARTBEAT) &&
		    (item[i].when & STANDARD_HEARTBEAT))
			want_heartbeat(c, &item[i], image);
		else if ((what & READING_ALERTS) &&
		    (item[i].when & STANDARD_ALERTS))
			want_known_item(c, c->errand, &item[i], image);
	}
	/* The counters tell of new alerts only; whether the known ones still
	 * stand is seen by asking for each (printers.md 7). */
	if ((what & READING_KNOWN_ALERTS) && !(what & READING_ALERTS))
		want_known(c, c->errand, oid_of(ALERT_CODE), image);
	if (what & READING_COUNTERS)
		want_known_counters(c, image);
	if (what & READING_SUPPLIES)
		want_supplies(c, image);
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
	if (len == 0 || !bag_get(c->fresh, oid_of(UPTIME),
	    &(struct bag_value){ .type = BAG_TICKS }))
		return 0;
	other = trial_column(c, &i, &ids[2], row[1], len);
	columns = other == len ? 2 : 1;
	objid_copy(&expect[n++], oid_of(UPTIME));
	objid_copy(&ids[0], oid_of(UPTIME));
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
		if (alerts && objid_within(&list[i], oid_of(ALERT_TABLE)))
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
