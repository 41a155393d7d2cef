#include "xmpp/names.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

/* A server that is silent for so long is given up for another (or for itself
 * once more); a late answer still counts until the question's deadline. */
#define TRY_MS		1200
#define TRIES		3
#define WHY_MAX		320

/* One question.  c-ares holds on to it until it calls back, and cannot be
 * told to let go of a single one. */
struct question {
	struct names		*names;
	struct question		*next;
	char			 name[ENDPOINT_HOST_MAX + 32];
	int			 family;	/* 0: SRV */
	bool			 direct;
	bool			 answered;
	names_host_fn		*on_host;	/* NULL when told */
	names_srv_fn		*on_srv;
	void			*arg;
	struct timer		 deadline, tell;

	enum names_found	 found;
	int			 count;
	struct sockaddr_storage	 address[NAMES_ADDRESSES];
	struct srv		*srv;
	char			 why[WHY_MAX];
};

struct names {
	struct loop	*loop;
	ares_channel	 channel;
	bool		 open;
	struct timer	 tick;
	struct question	*questions;
};

static struct sockaddr_in	 own_server;
static bool			 have_own_server;

void
names_ask(const struct sockaddr_in *server)
{
	have_own_server = server != NULL;
	if (server != NULL)
		own_server = *server;
}

/*
 * c-ares in our loop
 */

static void	 on_tick(void *);

static void
set_tick(struct names *n)
{
	struct timeval	tv, *left;

	left = ares_timeout(n->channel, NULL, &tv);
	if (left == NULL)
		timer_clear(n->loop, &n->tick);
	else
		timer_after(n->loop, &n->tick, (int64_t)left->tv_sec * 1000 +
		    left->tv_usec / 1000 + 1, on_tick, n);
}

static void
on_tick(void *arg)
{
	struct names	*n = arg;

	ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_tick(n);
}

static void
on_fd(void *arg, int fd, unsigned events)
{
	struct names	*n = arg;

	ares_process_fd(n->channel,
	    events & LOOP_READ ? fd : ARES_SOCKET_BAD,
	    events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
	set_tick(n);
}

static void
on_sock_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct names	*n = arg;

	loop_watch(n->loop, fd, (readable ? LOOP_READ : 0) |
	    (writable ? LOOP_WRITE : 0), on_fd, n);
}

static void
use_own_server(struct names *n)
{
	struct ares_addr_port_node	node = { 0 };

	node.family = AF_INET;
	node.addr.addr4 = own_server.sin_addr;
	node.udp_port = node.tcp_port = ntohs(own_server.sin_port);
	ares_set_servers_ports(n->channel, &node);
}

