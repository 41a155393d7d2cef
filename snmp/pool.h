/*
 * Runs of octets that many bags have in common, each kept once and counted:
 * "Black Toner Cartridge" and the list of a model's OIDs stand in thousands
 * of bags.  One pool a process; it is not for threads.
 */
#ifndef SNMP_POOL_H
#define SNMP_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_IDS_MAX	0x7fffffffu

/* The number of that run, which now has one more user. */
uint32_t	 pool_put(const void *, size_t len);
/* One user less; the last one takes it away. */
void		 pool_drop(uint32_t id);
/* Lends it, as long as it has a user. */
const uint8_t	*pool_octets(uint32_t id, size_t *len);
/* Octets of memory, divided by its users. */
size_t		 pool_share(uint32_t id);

#endif
