#include "snmp/usm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "snmp/usmmsg.h"

#define PASSWORD_MIN	8	/* RFC 3414 section 11.2 */
/* A clock that differs less is in step; well inside the window, because the
 * way there and back takes its time. */
#define NEWS_S		(USMMSG_WINDOW_S / 2)

/*
 * The local notion of a device's engine, RFC 3414 section 2.2.  Ten thousand
 * of these are kept.
 */
struct usm_engine {
	uint8_t			 id[USMMSG_ENGINE_MAX];
	uint8_t			 id_len;	/* 0: not known */
	bool			 sure;		/* boots and time come from
						 * an authentic message */
	int32_t			 boots, time;
	int32_t			 latest;	/* latestReceivedEngineTime */
	int64_t			 at_ms;		/* when it was time */
	uint64_t		 serial;	/* of the user of the keys; 0:
						 * there are none */
	struct usmkey_local	 keys;
};

/* --- words ------------------------------------------------------------------ */

struct word {
	const char	*text;
	int		 value;
};

static const struct word auth_words[] = {
	/* The first of a value is its name. */
	{ "none", USM_NOAUTH }, { "md5", USM_MD5 }, { "sha1", USM_SHA1 },
	{ "sha", USM_SHA1 }, { "sha224", USM_SHA224 },
	{ "sha256", USM_SHA256 }, { "sha384", USM_SHA384 },
	{ "sha512", USM_SHA512 }, { NULL, 0 }
}, privacy_words[] = {
	{ "none", USM_NOPRIV }, { "des", USM_DES }, { "aes128", USM_AES128 },
	{ "aes", USM_AES128 }, { "aes192", USM_AES192 },
	{ "aes256", USM_AES256 }, { "aes192c", USM_AES192C },
	{ "aes256c", USM_AES256C }, { NULL, 0 }
};

/* Dashes and case aside; in ASCII, whatever the locale. */
static bool
word_is(const char *word, const char *text)
{
	char	 c;

	for (; *text != '\0'; text++) {
		if (*text == '-')
			continue;
		c = *text >= 'A' && *text <= 'Z' ? *text + 'a' - 'A' : *text;
		if (c != *word++)
			return false;
	}
	return *word == '\0';
}

static const struct word *
word_parse(const struct word *words, const char *text)
{
	for (; words->text != NULL; words++)
		if (word_is(words->text, text))
			return words;
	return NULL;
}

static const char *
word_name(const struct word *words, int value)
{
	for (; words->text != NULL; words++)
		if (words->value == value)
			return words->text;
	return "?";
}

bool
usm_parse_auth(const char *text, enum usm_auth *out)
{
	const struct word	*word = word_parse(auth_words, text);

	if (word != NULL)
		*out = (enum usm_auth)word->value;
	return word != NULL;
}

bool
usm_parse_privacy(const char *text, enum usm_privacy *out)
{
	const struct word	*word = word_parse(privacy_words, text);

	if (word != NULL)
		*out = (enum usm_privacy)word->value;
	return word != NULL;
}

const char *
usm_auth_name(enum usm_auth auth)
{
	return word_name(auth_words, (int)auth);
}

const char *
usm_privacy_name(enum usm_privacy privacy)
{
	return word_name(privacy_words, (int)privacy);
}

/* --- users ------------------------------------------------------------------ */

static size_t	 users;		/* that there are */

static bool
check_password(const char *what, const char *password, char *why,
    size_t why_size)
{
	size_t	 len = password == NULL ? 0 : strlen(password);

	if (len >= PASSWORD_MIN && len <= USMKEY_PASSWORD_MAX)
		return true;
	if (len == 0)
		snprintf(why, why_size, "the %s password is missing", what);
	else if (len < PASSWORD_MIN)
		snprintf(why, why_size, "the %s password is shorter than %d "
		    "characters", what, PASSWORD_MIN);
	else
		snprintf(why, why_size, "the %s password is longer than %d "
		    "octets", what, USMKEY_PASSWORD_MAX);
	return false;
}

