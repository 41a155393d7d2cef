#include "central/pgline.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "central/fleet_driver.h"

#define CONNECT_MS	5000
#define AGAIN_MIN_MS	500	/* from one try to the next, doubled */
#define AGAIN_MAX_MS	15000
#define GRACE_MS	3000	/* past the server's own limit */

/* Milliseconds. */
struct limits {
	int	statement, lock, idle;
};

static const struct limits	limits[] = {
	[FLEET_READ] = { 300000, 10000, 3600000 },
	[FLEET_WRITE] = { 10000, 3000, 30000 },
	[FLEET_CREATE] = { 3600000, 30000, 60000 },
};

/* libpq's texts have several lines. */
static char *
flat(const char *text)
{
	char	*out = xstrdup(text), *to = out;

	for (; *text != '\0'; text++)
		if (*text != '\n' && *text != '\t')
			*to++ = *text;
		else if (to > out && to[-1] != ' ')
			*to++ = ' ';
	while (to > out && to[-1] == ' ')
		to--;
	*to = '\0';
	return out;
}

void
pgline_lose(struct pgline *pg, const char *why)
{
	char	*text = flat(why);

	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->sent_len = 0;
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
next_result(struct pgline *pg, PGresult **out, int64_t until)
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
			pgline_lose(pg, "no answer");
			return -1;
		}
		if (PQconsumeInput(pg->conn) == 0)
			break;
	}
	pgline_lose(pg, PQerrorMessage(pg->conn));
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
complain(struct pgline *pg, const PGresult *result)
{
	const char	*text;
	char		*why;

	text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	why = xasprintf("%s%s", text != NULL ? text :
	    PQresultErrorMessage(result), advice(result));
	fleet_complain(pg->fleet, "statement failed", why);
	free(why);
}

/* A result has come: 0 it is good, -1 it is not, or the server has skipped
 * it after one that was not. */
static int
judge(struct pgline *pg, const char *sql, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return 0;
	case PGRES_PIPELINE_ABORTED:
		return -1;
	default:
		complain(pg, result);
		log_debug("fleet", "%s", sql);
		return -1;
	}
}

/* All results of one statement; the last good one is kept. */
static int
take_results(struct pgline *pg, const struct pgline_sent *sent,
    PGresult **last, int64_t until)
{
	PGresult	*result;
	int		 rc = 0;

	while (next_result(pg, &result, until) == 0 && result != NULL) {
		if (judge(pg, sent->sql, result) != 0) {
			rc = -1;
			if (sent->prepared != NULL)
				*sent->prepared = 0;
		}
		PQclear(*last);
		*last = result;
	}
	return pg->conn == NULL ? -1 : rc;
}

int
pgline_collect(struct pgline *pg, PGresult **last)
{
	PGresult	*kept = NULL, *sync = NULL;
	int64_t		 until = clock_mono_ms() + pg->patience_ms;
	size_t		 i, len = pg->sent_len;
	int		 rc = 0;

	if (last != NULL)
		*last = NULL;
	pg->sent_len = 0;
	if (PQpipelineSync(pg->conn) != 1) {
		pgline_lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	for (i = 0; i < len && pg->conn != NULL; i++)
		if (take_results(pg, &pg->sent[i], &kept, until) != 0)
			rc = -1;
	if (pg->conn == NULL || next_result(pg, &sync, until) != 0)
		rc = -1;
	else if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC) {
		pgline_lose(pg, "out of step");
		rc = -1;
	}
	PQclear(sync);
	if (rc == 0 && last != NULL)
		*last = kept;
	else
		PQclear(kept);
	return rc;
}

int
pgline_make_room(struct pgline *pg)
{
	return pg->sent_len > PGLINE_QUEUE - 2 ? pgline_collect(pg, NULL) : 0;
}

void
pgline_sent(struct pgline *pg, const char *sql, unsigned *prepared)
{
	pg->sent[pg->sent_len++] = (struct pgline_sent){ sql, prepared };
}

