/*
 * A fleet in a directory of its own, or with PLATEN_TEST_PG (the URL of a
 * database; tests/cluster.py makes one) in a schema of its own; an agent in
 * it, and reports for it.
 */
#ifndef TESTS_UNIT_CENTRAL_FIXTURE_H
#define TESTS_UNIT_CENTRAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/apply.h"
#include "central/epoch.h"
#include "central/fleet.h"
#include "central/roster.h"
#include "schema/report.h"
#include "schema/xmltree.h"

#define EPOCH	"00000000-0000-4000-8000-0000000000e1"
#define EPOCH2	"00000000-0000-4000-8000-0000000000e2"
#define LASER	"00000000-0000-4000-8000-000000000001"
#define INKJET	"00000000-0000-4000-8000-000000000002"
#define AGAIN	"00000000-0000-4000-8000-000000000003"
#define BLACK	"00000000-0000-4000-8000-0000000000b1"
#define BLACK2	"00000000-0000-4000-8000-0000000000b2"
#define JAM	"00000000-0000-4000-8000-0000000000a1"
#define JAM2	"00000000-0000-4000-8000-0000000000a2"
#define COVER	"00000000-0000-4000-8000-0000000000a3"
#define AT	"<time>2026-11-20T19:30:00.000Z</time>"

/* What a printer is told as at first, and its supply and its alert. */
#define WHOLE(id, serial) \
	"<asset id='" id "'><key>S:acme:" serial "</key>" \
	"<strength>serial</strength><make>Acme</make><model>Laser 9</model>" \
	"<serial>" serial "</serial><location>Floor 2</location>" \
	"<state>online</state><errors>none</errors>" AT \
	"<counter name='total' unit='impressions' check='ok' " \
	"oid='1.3.6.1.2.1.43.10.2.1.4.1.1'>100</counter>" \
	"</asset>"
#define SUPPLY(id, asset, level) \
	"<consumable id='" id "' asset='" asset "'><index>1</index>" \
	"<kind>toner</kind><colour>black</colour><class>consumed</class>" \
	"<description>Black Toner</description><level>" level "</level>" \
	"<capacity>100</capacity><percent>" level "</percent>" \
	"<state>ok</state>" AT "</consumable>"
#define ALERT(id, asset) \
	"<alert id='" id "' asset='" asset "'><index>7</index>" \
	"<code>8</code><code_name>jam</code_name><severity>critical" \
	"</severity><description>Paper jam</description>" \
	"<raised>2026-11-20T19:31:00.000Z</raised></alert>"

struct fixture {
	char		 dir[64], path[96], url[512], schema[64];
	struct fleet_source source;
	struct fleet	*fleet;
	int64_t		 agent, other;
	int64_t		 now;
	struct apply_answer answer;
};

static const uint8_t	key_a[KEY_LEN] = { 1, 2, 3 };
static const uint8_t	key_b[KEY_LEN] = { 4, 5, 6 };

static inline void
quiet(void *arg, enum log_level level, const char *line)
{
}

static inline int64_t
make_agent(struct fixture *f, const char *name, const char *jid)
{
	char	token[ROSTER_TOKEN_MAX], why[120];
	int64_t	agent;

	assert_int_equal(roster_enrol(f->fleet, name, jid, NULL, 1000, f->now,
	    token, why, sizeof(why)), 0);
	assert_int_equal(roster_admit(f->fleet, jid, key_a, token, f->now,
	    &agent, why, sizeof(why)), ROSTER_ADMITTED);
	assert_int_equal(fleet_commit(f->fleet), 0);
	return agent;
}

static inline bool
on_postgresql(void)
{
	return getenv("PLATEN_TEST_PG") != NULL;
}

/* Another connection to the database, as an operator's tool has one. */
static inline void
beside(struct fixture *f, const char *sql)
{
	PGconn		*conn;
	PGresult	*result;
	sqlite3		*db;

	if (!on_postgresql()) {
		assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL),
		    SQLITE_OK);
		sqlite3_close(db);
		return;
	}
	conn = PQconnectdb(f->url);
	assert_int_equal(PQstatus(conn), CONNECTION_OK);
	PQclear(PQexec(conn, "SET client_min_messages = error"));
	result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQclear(PQexec(conn, "NOTIFY platen_fleet"));
	PQfinish(conn);
}

/* A store that takes some more and then fails, until it is mended. */
static inline void
break_store(struct fixture *f)
{
	if (on_postgresql())
		beside(f, "ALTER TABLE asset ADD CONSTRAINT full_now "
		    "CHECK (location <> 'place 40')");
	else
		assert_int_equal(fleet_exec(f->fleet,
		    "PRAGMA max_page_count = 30"), 0);
}

static inline void
mend_store(struct fixture *f)
{
	if (on_postgresql())
		beside(f, "ALTER TABLE asset DROP CONSTRAINT full_now");
	else
		assert_int_equal(fleet_exec(f->fleet,
		    "PRAGMA max_page_count = 1000000"), 0);
}

