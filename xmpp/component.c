#include "xmpp/component.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "schema/xmltree.h"
#include "xmpp/inquiries.h"
#include "xmpp/iq.h"
#include "xmpp/jid.h"
#include "xmpp/serverlink.h"
#include "xmpp/stanzaerror.h"

#define NS_DISCO_INFO	"http://jabber.org/protocol/disco#info"
#define NS_PING		"urn:xmpp:ping"
#define NS_VERSION	"jabber:iq:version"

/* Refused stanzas are logged at most so often, strangers send them. */
#define COMPLAIN_MS	60000

struct place {
	struct component	*component;
	struct serverlink	*link;		/* NULL: not ours */
};

struct component {
	struct component_events	 events;
	void			*arg;
	char			*jid, *version;
	struct place		 place[COMPONENT_PLACES];	/* 0: always */
	struct serverlink	*current;	/* its event is being handled */
	struct inquiries	*asked;
	int64_t			 refused_ms;
	unsigned		 refused;
	struct buf		 out;		/* a stanza being made */
};

/* ---- Sending. ---- */

/* An attribute, escaped.  Blanks other than ' ' would be normalised away by
 * the reader, and an id must come back as it was. */
static void
put_attr(struct buf *out, const char *name, const char *value)
{
	size_t	 n;

	buf_putc(out, ' ');
	buf_puts(out, name);
	buf_puts(out, "='");
	/* Ids and JIDs hardly ever hold anything to escape. */
	n = strcspn(value, "&<>'\"\t\r\n");
	if (value[n] == '\0')
		buf_put(out, value, n);
	else
		xmltree_escape(out, value);
	buf_putc(out, '\'');
}

static void
put_start(struct component *c, const char *name, const char *type,
    const char *from, const char *to, const char *id)
{
	buf_reset(&c->out);
	buf_putc(&c->out, '<');
	buf_puts(&c->out, name);
	if (type != NULL)
		put_attr(&c->out, "type", type);
	put_attr(&c->out, "from", from);
	put_attr(&c->out, "to", to);
	if (id != NULL)
		put_attr(&c->out, "id", id);
	buf_putc(&c->out, '>');
}

/* An answer leaves through where the question came from, so that who asks
 * more than he reads is not read any further (xmpp/wire.h). */
static void
send_it(struct component *c)
{
	struct serverlink	*link = c->current;

	if (link == NULL || !serverlink_ready(link))
		link = c->place[0].link;
	serverlink_put(link, c->out.data, c->out.len);
	if (c->out.cap > COMPONENT_STANZA_MAX)
		buf_free(&c->out);
}

static void
send_iq(struct component *c, const char *type, const char *from,
    const char *to, const char *id, const char *payload, size_t len)
{
	if (!component_ready(c))
		return;
	put_start(c, "iq", type, from, to, id);
	buf_put(&c->out, payload, len);
	buf_puts(&c->out, "</iq>");
	send_it(c);
}

static void
send_error(struct component *c, const char *from, const char *to,
    const char *id, const char *condition, const char *text)
{
	if (!component_ready(c))
		return;
	put_start(c, "iq", "error", from, to, id);
	stanzaerror_put(&c->out, condition, text);
	buf_puts(&c->out, "</iq>");
	send_it(c);
}

void
component_presence(struct component *c, const char *to, const char *type)
{
	if (!component_ready(c))
		return;
	put_start(c, "presence", type, c->jid, to, NULL);
	buf_puts(&c->out, "</presence>");
	send_it(c);
}

void
component_reply(struct component *c, const char *to, const char *id,
    const char *payload, size_t len)
{
	send_iq(c, "result", c->jid, to, id, payload, len);
}

void
component_error(struct component *c, const char *to, const char *id,
    const char *condition, const char *text)
{
	send_error(c, c->jid, to, id, condition, text);
}

void
component_ask(struct component *c, const char *to, bool set,
    const char *payload, size_t len, int timeout_ms,
    component_answer_fn *fn, void *arg)
{
	char	 id[INQUIRIES_ID_MAX];

	inquiries_add(c->asked, to, component_ready(c) ? timeout_ms : 0, fn, arg,
	    id);
	send_iq(c, set ? "set" : "get", c->jid, to, id, payload, len);
}

