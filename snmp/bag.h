/*
 * What one printer has said: its values by OID, in OID order.  A bag is a
 * device's whole image; a poll brings a few new values, bag_merge() puts them
 * in their places, and everything else (snmp/printer.h) is computed from the
 * bag.  Bags hold no errors: noSuchObject and the like are simply not there.
 *
 * A bag that bag_merge() wrote shares its OIDs and texts with those of other
 * printers and needs some 7 octets a value; one that is being filled, some 40.
 */
#ifndef SNMP_BAG_H
#define SNMP_BAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "snmp/objid.h"

#define BAG_VALUES_MAX	4096		/* more are refused */
#define BAG_OCTETS_MAX	1024		/* of one value; the rest is cut */
#define BAG_SIZE_MAX	(512 * 1024)	/* of all together; more is refused */

enum bag_type {				/* the BER tags */
	BAG_INTEGER	= 2,
	BAG_OCTETS	= 4,
	BAG_OBJID	= 6,
	BAG_IPADDRESS	= 64,
	BAG_COUNTER	= 65,
	BAG_GAUGE	= 66,
	BAG_TICKS	= 67,
	BAG_COUNTER64	= 70
};

struct bag_value {
	enum bag_type	 type;
	int64_t		 number;	/* the integer types; Counter64 is
					 * cut at INT64_MAX */
	const uint8_t	*octets;	/* OCTETS and IPADDRESS; lent until
					 * the bag changes */
	size_t		 octets_len;
	struct objid	 objid;		/* OBJID; else its len is 0 */
};

struct bag;

struct bag	*bag_new(void);
void		 bag_free(struct bag *);	/* NULL is fine */
size_t		 bag_count(const struct bag *);
/* Octets of memory; what is shared counts in equal parts. */
size_t		 bag_size(const struct bag *);

/* Put in any order, ascending is cheapest; the same OID again replaces.  0,
 * or -1 when full. */
int	 bag_put_number(struct bag *, const struct objid *, enum bag_type,
	    int64_t);
int	 bag_put_octets(struct bag *, const struct objid *, enum bag_type,
	    const void *, size_t len);
int	 bag_put_objid(struct bag *, const struct objid *,
	    const struct objid *value);
/* Any of the three, by the value's type. */
int	 bag_put(struct bag *, const struct objid *,
	    const struct bag_value *);

/* All that other has at or below prefix. */
void	 bag_put_below(struct bag *, const struct bag *other,
	    const struct objid *prefix);

/* The value at exactly that OID. */
bool	 bag_get(const struct bag *, const struct objid *,
	    struct bag_value *);
/*
 * Steps through the values at or below prefix, in order: set *cursor to 0
 * first; id and value (NULL: is not wanted) are set while it returns true.
 */
bool	 bag_next(const struct bag *, const struct objid *prefix,
	    size_t *cursor, struct objid *id, struct bag_value *value);

/*
 * Conveniences for a dotted column and a suffix: "1.3.6...", then n
 * sub-identifiers, each passed as uint32_t.  The number, or absent
 * (INT64_MIN) when it is missing or no number.
 */
int64_t	 bag_number(const struct bag *, const char *column, size_t n, ...);
bool	 bag_octets(const struct bag *, struct bag_value *, const char *column,
	    size_t n, ...);	/* OCTETS only */

/*
 * Into image goes everything from fresh; what lies below the covered
 * subtrees (whole columns that were read again) and is not in fresh leaves
 * image.  True when that changed anything in image, sysUpTime aside.  When
 * nothing but sysUpTime changed it allocates nothing.
 */
bool	 bag_merge(struct bag *image, const struct bag *fresh,
	    const struct objid *covered, size_t covered_len);
/* Drops exactly this OID; true when it was there. */
bool	 bag_drop(struct bag *, const struct objid *);

/* How many values there are at or below prefix. */
size_t	 bag_count_below(const struct bag *, const struct objid *prefix);
/* Whether both have the same at or below that OID. */
bool	 bag_same_below(const struct bag *, const struct bag *,
	    const struct objid *);

/*
 * What printers of a model have in common, so that what was found out for one
 * image need not be found out for the others: its OIDs (those of alerts and
 * of addresses aside) and its values at or below some columns.  NULL when the
 * bag is not one that bag_merge() wrote.
 */
struct bag_shape;
struct bag_shape	*bag_shape_new(const struct bag *,
			    const struct objid *columns, size_t n);
void	 bag_shape_free(struct bag_shape *);		/* NULL is fine */
bool	 bag_shape_fits(const struct bag_shape *, const struct bag *);
/* Whether OIDs below that one are what a shape is made of. */
bool	 bag_shape_has(const struct objid *);
/* Equal for those of one shape. */
uint32_t	 bag_shape_hash(const struct bag *);

/*
 * snmprec text (OID|TAG|VALUE, TAGx is hex), one value a line.  Reading skips
 * blank lines and NULLs, goes on after a line that it cannot read, and then
 * returns -1 with the first such line in why; else 0.
 */
int	 bag_read_snmprec(struct bag *, FILE *, char *why, size_t why_size);
void	 bag_write_snmprec(const struct bag *, FILE *);

#endif
