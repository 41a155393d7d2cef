/*
 * One way to reach an XMPP server: a host, the address that it has, a port
 * and the kind of TLS there.
 */
#ifndef XMPP_ENDPOINT_H
#define XMPP_ENDPOINT_H

#include <stdbool.h>

#define ENDPOINT_HOST_MAX	256
#define ENDPOINT_ADDRESS_MAX	64
#define ENDPOINT_NAME_MAX	(ENDPOINT_HOST_MAX + ENDPOINT_ADDRESS_MAX + 64)

struct endpoint {
	char	 host[ENDPOINT_HOST_MAX];	/* as configured or found */
	char	 address[ENDPOINT_ADDRESS_MAX];	/* numeric */
	int	 port;
	bool	 direct;			/* TLS at once, no STARTTLS */
	bool	 proxied;			/* address is the proxy's */
};

/* "xmpp.example.org (192.0.2.1) port 443, direct TLS"; returns out. */
char	*endpoint_name(const struct endpoint *, char out[ENDPOINT_NAME_MAX]);

#endif
