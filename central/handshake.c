#include "central/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "central/epoch.h"
#include "central/roster.h"
#include "schema/lane.h"
#include "schema/xmltree.h"
#include "xmpp/jid.h"

struct hello {
	char	 epoch[UUID_TEXT_MAX];
	int64_t	 acked[LANES], first[LANES];
	char	*token;
};

static void
refuse(struct handshake *out, const char *condition, const char *text)
{
	out->condition = condition;
	if (text != out->text)
		snprintf(out->text, sizeof(out->text), "%s", text);
}

/* Each lane once. */
static int
read_lanes(const xmlNode *root, struct hello *hello)
{
	bool		 there[LANES] = { false };
	enum lane	 lane = LANE_BULK;
	xmlNode		*node;
	char		*name;
	int		 rc = 0;

	for (node = xmltree_child(root, "lane", HANDSHAKE_NS);
	    node != NULL && rc == 0; node = xmltree_next(node)) {
		name = xmltree_attr(node, "name");
		if (name == NULL || lane_parse(name, &lane) != 0 ||
		    there[lane])
			rc = -1;
		else {
			there[lane] = true;
			hello->acked[lane] = xmltree_number(node, "acked");
			hello->first[lane] = xmltree_number(node, "first");
			if (hello->acked[lane] < 0 || hello->first[lane] < 1)
				rc = -1;
		}
		free(name);
	}
	return rc == 0 && there[LANE_BULK] && there[LANE_URGENT] ? 0 : -1;
}

