/*
 * The store: one SQLite file (WAL, synchronous FULL) where the collector and
 * the uplink meet.  What is known about devices and assets and what was last
 * told is agent/known.h; what is still to be sent is agent/outbox.h.  Both
 * sides of a change, the new "last told" and the report, are one transaction.
 */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct lock;
struct store;

/* What can be said about it; see store_watch(). */
enum store_state {
	STORE_FINE,
	STORE_SLOW,		/* takes changes, seconds each */
	STORE_FULL,		/* takes none: no room */
	STORE_READONLY,		/* takes none */
	STORE_FAILING,		/* takes none: errors of the disk */
	STORE_DAMAGED		/* what is in it is not what was written: for
				 * agent/keeper.h to begin a new one */
};

/* Opens or creates dir/store.db, whose key is dir/store.key, made if it is not
 * there.  NULL on failure, which is logged. */
struct store	*store_open(const char *dir);
/* The same with a key that is at hand (agent/storekey.h); it is the store's
 * afterwards, whatever happens.  On failure *damaged says whether it is for
 * that reason; it may be NULL. */
struct store	*store_open_locked(const char *dir, struct lock *,
		    bool *damaged);
/* For the operator's tool: never writes, never creates. */
struct store	*store_look(const char *dir, struct lock *);
void		 store_close(struct store *);		/* NULL is fine */

/*
 * Calls fn at each change of state; it must not use the store.  What makes the
 * state is not logged then: fn says it once.  A store that took no changes is
 * fine again with the first commit that goes well some seconds later;
 * store_try() makes one, so that it is noticed when nothing happens.
 */
void		 store_watch(struct store *, void (*fn)(void *arg,
		    enum store_state, const char *why), void *arg);
enum store_state store_state(const struct store *);
/* "the store's disk is full": for people; NULL for STORE_FINE. */
const char	*store_state_text(enum store_state);
void		 store_try(struct store *);
/* How long to leave it alone after a commit: as long as that one took if that
 * was long, so that a slow disk has one half of the time at most. */
int64_t		 store_pause_ms(const struct store *);

/* Transactions do not nest.  0 or -1 (logged; rolled back). */
int		 store_begin(struct store *);
int		 store_commit(struct store *);
void		 store_rollback(struct store *);
bool		 store_in_transaction(const struct store *);
/* Once this process has waited in vain for another that holds the store, it
 * waits no longer than a moment until a commit went well: there is more to do. */
void		 store_hurry(struct store *);

/* --- the epoch and small facts ------------------------------------------- */

/* The epoch's UUID as text; changes only by outbox_new_epoch(). */
int		 store_epoch(struct store *, char out[UUID_TEXT_MAX]);
/* A note that both processes may read: "" when there is none. */
char		*store_note(struct store *, const char *key);
int64_t		 store_note_int(struct store *, const char *key,
		    int64_t otherwise);
int		 store_set_note(struct store *, const char *key,
		    const char *value);		/* NULL removes */
/* The same for what was read from printers: sealed on the disk. */
char		*store_note_sealed(struct store *, const char *key);
int		 store_set_note_sealed(struct store *, const char *key,
		    const char *value);		/* NULL removes */
int		 store_set_note_int(struct store *, const char *key, int64_t);

#endif