static void
notice(void *arg, const PGresult *result)
{
	log_debug("fleet", "%s", log_safe(PQresultErrorMessage(result)));
}

/* Outside of the pipeline: several statements, without parameters. */
static int
command(struct pgline *pg, const char *sql, PGresult **rows)
{
	PGresult	*result;
	int64_t		 until = clock_mono_ms() + pg->patience_ms;
	int		 rc = 0;

	if (PQsendQuery(pg->conn, sql) != 1) {
		pgline_lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	for (;;) {
		if (next_result(pg, &result, until) != 0)
			return -1;
		if (result == NULL)
			return rc;
		if (judge(pg, sql, result) != 0)
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
examine(struct pgline *pg, const PGresult *rows)
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
set_up(struct pgline *pg)
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
		pg->renewed = true;
	} else {
		/* Whatever it was has been said. */
		PQfinish(pg->conn);
		pg->conn = NULL;
		pg->fleet->failed = true;
	}
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
start(struct pgline *pg)
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

static void
say_failed(struct pgline *pg, PGconn *conn, const char *other)
{
	char	*text;
	bool	 asked;

	text = flat(other != NULL ? other : conn == NULL ? "out of memory" :
	    PQerrorMessage(conn));
	asked = conn != NULL && PQconnectionNeedsPassword(conn);
	fleet_complain(pg->fleet, asked ? "cannot connect without a "
	    "password ([store] password_file)" : "cannot connect", text);
	free(text);
}

/* 1 done, 0 not yet, -1 failed; waits until then at most. */
static int
advance(struct pgline *pg, int64_t until)
{
	while (pg->waits_for != PGRES_POLLING_FAILED) {
		if (pg->waits_for == PGRES_POLLING_OK)
			return 1;
		if (!await(pg->coming, pg->waits_for ==
		    PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
			if (clock_mono_ms() < pg->coming_until)
				return 0;
			say_failed(pg, pg->coming, "no answer");
			return -1;
		}
		pg->waits_for = PQconnectPoll(pg->coming);
	}
	say_failed(pg, pg->coming, NULL);
	return -1;
}

/* One step on the way to a connection, of wait_ms at most. */
static int
connect_step(struct pgline *pg, int wait_ms)
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
		pg->waits_for = PQstatus(pg->coming) == CONNECTION_BAD ?
		    PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
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

int
pgline_ready(struct pgline *pg, int wait_ms)
{
	if (pg->conn != NULL)
		return 0;
	if (!pg->fleet->begun && connect_step(pg, wait_ms) == 0)
		return 0;
	pg->fleet->failed = true;
	return -1;
}

int
pgline_exec(struct pgline *pg, const char *sql)
{
	int	rc;

	if (PQexitPipelineMode(pg->conn) != 1) {
		pgline_lose(pg, PQerrorMessage(pg->conn));
		return -1;
	}
	rc = command(pg, sql, NULL);
	if (pg->conn != NULL && PQenterPipelineMode(pg->conn) != 1)
		pgline_lose(pg, PQerrorMessage(pg->conn));
	return pg->conn == NULL ? -1 : rc;
}

bool
pgline_told(struct pgline *pg)
{
	PGnotify	*n;
	bool		 told = pg->renewed;

	if (PQconsumeInput(pg->conn) == 0) {
		pgline_lose(pg, PQerrorMessage(pg->conn));
		return false;
	}
	while ((n = PQnotifies(pg->conn)) != NULL) {
		if (n->be_pid != PQbackendPID(pg->conn))
			told = true;
		PQfreemem(n);
	}
	pg->renewed = false;
	return told;
}

int
pgline_open(struct pgline *pg, struct fleet *fleet, enum fleet_mode mode)
{
	pg->fleet = fleet;
	pg->mode = mode;
	while (connect_step(pg, CONNECT_MS) != 0)
		if (pg->coming == NULL)
			return -1;
	return 0;
}

void
pgline_close(struct pgline *pg)
{
	PQfinish(pg->coming);
	PQfinish(pg->conn);
}

char *
pgline_name(const char *url)
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
