#include "agent/greeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "schema/xmltree.h"

void
greeting_hello(struct buf *out, const char *epoch, int64_t acked,
    int64_t first, const char *token)
{
	buf_printf(out, "<hello xmlns='" GREETING_NS "' version='1' "
	    "epoch='%s' acked='%lld' first='%lld'", epoch, (long long)acked,
	    (long long)first);
	if (*token != '\0') {
		buf_puts(out, " token='");
		xmltree_escape(out, token);
		buf_puts(out, "'");
	}
	buf_puts(out, "/>");
}

int64_t
greeting_number(const xmlNode *node, const char *name)
{
	char *text = xmltree_attr(node, name);
	int64_t n = -1;

	if (text != NULL && *text != '\0' && strlen(text) <= 18 &&
	    strspn(text, "0123456789") == strlen(text))
		n = strtoll(text, NULL, 10);
	free(text);
	return n;
}

/* Answers that said so may have been lost.  Out of order is no welcome. */
static int
read_refused(const xmlNode *root, struct greeting *out)
{
	xmlNode *node;
	int64_t seq, last = 0;

	for (node = xmltree_child(root, "refused", GREETING_NS); node != NULL;
	    node = xmltree_next(node)) {
		seq = greeting_number(node, "seq");
		if (seq <= last || seq > out->seq ||
		    out->refused_len == GREETING_REFUSED_MOST)
			return -1;
		last = seq;
		out->refused[out->refused_len].seq = seq;
		out->refused[out->refused_len++].reason =
		    xmltree_attr(node, "reason");
	}
	return 0;
}

void
greeting_clear(struct greeting *greeting)
{
	while (greeting->refused_len > 0)
		free(greeting->refused[--greeting->refused_len].reason);
}

int
greeting_welcome(const struct buf *payload, struct greeting *out)
{
	char why[128], *time, *whole;
	const xmlNode *root;
	xmlDoc *doc;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if ((doc = xmltree_parse(payload->data == NULL ? "" : payload->data,
	    payload->len, why, sizeof(why))) == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	time = xmltree_attr(root, "time");
	whole = xmltree_attr(root, "whole");
	out->seq = greeting_number(root, "seq");
	if (xmltree_is(root, "welcome", GREETING_NS) && out->seq != -1 &&
	    greeting_number(root, "version") == 1 && time != NULL &&
	    clock_parse(time, &out->time_ms) == 0) {
		out->whole = whole != NULL && strcmp(whole, "true") == 0;
		rc = read_refused(root, out);
	}
	if (rc == -1)
		greeting_clear(out);
	free(time);
	free(whole);
	xmlFreeDoc(doc);
	return rc;
}

const char *
greeting_refusal(const char *condition)
{
	static const struct {
		const char	*condition, *text;
	} table[] = {
		{ "registration-required", "the centre does not know this "
		    "agent yet: run platen-central agents --approve JID "
		    "there, or enrol it and use the new token" },
		{ "not-authorized", "the centre refuses the key or token: "
		    "enrol the agent anew there and copy the new token" },
		/* ejabberd says this, too, for a centre that is not there;
		 * the uplink asks, and knows in a moment. */
		{ "forbidden", "the centre has revoked this agent, or has "
		    "just left the server" },
		{ "bad-request", "the centre cannot open the handshake: is "
		    "[crypto] central_key the centre's key?" },
		{ "item-not-found", "the centre has lost the session" },
	};
	size_t i;

	for (i = 0; condition != NULL &&
	    i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(condition, table[i].condition) == 0)
			return table[i].text;
	return condition == NULL ? "no answer from the centre" : condition;
}
