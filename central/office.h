/* The operator's decisions about agents, as commands that print. */
#ifndef CENTRAL_OFFICE_H
#define CENTRAL_OFFICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "central/fleet.h"
#include "central/settings.h"
#include "crypto/key.h"

/* Prints the agent's INI lines.  0, or -1, logged. */
int	 office_enrol(const struct settings *, const struct key *,
	    const char *name, const char *jid, const char *customer,
	    int64_t valid_ms);
/* One of both JIDs is NULL.  0, or 1, logged. */
int	 office_decide(struct fleet *, const char *approve,
	    const char *revoke);

/* Lists the centre's keys: 0 or -1. */
int	 office_keys(const struct settings *, bool json, FILE *);
/* Makes a new one, the present one stays good for keep_ms: 0 or -1. */
int	 office_rotate(const struct settings *, int64_t keep_ms);

#endif
