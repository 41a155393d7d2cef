#include "xmpp/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "xmpp/names.h"
#include "xmpp/race.h"
#include "xmpp/srv.h"
#include "xmpp/tunnel.h"

#define CONNECT_MS	10000
#define NAMES_MS	5000
/* Where only the proxy knows the outer world's names, ours often does not
 * even answer: not worth a longer wait. */
#define PROXIED_SRV_MS	2000
/* Targets out of SRV records, and all with the fallback port. */
#define RECORDS		16
#define TARGETS		(3 * RECORDS)
/* More would be read by nobody. */
#define FAILURES_MAX	2000

enum { STARTTLS, DIRECT };

struct target {
	char	 host[ENDPOINT_HOST_MAX];
	int	 port;
	bool	 direct;
};

struct answer {			/* to a question for SRV records */
	bool			 here;
	enum names_found	 found;
	struct srv		*srv;
	int			 count;
};

struct dial {
	struct loop		*loop;
	char			*domain, *host, *user, *password;
	int			 port, fallback_port, connect_ms, names_ms;
	bool			 proxied;
	struct proxy		 proxy;
	struct dial_events	 events;
	void			*arg;

	/* A round. */
	struct names		*names;		/* NULL between rounds */
	struct answer		 answer[2];
	struct target		 target[TARGETS];
	int			 count, next;
	struct endpoint		 worked;	/* host "": none */
	struct race		*race;
	struct tunnel		*tunnel;
	struct endpoint		 endpoint;	/* under way or given */
	struct buf		 failures;
	bool			 hopeless, denied;
	struct timer		 step;
};

/*
 * What failed
 */

static void
note(struct dial *d, const char *text)
{
	/* The name of a host with several ports fails once for all. */
	if (d->failures.len > FAILURES_MAX ||
	    (d->failures.len > 0 && strstr(d->failures.data, text) != NULL))
		return;
	if (d->failures.len > 0)
		buf_puts(&d->failures, "; ");
	buf_puts(&d->failures, text);
	if (d->failures.len > FAILURES_MAX)
		buf_puts(&d->failures, "; and more");
}

static void
note_endpoint(struct dial *d, const char *why)
{
	char	name[ENDPOINT_NAME_MAX], *text;

	text = xasprintf("%s: %s", endpoint_name(&d->endpoint, name), why);
	note(d, text);
	free(text);
}

static void
note_name(struct dial *d, const char *host, const char *why)
{
	char	*text = xasprintf("cannot resolve %s: %s", log_safe(host), why);

	note(d, text);
	free(text);
}

static void
note_proxy(struct dial *d, const char *address, const char *why)
{
	char	 name[PROXY_NAME_MAX], *text;

	proxy_name(&d->proxy, name);
	if (address != NULL && strcmp(address, d->proxy.host) != 0)
		text = xasprintf("proxy %s (%s): %s", name, address, why);
	else
		text = xasprintf("proxy %s: %s", name, why);
	note(d, text);
	free(text);
}

/*
 * The targets of a round
 */

static bool
is_target(const struct target *t, const char *host, int port, bool direct)
{
	return t->port == port && t->direct == direct &&
	    strcmp(t->host, host) == 0;
}

static void
add(struct dial *d, const char *host, int port, bool direct)
{
	struct target	*t;
	int		 i;

	/* "." said that there is no such way. */
	if (d->answer[direct ? DIRECT : STARTTLS].found == NAMES_NO_SERVICE ||
	    d->count == TARGETS)
		return;
	for (i = 0; i < d->count; i++)
		if (is_target(&d->target[i], host, port, direct))
			return;
	t = &d->target[d->count++];
	snprintf(t->host, sizeof(t->host), "%s", host);
	t->port = port;
	t->direct = direct;
}

static void
add_host(struct dial *d, const char *host)
{
	add(d, host, d->port, false);
	if (d->fallback_port == 0)
		return;
	add(d, host, d->fallback_port, true);
	add(d, host, d->fallback_port, false);
}

static void
add_records(struct dial *d, const struct srv *srv, int count)
{
	int	i;

	for (i = 0; i < count; i++)
		add(d, srv[i].host, srv[i].port, srv[i].direct);
	if (d->fallback_port == 0)
		return;
	for (i = 0; i < count; i++)
		add(d, srv[i].host, d->fallback_port, true);
	for (i = 0; i < count; i++)
		add(d, srv[i].host, d->fallback_port, false);
}

