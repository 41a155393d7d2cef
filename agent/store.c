#include "agent/store.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/storedb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define STORE_VERSION	2
#define BUSY_MS		10000

static const char schema[] =
    "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, address TEXT NOT NULL"
    " UNIQUE, zone TEXT, credentials TEXT, memo TEXT, printer INTEGER,"
    " why TEXT, seen INTEGER);"
    "CREATE TABLE asset(id TEXT PRIMARY KEY, device INTEGER NOT NULL,"
    " row INTEGER NOT NULL, key TEXT, strength INTEGER, counters_ms INTEGER"
    " NOT NULL DEFAULT 0, levels_ms INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE INDEX asset_device ON asset(device, row);"
    "CREATE INDEX asset_key ON asset(key);"
    "CREATE TABLE told(id TEXT NOT NULL, asset TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY(asset, id)) WITHOUT ROWID;"
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
    " lane INTEGER NOT NULL, asset TEXT, body TEXT NOT NULL);"
    "CREATE INDEX outbox_asset ON outbox(asset, seq);"
    "CREATE TABLE refused(number INTEGER PRIMARY KEY, epoch TEXT, seq"
    " INTEGER, created INTEGER, lane INTEGER, asset TEXT, body TEXT,"
    " why TEXT);";

/*
 * From a version to the next one.  To 2: what was learnt about a device is
 * one line of words (memo_format() of snmp/reading.h).
 */
static const char *const upgrade[] = {
	[1] =
    "ALTER TABLE device ADD COLUMN memo TEXT;"
    "UPDATE device SET memo = trim(CASE version WHEN 1 THEN 'v1'"
    " WHEN 2 THEN 'v2c' ELSE '' END ||"
    " CASE WHEN varbinds BETWEEN 1 AND 255 THEN ' varbinds=' || varbinds"
    " ELSE '' END || CASE WHEN jetdirect THEN ' jetdirect' ELSE '' END);"
    "ALTER TABLE device DROP COLUMN version;"
    "ALTER TABLE device DROP COLUMN varbinds;"
    "ALTER TABLE device DROP COLUMN jetdirect;",
};

static const char note_get[] =
    "SELECT value FROM note WHERE key = ?";
static const char note_set[] =
    "INSERT OR REPLACE INTO note VALUES(?, ?)";
static const char note_drop[] =
    "DELETE FROM note WHERE key = ?";

/* --- open and close -------------------------------------------------------- */

/* The version that the store has: 0 when it is empty, -1 when it is none that
 * we know, logged. */
static int
version_of(struct store *st)
{
	int version = -1;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(st->db, "PRAGMA user_version", -1, &stmt,
	    NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	else
		(void)storedb_failed(st, "store.db");
	sqlite3_finalize(stmt);
	if (version <= STORE_VERSION)
		return version;
	log_warnx("store", "the store has version %d, this program knows %d: "
	    "it was made by a newer Platen", version, STORE_VERSION);
	return -1;
}

static int
set_version(struct store *st)
{
	char pragma[48];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d;",
	    STORE_VERSION);
	return storedb_run(st, pragma);
}

static int
create(struct store *st)
{
	char uuid[UUID_TEXT_MAX], insert[160];

	uuid_make(uuid);
	snprintf(insert, sizeof(insert), "INSERT INTO note VALUES('epoch', "
	    "'%s'), ('next_seq', '1'), ('acked_seq', '0');", uuid);
	return storedb_run(st, schema) == -1 ||
	    storedb_run(st, insert) == -1 ? -1 : 0;
}

static int
bring_up_to_date(struct store *st, int version)
{
	log_info("store", "the store had version %d; it has %d now", version,
	    STORE_VERSION);
	for (; version < STORE_VERSION; version++)
		if (storedb_run(st, upgrade[version]) == -1)
			return -1;
	return 0;
}

/* Two processes may come here at the same time: one transaction. */
static int
make_ready(struct store *st)
{
	int version, rc = -1;

	if (storedb_run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	version = version_of(st);
	if (version == STORE_VERSION)
		rc = 0;
	else if (version == 0)
		rc = create(st);
	else if (version > 0)
		rc = bring_up_to_date(st, version);
	if (rc == 0 && version != STORE_VERSION)
		rc = set_version(st);
	if (rc == 0)
		return storedb_run(st, "COMMIT");
	storedb_run(st, "ROLLBACK");
	return -1;
}

static struct store *
open_at(const char *dir, int flags)
{
	struct store *st;
	char *path;
	mode_t mask;
	int rc;

	st = xcalloc(1, sizeof(*st));
	path = xasprintf("%s/store.db", dir);
	mask = umask(077);
	rc = sqlite3_open_v2(path, &st->db, flags | SQLITE_OPEN_NOMUTEX,
	    NULL);
	umask(mask);
	if (rc != SQLITE_OK) {
		log_warnx("store", "%s: %s", path, st->db == NULL ?
		    "out of memory" : sqlite3_errmsg(st->db));
		store_close(st);
		st = NULL;
	} else {
		sqlite3_busy_timeout(st->db, BUSY_MS);
		sqlite3_extended_result_codes(st->db, 1);
	}
	free(path);
	return st;
}

/* While the other process makes the store a WAL one, or recovers it, SQLite
 * answers "busy" without waiting (two that wait could wait for each other). */
static int
set_up(struct store *st)
{
	int64_t end = clock_mono_ms() + BUSY_MS;
	int rc;

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

struct store *
store_open(const char *dir)
{
	struct store *st;

	st = open_at(dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (st == NULL)
		return NULL;
	if (set_up(st) == -1 || make_ready(st) == -1) {
		store_close(st);
		return NULL;
	}
	return st;
}

struct store *
store_open_readonly(const char *dir)
{
	struct store *st = open_at(dir, SQLITE_OPEN_READONLY);
	int version;

	if (st == NULL || (version = version_of(st)) == STORE_VERSION)
		return st;
	if (version >= 0)
		log_warnx("store", "%s/store.db: platend has not %s", dir,
		    version == 0 ? "written anything into it yet" :
		    "been started since it was updated");
	store_close(st);
	return NULL;
}

void
store_close(struct store *st)
{
	size_t i;

	if (st == NULL)
		return;
	for (i = 0; i < STOREDB_STATEMENTS; i++)
		sqlite3_finalize(st->cache[i].stmt);
	sqlite3_close(st->db);
	free(st);
}

int
store_begin(struct store *st)
{
	if (storedb_run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	st->open = true;
	st->next_seq = 0;
	return 0;
}

int
store_commit(struct store *st)
{
	if (storedb_run(st, "COMMIT") == -1) {
		store_rollback(st);
		return -1;
	}
	st->open = false;
	if (st->hurried)
		sqlite3_busy_timeout(st->db, BUSY_MS);
	st->hurried = false;
	return 0;
}

void
store_rollback(struct store *st)
{
	if (!sqlite3_get_autocommit(st->db))
		(void)storedb_run(st, "ROLLBACK");
	st->open = false;
	st->next_seq = 0;
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