/* ---- Receiving. ---- */

static void
answer_info(struct component *c, const char *from, const char *id,
    const xmlNode *query)
{
	static const char	 info[] =
	    "<query xmlns='" NS_DISCO_INFO "'>"
	    "<identity category='component' type='generic' name='Platen'/>"
	    "<feature var='" NS_DISCO_INFO "'/>"
	    "<feature var='" NS_PING "'/>"
	    "<feature var='" NS_VERSION "'/></query>";

	if (iq_attr(query, "node") != NULL)
		component_error(c, from, id, "item-not-found", NULL);
	else
		component_reply(c, from, id, info, sizeof(info) - 1);
}

static void
answer_version(struct component *c, const char *from, const char *id)
{
	struct buf	 b = { 0 };

	buf_puts(&b, "<query xmlns='" NS_VERSION "'><name>Platen</name>"
	    "<version>");
	xmltree_escape(&b, c->version);
	buf_puts(&b, "</version></query>");
	component_reply(c, from, id, b.data, b.len);
	buf_free(&b);
}

static void
on_request(struct component *c, const char *from, const char *to,
    const char *id, bool set, xmlNode *iq)
{
	xmlNode	*payload = xmltree_child(iq, NULL, NULL);

	if (strchr(to, '@') != NULL || strchr(to, '/') != NULL)
		/* Nobody lives here but the component itself. */
		send_error(c, to, from, id, "service-unavailable", NULL);
	else if (payload == NULL || xmltree_next(payload) != NULL)
		component_error(c, from, id, "bad-request", NULL);
	else if (!set && xmltree_is(payload, "query", NS_DISCO_INFO))
		answer_info(c, from, id, payload);
	else if (!set && xmltree_is(payload, "ping", NS_PING))
		component_reply(c, from, id, "", 0);
	else if (!set && xmltree_is(payload, "query", NS_VERSION))
		answer_version(c, from, id);
	else if (c->events.on_iq != NULL)
		c->events.on_iq(c->arg, from, id, set, payload);
	else
		component_error(c, from, id, "service-unavailable", NULL);
}

static void
on_iq(struct component *c, const char *from, const char *to, xmlNode *iq)
{
	const char	*id = iq_attr(iq, "id");
	const char	*type = iq_attr(iq, "type");
	xmlNode		*payload;

	if (id == NULL || type == NULL)
		log_debug("component", "iq without %s from %s",
		    id == NULL ? "id" : "type", log_safe(from));
	else if (strcmp(type, "get") == 0 || strcmp(type, "set") == 0)
		on_request(c, from, to, id, type[0] == 's', iq);
	else if (strcmp(type, "result") == 0) {
		payload = xmltree_child(iq, NULL, NULL);
		(void)inquiries_answer(c->asked, from, id, true, NULL, payload);
	} else if (strcmp(type, "error") == 0)
		(void)inquiries_answer(c->asked, from, id, false,
		    stanzaerror_condition(iq), NULL);
}

static void
on_presence(struct component *c, const char *from, const xmlNode *presence)
{
	const char	*type = iq_attr(presence, "type");
	const xmlNode	*said = xmltree_child(presence, "status",
			    SERVERLINK_NS);
	char		*status = said != NULL ? xmltree_text(said) : NULL;

	if (c->events.on_presence == NULL) {
		free(status);
		return;
	}
	if (status != NULL)
		status[utf8_cut(status, strlen(status),
		    COMPONENT_STATUS_MAX)] = '\0';
	c->events.on_presence(c->arg, from, type != NULL ? type : "available",
	    status != NULL && status[0] != '\0' ? status : NULL);
	free(status);
}

