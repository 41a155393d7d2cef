/* Enrolment, tokens, approval: who is let in, and with which key. */
#include "tests/unit/central/fixture.h"

#define JID	"new@example.org"

static char	why[160];
static int64_t	agent;

static enum roster_verdict
come(struct fixture *f, const uint8_t *key, const char *token)
{
	enum roster_verdict	verdict;

	verdict = roster_admit(f->fleet, JID, key, token, f->now, &agent, why,
	    sizeof(why));
	assert_int_equal(fleet_commit(f->fleet), 0);
	return verdict;
}

static void
enrol(struct fixture *f, char *token)
{
	assert_int_equal(roster_enrol(f->fleet, "new", JID, "Acme", 60000,
	    f->now, token, why, sizeof(why)), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
}

#define STATE	"SELECT state FROM agent WHERE jid = '" JID "'"

static void
token_works_once(void **state)
{
	struct fixture	*f = *state;
	char		 token[ROSTER_TOKEN_MAX];

	enrol(f, token);
	assert_int_equal(strlen(token), 43);
	assert_get(f, STATE, "enrolled");
	assert_int_equal(come(f, key_a, token), ROSTER_ADMITTED);
	assert_get(f, STATE, "active");
	/* The same agent may go on to show it, another may not. */
	assert_int_equal(come(f, key_a, token), ROSTER_ADMITTED);
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);
	assert_int_equal(come(f, key_b, token), ROSTER_WRONG);
	assert_int_equal(come(f, key_b, NULL), ROSTER_WRONG);
	assert_get(f, on_postgresql() ? "SELECT substr(encode(other_key, "
	    "'hex'), 1, 6) FROM agent WHERE jid = '" JID "'" :
	    "SELECT substr(hex(other_key), 1, 6) FROM agent WHERE jid = '" JID
	    "'", "040506");
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);
}

static void
token_is_not_stored(void **state)
{
	struct fixture	*f = *state;
	char		 token[ROSTER_TOKEN_MAX], *sql;

	enrol(f, token);
	sql = xasprintf("SELECT count(*) FROM agent WHERE "
	    "CAST(token_hash AS TEXT) = '%s' OR token_hash = CAST('%s' AS "
	    "%s)", token, token, on_postgresql() ? "BYTEA" : "BLOB");
	assert_get(f, sql, "0");
	free(sql);
	assert_get(f, "SELECT length(token_hash) FROM agent WHERE jid = '" JID
	    "'", "32");
}

static void
wrong_token(void **state)
{
	struct fixture	*f = *state;
	char		 token[ROSTER_TOKEN_MAX];

	enrol(f, token);
	assert_int_equal(come(f, key_a, "wrong"), ROSTER_WRONG);
	assert_get(f, STATE, "enrolled");
	assert_int_equal(come(f, key_a, token), ROSTER_ADMITTED);
}

static void
token_expires(void **state)
{
	struct fixture	*f = *state;
	char		 token[ROSTER_TOKEN_MAX];

	enrol(f, token);
	f->now += 60000;
	assert_int_equal(come(f, key_a, token), ROSTER_WAITS);
	assert_non_null(strstr(why, "expired"));
	assert_get(f, STATE, "pending");
}

static void
new_token_replaces(void **state)
{
	struct fixture	*f = *state;
	char		 one[ROSTER_TOKEN_MAX], two[ROSTER_TOKEN_MAX];

	enrol(f, one);
	enrol(f, two);
	assert_int_equal(come(f, key_a, one), ROSTER_WRONG);
	assert_int_equal(come(f, key_a, two), ROSTER_ADMITTED);
	/* The agent was installed anew: its old key goes on until then. */
	enrol(f, one);
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);
	assert_int_equal(come(f, key_b, one), ROSTER_ADMITTED);
	assert_int_equal(come(f, key_a, NULL), ROSTER_WRONG);
	assert_int_equal(come(f, key_b, NULL), ROSTER_ADMITTED);
}

static void
approval(void **state)
{
	struct fixture	*f = *state;
	uint8_t		 key[KEY_LEN];

	assert_int_equal(come(f, key_a, NULL), ROSTER_WAITS);
	assert_get(f, STATE, "pending");
	/* The first key is the one that waits. */
	assert_int_equal(come(f, key_b, NULL), ROSTER_WAITS);
	assert_int_equal(roster_approve(f->fleet, JID, key, why,
	    sizeof(why)), 0);
	assert_memory_equal(key, key_a, KEY_LEN);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(come(f, key_b, NULL), ROSTER_WRONG);
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);
	assert_int_equal(roster_approve(f->fleet, JID, key, why,
	    sizeof(why)), -1);
	assert_int_equal(roster_approve(f->fleet, "no@example.org", key, why,
	    sizeof(why)), -1);
	fleet_rollback(f->fleet);
}

