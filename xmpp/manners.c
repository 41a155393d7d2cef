#include "xmpp/manners.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "schema/xmltree.h"
#include "xmpp/iq.h"

#define PING_NS		"urn:xmpp:ping"
#define DISCO_NS	"http://jabber.org/protocol/disco#info"
#define VERSION_NS	"jabber:iq:version"

/* One line a minute, and answers to this many a second. */
#define TELL_MS		60000
#define ANSWERS_MAX	20

void
manners_start(struct manners *m, const char *jid, const char *domain,
    const char *central, const char *version)
{
	memset(m, 0, sizeof(*m));
	m->jid = jid;
	m->domain = domain;
	m->central = central;
	m->version = version;
	m->told_ms = -TELL_MS;
}

/* Without from it is our server that speaks for our account. */
static bool
is_ours(const struct manners *m, const char *from)
{
	return from == NULL || strcmp(from, m->domain) == 0 ||
	    strcmp(from, m->jid) == 0 || strcmp(from, m->central) == 0;
}

/* Whether a stranger gets an answer. */
static bool
note_stranger(struct manners *m, const char *from)
{
	int64_t	now = clock_mono_ms();

	if (now - m->told_ms >= TELL_MS) {
		log_warnx("uplink", "request from %s, who is not the centre, "
		    "refused (and %d before)", log_safe(from), m->untold);
		m->told_ms = now;
		m->untold = 0;
	} else
		m->untold++;
	if (now - m->second_ms >= 1000) {
		m->second_ms = now;
		m->answered = 0;
	}
	return m->answered++ < ANSWERS_MAX;
}

static void
put_info(struct manners *m, struct buf *payload, const char *ns,
    const xmlNode *child)
{
	const char	*node = iq_attr(child, "node");

	if (strcmp(ns, DISCO_NS) == 0) {
		buf_puts(payload, "<query xmlns='" DISCO_NS "'");
		if (node != NULL) {
			buf_puts(payload, " node='");
			xmltree_escape(payload, node);
			buf_putc(payload, '\'');
		}
		buf_puts(payload, "><identity category='client' type='bot' "
		    "name='platend'/><feature var='" DISCO_NS "'/>"
		    "<feature var='" PING_NS "'/>"
		    "<feature var='" VERSION_NS "'/></query>");
		return;
	}
	buf_puts(payload, "<query xmlns='" VERSION_NS "'><name>platend</name>"
	    "<version>");
	xmltree_escape(payload, m->version);
	buf_puts(payload, "</version></query>");
}

void
manners_answer(struct manners *m, struct buf *b, const char *from,
    const char *id, const char *type, const xmlNode *child)
{
	const char	*ns = child != NULL && child->ns != NULL ?
			    (const char *)child->ns->href : NULL;
	struct buf	 payload = { 0 };

	if (strcmp(type, "get") != 0 && strcmp(type, "set") != 0)
		return;
	if (!is_ours(m, from)) {
		if (note_stranger(m, from))
			iq_put_error(b, id, from, "service-unavailable", NULL);
		return;
	}
	if (strcmp(type, "get") == 0 && ns != NULL &&
	    strcmp(ns, PING_NS) == 0)
		iq_put(b, "result", id, from, "", 0);
	else if (strcmp(type, "get") == 0 && ns != NULL &&
	    (strcmp(ns, DISCO_NS) == 0 || strcmp(ns, VERSION_NS) == 0)) {
		put_info(m, &payload, ns, child);
		iq_put(b, "result", id, from, payload.data, payload.len);
		buf_free(&payload);
	} else
		iq_put_error(b, id, from, "service-unavailable", NULL);
}
