/*
 * What `platen-central init` makes: the key file, and the store, which it
 * gives to the user that `run` becomes.  What is there already stays as it is.
 */
#ifndef CENTRAL_SETUP_H
#define CENTRAL_SETUP_H

#include "central/settings.h"
#include "crypto/key.h"

/* key is the one made or found; wipe it.  0, or -1, logged. */
int	 setup_key(const struct settings *, struct key *key);
int	 setup_store(const struct settings *);

#endif
