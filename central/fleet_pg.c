/*
 * The fleet database in PostgreSQL (central/fleet_driver.h).
 *
 * libpq is in pipeline mode: statements whose rows nobody waits for leave at
 * once and their results are read with the next one's that somebody does, or
 * with the COMMIT's.  So a report costs a handful of round trips, not one for
 * each of its statements.  What fails makes the server skip the rest, and the
 * transaction fail here.
 *
 * Nothing waits for ever: the server ends statements and waits for locks that
 * take too long, and a server that does not answer at all is given up a little
 * later.  What was lost is connected again in steps that do not wait.
 */
#include "central/fleet_driver.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/record.h"

#define CONNECT_MS	5000
#define CONNECT_STEP_MS	100	/* of it, once a second, in run */
#define AGAIN_MIN_MS	500	/* from one try to the next, doubled */
#define AGAIN_MAX_MS	15000
#define GRACE_MS	3000	/* past the server's own limit */
#define PARAMS_MAX	64
#define QUEUE_MAX	64
#define FETCH_ROWS	"200"	/* of a listing, at a time */

/* From pg_type.dat: they never change. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21,
	OID_INT4 = 23, OID_TEXT = 25 };

/* Milliseconds. */
struct limits {
	int	statement, lock, idle;
};

static const struct limits	limits[] = {
	[FLEET_READ] = { 300000, 10000, 3600000 },
	[FLEET_WRITE] = { 10000, 3000, 30000 },
	[FLEET_CREATE] = { 3600000, 30000, 60000 },
};

struct stmt {
	struct fleet_stmt	 base;
	struct pg		*pg;
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
	struct fleet		*fleet;
	enum fleet_mode		 mode;
	PGconn			*conn;		/* NULL: not connected */
	PGconn			*coming;	/* being connected */
	int64_t			 coming_until, again_at;
	int64_t			 pause_ms;
	struct stmt		*queue[QUEUE_MAX];	/* sent; NULL: to be
					 * prepared, the next one's */
	size_t			 queued;
	unsigned		 names;
	bool			 told;		/* fleet_changed() */
	bool			 reading;	/* in a snapshot */
	int			 patience_ms;	/* with the server */
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

/* --- waiting -------------------------------------------------------------- */

static void
lose(struct pg *pg, const char *why)
{
	char	*text = xstrdup(why);

	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->queued = 0;
	pg->again_at = clock_mono_ms();
	pg->pause_ms = AGAIN_MIN_MS;
	fleet_complain(pg->fleet, "the connection is lost", text);
	free(text);
}

/* Until the socket has something, or takes something; false is too late. */
static bool
await(PGconn *conn, short events, int64_t until)
{
	struct pollfd	fd = { .fd = PQsocket(conn), .events = events };
	int64_t		left;
	int		n;

	do {
		left = until - clock_mono_ms();
		n = poll(&fd, 1, left < 0 ? 0 : (int)left);
	} while (n == -1 && errno == EINTR);
	return n > 0;
}

/* The next result; NULL after the last of a statement.  -1: lost. */
static int
next_result(struct pg *pg, PGresult **out, int64_t until)
{
	int	more;

	*out = NULL;
	for (;;) {
		if ((more = PQflush(pg->conn)) == -1)
			break;
		if (more == 0 && PQisBusy(pg->conn) == 0) {
			*out = PQgetResult(pg->conn);
			return 0;
		}
		if (!await(pg->conn, (short)(POLLIN | (more ? POLLOUT : 0)),
		    until)) {
			lose(pg, "no answer");
			return -1;
		}
		if (PQconsumeInput(pg->conn) == 0)
			break;
	}
	lose(pg, PQerrorMessage(pg->conn));
	return -1;
}

/* What an operator can do about it, where the server's text does not say. */
static const char *
advice(const PGresult *result)
{
	const char	*state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state != NULL && strcmp(state, "42501") == 0)
		return "; the store is the role's that made it; init needs "
		    "GRANT CREATE ON SCHEMA ... TO the role";
	return "";
}

