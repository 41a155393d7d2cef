/* Saves from a damaged store what can be trusted. */
#ifndef AGENT_SALVAGE_H
#define AGENT_SALVAGE_H

#include <stdint.h>

#include "agent/store.h"
#include "crypto/lock.h"

struct salvage {
	int64_t	 saved;		/* reports that are in the new outbox now */
	int64_t	 lost;		/* that were not; -1: not known */
	int64_t	 devices;	/* addresses to be asked again */
};

/*
 * From the file at path into the store, within its open transaction: reports
 * that were not acknowledged and open with the key, in their order; and the
 * addresses of printers, which are only hints.  What cannot be read is passed
 * over.  0, or -1 when the new store failed, logged.
 */
int	 salvage_store(struct store *, const struct lock *, const char *path,
	    struct salvage *);

#endif
