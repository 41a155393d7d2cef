/*
 * What an agent with a key of its own may say under the seal, and what the
 * centre makes of it: nothing of another agent's changes, and the store does
 * not fail.  Several contents, one after the other, with NULs between; one
 * that begins with "<envelope" is the whole envelope.
 */
#include "central/intake.c"

#include "central/roster.h"
#include "tests/fuzz/must.h"

#define CENTRE	"centre.test"
#define EPOCH	"00000000-0000-4000-8000-0000000000e1"
#define LASER	"00000000-0000-4000-8000-000000000001"
#define THINGS	"<consumable id='00000000-0000-4000-8000-0000000000b1' " \
		"asset='" LASER "'><index>1</index><kind>toner</kind>" \
		"<level>50</level></consumable>" \
		"<alert id='00000000-0000-4000-8000-0000000000a1' asset='" \
		LASER "'><index>7</index><code>8</code></alert>"
#define CONTENTS_MAX	16

static const struct fleet_source	source = { .path = ":memory:" };
static struct fleet	*fleet;
static struct peers	*peers;
static struct peer	*peer;
static struct session	*session;
static int64_t		 victim;

/* A session whose other side has a key. */
static struct seal *
shake(void)
{
	struct buf	 message = { 0 }, payload = { 0 };
	struct key	 own, centre;
	struct seal	*theirs, *ours;

	key_make(&own);
	key_make(&centre);
	theirs = seal_open(&own, centre.public, "a@agents.test", CENTRE, "",
	    0, 0, &message);
	ours = seal_accept(&centre, "a@agents.test", CENTRE, message.data,
	    message.len, 0, &payload);
	must(theirs != NULL && ours != NULL);
	seal_free(theirs);
	buf_free(&message);
	buf_free(&payload);
	return ours;
}

static int64_t
admit(const char *name, const char *jid)
{
	static const uint8_t	 key[KEY_LEN] = { 1 };
	char			 token[ROSTER_TOKEN_MAX], why[120];
	int64_t			 agent;

	must(roster_enrol(fleet, name, jid, NULL, 1000, 1, token, why,
	    sizeof(why)) == 0);
	must(roster_admit(fleet, jid, key, token, 1, &agent, why,
	    sizeof(why)) == ROSTER_ADMITTED);
	return agent;
}

static void
prepare(void)
{
	static const char	 told[] = "<reports xmlns='" REPORT_NS "' "
	    "epoch='" EPOCH "' lane='urgent' first='1' last='1'>"
	    "<report seq='1' turn='1'><asset id='" LASER "'>"
	    "<key>S:acme:L1</key><strength>serial</strength><make>Acme</make>"
	    "<model>Laser 9</model><serial>L1</serial><state>online</state>"
	    "<counter name='total'>100</counter></asset>" THINGS "</report></reports>";
	struct apply_answer	 answer;
	struct apply_frame	 frame;
	xmlDoc			*doc;
	char			 why[160];

	if (fleet != NULL)
		return;
	log_hook(must_be_quiet, NULL);
	must(key_library_init() == 0);
	fleet = fleet_open(&source, FLEET_CREATE);
	must(fleet != NULL);
	victim = admit("victim", "victim@agents.test");
	must((doc = xmltree_parse(told, strlen(told), why,
	    sizeof(why))) != NULL);
	must(apply_frame_read(xmlDocGetRootElement(doc), &frame) == 0);
	apply_reports(fleet, victim, &frame, xmlDocGetRootElement(doc), 1,
	    &answer);
	must(answer.verdict == APPLY_DONE && answer.refused_len == 0);
	apply_answer_clear(&answer);
	xmlFreeDoc(doc);
	peers = peers_new();
	peer = peers_get(peers, "a@agents.test", 1);
	session = session_new(shake(), "a@agents.test/platend");
	session->agent = admit("a", "a@agents.test");
	snprintf(session->epoch, sizeof(session->epoch), "%s", EPOCH);
	must(fleet_commit(fleet) == 0);
}

static void
must_be_one(const char *sql)
{
	int64_t	n;

	must(fleet_int(fleet, &n, sql, "i", victim) == 0 && n == 1);
}

/* What is received sets received_at, and then it is 1 no more. */
static void
must_be_untouched(void)
{
	must_be_one("SELECT count(*) = 1 AND sum(received_at) = 1 "
	    "AND max(uuid) = '" LASER "' FROM asset WHERE agent = ?");
	must_be_one("SELECT count(*) = 1 AND sum(t.received_at) = 1 FROM "
	    "consumable t JOIN asset a ON a.id = t.asset WHERE a.agent = ?");
	must_be_one("SELECT count(*) = 1 AND sum(t.received_at) = 1 FROM "
	    "alert t JOIN asset a ON a.id = t.asset WHERE a.agent = ?");
	must_be_one("SELECT count(*) = 1 AND sum(t.received_at) = 1 FROM "
	    "counter t JOIN asset a ON a.id = t.asset WHERE a.agent = ?");
	must_be_one("SELECT max(t.received_at) = 1 FROM history t "
	    "JOIN asset a ON a.id = t.asset WHERE a.agent = ?");
	must_be_one("SELECT count(*) = 0 FROM alias WHERE agent = ?");
	must_be_one("SELECT count(*) = 1 AND sum(last_seq) = 1 FROM epoch "
	    "WHERE agent = ?");
	must_be_one("SELECT count(*) = 0 FROM agent_report WHERE agent = ?");
	must_be_one("SELECT count(*) = 1 FROM agent WHERE id = ? AND "
	    "want_whole = 0");
	/* Nothing of its own hangs on what is not. */
	must_be_one("SELECT count(*) = 0 FROM history t JOIN epoch e ON "
	    "e.id = t.epoch JOIN asset a ON a.id = t.asset WHERE "
	    "e.agent <> a.agent AND ?1 > 0");
}

static void
take(const char *content, size_t len)
{
	struct intake	 out = { .session = session };
	struct buf	 plain = { 0 };

	if (len >= 9 && memcmp(content, "<envelope", 9) == 0)
		buf_put(&plain, content, len);
	else
		envelope_write(&plain, content, len, peer->jid, CENTRE,
		    clock_wall_ms());
	take_plain(fleet, peers, peer, CENTRE, &plain, &out);
	must(out.condition != NULL || out.answer.verdict != APPLY_FAILED);
	must(!fleet_failed(fleet));
	apply_answer_clear(&out.answer);
	buf_free(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*at = (const char *)data, *end = at + size, *nul;
	int		 n;

	if (size == 0)
		return 0;
	prepare();
	for (n = 0; at < end && n < CONTENTS_MAX; n++, at = nul + 1) {
		nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)
			nul = end;
		take(at, (size_t)(nul - at));
	}
	must_be_untouched();
	fleet_rollback(fleet);
	return 0;
}
