/*
 * The store by itself: what it says when it cannot be used, what a failure
 * leaves behind, versions, and several that work with one.
 */
#include "central/fleet.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "central/centres.h"
#include "central/layout.h"
#include "tests/unit/central/fixture.h"

static struct buf	said;

static void
listen_in(void *arg, enum log_level level, const char *line)
{
	buf_printf(&said, "%s\n", line);
}

static int
begin_test(void **state)
{
	int	rc;

	rc = set_up(state);
	buf_reset(&said);
	log_hook(listen_in, NULL);
	return rc;
}

static int
end_test(void **state)
{
	buf_free(&said);
	return tear_down(state);
}

#define assert_said(text) do { \
	if (said.data == NULL || strstr(said.data, text) == NULL) \
		fail_msg("no \"%s\" in %s", text, said.data); \
} while (0)

static void
refuses(struct fixture *f, const char *url, const char *password,
    const char *text)
{
	struct fleet_source	source = { .path = f->path, .url = url,
				    .password = password };

	buf_reset(&said);
	assert_null(fleet_open(&source, FLEET_WRITE));
	assert_said(text);
	assert_said("cannot be used");
}

/* With a few words changed: "/postgres?" to "/none?" is another database. */
static const char *
other_url(struct fixture *f, const char *from, const char *to)
{
	static char	 out[640];
	const char	*at = strstr(f->url, from);

	assert_non_null(at);
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - f->url), f->url, to,
	    at + strlen(from));
	return out;
}

static void
says_what_is_wrong(void **state)
{
	struct fixture	*f = *state;

	refuses(f, "postgresql://x@127.0.0.1:1/x", NULL, "cannot connect");
	assert_said("Connection refused");
	refuses(f, other_url(f, "/postgres?", "/none?"), NULL,
	    "database \"none\" does not exist");
	refuses(f, other_url(f, "platen@", "nobody_here@"), "sesame",
	    "nobody_here");
	/* Not where it would be read, but never in a text either. */
	assert_null(strstr(said.data, "sesame"));
	refuses(f, other_url(f, f->schema, "no_such_schema"), NULL,
	    "no schema to work in");
	beside(f, "CREATE SCHEMA IF NOT EXISTS empty_one");
	refuses(f, other_url(f, f->schema, "empty_one"), NULL,
	    "\"platen-central init\" makes it");
	beside(f, "CREATE TABLE empty_one.other (x int)");
	refuses(f, other_url(f, f->schema, "empty_one"), NULL,
	    "no platen-central store");
	beside(f, "DROP SCHEMA empty_one CASCADE");
}

/* What takes connections and never says a word is given up. */
static void
says_nothing(void **state)
{
	struct fixture		*f = *state;
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(sin);
	char			*url;
	int			 fd;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	url = xasprintf("postgresql://x@127.0.0.1:%d/x", ntohs(sin.sin_port));
	refuses(f, url, NULL, "no answer");
	free(url);
	close(fd);
}

static void
needs_privileges(void **state)
{
	struct fixture		*f = *state;
	struct fleet_source	 source = { .path = f->path };

	beside(f, "CREATE ROLE visitor LOGIN");
	beside(f, "CREATE SCHEMA bare; GRANT USAGE ON SCHEMA bare TO visitor");
	source.url = xstrdup(other_url(f, "platen@", "visitor@"));
	strcpy(strstr(source.url, f->schema), "bare");
	assert_null(fleet_open(&source, FLEET_CREATE));
	assert_said("permission denied for schema bare");
	assert_said("GRANT CREATE ON SCHEMA");
	free((char *)(uintptr_t)source.url);
	beside(f, "DROP SCHEMA bare; DROP ROLE visitor");
}

static void
versions(void **state)
{
	struct fixture	*f = *state;
	struct fleet	*second;

	beside(f, "UPDATE schema_version SET version = 77");
	assert_null(fleet_open(&f->source, FLEET_WRITE));
	assert_said("version 77");
	assert_null(fleet_open(&f->source, FLEET_READ));
	beside(f, "UPDATE schema_version SET version = 2");
	/* A column that a newer program has is added, with nothing lost. */
	tell(f, 1, WHOLE(LASER, "L1"));
	beside(f, "ALTER TABLE asset DROP COLUMN zone");
	second = fleet_open(&f->source, FLEET_WRITE);
	assert_non_null(second);
	fleet_close(second);
	assert_get(f, "SELECT count(*) FROM asset WHERE zone IS NULL", "1");
}

static char *
read_file(const char *path)
{
	FILE	*in;
	char	*text;
	size_t	 len;

	in = fopen(path, "r");
	assert_non_null(in);
	text = xcalloc(1, 65536);
	len = fread(text, 1, 65535, in);
	assert_true(len > 0);
	fclose(in);
	return text;
}

