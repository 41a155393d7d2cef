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
#include "base/utf8.h"
#include "xmpp/awaited.h"
#include "xmpp/endpoint.h"
#include "xmpp/iq.h"
#include "xmpp/link.h"
#include "xmpp/manners.h"
#include "xmpp/vigil.h"

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

struct uplink {
	struct loop		*loop;
	struct uplink_events	 events;
	void			*arg;
	char			*jid, *full_jid, *password, *host, *ca_file;
	char			*central, *version, *status;
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

	struct vigil		 vigil;
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

double
uplink_dice(void)
{
	uint32_t	n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return 0;
	return n / 4294967296.0;
}

static void
set_state(struct uplink *u, enum uplink_state state, const char *why)
{
	u->state = state;
	u->events.on_state(u->arg, state, why);
}

static void
on_centre(void *arg, bool here, const char *why)
{
	set_state(arg, here ? UPLINK_READY : UPLINK_ONLINE, why);
}

static void
on_verdict(void *arg, enum awaited_from from, enum uplink_answer answer,
    const char *condition, int64_t asked_ms)
{
	struct uplink	*u = arg;

	vigil_verdict(&u->vigil, from, answer, condition, asked_ms);
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
on_stanza(void *arg, xmpp_stanza_t *stanza)
{
	struct uplink	*u = arg;
	const char	*name = xmpp_stanza_get_name(stanza);
	const char	*from = xmpp_stanza_get_from(stanza);
	const char	*type = xmpp_stanza_get_type(stanza);
	bool		 centre = from != NULL && strcmp(from, u->central) == 0;

	if (centre)
		vigil_heard(&u->vigil);
	if (strcmp(name, "iq") == 0 && type != NULL)
		on_iq(u, stanza, from, type);
	else if (strcmp(name, "presence") == 0 && centre)
		vigil_presence(&u->vigil, stanza, type);
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
	    u->retry_max_ms, uplink_dice());
	if (slow && pause < SLOW_RETRY_MS)
		pause = SLOW_RETRY_MS + (int64_t)(SLOW_RETRY_MS * uplink_dice() / 4);
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
	u->online_ms = clock_mono_ms();
	free(u->last_failures);
	u->last_failures = NULL;
	log_info("uplink", "logged in as %s through %s", u->jid,
	    endpoint_name(&u->endpoint, name));
	snprintf(why, sizeof(why), "logged in through %s; waiting for the "
	    "centre", name);
	vigil_begin(&u->vigil);
	set_state(u, UPLINK_ONLINE, why);
}

static void
on_down(void *arg, enum login_fault fault, const char *why)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX];
	bool		 was_online = u->state >= UPLINK_ONLINE;

	endpoint_name(&u->endpoint, name);
	vigil_end(&u->vigil);
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
	u->vigil = (struct vigil){ .loop = loop, .link = u->link,
	    .awaited = u->awaited, .central = u->central,
	    .ping_ms = u->ping_ms, .fn = on_centre, .arg = u };
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
	struct buf	b = { 0 };

	u->started = false;
	timer_clear(u->loop, &u->retry);
	vigil_end(&u->vigil);
	if (link_up(u->link)) {
		iq_put_presence(&b, NULL, "unavailable", NULL);
		link_send(u->link, b.data, b.len);
		buf_free(&b);
	}
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
	secret_free(u->password);
	free(u->jid);
	free(u->full_jid);
	free(u->host);
	free(u->ca_file);
	free(u->central);
	free(u->version);
	free(u->status);
	free(u->last_failures);
	buf_free(&u->failures);
	free(u);
}

enum uplink_state
uplink_state(const struct uplink *u)
{
	return u->state == UPLINK_READY && !u->vigil.here ? UPLINK_ONLINE :
	    u->state;
}

int
uplink_ask(struct uplink *u, const char *payload, size_t len, int timeout_ms,
    uplink_answer_fn *fn, void *arg)
{
	if (uplink_state(u) != UPLINK_READY || !link_up(u->link))
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
uplink_status(struct uplink *u, const char *text)
{
	char	*status = text == NULL || text[0] == '\0' ? NULL :
		    xstrndup(text, utf8_cut(text, strlen(text),
		    UPLINK_STATUS_MAX));

	if (strcmp_null(status, u->status) == 0) {
		free(status);
		return;
	}
	free(u->status);
	u->status = status;
	vigil_status(&u->vigil, u->status);
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