static void
prefer_what_worked(struct dial *d)
{
	struct target	first;
	int		i;

	for (i = 0; i < d->count; i++) {
		if (!is_target(&d->target[i], d->worked.host, d->worked.port,
		    d->worked.direct))
			continue;
		first = d->target[i];
		memmove(&d->target[1], &d->target[0],
		    (size_t)i * sizeof(first));
		d->target[0] = first;
		return;
	}
}

static void
take_records(struct dial *d)
{
	struct srv	all[2 * SRV_MAX];
	int		count = 0, i;

	for (i = 0; i < 2; i++) {
		if (d->answer[i].count > 0)
			memcpy(&all[count], d->answer[i].srv,
			    (size_t)d->answer[i].count * sizeof(all[0]));
		count += d->answer[i].count;
	}
	srv_order(all, count, srv_dice, NULL);
	add_records(d, all, count < RECORDS ? count : RECORDS);
}

static void
begin(struct dial *d)
{
	const struct answer	*records = d->answer;
	char			*text;

	if (d->host != NULL)
		add_host(d, d->host);
	else if (records[STARTTLS].count + records[DIRECT].count > 0)
		take_records(d);
	/* What RFC 6120 section 3.2.1 says of "." holds for all. */
	else if (records[STARTTLS].found != NAMES_NO_SERVICE)
		add_host(d, d->domain);
	if (d->count == 0) {
		text = xasprintf("the SRV record of %s says that it has no "
		    "XMPP service", log_safe(d->domain));
		note(d, text);
		free(text);
	}
	prefer_what_worked(d);
	d->next = 0;
}

static void	 on_step(void *);

static void
on_srv(struct dial *d, int which, enum names_found found,
    const struct srv *srv, int count, const char *why)
{
	struct answer	*a = &d->answer[which];
	char		*text;

	a->here = true;
	a->found = found;
	a->count = count;
	if (count > 0) {
		a->srv = xcalloc((size_t)count, sizeof(*a->srv));
		memcpy(a->srv, srv, (size_t)count * sizeof(*a->srv));
	}
	if (found == NAMES_UNKNOWN) {
		text = xasprintf("cannot look up the SRV records of %s: %s",
		    log_safe(d->domain), why);
		note(d, text);
		free(text);
	}
	if (!d->answer[STARTTLS].here || !d->answer[DIRECT].here)
		return;
	begin(d);
	timer_after(d->loop, &d->step, 0, on_step, d);
}

static void
on_starttls(void *arg, enum names_found found, const struct srv *srv,
    int count, const char *why)
{
	on_srv(arg, STARTTLS, found, srv, count, why);
}

static void
on_direct(void *arg, enum names_found found, const struct srv *srv, int count,
    const char *why)
{
	on_srv(arg, DIRECT, found, srv, count, why);
}

/*
 * One target
 */

static void
end_target(struct dial *d)
{
	tunnel_free(d->tunnel);
	d->tunnel = NULL;
	race_free(d->race);
	d->race = NULL;
}

static void
on_tunnel(void *arg, enum proxy_step step, int fd, const char *why)
{
	struct dial	*d = arg;

	if (step == PROXY_REFUSED)
		note_endpoint(d, why);
	else if (step != PROXY_OPEN)
		note_proxy(d, NULL, why);
	end_target(d);
	if (step == PROXY_OPEN) {
		d->events.on_socket(d->arg, fd, &d->endpoint);
		return;
	}
	/* It would say the same of every other target. */
	d->hopeless = step != PROXY_REFUSED;
	d->denied = step == PROXY_DENIED;
	timer_after(d->loop, &d->step, 0, on_step, d);
}

static void
on_first(void *arg, int fd, const char *address)
{
	struct dial	*d = arg;

	snprintf(d->endpoint.address, sizeof(d->endpoint.address), "%s",
	    address);
	if (d->proxied)
		d->tunnel = tunnel_new(d->loop, fd, &d->proxy,
		    d->endpoint.host, d->endpoint.port, d->connect_ms,
		    on_tunnel, d);
	else
		d->events.on_socket(d->arg, fd, &d->endpoint);
}

static void
on_failed(void *arg, const char *address, const char *why)
{
	struct dial	*d = arg;

	if (d->proxied)
		note_proxy(d, address, why);
	else if (address == NULL)
		note_name(d, d->endpoint.host, why);
	else {
		snprintf(d->endpoint.address, sizeof(d->endpoint.address),
		    "%s", address);
		note_endpoint(d, why);
	}
}

