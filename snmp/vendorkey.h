/*
 * The sections and keys of a vendor file: what each takes, and into which
 * member it goes.  See platen-vendor(5).
 */
#ifndef SNMP_VENDORKEY_H
#define SNMP_VENDORKEY_H

#include "snmp/vendorfile.h"

/* A file while it is read. */
struct vendorkey {
	struct vendor		*v;
	const char		*name;
	const char		*section;	/* a literal */
	size_t			 line;
	size_t			 complaints;
	size_t			 terms;		/* of [counters] */
	vendor_complain_fn	*complain;
	void			*arg;
};

/* Tells of a mistake in the present line.  Always -1, to be passed on. */
int	 vendorkey_wrong(struct vendorkey *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Each takes what stands in a line, and changes the text; 0, or -1 after
 * telling. */
int	 vendorkey_section(struct vendorkey *, char *name);
int	 vendorkey_pair(struct vendorkey *, char *line);

const char	*vendorkey_fact(enum vendor_fact);

#endif