/* The value of a change had one column, of any type. */
static void
from_version_1(void **state)
{
	struct fixture	*f = *state;
	sqlite3		*db;
	char		*sql;

	fleet_close(f->fleet);
	unlink(f->path);
	sql = read_file("tests/data/fleet-v1.sql");
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(sql);
	/* A listing changes nothing, and says who does. */
	assert_null(fleet_open(&f->source, FLEET_READ));
	assert_said("\"platen-central init\" brings it there");
	f->fleet = fleet_open(&f->source, FLEET_WRITE);
	assert_non_null(f->fleet);
	assert_get(f, "SELECT group_concat(field || '=' || coalesce(number || "
	    "'n', text || 't', '-')) FROM history",
	    "total=100n,location=Floor 2t,tag=42t,firmware=-");
	assert_get(f, "SELECT version FROM schema_version", "2");
	assert_get(f, "SELECT presence FROM agent", "unavailable");
	f->agent = 1;
	/* The one queue that there was is the urgent lane. */
	assert_int_equal(tell(f, 2, ""), TELL_REFUSED);
	assert_string_equal(f->answer.refused[0].reason, "it made no sense");
	assert_int_equal(tell(f, 3, "<asset id='" LASER "'><location>Barn"
	    "</location></asset>"), APPLY_DONE);
	assert_get(f, "SELECT text FROM history WHERE seq = 3", "Barn");
}

/* Whenever it comes to light, at the commit at last: nothing of it stays. */
static void
all_or_nothing(void **state)
{
	struct fixture	*f = *state;
	int64_t		 id;

	assert_int_equal(fleet_begin(f->fleet), 0);
	assert_int_equal(fleet_int(f->fleet, &id, "UPDATE agent SET customer "
	    "= ? WHERE id = ? RETURNING id", "ti", "Acme", f->agent), 0);
	assert_int_equal(id, f->agent);
	/* A second row with that name; then some that are right. */
	fleet_do(f->fleet, "UPDATE agent SET name = ? WHERE id = ?", "ti",
	    "site8", f->agent);
	fleet_do(f->fleet, "UPDATE agent SET customer = ? WHERE id = ?", "ti",
	    "Umbrella", f->other);
	assert_int_equal(fleet_commit(f->fleet), -1);
	assert_false(fleet_in_transaction(f->fleet));
	assert_get(f, "SELECT count(*) FROM agent WHERE customer IS NULL",
	    "2");
	assert_said("statement failed");
	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_DONE);
	assert_said("works again");
}

