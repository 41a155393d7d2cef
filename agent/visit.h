/*
 * One device's visits: what is asked next, with which credentials, and what
 * comes of it.  With patrol.c and account.c, which alone include this, it is
 * the patrol.
 */
#ifndef AGENT_VISIT_H
#define AGENT_VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/device.h"
#include "agent/ladder.h"
#include "agent/patrol.h"
#include "agent/teller.h"
#include "base/loop.h"
#include "snmp/asker.h"

struct patrol {
	struct loop		*loop;
	const struct config	*conf;
	struct store		*store;
	struct teller		*teller;
	struct asker		*asker;
	struct ladder		*ladder;
	struct device_table	 devices;
	int64_t			 bytes_out, bytes_in;
	void			(*written)(void *);
	void			*arg;
};

/* The first visit of one that the store knows comes within that time. */
void	 visit_soon(struct device *, int64_t within_ms);
/* A visit at once, because something happened there. */
void	 visit_wake(struct device *);
/* Finds out whether a printer stands there; d->probe is set. */
void	 visit_probe(struct device *);
/* Ends what is under way and takes it out of the table. */
void	 visit_drop(struct device *);
/* The store lost what was put there in this turn of the loop. */
void	 visit_lost(struct device *);

#endif
