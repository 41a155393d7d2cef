/* prtAlertTable (RFC 3805, printers.md 7) into alerts. */
#ifndef SNMP_ALERTS_H
#define SNMP_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"
#include "snmp/subject.h"

/*
 * What stands in the table, by index; *out is allocated.  Not shown: rows that
 * say that another row has been removed (1801) and the row they name.  What
 * nobody wants to hear of is for ignore.h to say.  Unary rows (severity 4) are
 * events, of which the table does not say whether they are over.  raised is
 * reckoned from prtAlertTime and differs by milliseconds from reading to
 * reading: keep the first; ABSENT where the time lies in the future.  supplies
 * name what group 11 points at.
 */
size_t	 alerts_decode(const struct subject *, const struct consumable *,
	    size_t supplies_len, struct alert **out);

#endif
