#include "xmpp/uplink.h"

#include <sys/random.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "xmpp/awaited.h"
#include "xmpp/endpoint.h"
#include "xmpp/iq.h"
#include "xmpp/link.h"
#include "xmpp/manners.h"

#define RESOURCE		"platend"
#define CONNECT_MS		10000
#define PING_MS			60000
#define RETRY_MIN_MS		1000
#define RETRY_MAX_MS		300000
#define GOODBYE_MS		500
/* A refused login or an account in use mends itself only by hand; more tries
 * would lock the account or fight with the other agent. */
#define SLOW_RETRY_MS		60000
/* A login that held for less counts as one more failure. */
#define STEADY_MS		10000
#define PROBE_MIN_MS		5000
#define PROBE_MAX_MS		60000
/* A presence of the centre's within this after ours is the answer to it. */
#define PRESENCE_ANSWER_MS	10000

struct uplink {
	struct loop		*loop;
	struct uplink_events	 events;
	void			*arg;
	char			*jid, *full_jid, *password, *host, *ca_file;
	char			*central, *version;
	const char		*domain;	/* within jid */
	int			 port, fallback_port, connect_ms, ping_ms;
	int			 retry_min_ms, retry_max_ms;
	struct link		*link;
	struct awaited		*awaited;
	enum uplink_state	 state;
	bool			 started;

	/* A round of tries, one endpoint after the other. */
	struct endpoint_list	*round;		/* NULL between rounds */
	int			 next;		/* in it */
	struct endpoint		 endpoint;	/* of the try or the stream */
	struct endpoint		 worked;	/* the last that did */
	struct buf		 failures;
	char			*last_failures;	/* logged */
	int			 attempt;
	int64_t			 online_ms;	/* since when */
	struct timer		 retry;

	/* Signs of life. */
	struct timer		 ping;
	int64_t			 server_pinged_ms, centre_heard_ms;
	bool			 server_asked, centre_asked;

	/* Presence of the centre. */
	struct timer		 probe;
	int			 probes;
	int64_t			 presence_sent_ms;	/* 0: answered */

	struct manners		 manners;
};

static void	 try_next(struct uplink *);

int64_t
uplink_backoff_ms(int attempt, int64_t min_ms, int64_t max_ms, double random)
{
	int64_t	pause = min_ms;

	for (; attempt > 0 && pause < max_ms; attempt--)
		pause = pause > max_ms / 2 ? max_ms : pause * 2;
	if (pause > max_ms)
		pause = max_ms;
	return pause - (int64_t)((double)pause / 2 * random);
}

static double
dice(void)
{
	uint32_t	n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return 0;
	return n / 4294967296.0;
}

static void
send_presence(struct uplink *u, const char *to, const char *type)
{
	struct buf	b = { 0 };

	iq_put_presence(&b, to, type);
	link_send(u->link, b.data, b.len);
	buf_free(&b);
}

/*
 * States
 */

static void
set_state(struct uplink *u, enum uplink_state state, const char *why)
{
	u->state = state;
	u->events.on_state(u->arg, state, why);
}

/* To the centre, which does not see the one to everybody. */
static void
ask_presence(struct uplink *u)
{
	u->presence_sent_ms = clock_mono_ms();
	send_presence(u, u->central, NULL);
}

static void
on_probe(void *arg)
{
	struct uplink	*u = arg;
	int64_t		 least;

	if (u->state != UPLINK_ONLINE)
		return;
	if (u->probes++ > 0)
		ask_presence(u);
	least = u->ping_ms < PROBE_MIN_MS ? u->ping_ms : PROBE_MIN_MS;
	timer_after(u->loop, &u->probe, uplink_backoff_ms(u->probes - 1, least,
	    PROBE_MAX_MS, dice()), on_probe, u);
}

static void
centre_gone(struct uplink *u, const char *why)
{
	char	text[256];

	if (u->state != UPLINK_READY)
		return;
	snprintf(text, sizeof(text), "the centre %s is not there: %s",
	    u->central, why);
	log_warnx("uplink", "%s", text);
	u->state = UPLINK_ONLINE;
	awaited_flush(u->awaited, AWAITED_CENTRE);
	link_hurry(u->link, awaited_any(u->awaited));
	/* A callback may have lost us the link. */
	if (!link_up(u->link))
		return;
	u->probes = 0;
	on_probe(u);
	set_state(u, UPLINK_ONLINE, text);
}

