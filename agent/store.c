#include "agent/store.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/storedb.h"
#include "agent/storeform.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define BUSY_MS		10000
#define SLOW_MS		1000	/* a commit that takes so long is */
#define SLOW_FOR_MS	60000	/* and so long none must be */
#define FINE_AFTER_MS	5000
#define PAUSE_MIN_MS	100
#define PAUSE_MAX_MS	10000

static const char note_get[] =
    "SELECT value FROM note WHERE key = ?";
static const char note_set[] =
    "INSERT OR REPLACE INTO note VALUES(?, ?)";
static const char note_drop[] =
    "DELETE FROM note WHERE key = ?";

/* --- open and close -------------------------------------------------------- */

/* NULL on failure, which is logged. */
static sqlite3 *
open_file(const char *path, int flags)
{
	mode_t mask = umask(077);
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	umask(mask);
	if (rc != SQLITE_OK) {
		log_warnx("store", "%s: %s", path, db == NULL ?
		    "out of memory" : sqlite3_errmsg(db));
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_extended_result_codes(db, 1);
	return db;
}

static struct store *
open_at(const char *dir, struct lock *lock, int flags)
{
	char *path = xasprintf("%s/store.db", dir);
	struct store *st;

	st = xcalloc(1, sizeof(*st));
	st->lock = lock;
	st->dir = xstrdup(dir);
	if ((st->db = open_file(path, flags)) == NULL) {
		store_close(st);
		st = NULL;
	}
	free(path);
	return st;
}

/* While the other process makes the store a WAL one, or recovers it, SQLite
 * answers "busy" without waiting (two that wait could wait for each other).
 * The log and its index stay when all have closed the store: on a disk that
 * has become full or read-only they could not be made again. */
static int
set_up(struct store *st)
{
	int64_t end = clock_mono_ms() + BUSY_MS;
	int rc, keep = 1;

	(void)sqlite3_file_control(st->db, "main", SQLITE_FCNTL_PERSIST_WAL,
	    &keep);
	while ((rc = sqlite3_exec(st->db, "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;"
	    "PRAGMA wal_autocheckpoint = 500;"
	    "PRAGMA journal_size_limit = 4194304;", NULL, NULL,
	    NULL)) != SQLITE_OK) {
		if ((rc & 0xff) != SQLITE_BUSY || clock_mono_ms() > end)
			return storedb_failed(st, "store.db");
		usleep(10 * 1000);
	}
	return 0;
}

/* --- a disk that cannot be written ------------------------------------------ */

static void
drop_statements(struct store *st)
{
	size_t i;

	for (i = 0; i < STOREDB_STATEMENTS; i++)
		sqlite3_finalize(st->cache[i].stmt);
	memset(st->cache, 0, sizeof(st->cache));
}

/*
 * A store on a read-only file system is read once.  The copy takes whatever is
 * written, as SQLite's cache does on a disk that is full, and as there the
 * commit fails.  0 or -1, logged.
 */
static int
copy(struct store *st)
{
	sqlite3 *memory = open_file(":memory:", SQLITE_OPEN_READWRITE);
	sqlite3_backup *backup;
	int rc;

	if (memory == NULL)
		return -1;
	backup = sqlite3_backup_init(memory, "main", st->db, "main");
	rc = backup == NULL ? SQLITE_ERROR : sqlite3_backup_step(backup, -1);
	(void)sqlite3_backup_finish(backup);
	if (rc != SQLITE_DONE) {
		log_warnx("store", "%s/store.db cannot be read: %s", st->dir,
		    sqlite3_errstr(rc));
		sqlite3_close(memory);
		return -1;
	}
	drop_statements(st);
	sqlite3_close(st->db);
	st->db = memory;
	st->copied = true;
	storedb_state(st, STORE_READONLY, "its file system is read-only");
	return 0;
}

/* Back to the disk, as soon as it can be written. */
static void
leave_copy(struct store *st)
{
	char *path = xasprintf("%s/store.db", st->dir);
	sqlite3 *memory = st->db, *db = NULL;

	if (access(path, W_OK) == 0)
		db = open_file(path, SQLITE_OPEN_READWRITE);
	free(path);
	if (db == NULL)
		return;
	st->db = db;
	if (sqlite3_db_readonly(db, "main") != 0 || set_up(st) == -1) {
		st->db = memory;
		sqlite3_close(db);
		return;
	}
	st->db = memory;
	drop_statements(st);
	sqlite3_close(memory);
	st->db = db;
	st->copied = false;
	if (st->hurries)
		store_hurry(st);
}

struct store *
store_open_locked(const char *dir, struct lock *lock, bool *damaged)
{
	struct store *st;
	bool is;

	if (damaged != NULL)
		*damaged = false;
	if (lock == NULL)
		return NULL;
	st = open_at(dir, lock, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (st == NULL)
		return NULL;
	if (set_up(st) == 0 && storeform_make_ready(st) == 0 &&
	    (sqlite3_db_readonly(st->db, "main") == 0 || copy(st) == 0))
		return st;
	is = st->state == STORE_DAMAGED;
	if (damaged != NULL)
		*damaged = is;
	store_close(st);
	return NULL;
}

struct store *
store_open(const char *dir)
{
	char *path = xasprintf("%s/store.key", dir);
	struct lock *lock;

	lock = access(path, F_OK) == -1 && errno == ENOENT ?
	    lock_make(path) : lock_load(path, "the store's key");
	free(path);
	return store_open_locked(dir, lock, NULL);
}

struct store *
store_look(const char *dir, struct lock *lock)
{
	struct store *st;

	if (lock == NULL)
		return NULL;
	st = open_at(dir, lock, SQLITE_OPEN_READONLY);
	if (st == NULL || storeform_check(st) == 0)
		return st;
	store_close(st);
	return NULL;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	drop_statements(st);
	sqlite3_close(st->db);
	lock_free(st->lock);
	free(st->dir);
	free(st);
}

/* The other process may have given some, or ours were taken back. */
static void
forget_numbers(struct store *st)
{
	memset(st->next_seq, 0, sizeof(st->next_seq));
	st->next_turn = 0;
}

/* --- transactions, and what they say about the disk ------------------------- */

int
store_begin(struct store *st)
{
	if (st->copied)
		leave_copy(st);
	if (storedb_run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	st->open = true;
	forget_numbers(st);
	st->changes = sqlite3_total_changes(st->db);
	return 0;
}

/* A commit that wrote something went well, after that time.  On a full disk
 * now and then one does, in the room of an earlier one. */
static void
note_commit(struct store *st, int64_t took_ms)
{
	int64_t now = clock_mono_ms();
	char why[64];

	st->pause_ms = took_ms < PAUSE_MIN_MS ? 0 : took_ms < PAUSE_MAX_MS ?
	    took_ms : PAUSE_MAX_MS;
	if (took_ms >= SLOW_MS) {
		st->slow_ms = now;
		snprintf(why, sizeof(why), "a commit took %lld ms",
		    (long long)took_ms);
		storedb_state(st, STORE_SLOW, why);
	} else if (st->state == STORE_SLOW ?
	    now - st->slow_ms >= SLOW_FOR_MS :
	    now - st->failed_ms >= FINE_AFTER_MS)
		storedb_state(st, STORE_FINE, "");
}

int
store_commit(struct store *st)
{
	int64_t began = clock_mono_ms();

	if (st->copied &&
	    sqlite3_total_changes(st->db) != st->changes) {
		st->failed_ms = began;
		store_rollback(st);
		return -1;
	}
	if (storedb_run(st, "COMMIT") == -1) {
		store_rollback(st);
		return -1;
	}
	st->open = false;
	if (st->hurried)
		sqlite3_busy_timeout(st->db, BUSY_MS);
	st->hurried = false;
	if (sqlite3_total_changes(st->db) != st->changes)
		note_commit(st, clock_mono_ms() - began);
	return 0;
}

int64_t
store_pause_ms(const struct store *st)
{
	return st->pause_ms;
}

void
store_try(struct store *st)
{
	if (st->open || store_begin(st) == -1)
		return;
	if (store_set_note_int(st, "tried", clock_wall_ms()) == -1)
		store_rollback(st);
	else
		(void)store_commit(st);
}

void
store_watch(struct store *st, void (*fn)(void *, enum store_state,
    const char *), void *arg)
{
	st->on_state = fn;
	st->on_state_arg = arg;
	if (fn != NULL && st->state != STORE_FINE)
		fn(arg, st->state, st->why);
}

enum store_state
store_state(const struct store *st)
{
	return st->state;
}

const char *
store_state_text(enum store_state state)
{
	static const char *const texts[] = {
		[STORE_SLOW] = "the store's disk is slow",
		[STORE_FULL] = "the store's disk is full",
		[STORE_READONLY] = "the store cannot be written",
		[STORE_FAILING] = "the store's disk fails",
		[STORE_DAMAGED] = "the store is damaged",
	};

	return texts[state];
}

void
store_rollback(struct store *st)
{
	if (!sqlite3_get_autocommit(st->db))
		(void)storedb_run(st, "ROLLBACK");
	st->open = false;
	forget_numbers(st);
	st->squeeze_max = 0;
}

bool
store_in_transaction(const struct store *st)
{
	return st->open;
}

void
store_hurry(struct store *st)
{
	st->hurries = true;
	/* A transaction is in memory until its end, so that a full disk is
	 * not met before that. */
	(void)storedb_run(st, "PRAGMA cache_spill = OFF");
}

/* --- notes ----------------------------------------------------------------- */

char *
store_note(struct store *st, const char *key)
{
	sqlite3_stmt *stmt;
	char *value = NULL;

	if ((stmt = storedb_get(st, note_get)) != NULL) {
		storedb_text(stmt, 1, key);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			value = storedb_copy(stmt, 0);
		storedb_finish(stmt);
	}
	return value != NULL ? value : xstrdup("");
}

int64_t
store_note_int(struct store *st, const char *key, int64_t otherwise)
{
	char *value = store_note(st, key), *end;
	int64_t n = strtoll(value, &end, 10);

	if (end == value)
		n = otherwise;
	free(value);
	return n;
}

int
store_set_note(struct store *st, const char *key, const char *value)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, value == NULL ? note_drop : note_set)) == NULL)
		return -1;
	storedb_text(stmt, 1, key);
	if (value != NULL)
		storedb_text(stmt, 2, value);
	return storedb_done(st, stmt);
}

