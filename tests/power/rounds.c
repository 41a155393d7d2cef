#include "tests/power/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "tests/power/oplog.h"
#include "tests/power/outage.h"

struct rounds {
	const struct rounds_store	*store;
	struct rounds_result		*result;
	uint64_t			 dice;
	char				 top[64];	/* of it all */
	char				 log[80];
	char				 live[80];	/* the store's place */
	char				 left[80];	/* a cut's disk */
	uint64_t			*state;		/* after each */
	int				 number;	/* transactions */
};

/* --- what is in it ------------------------------------------------------------ */

static uint64_t
mix(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len-- > 0)
		sum = (sum ^ *at++) * UINT64_C(1099511628211);
	return sum;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fatalx("rounds", "%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

static uint64_t
sum_of_table(sqlite3 *db, const char *table, uint64_t sum)
{
	char *sql = xasprintf("SELECT * FROM \"%s\"", table);
	sqlite3_stmt *stmt = prepare(db, sql);
	int i, len;

	sum = mix(sum, table, strlen(table) + 1);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (i = 0; i < sqlite3_column_count(stmt); i++) {
			len = sqlite3_column_type(stmt, i);
			sum = mix(sum, &len, sizeof(len));
			len = sqlite3_column_bytes(stmt, i);
			sum = mix(sum, &len, sizeof(len));
			if (len > 0)
				sum = mix(sum, sqlite3_column_blob(stmt, i),
				    (size_t)len);
		}
	sqlite3_finalize(stmt);
	free(sql);
	return sum;
}

/* Every value of every row of every table. */
static uint64_t
sum_of(sqlite3 *db)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	sqlite3_stmt *stmt = prepare(db, "SELECT name FROM sqlite_schema "
	    "WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1");

	while (sqlite3_step(stmt) == SQLITE_ROW)
		sum = sum_of_table(db,
		    (const char *)sqlite3_column_text(stmt, 0), sum);
	sqlite3_finalize(stmt);
	return sum;
}

static bool
is_whole(sqlite3 *db)
{
	sqlite3_stmt *stmt = prepare(db, "PRAGMA integrity_check(1)");
	bool whole = sqlite3_step(stmt) == SQLITE_ROW && strcmp(
	    (const char *)sqlite3_column_text(stmt, 0), "ok") == 0;

	sqlite3_finalize(stmt);
	return whole;
}

/* --- chance ------------------------------------------------------------------- */

static uint64_t
roll(struct rounds *r)
{
	r->dice ^= r->dice >> 12;
	r->dice ^= r->dice << 25;
	r->dice ^= r->dice >> 27;
	return r->dice * UINT64_C(2685821657736338717) >> 11;
}

unsigned
rounds_roll(struct rounds *r, unsigned limit)
{
	return (unsigned)(roll(r) % limit);
}

void
rounds_promise(struct rounds *r, void *store)
{
	r->number++;
	r->state = xreallocarray(r->state, (size_t)r->number + 1,
	    sizeof(*r->state));
	r->state[r->number] = sum_of(r->store->database(store));
	r->result->transactions++;
	oplog_mark(r->number);
}

int
rounds_number(const struct rounds *r)
{
	return r->number;
}

uint64_t
rounds_seed(void)
{
	const char *text = getenv("PLATEN_SEED");
	struct timespec now;

	if (text != NULL)
		return strtoull(text, NULL, 10);
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_nsec / 1000 + (uint64_t)now.tv_sec % 1000;
}

/* --- lives -------------------------------------------------------------------- */

/* From where the last cut left it, and now and then closed and opened. */
static void
live(struct rounds *r, int works)
{
	const struct rounds_store *s = r->store;
	void *st;
	int i;

	if (r->state != NULL)
		oplog_mark(r->number);
	st = s->open(r->live);
	if (st == NULL)
		fatalx("rounds", "the store does not open");
	for (i = 0; i < works; i++) {
		if (i > 0 && rounds_roll(r, 12) == 0) {
			s->close(st);
			st = s->open(r->live);
			if (st == NULL)
				fatalx("rounds", "it does not open again");
		}
		s->work(st, r);
	}
	s->close(st);
}

static void
complain(struct rounds *r, const char *what, size_t moment, int64_t mark)
{
	if (r->result->first[0] == '\0')
		snprintf(r->result->first, sizeof(r->result->first),
		    "%s: cut at op %zu of the life that ended with "
		    "transaction %d, %lld of them promised", what, moment,
		    r->number, (long long)mark);
}

/* Which transaction is the last that is there; -1: it is not so. */
static int64_t
see(struct rounds *r, size_t moment, int64_t mark, uint64_t *sum)
{
	const struct rounds_store *s = r->store;
	void *st = s->open(r->left);
	int64_t found = -1;

	if (st == NULL || !is_whole(s->database(st))) {
		r->result->unopened++;
		complain(r, "it does not open, or is damaged", moment, mark);
		if (st != NULL)
			s->close(st);
		return -1;
	}
	*sum = sum_of(s->database(st));
	if (mark == -1 || *sum == r->state[mark])
		found = mark == -1 ? 0 : mark;
	else if (mark < r->number && *sum == r->state[mark + 1]) {
		found = mark + 1;
		r->result->kept++;
	} else {
		r->result->lost++;
		complain(r, "what was promised is not there", moment, mark);
	}
	if (found != -1 && s->check != NULL)
		s->check(st);
	s->close(st);
	return found;
}

static void
cut(struct rounds *r, const struct outage *o, bool go_on)
{
	size_t moment = roll(r) % outage_moments(o);
	uint64_t seed = roll(r), sum = 0;
	int64_t mark, found;

	outage_empty(r->left);
	mark = outage_leave(o, moment, seed, r->left);
	found = see(r, moment, mark, &sum);
	r->result->cuts++;
	if (!go_on)
		return;
	outage_empty(r->live);
	if (found != -1 && mark != -1) {
		r->number = (int)found;
		(void)outage_leave(o, moment, seed, r->live);
		return;
	}
	/* Back to the beginning: nothing was promised yet. */
	free(r->state);
	r->state = NULL;
	r->number = 0;
}

void
rounds_run(const struct rounds_store *store, uint64_t seed, int lives,
    int works, int cuts, struct rounds_result *result)
{
	struct rounds r = { .store = store, .result = result,
	    .dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1 };
	struct outage *o;
	int i;

	memset(result, 0, sizeof(*result));
	result->seed = seed;
	snprintf(r.top, sizeof(r.top), "/tmp/platen-power-XXXXXX");
	if (mkdtemp(r.top) == NULL)
		fatal("rounds", "%s", r.top);
	snprintf(r.log, sizeof(r.log), "%s/log", r.top);
	snprintf(r.live, sizeof(r.live), "%s/live", r.top);
	snprintf(r.left, sizeof(r.left), "%s/left", r.top);
	outage_empty(r.live);
	for (; lives > 0; lives--) {
		oplog_begin(r.live, r.log);
		live(&r, works);
		oplog_end();
		o = outage_load(r.log);
		for (i = 1; i <= cuts; i++)
			cut(&r, o, i == cuts);
		outage_free(o);
	}
	free(r.state);
	outage_empty(r.top);
	(void)rmdir(r.top);
}

const char *
rounds_verdict(const struct rounds_result *result)
{
	static char text[400];

	if (result->lost + result->unopened == 0)
		return NULL;
	snprintf(text, sizeof(text), "PLATEN_SEED=%llu: of %d cuts %d lost "
	    "something and %d damaged it: %s",
	    (unsigned long long)result->seed, result->cuts, result->lost,
	    result->unopened, result->first);
	return text;
}
