#include "agent/remit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network.h"
#include "base/mem.h"

struct remit {
	struct network_set	*nets;
	struct range		*exclude;
	size_t			 exclude_len;
	uint32_t		*host;		/* by address */
	size_t			 host_len;
	bool			 by_name;	/* a host's may be any */
	bool			 anywhere;	/* no network, none attached */
};

static struct range *
parse_ranges(const struct ini_list *list, size_t *len)
{
	struct range *ranges;
	char why[128];
	size_t i;

	ranges = xcalloc(list->count + NETWORK_ATTACHED_MAX,
	    sizeof(*ranges));
	for (i = 0, *len = 0; i < list->count; i++)
		if (range_parse(list->item[i], &ranges[*len], why,
		    sizeof(why)) == 0)
			(*len)++;
	return ranges;
}

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

struct remit *
remit_new(const struct config *conf)
{
	struct range *nets;
	struct remit *r;
	size_t len;

	r = xcalloc(1, sizeof(*r));
	nets = parse_ranges(&conf->networks, &len);
	r->exclude = parse_ranges(&conf->exclude, &r->exclude_len);
	if (conf->networks.count == 0) {
		len = network_attached(nets);
		/* An interface that is not up yet proves nothing. */
		r->anywhere = len == 0 && conf->hosts.count == 0;
	}
	r->nets = network_set_new(nets, len, NULL, 0);
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
	free(r->exclude);
	free(r->host);
	free(r);
}

bool
remit_has(const struct remit *r, uint32_t address)
{
	size_t i;

	for (i = 0; i < r->exclude_len; i++)
		if (range_has(&r->exclude[i], address))
			return false;
	if (r->anywhere || r->by_name ||
	    network_set_index(r->nets, address) != SIZE_MAX)
		return true;
	for (i = 0; i < r->host_len; i++)
		if (r->host[i] == address)
			return true;
	return false;
}