static int
read_hello(const struct buf *payload, struct hello *hello)
{
	xmlDoc	*doc;
	xmlNode	*root;
	char	*epoch, why[120];
	int	 rc = -1;

	memset(hello, 0, sizeof(*hello));
	doc = xmltree_parse(payload->data == NULL ? "" : payload->data,
	    payload->len, why, sizeof(why));
	if (doc == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	epoch = xmltree_attr(root, "epoch");
	if (xmltree_is(root, "hello", HANDSHAKE_NS) &&
	    xmltree_number(root, "version") == 1 && epoch != NULL &&
	    uuid_valid(epoch) && read_lanes(root, hello) == 0) {
		snprintf(hello->epoch, sizeof(hello->epoch), "%s", epoch);
		hello->token = xmltree_attr(root, "token");
		rc = 0;
	}
	free(epoch);
	xmlFreeDoc(doc);
	return rc;
}

static void
clear_hello(struct hello *hello)
{
	secret_free(hello->token);
	hello->token = NULL;
}

static int
admit(struct fleet *fleet, struct seal *seal, const char *jid,
    const struct hello *hello, int64_t wall_ms, int64_t *agent,
    struct handshake *out)
{
	enum roster_verdict	verdict;

	verdict = roster_admit(fleet, jid, seal_remote(seal), hello->token,
	    wall_ms, agent, out->text, sizeof(out->text));
	if (fleet_commit(fleet) != 0)
		verdict = ROSTER_BUSY;
	switch (verdict) {
	case ROSTER_ADMITTED:
		return 0;
	case ROSTER_WAITS:
		refuse(out, "registration-required", out->text);
		break;
	case ROSTER_WRONG:
		refuse(out, "not-authorized", out->text);
		break;
	case ROSTER_FORBIDDEN:
		refuse(out, "forbidden", out->text);
		break;
	case ROSTER_BUSY:
		refuse(out, "resource-constraint", "the store is busy");
		break;
	}
	return -1;
}

/* better is the key that the agent should have used; NULL: it did. */
static int
welcome(struct fleet *fleet, struct seal *seal, const struct key *better,
    int64_t agent, const struct hello *hello, int64_t wall_ms, bool *whole,
    struct buf *reply)
{
	char		public[KEY_TEXT_MAX];
	struct buf	payload = { 0 };
	int64_t		seq[LANES];
	char		time[CLOCK_TEXT_MAX];
	int		i, rc = 0;

	if (epoch_greet(fleet, agent, hello->epoch, hello->first, seq,
	    whole) != 0)
		return -1;
	buf_printf(&payload, "<welcome xmlns='%s' version='1' time='%s' "
	    "whole='%s'>", HANDSHAKE_NS, clock_format(wall_ms, time),
	    *whole ? "true" : "false");
	for (i = LANES - 1; i >= 0 && rc == 0; i--) {
		buf_printf(&payload, "<lane name='%s' seq='%lld'>",
		    lane_name((enum lane)i), (long long)seq[i]);
		rc = epoch_list_refused(fleet, agent, hello->epoch,
		    (enum lane)i, hello->acked[i], &payload);
		buf_puts(&payload, "</lane>");
	}
	if (rc != 0) {
		buf_free(&payload);
		return -1;
	}
	if (better != NULL) {
		key_format_public(better->public, public);
		buf_printf(&payload, "<key public='%s'/>", public);
	}
	buf_puts(&payload, "</welcome>");
	buf_printf(reply, "<handshake xmlns='%s'>", HANDSHAKE_NS);
	rc = seal_answer(seal, payload.data, payload.len, reply);
	buf_puts(reply, "</handshake>");
	buf_free(&payload);
	return rc;
}

static void
decide(struct fleet *fleet, struct seal **seal, const struct key *better,
    const char *jid, const char *from, const struct hello *hello, int64_t wall_ms,
    struct handshake *out)
{
	struct session	*session;
	int64_t		 agent;
	bool		 whole;

	if (admit(fleet, *seal, jid, hello, wall_ms, &agent, out) != 0)
		return;
	if (welcome(fleet, *seal, better, agent, hello, wall_ms, &whole,
	    &out->reply) != 0) {
		refuse(out, "resource-constraint", "the store is busy");
		return;
	}
	session = session_new(*seal, from);
	*seal = NULL;
	session->agent = agent;
	memcpy(session->first, hello->first, sizeof(session->first));
	session->whole = whole;
	snprintf(session->epoch, sizeof(session->epoch), "%s", hello->epoch);
	out->session = session;
}

/* Opens message 1 with the first of the keys that it is for: NULL when it is
 * for none; used says which it was. */
static struct seal *
accept(const struct keyring *ring, const char *jid, const char *centre,
    const char *message, int64_t wall_ms, int64_t mono_ms, size_t *used,
    struct buf *payload)
{
	struct seal	*seal = NULL;
	size_t		 i;

	for (i = 0; i < ring->len && seal == NULL; i++) {
		if (i > 0 && ring->until_ms[i] <= wall_ms)
			continue;
		seal = seal_accept(&ring->key[i], jid, centre, message,
		    strlen(message), mono_ms, payload);
		*used = i;
	}
	return seal;
}

void
handshake_take(struct fleet *fleet, const struct keyring *ring,
    const char *centre, const char *from, const char *message,
    int64_t wall_ms, int64_t mono_ms, struct handshake *out)
{
	size_t		 used = 0;
	struct buf	 payload = { 0 };
	struct hello	 hello = { .token = NULL };
	struct seal	*seal = NULL;
	char		 jid[JID_MAX];

	memset(out, 0, sizeof(*out));
	if (jid_bare(from, jid, sizeof(jid)) != 0)
		refuse(out, "bad-request", "no JID");
	else if (strlen(message) > HANDSHAKE_MAX)
		refuse(out, "policy-violation", "handshake too long");
	else if ((seal = accept(ring, jid, centre, message, wall_ms, mono_ms,
	    &used, &payload)) == NULL)
		refuse(out, "bad-request", "the handshake does not open");
	else if (read_hello(&payload, &hello) != 0)
		refuse(out, "bad-request", "the hello makes no sense");
	else
		decide(fleet, &seal, used == 0 ? NULL : &ring->key[0], jid,
		    from, &hello, wall_ms, out);
	clear_hello(&hello);
	if (payload.data != NULL)
		secret_wipe(payload.data, payload.len);
	buf_free(&payload);
	seal_free(seal);
	if (out->session == NULL)
		buf_free(&out->reply);
}
