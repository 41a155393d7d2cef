/*
 * What discovery found and the patrol did not take up, kept in the store with
 * the reason, for people.  The patrol writes down the strangers that it has
 * read; what it could not read at all is written here.
 */
#ifndef AGENT_FINDINGS_H
#define AGENT_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/handover.h"
#include "agent/network.h"
#include "agent/store.h"
#include "base/loop.h"

struct findings;

struct findings	*findings_new(struct loop *, struct store *);
void		 findings_free(struct findings *);	/* writes the rest */

/* Remembers what came of one; printers and strangers are no business of this
 * file.  Written soon, many together. */
void		 findings_add(struct findings *, const struct hand *,
		    enum patrol_find);
/* Forgets what is no printer, stands in the set and has not answered since a
 * wall time: the scan that began then is over. */
void		 findings_forget(struct findings *, const struct network_set *,
		    int64_t since_ms);
/* Each address of the store that is a printer's, or that has answered since
 * that time. */
void		 findings_each(struct findings *, int64_t since_ms,
		    void (*fn)(void *arg, uint32_t address, bool printer),
		    void *arg);

/* "answers SNMPv3 (HP), but none of the credentials fits: a printer with
 * other credentials?" */
#define FINDINGS_WHY_MAX	160
char	*findings_why(const struct hand *, enum patrol_find,
	    char out[FINDINGS_WHY_MAX]);

#endif