static void
take_stanza(struct component *c, xmlNode *stanza)
{
	const char		*from = iq_attr(stanza, "from");
	const char		*to = iq_attr(stanza, "to");

	/* The server stamps both; what lacks them is nobody's. */
	if (from == NULL || to == NULL || !jid_same_bare(from, from))
		return;
	if (xmltree_is(stanza, "iq", SERVERLINK_NS))
		on_iq(c, from, to, stanza);
	else if (xmltree_is(stanza, "presence", SERVERLINK_NS) &&
	    jid_same_bare(to, c->jid))
		on_presence(c, from, stanza);
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	struct place		*place = arg;
	struct component	*c = place->component;

	c->current = place->link;
	take_stanza(c, stanza);
	c->current = NULL;
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	struct place		*place = arg;
	struct component	*c = place->component;
	const char		*from = NULL, *id = NULL, *type = NULL;
	int64_t			 now = clock_mono_ms();

	if (start != NULL) {
		from = iq_attr(start, "from");
		id = iq_attr(start, "id");
		type = iq_attr(start, "type");
	}
	c->refused++;
	if (c->refused_ms == 0 || now - c->refused_ms >= COMPLAIN_MS) {
		log_warnx("component", "%s: refused a stanza from %s: %s (%u "
		    "so far)", c->jid, from != NULL ? log_safe(from) :
		    "somebody", why, c->refused);
		c->refused_ms = now;
	}
	if (start != NULL && xmltree_is(start, "iq", SERVERLINK_NS) &&
	    from != NULL && id != NULL && type != NULL &&
	    (strcmp(type, "get") == 0 || strcmp(type, "set") == 0))
		component_error(c, from, id, "policy-violation", why);
}

static void
on_ready(void *arg)
{
	struct component	*c = ((struct place *)arg)->component;

	if (c->events.on_ready != NULL)
		c->events.on_ready(c->arg);
}

static void
on_lost(void *arg, const char *why)
{
	struct place		*place = arg;
	struct component	*c = place->component;

	if (place != c->place)
		return;
	inquiries_fail(c->asked, "remote-server-timeout");
	if (c->events.on_lost != NULL)
		c->events.on_lost(c->arg, why);
}

static void
on_idle(void *arg)
{
	struct place		*place = arg;
	struct component	*c = place->component;

	c->current = place->link;
	if (c->events.on_idle != NULL)
		c->events.on_idle(c->arg);
	c->current = NULL;
}

/* ---- Life. ---- */

static const struct serverlink_events	link_events = {
	.on_ready = on_ready,
	.on_lost = on_lost,
	.on_stanza = on_stanza,
	.on_refused = on_refused,
	.on_idle = on_idle
};

struct component *
component_new(struct loop *loop, const struct component_config *config,
    const struct component_events *events, void *arg)
{
	struct component	*c;

	c = xcalloc(1, sizeof(*c));
	c->events = *events;
	c->arg = arg;
	c->jid = xstrdup(config->jid);
	c->version = xstrdup(config->version != NULL ? config->version :
	    PLATEN_VERSION);
	c->place[0].component = c;
	c->place[0].link = serverlink_new(loop, config, &link_events,
	    c->place);
	c->asked = inquiries_new(loop);
	return c;
}

void
component_start(struct component *c)
{
	int	i;

	for (i = 0; i < COMPONENT_PLACES; i++)
		if (c->place[i].link != NULL)
			serverlink_start(c->place[i].link);
}

void
component_places(struct component *c, int n)
{
	struct place	*place;
	int		 i;

	for (i = 1; i < COMPONENT_PLACES; i++) {
		place = &c->place[i];
		if (i < n && place->link == NULL) {
			place->component = c;
			place->link = serverlink_twin(c->place[0].link,
			    &link_events, place);
			serverlink_start(place->link);
		} else if (i >= n && place->link != NULL) {
			serverlink_free(place->link);
			place->link = NULL;
		}
	}
}

void
component_stop(struct component *c)
{
	int	i;

	for (i = COMPONENT_PLACES - 1; i >= 0; i--)
		if (c->place[i].link != NULL)
			serverlink_stop(c->place[i].link);
	inquiries_fail(c->asked, "remote-server-timeout");
}

void
component_free(struct component *c)
{
	if (c == NULL)
		return;
	component_stop(c);
	/* Callbacks of stop may have asked again. */
	while (inquiries_count(c->asked) > 0)
		inquiries_fail(c->asked, "remote-server-timeout");
	inquiries_free(c->asked);
	component_places(c, 1);
	serverlink_free(c->place[0].link);
	buf_free(&c->out);
	free(c->jid);
	free(c->version);
	free(c);
}

bool
component_ready(const struct component *c)
{
	return serverlink_ready(c->place[0].link);
}
