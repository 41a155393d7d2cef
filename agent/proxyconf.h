/*
 * The keys of [xmpp] that name a proxy: whether they go together, and what
 * the uplink is given.
 */
#ifndef AGENT_PROXYCONF_H
#define AGENT_PROXYCONF_H

#include "agent/config.h"
#include "xmpp/proxy.h"

/* Looks at the keys without reading the secret.  0, or -1, each mistake
 * logged with file and line. */
int	 proxyconf_check(const struct config *);

/*
 * Fills the proxy, which then borrows from the configuration and from
 * password (PROXY_SECRET_MAX + 1 octets, the caller wipes them).  1, or 0
 * when there is no proxy, or -1 when the password file will not do: logged.
 */
int	 proxyconf_load(const struct config *, struct proxy *,
	    char *password);

#endif
