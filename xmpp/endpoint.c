#include "xmpp/endpoint.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

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

static int
get16(const unsigned char *p)
{
	return p[0] << 8 | p[1];
}

/*
 * By hand: the ns_* functions would need one more library.  Every step says
 * how far it may look; dn_expand() and dn_skipname() check theirs.
 */
int
endpoint_parse_srv(const unsigned char *answer, size_t len,
    struct endpoint_srv *out, int max)
{
	const unsigned char	*p = answer + HFIXEDSZ, *end = answer + len;
	int			 questions, answers, type, size, skip, n = 0;

	if (len < HFIXEDSZ || len > ANSWER_MAX)
		return 0;
	questions = get16(answer + 4);
	answers = get16(answer + 6);
	for (; questions > 0; questions--) {
		skip = dn_skipname(p, end);
		if (skip == -1 || end - p < skip + QFIXEDSZ)
			return 0;
		p += skip + QFIXEDSZ;
	}
	for (; answers > 0 && n < max; answers--, p += size) {
		skip = dn_skipname(p, end);
		if (skip == -1 || end - p < skip + RRFIXEDSZ)
			break;
		p += skip;
		type = get16(p);
		size = get16(p + 8);
		p += RRFIXEDSZ;
		if (end - p < size)
			break;
		if (type != T_SRV || size < 7)
			continue;
		out[n].priority = get16(p);
		out[n].weight = get16(p + 2);
		out[n].port = get16(p + 4);
		if (dn_expand(answer, end, p + 6, out[n].host,
		    sizeof(out[n].host)) == -1)
			continue;
		/* "." alone: decidedly not available here. */
		if (out[n].host[0] == '\0' || strcmp(out[n].host, ".") == 0)
			return n == 0 ? -1 : n;
		if (out[n].port != 0)
			n++;
	}
	return n;
}

static int
by_priority(const void *a, const void *b)
{
	const struct endpoint_srv	*x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority - y->priority;
	/* Those of weight 0 come first, so that they have a small chance. */
	return (x->weight != 0) - (y->weight != 0);
}

void
endpoint_order_srv(struct endpoint_srv *srv, int count,
    uint32_t (*dice)(void *arg, uint32_t below), void *arg)
{
	struct endpoint_srv	picked;
	uint32_t		sum, roll;
	int			i, j;

	qsort(srv, (size_t)count, sizeof(*srv), by_priority);
	for (i = 0; i < count; i++) {
		sum = 0;
		for (j = i; j < count &&
		    srv[j].priority == srv[i].priority; j++)
			sum += (uint32_t)srv[j].weight;
		roll = dice(arg, sum + 1);
		sum = 0;
		for (j = i; j < count - 1 &&
		    srv[j + 1].priority == srv[i].priority; j++) {
			sum += (uint32_t)srv[j].weight;
			if (sum >= roll)
				break;
		}
		picked = srv[j];
		memmove(&srv[i + 1], &srv[i], (size_t)(j - i) * sizeof(*srv));
		srv[i] = picked;
	}
}

static uint32_t
system_dice(void *arg, uint32_t below)
{
	uint32_t	n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return 0;
	return n % below;
}

/* The hosts to ask for; -1 when the domain has said that there are none. */
static int
look_up_srv(const char *domain, struct endpoint_srv *srv, int max)
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
	n = endpoint_parse_srv(answer, (size_t)len, srv, max);
	if (n > 0)
		endpoint_order_srv(srv, n, system_dice, NULL);
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
	struct endpoint_srv	srv[ENDPOINT_HOSTS];
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
