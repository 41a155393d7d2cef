/*
 * What printers put into prtMarkerSuppliesDescription beside a name: part
 * and serial numbers (printers.md 5).
 */
#ifndef SNMP_CAPTION_H
#define SNMP_CAPTION_H

#include "schema/record.h"

/* Puts part number and serial where they belong.  description loses, in
 * place, what stands behind the name under a label of its own, and becomes
 * NULL when nothing is left; numbers that are part of the name (HP, Kyocera,
 * Canon ...) also stay in it, as does OKI's own name. */
void	 caption_split(struct consumable *);

#endif
