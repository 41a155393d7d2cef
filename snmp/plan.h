/*
 * What may be asked of a device: the objects of snmp/standard.h and those
 * that the vendor table names, and nothing else.  Private trees are dangerous
 * ground (a walk restarts some printers, a GET is a command on others), so
 * every object passes plan_allows() before it is asked.
 */
#ifndef SNMP_PLAN_H
#define SNMP_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "snmp/bag.h"
#include "snmp/objid.h"
#include "snmp/standard.h"
#include "snmp/vendor.h"

#define PLAN_VENDOR_OBJECTS	128	/* of one vendor, of each sort */
#define PLAN_VENDOR_TABLES	32

/* A standard object, parsed. */
struct plan_item {
	struct objid		 id;	/* a scalar's ends with .0 */
	enum standard_shape	 shape;
	unsigned		 when;
	const char		*name;	/* in its MIB */
	unsigned		 rows_max;
};

/* In OID order; n is set to their number. */
const struct plan_item	*plan_items(size_t *n);

/* What one vendor (NULL: nobody in particular) names for a device with that
 * bag (may be NULL), looked up once for many questions, and shared by devices
 * whose tables say the same. */
struct plan_private;

struct plan_private	*plan_private_new(const struct vendor *,
			    const struct bag *);
/* The same with its tables alone, for as long as they are not read. */
struct plan_private	*plan_private_tables(const struct vendor *);
void			 plan_private_free(struct plan_private *);

enum plan_sort {
	PLAN_OBJECTS,		/* what a device is */
	PLAN_COUNTERS,
	PLAN_TABLES,		/* columns */
	PLAN_SORTS
};
/* How many there are of one sort; NULL has none. */
size_t	 plan_private_count(const struct plan_private *, enum plan_sort);
/* Steps through them: set *cursor to 0 first; id is set while it returns
 * true. */
bool	 plan_private_next(const struct plan_private *, enum plan_sort,
	    size_t *cursor, struct objid *id);

/*
 * Whether id may be asked: an instance of a standard object, or the column
 * itself (which GETNEXT starts from); or one of the private objects, or
 * something below one of their tables.  NULL: no private ones.
 */
bool	 plan_allows(const struct objid *id, const struct plan_private *);

#endif
