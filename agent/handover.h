/*
 * Addresses that answered discovery, on their way to the patrol: some are
 * read at a time, the others wait.  One that could not be read is tried
 * again after a minute, five and fifteen.
 */
#ifndef AGENT_HANDOVER_H
#define AGENT_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/patrol.h"
#include "base/loop.h"

struct handover;

struct hand {				/* open: a plain record */
	struct sockaddr_in	 addr;
	const char		*zone;		/* NULL: none; copied */
	int			 version;	/* that answered; 0 not known */
	bool			 elsewhere;	/* the answer came from another
						 * address */
	uint32_t		 enterprise;	/* its maker; 0 not known */
	void			*host;		/* the caller's; NULL in a
						 * network */
	int			 tries;		/* readings so far */
};

/* What came of it; comes from the loop, after each reading.  hand is lent. */
typedef void	 handover_fn(void *arg, const struct hand *,
		    enum patrol_find);

struct handover	*handover_new(struct loop *, struct patrol *, handover_fn *,
		    void *arg);
void		 handover_free(struct handover *);	/* before the patrol */

/* Copies.  One that waits or is being read already is not added again.  False
 * when there are too many: it must be found another time. */
bool		 handover_add(struct handover *, const struct hand *);
/* Begins at most n readings; how many it began. */
size_t		 handover_start(struct handover *, size_t n);
/* How many wait for their turn, are being read, are tried again later. */
size_t		 handover_waiting(const struct handover *);
size_t		 handover_reading(const struct handover *);
size_t		 handover_later(const struct handover *);

/* The pause after the n-th reading (from 1) that came to nothing; 0: that was
 * the last. */
int64_t		 handover_pause_ms(int tries);

#endif
