/*
 * The trap listener ([traps] listen; off unless it is there).  Whatever
 * notification comes from a printer that is known makes that printer be
 * looked at; from anybody else it is ignored.  It costs next to nothing, even
 * in a flood: above TRAPS_RATE a second nothing is taken from the sockets,
 * and what the system then drops the heartbeat finds.
 */
#ifndef AGENT_TRAPS_H
#define AGENT_TRAPS_H

#include <stdbool.h>
#include <netinet/in.h>

#include "agent/config.h"
#include "agent/store.h"
#include "base/loop.h"

#define TRAPS_RATE	1000	/* datagrams a second, all together */

struct traps;

/* Opens the sockets: before privileges are dropped, as 162 needs one.  NULL
 * when none are wanted, or none can be had (logged: printers are watched all
 * the same). */
struct traps	*traps_open(const struct config *);
/*
 * Begins to listen.  knows: is there a printer of ours; wake: look at it now.
 * The engine id that informs go to is in the store, and its boots are counted
 * here.
 */
void		 traps_start(struct traps *, struct loop *, struct store *,
		    bool (*knows)(void *arg, struct in_addr),
		    bool (*wake)(void *arg, struct in_addr), void *arg);
void		 traps_free(struct traps *);	/* NULL is fine */

/* Since the start.  For platen status they are in the store's note "traps",
 * in this order. */
struct traps_count {
	int64_t	 received, woke;
	int64_t	 unknown;	/* from nobody that we know */
	int64_t	 refused;	/* no notification, or it does not verify */
};
void		 traps_count(const struct traps *, struct traps_count *);
/* From the note; false when there is none: nobody listens. */
bool		 traps_count_parse(const char *note, struct traps_count *);

#endif
