#include "central/roster.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/fleet_driver.h"
#include "schema/record.h"
#include "xmpp/jid.h"

#define HASH_LEN	32

struct row {
	char	*status;
	char	*next_key;	/* BASE64 */
};

const struct field	roster_extra[] = {
	{ .name = "status", .kind = FIELD_TEXT,
	    .offset = offsetof(struct row, status) },
	{ .name = "next_key", .kind = FIELD_TEXT,
	    .offset = offsetof(struct row, next_key) },
	{ .name = NULL }
};

struct entry {
	int64_t	 id;		/* 0: not known */
	char	 name[ROSTER_NAME_MAX + JID_MAX];
	char	 state[16];
	bool	 has_key, has_other, has_token, has_next;
	uint8_t	 key[KEY_LEN], other[KEY_LEN], next[KEY_LEN];
	uint8_t	 token_hash[HASH_LEN];
	int64_t	 token_expires;
};

bool
roster_name_valid(const char *name)
{
	size_t	i, len;

	len = strlen(name);
	if (len == 0 || len > ROSTER_NAME_MAX || name[0] == ' ' ||
	    name[len - 1] == ' ')
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
		    strchr(";#=[]\"@/", name[i]) != NULL)
			return false;
	return strcmp(log_safe(name), name) == 0;	/* UTF-8 */
}

int
roster_jid(const char *text, char *out, size_t out_size)
{
	if (!jid_valid_bare(text))
		return -1;
	return jid_bare(text, out, out_size);
}

static bool
take_blob(struct fleet_stmt *stmt, int column, uint8_t *out, int len)
{
	const void	*blob;
	int		 is;

	blob = fleet_blob(stmt, column, &is);
	if (blob == NULL || is != len)
		return false;
	memcpy(out, blob, (size_t)len);
	return true;
}

static int
load(struct fleet *fleet, const char *jid, struct entry *e)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	memset(e, 0, sizeof(*e));
	stmt = fleet_bind(fleet, "SELECT id, name, state, key, other_key, "
	    "token_hash, token_expires, next_key FROM agent WHERE jid = ?"
	    FLEET_LOCK,
	    "t", jid);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	e->id = fleet_number(stmt, 0);
	snprintf(e->name, sizeof(e->name), "%s",
	    fleet_text(stmt, 1));
	snprintf(e->state, sizeof(e->state), "%s",
	    fleet_text(stmt, 2));
	e->has_key = take_blob(stmt, 3, e->key, KEY_LEN);
	e->has_other = take_blob(stmt, 4, e->other, KEY_LEN);
	e->has_token = take_blob(stmt, 5, e->token_hash, HASH_LEN);
	e->token_expires = fleet_number(stmt, 6);
	e->has_next = fleet_text(stmt, 7) != NULL &&
	    key_parse_public(fleet_text(stmt, 7), e->next) == 0;
	fleet_reset(stmt);
	return 0;
}

static bool
is(const struct entry *e, const char *state)
{
	return strcmp(e->state, state) == 0;
}

static void
hash_token(const char *token, uint8_t out[HASH_LEN])
{
	crypto_hash_sha256(out, (const uint8_t *)token, strlen(token));
}

