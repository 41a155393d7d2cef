/* One vendor file, read into a struct; see platen-vendor(5). */
#ifndef SNMP_VENDORFILE_H
#define SNMP_VENDORFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/vendor.h"

#define VENDORFILE_SIZE_MAX	65536	/* octets of a file */

/* Most of each in one file, so that its objects fit what a reading holds. */
#define VENDORFILE_WORDS_MAX	64
#define VENDORFILE_OBJECTS_MAX	48	/* of [identity] */
#define VENDORFILE_TERMS_MAX	96	/* objects of all [counters] */
#define VENDORFILE_SUMS_MAX	64	/* of [counters], of one [table] ... */
#define VENDORFILE_TABLES_MAX	8
#define VENDORFILE_SUPPLIES_MAX	32
#define VENDORFILE_COLUMNS_MAX	24	/* that are walked, of all tables */

enum vendor_how {
	HOW_PLAIN,
	HOW_PML,
	HOW_1284,
	HOW_AFTER,
	HOW_FIRST		/* a column: its first row that has text */
};

struct vendor_object {
	enum vendor_fact	 fact;
	char			*oid;
	enum vendor_how		 how;
	char			*arg;	/* key or text; NULL */
	size_t			 line;
};

struct vendor_term {
	char	*text;			/* OID, label or counter */
	bool	 optional;
	bool	 numbered;		/* rows by number, low to high */
	int64_t	 low, high;
};

/* A counter as a sum: of objects, or of rows in a table; or, in a check, of
 * counters. */
struct vendor_sum {
	char			*name;
	struct vendor_term	*term;
	size_t			 terms;
	int			 tag;		/* Brother's record, or -1 */
	int64_t			 unit;		/* or ABSENT */
	int64_t			 scale;		/* factor, 1 is as it is */
	int64_t			 divisor;	/* the same */
	bool			 real;		/* IEEE 754 in octets */
	bool			 digits;	/* a number in text */
	size_t			 line;
};

struct vendor_sums {
	struct vendor_sum	*item;
	size_t			 count;
};

struct words {
	char	**item;
	size_t	  count;
};

struct vendor_table {
	char			*label, *value;	/* columns */
	char			*units;		/* column, or NULL */
	struct words		 index;		/* rows below these only */
	int64_t			 unit;
	bool			 sum;		/* rows of one label add up */
	struct vendor_sums	 rows;
	size_t			 line;
};

struct vendor_descr {
	enum vendor_fact	 fact;
	char			*text;
};

/* A supply's percentage, where the standard's table has none. */
struct vendor_supply {
	int64_t			 kind;		/* PrtMarkerSuppliesTypeTC */
	char			*colour;	/* "": any */
	struct vendor_sum	 percent;	/* of one object */
};

struct vendor_level {
	int64_t			 level;
	enum supply_state	 state;
};

struct vendor_exclusion {
	char	*oid, *why;
	size_t	 line;
};

struct vendor {
	char			*file;		/* "hp.ini" */
	enum vendor_origin	 origin;
	char			*name, *make;
	struct words		 enterprise, text, only, generic;
	struct objid		*prefixes;	/* enterprise, parsed */
	bool			 label, is_common, no_common, bare_percent;
	bool			 no_bulk;
	struct vendor_object	*objects;
	size_t			 objects_len;
	struct vendor_sums	 counters, checks, limits;
	struct vendor_table	*tables;
	size_t			 tables_len;
	struct vendor_descr	*descr;
	size_t			 descr_len;
	struct vendor_level	*levels;
	size_t			 levels_len;
	struct vendor_exclusion	*exclusions;
	size_t			 exclusions_len;
	struct vendor_supply	*supplies;
	size_t			 supplies_len;
};

/*
 * Reads text (a file of that name) into out, zeroed before.  0, or -1 after
 * each mistake was told (VENDORFILE_COMPLAINTS_MAX at most): out is then fit
 * for vendorfile_clear() only.
 */
#define VENDORFILE_COMPLAINTS_MAX	20
int	 vendorfile_parse(const char *name, const char *text,
	    struct vendor *out, vendor_complain_fn *, void *arg);
void	 vendorfile_clear(struct vendor *);

/* Everything that the file may have asked, in its order. */
void	 vendorfile_each(const struct vendor *, vendor_named_fn *, void *arg);

/* --- of vendor_load.c, for vendor.c and vendor_count.c -------------------- */

/* The files in use; the technician's own first. */
size_t			 vendor_files(const struct vendor ***);
/* Takes what must not be asked out of a list of n; how many are left. */
size_t			 vendor_permit(struct objid *list, size_t n);

#endif
