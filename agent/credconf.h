/*
 * The sections [snmp NAME]: whether what they say goes together, and the
 * credential that each makes.
 */
#ifndef AGENT_CREDCONF_H
#define AGENT_CREDCONF_H

#include "agent/config.h"

/* Looks at every section without reading a secret.  0, or -1, each mistake
 * logged with file and line. */
int	 credconf_check(const struct config *);

/*
 * Completes the credentials: version, community, and the SNMPv3 user if
 * secrets is set (reads the password files, and hashes them: milliseconds
 * each).  Puts the sections into the order in which they are tried: v3, then
 * v2c, then v1, otherwise as written.  0 or -1, logged.
 */
int	 credconf_make(struct config *, bool secrets);

#endif
