/*
 * Discovery: calls out to every configured address that is no known printer
 * (snmp/hail.h) in two passes, paced, and hands over to the patrol who
 * answers.  Repeated every interval, begun by hand, and gone on with after a
 * restart.  Hosts that the INI names one by one are looked at besides.
 */
#ifndef AGENT_SWEEP_H
#define AGENT_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/patrol.h"
#include "agent/progress.h"
#include "agent/store.h"
#include "base/loop.h"

struct sweep;

struct sweep	*sweep_new(struct loop *, const struct config *,
		    struct store *, struct patrol *);
void		 sweep_free(struct sweep *);	/* before the patrol */
/* Looks for the named hosts, goes on with a scan that was interrupted, or
 * waits until the next is due. */
void		 sweep_start(struct sweep *);
/* Begins a scan now, unless one is running. */
void		 sweep_scan(struct sweep *);
void		 sweep_progress(const struct sweep *, struct progress *);

#endif