static void
centre_here(struct uplink *u)
{
	bool	answer = u->presence_sent_ms != 0 && clock_mono_ms() -
		    u->presence_sent_ms < PRESENCE_ANSWER_MS;

	u->presence_sent_ms = 0;
	/* Unasked, it has just started and does not know of us. */
	if (!answer)
		ask_presence(u);
	if (u->state == UPLINK_ONLINE) {
		timer_clear(u->loop, &u->probe);
		log_info("uplink", "the centre %s is there", u->central);
		set_state(u, UPLINK_READY, NULL);
	} else if (!answer) {
		log_info("uplink", "the centre %s announced itself",
		    u->central);
		awaited_flush(u->awaited, AWAITED_CENTRE);
		if (u->state == UPLINK_READY)
			set_state(u, UPLINK_READY,
			    "the centre announced itself");
	}
}

/*
 * Signs of life
 */

static void
on_server_pong(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct uplink	*u = arg;

	u->server_asked = false;
	if (answer == UPLINK_LOST && link_up(u->link) &&
	    link_heard_ms(u->link) < u->server_pinged_ms)
		link_drop(u->link, "no sign of life from the server");
}

static int
patience_ms(const struct uplink *u)
{
	int	ms = u->ping_ms / 2;

	/* At the 3,000 bytes a second that ejabberd allows by default a
	 * report of 64 KB ahead of the ping takes 22 s. */
	return ms < 500 ? 500 : ms > 30000 ? 30000 : ms;
}

static void
ping_server(struct uplink *u)
{
	if (u->server_asked)
		return;
	u->server_asked = true;
	u->server_pinged_ms = clock_mono_ms();
	if (awaited_put(u->awaited, AWAITED_SERVER, "get", MANNERS_PING,
	    strlen(MANNERS_PING), patience_ms(u), on_server_pong, u) == -1)
		u->server_asked = false;
}

static void
on_centre_pong(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct uplink	*u = arg;

	u->centre_asked = false;
	/* One that knows no ping lives, too. */
	if (answer == UPLINK_ERROR &&
	    strcmp(condition, "feature-not-implemented") != 0)
		centre_gone(u, condition);
}

static void
ping_centre(struct uplink *u)
{
	if (u->centre_asked || u->state != UPLINK_READY)
		return;
	u->centre_asked = true;
	if (awaited_put(u->awaited, AWAITED_CENTRE, "get", MANNERS_PING,
	    strlen(MANNERS_PING), patience_ms(u), on_centre_pong, u) == -1)
		u->centre_asked = false;
}

static void
on_ping_due(void *arg)
{
	struct uplink	*u = arg;
	int64_t		 now = clock_mono_ms(), due, centre_due;

	if (!link_up(u->link))
		return;
	due = link_heard_ms(u->link) + u->ping_ms;
	centre_due = u->centre_heard_ms + u->ping_ms;
	if (now >= due)
		ping_server(u);
	if (now >= centre_due)
		ping_centre(u);
	if (now >= due)
		due = now + u->ping_ms;
	if (u->state == UPLINK_READY && centre_due < due)
		due = now >= centre_due ? now + u->ping_ms : centre_due;
	timer_set(u->loop, &u->ping, due, on_ping_due, u);
}

/* What an answer (or none) tells about the centre, before the asker hears
 * of it. */
static void
on_verdict(void *arg, enum awaited_from to, enum uplink_answer answer,
    const char *condition, int64_t asked_ms)
{
	static const char *const gone[] = { "remote-server-not-found",
	    "remote-server-timeout", "service-unavailable",
	    "recipient-unavailable", "forbidden-from-server" };
	struct uplink	*u = arg;
	size_t		 i;

	link_hurry(u->link, awaited_any(u->awaited));
	if (to != AWAITED_CENTRE)
		return;
	if (answer == UPLINK_LOST) {
		if (link_heard_ms(u->link) < asked_ms)
			ping_server(u);
		centre_gone(u, "no answer in time");
		return;
	}
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (strcmp(condition, gone[i]) == 0)
			centre_gone(u, condition);
	/* ejabberd says this for a component that is not connected, and the
	 * centre to an agent that it does not want; a ping tells. */
	if (strcmp(condition, "forbidden") == 0)
		ping_centre(u);
}

