/*
 * Which row a record is about.  An agent whose store was lost gives its
 * printers, supplies and alerts new UUIDs; what is recognisably the same
 * keeps the row that it had, and the new UUID becomes an alias for ever.
 *
 *   asset	 the same serial or MAC key, of the same agent
 *   consumable  the same index and kind in the asset, and the old row is in
 *		 doubt or has lapsed (tables.h)
 *   alert	 the same index and code, likewise
 *
 * row->id is 0 when it is a new thing.  The record read gets what is known.
 */
#ifndef CENTRAL_IDENTITY_H
#define CENTRAL_IDENTITY_H

#include <stdint.h>

#include "central/fleet.h"
#include "central/tables.h"

/* change may be NULL: then only what is known already is found.  The row
 * may be another agent's: the caller looks at row->owner. */
int	 identity_asset(struct fleet *, int64_t agent, const char *uuid,
	    const struct asset *change, struct tables_row *row,
	    struct asset *);
/* row->owner may be another asset. */
int	 identity_consumable(struct fleet *, int64_t agent, int64_t asset,
	    const struct consumable *change, struct tables_row *row,
	    struct consumable *);
int	 identity_alert(struct fleet *, int64_t agent, int64_t asset,
	    const struct alert *change, struct tables_row *row,
	    struct alert *);

#endif
