/* prtMarkerSuppliesTable (RFC 3805, printers.md 5) into consumables. */
#ifndef SNMP_SUPPLIES_H
#define SNMP_SUPPLIES_H

#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/subject.h"

/* All rows, by index; *out is allocated.  errors are the bits of
 * hrPrinterDetectedErrorState or ABSENT. */
size_t	 supplies_decode(const struct subject *, int64_t errors,
	    struct consumable **out);
/* A supply of which a binary alert says that it is low or empty is so,
 * whatever its level says: the worse one wins. */
void	 supplies_alerted(struct consumable *, size_t len,
	    const struct alert *, size_t alerts_len);

/* For tests.  Percent of what is left, or ABSENT. */
int64_t	 supplies_percent(const struct vendor *, int64_t level,
	    int64_t capacity, int64_t unit);

#endif