/* Numbers, texts, blobs and nothing, in and out. */
static void
values(void **state)
{
	struct fixture		*f = *state;
	struct fleet_stmt	*stmt;
	const void		*blob;
	int			 len;

	assert_int_equal(fleet_begin(f->fleet), 0);
	assert_int_equal(fleet_do(f->fleet, "UPDATE agent SET customer = ?3, "
	    "other_key_at = ?1, other_key = ?2 WHERE customer IS NULL AND "
	    "id = ?4", "ibti", INT64_MIN + 5, (const void *)"a\0'b", 4,
	    "?1 'quo\"ted' \xc3\xbc /*! x */", f->agent), 0);
	stmt = fleet_bind(f->fleet, "SELECT other_key_at, other_key, "
	    "customer, token_expires, '?' || jid FROM agent WHERE id = ?",
	    "i", f->agent);
	assert_int_equal(fleet_step(f->fleet, stmt), 1);
	assert_int_equal(fleet_number(stmt, 0), INT64_MIN + 5);
	blob = fleet_blob(stmt, 1, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(blob, "a\0'b", 4);
	assert_string_equal(fleet_text(stmt, 2),
	    "?1 'quo\"ted' \xc3\xbc /*! x */");
	assert_int_equal(fleet_number(stmt, 3), ABSENT);
	assert_null(fleet_text(stmt, 3));
	assert_string_equal(fleet_text(stmt, 4), "?site7@example.org");
	assert_int_equal(fleet_step(f->fleet, stmt), 0);
	fleet_rollback(f->fleet);
}

/* A listing that is longer than what is fetched at a time, with a second
 * question for each row, in one snapshot. */
static void
long_listing(void **state)
{
	struct fixture		*f = *state;
	struct fleet_stmt	*stmt;
	int64_t			 same;
	char			 jid[64];
	int			 i, rows = 0, rc;

	for (i = 0; i < 1001; i++) {
		snprintf(jid, sizeof(jid), "a%04d@example.org", i);
		assert_int_equal(fleet_begin(f->fleet), 0);
		assert_int_equal(fleet_do(f->fleet, "INSERT INTO agent (jid, "
		    "name, state, made_at) VALUES (?1, ?1, 'revoked', 0)",
		    "t", jid), 0);
	}
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(fleet_begin_read(f->fleet), 0);
	stmt = fleet_query(f->fleet, "SELECT jid FROM agent WHERE state = ?1 "
	    "ORDER BY jid");
	fleet_put_text(stmt, 1, "revoked");
	while ((rc = fleet_step(f->fleet, stmt)) == 1) {
		snprintf(jid, sizeof(jid), "a%04d@example.org", rows++);
		assert_string_equal(fleet_text(stmt, 0), jid);
		assert_int_equal(fleet_int(f->fleet, &same, "SELECT count(*) "
		    "FROM agent WHERE jid = ?", "t", jid), 0);
		assert_int_equal(same, 1);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(rows, 1001);
	fleet_drop(stmt);
	fleet_rollback(f->fleet);
}

/* Other tests may use the same server. */
static void
cut(struct fixture *f)
{
	char	*sql;

	sql = xasprintf("SELECT pg_terminate_backend(pid) FROM "
	    "pg_stat_activity WHERE pid <> pg_backend_pid() AND "
	    "application_name = '%s'", f->schema);
	beside(f, sql);
	free(sql);
}

/* The connection goes in the middle of a transaction: said once, nothing of
 * it stays, and a moment later all goes on. */
static void
cut_off(void **state)
{
	struct fixture	*f = *state;
	unsigned	 connections = fleet_connections(f->fleet);
	int64_t		 until = clock_mono_ms() + 30000;

	assert_int_equal(tell_as(f, f->agent, EPOCH, 1, WHOLE(LASER, "L1")),
	    APPLY_DONE);
	cut(f);
	tell_as(f, f->agent, EPOCH, 2, "");
	assert_int_equal(fleet_commit(f->fleet), -1);
	/* What others told meanwhile did not arrive: there is news. */
	while (!fleet_changed(f->fleet)) {
		assert_true(clock_mono_ms() < until);
		usleep(20000);
	}
	assert_int_equal(fleet_connections(f->fleet), connections + 1);
	assert_get(f, "SELECT count(*) FROM asset", "0");
	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_DONE);
	assert_said("works again");
}

/* Two processes with one agent's reports: one of them takes each. */
static void
one_takes_it(void **state)
{
	struct fixture	*f = *state;
	struct fixture	 g;

	g = *f;
	g.fleet = fleet_open(&f->source, FLEET_WRITE);
	assert_non_null(g.fleet);
	assert_int_equal(tell_as(f, f->agent, EPOCH, 1, WHOLE(LASER, "L1")),
	    APPLY_DONE);
	/* Another agent's are not in the way. */
	assert_int_equal(tell_as(&g, f->other, EPOCH, 1, WHOLE(INKJET, "I1")),
	    APPLY_DONE);
	assert_int_equal(fleet_commit(g.fleet), 0);
	/* Not for ever; what waits in vain fails as a whole. */
	assert_int_equal(tell_as(&g, f->agent, EPOCH, 1, WHOLE(LASER, "L1")),
	    APPLY_FAILED);
	assert_int_equal(fleet_commit(g.fleet), -1);
	assert_said("lock timeout");
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_int_equal(tell(&g, 1, WHOLE(LASER, "L1")), APPLY_SEEN);
	assert_int_equal(tell(&g, 2, ""), APPLY_DONE);
	assert_int_equal(tell(f, 2, ""), APPLY_SEEN);
	assert_get(f, "SELECT count(*) FROM history WHERE record = 1 AND "
	    "epoch = (SELECT id FROM epoch WHERE agent = 1)", "1");
	apply_answer_clear(&g.answer);
	fleet_close(g.fleet);
}

static void
revoked_at_once(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell(f, 1, ""), APPLY_DONE);
	beside(f, "UPDATE agent SET state = 'revoked' WHERE id = 1");
	assert_int_equal(tell_as(f, f->agent, EPOCH, 2, ""), APPLY_FAILED);
	fleet_rollback(f->fleet);
	assert_get(f, "SELECT last_seq FROM epoch", "1");
}

#undef AT
#define AT	"SELECT presence || coalesce(centre, 0) FROM agent WHERE id = 1"

