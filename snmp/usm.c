#include "snmp/usm.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "snmp/usmmsg.h"

/* A clock that differs less is in step; well inside the window, because the
 * way there and back takes its time. */
#define NEWS_S		(USMMSG_WINDOW_S / 2)

/* Which question of usm_put_check() is on its way. */
enum check {
	CHECK_NONE,
	CHECK_AUTH,		/* without privacy and context */
	CHECK_CONTEXT,		/* with both */
	CHECK_LEVEL,		/* with privacy, without context */
	CHECK_DONE
};

/*
 * The local notion of a device's engine, RFC 3414 section 2.2.  Ten thousand
 * of these are kept.
 */
struct usm_engine {
	uint8_t			 id[USMMSG_ENGINE_MAX];
	uint8_t			 id_len;	/* 0: not known */
	uint8_t			 level;		/* of the last message */
	uint8_t			 check;		/* enum check */
	bool			 answered;	/* that check */
	bool			 sure;		/* boots and time come from
						 * an authentic message */
	int32_t			 boots, time;
	int32_t			 latest;	/* latestReceivedEngineTime */
	int64_t			 at_ms;		/* when it was time */
	uint64_t		 serial;	/* of the user of the keys; 0:
						 * there are none */
	struct usmkey_local	 keys;
};

/* --- engines ---------------------------------------------------------------- */

struct usm_engine *
usm_engine_new(void)
{
	return xcalloc(1, sizeof(struct usm_engine));
}

void
usm_engine_free(struct usm_engine *engine)
{
	if (engine == NULL)
		return;
	secret_wipe(engine, sizeof(*engine));
	free(engine);
}

bool
usm_engine_known(const struct usm_engine *engine)
{
	return engine->id_len > 0;
}

const uint8_t *
usm_engine_id(const struct usm_engine *engine, size_t *len)
{
	*len = engine->id_len;
	return engine->id;
}

void
usm_engine_forget(struct usm_engine *engine)
{
	secret_wipe(engine, sizeof(*engine));
}

/* What its clock shows now, as far as we know. */
static int32_t
engine_time(const struct usm_engine *engine)
{
	int64_t	 time = engine->time +
	    (clock_mono_ms() - engine->at_ms) / 1000;

	return time > INT32_MAX ? INT32_MAX : (int32_t)time;
}

static void
engine_set_clock(struct usm_engine *engine, const struct usmmsg *m, bool sure)
{
	engine->boots = m->boots;
	engine->time = engine->latest = m->time;
	engine->at_ms = clock_mono_ms();
	engine->sure = sure;
}

/* Keys are localised once for an engine and user. */
static bool
engine_keys(struct usm_engine *engine, const struct usm_user *user)
{
	if (engine->serial == user->serial)
		return true;
	engine->serial = 0;
	if (!usmkey_localise(user->auth, user->privacy, &user->key,
	    engine->id, engine->id_len, &engine->keys))
		return false;
	engine->serial = user->serial;
	return true;
}

/*
 * Nobody signs these: a device that we do not share a key with yet says who
 * it is.  Its boots and time are taken as a first guess, which saves the
 * exchange of RFC 3414 section 4, second part; until an authentic message
 * says the same they bind us to nothing.
 */
static enum usm_verdict
engine_discover(struct usm_engine *engine, const struct usmmsg *m)
{
	if (m->engine.len < USMMSG_ENGINE_MIN)
		return USM_OTHER;
	usm_engine_forget(engine);
	memcpy(engine->id, m->engine.at, m->engine.len);
	engine->id_len = (uint8_t)m->engine.len;
	engine_set_clock(engine, m, false);
	return USM_DISCOVERED;
}

/*
 * RFC 3414 section 3.2, step 7 b, for an authentic message: true when it is
 * in time.  The clock may only move ahead, but for a first guess of ours.
 */
static bool
engine_in_time(struct usm_engine *engine, const struct usmmsg *m)
{
	if (!engine->sure || m->boots > engine->boots ||
	    (m->boots == engine->boots && m->time > engine->latest))
		engine_set_clock(engine, m, true);
	return engine->boots != USMMSG_BOOTS_MAX &&
	    m->boots == engine->boots &&
	    (int64_t)m->time >= (int64_t)engine_time(engine) -
	    USMMSG_WINDOW_S;
}

/*
 * The device says that we were not in its time window, and at what time it
 * is: ask again, when that is news.
 *
 * RFC 3414 lets the clock of an engine only go ahead, against old messages
 * played again.  But printers do lose their boots (a new board, a memory that
 * was cleared, or none at all), and would then be shut out for ever.  This
 * report bears the number of the message that we sent a moment ago under its
 * digest, so it cannot be an old one.
 */
static enum usm_verdict
engine_correct(struct usm_engine *engine, const struct usmmsg *m,
    bool authentic)
{
	int64_t	 ahead = (int64_t)m->time - engine_time(engine);

	if ((engine->sure && !authentic) || m->boots == USMMSG_BOOTS_MAX ||
	    (m->boots == engine->boots && ahead >= -NEWS_S && ahead <= NEWS_S))
		return USM_TIME_WINDOW;
	engine_set_clock(engine, m, authentic);
	return USM_AGAIN;
}

