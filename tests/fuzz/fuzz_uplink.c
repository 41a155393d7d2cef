/*
 * The agent's connection once it is logged in: stanzas as the server brings
 * them, with NULs between what comes in one piece.  "@ID@" stands for the id
 * of what was asked last, which nobody guesses.  The link below is replaced;
 * what goes out must be stanzas, and not much more than what came in, and
 * each question is answered once.
 */
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/stanzas.h"
#include "xmpp/dial.h"
#include "xmpp/link.h"
#include "xmpp/uplink.h"

#define AGENT	"a@agents.test"
#define CENTRE	"centre.test"
#define HEADER	"<stream:stream xmlns='jabber:client' " \
		"xmlns:stream='http://etherx.jabber.org/streams'>"
#define ASKED_MAX	64

static struct link {
	struct link_events	 events;
	void			*arg;
	bool			 up;
	size_t			 out_len;
	struct xmlstream	*out;	/* what the server sees */
	char			 id[80];	/* of the last iq that left */
	char			 why[200];	/* dropped */
} link_;

static struct dial {
	struct dial_events	 events;
	void			*arg;
} dial_;

static struct uplink	*uplink;
static unsigned		 asked, answered;

/* ---- The link, in place of xmpp/link.c and dial.c. ---- */

struct link *
link_new(struct loop *loop, const struct link_config *config,
    const struct link_events *events, void *arg)
{
	const char	*bad;

	link_ = (struct link){ .events = *events, .arg = arg };
	link_.out = stanzas_new();
	must(xmlstream_feed(link_.out, HEADER, strlen(HEADER), &bad) == 0);
	return &link_;
}

void
link_free(struct link *l)
{
	if (l != NULL)
		xmlstream_free(l->out);
}

void
link_open(struct link *l, int fd, bool direct)
{
}

void
link_close(struct link *l, int ms)
{
	l->up = false;
}

void
link_drop(struct link *l, const char *why)
{
	must(why[0] != '\0');
	if (l->why[0] == '\0')
		snprintf(l->why, sizeof(l->why), "%s", why);
}

bool
link_up(const struct link *l)
{
	return l->up && l->why[0] == '\0';
}

int
link_send(struct link *l, const char *stanza, size_t len)
{
	const char	*bad, *id;

	if (!link_up(l))
		return -1;
	l->out_len += len;
	must(xmlstream_feed(l->out, stanza, len, &bad) == 0);
	if (strncmp(stanza, "<iq ", 4) == 0 &&
	    (id = strstr(stanza, " id='")) != NULL)
		snprintf(l->id, sizeof(l->id), "%.*s",
		    (int)strcspn(id + 5, "'"), id + 5);
	return 0;
}

int64_t
link_heard_ms(const struct link *l)
{
	return 0;
}

const char *
link_elsewhere(const struct link *l, int *port)
{
	*port = 0;
	return "";
}

struct dial *
dial_new(struct loop *loop, const struct dial_config *config,
    const struct dial_events *events, void *arg)
{
	dial_.events = *events;
	dial_.arg = arg;
	return &dial_;
}

void
dial_free(struct dial *d)
{
}

void
dial_start(struct dial *d, const struct endpoint *worked)
{
}

void
dial_next(struct dial *d, const char *why)
{
}

void
dial_stop(struct dial *d)
{
}

/* ---- The owner. ---- */

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	must(answer != UPLINK_ERROR || condition[0] != '\0');
	must(element == NULL || element->name != NULL);
	answered++;
}

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	if (state == UPLINK_READY && asked < ASKED_MAX &&
	    uplink_ask(uplink, "<x/>", 4, 1000, on_answer, NULL) == 0)
		asked++;
}

static void
on_request(void *arg, const char *id, const struct uplink_element *element)
{
	must(id != NULL && element->name != NULL);
	uplink_refuse(uplink, id, "feature-not-implemented", NULL);
}

/* ---- The server. ---- */

static void
on_header(void *arg, xmlNode *header)
{
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	if (link_up(&link_))
		link_.events.on_stanza(link_.arg, stanza);
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	if (link_up(&link_))
		link_.events.on_refused(link_.arg, start, why);
}

static void
on_end(void *arg)
{
	link_drop(&link_, "closed");
}

static size_t
hear(struct xmlstream *s, const char *text, size_t len)
{
	const char	*end = text + len, *at, *bad;
	struct buf	 piece = { 0 };
	size_t		 total;

	for (; text < end; text = at) {
		at = memchr(text, '@', (size_t)(end - text));
		if (at == NULL)
			at = end;
		buf_put(&piece, text, (size_t)(at - text));
		if (end - at >= 4 && memcmp(at, "@ID@", 4) == 0) {
			buf_puts(&piece, link_.id);
			at += 4;
		} else if (at < end)
			buf_putc(&piece, *at++);
	}
	total = piece.len;
	if (total > 0 && xmlstream_feed(s, piece.data, total, &bad) == -1)
		link_drop(&link_, bad);
	buf_free(&piece);
	return total;
}

static void
begin(struct loop *loop)
{
	static const struct uplink_events	 events = { on_state,
						    on_request };
	struct uplink_config			 config = { .jid = AGENT,
						    .password = "geheim17",
						    .host = "127.0.0.1",
						    .port = 5222,
						    .central = CENTRE,
						    .version = "1" };
	struct endpoint				 endpoint = { .port = 5222 };

	asked = answered = 0;
	must((uplink = uplink_new(loop, &config, &events, NULL)) != NULL);
	uplink_start(uplink);
	loop_once(loop, 0);
	snprintf(endpoint.host, sizeof(endpoint.host), "127.0.0.1");
	dial_.events.on_socket(dial_.arg, -1, &endpoint);
	link_.up = true;
	link_.events.on_up(link_.arg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xmlstream_events	 events = {
		on_header, on_stanza, on_refused, on_end
	};
	const char		*at = (const char *)data, *end = at + size, *nul;
	const char		*bad;
	struct loop		*loop;
	struct xmlstream	*s;
	size_t			 in_len = 0;

	log_hook(must_be_quiet, NULL);
	loop = loop_new();
	begin(loop);
	s = xmlstream_new(&events, NULL);
	must(xmlstream_feed(s, HEADER, strlen(HEADER), &bad) == 0);
	for (; at < end && link_up(&link_); at = nul + 1) {
		nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)
			nul = end;
		in_len += hear(s, at, (size_t)(nul - at));
	}
	must(link_.out_len <= 16 * in_len + 4096);
	if (link_.why[0] != '\0') {
		link_.up = false;
		link_.events.on_down(link_.arg, LOGIN_FAILED, link_.why);
	}
	uplink_free(uplink);
	must(asked == answered);
	xmlstream_free(s);
	loop_free(loop);
	return 0;
}
