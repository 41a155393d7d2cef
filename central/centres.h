/*
 * The `run` processes that serve one store.  Each has a number, and holds it
 * for as long as it is connected: what nobody holds is of one that has died,
 * and no agent is there at it.  No clock is compared and nothing is written
 * while nothing happens.
 *
 * A SQLite store is served by one process: whatever other numbers there are,
 * it has left behind itself.
 */
#ifndef CENTRAL_CENTRES_H
#define CENTRAL_CENTRES_H

#include <stdbool.h>
#include <stdint.h>

#include "central/fleet.h"

/* None of them may be called in a transaction; they commit.  0 or -1. */

/*
 * Takes a number, which is greater than 0.  One that is there already is of a
 * connection that was lost: the agents that were there at it are at the new
 * one, unless moved is set, because it was 0 or another process has taken it
 * for dead.
 */
int	 centres_join(struct fleet *, int64_t *centre, bool *moved,
	    int64_t now_ms);
/* Forgets the dead; how many there were. */
int	 centres_bury(struct fleet *, int64_t centre, int *dead);
/* Ours is forgotten, and nobody is there any more at it.  Whether others go
 * on. */
int	 centres_leave(struct fleet *, int64_t centre, bool *others);

/*
 * The server has wanted places for all of them together; who dies leaves
 * his empty.  ours is how many we have: fewer than before where all have
 * more than that, but one at least; with more set, those that nobody has as
 * well.  all is how many they have then.
 */
int	 centres_places(struct fleet *, int64_t centre, int wanted, bool more,
	    int *ours, int *all);

#endif