/* --- asking ----------------------------------------------------------------- */

static void
put_message(struct ber_out *out, int32_t msg_id, struct usm_engine *engine,
    const struct usm_user *user, uint8_t level, const char *context)
{
	struct usmmsg	 m = { .msg_id = msg_id,
	    .flags = level | USMMSG_REPORTABLE };

	if (!usm_engine_known(engine) || !engine_keys(engine, user)) {
		out->full = true;
		return;
	}
	m.engine = m.context_engine = (struct usmmsg_octets){ engine->id,
	    engine->id_len };
	/* RFC 3414 section 3.1, step 6 c: without a digest they are zero. */
	if (level & USMMSG_AUTH) {
		m.boots = engine->boots;
		m.time = engine_time(engine);
	}
	m.user = (struct usmmsg_octets){ (const uint8_t *)user->name,
	    user->name_len };
	if (context != NULL)
		m.context = (struct usmmsg_octets){ (const uint8_t *)context,
		    strlen(context) };
	engine->level = level;
	usmmsg_put(out, &m, user->auth, user->privacy, &engine->keys);
}

void
usm_put_message(struct ber_out *out, int32_t msg_id,
    struct usm_engine *engine, const struct usm_user *user,
    const char *context)
{
	engine->check = CHECK_NONE;
	put_message(out, msg_id, engine, user, usmmsg_user_level(user),
	    context);
}

void
usm_put_discovery(struct ber_out *out, int32_t msg_id)
{
	struct usmmsg	 m = { .msg_id = msg_id, .flags = USMMSG_REPORTABLE };

	ber_put_request(out, BER_GET, msg_id, 0, 0, NULL, 0);
	usmmsg_put(out, &m, USM_NOAUTH, USM_NOPRIV, NULL);
}

/* What the last check that was put, answered or not, leads to. */
static enum check
next_check(const struct usm_engine *engine, bool privacy, bool context)
{
	switch (engine->check) {
	case CHECK_NONE:
		return privacy ? CHECK_AUTH : context ? CHECK_CONTEXT :
		    CHECK_DONE;
	case CHECK_AUTH:
		return !engine->answered ? CHECK_DONE :
		    context ? CHECK_CONTEXT : CHECK_LEVEL;
	case CHECK_CONTEXT:
		return engine->answered ? CHECK_DONE : CHECK_LEVEL;
	default:
		return CHECK_DONE;
	}
}

enum usm_verdict
usm_put_check(struct ber_out *out, int32_t msg_id, struct usm_engine *engine,
    const struct usm_user *user, const char *context)
{
	bool		 privacy = user->privacy != USM_NOPRIV;
	bool		 in_context = context != NULL && context[0] != '\0';
	uint8_t		 level = usmmsg_user_level(user);
	enum check	 last = engine->check;

	if (!usm_engine_known(engine))
		return USM_OTHER;
	engine->check = next_check(engine, privacy, in_context);
	if (engine->check == CHECK_DONE) {
		if (last != CHECK_LEVEL)
			return USM_OTHER;
		if (!engine->answered)
			return privacy ? USM_WRONG_PRIVACY : USM_OTHER;
		return in_context ? USM_UNKNOWN_CONTEXT : USM_OTHER;
	}
	engine->answered = false;
	ber_put_request(out, BER_GET, msg_id, 0, 0, NULL, 0);
	put_message(out, msg_id, engine, user, engine->check == CHECK_AUTH ?
	    USMMSG_AUTH : level, engine->check == CHECK_CONTEXT ? context :
	    NULL);
	return USM_CHECK;
}

/* --- what comes ------------------------------------------------------------- */

/* Reports, and what they mean for the request. */
static const struct {
	uint32_t		 mib[4];	/* below snmpModules */
	size_t			 len;
	enum usm_verdict	 verdict;
} reports[] = {
	/* usmStats, RFC 3414 section 5. */
	{ { 15, 1, 1, 1 }, 4, USM_WRONG_LEVEL },   /* UnsupportedSecLevels */
	{ { 15, 1, 1, 2 }, 4, USM_AGAIN },	   /* NotInTimeWindows */
	{ { 15, 1, 1, 3 }, 4, USM_UNKNOWN_USER },
	{ { 15, 1, 1, 4 }, 4, USM_DISCOVERED },	   /* UnknownEngineIDs */
	{ { 15, 1, 1, 5 }, 4, USM_WRONG_AUTH },
	{ { 15, 1, 1, 6 }, 4, USM_WRONG_PRIVACY },
	/* snmpMPDStats, RFC 3412 section 5: no USM there; nobody to ask in
	 * that context. */
	{ { 11, 2, 1, 1 }, 4, USM_WRONG_LEVEL },   /* UnknownSecurityModels */
	{ { 11, 2, 1, 3 }, 4, USM_UNKNOWN_CONTEXT },
	/* RFC 3413 section 4.1.2: snmpUnavailable-, snmpUnknownContexts. */
	{ { 12, 1, 4 }, 3, USM_UNKNOWN_CONTEXT },
	{ { 12, 1, 5 }, 3, USM_UNKNOWN_CONTEXT }
};