static void
complain(struct pg *pg, const PGresult *result)
{
	const char	*text;
	char		*why;

	text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	why = xasprintf("%s%s", text != NULL ? text :
	    PQresultErrorMessage(result), advice(result));
	fleet_complain(pg->fleet, "statement failed", why);
	free(why);
}

/* A result has come: 0 it is good, 1 the server has skipped it, -1. */
static int
judge(struct pg *pg, struct stmt *s, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return 0;
	case PGRES_PIPELINE_ABORTED:
		return 1;
	default:
		complain(pg, result);
		if (s != NULL)
			log_debug("fleet", "%s", s->sql);
		return -1;
	}
}

/*
 * Reads everything that is under way; the last one's rows stay with it.  0,
 * or -1 when any of them failed.
 */
static int
collect(struct pg *pg, struct stmt *last)
{
	PGresult	*result;
	struct stmt	*s;
	int64_t		 until = clock_mono_ms() + pg->patience_ms;
	size_t		 i;
	int		 rc = 0;

	if (PQpipelineSync(pg->conn) != 1) {
		lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	for (i = 0; i < pg->queued; i++) {
		s = pg->queue[i];
		while (next_result(pg, &result, until) == 0 &&
		    result != NULL) {
			if (judge(pg, s, result) != 0) {
				rc = -1;
				if (s == NULL)
					pg->queue[i + 1]->prepared = 0;
			}
			if (rc == 0 && last != NULL && s == last &&
			    i == pg->queued - 1)
				last->result = result;
			else
				PQclear(result);
		}
		if (pg->conn == NULL)
			return -1;
	}
	pg->queued = 0;
	if (next_result(pg, &result, until) != 0)
		return -1;
	if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
		PQclear(result);
		lose(pg, "out of step");
		return -1;
	}
	PQclear(result);
	return rc;
}

/* --- connecting ----------------------------------------------------------- */

static void
notice(void *arg, const PGresult *result)
{
	log_debug("fleet", "%s", log_safe(PQresultErrorMessage(result)));
}

