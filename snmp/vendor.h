/*
 * What makers say outside the standard: a table in data (snmp/vendors, INI,
 * built in), one file a maker, read once at start.  See vendors/FORMAT.
 */
#ifndef SNMP_VENDOR_H
#define SNMP_VENDOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/bag.h"
#include "snmp/objid.h"

struct vendor;

/* Parses what is built in, once; a mistake there is our own: fatal.  Whoever
 * needs the table calls it, so that at start-up is a matter of taste. */
void			 vendor_load(void);
/*
 * By sysObjectID, by words in sysDescr and hrDeviceDescr; NULL when nobody
 * matches.  The bag holds what STANDARD_IDENTIFY brings: some models must
 * not be asked for private objects, and only their name tells.
 */
const struct vendor	*vendor_match(const struct bag *);
/* The objects to GET (exactly these) for identity and for counters.  NULL
 * is nobody in particular: objects that many makers answer.  The counters
 * include the known cells of self-describing tables. */
size_t	 vendor_objects(const struct vendor *, struct objid *out, size_t max);
size_t	 vendor_counter_objects(const struct vendor *, const struct bag *,
	    struct objid *out, size_t max);
/* Small self-describing tables that may be walked, column by column. */
size_t	 vendor_tables(const struct vendor *, struct objid *out, size_t max);
/*
 * Marks that the vendor counters in fresh and its prtMarkerLifeCount were
 * read together.  For the reader, at the end of a reading with counters;
 * without it sums are checked against the life count as it is now.
 */
void	 vendor_sample(struct bag *fresh);

/* For decoding. */
enum vendor_fact {
	VENDOR_MODEL,		/* stronger than hrDeviceDescr */
	VENDOR_WEAK_MODEL,	/* weaker: a family's name */
	VENDOR_SERIAL,
	VENDOR_FIRMWARE,
	VENDOR_HOSTNAME,
	VENDOR_ASSET_TAG,
	VENDOR_ID_1284,
	VENDOR_FACTS
};

const char	*vendor_name(const struct vendor *);	/* engine; NULL ok */
const char	*vendor_make(const struct vendor *);	/* or NULL */
bool		 vendor_is_label(const struct vendor *);
/* A level is a percentage even where the capacity is not known. */
bool		 vendor_bare_percent(const struct vendor *);
/* What a level below -3 means; SUPPLY_UNKNOWN when nobody says. */
enum supply_state	 vendor_odd_level(const struct vendor *,
			    int64_t level);
/* The text of the first object that has one, or NULL; the caller frees. */
char	*vendor_text(const struct vendor *, const struct bag *,
	    enum vendor_fact, int64_t mibenum);
/* What sysDescr says, by the maker's own way to write it; the caller frees.
 * MODEL, SERIAL and FIRMWARE only. */
char	*vendor_descr_text(const struct vendor *, const char *sysdescr,
	    enum vendor_fact);
/* True when that text of sysDescr names a network card or nothing at all. */
bool	 vendor_descr_generic(const struct vendor *, const char *sysdescr);
/* Adds the maker's counters, and the checks of the sums that must hold;
 * sampled is the total at the time of the vendor counters, or ABSENT. */
void	 vendor_counters(const struct vendor *, const struct bag *,
	    int64_t sampled, struct asset *);

/* All of them in turn, for tests: NULL behind the last. */
const struct vendor	*vendor_nth(size_t n);

#endif