struct names *
names_new(struct loop *loop)
{
	struct names		*n = xcalloc(1, sizeof(*n));
	struct ares_options	 options = { 0 };
	int			 rc;

	n->loop = loop;
	options.timeout = TRY_MS;
	options.tries = TRIES;
	options.sock_state_cb = on_sock_state;
	options.sock_state_cb_data = n;
	rc = ares_init_options(&n->channel, &options, ARES_OPT_TIMEOUTMS |
	    ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	n->open = rc == ARES_SUCCESS;
	if (!n->open)
		log_warnx("names", "cannot look up names: %s",
		    ares_strerror(rc));
	else if (have_own_server)
		use_own_server(n);
	return n;
}

static void
question_free(struct question *q)
{
	timer_clear(q->names->loop, &q->deadline);
	timer_clear(q->names->loop, &q->tell);
	free(q->srv);
	free(q);
}

void
names_free(struct names *n)
{
	struct question	*q, *next;

	if (n == NULL)
		return;
	/* Calls back for what it still holds. */
	if (n->open)
		ares_destroy(n->channel);
	for (q = n->questions; q != NULL; q = next) {
		next = q->next;
		question_free(q);
	}
	timer_clear(n->loop, &n->tick);
	free(n);
}

/*
 * Answers
 */

static void
on_tell(void *arg)
{
	struct question	*q = arg;
	names_host_fn	*on_host = q->on_host;
	names_srv_fn	*on_srv = q->on_srv;

	q->on_host = NULL;
	q->on_srv = NULL;
	if (on_host != NULL)
		on_host(q->arg, q->found, q->address, q->count, q->why);
	else if (on_srv != NULL)
		on_srv(q->arg, q->found, q->srv, q->count, q->why);
}

static void
tell(struct question *q, enum names_found found)
{
	q->answered = true;
	q->found = found;
	timer_clear(q->names->loop, &q->deadline);
	timer_after(q->names->loop, &q->tell, 0, on_tell, q);
}

/* "name server 192.0.2.53", or several. */
static void
put_servers(struct names *n, struct buf *out)
{
	struct ares_addr_port_node	*servers = NULL, *s;
	char				 text[INET6_ADDRSTRLEN];
	bool				 many;

	if (ares_get_servers_ports(n->channel, &servers) != ARES_SUCCESS ||
	    servers == NULL) {
		buf_puts(out, "the name server");
		return;
	}
	many = servers->next != NULL;
	buf_puts(out, many ? "the name servers" : "name server");
	for (s = servers; s != NULL; s = s->next) {
		inet_ntop(s->family, &s->addr, text, sizeof(text));
		buf_printf(out, "%s %s", s == servers ? "" : ",", text);
		if (s->udp_port != 0 && s->udp_port != 53)
			buf_printf(out, " port %d", s->udp_port);
	}
	ares_free_data(servers);
}

static void
blame_servers(struct question *q, const char *what)
{
	struct buf	b = { 0 };

	put_servers(q->names, &b);
	snprintf(q->why, sizeof(q->why), "%s: %s", b.data, what);
	buf_free(&b);
}

/* What an answer without records means. */
static enum names_found
explain(struct question *q, int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		snprintf(q->why, sizeof(q->why), "there is no such name");
		return NAMES_NONE;
	case ARES_ENODATA:
		snprintf(q->why, sizeof(q->why), q->family == 0 ?
		    "there is no such record" : "it has no address");
		return NAMES_NONE;
	case ARES_ETIMEOUT:
		blame_servers(q, "no answer");
		break;
	/* c-ares asks the next server, and at last tells all these as one. */
	case ARES_ECONNREFUSED:
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
		blame_servers(q, "nothing listens there, or only failure "
		    "comes back (SERVFAIL, REFUSED)");
		break;
	case ARES_EBADRESP:
	case ARES_EFORMERR:
		blame_servers(q, "the answer makes no sense");
		break;
	default:
		snprintf(q->why, sizeof(q->why), "%s", ares_strerror(status));
		break;
	}
	return NAMES_UNKNOWN;
}

static void
on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *all)
{
	struct question			*q = arg;
	const struct ares_addrinfo_node	*node;

	if (status == ARES_EDESTRUCTION || q->answered) {
		ares_freeaddrinfo(all);
		return;
	}
	for (node = all != NULL ? all->nodes : NULL; node != NULL &&
	    q->count < NAMES_ADDRESSES; node = node->ai_next)
		if (node->ai_family == q->family &&
		    (size_t)node->ai_addrlen <= sizeof(q->address[0]))
			memcpy(&q->address[q->count++], node->ai_addr,
			    (size_t)node->ai_addrlen);
	ares_freeaddrinfo(all);
	if (q->count > 0)
		tell(q, NAMES_SOME);
	else
		tell(q, explain(q, status == ARES_SUCCESS ? ARES_ENODATA :
		    status));
}

static void
on_records(void *arg, int status, int timeouts, unsigned char *answer,
    int len)
{
	struct question	*q = arg;
	int		 n;

	if (status == ARES_EDESTRUCTION || q->answered)
		return;
	if (status != ARES_SUCCESS || answer == NULL || len <= 0) {
		tell(q, explain(q, status));
		return;
	}
	q->srv = xcalloc(SRV_MAX, sizeof(*q->srv));
	n = srv_parse(answer, (size_t)len, q->direct, q->srv, SRV_MAX);
	q->count = n > 0 ? n : 0;
	if (n == 0)
		explain(q, ARES_ENODATA);
	tell(q, n > 0 ? NAMES_SOME : n == 0 ? NAMES_NONE : NAMES_NO_SERVICE);
}

