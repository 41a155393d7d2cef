/* The tables of the store: made, brought up to date, told from others'.  Only
 * for store.c and keeper.c. */
#ifndef AGENT_STOREFORM_H
#define AGENT_STOREFORM_H

#include "agent/store.h"

/* Makes the tables of a new store, or brings those of an older one up to date.
 * 0, or -1, logged; the store is as it was then. */
int	 storeform_make_ready(struct store *);
/* Whether a store that is only read has today's tables and opens with the key:
 * 0, or -1, logged. */
int	 storeform_check(struct store *);

#endif
