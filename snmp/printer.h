/*
 * From a bag to the model, by the rules of doc/printers.md and the vendor
 * table.  Pure: no network, no clock, no state.
 */
#ifndef SNMP_PRINTER_H
#define SNMP_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/bag.h"

#define PRINTER_ROWS_MAX	16

/*
 * The hrDeviceIndex of every printer in the bag (several: a print server).
 * Returns how many; 0 means that this is no printer, and why says so.
 */
size_t	 printer_rows(const struct bag *, int64_t index[PRINTER_ROWS_MAX],
	    char *why, size_t why_size);

struct printer {
	int64_t			 index;		/* hrDeviceIndex */
	struct asset		 asset;		/* without id, ip, zone, state
						 * UNREACHABLE */
	struct consumable	*consumables;	/* by index; without id */
	size_t			 consumables_len;
	struct alert		*alerts;	/* rows, then error bits that
						 * no row explains; no id */
	size_t			 alerts_len;
	int64_t			 total_pages;	/* ABSENT or the counter */
	int64_t			 uptime;	/* sysUpTime, ticks; or ABSENT */
};

/*
 * ip is the address that was asked, as text, or NULL; it finds the MAC.
 * now_ms is the wall time of the reading.  index -1 decodes what a device
 * that is no printer says about itself (asset only).  What does not change
 * at the printer comes out the same each time, but for the times: alerts'
 * raised is reckoned from sysUpTime, so keep the first.
 */
void	 printer_decode(const struct bag *, int64_t index, const char *ip,
	    int64_t now_ms, struct printer *out);
void	 printer_clear(struct printer *);

/* Into the form that is compared: upper case, without blanks, controls and
 * leading zeros (printers.md 12). */
void	 printer_serial_normal(const char *raw, char *out, size_t out_size);
/* Whether it can tell one machine from another: no placeholder, not short,
 * not the model's or the host's name (a NULL asset has neither). */
bool	 printer_serial_usable(const char *raw, const struct asset *);

#endif