/*
 * What comes in
 */

static void
on_iq(struct uplink *u, xmpp_stanza_t *stanza, const char *from,
    const char *type)
{
	xmpp_stanza_t		*child = iq_child(stanza);
	const char		*id = xmpp_stanza_get_id(stanza);
	struct uplink_element	 element;
	struct buf		 b = { 0 };

	if (id == NULL)
		return;
	if (strcmp(type, "result") == 0 || strcmp(type, "error") == 0) {
		awaited_answer(u->awaited, from, id, stanza);
		return;
	}
	if (strcmp(type, "set") == 0 && from != NULL && child != NULL &&
	    strcmp(from, u->central) == 0) {
		awaited_element(child, &element);
		u->events.on_request(u->arg, id, &element);
		xmpp_free(link_context(u->link), (char *)element.text);
		return;
	}
	manners_answer(&u->manners, &b, from, id, type, child);
	if (b.len > 0)
		link_send(u->link, b.data, b.len);
	buf_free(&b);
}

static void
on_presence(struct uplink *u, xmpp_stanza_t *stanza, const char *type)
{
	char	condition[IQ_CONDITION_MAX];

	if (type == NULL)
		centre_here(u);
	else if (strcmp(type, "unavailable") == 0)
		centre_gone(u, "it said so");
	else if (strcmp(type, "error") == 0) {
		u->presence_sent_ms = 0;
		iq_condition(stanza, condition);
		centre_gone(u, condition);
	}
}

static void
on_stanza(void *arg, xmpp_stanza_t *stanza)
{
	struct uplink	*u = arg;
	const char	*name = xmpp_stanza_get_name(stanza);
	const char	*from = xmpp_stanza_get_from(stanza);
	const char	*type = xmpp_stanza_get_type(stanza);
	bool		 centre = from != NULL && strcmp(from, u->central) == 0;

	if (centre)
		u->centre_heard_ms = clock_mono_ms();
	if (strcmp(name, "iq") == 0 && type != NULL)
		on_iq(u, stanza, from, type);
	else if (strcmp(name, "presence") == 0 && centre)
		on_presence(u, stanza, type);
	link_hurry(u->link, awaited_any(u->awaited));
}

/*
 * Rounds of tries
 */

static void
end_round(struct uplink *u)
{
	free(u->round);
	u->round = NULL;
}

static void
on_retry(void *arg)
{
	struct uplink	*u = arg;

	end_round(u);
	buf_reset(&u->failures);
	if (u->state != UPLINK_CONNECTING)
		set_state(u, UPLINK_CONNECTING, NULL);
	if (!u->started)
		return;
	u->round = xmalloc(sizeof(*u->round));
	endpoint_resolve(u->round, u->domain, u->host, u->port,
	    u->fallback_port);
	endpoint_prefer(u->round, &u->worked);
	u->next = 0;
	if (u->round->why[0] != '\0')
		buf_puts(&u->failures, u->round->why);
	try_next(u);
}

/* Says why once, as long as it stays the same. */
static void
rest_until_retry(struct uplink *u, enum login_fault fault, const char *why)
{
	bool	slow = fault != LOGIN_FAILED, known;
	int64_t	pause;

	known = u->state == UPLINK_CONNECTING &&
	    strcmp_null(u->last_failures, why) == 0;
	pause = uplink_backoff_ms(u->attempt++, u->retry_min_ms,
	    u->retry_max_ms, dice());
	if (slow && pause < SLOW_RETRY_MS)
		pause = SLOW_RETRY_MS + (int64_t)(SLOW_RETRY_MS * dice() / 4);
	timer_after(u->loop, &u->retry, pause, on_retry, u);
	if (known)
		log_debug("uplink", "still down: %s; next try in %.1f s", why,
		    (double)pause / 1000);
	else
		log_warnx("uplink", "down: %s; next try in %.1f s", why,
		    (double)pause / 1000);
	free(u->last_failures);
	u->last_failures = xstrdup(why);
	set_state(u, UPLINK_DOWN, u->last_failures);
}

