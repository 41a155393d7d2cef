/* Everything of a known device, by the rows that it had. */
#include "snmp/course_form.h"

#include "snmp/gate.h"
#include "snmp/reading.h"
#include "snmp/routine.h"

/* Whether that column's rows are each device's own. */
static bool
is_own(const struct plan_item *item, size_t i)
{
	static uint64_t known, own;	/* bits */
	uint64_t bit = UINT64_C(1) << i;

	if (!(known & bit) && !bag_shape_has(&item->id))
		own |= bit;
	known |= bit;
	return (own & bit) != 0;
}

/* What columns and rows of an image are asked for again, from what it was
 * for another device with the same; NULL when nobody knows.  The rows that are
 * each device's own are counted anew. */
static struct errand *
recall(const struct routine_key *key, const struct bag *image)
{
	struct errand *errand = routine_recall(key, image);
	const struct plan_item *item;
	size_t i, n;

	if (errand == NULL)
		return NULL;
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].shape != STANDARD_SCALAR && is_own(&item[i], i))
			gate_rows(errand, &item[i].id, image);
	return errand;
}

/* The maker's tables by the rows that they had; kept until the device has
 * said again that it is of that make. */
static void
prepare_tables(struct course *c, const struct bag *image)
{
	struct routine_key key = { .what = READING_ALL | READING_COUNTERS,
	    .bulk = c->bulk };
	struct objid id;
	size_t cursor = 0;

	key.vendor = c->vendor = c->tables_of = course_maker(c, image);
	course_open_tables(c);
	if (plan_private_count(c->private, PLAN_TABLES) == 0)
		return;
	if ((c->tables = routine_recall(&key, image)) != NULL)
		return;
	c->tables = course_errand(c);
	while (plan_private_next(c->private, PLAN_TABLES, &cursor, &id)) {
		gate_column(c->tables, &id, NULL, COURSE_VENDOR_ROWS,
		    c->private);
		gate_rows(c->tables, &id, image);
	}
	routine_keep(&key, image, NULL, 0, c->tables);
}

static void
want_again(struct course *c, const struct bag *image)
{
	const struct plan_item *item;
	size_t i, n;
	bool other;

	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (item[i].shape == STANDARD_BY_DEVICE &&
		    !(item[i].when & STANDARD_IDENTIFY))
			continue;
		other = c->jetdirect && course_is_supply(&item[i]);
		if (other)
			gate_item(c->errand, &item[i]);
		gate_item_again(other ? c->context : c->errand,
		    &item[i], image);
	}
}

void
course_start_again(struct course *c, const struct bag *image)
{
	const struct routine_key key = { .what = READING_ALL,
	    .bulk = c->bulk };
	/* Without GETBULK the rows of addresses and alerts are in it. */
	bool alike = c->bulk && !c->jetdirect;
	struct errand *errand = alike ? recall(&key, image) : NULL;

	c->phase = COURSE_STANDARD;
	if (errand != NULL) {
		errand_free(c->errand);
		c->errand = errand;
	} else {
		errand_known(c->errand);
		if (c->jetdirect)
			c->context = course_errand(c);
		want_again(c, image);
		if (alike)
			routine_keep(&key, image, NULL, 0, c->errand);
	}
	prepare_tables(c, image);
}
