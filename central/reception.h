/*
 * `platen-central run`: the component's events, put together.  Presence is
 * answered, handshakes make sessions, sealed reports go into the fleet, what
 * has been silent for long is pinged.
 */
#ifndef CENTRAL_RECEPTION_H
#define CENTRAL_RECEPTION_H

#include "base/loop.h"
#include "central/fleet.h"
#include "central/settings.h"
#include "central/keyring.h"

struct reception;

/* Everything is lent; secret is copied. */
struct reception	*reception_new(struct loop *, const struct settings *,
			    const char *secret, const struct keyring *,
			    struct fleet *);
void			 reception_start(struct reception *);
/* Commits, tells those who are there, closes the stream. */
void			 reception_stop(struct reception *);
void			 reception_free(struct reception *);

#endif
