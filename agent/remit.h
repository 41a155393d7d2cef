/*
 * Which addresses the configuration names: what it does not name any more is
 * not asked any more.
 */
#ifndef AGENT_REMIT_H
#define AGENT_REMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"

struct remit;

/* Takes what it needs; conf is not needed after it. */
struct remit	*remit_new(const struct config *conf);
void		 remit_free(struct remit *);		/* NULL is fine */
/* The address in host byte order; zone is the network that it was found in.  A
 * host that is called by name may be any that was found in none. */
bool		 remit_has(const struct remit *, uint32_t address,
		    const char *zone);

#endif
