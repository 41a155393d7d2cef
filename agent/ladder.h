/*
 * The credentials that are for an address, in the order in which they are
 * tried: SNMPv3 before v2c before v1, else as in the INI.  Nothing is tried
 * that the INI does not name for that address.
 */
#ifndef AGENT_LADDER_H
#define AGENT_LADDER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"

struct ladder;

/* conf is lent until ladder_free(). */
struct ladder	*ladder_new(const struct config *conf);
void		 ladder_free(struct ladder *);		/* NULL is fine */

/* The n-th for the address (host byte order), NULL after the last. */
const struct config_snmp	*ladder_rung(const struct ladder *,
				    uint32_t address, size_t n);
/* The one of that name, if it is for the address, else NULL. */
const struct config_snmp	*ladder_named(const struct ladder *,
				    uint32_t address, const char *name);

#endif
