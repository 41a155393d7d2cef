/* How far a scan is, for whoever waits: a bar that stays in its line on a
 * terminal, a line now and then elsewhere. */
#ifndef AGENT_METER_H
#define AGENT_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/progress.h"

struct meter {
	bool		 terminal;
	bool		 quiet;		/* shows nothing */
	int64_t		 line_ms;
};

void	 meter_start(struct meter *, bool quiet);
void	 meter_show(struct meter *, const struct progress *);
/* Takes the bar away. */
void	 meter_stop(struct meter *);

#endif
