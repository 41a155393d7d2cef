/*
 * The order in which a scan calls out to addresses: two passes, the second
 * for those that were silent, and a third look for SNMPv3 engines that nobody
 * has credentials for.  Within a pass the addresses come in chunks, and a
 * chunk is asked with one kind of credentials after the other (v3, v2c, v1),
 * so that who answers the first is spared the others.  Which of them is
 * silent is the caller's to know.  Pure: no socket, no clock.
 */
#ifndef AGENT_ROUNDS_H
#define AGENT_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/network.h"

#define ROUNDS_PASSES	2
#define ROUNDS_THIRD	3		/* the look for v3 engines */

struct rounds;

struct look {
	size_t		 index;		/* in the set */
	uint32_t	 address;
	uint16_t	 port;
	int		 version;	/* 1, 2, 3; 0: these credentials are
					 * not for this address */
	const char	*community;	/* not for v3; lent */
	const char	*zone;		/* lent */
};

/* Both are lent.  Stands at the start of the first pass. */
struct rounds	*rounds_new(const struct config *, const struct network_set *);
void		 rounds_free(struct rounds *);	/* NULL is fine */

/* False when the pass is over. */
bool		 rounds_next(struct rounds *, struct look *);
/* Goes to a pass (from 1), to the chunk in which address is or would be. */
void		 rounds_go(struct rounds *, int pass, uint32_t address);
int		 rounds_pass(const struct rounds *);
/* The first address of the chunk, 0 for the first one: for rounds_go(). */
uint32_t	 rounds_where(const struct rounds *);

/* How many addresses there are, and for how many of them the two passes are
 * over as far as work goes. */
size_t		 rounds_count(const struct rounds *);
size_t		 rounds_done(const struct rounds *);
/* Steps of the two passes, done and left, to reckon time with. */
void		 rounds_steps(const struct rounds *, uint64_t *done,
		    uint64_t *left);
/* Whether SNMPv3 credentials are for that address and port. */
bool		 rounds_has_v3(const struct rounds *, uint32_t address,
		    uint16_t port);
/* Changes when what is looked for, or with what, does. */
uint64_t	 rounds_fingerprint(const struct rounds *);

#endif