/* The first varbind says it; with or without the instance. */
static enum usm_verdict
report_meaning(const struct ber_in *at)
{
	static const uint32_t	 modules[] = { 1, 3, 6, 1, 6, 3 };
	struct ber_in		 in = *at;
	struct ber_pdu		 pdu;
	struct objid		 id;
	struct bag_value	 value;
	bool			 missing;
	size_t			 i;

	if (!ber_get_pdu(&in, &pdu) ||
	    !ber_get_varbind(&pdu.varbinds, &id, &value, &missing) ||
	    id.len < 6 || memcmp(id.sub, modules, sizeof(modules)) != 0)
		return USM_OTHER;
	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		if (id.len >= 6 + reports[i].len &&
		    memcmp(id.sub + 6, reports[i].mib,
		    reports[i].len * sizeof(uint32_t)) == 0)
			return reports[i].verdict;
	return USM_OTHER;
}

static bool
from_engine(const struct usm_engine *engine, const struct usmmsg *m)
{
	return usmmsg_same(m->engine, engine->id, engine->id_len);
}

/*
 * A report may come without digest, because a device has none for whom it
 * does not know: it can end a request, but nothing is learnt from it about an
 * engine that is known.  But for a device that was replaced: it is another
 * engine now, and says that it does not know the old one's id.
 */
static enum usm_verdict
take_report(struct usm_engine *engine, const struct usmmsg *m)
{
	enum usm_verdict	 verdict = report_meaning(&m->pdu);
	bool			 authentic = m->flags & USMMSG_AUTH;

	if (!usm_engine_known(engine))
		return engine_discover(engine, m);
	if (verdict == USM_DISCOVERED)
		return from_engine(engine, m) ? USM_OTHER :
		    engine_discover(engine, m);
	if (!from_engine(engine, m))
		return USM_OTHER;
	if (verdict == USM_AGAIN)
		return engine_correct(engine, m, authentic);
	if (authentic)
		engine_in_time(engine, m);
	/* It refuses what has no privacy: it is there. */
	if (engine->check == CHECK_AUTH && verdict == USM_WRONG_LEVEL) {
		engine->answered = true;
		return USM_CHECK;
	}
	return verdict;
}

/* RFC 3412 section 7.2, step 12: an answer is as secure as its question. */
static enum usm_verdict
take_response(struct usm_engine *engine, const struct usmmsg *m,
    const struct usm_user *user, struct ber_in *pdu)
{
	if (!usm_engine_known(engine))
		return engine_discover(engine, m);
	if (!from_engine(engine, m) ||
	    !usmmsg_same(m->user, user->name, user->name_len))
		return USM_OTHER;
	if ((m->flags & USMMSG_LEVEL) != engine->level)
		return USM_FORGED;
	if ((m->flags & USMMSG_AUTH) && !engine_in_time(engine, m))
		return USM_TIME_WINDOW;
	if (engine->check != CHECK_NONE) {
		engine->answered = true;
		return USM_CHECK;
	}
	*pdu = m->pdu;
	return USM_OK;
}

/* Steps 3 to 6 of RFC 3414 section 3.2, for what bears a digest. */
static enum usm_verdict
authenticate(struct usm_engine *engine, const struct usmmsg *m,
    const struct usm_user *user)
{
	if (!usm_engine_known(engine) || !from_engine(engine, m) ||
	    user->auth == USM_NOAUTH || !engine_keys(engine, user))
		return USM_OTHER;
	return usmmsg_authentic(m, user->auth, engine->keys.auth) ? USM_OK :
	    USM_FORGED;
}

enum usm_verdict
usm_get_message(const void *bytes, size_t len, int32_t msg_id,
    struct usm_engine *engine, const struct usm_user *user,
    uint8_t *scratch, struct ber_in *pdu)
{
	enum usm_verdict	 verdict;
	struct usmmsg		 m;

	if (!usmmsg_parse(&m, bytes, len) || m.msg_id != msg_id)
		return USM_OTHER;
	if (m.flags & USMMSG_AUTH) {
		verdict = authenticate(engine, &m, user);
		if (verdict != USM_OK)
			return verdict;
	}
	/* Devices that cannot read us for want of the privacy key say so in
	 * a report or not at all; those that use another one show here.  The
	 * clock is looked at after it, because a report about the clock must
	 * be told from an answer. */
	if (!usmmsg_open(&m, user->privacy, &engine->keys, scratch) ||
	    m.pdu.at == m.pdu.end)
		return m.flags & USMMSG_PRIVACY ? USM_WRONG_PRIVACY :
		    USM_OTHER;
	if (m.pdu.at[0] == BER_REPORT)
		return take_report(engine, &m);
	if (m.pdu.at[0] == BER_RESPONSE)
		return take_response(engine, &m, user, pdu);
	return USM_OTHER;
}
