#include "xmpp/uplink.h"

#include <sys/random.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "schema/xmltree.h"
#include "xmpp/awaited.h"
#include "xmpp/dial.h"
#include "xmpp/iq.h"
#include "xmpp/link.h"
#include "xmpp/manners.h"
#include "xmpp/vigil.h"

#define RESOURCE		"platend"
#define CONNECT_MS		10000
#define PING_MS			300000
#define RETRY_MIN_MS		1000
#define RETRY_MAX_MS		300000
#define GOODBYE_MS		500
/* A refused login or an account in use mends itself only by hand; more tries
 * would lock the account or fight with the other agent. */
#define SLOW_RETRY_MS		60000
/* A login that held for less counts as one more failure. */
#define STEADY_MS		10000
/* No more often does an idle connection say that it lives. */
#define KEEPALIVE_MS		120000
/* Stanzas out of bounds are logged at most so often, strangers send them. */
#define COMPLAIN_MS		60000

struct uplink {
	struct loop		*loop;
	struct uplink_events	 events;
	void			*arg;
	char			*jid, *full_jid, *password;
	char			*client_cert, *client_key, *ca_file;
	char			*central, *version, *status;
	const char		*domain;	/* within jid */
	bool			 allow_plain;
	struct pin		*pins;
	size_t			 pin_count;
	int			 connect_ms, ping_ms;
	int			 retry_min_ms, retry_max_ms;
	/* For dial_new(), lent by what follows. */
	struct dial_config	 dialled;
	struct proxy		 proxy;
	char			*host, *proxy_user, *proxy_password;
	struct link		*link;
	struct awaited		*awaited;
	enum uplink_state	 state;
	bool			 started;

	/* A round of tries, one endpoint after the other. */
	struct dial		*dial;
	struct dial		*detour;	/* where a server pointed, once
						 * a round; or NULL */
	bool			 on_detour;
	struct endpoint		 endpoint;	/* of the try or the stream */
	struct endpoint		 worked;	/* the last that did */
	char			*last_failures;	/* logged */
	int			 attempt;
	bool			 sent_too_much;
	int64_t			 online_ms;	/* since when */
	struct timer		 retry;
	int64_t			 refused_ms;	/* last said */
	unsigned		 refused;

	struct vigil		 vigil;
	struct manners		 manners;
};

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
on_iq(struct uplink *u, const xmlNode *stanza, const char *from,
    const char *type)
{
	const xmlNode		*child = xmltree_child(stanza, NULL, NULL);
	const char		*id = iq_attr(stanza, "id");
	struct uplink_element	 element;
	struct buf		 b = { 0 };
	char			*text;

	if (id == NULL)
		return;
	if (strcmp(type, "result") == 0 || strcmp(type, "error") == 0) {
		awaited_answer(u->awaited, from, id, stanza);
		return;
	}
	if (strcmp(type, "set") == 0 && from != NULL && child != NULL &&
	    strcmp(from, u->central) == 0) {
		awaited_element(child, &element, &text);
		u->events.on_request(u->arg, id, &element);
		free(text);
		return;
	}
	manners_answer(&u->manners, &b, from, id, type, child);
	if (b.len > 0)
		link_send(u->link, b.data, b.len);
	buf_free(&b);
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	struct uplink	*u = arg;
	const char	*from = iq_attr(stanza, "from");
	const char	*type = iq_attr(stanza, "type");
	bool		 centre = from != NULL && strcmp(from, u->central) == 0;

	if (centre)
		vigil_heard(&u->vigil);
	if (xmltree_is(stanza, "iq", LOGIN_NS) && type != NULL)
		on_iq(u, stanza, from, type);
	else if (xmltree_is(stanza, "presence", LOGIN_NS) && centre)
		vigil_presence(&u->vigil, stanza, type);
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	struct uplink	*u = arg;
	const char	*from = start != NULL ? iq_attr(start, "from") : NULL;
	const char	*id = start != NULL ? iq_attr(start, "id") : NULL;
	const char	*type = start != NULL ? iq_attr(start, "type") : NULL;
	int64_t		 now = clock_mono_ms();
	struct buf	 b = { 0 };

	u->refused++;
	if (u->refused_ms != 0 && now - u->refused_ms < COMPLAIN_MS)
		return;
	u->refused_ms = now;
	log_warnx("uplink", "refused a stanza from %s: %s (%u so far)",
	    from != NULL ? log_safe(from) : "somebody", why, u->refused);
	/* The centre must not wait in vain. */
	if (from == NULL || id == NULL || type == NULL ||
	    strcmp(from, u->central) != 0 || (strcmp(type, "set") != 0 &&
	    strcmp(type, "get") != 0))
		return;
	iq_put_error(&b, id, from, "policy-violation", why);
	link_send(u->link, b.data, b.len);
	buf_free(&b);
}

/*
 * Rounds of tries
 */

static void
end_round(struct uplink *u)
{
	dial_stop(u->dial);
	if (u->detour != NULL)
		dial_stop(u->detour);
	u->on_detour = false;
}