static bool
check_user(const char *name, enum usm_auth auth, const char *auth_password,
    enum usm_privacy privacy, const char *privacy_password, char *why,
    size_t why_size)
{
	if (name == NULL || name[0] == '\0')
		snprintf(why, why_size, "the user's name is missing");
	else if (strlen(name) > USMMSG_USER_MAX)
		snprintf(why, why_size, "the user's name is longer than %d "
		    "octets", USMMSG_USER_MAX);
	else if (privacy != USM_NOPRIV && auth == USM_NOAUTH)
		snprintf(why, why_size, "privacy needs authentication");
	else if (!usmkey_prepare(auth, privacy))
		snprintf(why, why_size, "this system's libcrypto does not "
		    "offer %s with %s", usm_auth_name(auth),
		    usm_privacy_name(privacy));
	else
		return (auth == USM_NOAUTH || check_password("authentication",
		    auth_password, why, why_size)) &&
		    (privacy == USM_NOPRIV || check_password("privacy",
		    privacy_password, why, why_size));
	return false;
}

struct usm_user *
usm_user_new(const char *name, enum usm_auth auth, const char *auth_password,
    enum usm_privacy privacy, const char *privacy_password, char *why,
    size_t why_size)
{
	static uint64_t	 serial;
	struct usm_user	*user;

	if (!check_user(name, auth, auth_password, privacy, privacy_password,
	    why, why_size))
		return NULL;
	user = xcalloc(1, sizeof(*user));
	user->name = xstrdup(name);
	user->name_len = strlen(name);
	user->auth = auth;
	user->privacy = privacy;
	user->serial = ++serial;
	users++;
	if ((auth != USM_NOAUTH && !usmkey_from_password(auth, auth_password,
	    user->key.auth)) || (privacy != USM_NOPRIV &&
	    !usmkey_from_password(auth, privacy_password,
	    user->key.privacy))) {
		snprintf(why, why_size, "libcrypto makes no keys");
		usm_user_free(user);
		return NULL;
	}
	return user;
}

void
usm_user_free(struct usm_user *user)
{
	if (user == NULL)
		return;
	secret_wipe(&user->key, sizeof(user->key));
	free(user->name);
	free(user);
	if (--users == 0)
		usmkey_close();
}

const char *
usm_user_name(const struct usm_user *user)
{
	return user->name;
}

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

void
usm_put_message(struct ber_out *out, int32_t msg_id,
    struct usm_engine *engine, const struct usm_user *user,
    const char *context)
{
	struct usmmsg	 m = { .msg_id = msg_id };

	if (!usm_engine_known(engine) || !engine_keys(engine, user)) {
		out->full = true;
		return;
	}
	m.flags = usmmsg_user_level(user) | USMMSG_REPORTABLE;
	m.engine = m.context_engine = (struct usmmsg_octets){ engine->id,
	    engine->id_len };
	/* RFC 3414 section 3.1, step 6 c: without a digest they are zero. */
	if (user->auth != USM_NOAUTH) {
		m.boots = engine->boots;
		m.time = engine_time(engine);
	}
	m.user = (struct usmmsg_octets){ (const uint8_t *)user->name,
	    user->name_len };
	if (context != NULL)
		m.context = (struct usmmsg_octets){ (const uint8_t *)context,
		    strlen(context) };
	usmmsg_put(out, &m, user->auth, user->privacy, &engine->keys);
}

void
usm_put_discovery(struct ber_out *out, int32_t msg_id)
{
	struct usmmsg	 m = { .msg_id = msg_id, .flags = USMMSG_REPORTABLE };

	ber_put_request(out, BER_GET, msg_id, 0, 0, NULL, 0);
	usmmsg_put(out, &m, USM_NOAUTH, USM_NOPRIV, NULL);
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
	if ((m->flags & USMMSG_LEVEL) != usmmsg_user_level(user))
		return USM_FORGED;
	if (user->auth != USM_NOAUTH && !engine_in_time(engine, m))
		return USM_TIME_WINDOW;
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
