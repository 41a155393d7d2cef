/*
 * Carries reports from the store to the centre: handshake, sealing, several
 * under way, acknowledgements.  The uplink process's own half; it holds the
 * key and knows no SNMP.  (xmpp/uplink.h is the connection below it.)
 */
#ifndef AGENT_COURIER_H
#define AGENT_COURIER_H

#include "agent/config.h"

/* Runs the uplink process until SIGTERM.  Reads the secrets, then drops
 * privileges.  The exit status. */
int	 courier_run(const char *config_path, int wake_fd);

#endif
