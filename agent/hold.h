/*
 * Changes that the store could not take, because its disk takes nothing, in
 * their order: what comes and goes meanwhile is told all the same.  In memory
 * and bounded.
 */
#ifndef AGENT_HOLD_H
#define AGENT_HOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/change.h"
#include "base/uuid.h"

/* Of a thousand printers each may change twice while the disk is full. */
#define HOLD_MAX	2000

struct held {
	char		 asset[UUID_TEXT_MAX];
	struct change	 change;
	struct held	*next;
};

/* Zero it before the first use. */
struct hold {
	struct held	*first, **last;
	size_t		 len;		/* all */
	size_t		 fresh;		/* the last of them, of the transaction
					 * that is open */
	bool		 full;		/* said so */
};

/* The change was written in the open transaction.  Takes what is in it. */
void	 hold_add(struct hold *, const char *asset, struct change *);
/* The transaction is durable: nothing is held any more. */
void	 hold_clear(struct hold *);
/* It was lost: what it wrote is to be written again. */
void	 hold_keep(struct hold *);
/* Nobody needs that one any more, which *at points to. */
void	 hold_drop(struct hold *, struct held **at);

#endif
