/* `platen scan --direct`: looks for printers without an agent and without a
 * store, and shows what there is. */
#ifndef AGENT_DIRECT_H
#define AGENT_DIRECT_H

#include <stdbool.h>

#include "agent/config.h"
#include "agent/network.h"

/* conf: credentials and rate; takes the set.  The exit status. */
int	 direct_run(const struct config *, struct network_set *, bool json);

#endif