static void
on_retry(void *arg)
{
	struct uplink	*u = arg;

	end_round(u);
	dial_free(u->detour);
	u->detour = NULL;
	u->sent_too_much = false;
	if (u->state != UPLINK_CONNECTING)
		set_state(u, UPLINK_CONNECTING, NULL);
	if (u->started)
		dial_start(u->dial, u->worked.host[0] != '\0' ? &u->worked :
		    NULL);
}

/* Says why once, as long as it stays the same. */
static void
rest_until_retry(struct uplink *u, enum login_fault fault, const char *why)
{
	bool	slow = fault == LOGIN_REFUSED || fault == LOGIN_CONFLICT;
	bool	known;
	int64_t	pause;

	known = u->state == UPLINK_CONNECTING &&
	    strcmp_null(u->last_failures, why) == 0;
	pause = uplink_backoff_ms(u->attempt++, u->retry_min_ms,
	    u->retry_max_ms, uplink_dice());
	if (slow && pause < SLOW_RETRY_MS)
		pause = SLOW_RETRY_MS +
		    (int64_t)(SLOW_RETRY_MS * uplink_dice() / 4);
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
on_socket(void *arg, int fd, const struct endpoint *endpoint)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX];

	u->endpoint = *endpoint;
	log_debug("uplink", "trying %s", endpoint_name(&u->endpoint, name));
	link_open(u->link, fd, endpoint->direct);
}

static void
on_dial_end(void *arg, const char *why, bool denied)
{
	rest_until_retry(arg, denied ? LOGIN_REFUSED : LOGIN_FAILED, why);
}

static void
on_detour_end(void *arg, const char *why, bool denied)
{
	struct uplink	*u = arg;
	char		*text = xasprintf("the server points elsewhere, and "
			    "there: %s", why);

	u->on_detour = false;
	dial_next(u->dial, text);
	free(text);
}

static void
begin_detour(struct uplink *u)
{
	static const struct dial_events	events = { on_socket, on_detour_end };
	struct dial_config		config = u->dialled;
	int				port;

	config.host = link_elsewhere(u->link, &port);
	config.port = port != 0 ? port : u->endpoint.port;
	config.fallback_port = u->endpoint.direct ? config.port : 0;
	log_info("uplink", "the server points to %s port %d",
	    log_safe(config.host), config.port);
	u->detour = dial_new(u->loop, &config, &events, u);
	u->on_detour = true;
	dial_start(u->detour, NULL);
}

static void
on_up(void *arg)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX], why[ENDPOINT_NAME_MAX + 80];

	/* The next round begins with who pointed there. */
	if (!u->on_detour)
		u->worked = u->endpoint;
	end_round(u);
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

/* The try came to nothing. */
static void
try_failed(struct uplink *u, enum login_fault fault, const char *why)
{
	char	 name[ENDPOINT_NAME_MAX], *text;

	if (fault == LOGIN_ELSEWHERE && u->detour == NULL)
		begin_detour(u);
	else if (fault != LOGIN_REFUSED && fault != LOGIN_CONFLICT)
		dial_next(u->on_detour ? u->detour : u->dial, why);
	else {
		end_round(u);
		text = xasprintf("%s: %s", endpoint_name(&u->endpoint, name),
		    why);
		rest_until_retry(u, fault, text);
		free(text);
	}
}

static void
on_down(void *arg, enum login_fault fault, const char *why)
{
	struct uplink	*u = arg;
	char		 name[ENDPOINT_NAME_MAX], *text;
	bool		 was_online = u->state >= UPLINK_ONLINE;

	vigil_end(&u->vigil);
	if (!was_online) {
		try_failed(u, fault, why);
		return;
	}
	u->state = UPLINK_DOWN;
	u->sent_too_much = fault == LOGIN_TOO_MUCH;
	if (clock_mono_ms() - u->online_ms >= STEADY_MS)
		u->attempt = 0;
	awaited_flush(u->awaited, AWAITED_ALL);
	text = xasprintf("%s: %s", endpoint_name(&u->endpoint, name), why);
	rest_until_retry(u, fault, text);
	free(text);
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

	return link_send(u->link, stanza, len);
}

static void
make_link(struct uplink *u)
{
	static const struct link_events events = { on_up, on_stanza,
					    on_refused, on_down };
	struct link_config	config = { 0 };

	config.jid = u->full_jid;
	config.password = u->password;
	config.allow_plain = u->allow_plain;
	config.trust.domain = u->domain;
	config.trust.ca_file = u->ca_file;
	config.trust.cert = u->client_cert;
	config.trust.key = u->client_key;
	config.trust.pins = u->pins;
	config.trust.pin_count = u->pin_count;
	config.connect_ms = u->connect_ms;
	config.dead_ms = u->ping_ms / 2 < 2000 ? 2000 :
	    u->ping_ms / 2 > 30000 ? 30000 : u->ping_ms / 2;
	config.keepalive_s = (u->ping_ms > KEEPALIVE_MS ? u->ping_ms :
	    KEEPALIVE_MS) / 1000;
	u->link = link_new(u->loop, &config, &events, u);
}

