/*
 * The fleet database in PostgreSQL (central/fleet_driver.h).
 *
 * Statements whose rows nobody waits for leave at once and their results are
 * read with the next one's that somebody does, or with the COMMIT's.  So a
 * report costs a handful of round trips, not one for each of its statements.
 * What fails makes the server skip the rest, and the transaction fail here.
 */
#include "central/fleet_driver.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "central/pgline.h"
#include "schema/record.h"

#define CONNECT_STEP_MS	100	/* once a second, in the loop of run */
#define PARAMS_MAX	64
#define FETCH_ROWS	"200"	/* of a listing, at a time */

/* From pg_type.dat: they never change. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23,
	OID_TEXT = 25 };

struct stmt {
	struct fleet_stmt	 base;
	char			*sql;		/* with $1 and so on */
	char			 name[16];
	bool			 once;
	unsigned		 prepared;	/* in this connection, or 0 */
	bool			 cursor;
	int			 len;		/* parameters */
	Oid			 type[PARAMS_MAX];
	const char		*value[PARAMS_MAX];
	int			 value_len[PARAMS_MAX];
	int			 format[PARAMS_MAX];
	int64_t			 number[PARAMS_MAX];	/* big endian */
	PGresult		*result;
	int			 row;
	bool			 running;
};

struct pg {
	struct pgline		 line;
	unsigned		 names;
	bool			 reading;	/* in a snapshot */
};

static struct pg *
pg_of(const struct fleet *fleet)
{
	return fleet->own;
}

static void
clear(struct stmt *s)
{
	PQclear(s->result);
	s->result = NULL;
	s->running = false;
}

/* ? is the next number, ?1 that one; quoted words stay as they are, and a
 * remark for PostgreSQL alone is taken for what it says. */
static char *
translate(const char *sql, int *params)
{
	struct buf	 out = { 0 };
	const char	*c;
	char		 quote = '\0';
	int		 most = 0, at;

	for (c = sql; *c != '\0'; c++) {
		if (quote != '\0' || *c == '\'' || *c == '"') {
			quote = quote == '\0' ? *c : *c == quote ? '\0' :
			    quote;
			buf_put(&out, c, 1);
		} else if (*c == '?') {
			at = c[1] >= '1' && c[1] <= '9' ?
			    (int)strtol(c + 1, NULL, 10) : most + 1;
			while (c[1] >= '0' && c[1] <= '9')
				c++;
			most = at > most ? at : most;
			buf_printf(&out, "$%d", at);
		} else if (strncmp(c, "/*!", 3) == 0)
			c += 2;
		else if (strncmp(c, "*/", 2) == 0)
			c++;
		else
			buf_put(&out, c, 1);
	}
	if (most > PARAMS_MAX)
		fatalx("fleet", "more than %d parameters", PARAMS_MAX);
	*params = most;
	return buf_take(&out);
}

/* The server sees it with what is bound first: that gives the types. */
static struct fleet_stmt *
prepare(struct fleet *fleet, const char *sql, bool once)
{
	struct pg	*pg = pg_of(fleet);
	struct stmt	*s;

	s = xcalloc(1, sizeof(*s));
	s->base.driver = &fleet_pg;
	s->base.sql = once ? NULL : sql;
	s->once = once;
	s->sql = translate(sql, &s->len);
	snprintf(s->name, sizeof(s->name), "p%u", pg->names++);
	return &s->base;
}

static struct stmt *
of(struct fleet_stmt *stmt)
{
	return (struct stmt *)stmt;
}

static void
put(struct fleet_stmt *stmt, int at, Oid type, const void *value, int len)
{
	struct stmt	*s = of(stmt);

	if (at < 1 || at > s->len)
		fatalx("fleet", "no parameter %d: %s", at, s->sql);
	at--;
	if (s->type[at] != type) {
		if (s->type[at] != 0)
			fatalx("fleet", "parameter %d is of another type: %s",
			    at + 1, s->sql);
		s->type[at] = type;
	}
	s->value[at] = value;
	s->value_len[at] = len;
	s->format[at] = 1;
}

static void
put_number(struct fleet_stmt *stmt, int at, int64_t value)
{
	struct stmt	*s = of(stmt);

	if (value == ABSENT || at < 1 || at > PARAMS_MAX) {
		put(stmt, at, OID_INT8, NULL, 0);
		return;
	}
	s->number[at - 1] = (int64_t)htobe64((uint64_t)value);
	put(stmt, at, OID_INT8, &s->number[at - 1], sizeof(value));
}

static void
put_text(struct fleet_stmt *stmt, int at, const char *text)
{
	put(stmt, at, OID_TEXT, text, text == NULL ? 0 : (int)strlen(text));
}