static void
try_next(struct uplink *u)
{
	char	name[ENDPOINT_NAME_MAX];

	if (u->round != NULL && u->next < u->round->count) {
		u->endpoint = u->round->at[u->next++];
		log_debug("uplink", "trying %s",
		    endpoint_name(&u->endpoint, name));
		link_open(u->link, &u->endpoint);
		return;
	}
	end_round(u);
	rest_until_retry(u, LOGIN_FAILED, u->failures.len > 0 ?
	    u->failures.data : "no address to try");
}

static void
on_up(void *arg)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX], why[ENDPOINT_NAME_MAX + 80];

	end_round(u);
	u->worked = u->endpoint;
	u->online_ms = u->centre_heard_ms = clock_mono_ms();
	free(u->last_failures);
	u->last_failures = NULL;
	log_info("uplink", "logged in as %s through %s", u->jid,
	    endpoint_name(&u->endpoint, name));
	send_presence(u, NULL, NULL);
	ask_presence(u);
	u->server_asked = u->centre_asked = false;
	timer_after(u->loop, &u->ping, u->ping_ms, on_ping_due, u);
	snprintf(why, sizeof(why), "logged in through %s; waiting for the "
	    "centre", name);
	u->state = UPLINK_ONLINE;
	u->probes = 0;
	on_probe(u);
	set_state(u, UPLINK_ONLINE, why);
}

static void
on_down(void *arg, enum login_fault fault, const char *why)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX];
	bool		 was_online = u->state >= UPLINK_ONLINE;

	endpoint_name(&u->endpoint, name);
	timer_clear(u->loop, &u->ping);
	timer_clear(u->loop, &u->probe);
	u->presence_sent_ms = 0;
	if (!was_online) {
		buf_printf(&u->failures, "%s%s: %s",
		    u->failures.len > 0 ? "; " : "", name, why);
		if (fault == LOGIN_FAILED) {
			try_next(u);
			return;
		}
		end_round(u);
		rest_until_retry(u, fault, u->failures.data);
		return;
	}
	u->state = UPLINK_DOWN;
	if (clock_mono_ms() - u->online_ms >= STEADY_MS)
		u->attempt = 0;
	awaited_flush(u->awaited, AWAITED_ALL);
	buf_reset(&u->failures);
	buf_printf(&u->failures, "%s: %s", name, why);
	rest_until_retry(u, fault, u->failures.data);
}

/*
 * The interface
 */

