#include "xmpp/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

char *
endpoint_name(const struct endpoint *e, char out[ENDPOINT_NAME_MAX])
{
	char	address[ENDPOINT_ADDRESS_MAX + 4] = "";

	if (!e->proxied && strcmp(e->host, e->address) != 0)
		snprintf(address, sizeof(address), " (%s)", e->address);
	snprintf(out, ENDPOINT_NAME_MAX, "%s%s port %d, %s%s",
	    log_safe(e->host), address, e->port,
	    e->direct ? "direct TLS" : "STARTTLS",
	    e->proxied ? ", through the proxy" : "");
	return out;
}
