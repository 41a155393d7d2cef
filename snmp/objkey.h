/*
 * OIDs as short runs of octets: each sub-identifier in 1 to 5 octets whose
 * first tells how many (as in UTF-8), so that memcmp() of two keys orders
 * them as the OIDs are ordered, and a prefix is a prefix.
 */
#ifndef SNMP_OBJKEY_H
#define SNMP_OBJKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/objid.h"

#define OBJKEY_MAX	(OBJID_MAX * 5)

struct objkey {
	size_t	 len;
	uint8_t	 octets[OBJKEY_MAX];
};

/* Appends one sub-identifier; nothing when full. */
void	 objkey_add(struct objkey *, uint32_t sub);
void	 objkey_encode(struct objkey *, const struct objid *);
/* The same into at least 5 octets for each sub-identifier; how many it
 * took. */
size_t	 objkey_write(uint8_t *out, const struct objid *);
void	 objkey_decode(const uint8_t *octets, size_t len, struct objid *);
/* Whether the OID behind the octets starts with prefix. */
bool	 objkey_within(const uint8_t *octets, size_t len,
	    const struct objid *prefix);
/* Whether it is that. */
bool	 objkey_is(const uint8_t *octets, size_t len, const struct objid *);

#endif