static int
seal_note(struct store *st, const char *key, const char *value)
{
	char name[STOREDB_NAME_MAX];
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, note_set)) == NULL)
		return -1;
	storedb_text(stmt, 1, key);
	storedb_put_sealed(st, stmt, 2, storedb_name(name, "note", key, NULL),
	    value, strlen(value));
	return storedb_done(st, stmt);
}

int
store_set_note_sealed(struct store *st, const char *key, const char *value)
{
	return value == NULL ? store_set_note(st, key, NULL) :
	    seal_note(st, key, value);
}

char *
store_note_sealed(struct store *st, const char *key)
{
	char name[STOREDB_NAME_MAX], *value = NULL;
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, note_get)) != NULL) {
		storedb_text(stmt, 1, key);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			value = storedb_open_sealed(st, stmt, 0,
			    storedb_name(name, "note", key, NULL), NULL);
		storedb_finish(stmt);
	}
	return value != NULL ? value : xstrdup("");
}

int
store_set_note_int(struct store *st, const char *key, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	return store_set_note(st, key, number);
}

int
store_epoch(struct store *st, char out[UUID_TEXT_MAX])
{
	char *epoch = store_note(st, "epoch");
	int rc = uuid_valid(epoch) ? 0 : -1;

	snprintf(out, UUID_TEXT_MAX, "%s", rc == 0 ? epoch : "");
	free(epoch);
	return rc;
}
