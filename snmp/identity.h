/* Who a device is (printers.md 3, 12): the identifying fields of its asset. */
#ifndef SNMP_IDENTITY_H
#define SNMP_IDENTITY_H

#include "schema/record.h"
#include "snmp/subject.h"

/* ip is the address that was asked, or NULL. */
void	 identity_decode(const struct subject *, const char *ip,
	    struct asset *);

#endif
