/*
 * Calls out to every address of a set (snmp/hail.h) in the order of
 * agent/rounds.h, paced, and says who answers: two passes with time to listen
 * after each, and a third look, for SNMPv3 engines that nobody has credentials
 * for, where somebody has answered.
 */
#ifndef AGENT_CALLS_H
#define AGENT_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/config.h"
#include "agent/handover.h"
#include "agent/network.h"
#include "agent/rounds.h"
#include "base/loop.h"

struct calls;

/* All come from the loop. */
struct calls_events {
	/* Need the address not be asked?  It counts as one that answers. */
	bool	 (*known)(void *arg, const struct sockaddr_in *);
	/* The first answer from an address, however late; hand is lent.  fits
	 * is false for an SNMPv3 engine without credentials for it.  False
	 * when it was not taken: it is asked again. */
	bool	 (*answer)(void *arg, const struct hand *, bool fits);
	/* What else is there to send?  At most for about tokens packets; how
	 * many it were.  *more: it wants to be asked again soon. */
	int64_t	 (*spend)(void *arg, int64_t tokens, bool *more);
	/* The two passes are over.  False: not yet, ask again in a moment. */
	bool	 (*over)(void *arg);
	/* The third look is over too. */
	void	 (*done)(void *arg);
};

/* conf: its credentials and rate; lent, like the events.  NULL when there is
 * no socket. */
struct calls	*calls_new(struct loop *, const struct config *,
		    const struct calls_events *, void *arg);
void		 calls_free(struct calls *);		/* NULL is fine */

/* Takes the set; nobody has answered yet, and nobody is called yet. */
void		 calls_set(struct calls *, struct network_set *);
/* Begins a pass, 1 or 2, in the chunk with that address. */
void		 calls_begin(struct calls *, int pass, uint32_t where);
/* The address needs no more calls; true when that is news. */
bool		 calls_spare(struct calls *, uint32_t address);
/* There is something to spend packets on. */
void		 calls_wake(struct calls *);

/* Of the set that was given last; NULL before. */
const struct rounds		*calls_rounds(const struct calls *);
const struct network_set	*calls_network(const struct calls *);
/* The longest time to listen that is still to come. */
int64_t		 calls_listen_ms(const struct calls *);

#endif
