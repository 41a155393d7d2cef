#include "xmpp/serverlink.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "schema/xmltree.h"
#include "xmpp/iq.h"
#include "xmpp/wire.h"

#define NS_STREAM	"http://etherx.jabber.org/streams"
#define NS_STREAM_ERROR	"urn:ietf:params:xml:ns:xmpp-streams"

#define FINISH_MS	500
#define WHY_MAX		320
#define ECHO_NAMES	32	/* a round */
#define PING_ROUNDS	8	/* of 16 components 1 in 1,000,000 hears none */

enum state {
	STOPPED,
	WAITING,		/* to try again */
	CONNECTING,
	GREETING,		/* our header is out */
	PROVING,		/* our handshake is out */
	READY
};

struct serverlink {
	struct loop			*loop;
	const struct serverlink_events	*events;
	void				*arg;
	char				*jid, *host, *secret;
	int				 port;
	int				 step_ms, ping_ms;
	int				 retry_min_ms, retry_max_ms;
	enum state			 state;
	struct wire			*wire;
	struct xmlstream		*stream;
	struct timer			 step;	/* deadline, or the retry */
	struct timer			 tick;
	int				 attempt;
	char				 ping_id[32];	/* nobody else's */
	int64_t				 echoed_ms;	/* when it came back */
	int				 pings;		/* rounds since then */
	int64_t				 pinged_ms;	/* the first of them */
	int				 echo;	/* in whose name; 0: ours */
	int				 overdue;	/* ticks past the end */
	int64_t				 ready_ms;
	bool				 handed;	/* stanzas, this turn */
	char				 said[WHY_MAX];	/* last logged */
};

static void	 try(void *);

static void
put(struct serverlink *l, const char *text)
{
	wire_put(l->wire, text, strlen(text));
}

/* ---- Losing and finding the server. ---- */

static void
hand_over(struct serverlink *l)
{
	if (!l->handed)
		return;
	l->handed = false;
	l->events->on_idle(l->arg);
}

static void
cut(struct serverlink *l)
{
	timer_clear(l->loop, &l->step);
	timer_clear(l->loop, &l->tick);
	xmlstream_reset(l->stream);
	wire_close(l->wire);
}

/* Doubles from the least to the most; takes off up to a half, so that many
 * who lost the same server do not come back together. */
static int64_t
backoff_ms(const struct serverlink *l)
{
	int64_t		 ms = l->retry_min_ms;
	uint32_t	 dice = 0;
	int		 i;

	for (i = 0; i < l->attempt && ms < l->retry_max_ms; i++)
		ms *= 2;
	if (ms > l->retry_max_ms)
		ms = l->retry_max_ms;
	(void)!getrandom(&dice, sizeof(dice), GRND_NONBLOCK);
	return ms - (int64_t)((double)dice / UINT32_MAX * (double)ms / 2);
}

/* Says each reason once, not at every try. */
static void
complain(struct serverlink *l, const char *why)
{
	if (strcmp(l->said, why) == 0) {
		log_debug("component", "%s: %s again", l->jid, why);
		return;
	}
	snprintf(l->said, sizeof(l->said), "%s", why);
	log_warnx("component", "%s at %s port %d: %s; trying again until it "
	    "works", l->jid, log_safe(l->host), l->port, why);
}

static void
lost(struct serverlink *l, const char *foreign)
{
	char		 why[WHY_MAX];
	bool		 was_ready = l->state == READY;

	/* It may lie in what is freed here. */
	snprintf(why, sizeof(why), "%s", foreign);
	cut(l);
	/* A server that lets us in and throws us out is not one to hurry
	 * back to. */
	if (was_ready && clock_mono_ms() - l->ready_ms >= l->step_ms)
		l->attempt = 0;
	l->state = WAITING;
	timer_after(l->loop, &l->step, backoff_ms(l), try, l);
	l->attempt++;
	complain(l, why);
	hand_over(l);
	if (was_ready && l->state == WAITING)
		l->events->on_lost(l->arg, why);
}

/* The server breaks the rules: say so, as far as it still listens. */
static void
break_off(struct serverlink *l, const char *condition, const char *why)
{
	put(l, "<stream:error><");
	put(l, condition);
	put(l, " xmlns='" NS_STREAM_ERROR "'/></stream:error></stream:stream>");
	wire_finish(l->wire, 0);
	lost(l, why);
}