static void
make_dial(struct uplink *u, const struct uplink_config *config)
{
	static const struct dial_events	events = { on_socket, on_dial_end };

	u->host = xstrdup_null(config->host);
	if (config->proxy != NULL) {
		u->proxy = *config->proxy;
		u->proxy_user = xstrdup_null(u->proxy.user);
		u->proxy_password = xstrdup_null(u->proxy.password);
		u->proxy.user = u->proxy_user;
		u->proxy.password = u->proxy_password;
		u->dialled.proxy = &u->proxy;
	}
	u->dialled.domain = u->domain;
	u->dialled.host = u->host;
	u->dialled.port = or_default(config->port, 5222);
	u->dialled.fallback_port = config->fallback_port;
	u->dialled.connect_ms = u->connect_ms;
	u->dial = dial_new(u->loop, &u->dialled, &events, u);
}

/* 0, or -1 when the config cannot work. */
static int
check(const struct uplink_config *config, struct pin *pins)
{
	const char	*at = strchr(config->jid, '@');
	char		 why[TRUST_WHY_MAX];
	size_t		 i;

	if (at == NULL || at == config->jid || at[1] == '\0' ||
	    strpbrk(config->jid, "/ \t") != NULL) {
		log_warnx("uplink", "jid %s is not user@domain",
		    log_safe(config->jid));
		return -1;
	}
	if (config->password == NULL && config->client_cert == NULL) {
		log_warnx("uplink", "neither password nor client_cert");
		return -1;
	}
	if (config->client_cert != NULL && trust_check_own(
	    config->client_cert, config->client_key, why,
	    sizeof(why)) == -1) {
		log_warnx("uplink", "%s", why);
		return -1;
	}
	for (i = 0; i < config->pin_count; i++)
		if (pin_parse(config->pins[i], &pins[i]) == -1) {
			log_warnx("uplink", "pin %s is not sha256/BASE64",
			    log_safe(config->pins[i]));
			return -1;
		}
	return 0;
}

struct uplink *
uplink_new(struct loop *loop, const struct uplink_config *config,
    const struct uplink_events *events, void *arg)
{
	struct uplink	*u;
	struct pin	*pins;

	pins = xcalloc(config->pin_count + 1, sizeof(*pins));
	if (check(config, pins) == -1) {
		free(pins);
		return NULL;
	}
	u = xcalloc(1, sizeof(*u));
	u->loop = loop;
	u->events = *events;
	u->arg = arg;
	u->jid = lower(config->jid);
	u->domain = strchr(u->jid, '@') + 1;
	u->full_jid = xasprintf("%s/" RESOURCE, u->jid);
	u->password = xstrdup_null(config->password);
	u->client_cert = xstrdup_null(config->client_cert);
	u->client_key = xstrdup_null(config->client_key);
	u->allow_plain = config->allow_plain;
	u->pins = pins;
	u->pin_count = config->pin_count;
	u->ca_file = xstrdup_null(config->ca_file);
	u->central = lower(config->central);
	u->version = xstrdup(config->version != NULL ? config->version : "");
	u->connect_ms = or_default(config->connect_ms, CONNECT_MS);
	u->ping_ms = or_default(config->ping_ms, PING_MS);
	u->retry_min_ms = or_default(config->retry_min_ms, RETRY_MIN_MS);
	u->retry_max_ms = or_default(config->retry_max_ms, RETRY_MAX_MS);
	u->awaited = awaited_new(loop, u->central, u->domain, send_stanza,
	    on_verdict, u);
	manners_start(&u->manners, u->jid, u->domain, u->central, u->version);
	make_link(u);
	make_dial(u, config);
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
	dial_free(u->detour);
	dial_free(u->dial);
	link_free(u->link);
	awaited_free(u->awaited);
	secret_free(u->password);
	secret_free(u->client_key);
	secret_free(u->proxy_user);
	secret_free(u->proxy_password);
	free(u->client_cert);
	free(u->pins);
	free(u->jid);
	free(u->full_jid);
	free(u->host);
	free(u->ca_file);
	free(u->central);
	free(u->version);
	free(u->status);
	free(u->last_failures);
	free(u);
}

enum uplink_state
uplink_state(const struct uplink *u)
{
	return u->state == UPLINK_READY && !u->vigil.here ? UPLINK_ONLINE :
	    u->state;
}

bool
uplink_sent_too_much(const struct uplink *u)
{
	return u->sent_too_much;
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
	if (awaited_put(u->awaited, AWAITED_CENTRE, "set", payload, len,
	    timeout_ms, fn, arg) == -1)
		return -1;
	vigil_asked(&u->vigil);
	return 0;
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
		link_drop(u->link, why);	/* nothing while dialling */
}