/* The process's number keeps programs that run beside each other apart. */
static inline void
make_place(struct fixture *f)
{
	char	*sql;

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-central-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/fleet.db", f->dir);
	f->source.path = f->path;
	if (!on_postgresql())
		return;
	snprintf(f->schema, sizeof(f->schema), "test_%d", (int)getpid());
	snprintf(f->url, sizeof(f->url), "%s?options=-csearch_path%%3D%s"
	    "&application_name=%s", getenv("PLATEN_TEST_PG"), f->schema,
	    f->schema);
	f->source.url = f->url;
	sql = xasprintf("CREATE SCHEMA %s", f->schema);
	beside(f, sql);
	free(sql);
	/* SQLite's, for the questions of the tests. */
	beside(f, "CREATE FUNCTION list(text, text) RETURNS text LANGUAGE sql "
	    "AS 'SELECT CASE WHEN $1 IS NULL THEN $2 ELSE $1 || '','' || $2 "
	    "END'; CREATE AGGREGATE group_concat(text) (SFUNC = list, "
	    "STYPE = text)");
}

static inline void
remove_place(struct fixture *f)
{
	static const char *const	 ends[] = { "", "-wal", "-shm" };
	char				*text;
	size_t				 i;

	for (i = 0; i < 3; i++) {
		text = xasprintf("%s%s", f->path, ends[i]);
		unlink(text);
		free(text);
	}
	assert_int_equal(rmdir(f->dir), 0);
	if (!on_postgresql())
		return;
	text = xasprintf("DROP SCHEMA %s CASCADE", f->schema);
	beside(f, text);
	free(text);
}

static inline int
set_up(void **state)
{
	struct fixture	*f;

	log_hook(quiet, NULL);
	assert_int_equal(key_library_init(), 0);
	f = xcalloc(1, sizeof(*f));
	make_place(f);
	f->fleet = fleet_open(&f->source, FLEET_CREATE);
	assert_non_null(f->fleet);
	f->now = INT64_C(1790000000000);
	f->agent = make_agent(f, "site7", "site7@example.org");
	f->other = make_agent(f, "site8", "site8@example.org");
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture	*f = *state;

	apply_answer_clear(&f->answer);
	fleet_close(f->fleet);
	remove_place(f);
	free(f);
	return 0;
}

#define TELL_REFUSED	(APPLY_FAILED + 1)

/* Applies a message without a commit. */
static inline int
tell_message(struct fixture *f, int64_t agent, const char *xml)
{
	struct apply_frame	 frame;
	xmlDoc			*doc;
	char			 why[120];

	f->now += 1000;
	apply_answer_clear(&f->answer);
	if ((doc = xmltree_parse(xml, strlen(xml), why, sizeof(why))) == NULL)
		fail_msg("%s: %s", why, xml);
	assert_int_equal(apply_frame_read(xmlDocGetRootElement(doc), &frame),
	    0);
	apply_reports(f->fleet, agent, &frame, xmlDocGetRootElement(doc),
	    f->now, &f->answer);
	xmlFreeDoc(doc);
	return f->answer.refused_len > 0 ? TELL_REFUSED :
	    (int)f->answer.verdict;
}

/* One report, and its turn is its number. */
static inline int
tell_as(struct fixture *f, int64_t agent, const char *epoch, int64_t seq,
    const char *records)
{
	char	*xml;
	int	 rc;

	xml = xasprintf("<reports xmlns='" REPORT_NS "' epoch='%s' "
	    "lane='urgent' first='%lld' last='%lld'><report seq='%lld' "
	    "turn='%lld'>%s</report></reports>", epoch, (long long)seq,
	    (long long)seq, (long long)seq, (long long)seq, records);
	rc = tell_message(f, agent, xml);
	free(xml);
	return rc;
}

static inline int
tell(struct fixture *f, int64_t seq, const char *records)
{
	int	verdict;

	verdict = tell_as(f, f->agent, EPOCH, seq, records);
	assert_int_equal(fleet_commit(f->fleet), 0);
	return verdict;
}

/* What a question with one answer gives, as text; "" for nothing. */
static inline const char *
get(struct fixture *f, const char *sql)
{
	static char		 out[4][256];
	static int		 turn;
	struct fleet_stmt	*stmt;
	const char		*text;
	char			*to = out[turn++ % 4], *wrapped;

	to[0] = '\0';
	wrapped = xasprintf("SELECT CAST((%s) AS TEXT)", sql);
	stmt = fleet_query(f->fleet, wrapped);
	assert_non_null(stmt);
	if (fleet_step(f->fleet, stmt) == 1 &&
	    (text = fleet_text(stmt, 0)) != NULL)
		snprintf(to, sizeof(out[0]), "%s", text);
	fleet_drop(stmt);
	free(wrapped);
	return to;
}

#define assert_get(f, sql, expected) \
	assert_string_equal(get(f, sql), expected)

#endif
