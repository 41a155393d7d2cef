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
/* One more user of that run. */
void		 pool_hold(uint32_t id);
/* One user less; the last one takes it away. */
void		 pool_drop(uint32_t id);
/* Octets of memory, divided by its users. */
size_t		 pool_share(uint32_t id);

/* For pool_octets() alone, which every look at a bag goes through. */
struct pool_run {
	uint32_t	 users;
	uint32_t	 hash;
	uint32_t	 next;		/* in its bucket */
	uint32_t	 len;
	uint8_t		 octets[];
};
union pool_place {
	struct pool_run	*run;
	uintptr_t	 next_free;	/* twice the number, and one */
};
extern union pool_place	*pool_places;

/* Lends it, as long as it has a user. */
static inline const uint8_t *
pool_octets(uint32_t id, size_t *len)
{
	*len = pool_places[id].run->len;
	return pool_places[id].run->octets;
}

#endif
