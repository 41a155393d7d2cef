/* Notifications under the User-based Security Model: usm.h's other direction. */
#include "snmp/usm.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "snmp/usmmsg.h"

/* usmStats, RFC 3414 section 5: counted since start, sent in reports. */
enum stat {
	STAT_LEVEL = 1, STAT_TIME, STAT_USER, STAT_ENGINE, STAT_DIGEST,
	STAT_DECRYPTION
};
static uint32_t	 stats[STAT_DECRYPTION + 1];

struct call {
	struct usmmsg		 m;
	const struct usm_local	*local;
	const struct usm_user	*user;		/* NULL: not known yet */
	struct usmkey_local	 keys;
	bool			 ours;		/* to our engine: an inform */
	uint8_t			*scratch;
	struct ber_in		*pdu;
	struct ber_out		*answer;
	char			*why;
	size_t			 why_size;
};

static int32_t
local_time(const struct usm_local *local)
{
	int64_t	 s = (clock_mono_ms() - local->start_ms) / 1000;

	return s < 0 ? 0 : s > INT32_MAX ? INT32_MAX : (int32_t)s;
}

static struct usmmsg_octets
local_id(const struct usm_local *local)
{
	return (struct usmmsg_octets){ local->id, local->id_len };
}

/* What we say is under our engine; flags: with which keys. */
static void
put_answer(struct call *call, uint8_t flags, bool with_clock)
{
	struct usmmsg	 m = { .msg_id = call->m.msg_id, .flags = flags };

	m.engine = local_id(call->local);
	m.user = call->m.user;
	if (with_clock) {
		m.boots = (int32_t)call->local->boots;
		m.time = local_time(call->local);
	}
	m.context_engine = call->m.context_engine;
	m.context = call->m.context;
	usmmsg_put(call->answer, &m,
	    call->user != NULL ? call->user->auth : USM_NOAUTH,
	    call->user != NULL ? call->user->privacy : USM_NOPRIV,
	    &call->keys);
}

/*
 * RFC 3412 section 7.1, step 3: whoever may be told is told.  The request id
 * is not looked for; RFC 3412 lets it be zero then.
 */
static enum usm_notice
report(struct call *call, enum stat stat, uint8_t flags, const char *why)
{
	const uint32_t	 id[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1, stat, 0 };
	struct ber_out	*out = call->answer;

	stats[stat]++;
	snprintf(call->why, call->why_size, "%s", why);
	if ((call->m.flags & USMMSG_REPORTABLE) == 0)
		return USM_NOTICE_NONE;
	ber_put_int(out, BAG_COUNTER, stats[stat]);
	ber_put_objid(out, id, sizeof(id) / sizeof(id[0]));
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_wrap(out, BER_REPORT, 0);
	/* The scoped PDU may be sealed still: no context is known. */
	call->m.context_engine = local_id(call->local);
	call->m.context = (struct usmmsg_octets){ NULL, 0 };
	put_answer(call, flags, true);
	if (out->full)
		return USM_NOTICE_NONE;
	/* These two are how every inform begins. */
	if (stat == STAT_ENGINE || stat == STAT_TIME)
		call->why[0] = '\0';
	return USM_NOTICE_REPORT;
}

/*
 * The digest is this user's, and his keys are made.  The privacy key comes
 * last: Reeder's extension hashes a megabyte for it, which nobody who merely
 * knows the user's name shall make us do.
 */
static bool
has_key(struct call *call, const struct usm_user *u, uint8_t level)
{
	struct usmmsg_octets	 engine = call->m.engine;

	return usmkey_localise(u->auth, USM_NOPRIV, &u->key, engine.at,
	    engine.len, &call->keys) &&
	    usmmsg_authentic(&call->m, u->auth, call->keys.auth) &&
	    ((level & USMMSG_PRIVACY) == 0 || usmkey_localise(u->auth,
	    u->privacy, &u->key, engine.at, engine.len, &call->keys));
}

/* Several sections may have a user of one name, with different keys: the
 * digest tells which of them it is. */
static enum stat
find_user(struct call *call, struct usm_user *const users[], size_t n)
{
	uint8_t		 level = call->m.flags & USMMSG_LEVEL;
	enum stat	 worst = STAT_USER;
	size_t		 i;

	for (i = 0; i < n; i++) {
		const struct usm_user	*u = users[i];
		uint8_t			 has = usmmsg_user_level(u);

		if (!usmmsg_same(call->m.user, u->name, u->name_len))
			continue;
		/* As authentic as the user is; privacy is the sender's. */
		if (((has ^ level) & USMMSG_AUTH) != 0 ||
		    (level & ~has) != 0) {
			if (worst == STAT_USER)
				worst = STAT_LEVEL;
			continue;
		}
		if ((level & USMMSG_AUTH) == 0) {
			call->user = u;
			return 0;
		}
		worst = STAT_DIGEST;
		if (has_key(call, u, level)) {
			call->user = u;
			return 0;
		}
	}
	return worst;
}

