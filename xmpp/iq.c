#include "xmpp/iq.h"

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

const char *
iq_attr(const xmlNode *node, const char *name)
{
	const xmlAttr	*a;

	for (a = node->properties; a != NULL; a = a->next)
		if (a->ns == NULL && strcmp((const char *)a->name, name) == 0)
			return a->children == NULL ? "" :
			    a->children->next != NULL ? NULL :
			    (const char *)a->children->content;
	return NULL;
}