static void
put_blob(struct fleet_stmt *stmt, int at, const void *blob, int len)
{
	put(stmt, at, OID_BYTEA, blob, len);
}

/* Puts it, and before it that it is to be prepared, on the way. */
static int
send(struct pg *pg, struct stmt *s)
{
	struct pgline	*line = &pg->line;
	unsigned	 now = line->fleet->connections;

	if (pgline_make_room(line) != 0)
		return -1;
	if (s->prepared != now) {
		if (PQsendPrepare(line->conn, s->name, s->sql, s->len,
		    s->type) != 1)
			goto lost;
		s->prepared = now;
		pgline_sent(line, s->sql, &s->prepared);
	}
	if (PQsendQueryPrepared(line->conn, s->name, s->len, s->value,
	    s->value_len, s->format, 1) != 1)
		goto lost;
	pgline_sent(line, s->sql, NULL);
	return 0;
lost:
	pgline_lose(line, PQerrorMessage(line->conn));
	return -1;
}

/* For the caller's own statements; sql may be one that FETCHes. */
static int
send_once(struct pg *pg, struct stmt *s, const char *sql, int len)
{
	struct pgline	*line = &pg->line;

	if (pgline_make_room(line) != 0)
		return -1;
	if (PQsendQueryParams(line->conn, sql, len, s->type, s->value,
	    s->value_len, s->format, 1) != 1) {
		pgline_lose(line, PQerrorMessage(line->conn));
		return -1;
	}
	pgline_sent(line, s->sql, NULL);
	return 0;
}

/* A listing may be longer than memory: it comes in pieces where there is a
 * snapshot that they can be of. */
static int
fetch(struct pg *pg, struct stmt *s)
{
	char	*sql;
	int	 rc = 0;

	if (!s->cursor) {
		sql = xasprintf("DECLARE %s NO SCROLL CURSOR FOR %s", s->name,
		    s->sql);
		rc = send_once(pg, s, sql, s->len);
		free(sql);
		s->cursor = rc == 0;
	}
	if (rc != 0)
		return -1;
	sql = xasprintf("FETCH FORWARD " FETCH_ROWS " FROM %s", s->name);
	rc = send_once(pg, s, sql, 0);
	free(sql);
	return rc;
}

static int
execute(struct fleet *fleet, struct stmt *s)
{
	struct pg	*pg = pg_of(fleet);
	int		 rc;

	if (pgline_ready(&pg->line, 0) != 0)
		return -1;
	if (s->once && pg->reading)
		rc = fetch(pg, s);
	else if (s->once)
		rc = send_once(pg, s, s->sql, s->len);
	else
		rc = send(pg, s);
	if (rc != 0 || pgline_collect(&pg->line, &s->result) != 0)
		return -1;
	s->running = true;
	s->row = -1;
	return 0;
}

static int
step(struct fleet *fleet, struct fleet_stmt *stmt)
{
	struct stmt	*s = of(stmt);

	if (!s->running && execute(fleet, s) != 0) {
		clear(s);
		return -1;
	}
	if (++s->row < PQntuples(s->result))
		return 1;
	if (s->cursor && s->row > 0) {
		clear(s);
		return step(fleet, stmt);
	}
	clear(s);
	return 0;
}

/* After a failure that nobody saw COMMIT would be done as ROLLBACK. */
static bool
done(const struct stmt *s)
{
	return strcmp(s->sql, "COMMIT") != 0 ||
	    strcmp(PQcmdStatus(s->result), "COMMIT") == 0;
}

static int
run(struct fleet *fleet, struct fleet_stmt *stmt)
{
	struct pg	*pg = pg_of(fleet);
	struct stmt	*s = of(stmt);
	int		 rc;

	if (pgline_ready(&pg->line, 0) != 0 || send(pg, s) != 0)
		return -1;
	if (s->base.sql == fleet_pg.begin_read)
		pg->reading = true;
	if (fleet->begun || s->base.sql == fleet_pg.begin)
		return 0;
	rc = pgline_collect(&pg->line, &s->result);
	if (rc == 0 && !done(s)) {
		fleet_complain(fleet, "statement failed", "not committed");
		rc = -1;
	}
	clear(s);
	return rc;
}

static void
reset(struct fleet_stmt *stmt)
{
	clear(of(stmt));
}

static void
drop(struct fleet_stmt *stmt)
{
	clear(of(stmt));
	free(of(stmt)->sql);
	free(of(stmt));
}