static void
revocation(void **state)
{
	struct fixture	*f = *state;
	uint8_t		 key[KEY_LEN];
	char		 token[ROSTER_TOKEN_MAX];

	enrol(f, token);
	assert_int_equal(come(f, key_a, token), ROSTER_ADMITTED);
	assert_int_equal(roster_revoke(f->fleet, JID, why, sizeof(why)), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(come(f, key_a, NULL), ROSTER_FORBIDDEN);
	assert_int_equal(come(f, key_a, token), ROSTER_FORBIDDEN);
	assert_int_equal(roster_approve(f->fleet, JID, key, why,
	    sizeof(why)), -1);
	fleet_rollback(f->fleet);
	enrol(f, token);
	assert_int_equal(come(f, key_a, NULL), ROSTER_WAITS);
	assert_int_equal(come(f, key_b, token), ROSTER_ADMITTED);
}

static void
names(void **state)
{
	struct fixture	*f = *state;
	char		 token[ROSTER_TOKEN_MAX], jid[64];

	assert_int_equal(roster_enrol(f->fleet, "site7", JID, NULL, 1, f->now,
	    token, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "belongs to another"));
	fleet_rollback(f->fleet);
	assert_true(roster_name_valid("Acme, floor 2"));
	assert_true(roster_name_valid("M\xc3\xbcller"));
	assert_false(roster_name_valid(""));
	assert_false(roster_name_valid("a\nb"));
	assert_false(roster_name_valid("a;b"));
	assert_false(roster_name_valid("a\xff"));
	assert_false(roster_name_valid("x@y"));
	assert_int_equal(roster_jid("Site7@Example.ORG", jid, sizeof(jid)),
	    0);
	assert_string_equal(jid, "site7@example.org");
	assert_int_equal(roster_jid("a@b/c", jid, sizeof(jid)), -1);
}

static void
strangers_are_bounded(void **state)
{
	struct fixture	*f = *state;
	char		 jid[64];
	int		 i;

	for (i = 0; i < ROSTER_PENDING_MAX + 5; i++) {
		snprintf(jid, sizeof(jid), "stranger%d@example.org", i);
		assert_int_equal(roster_admit(f->fleet, jid, key_b,
		    "token", f->now, &agent, why, sizeof(why)),
		    ROSTER_WAITS);
	}
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) FROM agent WHERE state = 'pending'",
	    "1000");
}

/* A domain that is called as an agent is named. */
static void
strangers_take_no_names(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(roster_admit(f->fleet, "site7", key_b, NULL, f->now,
	    &agent, why, sizeof(why)), ROSTER_FORBIDDEN);
	assert_int_equal(roster_admit(f->fleet, "site9", key_b, NULL, f->now,
	    &agent, why, sizeof(why)), ROSTER_FORBIDDEN);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) FROM agent WHERE state = 'pending'",
	    "0");
}

static void
presence(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(roster_presence(f->fleet, 1, "site7@example.org",
	    "available", f->now), 0);
	assert_get(f, "SELECT presence || last_seen FROM agent WHERE id = 1",
	    "available1790000000000");
	assert_int_equal(roster_presence(f->fleet, 1, "site7@example.org",
	    "unavailable", f->now + 5), 0);
	assert_get(f, "SELECT presence || last_seen FROM agent WHERE id = 1",
	    "unavailable1790000000005");
	assert_int_equal(roster_presence(f->fleet, 1, "no@example.org",
	    "available", f->now), 1);
	assert_int_equal(fleet_commit(f->fleet), 0);
}

/* What it says of itself, fit for a screen; anew only when it is new. */
static void
status(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(roster_status(f->fleet, "site7@example.org",
	    "the store's disk\x1b is full"), 0);
	assert_get(f, "SELECT status FROM agent WHERE id = 1",
	    "the store's disk? is full");
	assert_int_equal(roster_status(f->fleet, "no@example.org", "x"), 0);
	assert_int_equal(roster_status(f->fleet, "site7@example.org", NULL),
	    0);
	assert_get(f, "SELECT status FROM agent WHERE id = 1", "");
	assert_int_equal(fleet_commit(f->fleet), 0);
}

/* A key that the agent has said will be its next: both are good until a
 * session has stood on it, then only that one. */
static void
key_changes(void **state)
{
	struct fixture	*f = *state;
	struct key	 next, third;
	char		 token[ROSTER_TOKEN_MAX];

	key_make(&next);
	key_make(&third);
	enrol(f, token);
	assert_int_equal(come(f, key_a, token), ROSTER_ADMITTED);
	assert_int_equal(come(f, next.public, NULL), ROSTER_WRONG);
	assert_int_equal(roster_offer(f->fleet, agent, third.public), 0);
	assert_int_equal(roster_offer(f->fleet, agent, next.public), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(come(f, third.public, NULL), ROSTER_WRONG);
	assert_int_equal(come(f, next.public, NULL), ROSTER_ADMITTED);
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);

	/* A session of the old one changes nothing. */
	assert_int_equal(roster_settle(f->fleet, agent, key_a), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(come(f, key_a, NULL), ROSTER_ADMITTED);
	assert_int_equal(roster_settle(f->fleet, agent, next.public), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(come(f, key_a, NULL), ROSTER_WRONG);
	assert_int_equal(come(f, next.public, NULL), ROSTER_ADMITTED);

	/* Nobody is let in by what was offered before he was shut out. */
	assert_int_equal(roster_offer(f->fleet, agent, third.public), 0);
	assert_int_equal(roster_revoke(f->fleet, JID, why, sizeof(why)), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(roster_offer(f->fleet, agent, third.public), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) FROM agent WHERE next_key IS NOT NULL",
	    "0");
	enrol(f, token);
	assert_int_equal(come(f, third.public, NULL), ROSTER_WAITS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(token_works_once),
		TEST(key_changes), TEST(token_is_not_stored),
		TEST(wrong_token), TEST(token_expires),
		TEST(new_token_replaces), TEST(approval), TEST(revocation),
		TEST(names), TEST(strangers_are_bounded),
		TEST(strangers_take_no_names), TEST(presence),
		TEST(status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