/* Two that live have the places of three, and give back what is too much. */
static void
share_places(struct fleet *first, int64_t one, struct fleet *second,
    int64_t two)
{
	int	ours, all;

	assert_int_equal(centres_places(first, one, 3, false, &ours, &all), 0);
	assert_int_equal(ours * 10 + all, 12);
	assert_int_equal(centres_places(first, one, 3, true, &ours, &all), 0);
	assert_int_equal(ours * 10 + all, 23);
	assert_int_equal(centres_places(second, two, 3, true, &ours, &all),
	    0);
	assert_int_equal(ours * 10 + all, 13);
	assert_int_equal(centres_places(second, two, 2, true, &ours, &all),
	    0);
	assert_int_equal(ours * 10 + all, 13);
	assert_int_equal(centres_places(first, one, 2, true, &ours, &all), 0);
	assert_int_equal(ours * 10 + all, 12);
	assert_int_equal(centres_places(first, one, 1, true, &ours, &all), 0);
	assert_int_equal(ours * 10 + all, 12);
}

static void
processes(void **state)
{
	struct fixture	*f = *state;
	struct fleet	*second;
	int64_t		 one = 0, two = 0, now = f->now;
	char		*expected;
	int64_t		 until = clock_mono_ms() + 30000;
	bool		 moved;
	int		 dead;

	assert_int_equal(centres_join(f->fleet, &one, &moved, now), 0);
	assert_int_equal(roster_presence(f->fleet, one, "site7@example.org",
	    "available", now), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	second = fleet_open(&f->source, FLEET_WRITE);
	assert_int_equal(centres_join(second, &two, &moved, now), 0);
	assert_int_not_equal(one, two);
	if (!on_postgresql()) {
		/* It is alone: the other is what it left behind. */
		assert_get(f, AT, "unavailable0");
		fleet_close(second);
		return;
	}
	expected = xasprintf("available%d", (int)one);
	assert_get(f, AT, expected);
	/* That it hears nothing means nothing to the other one. */
	assert_int_equal(roster_presence(second, two, "site7@example.org",
	    "silent", now), 1);
	assert_int_equal(roster_presence(second, two, "site7@example.org",
	    "unavailable", now), 1);
	assert_int_equal(fleet_commit(second), 0);
	assert_get(f, AT, expected);
	free(expected);
	assert_int_equal(roster_presence(second, two, "site7@example.org",
	    "available", now), 0);
	assert_int_equal(fleet_commit(second), 0);
	expected = xasprintf("available%d", (int)two);
	assert_get(f, AT, expected);
	free(expected);
	share_places(f->fleet, one, second, two);
	/* Its end is that of its connection. */
	assert_int_equal(centres_bury(f->fleet, one, &dead), 0);
	assert_int_equal(dead, 0);
	fleet_close(second);
	while (dead == 0) {
		assert_true(clock_mono_ms() < until);
		assert_int_equal(centres_bury(f->fleet, one, &dead), 0);
		usleep(20000);
	}
	assert_int_equal(dead, 1);
	assert_get(f, AT, "unavailable0");
	assert_get(f, "SELECT count(*) FROM centre", "1");
	assert_int_equal(centres_leave(f->fleet, one, &moved), 0);
	assert_false(moved);
	assert_get(f, "SELECT count(*) FROM centre", "0");
}

/* The connection was lost and made anew: another number, the same agents. */
static void
joins_again(void **state)
{
	struct fixture	*f = *state;
	int64_t		 centre = 0, before;
	char		*expected;
	bool		 moved;

	assert_int_equal(centres_join(f->fleet, &centre, &moved, f->now), 0);
	assert_int_equal(roster_presence(f->fleet, centre,
	    "site7@example.org", "available", f->now), 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	before = centre;
	assert_int_equal(centres_join(f->fleet, &centre, &moved, f->now), 0);
	assert_int_not_equal(centre, before);
	assert_false(moved);
	expected = xasprintf("available%d", (int)centre);
	assert_get(f, AT, expected);
	free(expected);
	beside(f, "DELETE FROM centre");
	assert_int_equal(centres_join(f->fleet, &centre, &moved, f->now), 0);
	assert_true(moved);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, begin_test, end_test)
#define BOTH	TEST(versions), TEST(all_or_nothing), TEST(values), \
		TEST(long_listing), TEST(revoked_at_once), TEST(processes), \
		TEST(joins_again)

int
main(void)
{
	const struct CMUnitTest	postgresql[] = {
		BOTH, TEST(says_what_is_wrong), TEST(says_nothing),
		TEST(needs_privileges),
		TEST(cut_off), TEST(one_takes_it),
	};
	const struct CMUnitTest	sqlite[] = {
		BOTH, TEST(from_version_1),
	};

	return on_postgresql() ?
	    cmocka_run_group_tests(postgresql, NULL, NULL) :
	    cmocka_run_group_tests(sqlite, NULL, NULL);
}
