/*
 * Who answered discovery and was not taken up by the patrol, kept in the store
 * with the reason, for people.  The patrol writes down those that it has read
 * and that are no printers; who could not be read at all is written here.
 */
#ifndef AGENT_STRANGERS_H
#define AGENT_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/handover.h"
#include "agent/network.h"
#include "agent/store.h"
#include "base/loop.h"

struct strangers;

struct strangers	*strangers_new(struct loop *, struct store *,
			    struct patrol *);
void		 strangers_free(struct strangers *);	/* writes the rest */

/* Remembers what came of one; nothing where the patrol could read it.  Written
 * soon, many together. */
void		 strangers_add(struct strangers *, const struct hand *,
		    enum patrol_find);
/* Forgets what is no printer, stands in the set and has not answered since a
 * wall time: the scan that began then is over. */
void		 strangers_forget(struct strangers *,
		    const struct network_set *, int64_t since_ms);
/* Each address of the store that is a printer's, or that has answered since
 * that time. */
void		 strangers_each(struct strangers *, int64_t since_ms,
		    void (*fn)(void *arg, uint32_t address, bool printer),
		    void *arg);

/* "answers SNMPv3 (HP), but none of the credentials fits: a printer with
 * other credentials?" */
#define STRANGERS_WHY_MAX	160
char	*strangers_why(const struct hand *, enum patrol_find,
	    char out[STRANGERS_WHY_MAX]);

#endif
