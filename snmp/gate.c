#include "snmp/gate.h"

#include "base/log.h"

static void
must_be_allowed(const struct objid *id, const struct plan_private *private)
{
	char text[OBJID_TEXT_MAX];

	if (!plan_allows(id, private))
		fatalx("gate", "%s may not be asked", objid_format(id, text));
}

void
gate_object(struct errand *errand, const struct objid *id,
    const struct plan_private *private)
{
	must_be_allowed(id, private);
	errand_object(errand, id);
}

void
gate_column(struct errand *errand, const struct objid *id, const char *name,
    unsigned rows_max, const struct plan_private *private)
{
	must_be_allowed(id, private);
	errand_column(errand, id, name, rows_max);
}

void
gate_item(struct errand *errand, const struct plan_item *item)
{
	struct objid id;

	objid_copy(&id, &item->id);
	if (item->shape == STANDARD_SCALAR)
		id.len--;
	gate_column(errand, &id, item->name, item->rows_max, NULL);
}

void
gate_rows(struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;

	if (errand_counts_rows(errand)) {
		errand_rows(errand, column, bag_count_below(image, column));
		return;
	}
	while (bag_next(image, column, &cursor, &id, NULL))
		if (id.len > column->len)
			errand_row(errand, &id);
}

void
gate_item_again(struct errand *errand, const struct plan_item *item,
    const struct bag *image)
{
	gate_item(errand, item);
	if (item->shape != STANDARD_SCALAR)
		gate_rows(errand, &item->id, image);
}

void
gate_cells(struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	size_t cursor = 0;

	while (bag_next(image, column, &cursor, &id, NULL))
		gate_object(errand, &id, NULL);
}
