#include "agent/storedb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void
storedb_state(struct store *st, enum store_state state, const char *why)
{
	bool news = state != st->state;

	if (st->state == STORE_DAMAGED)
		return;		/* that is for good */
	st->state = state;
	snprintf(st->why, sizeof(st->why), "%s", why);
	if (news && st->on_state != NULL)
		st->on_state(st->on_state_arg, state, st->why);
}

/* What the error says about the store: STORE_FINE when it says nothing. */
static enum store_state
state_of_error(struct store *st)
{
	int code = sqlite3_extended_errcode(st->db);
	int error = sqlite3_system_errno(st->db);

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STORE_DAMAGED;
	case SQLITE_FULL:
		return STORE_FULL;
	case SQLITE_READONLY:
		return STORE_READONLY;
	case SQLITE_IOERR:
		if (code == SQLITE_IOERR_CORRUPTFS)
			return STORE_DAMAGED;
		/* FALLTHROUGH */
	case SQLITE_CANTOPEN:
		return error == ENOSPC || error == EDQUOT ? STORE_FULL :
		    error == EROFS ? STORE_READONLY : STORE_FAILING;
	default:
		return STORE_FINE;
	}
}

int
storedb_damaged(struct store *st, const char *why)
{
	if (st->state != STORE_DAMAGED)
		log_warnx("store", "%s/store.db is damaged: %s", st->dir, why);
	storedb_state(st, STORE_DAMAGED, why);
	return -1;
}

/* A disk that is full is met by every printer at every visit. */
static void
say_failed(struct store *st, const char *what, const char *why)
{
	uint32_t sum = sum_of(why);
	int64_t now = clock_mono_ms();

	/* Who watches the state says what it means, once. */
	if ((st->state == STORE_FINE || st->on_state == NULL) &&
	    (sum != st->said || now - st->said_ms >= SAY_MS)) {
		log_warnx("store", "%s: %s", what, why);
		st->said = sum;
		st->said_ms = now;
	} else
		log_debug("store", "%s: %s", what, why);
}

int
storedb_failed(struct store *st, const char *what)
{
	enum store_state state = state_of_error(st);
	bool busy = (sqlite3_errcode(st->db) & 0xff) == SQLITE_BUSY;
	char why[160];

	snprintf(why, sizeof(why), "%s", sqlite3_errmsg(st->db));
	if (state == STORE_DAMAGED)
		return storedb_damaged(st, why);
	if (state != STORE_FINE) {
		st->failed_ms = clock_mono_ms();
		storedb_state(st, state, why);
	}
	say_failed(st, what, why);
	if (st->hurries && busy) {
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

char *
storedb_name(char out[STOREDB_NAME_MAX], const char *what, const char *first,
    const char *second)
{
	snprintf(out, STOREDB_NAME_MAX, "%s %s%s%s", what, first,
	    second == NULL ? "" : " ", second == NULL ? "" : second);
	return out;
}

void
storedb_put_sealed(struct store *st, sqlite3_stmt *stmt, int column,
    const char *name, const char *text, size_t len)
{
	uint8_t *sealed;

	if (text == NULL) {
		sqlite3_bind_null(stmt, column);
		return;
	}
	sealed = xmalloc(len + LOCK_MORE);
	lock_put(st->lock, name, text, len, sealed);
	sqlite3_bind_blob(stmt, column, sealed, (int)(len + LOCK_MORE), free);
}

char *
storedb_open_sealed(struct store *st, sqlite3_stmt *stmt, int column,
    const char *name, size_t *len)
{
	const void *sealed = sqlite3_column_blob(stmt, column);
	size_t size = (size_t)sqlite3_column_bytes(stmt, column);
	char *text;

	if (len != NULL)
		*len = 0;
	if (sealed == NULL &&
	    sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return NULL;
	text = xmalloc(size + 1);
	if (sealed == NULL ||
	    lock_take(st->lock, name, sealed, size, text) == -1) {
		free(text);
		(void)storedb_damaged(st, "what was sealed does not open");
		return NULL;
	}
	size -= LOCK_MORE;
	text[size] = '\0';
	if (len != NULL)
		*len = size;
	return text;
}

void
storedb_put_body(struct store *st, sqlite3_stmt *stmt, int column,
    const char *xml, size_t len)
{
	storedb_put_sealed(st, stmt, column, STOREDB_BODY_NAME, xml, len);
}

char *
storedb_body(struct store *st, sqlite3_stmt *stmt, int column, size_t *len)
{
	return storedb_open_sealed(st, stmt, column, STOREDB_BODY_NAME, len);
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