static void
on_step(void *arg)
{
	struct serverlink	*l = arg;

	lost(l, l->state == PROVING ? "no answer to the handshake" :
	    "connected, but no XMPP server answers (is it the component "
	    "port?)");
}

static void
try(void *arg)
{
	struct serverlink	*l = arg;

	l->state = CONNECTING;
	l->handed = false;
	wire_open(l->wire, l->host, l->port, l->step_ms);
}

static void
on_up(void *arg)
{
	struct serverlink	*l = arg;
	struct buf		 b = { 0 };

	l->state = GREETING;
	xmlstream_reset(l->stream);
	buf_puts(&b, "<?xml version='1.0'?><stream:stream "
	    "xmlns='" SERVERLINK_NS "' xmlns:stream='" NS_STREAM "' to='");
	xmltree_escape(&b, l->jid);
	buf_puts(&b, "'>");
	wire_put(l->wire, b.data, b.len);
	buf_free(&b);
	timer_after(l->loop, &l->step, l->step_ms, on_step, l);
}

static void
on_down(void *arg, const char *why)
{
	lost(arg, why);
}

/* ---- The handshake (XEP-0114 section 3). ---- */

static int
prove(struct serverlink *l, const char *id)
{
	unsigned char	 md[EVP_MAX_MD_SIZE];
	char		 hex[2 * EVP_MAX_MD_SIZE + 1] = "", *text;
	unsigned	 i, len = 0;
	int		 ok;

	text = xasprintf("%s%s", id, l->secret);
	ok = EVP_Digest(text, strlen(text), md, &len, EVP_sha1(), NULL);
	secret_free(text);
	if (ok != 1)
		return -1;
	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
	put(l, "<handshake>");
	put(l, hex);
	put(l, "</handshake>");
	return 0;
}

static void
on_header(void *arg, xmlNode *header)
{
	struct serverlink	*l = arg;
	const char		*id = iq_attr(header, "id");

	if (!xmltree_is(header, "stream", NS_STREAM))
		break_off(l, "invalid-namespace", "not an XMPP server");
	else if (id == NULL || id[0] == '\0')
		break_off(l, "undefined-condition",
		    "the server's stream has no id");
	else if (prove(l, id) == -1)
		break_off(l, "undefined-condition",
		    "OpenSSL has no SHA-1, which XEP-0114 needs");
	else {
		l->state = PROVING;
		timer_after(l->loop, &l->step, l->step_ms, on_step, l);
	}
}

static void
ping_as(struct serverlink *l, int name, const char *to)
{
	struct buf	 b = { 0 };

	buf_printf(&b, "<iq type='get' id='%s' from='", l->ping_id);
	if (name != 0)
		buf_printf(&b, "%d@", name);
	xmltree_escape(&b, l->jid);
	buf_puts(&b, "' to='");
	xmltree_escape(&b, to);
	buf_puts(&b, "'><ping xmlns='urn:xmpp:ping'/></iq>");
	wire_put(l->wire, b.data, b.len);
	buf_free(&b);
}

/*
 * Whitespace keeps middleboxes awake; the pings show that what we send is
 * heard and answered.  What else comes in proves half of that only: a line
 * may be dead in one direction.
 *
 * The first round goes to ourselves through the server, which any server
 * does; should it be one that does not, the next goes to the domain above
 * ours.  Where several components share our name, the server may choose by
 * the sender who gets what: ours comes to another one.  So the later rounds
 * go out in many names, of which some are ours to hear; that name is kept.
 */
static void
ping(struct serverlink *l)
{
	const char	*above;
	int		 name, last = l->pings * ECHO_NAMES;

	if (l->pings++ == 0) {
		l->pinged_ms = clock_mono_ms();
		ping_as(l, l->echo, l->jid);
		return;
	}
	above = strchr(l->jid, '.');
	if (above != NULL && strchr(above + 1, '.') != NULL)
		ping_as(l, 0, above + 1);
	for (name = last - ECHO_NAMES + 1; name <= last; name++)
		ping_as(l, name, l->jid);
}

