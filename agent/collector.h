/*
 * The collector process: SNMP on one side, the store on the other.  Holds
 * communities and the store's key, no password and not the agent's key.
 */
#ifndef AGENT_COLLECTOR_H
#define AGENT_COLLECTOR_H

#include "agent/config.h"

/* Bytes that go over the socketpair between the two children. */
#define WAKE_MORE	'm'	/* to the uplink: the outbox has more */
#define WAKE_WHOLE	'w'	/* to the collector: tell everything whole */
#define WAKE_SCAN	's'	/* to the collector: look for printers now; the
				 * supervisor's */
#define WAKE_STORE	'0'	/* to the uplink: and more, the store's state
				 * as the collector sees it */
#define WAKE_REKEY	'k'	/* to the uplink: take a new key; the
				 * supervisor's */

/* Runs until SIGTERM.  Drops privileges first.  The exit status. */
int	 collector_run(const char *config_path, int wake_fd);

#endif
