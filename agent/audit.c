#include "agent/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/storedb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define FIRST_MS	2000	/* after the start */
#define SLICE_MS	200	/* between two slices */
#define SLICE_ROWS	64
#define BODY_MAX	(1024 * 1024)
/* Between rounds: twenty times as long as one took, and at least. */
#define PAUSE_MIN_MS	60000
#define PAUSE_TIMES	20

/*
 * A step reads a table by slices: rows behind the last key, in its order.  The
 * first columns are the key, the one after them is sealed, and is opened.  A
 * step without a key reads an index as a whole; it holds a few octets a row.
 */
static const struct step {
	const char	*sql;
	int		 keys;
	const char	*sealed;	/* what storedb_name() begins with */
} steps[] = {
	{ "SELECT key, value FROM note WHERE key > ? ORDER BY key LIMIT 64",
	    1, NULL },
	{ "SELECT id, why, address, zone, credentials, memo FROM device"
	    " WHERE id > ? ORDER BY id LIMIT 64", 1, STOREDB_WHY_NAME },
	{ "SELECT count(*) FROM device INDEXED BY sqlite_autoindex_device_1",
	    0, NULL },
	{ "SELECT id, key, counters_ms FROM asset WHERE id > ?"
	    " ORDER BY id LIMIT 64", 1, "asset" },
	{ "SELECT count(*) FROM asset INDEXED BY asset_device", 0, NULL },
	{ "SELECT count(*) FROM asset INDEXED BY asset_mark", 0, NULL },
	{ "SELECT asset, id, body FROM told WHERE (asset, id) > (?, ?)"
	    " ORDER BY asset, id LIMIT 64", 2, "told" },
	{ "SELECT rowid, body, asset FROM outbox WHERE rowid > ?"
	    " ORDER BY rowid LIMIT 64", 1, STOREDB_BODY_NAME },
	{ "SELECT count(*) FROM outbox INDEXED BY outbox_asset", 0, NULL },
	{ "SELECT number, body, why FROM refused WHERE number > ?"
	    " ORDER BY number LIMIT 64", 1, STOREDB_BODY_NAME },
};
#define STEPS	(sizeof(steps) / sizeof(steps[0]))

struct audit {
	struct loop	*loop;
	struct store	*store;
	sqlite3		*db;		/* of this round */
	sqlite3_stmt	*stmt;		/* of this step */
	size_t		 step;
	sqlite3_value	*key[2];	/* NULL: at its beginning */
	int64_t		 began_ms, rows, rounds;
	struct timer	 timer;
};

static void	 on_slice(void *);

static void
forget_key(struct audit *a)
{
	sqlite3_value_free(a->key[0]);
	sqlite3_value_free(a->key[1]);
	a->key[0] = a->key[1] = NULL;
}

static void
round_over(struct audit *a)
{
	forget_key(a);
	sqlite3_finalize(a->stmt);
	a->stmt = NULL;
	sqlite3_close(a->db);
	a->db = NULL;
	a->step = 0;
}

static void
next_round(struct audit *a, int64_t pause_ms)
{
	round_over(a);
	timer_after(a->loop, &a->timer, pause_ms, on_slice, a);
}

/* --- a row ----------------------------------------------------------------- */

/* Under which name the sealed column of this row opens. */
static const char *
name_of(const struct step *step, sqlite3_stmt *stmt,
    char out[STOREDB_NAME_MAX])
{
	const char *first, *second = NULL;

	if (strcmp(step->sealed, "asset") != 0 &&
	    strcmp(step->sealed, "told") != 0)
		return step->sealed;
	first = (const char *)sqlite3_column_text(stmt, 0);
	if (step->keys == 2)
		second = (const char *)sqlite3_column_text(stmt, 1);
	return storedb_name(out, step->sealed, first == NULL ? "" : first,
	    second);
}

static bool
opens(struct audit *a, const struct step *step)
{
	const void *sealed = sqlite3_column_blob(a->stmt, step->keys);
	size_t len = (size_t)sqlite3_column_bytes(a->stmt, step->keys);
	char name[STOREDB_NAME_MAX];
	void *plain;
	int rc;

	if (sqlite3_column_type(a->stmt, step->keys) == SQLITE_NULL)
		return true;
	if (sealed == NULL || len < LOCK_MORE || len > BODY_MAX)
		return false;
	plain = xmalloc(len);
	rc = lock_take(a->store->lock, name_of(step, a->stmt, name), sealed,
	    len, plain);
	free(plain);
	return rc == 0;
}

/* --- a slice --------------------------------------------------------------- */

