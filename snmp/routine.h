/*
 * What is asked of a device for its known values follows from which OIDs it
 * has, and printers of a model have the same.  So what was worked out for one
 * is kept, and taken for the next one with the same shape (bag.h).
 */
#ifndef SNMP_ROUTINE_H
#define SNMP_ROUTINE_H

#include <stdbool.h>

#include "snmp/bag.h"
#include "snmp/errand.h"
#include "snmp/vendor.h"

/* What it follows from beside the image. */
struct routine_key {
	unsigned		 what;		/* READING_ bits */
	const struct vendor	*vendor;	/* NULL: nobody's */
	bool			 bulk, standard_only;
};

/* An errand with all that there is to do, or NULL. */
struct errand	*routine_recall(const struct routine_key *,
		    const struct bag *image);
/* Copies.  The columns are those whose values mattered. */
void		 routine_keep(const struct routine_key *,
		    const struct bag *image, const struct objid *columns,
		    size_t n, const struct errand *);

#endif