/* Outside of the pipeline: several statements, without parameters. */
static int
command(struct pg *pg, const char *sql, PGresult **rows)
{
	PGresult	*result;
	int64_t		 until = clock_mono_ms() + pg->patience_ms;
	int		 rc = 0;

	if (PQsendQuery(pg->conn, sql) != 1) {
		lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	for (;;) {
		if (next_result(pg, &result, until) != 0)
			return -1;
		if (result == NULL)
			return rc;
		if (judge(pg, NULL, result) != 0)
			rc = -1;
		if (rc == 0 && rows != NULL && *rows == NULL)
			*rows = result;
		else
			PQclear(result);
	}
}

static const char *
told(const PGresult *rows, int column)
{
	return PQgetvalue(rows, 0, column);
}

/* What the store rests on.  Whatever is wrong is said. */
static int
examine(struct pg *pg, const PGresult *rows)
{
	const char	*commit = told(rows, 1), *name = pg->fleet->name;

	if (strcmp(told(rows, 0), "UTF8") != 0) {
		log_warnx("fleet", "%s: the database's encoding is %s; it "
		    "must be made with ENCODING 'UTF8'", name,
		    log_safe(told(rows, 0)));
		return -1;
	}
	if (PQgetisnull(rows, 0, 3)) {
		log_warnx("fleet", "%s: the role has no schema to work in; "
		    "see its search_path", name);
		return -1;
	}
	if (pg->mode != FLEET_WRITE)
		return 0;
	if (strcmp(commit, "off") == 0 || strcmp(commit, "local") == 0) {
		log_info("fleet", "%s: synchronous_commit is %s there; on "
		    "for us", name, log_safe(commit));
		if (command(pg, "SET synchronous_commit = on", NULL) != 0)
			return -1;
	}
	if (strcmp(told(rows, 2), "on") != 0)
		log_warnx("fleet", "%s: fsync is off there: a power failure "
		    "loses what was acknowledged", name);
	return 0;
}

static int
set_up(struct pg *pg)
{
	PGresult	*rows = NULL;
	int		 rc;

	pg->patience_ms = CONNECT_MS;
	rc = command(pg, "SELECT current_setting('server_encoding'), "
	    "current_setting('synchronous_commit'), "
	    "current_setting('fsync'), current_schema()", &rows);
	if (rc == 0)
		rc = examine(pg, rows);
	PQclear(rows);
	if (rc == 0 && pg->mode != FLEET_READ)
		rc = command(pg, "LISTEN platen_fleet", NULL);
	if (rc == 0 && PQenterPipelineMode(pg->conn) != 1)
		rc = -1;
	pg->patience_ms = limits[pg->mode].statement + GRACE_MS;
	if (rc == 0) {
		pg->fleet->connections++;
		pg->told = true;	/* what was told meanwhile is lost */
	} else if (pg->conn != NULL)
		lose(pg, "it cannot be used");
	return rc;
}

/*
 * Over the network nobody may read along, unless the URL says otherwise: what
 * libpq does by itself is to do without TLS when the server has none.
 */
static bool
is_remote(PQconninfoOption *options)
{
	PQconninfoOption	*o;
	const char		*host = NULL;

	for (o = options; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "sslmode") == 0)
			return false;
		if (strcmp(o->keyword, "host") == 0 ||
		    strcmp(o->keyword, "hostaddr") == 0)
			host = o->val;
	}
	return host != NULL && host[0] != '\0' && host[0] != '/' &&
	    host[0] != '@' && strcmp(host, "localhost") != 0 &&
	    strncmp(host, "127.", 4) != 0 && strcmp(host, "::1") != 0;
}

#define KEYS_MAX	64

/* The URL's own options, and ours after them. */
static PGconn *
start(struct pg *pg)
{
	const struct fleet_source	*source = pg->fleet->source;
	const struct limits		*l = &limits[pg->mode];
	const char			*key[KEYS_MAX], *value[KEYS_MAX];
	const char			*theirs = "";
	PQconninfoOption		*options, *o;
	PGconn				*conn;
	char				*ours;
	int				 n = 0;

	if ((options = PQconninfoParse(source->url, NULL)) == NULL)
		return NULL;	/* settings.c has seen that it can be read */
	for (o = options; o->keyword != NULL && n < KEYS_MAX - 10; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "options") == 0) {
			theirs = o->val;
			continue;
		}
		key[n] = o->keyword;
		value[n++] = o->val;
	}
	ours = xasprintf("%s -c statement_timeout=%d -c lock_timeout=%d "
	    "-c idle_in_transaction_session_timeout=%d "
	    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
	    "-c tcp_keepalives_count=3 -c client_min_messages=warning",
	    theirs, l->statement, l->lock, l->idle);
	key[n] = "options", value[n++] = ours;
	key[n] = "client_encoding", value[n++] = "UTF8";
	key[n] = "fallback_application_name", value[n++] = "platen-central";
	key[n] = "keepalives_idle", value[n++] = "10";
	key[n] = "keepalives_interval", value[n++] = "5";
	key[n] = "keepalives_count", value[n++] = "3";
	if (is_remote(options))
		key[n] = "sslmode", value[n++] = "require";
	if (source->password != NULL)
		key[n] = "password", value[n++] = source->password;
	key[n] = value[n] = NULL;
	conn = PQconnectStartParams(key, value, 0);
	PQconninfoFree(options);
	free(ours);
	return conn;
}

