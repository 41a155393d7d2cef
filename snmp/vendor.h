/*
 * What makers say outside the standard: a table in data (snmp/vendors, INI),
 * one file a maker.  The files are installed, a technician may add his own,
 * and copies are built in for where neither is.  See platen-vendor(5).
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

/* Where the installed files are: ../share/platen/vendors beside the folder of
 * the program that runs, so that a tree that was moved, or not installed at
 * all, never reads another one's. */
const char		*vendor_installed(void);
/* A technician's own, when the configuration says nothing else. */
#define VENDOR_OWN		PLATEN_SYSCONFDIR "/platen/vendors"

enum vendor_origin { VENDOR_BUILT_IN, VENDOR_FROM_INSTALLED, VENDOR_FROM_OWN };

/* What is wrong, or worth knowing, in a file; line 0: the file as a whole. */
typedef void	 vendor_complain_fn(void *arg, const char *file, size_t line,
		    const char *what);

/*
 * Reads the files of both folders (each may be NULL, or missing): own ones
 * in place of installed ones of that name, and those built in where there
 * are no installed ones.  A file with a mistake is told to complain (NULL:
 * to the log) and passed over; the one that it would have replaced serves.
 * Returns how many files were passed over.  Whoever calls it again must not
 * hold a vendor from before; who never does has what is built in.
 */
size_t			 vendor_load(const char *installed, const char *own,
			    vendor_complain_fn *, void *arg);
void			 vendor_unload(void);
/* Another number after each of both. */
size_t			 vendor_generation(void);
/* How many files are in use. */
size_t			 vendor_count(void);
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
/* Those among the objects for identity that tell of supplies, and are worth
 * asking whenever levels are. */
size_t	 vendor_supply_objects(const struct vendor *, struct objid *out,
	    size_t max);
/* Columns that tell what the rows of self-describing tables are: walked when
 * everything is read, and again when the configuration changed. */
size_t	 vendor_tables(const struct vendor *, struct objid *out, size_t max);
/* Those of them whose values decide what vendor_counter_objects() names. */
size_t	 vendor_labels(const struct vendor *, struct objid *out, size_t max);
/*
 * Marks that the vendor counters in fresh and its prtMarkerLifeCount were
 * read together.  For the reader, at the end of a reading with counters;
 * without it sums are checked against the life count as it is now.
 */
void	 vendor_sample(struct bag *fresh);

/*
 * Whether id lies in a branch that nobody may ask: what is a command, what
 * leaks secrets, what tells of users and their jobs.  The lists above hold
 * none of it; this is for what goes by other lists.
 */
bool	 vendor_excluded(const struct objid *);
/* GETBULK harms its printers, or confuses them; NULL ok. */
bool	 vendor_no_bulk(const struct vendor *);

/* An object that may be asked, by the name of what is made of it. */
struct vendor_named {
	const char	*oid;
	bool		 column;	/* any row of it */
	const char	*name;		/* "serial", "copy-mono" ... */
	const char	*file;
	size_t		 line;
};
typedef void	 vendor_named_fn(void *arg, const struct vendor_named *);
void	 vendor_each_object(vendor_named_fn *, void *arg);
/* The branches of vendor_excluded(): name is the reason. */
void	 vendor_each_exclusion(vendor_named_fn *, void *arg);

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

/*
 * What is left of a supply of that kind (PrtMarkerSuppliesTypeTC) and colour
 * (NULL: none) by the maker's own object, 0 to 100, or ABSENT: for where the
 * standard's table has no number.
 */
int64_t	 vendor_supply_percent(const struct vendor *, const struct bag *,
	    int64_t kind, const char *colour);

/* All of them in turn: NULL behind the last. */
const struct vendor	*vendor_nth(size_t n);

#endif
