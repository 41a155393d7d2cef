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

struct store;

/* Opens or creates dir/store.db.  NULL on failure, which is logged. */
struct store	*store_open(const char *dir);
/* For the operator's tool: never writes, never creates. */
struct store	*store_open_readonly(const char *dir);
void		 store_close(struct store *);		/* NULL is fine */

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
int		 store_set_note_int(struct store *, const char *key, int64_t);

#endif