/* Whether it is a ping of ours that has come back, or the answer to one. */
static void
note_echo(struct serverlink *l, const xmlNode *stanza)
{
	const char	*from = iq_attr(stanza, "from");
	const char	*id = iq_attr(stanza, "id");
	char		*at;
	long		 name;

	if (id == NULL || strcmp(id, l->ping_id) != 0)
		return;
	l->echoed_ms = clock_mono_ms();
	l->pings = 0;
	if (from == NULL)
		return;
	name = strtol(from, &at, 10);
	if (name >= 1 && name <= PING_ROUNDS * ECHO_NAMES && *at == '@' &&
	    strcmp(at + 1, l->jid) == 0)
		l->echo = (int)name;
}

/* What is wrong with the line, if anything is. */
static const char *
fault(const struct serverlink *l, int64_t now)
{
	if (l->pings == 0)
		return NULL;
	if (now - l->pinged_ms >= l->step_ms &&
	    wire_heard_ms(l->wire) < l->pinged_ms)
		return "the server has fallen silent";
	if (now - l->pinged_ms >= l->ping_ms + l->step_ms)
		return "the server sends, but answers to nothing: the line "
		    "may be dead in one direction";
	return NULL;
}

static void
on_tick(void *arg)
{
	struct serverlink	*l = arg;
	int64_t			 now = clock_mono_ms();
	const char		*why = fault(l, now);
	int			 pause;

	/* Not at the first sight: if it was us who were busy, what the server
	 * said is still to be read. */
	if (why == NULL)
		l->overdue = 0;
	else if (l->overdue++ > 0) {
		lost(l, why);
		return;
	}
	if (l->pings == 0 ? now - l->echoed_ms >= l->ping_ms :
	    l->pings < PING_ROUNDS &&
	    now - l->pinged_ms >= (int64_t)l->pings * l->step_ms / 2)
		ping(l);
	if (now - wire_put_ms(l->wire) >= l->ping_ms / 2)
		wire_put(l->wire, " ", 1);
	pause = (l->ping_ms < l->step_ms ? l->ping_ms : l->step_ms) / 4;
	timer_after(l->loop, &l->tick, pause > 10 ? pause : 10, on_tick, l);
}

static void
ready(struct serverlink *l)
{
	l->state = READY;
	l->ready_ms = l->echoed_ms = clock_mono_ms();
	l->pings = l->overdue = 0;
	l->said[0] = '\0';
	timer_clear(l->loop, &l->step);
	log_debug("component", "%s: accepted by the server at %s port %d",
	    l->jid, log_safe(l->host), l->port);
	timer_after(l->loop, &l->tick, 0, on_tick, l);
	l->events->on_ready(l->arg);
}

/* What the operator can do about it. */
static const char *
advice(const char *condition)
{
	static const struct {
		const char	*condition, *text;
	} known[] = {
		{ "conflict", ": another component is connected under this "
		    "name; stop that one first" },
		{ "not-authorized", ": the secret is not the one in the "
		    "server's configuration" },
		{ "host-unknown", ": the server's configuration has no such "
		    "component" },
		{ "host-gone", ": the server no longer has this component" },
		{ "system-shutdown", ": the server is going down" },
	};
	size_t	 i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].condition, condition) == 0)
			return known[i].text;
	return "";
}

static void
on_stream_error(struct serverlink *l, const xmlNode *error)
{
	const char	*condition = "undefined-condition";
	const xmlNode	*node;
	char		 why[WHY_MAX], *text = NULL;

	for (node = error->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || node->ns == NULL ||
		    strcmp((const char *)node->ns->href,
		    NS_STREAM_ERROR) != 0)
			continue;
		if (strcmp((const char *)node->name, "text") != 0)
			condition = (const char *)node->name;
		else if (text == NULL)
			text = xmltree_text(node);
	}
	snprintf(why, sizeof(why), "the server says %s%s%s%s%s",
	    log_safe(condition), advice(condition),
	    text != NULL ? " (" : "", text != NULL ? log_safe(text) : "",
	    text != NULL ? ")" : "");
	free(text);
	lost(l, why);
}

/* ---- Receiving. ---- */