/* libpq's texts may have several lines. */
static void
say_failed(struct pg *pg, PGconn *conn, const char *other)
{
	char	*text, *c;

	text = xstrdup(other != NULL ? other : conn == NULL ?
	    "out of memory" : PQerrorMessage(conn));
	for (c = text + strlen(text); c > text && c[-1] == '\n';)
		*--c = '\0';
	for (c = text; *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	if (conn != NULL && PQconnectionNeedsPassword(conn) &&
	    !PQconnectionUsedPassword(conn)) {
		c = xasprintf("%s; [store] password_file may hold one", text);
		free(text);
		text = c;
	}
	fleet_complain(pg->fleet, "cannot connect", text);
	free(text);
}

/* 1 done, 0 not yet, -1 failed; waits until then at most. */
static int
advance(struct pg *pg, int64_t until)
{
	PostgresPollingStatusType	state;

	state = PQstatus(pg->coming) == CONNECTION_BAD ?
	    PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
	while (state != PGRES_POLLING_FAILED && state != PGRES_POLLING_OK) {
		if (!await(pg->coming, state == PGRES_POLLING_READING ?
		    POLLIN : POLLOUT, until)) {
			if (clock_mono_ms() < pg->coming_until)
				return 0;
			say_failed(pg, pg->coming, "no answer");
			return -1;
		}
		state = PQconnectPoll(pg->coming);
	}
	if (state == PGRES_POLLING_OK)
		return 1;
	say_failed(pg, pg->coming, NULL);
	return -1;
}

/* One step on the way to a connection, of wait_ms at most. */
static int
connect_step(struct pg *pg, int wait_ms)
{
	int64_t	now = clock_mono_ms();
	int	rc;

	if (pg->coming == NULL) {
		if (now < pg->again_at)
			return -1;
		pg->coming = start(pg);
		pg->coming_until = now + CONNECT_MS;
		if (pg->coming == NULL) {
			say_failed(pg, NULL, NULL);
			return -1;
		}
	}
	if ((rc = advance(pg, now + wait_ms)) == 0)
		return -1;
	if (rc == 1) {
		pg->conn = pg->coming;
		pg->coming = NULL;
		PQsetNoticeReceiver(pg->conn, notice, NULL);
		if (PQsetnonblocking(pg->conn, 1) == 0 && set_up(pg) == 0)
			return 0;
	}
	PQfinish(pg->coming);
	pg->coming = NULL;
	if (pg->pause_ms == 0)
		pg->pause_ms = AGAIN_MIN_MS;
	pg->again_at = clock_mono_ms() + pg->pause_ms;
	pg->pause_ms = pg->pause_ms * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS :
	    pg->pause_ms * 2;
	return -1;
}

/* Connected, or on the way to it: then what was asked for has failed. */
static int
ready(struct pg *pg, int wait_ms)
{
	if (pg->conn != NULL)
		return 0;
	if (!pg->fleet->begun && connect_step(pg, wait_ms) == 0)
		return 0;
	pg->fleet->failed = true;
	return -1;
}

/* --- statements ----------------------------------------------------------- */

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
	s->base.sql = sql;
	s->pg = pg;
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
	if (pg->queued > QUEUE_MAX - 2 && collect(pg, NULL) != 0)
		return -1;
	if (s->prepared != pg->fleet->connections) {
		if (PQsendPrepare(pg->conn, s->name, s->sql, s->len,
		    s->type) != 1)
			goto lost;
		pg->queue[pg->queued++] = NULL;
		s->prepared = pg->fleet->connections;
	}
	if (PQsendQueryPrepared(pg->conn, s->name, s->len, s->value,
	    s->value_len, s->format, 1) != 1)
		goto lost;
	pg->queue[pg->queued++] = s;
	return 0;
lost:
	lose(pg, PQerrorMessage(pg->conn));
	return -1;
}