static void
make_token(char out[ROSTER_TOKEN_MAX], uint8_t hash[HASH_LEN])
{
	uint8_t	bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(out, ROSTER_TOKEN_MAX, bytes, sizeof(bytes),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
	hash_token(out, hash);
}

int
roster_enrol(struct fleet *fleet, const char *name, const char *jid,
    const char *customer, int64_t valid_ms, int64_t now_ms,
    char token[ROSTER_TOKEN_MAX], char *why, size_t why_size)
{
	struct entry	e;
	uint8_t		hash[HASH_LEN];
	int64_t		other;
	int		rc;

	snprintf(why, why_size, "the store failed");
	if (fleet_begin(fleet) != 0 || load(fleet, jid, &e) != 0 ||
	    fleet_int(fleet, &other, "SELECT id FROM agent WHERE name = ? "
	    "AND jid <> ?", "tt", name, jid) != 0)
		return -1;
	if (other != ABSENT) {
		snprintf(why, why_size, "the name %s belongs to another "
		    "agent; see \"platen-central agents\"", name);
		return -1;
	}
	make_token(token, hash);
	if (fleet_tell(fleet) != 0)
		return -1;
	if (e.id == 0)
		return fleet_do(fleet, "INSERT INTO agent (jid, name, "
		    "customer, state, token_hash, token_expires, made_at) "
		    "VALUES (?, ?, ?, 'enrolled', ?, ?, ?)", "tttbii", jid,
		    name, customer, (const void *)hash, HASH_LEN,
		    now_ms + valid_ms, now_ms);
	/* Only an active agent keeps its key until another is bound. */
	rc = fleet_do(fleet, "UPDATE agent SET name = ?, "
	    "customer = coalesce(?, customer), token_hash = ?, "
	    "token_expires = ?, other_key = NULL, other_key_at = NULL, "
	    "key = CASE state WHEN 'active' THEN key END, "
	    "state = CASE state WHEN 'active' THEN 'active' "
	    "ELSE 'enrolled' END WHERE id = ?", "ttbii", name, customer,
	    (const void *)hash, HASH_LEN, now_ms + valid_ms, e.id);
	return rc;
}

static int
bind_key(struct fleet *fleet, const struct entry *e,
    const uint8_t key[KEY_LEN])
{
	return fleet_do(fleet, "UPDATE agent SET state = 'active', key = ?, "
	    "next_key = NULL, token_hash = NULL, token_expires = NULL, other_key = NULL, "
	    "other_key_at = NULL WHERE id = ?", "bi", (const void *)key,
	    KEY_LEN, e->id);
}

/* Only one write a minute for a key that is tried again and again. */
static int
note_other(struct fleet *fleet, const struct entry *e,
    const uint8_t key[KEY_LEN], int64_t now_ms)
{
	return fleet_do(fleet, "UPDATE agent SET other_key = ?, "
	    "other_key_at = ? WHERE id = ? AND (other_key IS DISTINCT "
	    "FROM ? OR "
	    "other_key_at < ?)", "biibi", (const void *)key, KEY_LEN, now_ms,
	    e->id, (const void *)key, KEY_LEN, now_ms - 60000);
}

/*
 * A stranger: its row waits for the operator, if there is room.  Its JID is
 * its name until then; that of an account has an '@', which no name has, so
 * nobody comes with the name of another.
 */
static enum roster_verdict
admit_stranger(struct fleet *fleet, const char *jid,
    const uint8_t key[KEY_LEN], int64_t now_ms, char *why, size_t why_size)
{
	int64_t	pending;

	if (strchr(jid, '@') == NULL) {
		snprintf(why, why_size, "no account, but a whole domain");
		return ROSTER_FORBIDDEN;
	}
	if (fleet_int(fleet, &pending, "SELECT count(*) FROM agent WHERE "
	    "state = 'pending'", "") != 0)
		return ROSTER_BUSY;
	if (pending >= ROSTER_PENDING_MAX) {
		snprintf(why, why_size, "too many agents wait for approval");
		return ROSTER_WAITS;
	}
	if (fleet_do(fleet, "INSERT INTO agent (jid, name, state, key, "
	    "made_at) VALUES (?, ?, 'pending', ?, ?)", "ttbi", jid, jid,
	    (const void *)key, KEY_LEN, now_ms) != 0)
		return ROSTER_BUSY;
	log_info("roster", "%s waits for approval", log_safe(jid));
	return ROSTER_WAITS;
}

/*
 * The first key that came keeps waiting: were it replaced by a later one,
 * the operator could approve another key than the one that was compared.
 */
static enum roster_verdict
admit_waiting(struct fleet *fleet, const struct entry *e,
    const uint8_t key[KEY_LEN], int64_t now_ms, char *why, size_t why_size)
{
	if (e->has_key && sodium_memcmp(e->key, key, KEY_LEN) == 0)
		return ROSTER_WAITS;
	if (e->has_key) {
		snprintf(why, why_size, "another key waits for approval");
		return note_other(fleet, e, key, now_ms) == 0 ?
		    ROSTER_WAITS : ROSTER_BUSY;
	}
	if (fleet_do(fleet, "UPDATE agent SET state = 'pending', key = ? "
	    "WHERE id = ?", "bi", (const void *)key, KEY_LEN, e->id) != 0)
		return ROSTER_BUSY;
	log_info("roster", "%s waits for approval", log_safe(e->name));
	return ROSTER_WAITS;
}

/* What a token is worth: 1 good, 0 none outstanding or expired, -1 wrong. */
static int
check_token(const struct entry *e, const char *token, int64_t now_ms,
    char *why, size_t why_size)
{
	uint8_t	hash[HASH_LEN];

	if (token == NULL)
		return 0;
	if (!e->has_token) {
		snprintf(why, why_size, "the token has been used, or is for "
		    "another agent; waits for approval");
		return 0;
	}
	hash_token(token, hash);
	if (sodium_memcmp(hash, e->token_hash, HASH_LEN) != 0) {
		snprintf(why, why_size, "wrong token");
		return -1;
	}
	if (e->token_expires <= now_ms) {
		snprintf(why, why_size, "the token has expired; waits for "
		    "approval");
		return 0;
	}
	return 1;
}

static enum roster_verdict
admit_known(struct fleet *fleet, const struct entry *e,
    const uint8_t key[KEY_LEN], const char *token, int64_t now_ms, char *why,
    size_t why_size)
{
	bool	same;
	int	worth;

	same = e->has_key && sodium_memcmp(e->key, key, KEY_LEN) == 0;
	worth = check_token(e, token, now_ms, why, why_size);
	if (worth == 1) {
		if (bind_key(fleet, e, key) != 0)
			return ROSTER_BUSY;
		log_info("roster", "%s %s by its token", log_safe(e->name),
		    is(e, "active") && !same ? "has a new key" : "enrolled");
		return ROSTER_ADMITTED;
	}
	if (is(e, "active")) {
		/* Its own key speaks for it, whatever is left in its INI. */
		if (same || (e->has_next && sodium_memcmp(e->next, key,
		    KEY_LEN) == 0))
			return ROSTER_ADMITTED;
		snprintf(why, why_size, "another key is bound to this JID");
		if (note_other(fleet, e, key, now_ms) != 0)
			return ROSTER_BUSY;
		return ROSTER_WRONG;
	}
	if (worth == -1)
		return ROSTER_WRONG;
	return admit_waiting(fleet, e, key, now_ms, why, why_size);
}

enum roster_verdict
roster_admit(struct fleet *fleet, const char *jid, const uint8_t key[KEY_LEN],
    const char *token, int64_t now_ms, int64_t *agent, char *why,
    size_t why_size)
{
	struct entry	e;

	*agent = 0;
	snprintf(why, why_size, "waits for approval");
	/* The lock first: the operator may revoke it at this moment. */
	if (fleet_begin(fleet) != 0 || load(fleet, jid, &e) != 0)
		return ROSTER_BUSY;
	if (e.id == 0)
		return admit_stranger(fleet, jid, key, now_ms, why, why_size);
	if (is(&e, "revoked")) {
		snprintf(why, why_size, "revoked");
		return ROSTER_FORBIDDEN;
	}
	*agent = e.id;
	return admit_known(fleet, &e, key, token, now_ms, why, why_size);
}

int
roster_approve(struct fleet *fleet, const char *jid, uint8_t key[KEY_LEN],
    char *why, size_t why_size)
{
	struct entry	e;

	snprintf(why, why_size, "the store failed");
	if (fleet_begin(fleet) != 0 || load(fleet, jid, &e) != 0)
		return -1;
	if (e.id == 0)
		snprintf(why, why_size, "no such agent");
	else if (is(&e, "active"))
		snprintf(why, why_size, "it is active already%s", e.has_other ?
		    "; to bind another key, enrol it again" : "");
	else if (is(&e, "revoked"))
		snprintf(why, why_size, "it is revoked; enrol it again");
	else if (!e.has_key)
		snprintf(why, why_size, "it has not come yet");
	else {
		memcpy(key, e.key, KEY_LEN);
		if (fleet_tell(fleet) != 0)
			return -1;
		return bind_key(fleet, &e, e.key);
	}
	return -1;
}

int
roster_offer(struct fleet *fleet, int64_t agent, const uint8_t key[KEY_LEN])
{
	char	text[KEY_TEXT_MAX];

	if (fleet_begin(fleet) != 0)
		return -1;
	key_format_public(key, text);
	return fleet_do(fleet, "UPDATE agent SET next_key = ? WHERE id = ? AND "
	    "state = 'active'", "ti", text, agent);
}

int
roster_settle(struct fleet *fleet, int64_t agent, const uint8_t key[KEY_LEN])
{
	char	text[KEY_TEXT_MAX];
	int64_t	next;

	key_format_public(key, text);
	if (fleet_begin(fleet) != 0 || fleet_int(fleet, &next, "SELECT id FROM "
	    "agent WHERE id = ? AND next_key = ?", "it", agent, text) != 0)
		return -1;
	if (next == ABSENT)
		return 0;
	log_info("roster", "agent %lld has changed its key",
	    (long long)agent);
	return fleet_do(fleet, "UPDATE agent SET key = ?, next_key = NULL "
	    "WHERE id = ?", "bi", (const void *)key, KEY_LEN, agent);
}

int
roster_revoke(struct fleet *fleet, const char *jid, char *why,
    size_t why_size)
{
	struct entry	e;

	snprintf(why, why_size, "the store failed");
	if (fleet_begin(fleet) != 0 || load(fleet, jid, &e) != 0)
		return -1;
	if (e.id == 0) {
		snprintf(why, why_size, "no such agent");
		return -1;
	}
	if (fleet_tell(fleet) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE agent SET state = 'revoked', "
	    "next_key = NULL, token_hash = NULL, token_expires = NULL WHERE id = ?", "i", e.id);
}

int
roster_presence(struct fleet *fleet, int64_t centre, const char *jid,
    const char *presence, int64_t now_ms)
{
	int64_t	agent;

	if (centre == 0)
		return 0;
	if (fleet_begin(fleet) != 0 || fleet_int(fleet, &agent,
	    "UPDATE agent SET presence = ?1, "
	    "centre = CASE WHEN ?1 <> 'unavailable' THEN ?2 END, "
	    "last_seen = CASE WHEN ?1 = 'available' OR "
	    "(?1 <> 'silent' AND presence = 'available') THEN ?3 "
	    "ELSE last_seen END WHERE jid = ?4 AND (?1 = 'available' OR "
	    "centre IS NULL OR centre = ?2) RETURNING id", "tiit", presence,
	    centre, now_ms, jid) != 0)
		return -1;
	return agent == ABSENT ? 1 : 0;
}

int
roster_status(struct fleet *fleet, const char *jid, const char *status)
{
	const char	*text = status == NULL ? "" : log_safe(status);
	int64_t		 news;

	/* Presence is cheap to send: what says nothing new writes nothing. */
	if (fleet_int(fleet, &news, "SELECT 1 FROM agent WHERE jid = ? AND "
	    "coalesce(status, '') <> ?", "tt", jid, text) != 0)
		return -1;
	if (news == ABSENT)
		return 0;
	if (fleet_begin(fleet) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE agent SET status = ? WHERE jid = ?",
	    "tt", text, jid);
}

int
roster_presence_reset(struct fleet *fleet, int64_t centre)
{
	if (fleet_begin(fleet) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE agent SET presence = 'unavailable', "
	    "centre = NULL WHERE centre = ?", "i", centre);
}

int
roster_hold(struct fleet *fleet, int64_t agent)
{
	int64_t	active;

	if (fleet_begin(fleet) != 0)
		return -1;
	if (fleet->held == agent)
		return 0;
	if (fleet_int(fleet, &active, "SELECT CASE state WHEN 'active' THEN 1 "
	    "END FROM agent WHERE id = ?" FLEET_LOCK, "i", agent) != 0 ||
	    active == ABSENT)
		return -1;
	fleet->held = agent;
	return 0;
}

int
roster_each(struct fleet *fleet, void (*fn)(void *arg,
    const struct roster_agent *), void *arg)
{
	struct roster_agent	 agent;
	struct fleet_stmt	*stmt;
	int			 rc;

	stmt = fleet_bind(fleet, "SELECT id, jid, state = 'revoked', "
	    "centre IS NOT NULL FROM agent ORDER BY id", "");
	if (stmt == NULL)
		return -1;
	while ((rc = fleet_step(fleet, stmt)) == 1) {
		agent.id = fleet_number(stmt, 0);
		agent.jid = fleet_text(stmt, 1);
		agent.revoked = fleet_number(stmt, 2) == 1;
		agent.there = fleet_number(stmt, 3) == 1;
		fn(arg, &agent);
	}
	return rc;
}
