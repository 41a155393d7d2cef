/*
 * What makers say outside the standard: a table in data (snmp/vendors/*.ini,
 * built in), one file a maker, read once at start.  See vendors/FORMAT.
 */
#ifndef SNMP_VENDOR_H
#define SNMP_VENDOR_H

#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"
#include "snmp/objid.h"

struct vendor;

/* Parses what is built in.  A mistake there is our own: fatal. */
void			 vendor_load(void);
/* By sysObjectID's enterprise and by the text; NULL when nobody matches. */
const struct vendor	*vendor_match(const struct bag *);
/* The objects to GET (exactly these) for identity and for counters. */
size_t	 vendor_objects(const struct vendor *, struct objid *out, size_t max);
size_t	 vendor_counter_objects(const struct vendor *, const struct bag *,
	    struct objid *out, size_t max);
/* Small self-describing tables that may be walked, column by column. */
size_t	 vendor_tables(const struct vendor *, struct objid *out, size_t max);

#endif
