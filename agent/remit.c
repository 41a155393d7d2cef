#include "agent/remit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network.h"
#include "base/mem.h"

struct remit {
	struct network_set	*nets;
	struct network_set	*allowed;	/* all but what is excluded */
	uint32_t		*host;		/* by address */
	size_t			 host_len;
	bool			 by_name;	/* a host's may be any */
	bool			 anywhere;	/* no network, none attached */
};

static void
take_hosts(struct remit *r, const struct ini_list *hosts)
{
	struct in_addr in;
	char *item;
	size_t i;

	r->host = xcalloc(hosts->count + 1, sizeof(*r->host));
	for (i = 0; i < hosts->count; i++) {
		item = xstrndup(hosts->item[i],
		    strcspn(hosts->item[i], ":"));
		if (inet_pton(AF_INET, item, &in) == 1)
			r->host[r->host_len++] = ntohl(in.s_addr);
		else
			r->by_name = true;
		free(item);
	}
}

/* As discovery understands it (sweep.c). */
struct remit *
remit_new(const struct config *conf)
{
	struct range *nets;
	struct remit *r;
	size_t len;

	r = xcalloc(1, sizeof(*r));
	nets = range_parse_list(&conf->networks, NETWORK_ATTACHED_MAX, &len);
	if (conf->networks.count == 0 && conf->hosts.count == 0) {
		len = network_attached(nets);
		/* An interface that is not up yet proves nothing. */
		r->anywhere = len == 0;
	}
	r->nets = network_set_new(nets, len, NULL, 0);
	r->allowed = network_set_all_but(&conf->exclude);
	take_hosts(r, &conf->hosts);
	free(nets);
	return r;
}

void
remit_free(struct remit *r)
{
	if (r == NULL)
		return;
	network_set_free(r->nets);
	network_set_free(r->allowed);
	free(r->host);
	free(r);
}

bool
remit_has(const struct remit *r, uint32_t address, const char *zone)
{
	size_t i;

	if (network_set_index(r->allowed, address) == SIZE_MAX)
		return false;
	if (r->anywhere || (r->by_name && zone == NULL) ||
	    network_set_index(r->nets, address) != SIZE_MAX)
		return true;
	for (i = 0; i < r->host_len; i++)
		if (r->host[i] == address)
			return true;
	return false;
}
