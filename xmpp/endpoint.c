#include "xmpp/endpoint.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "xmpp/srv.h"

#define ANSWER_MAX	4096

/* Seconds a name server has to answer, and how often it is asked. */
#define DNS_WAIT_S	2
#define DNS_TRIES	1

static struct sockaddr_in	 own_nameserver;
static bool			 have_own_nameserver;

void
endpoint_ask(const struct sockaddr_in *nameserver)
{
	have_own_nameserver = nameserver != NULL;
	if (nameserver != NULL)
		own_nameserver = *nameserver;
}

/*
 * Read anew each time: the agent outlives a change of network.  glibc's
 * getaddrinfo() works with the same state, so the bounds hold for it too.
 */
static void
prepare_resolver(void)
{
	if (res_init() == -1)
		return;
	_res.retrans = DNS_WAIT_S;
	_res.retry = DNS_TRIES;
	if (have_own_nameserver) {
		_res.nscount = 1;
		_res.nsaddr_list[0] = own_nameserver;
	}
}

/* The hosts to ask for; -1 when the domain has said that there are none. */
static int
look_up_srv(const char *domain, struct srv *srv, int max)
{
	unsigned char	answer[ANSWER_MAX];
	char		name[ENDPOINT_HOST_MAX + 32];
	int		len, n;

	snprintf(name, sizeof(name), "_xmpp-client._tcp.%s", domain);
	len = res_query(name, C_IN, T_SRV, answer, sizeof(answer));
	if (len <= 0)
		return 0;
	if ((size_t)len > sizeof(answer))
		len = sizeof(answer);
	n = srv_parse(answer, (size_t)len, false, srv, max);
	if (n > 0)
		srv_order(srv, n, srv_dice, NULL);
	return n;
}

/* The addresses of one host, kept for both of its ports. */
struct addresses {
	char	at[ENDPOINT_ADDRESSES][ENDPOINT_ADDRESS_MAX];
	int	count;
};

static bool
has_address(const struct addresses *set, const char *address)
{
	int	i;

	for (i = 0; i < set->count; i++)
		if (strcmp(set->at[i], address) == 0)
			return true;
	return false;
}

static void
look_up_host(const char *host, struct addresses *set, char *why,
    size_t why_size)
{
	struct addrinfo	hints, *all = NULL, *ai;
	char		address[ENDPOINT_ADDRESS_MAX];
	int		rc;

	set->count = 0;
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	rc = getaddrinfo(host, NULL, &hints, &all);
	if (rc != 0) {
		snprintf(why, why_size, "cannot resolve %s: %s",
		    log_safe(host), gai_strerror(rc));
		return;
	}
	for (ai = all; ai != NULL && set->count < ENDPOINT_ADDRESSES;
	    ai = ai->ai_next) {
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, address,
		    sizeof(address), NULL, 0, NI_NUMERICHOST) != 0 ||
		    has_address(set, address))
			continue;
		memcpy(set->at[set->count++], address, sizeof(address));
	}
	freeaddrinfo(all);
}

static void
add(struct endpoint_list *list, const char *host, const struct addresses *set,
    int port, bool direct)
{
	struct endpoint	*e;
	int		 i;

	for (i = 0; i < set->count && list->count < ENDPOINT_MAX; i++) {
		e = &list->at[list->count++];
		memset(e, 0, sizeof(*e));
		snprintf(e->host, sizeof(e->host), "%s", host);
		memcpy(e->address, set->at[i], sizeof(e->address));
		e->port = port;
		e->direct = direct;
	}
}

void
endpoint_resolve(struct endpoint_list *list, const char *domain,
    const char *host, int port, int fallback_port)
{
	struct srv	srv[ENDPOINT_HOSTS];
	struct addresses	set[ENDPOINT_HOSTS];
	int			i, n = 0;

	memset(list, 0, sizeof(*list));
	prepare_resolver();
	if (host == NULL)
		n = look_up_srv(domain, srv, ENDPOINT_HOSTS);
	if (n == -1) {
		snprintf(list->why, sizeof(list->why),
		    "the SRV record of %s says that it has no XMPP service",
		    log_safe(domain));
		return;
	}
	if (n == 0) {
		snprintf(srv[0].host, sizeof(srv[0].host), "%s",
		    host != NULL ? host : domain);
		srv[0].port = port;
		n = 1;
	}
	for (i = 0; i < n; i++) {
		look_up_host(srv[i].host, &set[i], list->why,
		    sizeof(list->why));
		add(list, srv[i].host, &set[i], srv[i].port, false);
	}
	if (fallback_port == 0)
		return;
	for (i = 0; i < n; i++)
		add(list, srv[i].host, &set[i], fallback_port, true);
	for (i = 0; i < n; i++)
		if (srv[i].port != fallback_port)
			add(list, srv[i].host, &set[i], fallback_port, false);
}

bool
endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->direct == b->direct &&
	    a->proxied == b->proxied && strcmp(a->address, b->address) == 0 &&
	    strcmp(a->host, b->host) == 0;
}

void
endpoint_prefer(struct endpoint_list *list, const struct endpoint *known)
{
	struct endpoint	first;
	int		i;

	for (i = 0; i < list->count; i++) {
		if (!endpoint_same(&list->at[i], known))
			continue;
		first = list->at[i];
		memmove(&list->at[1], &list->at[0],
		    (size_t)i * sizeof(list->at[0]));
		list->at[0] = first;
		return;
	}
}

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
