#include "agent/storedb.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define SAY_MS		(60 * 1000)
#define HURRY_MS	50

/* FNV-1a. */
static uint32_t
sum_of(const char *text)
{
	uint32_t sum = UINT32_C(2166136261);

	while (*text != '\0')
		sum = (sum ^ (uint8_t)*text++) * UINT32_C(16777619);
	return sum;
}

/* A disk that is full is met by every printer at every visit. */
int
storedb_failed(struct store *st, const char *what)
{
	const char *why = sqlite3_errmsg(st->db);
	uint32_t sum = sum_of(why);
	int64_t now = clock_mono_ms();

	if (sum != st->said || now - st->said_ms >= SAY_MS) {
		log_warnx("store", "%s: %s", what, why);
		st->said = sum;
		st->said_ms = now;
	} else
		log_debug("store", "%s: %s", what, why);
	if (st->hurries && (sqlite3_errcode(st->db) & 0xff) == SQLITE_BUSY) {
		sqlite3_busy_timeout(st->db, HURRY_MS);
		st->hurried = true;
	}
	return -1;
}

int
storedb_run(struct store *st, const char *sql)
{
	if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return storedb_failed(st, sql);
	return 0;
}

sqlite3_stmt *
storedb_get(struct store *st, const char *sql)
{
	size_t i;

	for (i = 0; st->cache[i].sql != NULL; i++) {
		if (st->cache[i].sql == sql)
			return st->cache[i].stmt;
		if (i == STOREDB_STATEMENTS - 2)
			fatalx("store", "more statements than expected");
	}
	if (sqlite3_prepare_v3(st->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &st->cache[i].stmt, NULL) != SQLITE_OK) {
		(void)storedb_failed(st, sql);
		return NULL;
	}
	st->cache[i].sql = sql;
	return st->cache[i].stmt;
}

void
storedb_text(sqlite3_stmt *stmt, int column, const char *value)
{
	if (value == NULL)
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_text(stmt, column, value, -1, SQLITE_TRANSIENT);
}

void
storedb_put_body(struct store *st, sqlite3_stmt *stmt, int column,
    const char *xml, size_t len)
{
	sqlite3_bind_text(stmt, column, xml, (int)len, SQLITE_STATIC);
}

char *
storedb_body(struct store *st, sqlite3_stmt *stmt, int column, size_t *len)
{
	*len = (size_t)sqlite3_column_bytes(stmt, column);
	return storedb_copy(stmt, column);
}

int
storedb_done(struct store *st, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	storedb_finish(stmt);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return storedb_failed(st, sqlite3_sql(stmt));
	return 0;
}

void
storedb_finish(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

char *
storedb_copy(sqlite3_stmt *stmt, int column)
{
	return xstrdup_null((const char *)sqlite3_column_text(stmt, column));
}
