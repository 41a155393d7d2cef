#include "agent/greeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "schema/xmltree.h"

void
greeting_hello(struct buf *out, const char *epoch,
    const int64_t acked[LANES], const char *token)
{
	int i;

	buf_printf(out, "<hello xmlns='" GREETING_NS "' version='1' "
	    "epoch='%s'", epoch);
	if (*token != '\0') {
		buf_puts(out, " token='");
		xmltree_escape(out, token);
		buf_puts(out, "'");
	}
	buf_puts(out, ">");
	for (i = LANES - 1; i >= 0; i--)
		buf_printf(out, "<lane name='%s' acked='%lld' first='%lld'/>",
		    lane_name((enum lane)i), (long long)acked[i],
		    (long long)acked[i] + 1);
	buf_puts(out, "</hello>");
}

/* Answers that said so may have been lost.  Out of order is no welcome. */
static int
read_refused(const xmlNode *from, struct greeting_lane *out)
{
	xmlNode *node;
	int64_t seq, last = 0;

	for (node = xmltree_child(from, "refused", GREETING_NS); node != NULL;
	    node = xmltree_next(node)) {
		seq = xmltree_number(node, "seq");
		if (seq <= last || seq > out->committed ||
		    out->refused_len == GREETING_REFUSED_MOST)
			return -1;
		last = seq;
		out->refused[out->refused_len].seq = seq;
		out->refused[out->refused_len++].reason =
		    xmltree_attr(node, "reason");
	}
	out->seq = out->refused_len == GREETING_REFUSED_MOST ? last :
	    out->committed;
	return 0;
}

/* Each lane once. */
static int
read_lanes(const xmlNode *root, struct greeting *out)
{
	bool there[LANES] = { false };
	xmlNode *node;
	enum lane lane = LANE_BULK;
	char *name;
	int rc = 0;

	for (node = xmltree_child(root, "lane", GREETING_NS);
	    node != NULL && rc == 0; node = xmltree_next(node)) {
		if (!xmltree_is(node, "lane", GREETING_NS))
			continue;
		name = xmltree_attr(node, "name");
		if (name == NULL || lane_parse(name, &lane) == -1 ||
		    there[lane] || (out->lane[lane].committed =
		    xmltree_number(node, "seq")) == -1)
			rc = -1;
		else
			rc = read_refused(node, &out->lane[lane]);
		there[lane] = true;
		free(name);
	}
	return rc == 0 && there[LANE_BULK] && there[LANE_URGENT] ? 0 : -1;
}

void
greeting_clear(struct greeting *greeting)
{
	struct greeting_lane *lane;

	for (lane = greeting->lane; lane < greeting->lane + LANES; lane++)
		while (lane->refused_len > 0)
			free(lane->refused[--lane->refused_len].reason);
}

/* The centre's key where it is not the one that the hello was for. */
static int
read_key(const xmlNode *root, struct greeting *out)
{
	xmlNode *node = xmltree_child(root, "key", GREETING_NS);
	char *text;

	if (node == NULL)
		return 0;
	text = xmltree_attr(node, "public");
	out->has_key = text != NULL && key_parse_public(text, out->key) == 0;
	free(text);
	return out->has_key ? 0 : -1;
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
	if (xmltree_is(root, "welcome", GREETING_NS) &&
	    xmltree_number(root, "version") == 1 && time != NULL &&
	    clock_parse(time, &out->time_ms) == 0) {
		out->whole = whole != NULL && strcmp(whole, "true") == 0;
		rc = read_lanes(root, out) == -1 ||
		    read_key(root, out) == -1 ? -1 : 0;
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
