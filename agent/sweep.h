/*
 * Discovery: looks at every configured address that is no known printer, one
 * after the other, paced (rate, addresses a second) and repeated every
 * interval.  Hosts that the INI names one by one are looked at more often.
 */
#ifndef AGENT_SWEEP_H
#define AGENT_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/patrol.h"
#include "base/loop.h"

struct sweep;

struct sweep_progress {
	bool	 running;
	int64_t	 done, left;		/* addresses of this pass */
	int64_t	 answered;
	int64_t	 finished_ms;		/* wall: the last pass; 0 never */
};

struct sweep	*sweep_new(struct loop *, const struct config *,
		    struct patrol *);
void		 sweep_free(struct sweep *);
/* Begins a pass now (a running one goes on). */
void		 sweep_start(struct sweep *);
void		 sweep_progress(const struct sweep *, struct sweep_progress *);

#endif
