/*
 * The gate through which everything goes that is ever asked of a device,
 * whoever came up with it: what the plan does not allow stops the program
 * before it can stop a printer.
 */
#ifndef SNMP_GATE_H
#define SNMP_GATE_H

#include "snmp/bag.h"
#include "snmp/errand.h"
#include "snmp/plan.h"

/* An object, a column; of the standard's, or among those private ones. */
void	 gate_object(struct errand *, const struct objid *,
	    const struct plan_private *);
void	 gate_column(struct errand *, const struct objid *, const char *name,
	    unsigned rows_max, const struct plan_private *);
/* All rows of a standard item.  A scalar is walked too (one row), so that
 * one GETNEXT takes them all. */
void	 gate_item(struct errand *, const struct plan_item *);
/* The rows that the column added last (with GETBULK: any) has in the image
 * are known. */
void	 gate_rows(struct errand *, const struct objid *column,
	    const struct bag *image);
void	 gate_item_again(struct errand *, const struct plan_item *,
	    const struct bag *image);
/* Each cell that a standard column has in the image, as an object. */
void	 gate_cells(struct errand *, const struct objid *column,
	    const struct bag *image);

#endif