static void
on_deadline(void *arg)
{
	struct question	*q = arg;

	if (!q->answered)
		tell(q, explain(q, ARES_ETIMEOUT));
}

/*
 * Questions
 */

static struct question *
question_new(struct names *n, const char *name, int family, int wait_ms,
    void *arg)
{
	struct question	*q = xcalloc(1, sizeof(*q));

	q->names = n;
	snprintf(q->name, sizeof(q->name), "%s", name);
	q->family = family;
	q->arg = arg;
	q->next = n->questions;
	n->questions = q;
	timer_after(n->loop, &q->deadline, wait_ms, on_deadline, q);
	return q;
}

/* An answer that has come already in this round. */
static const struct question *
known(const struct names *n, const char *host, int family)
{
	const struct question	*q;

	for (q = n->questions; q != NULL; q = q->next)
		if (q->answered && q->family == family &&
		    strcmp(q->name, host) == 0)
			return q;
	return NULL;
}

/* What nobody needs to be asked: numbers, with getaddrinfo() for its
 * "fe80::1%eth0", and localhost (RFC 6761 section 6.3), of which c-ares 1.18
 * loses some octets each time. */
static bool
is_number(const char *host, struct question *q)
{
	struct addrinfo	hints = { 0 }, *ai = NULL;

	if (strcasecmp(host, "localhost") == 0)
		host = q->family == AF_INET6 ? "::1" : "127.0.0.1";
	hints.ai_flags = AI_NUMERICHOST;
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, NULL, &hints, &ai) != 0)
		return false;
	if (ai->ai_family == q->family) {
		memcpy(&q->address[0], ai->ai_addr, ai->ai_addrlen);
		q->count = 1;
	}
	freeaddrinfo(ai);
	return true;
}

void
names_host(struct names *n, const char *host, int family, int wait_ms,
    names_host_fn *fn, void *arg)
{
	struct ares_addrinfo_hints	 hints = { 0 };
	const struct question		*old = known(n, host, family);
	struct question			*q;

	q = question_new(n, host, family, wait_ms, arg);
	q->on_host = fn;
	if (old != NULL) {
		memcpy(q->address, old->address, sizeof(q->address));
		memcpy(q->why, old->why, sizeof(q->why));
		q->count = old->count;
		tell(q, old->found);
	} else if (is_number(host, q))
		tell(q, q->count > 0 ? NAMES_SOME : explain(q, ARES_ENODATA));
	else if (!n->open)
		tell(q, explain(q, ARES_ENOTINITIALIZED));
	else {
		hints.ai_family = family;
		hints.ai_socktype = SOCK_STREAM;
		/* In the order that came: RFC 6724's would take sockets, and
		 * the race finds out by itself. */
		hints.ai_flags = ARES_AI_NOSORT;
		ares_getaddrinfo(n->channel, host, NULL, &hints, on_addresses,
		    q);
		set_tick(n);
	}
}

void
names_forget(struct names *n, const void *arg)
{
	struct question	*q;

	for (q = n->questions; q != NULL; q = q->next)
		if (q->arg == arg) {
			q->on_host = NULL;
			q->on_srv = NULL;
		}
}

void
names_srv(struct names *n, const char *domain, bool direct, int wait_ms,
    names_srv_fn *fn, void *arg)
{
	struct question	*q;
	char		 name[ENDPOINT_HOST_MAX + 32];

	snprintf(name, sizeof(name), "_xmpp%s-client._tcp.%s",
	    direct ? "s" : "", domain);
	q = question_new(n, name, 0, wait_ms, arg);
	q->on_srv = fn;
	q->direct = direct;
	if (!n->open) {
		tell(q, explain(q, ARES_ENOTINITIALIZED));
		return;
	}
	ares_query(n->channel, name, C_IN, T_SRV, on_records, q);
	set_tick(n);
}
