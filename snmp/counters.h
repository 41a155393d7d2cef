/* Life counts of the markers, and the maker's counters (printers.md 6). */
#ifndef SNMP_COUNTERS_H
#define SNMP_COUNTERS_H

#include "schema/record.h"
#include "snmp/subject.h"

/*
 * Adds them to the asset.  "total" is prtMarkerLifeCount of the first marker
 * wherever the device has it, and the maker's own total stands beside it as
 * "vendor-total": a series never changes its source while the device
 * answers, and where the two differ both can be seen.
 */
void	 counters_decode(const struct subject *, struct asset *);

#endif
