/*
 * Which object a field of the model came from: found by leaving out one value
 * of the bag after the other and decoding again, so it holds for every
 * decoder, whatever its rules.  A text that no single object decides is shown
 * with all the objects that hold it.
 */
#ifndef AGENT_ORIGIN_H
#define AGENT_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"

#define ORIGIN_OBJECTS_MAX	6

struct origin_field {
	char		 name[64];	/* "model", "supply 1 level" ... */
	char		*value;
	struct objid	*object[ORIGIN_OBJECTS_MAX];
	size_t		 objects;	/* more are counted, not kept */
};

struct origin {
	struct origin_field	*field;
	size_t			 fields;
	struct objid		*gate;	/* without one of these most of it
					 * would be different: what it is */
	size_t			 gates;
};

/* row: the hrDeviceIndex, as printer_rows() gave it. */
void	 origin_find(struct origin *, const struct bag *, int64_t row,
	    const char *ip, int64_t now_ms);
void	 origin_clear(struct origin *);

#endif