static int64_t
number(struct fleet_stmt *stmt, int column)
{
	struct stmt	*s = of(stmt);
	uint64_t	 eight;
	uint32_t	 four;
	const char	*value;

	if (PQgetisnull(s->result, s->row, column))
		return ABSENT;
	value = PQgetvalue(s->result, s->row, column);
	switch (PQftype(s->result, column)) {
	case OID_INT8:
		memcpy(&eight, value, sizeof(eight));
		return (int64_t)be64toh(eight);
	case OID_INT4:
		memcpy(&four, value, sizeof(four));
		return (int32_t)be32toh(four);
	case OID_BOOL:
		return value[0] != 0;
	default:
		fatalx("fleet", "column %d is no number: %s", column, s->sql);
	}
}

/* libpq puts a NUL after every value. */
static const char *
text(struct fleet_stmt *stmt, int column)
{
	struct stmt	*s = of(stmt);

	if (PQgetisnull(s->result, s->row, column))
		return NULL;
	if (PQftype(s->result, column) != OID_TEXT)
		fatalx("fleet", "column %d is no text: %s", column, s->sql);
	return PQgetvalue(s->result, s->row, column);
}

static const void *
blob(struct fleet_stmt *stmt, int column, int *len)
{
	struct stmt	*s = of(stmt);

	*len = PQgetlength(s->result, s->row, column);
	return PQgetisnull(s->result, s->row, column) ? NULL :
	    PQgetvalue(s->result, s->row, column);
}

static int
exec(struct fleet *fleet, const char *sql)
{
	struct pgline	*line = &pg_of(fleet)->line;

	if (pgline_ready(line, 0) != 0 ||
	    (line->sent_len > 0 && pgline_collect(line, NULL) != 0))
		return -1;
	return pgline_exec(line, sql);
}

static void
abandon(struct fleet *fleet)
{
	struct pg	*pg = pg_of(fleet);
	struct pgline	*line = &pg->line;
	size_t		 i;

	pg->reading = false;
	for (i = 0; i < FLEET_STATEMENTS; i++)
		if (fleet->statement[i] != NULL)
			clear(of(fleet->statement[i]));
	if (line->conn != NULL && line->sent_len > 0)
		pgline_collect(line, NULL);
	if (line->conn != NULL &&
	    PQtransactionStatus(line->conn) != PQTRANS_IDLE)
		pgline_exec(line, "ROLLBACK");
}

static bool
changed(struct fleet *fleet)
{
	struct pgline	*line = &pg_of(fleet)->line;

	return pgline_ready(line, CONNECT_STEP_MS) == 0 && pgline_told(line);
}

static int
open_store(struct fleet *fleet, enum fleet_mode mode)
{
	struct pg	*pg;

	pg = xcalloc(1, sizeof(*pg));
	fleet->own = pg;
	fleet->name = pgline_name(fleet->source->url);
	return pgline_open(&pg->line, fleet, mode);
}

static void
close_store(struct fleet *fleet)
{
	pgline_close(&pg_of(fleet)->line);
	free(fleet->own);
}

/* The longer ones first. */
static const struct fleet_word	words[] = {
	{ "INTEGER PRIMARY KEY",
	    "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY" },
	{ "INTEGER", "BIGINT" },
	{ "BLOB", "BYTEA" },
	{ "TEXT", "TEXT COLLATE \"C\"" },	/* sorted as in SQLite */
	{ " STRICT, WITHOUT ROWID", "" },
	{ " STRICT", "" },
	{ NULL, NULL }
};

/* Numbers that processes hold; the schema keeps two stores in one database
 * apart. */
#define LOCK	"hashtext(current_schema()), "

const struct fleet_driver	fleet_pg = {
	.open = open_store, .close = close_store,
	.prepare = prepare, .drop = drop, .step = step, .run = run,
	.reset = reset, .put_number = put_number, .put_text = put_text,
	.put_blob = put_blob, .number = number, .text = text, .blob = blob,
	.exec = exec, .abandon = abandon, .changed = changed,

	.shared = true,
	.begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	.begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.tell = "NOTIFY platen_fleet",
	.look = "SELECT CASE WHEN obj_description(to_regclass("
	    "'schema_version'), 'pg_class') = 'platen-central' THEN 1 "
	    "WHEN EXISTS (SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p', "
	    "'v') AND relnamespace = current_schema()::regnamespace) THEN 2 "
	    "ELSE 0 END",
	.mark = "COMMENT ON TABLE schema_version IS 'platen-central'",
	.column = "SELECT 1 FROM pg_attribute WHERE attrelid = "
	    "to_regclass(?1) AND attname = ?2 AND NOT attisdropped",
	.index = "SELECT 1 FROM pg_class WHERE oid = to_regclass(?1)",
	.claim = "SELECT pg_advisory_lock(" LOCK "CAST(?1 AS INTEGER))",
	.unclaimed = "SELECT id FROM centre WHERE id <> ?1 AND "
	    "pg_try_advisory_xact_lock(" LOCK "CAST(id AS INTEGER))",
	.words = words
};