/* RFC 3414 section 3.2, step 7 a: our clock is the one that counts. */
static bool
in_time(const struct call *call)
{
	int64_t	 apart = (int64_t)call->m.time - local_time(call->local);

	return call->local->boots < USMMSG_BOOTS_MAX &&
	    call->m.boots == call->local->boots &&
	    apart >= -USMMSG_WINDOW_S && apart <= USMMSG_WINDOW_S;
}

static enum usm_notice
refuse_user(struct call *call, enum stat stat)
{
	switch (stat) {
	case STAT_USER:
		return report(call, stat, 0, "unknown user");
	case STAT_LEVEL:
		return report(call, stat, 0, "another security level");
	default:
		return report(call, stat, 0,
		    "wrong authentication password or protocol");
	}
}

/* A Response with the varbinds that came (RFC 3416 section 4.2.7). */
static enum usm_notice
confirm(struct call *call, const struct ber_pdu *pdu)
{
	struct ber_out	*out = call->answer;

	ber_put_raw(out, pdu->varbinds.at,
	    (size_t)(pdu->varbinds.end - pdu->varbinds.at));
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, pdu->request_id);
	ber_wrap(out, BER_RESPONSE, 0);
	put_answer(call, call->m.flags & USMMSG_LEVEL,
	    call->m.flags & USMMSG_AUTH);
	if (out->full) {
		snprintf(call->why, call->why_size, "an inform too large to "
		    "confirm");
		return USM_NOTICE_NONE;
	}
	return USM_NOTICE_INFORM;
}

static enum usm_notice
take(struct call *call)
{
	struct ber_in	 in;
	struct ber_pdu	 pdu;

	if (!usmmsg_open(&call->m, call->user->privacy, &call->keys,
	    call->scratch)) {
		if (call->m.flags & USMMSG_PRIVACY)
			return report(call, STAT_DECRYPTION, 0,
			    "wrong privacy password or protocol");
		snprintf(call->why, call->why_size, "malformed");
		return USM_NOTICE_NONE;
	}
	*call->pdu = in = call->m.pdu;
	if (!ber_get_pdu(&in, &pdu) ||
	    pdu.type != (call->ours ? BER_INFORM : BER_TRAP)) {
		snprintf(call->why, call->why_size, "no notification");
		return USM_NOTICE_NONE;
	}
	return call->ours ? confirm(call, &pdu) : USM_NOTICE_TRAP;
}

/* RFC 3414 section 3.2, from step 3 on. */
static enum usm_notice
receive(struct call *call, struct usm_user *const users[], size_t n)
{
	struct usmmsg	*m = &call->m;
	enum stat	 stat;

	call->ours = usmmsg_same(m->engine, call->local->id,
	    call->local->id_len);
	if (!call->ours && (m->flags & USMMSG_REPORTABLE) != 0)
		return report(call, STAT_ENGINE, 0, "another engine");
	if (m->engine.len < USMMSG_ENGINE_MIN) {
		snprintf(call->why, call->why_size, "a trap without engine");
		return USM_NOTICE_NONE;
	}
	if ((stat = find_user(call, users, n)) != 0)
		return refuse_user(call, stat);
	/* The report about our clock is what a sender learns it from, so it
	 * has a digest (step 7 a). */
	if (call->ours && (m->flags & USMMSG_AUTH) && !in_time(call))
		return report(call, STAT_TIME, USMMSG_AUTH,
		    "outside the time window");
	return take(call);
}

enum usm_notice
usm_get_notice(const void *bytes, size_t len, struct usm_user *const users[],
    size_t n, const struct usm_local *local, uint8_t *scratch,
    struct ber_in *pdu, struct ber_out *answer, char *why, size_t why_size)
{
	struct call	 call = { .local = local, .scratch = scratch,
	    .pdu = pdu, .answer = answer, .why = why, .why_size = why_size };
	enum usm_notice	 notice;

	why[0] = '\0';
	if (!usmmsg_parse(&call.m, bytes, len)) {
		snprintf(why, why_size, "malformed");
		return USM_NOTICE_NONE;
	}
	notice = receive(&call, users, n);
	secret_wipe(&call.keys, sizeof(call.keys));
	return notice;
}
