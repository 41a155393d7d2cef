#include "xmpp/iq.h"

#include <stdio.h>
#include <string.h>

#include "schema/xmltree.h"
#include "xmpp/stanzaerror.h"

static void
put_attribute(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, " %s='", name);
	xmltree_escape(b, value);
	buf_putc(b, '\'');
}

void
iq_put(struct buf *b, const char *type, const char *id, const char *to,
    const char *payload, size_t len)
{
	buf_puts(b, "<iq");
	put_attribute(b, "type", type);
	put_attribute(b, "id", id);
	put_attribute(b, "to", to);
	buf_putc(b, '>');
	buf_put(b, payload, len);
	buf_puts(b, "</iq>");
}

void
iq_put_error(struct buf *b, const char *id, const char *to,
    const char *condition, const char *text)
{
	buf_puts(b, "<iq type='error'");
	put_attribute(b, "id", id);
	put_attribute(b, "to", to);
	buf_putc(b, '>');
	stanzaerror_put(b, condition, text);
	buf_puts(b, "</iq>");
}

void
iq_put_presence(struct buf *b, const char *to, const char *type,
    const char *status)
{
	buf_puts(b, "<presence");
	put_attribute(b, "to", to);
	put_attribute(b, "type", type);
	/* Negative: what is meant for the person behind the account, if
	 * there is one, never ends here. */
	if (type == NULL && to == NULL)
		buf_puts(b, "><priority>-1</priority></presence>");
	else if (status != NULL) {
		buf_puts(b, "><show>dnd</show><status>");
		xmltree_escape(b, status);
		buf_puts(b, "</status></presence>");
	} else
		buf_puts(b, "/>");
}

void
iq_condition(xmpp_stanza_t *stanza, char out[IQ_CONDITION_MAX])
{
	xmpp_stanza_t	*error, *child;
	const char	*name, *ns;

	snprintf(out, IQ_CONDITION_MAX, "undefined-condition");
	error = xmpp_stanza_get_child_by_name(stanza, "error");
	child = error != NULL ? xmpp_stanza_get_children(error) : NULL;
	for (; child != NULL; child = xmpp_stanza_get_next(child)) {
		name = xmpp_stanza_get_name(child);
		ns = xmpp_stanza_get_ns(child);
		if (name == NULL || ns == NULL ||
		    strcmp(ns, STANZAERROR_NS) != 0 ||
		    strcmp(name, "text") == 0)
			continue;
		/* A word as all of the RFC's are, fit for a log. */
		if (strlen(name) < IQ_CONDITION_MAX && strspn(name,
		    "abcdefghijklmnopqrstuvwxyz-") == strlen(name))
			snprintf(out, IQ_CONDITION_MAX, "%s", name);
		return;
	}
}

xmpp_stanza_t *
iq_child(xmpp_stanza_t *stanza)
{
	xmpp_stanza_t	*child;

	for (child = xmpp_stanza_get_children(stanza); child != NULL;
	    child = xmpp_stanza_get_next(child))
		if (xmpp_stanza_is_tag(child))
			return child;
	return NULL;
}