static char *
lower(const char *text)
{
	char	*copy = xstrdup(text), *p;

	/* Servers send addresses in lower case (RFC 7622). */
	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static int
or_default(int value, int preset)
{
	return value > 0 ? value : preset;
}

/* awaited_new() sends through this. */
static int
send_stanza(void *arg, const char *stanza, size_t len)
{
	struct uplink	*u = arg;

	link_hurry(u->link, true);
	return link_send(u->link, stanza, len);
}

static void
make_link(struct uplink *u)
{
	static const struct link_events events = { on_up, on_stanza, on_down };
	struct link_config	config = { 0 };

	config.jid = u->full_jid;
	config.password = u->password;
	config.ca_file = u->ca_file;
	config.connect_ms = u->connect_ms;
	config.dead_ms = u->ping_ms / 2 < 2000 ? 2000 :
	    u->ping_ms / 2 > 30000 ? 30000 : u->ping_ms / 2;
	u->link = link_new(u->loop, &config, &events, u);
}

struct uplink *
uplink_new(struct loop *loop, const struct uplink_config *config,
    const struct uplink_events *events, void *arg)
{
	struct uplink	*u;
	const char	*at = strchr(config->jid, '@');

	if (at == NULL || at == config->jid || at[1] == '\0' ||
	    strpbrk(config->jid, "/ \t") != NULL) {
		log_warnx("uplink", "jid %s is not user@domain",
		    log_safe(config->jid));
		return NULL;
	}
	u = xcalloc(1, sizeof(*u));
	u->loop = loop;
	u->events = *events;
	u->arg = arg;
	u->jid = lower(config->jid);
	u->domain = strchr(u->jid, '@') + 1;
	u->full_jid = xasprintf("%s/" RESOURCE, u->jid);
	u->password = xstrdup(config->password);
	u->host = xstrdup_null(config->host);
	u->ca_file = xstrdup_null(config->ca_file);
	u->central = lower(config->central);
	u->version = xstrdup(config->version != NULL ? config->version : "");
	u->port = or_default(config->port, 5222);
	u->fallback_port = config->fallback_port;
	u->connect_ms = or_default(config->connect_ms, CONNECT_MS);
	u->ping_ms = or_default(config->ping_ms, PING_MS);
	u->retry_min_ms = or_default(config->retry_min_ms, RETRY_MIN_MS);
	u->retry_max_ms = or_default(config->retry_max_ms, RETRY_MAX_MS);
	u->awaited = awaited_new(loop, u->central, u->domain, send_stanza,
	    on_verdict, u);
	manners_start(&u->manners, u->jid, u->domain, u->central, u->version);
	/* libstrophe writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	make_link(u);
	return u;
}

void
uplink_start(struct uplink *u)
{
	u->started = true;
	u->attempt = 0;
	if (u->state == UPLINK_DOWN)
		timer_after(u->loop, &u->retry, 0, on_retry, u);
}

static void
halt(struct uplink *u, int goodbye_ms)
{
	u->started = false;
	timer_clear(u->loop, &u->retry);
	timer_clear(u->loop, &u->ping);
	timer_clear(u->loop, &u->probe);
	if (link_up(u->link))
		send_presence(u, NULL, "unavailable");
	link_close(u->link, goodbye_ms);
	end_round(u);
	u->state = UPLINK_DOWN;
	awaited_flush(u->awaited, AWAITED_ALL);
}

void
uplink_stop(struct uplink *u)
{
	bool	told = u->state == UPLINK_DOWN;

	halt(u, GOODBYE_MS);
	if (!told)
		set_state(u, UPLINK_DOWN, "stopped");
}

void
uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	halt(u, 0);
	link_free(u->link);
	awaited_free(u->awaited);
	secret_wipe(u->password, strlen(u->password));
	free(u->password);
	free(u->jid);
	free(u->full_jid);
	free(u->host);
	free(u->ca_file);
	free(u->central);
	free(u->version);
	free(u->last_failures);
	buf_free(&u->failures);
	free(u);
}

enum uplink_state
uplink_state(const struct uplink *u)
{
	return u->state;
}

int
uplink_ask(struct uplink *u, const char *payload, size_t len, int timeout_ms,
    uplink_answer_fn *fn, void *arg)
{
	if (u->state != UPLINK_READY || !link_up(u->link))
		return -1;
	if (len > UPLINK_PAYLOAD_MAX) {
		log_warnx("uplink", "%zu bytes are too many for a stanza", len);
		return -1;
	}
	return awaited_put(u->awaited, AWAITED_CENTRE, "set", payload, len, timeout_ms,
	    fn, arg);
}

void
uplink_reply(struct uplink *u, const char *id, const char *payload, size_t len)
{
	struct buf	b = { 0 };

	iq_put(&b, "result", id, u->central, payload, len);
	link_send(u->link, b.data, b.len);
	buf_free(&b);
}

void
uplink_refuse(struct uplink *u, const char *id, const char *condition,
    const char *text)
{
	struct buf	b = { 0 };

	iq_put_error(&b, id, u->central, condition, text);
	link_send(u->link, b.data, b.len);
	buf_free(&b);
}

void
uplink_reset(struct uplink *u, const char *why)
{
	if (!u->started)
		return;
	if (u->state == UPLINK_DOWN)
		timer_after(u->loop, &u->retry, 0, on_retry, u);
	else
		link_drop(u->link, why);
}