static void
on_over(void *arg)
{
	struct dial	*d = arg;

	end_target(d);
	/* Where the proxy cannot be reached, no other target can. */
	d->hopeless = d->proxied;
	timer_after(d->loop, &d->step, 0, on_step, d);
}

static void
try_target(struct dial *d, const struct target *t)
{
	static const struct race_events	 events = { on_first, on_failed,
					    on_over };
	struct race_config		 config = { 0 };

	memset(&d->endpoint, 0, sizeof(d->endpoint));
	memcpy(d->endpoint.host, t->host, sizeof(d->endpoint.host));
	d->endpoint.port = t->port;
	d->endpoint.direct = t->direct;
	d->endpoint.proxied = d->proxied;
	config.host = d->proxied ? d->proxy.host : t->host;
	config.port = d->proxied ? d->proxy.port : t->port;
	config.first = d->worked.address[0] != '\0' ? d->worked.address :
	    NULL;
	config.connect_ms = d->connect_ms;
	config.names_ms = d->names_ms;
	log_debug("dial", "trying %s port %d, %s%s", log_safe(t->host),
	    t->port, t->direct ? "direct TLS" : "STARTTLS",
	    d->proxied ? ", through the proxy" : "");
	d->race = race_new(d->loop, d->names, &config, &events, d);
}

static void
on_step(void *arg)
{
	struct dial	*d = arg;
	char		*why;
	bool		 denied = d->denied;

	if (!d->hopeless && d->next < d->count) {
		try_target(d, &d->target[d->next++]);
		return;
	}
	why = d->failures.len > 0 ? buf_take(&d->failures) :
	    xstrdup("no address to try");
	dial_stop(d);
	d->events.on_end(d->arg, why, denied);
	free(why);
}

/*
 * The interface
 */

static int
or_default(int value, int preset)
{
	return value > 0 ? value : preset;
}

struct dial *
dial_new(struct loop *loop, const struct dial_config *config,
    const struct dial_events *events, void *arg)
{
	struct dial	*d = xcalloc(1, sizeof(*d));

	d->loop = loop;
	d->domain = xstrdup(config->domain);
	d->host = xstrdup_null(config->host);
	d->port = config->port;
	d->fallback_port = config->fallback_port;
	d->connect_ms = or_default(config->connect_ms, CONNECT_MS);
	d->names_ms = or_default(config->names_ms, NAMES_MS);
	d->events = *events;
	d->arg = arg;
	if (config->proxy != NULL) {
		d->proxied = true;
		d->proxy = *config->proxy;
		d->user = xstrdup_null(d->proxy.user);
		d->password = xstrdup_null(d->proxy.password);
		d->proxy.user = d->user;
		d->proxy.password = d->password;
	}
	return d;
}

void
dial_free(struct dial *d)
{
	if (d == NULL)
		return;
	dial_stop(d);
	buf_free(&d->failures);
	secret_free(d->user);
	secret_free(d->password);
	free(d->domain);
	free(d->host);
	free(d);
}

void
dial_stop(struct dial *d)
{
	int	i;

	timer_clear(d->loop, &d->step);
	end_target(d);
	names_free(d->names);
	d->names = NULL;
	for (i = 0; i < 2; i++)
		free(d->answer[i].srv);
	memset(d->answer, 0, sizeof(d->answer));
	d->count = d->next = 0;
	d->hopeless = d->denied = false;
	buf_reset(&d->failures);
}

void
dial_start(struct dial *d, const struct endpoint *worked)
{
	int	wait_ms;

	dial_stop(d);
	memset(&d->worked, 0, sizeof(d->worked));
	if (worked != NULL)
		d->worked = *worked;
	d->names = names_new(d->loop);
	if (d->host != NULL) {
		begin(d);
		timer_after(d->loop, &d->step, 0, on_step, d);
		return;
	}
	wait_ms = d->proxied && d->names_ms > PROXIED_SRV_MS ?
	    PROXIED_SRV_MS : d->names_ms;
	names_srv(d->names, d->domain, false, wait_ms, on_starttls, d);
	names_srv(d->names, d->domain, true, wait_ms, on_direct, d);
}

void
dial_next(struct dial *d, const char *why)
{
	if (d->names == NULL)
		return;
	note_endpoint(d, why);
	if (d->race != NULL)
		race_next(d->race);
	else
		timer_after(d->loop, &d->step, 0, on_step, d);
}
