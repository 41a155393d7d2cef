/*
 * hrPrinterDetectedErrorState (RFC 2790) merged with the alert table: many
 * printers list no alerts and only set bits (printers.md 7, 8).
 */
#ifndef SNMP_ERRORBITS_H
#define SNMP_ERRORBITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"

#define ERRORBITS_LOW_PAPER	0	/* the bit's number */
#define ERRORBITS_CODE_LOW_PAPER 807	/* and its alert's code */

/*
 * Appends one alert for each bit that none of the rows explains; *alerts is
 * reallocated, never beyond RECORD_ALERTS_MAX.  Returns the new number.  Such
 * an alert has no index and no time.  supplies tell ink from toner.
 */
size_t	 errorbits_add(const struct asset *, const struct consumable *supplies,
	    size_t supplies_len, int64_t now_ms, struct alert **alerts,
	    size_t len);

/* Is row (of the table) what set the bit that the other one tells of? */
bool	 errorbits_explained(const struct alert *row,
	    const struct alert *bit);

#endif
