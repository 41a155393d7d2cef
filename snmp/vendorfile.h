/* One file of snmp/vendors, read into a struct; see vendors/FORMAT. */
#ifndef SNMP_VENDORFILE_H
#define SNMP_VENDORFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/vendor.h"

enum vendor_how { HOW_PLAIN, HOW_PML, HOW_1284, HOW_AFTER };

struct vendor_object {
	enum vendor_fact	 fact;
	char			*oid;
	enum vendor_how		 how;
	char			*arg;	/* key or text; NULL */
};

#define VENDOR_TERMS_MAX	4

/* A counter as a sum: of objects, or in a table of labels; or, in a check,
 * of counters. */
struct vendor_sum {
	char	*name;
	struct {
		char	*text;
		bool	 optional;
	}	 term[VENDOR_TERMS_MAX];
	size_t	 terms;
	int	 tag;		/* Brother's record, or -1 */
	int64_t	 unit;		/* or ABSENT */
};

struct vendor_sums {
	struct vendor_sum	*item;
	size_t			 count;
};

struct vendor_table {
	char			*label, *value;		/* columns */
	int64_t			 unit;
	struct vendor_sums	 rows;
};

struct vendor_descr {
	enum vendor_fact	 fact;
	char			*text;
};

struct vendor_level {
	int64_t			 level;
	enum supply_state	 state;
};

struct words {
	char	**item;
	size_t	  count;
};

struct vendor {
	char			*name, *make;
	struct words		 enterprise, text, only, generic;
	bool			 label, is_common, no_common, bare_percent;
	struct vendor_object	*objects;
	size_t			 objects_len;
	struct vendor_sums	 counters, checks;
	struct vendor_table	*tables;
	size_t			 tables_len;
	struct vendor_descr	*descr;
	size_t			 descr_len;
	struct vendor_level	*levels;
	size_t			 levels_len;
};

/* Reads text (a file of that name) into out, zeroed before.  0, or -1 with
 * the line and what is wrong in why. */
int	 vendorfile_parse(const char *name, const char *text,
	    struct vendor *out, char *why, size_t why_size);
void	 vendorfile_clear(struct vendor *);

#endif