/* For the caller's own statements; sql may be one that FETCHes. */
static int
send_once(struct pg *pg, struct stmt *s, const char *sql, int len)
{
	if (pg->queued > QUEUE_MAX - 2 && collect(pg, NULL) != 0)
		return -1;
	if (PQsendQueryParams(pg->conn, sql, len, s->type, s->value,
	    s->value_len, s->format, 1) != 1) {
		lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	pg->queue[pg->queued++] = s;
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

	if (ready(pg, 0) != 0)
		return -1;
	if (s->once && pg->reading)
		rc = fetch(pg, s);
	else if (s->once)
		rc = send_once(pg, s, s->sql, s->len);
	else
		rc = send(pg, s);
	if (rc != 0 || collect(pg, s) != 0)
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

static int
run(struct fleet *fleet, struct fleet_stmt *stmt)
{
	struct pg	*pg = pg_of(fleet);
	struct stmt	*s = of(stmt);
	int		 rc;

	if (ready(pg, 0) != 0)
		return -1;
	if ((rc = send(pg, s)) == 0 && !fleet->begun &&
	    s->base.sql != fleet_pg.begin) {
		rc = collect(pg, s);
		clear(s);
	}
	if (rc == 0 && s->base.sql == fleet_pg.begin_read)
		pg->reading = true;
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
	struct pg	*pg = pg_of(fleet);
	int		 rc;

	if (ready(pg, 0) != 0 || (pg->queued > 0 && collect(pg, NULL) != 0))
		return -1;
	if (PQexitPipelineMode(pg->conn) != 1) {
		lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	rc = command(pg, sql, NULL);
	if (pg->conn != NULL && PQenterPipelineMode(pg->conn) != 1)
		lose(pg, PQerrorMessage(pg->conn));
	return pg->conn == NULL ? -1 : rc;
}

static void
abandon(struct fleet *fleet)
{
	struct pg	*pg = pg_of(fleet);
	size_t		 i;

	pg->reading = false;
	for (i = 0; i < FLEET_STATEMENTS; i++)
		if (fleet->statement[i] != NULL)
			clear(of(fleet->statement[i]));
	if (pg->conn == NULL)
		return;
	if (pg->queued > 0)
		collect(pg, NULL);
	if (pg->conn != NULL && PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
		exec(fleet, "ROLLBACK");
}

static bool
changed(struct fleet *fleet)
{
	struct pg	*pg = pg_of(fleet);
	PGnotify	*n;
	bool		 is;

	if (ready(pg, CONNECT_STEP_MS) != 0)
		return false;
	if (PQconsumeInput(pg->conn) == 0) {
		lose(pg, PQerrorMessage(pg->conn));
		return false;
	}
	while ((n = PQnotifies(pg->conn)) != NULL) {
		if (n->be_pid != PQbackendPID(pg->conn))
			pg->told = true;
		PQfreemem(n);
	}
	is = pg->told;
	pg->told = false;
	return is;
}

/* For messages: where it is, with nothing that could be secret. */
static char *
name_of(const char *url)
{
	PQconninfoOption	*options, *o;
	const char		*host = "", *port = "", *db = "";
	char			*name;

	if ((options = PQconninfoParse(url, NULL)) == NULL)
		return xstrdup("postgresql");
	for (o = options; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "host") == 0)
			host = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			port = o->val;
		else if (strcmp(o->keyword, "dbname") == 0)
			db = o->val;
	}
	name = xasprintf("postgresql %s%s%s%s%s", db, *host != '\0' ?
	    " at " : "", host, *port != '\0' ? ":" : "", port);
	PQconninfoFree(options);
	return name;
}

static int
open_store(struct fleet *fleet, enum fleet_mode mode)
{
	struct pg	*pg;

	pg = xcalloc(1, sizeof(*pg));
	pg->fleet = fleet;
	pg->mode = mode;
	fleet->own = pg;
	fleet->name = name_of(fleet->source->url);
	while (connect_step(pg, CONNECT_MS) != 0)
		if (pg->coming == NULL)
			return -1;
	return 0;
}

static void
close_store(struct fleet *fleet)
{
	struct pg	*pg = pg_of(fleet);

	PQfinish(pg->coming);
	PQfinish(pg->conn);
	free(pg);
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
