/*
 * Where the key is that the store is sealed with: the systemd credential
 * "platen-store.key" when there is one, else [agent] store_key_file, else
 * store.key in the state directory.
 */
#ifndef AGENT_STOREKEY_H
#define AGENT_STOREKEY_H

#include <stdbool.h>

#include "agent/config.h"
#include "agent/store.h"
#include "crypto/lock.h"

/* Its path; the caller frees. */
char		*storekey_path(const struct config *);
/* Must it be read before the user is changed, as other secrets?  The one in
 * the state directory is that user's own. */
bool		 storekey_is_early(const struct config *);
/* Whether the file is there at all. */
bool		 storekey_is_there(const struct config *);
/* NULL on failure, logged with what to do. */
struct lock	*storekey_load(const struct config *);
/* The same; makes it when it is not there. */
struct lock	*storekey_load_or_make(const struct config *);
/* For a child: opens the store with the key that it read before (is_early), or
 * reads or makes it now.  As store_open_locked(), which early is the store's
 * after. */
struct store	*storekey_open(const struct config *, struct lock *early,
		    bool *damaged);
/* For the operator's tools: never writes.  NULL on failure, logged with what
 * to do. */
struct store	*storekey_look(const struct config *);

#endif
