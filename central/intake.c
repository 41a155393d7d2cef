#include "central/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "central/epoch.h"
#include "central/handshake.h"
#include "central/roster.h"
#include "schema/envelope.h"
#include "schema/report.h"
#include "schema/xmltree.h"

static void
refuse(struct intake *out, const char *condition, const char *text)
{
	out->condition = condition;
	snprintf(out->text, sizeof(out->text), "%s", text);
}

/*
 * The proven session first: one that is only answered may be a replay of an
 * old handshake and replaces nothing until a message opens under it.
 */
static bool
usable(const struct session *s, const char *from)
{
	return s != NULL && !s->ended && strcmp(s->full, from) == 0 &&
	    seal_alive(s->seal, clock_mono_ms());
}

static struct session *
open_sealed(struct peers *peers, struct peer *peer, const char *from,
    uint64_t n, const char *text, bool *fresh, struct buf *plain,
    struct intake *out)
{
	struct session	*live = peer->live, *next = peer->fresh;
	size_t		 len = strlen(text);
	bool		 any = false;

	*fresh = false;
	if (usable(live, from)) {
		any = true;
		if (seal_take(live->seal, n, text, len, plain) == 0)
			return live;
	}
	if (usable(next, from)) {
		any = true;
		if (seal_take(next->seal, n, text, len, plain) == 0) {
			peers_promote(peers, peer);
			*fresh = true;
			return next;
		}
	}
	if (any)
		refuse(out, "bad-request", "the message does not open");
	else
		refuse(out, "item-not-found", "no session");
	return NULL;
}

static int
prove(struct fleet *fleet, struct peers *peers, struct peer *peer,
    struct session *s)
{
	int64_t	gap;

	if (roster_settle(fleet, s->agent, seal_remote(s->seal)) != 0 ||
	    epoch_resume(fleet, s->agent, s->epoch, s->first, s->whole,
	    clock_wall_ms(), &gap) != 0)
		return -1;
	peers_say(peers, peer, LOG_LEVEL_INFO, "%s has a session",
	    log_safe(s->full));
	if (gap > 0)
		peers_say(peers, peer, LOG_LEVEL_WARN, "%s: %lld reports are "
		    "gone; it tells everything again", log_safe(peer->jid),
		    (long long)gap);
	return 0;
}

static void
log_answer(struct peers *peers, struct peer *peer,
    const struct apply_answer *a)
{
	size_t	i;

	for (i = 0; i < a->refused_len; i++)
		peers_say(peers, peer, LOG_LEVEL_WARN, "%s: %s report %lld "
		    "refused: %s", log_safe(peer->jid), lane_name(a->lane),
		    (long long)a->refused[i].seq,
		    log_safe(a->refused[i].reason));
	if (a->verdict == APPLY_AGAIN)
		log_debug("agent", "%s: to send again after %s report %lld",
		    log_safe(peer->jid), lane_name(a->lane),
		    (long long)a->seq);
}

/* The agent's next key, said under its present one. */
static void
take_rekey(struct fleet *fleet, struct peers *peers, struct peer *peer,
    const xmlNode *content, struct intake *out)
{
	uint8_t	 key[KEY_LEN];
	char	*text, print[48];

	text = xmltree_attr(content, "key");
	if (text == NULL || key_parse_public(text, key) != 0)
		refuse(out, "bad-request", "no key");
	else if (memcmp(key, seal_remote(out->session->seal), KEY_LEN) == 0)
		/* It says that it uses it, which prove() has noted. */
		out->answer.verdict = APPLY_REKEY;
	else if (roster_offer(fleet, out->session->agent, key) != 0)
		out->answer.verdict = APPLY_FAILED;
	else {
		out->answer.verdict = APPLY_REKEY;
		key_fingerprint(key, print);
		peers_say(peers, peer, LOG_LEVEL_INFO, "%s will have the key "
		    "%s", log_safe(peer->jid), print);
	}
	free(text);
}

static void
take_content(struct fleet *fleet, struct peers *peers, struct peer *peer,
    const xmlNode *content, struct intake *out)
{
	struct apply_frame	frame;

	if (xmltree_is(content, "rekey", HANDSHAKE_NS)) {
		take_rekey(fleet, peers, peer, content, out);
		return;
	}
	if (apply_frame_read(content, &frame) != 0) {
		refuse(out, "bad-request", "no reports, or not numbered");
		return;
	}
	/* To change it puts all that an agent has in doubt, which costs. */
	if (strcmp(frame.epoch, out->session->epoch) != 0) {
		refuse(out, "bad-request", "not the session's epoch");
		return;
	}
	apply_reports(fleet, out->session->agent, &frame, content,
	    clock_wall_ms(), &out->answer);
	log_answer(peers, peer, &out->answer);
}

static void
take_plain(struct fleet *fleet, struct peers *peers, struct peer *peer,
    const char *jid, const struct buf *plain, struct intake *out)
{
	struct envelope	envelope;
	char		why[120];

	if (envelope_read(plain->data == NULL ? "" : plain->data, plain->len,
	    peer->jid, jid, &envelope, why, sizeof(why)) != 0) {
		refuse(out, "bad-request", "wrong envelope");
		peers_say(peers, peer, LOG_LEVEL_WARN, "%s: wrong envelope: "
		    "%s", log_safe(peer->jid), log_safe(why));
		return;
	}
	take_content(fleet, peers, peer, envelope.content, out);
	envelope_clear(&envelope);
}

void
intake_take(struct fleet *fleet, struct peers *peers, struct peer *peer,
    const char *jid, const char *from, const xmlNode *sealed,
    struct intake *out)
{
	struct buf	 plain = { 0 };
	int64_t		 n = xmltree_number(sealed, "n");
	char		*text;
	bool		 fresh;

	memset(out, 0, sizeof(*out));
	text = xmltree_text(sealed);
	if (text == NULL || n < 0 || n > (int64_t)SEAL_MESSAGES)
		refuse(out, "bad-request", "not numbered, or empty");
	else if (strlen(text) > SEAL_TEXT_MAX)
		refuse(out, "policy-violation", "too large");
	else if ((out->session = open_sealed(peers, peer, from,
	    (uint64_t)n, text, &fresh, &plain, out)) != NULL) {
		if (fresh && prove(fleet, peers, peer, out->session) != 0)
			out->answer.verdict = APPLY_FAILED;
		else
			take_plain(fleet, peers, peer, jid, &plain, out);
	}
	buf_free(&plain);
	free(text);
}