static int
open_round(struct audit *a)
{
	char *path = xasprintf("%s/store.db", a->store->dir);
	int rc;

	a->began_ms = clock_mono_ms();
	a->rows = 0;
	rc = sqlite3_open_v2(path, &a->db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX, NULL);
	free(path);
	if (rc == SQLITE_OK)
		/* So little that what is read comes from the file. */
		rc = sqlite3_exec(a->db, "PRAGMA cache_size = 8", NULL, NULL,
		    NULL);
	return rc == SQLITE_OK ? 0 : -1;
}

/* Is what we have open still what stands under the name? */
static const char *
look_at_files(struct audit *a)
{
	char *log = xasprintf("%s/store.db-wal", a->store->dir);
	const char *why = NULL;
	int moved = 0;

	if (sqlite3_file_control(a->store->db, "main",
	    SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
		why = "its file was removed or replaced";
	else if (access(log, F_OK) == -1 && errno == ENOENT)
		why = "its file store.db-wal was removed";
	free(log);
	return why;
}

/* SQLITE_DONE when the step is through, SQLITE_ROW when there is more, or an
 * error; SQLITE_CORRUPT also for what does not open. */
static int
read_slice(struct audit *a)
{
	const struct step *step = &steps[a->step];
	int rc, n, i;

	if (a->stmt == NULL && sqlite3_prepare_v2(a->db, step->sql, -1,
	    &a->stmt, NULL) != SQLITE_OK)
		return sqlite3_errcode(a->db);
	for (i = 0; i < step->keys; i++) {
		if (a->key[i] != NULL)
			sqlite3_bind_value(a->stmt, i + 1, a->key[i]);
		else	/* before every other */
			sqlite3_bind_int64(a->stmt, i + 1, INT64_MIN);
	}
	for (n = 0; (rc = sqlite3_step(a->stmt)) == SQLITE_ROW; n++) {
		forget_key(a);
		for (i = 0; i < step->keys; i++)
			a->key[i] = sqlite3_value_dup(
			    sqlite3_column_value(a->stmt, i));
		a->rows++;
		if (step->sealed != NULL && !opens(a, step)) {
			rc = SQLITE_CORRUPT;
			break;
		}
	}
	sqlite3_reset(a->stmt);
	if (rc == SQLITE_DONE && n == SLICE_ROWS)
		rc = SQLITE_ROW;
	return rc;
}

static void
end_step(struct audit *a)
{
	int64_t took;

	forget_key(a);
	sqlite3_finalize(a->stmt);
	a->stmt = NULL;
	if (++a->step < STEPS) {
		timer_after(a->loop, &a->timer, SLICE_MS, on_slice, a);
		return;
	}
	took = clock_mono_ms() - a->began_ms;
	a->rounds++;
	log_debug("audit", "the store is sound: %lld rows in %lld ms",
	    (long long)a->rows, (long long)took);
	next_round(a, took * PAUSE_TIMES > PAUSE_MIN_MS ?
	    took * PAUSE_TIMES : PAUSE_MIN_MS);
}

static void
on_slice(void *arg)
{
	struct audit *a = arg;
	const char *why;
	int rc;

	if (a->db == NULL) {
		if ((why = look_at_files(a)) != NULL) {
			(void)storedb_damaged(a->store, why);
			return;
		}
		if (open_round(a) == -1) {
			next_round(a, PAUSE_MIN_MS);
			return;
		}
	}
	rc = read_slice(a);
	if (rc == SQLITE_DONE || rc == SQLITE_ERROR)
		end_step(a);	/* that error: no such index, of old stores */
	else if (rc == SQLITE_ROW)
		timer_after(a->loop, &a->timer, SLICE_MS, on_slice, a);
	else if ((rc & 0xff) == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
		round_over(a);
		(void)storedb_damaged(a->store,
		    "a check found what cannot be read");
	} else	/* busy, or the disk does not answer: another time */
		next_round(a, PAUSE_MIN_MS);
}

/* --- exports ---------------------------------------------------------------- */

struct audit *
audit_new(struct loop *loop, struct store *store)
{
	struct audit *a;

	a = xcalloc(1, sizeof(*a));
	a->loop = loop;
	a->store = store;
	timer_after(loop, &a->timer, FIRST_MS, on_slice, a);
	return a;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	timer_clear(a->loop, &a->timer);
	round_over(a);
	free(a);
}

int64_t
audit_rounds(const struct audit *a)
{
	return a->rounds;
}

void
audit_now(struct audit *a)
{
	next_round(a, 0);
}