static void
on_stanza(void *arg, xmlNode *stanza)
{
	struct serverlink	*l = arg;

	if (xmltree_is(stanza, "error", NS_STREAM))
		on_stream_error(l, stanza);
	else if (l->state == PROVING) {
		if (xmltree_is(stanza, "handshake", SERVERLINK_NS))
			ready(l);
		else
			break_off(l, "not-authorized",
			    "the server answers the handshake with something "
			    "else");
	} else {
		l->handed = true;
		note_echo(l, stanza);
		l->events->on_stanza(l->arg, stanza);
	}
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	struct serverlink	*l = arg;

	if (l->state == PROVING)
		break_off(l, "policy-violation",
		    "the server answers the handshake with something huge");
	else
		l->events->on_refused(l->arg, start, why);
}

static void
on_end(void *arg)
{
	lost(arg, "the server closed the stream");
}

static void
on_bytes(void *arg, const char *bytes, size_t len)
{
	struct serverlink	*l = arg;
	const char		*condition;
	char			 why[WHY_MAX];

	if (xmlstream_feed(l->stream, bytes, len, &condition) == 0)
		return;
	snprintf(why, sizeof(why), "what the server sends is no XMPP (%s)",
	    condition);
	break_off(l, condition, why);
}

static void
on_turn(void *arg)
{
	hand_over(arg);
}

/* ---- Life. ---- */

static const struct wire_events		wire_events = {
	.on_up = on_up,
	.on_bytes = on_bytes,
	.on_turn = on_turn,
	.on_down = on_down
};

static const struct xmlstream_events	stream_events = {
	.on_header = on_header,
	.on_stanza = on_stanza,
	.on_refused = on_refused,
	.on_end = on_end
};

struct serverlink *
serverlink_new(struct loop *loop, const struct component_config *config,
    const struct serverlink_events *events, void *arg)
{
	struct serverlink	*l;
	uint32_t		 id[2];

	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->events = events;
	l->arg = arg;
	l->jid = xstrdup(config->jid);
	l->host = xstrdup(config->host);
	l->port = config->port;
	l->secret = xstrdup(config->secret);
	l->step_ms = config->step_ms > 0 ? config->step_ms : 10000;
	l->ping_ms = config->ping_ms > 0 ? config->ping_ms : 60000;
	l->retry_min_ms = config->retry_min_ms > 0 ?
	    config->retry_min_ms : 1000;
	l->retry_max_ms = config->retry_max_ms > 0 ?
	    config->retry_max_ms : 60000;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		fatal("component", "getrandom");
	snprintf(l->ping_id, sizeof(l->ping_id), "ping-%08x%08x", id[0], id[1]);
	l->wire = wire_new(loop, &wire_events, l);
	l->stream = xmlstream_new(&stream_events, l);
	return l;
}

struct serverlink *
serverlink_twin(const struct serverlink *l,
    const struct serverlink_events *events, void *arg)
{
	struct component_config	config = { .jid = l->jid, .host = l->host,
				    .port = l->port, .secret = l->secret,
				    .step_ms = l->step_ms,
				    .ping_ms = l->ping_ms,
				    .retry_min_ms = l->retry_min_ms,
				    .retry_max_ms = l->retry_max_ms };

	return serverlink_new(l->loop, &config, events, arg);
}

void
serverlink_start(struct serverlink *l)
{
	if (l->state != STOPPED)
		return;
	l->attempt = 0;
	l->said[0] = '\0';
	try(l);
}

void
serverlink_stop(struct serverlink *l)
{
	if (l->state == STOPPED)
		return;
	if (l->state >= GREETING) {
		put(l, "</stream:stream>");
		wire_finish(l->wire, FINISH_MS);
	}
	l->state = STOPPED;
	cut(l);
	hand_over(l);
}

void
serverlink_free(struct serverlink *l)
{
	if (l == NULL)
		return;
	serverlink_stop(l);
	wire_free(l->wire);
	xmlstream_free(l->stream);
	secret_free(l->secret);
	free(l->jid);
	free(l->host);
	free(l);
}

bool
serverlink_ready(const struct serverlink *l)
{
	return l->state == READY;
}

void
serverlink_put(struct serverlink *l, const void *bytes, size_t len)
{
	if (l->state == READY)
		wire_put(l->wire, bytes, len);
}
