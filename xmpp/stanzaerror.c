#include "xmpp/stanzaerror.h"

#include <string.h>

#include "schema/xmltree.h"

/* Section 8.3.3, with the types that it recommends. */
static const struct {
	const char	*condition, *type;
} known[] = {
	{ "undefined-condition",	"cancel" },	/* must be first */
	{ "bad-request",		"modify" },
	{ "conflict",			"cancel" },
	{ "feature-not-implemented",	"cancel" },
	{ "forbidden",			"auth" },
	{ "gone",			"cancel" },
	{ "internal-server-error",	"cancel" },
	{ "item-not-found",		"cancel" },
	{ "jid-malformed",		"modify" },
	{ "not-acceptable",		"modify" },
	{ "not-allowed",		"cancel" },
	{ "not-authorized",		"auth" },
	{ "policy-violation",		"modify" },
	{ "recipient-unavailable",	"wait" },
	{ "redirect",			"modify" },
	{ "registration-required",	"auth" },
	{ "remote-server-not-found",	"cancel" },
	{ "remote-server-timeout",	"wait" },
	{ "resource-constraint",	"wait" },
	{ "service-unavailable",	"cancel" },
	{ "subscription-required",	"auth" },
	{ "unexpected-request",		"wait" },
};

static size_t
find(const char *condition)
{
	size_t	 i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].condition, condition) == 0)
			return i;
	return 0;
}

void
stanzaerror_put(struct buf *out, const char *condition, const char *text)
{
	size_t	 i = find(condition);

	buf_puts(out, "<error type='");
	buf_puts(out, known[i].type);
	buf_puts(out, "'><");
	buf_puts(out, known[i].condition);
	buf_puts(out, " xmlns='" STANZAERROR_NS "'/>");
	if (text != NULL) {
		buf_puts(out, "<text xmlns='" STANZAERROR_NS "'>");
		xmltree_escape(out, text);
		buf_puts(out, "</text>");
	}
	buf_puts(out, "</error>");
}

const char *
stanzaerror_condition(const xmlNode *stanza)
{
	const xmlNode	*error, *node;

	error = xmltree_child(stanza, "error", NULL);
	if (error == NULL)
		return known[0].condition;
	for (node = error->children; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE && node->ns != NULL &&
		    strcmp((const char *)node->ns->href,
		    STANZAERROR_NS) == 0 &&
		    strcmp((const char *)node->name, "text") != 0)
			return known[find((const char *)node->name)].condition;
	return known[0].condition;
}
