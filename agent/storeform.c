#include "agent/storeform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/storedb.h"
#include "base/log.h"
#include "base/mem.h"

#define STORE_VERSION	4
#define SEALED_SINCE	3
/* "PLAS", so that file(1) and we know the file. */
#define APPLICATION_ID	0x504c4153

/* What the note "seal" says when it opens. */
static const char seal_text[] = "platen";
static const char seal_get[] =
    "SELECT value FROM note WHERE key = 'seal'";
static const char seal_put[] =
    "INSERT OR REPLACE INTO note VALUES('seal', ?)";

#define OUTBOX								\
    "CREATE TABLE outbox(lane INTEGER NOT NULL, seq INTEGER NOT NULL,"	\
    " turn INTEGER NOT NULL, created INTEGER NOT NULL, closed INTEGER"	\
    " NOT NULL DEFAULT 0, asset TEXT, body BLOB NOT NULL,"		\
    " PRIMARY KEY(lane, seq));"						\
    "CREATE INDEX outbox_asset ON outbox(lane, asset, seq);"

static const char schema[] =
    "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, address TEXT NOT NULL"
    " UNIQUE, zone TEXT, credentials TEXT, memo TEXT, printer INTEGER,"
    " why BLOB, seen INTEGER);"
    "CREATE TABLE asset(id TEXT PRIMARY KEY, device INTEGER NOT NULL,"
    " row INTEGER NOT NULL, key BLOB, strength INTEGER, counters_ms INTEGER"
    " NOT NULL DEFAULT 0, levels_ms INTEGER NOT NULL DEFAULT 0, mark BLOB)"
    " WITHOUT ROWID;"
    "CREATE INDEX asset_device ON asset(device, row);"
    "CREATE INDEX asset_mark ON asset(mark);"
    "CREATE TABLE told(id TEXT NOT NULL, asset TEXT NOT NULL,"
    " body BLOB NOT NULL, PRIMARY KEY(asset, id)) WITHOUT ROWID;"
    OUTBOX
    "CREATE TABLE refused(number INTEGER PRIMARY KEY, epoch TEXT, seq"
    " INTEGER, created INTEGER, lane INTEGER, asset TEXT, body BLOB,"
    " why BLOB);";

/*
 * From a version to the next one; seal(TEXT, NAME) and mark(TEXT) are those of
 * crypto/lock.h.
 */
static const char *const upgrade[] = {
	/* What was learnt about a device is one line of words (memo_format()
	 * of snmp/reading.h). */
	[1] =
    "ALTER TABLE device ADD COLUMN memo TEXT;"
    "UPDATE device SET memo = trim(CASE version WHEN 1 THEN 'v1'"
    " WHEN 2 THEN 'v2c' ELSE '' END ||"
    " CASE WHEN varbinds BETWEEN 1 AND 255 THEN ' varbinds=' || varbinds"
    " ELSE '' END || CASE WHEN jetdirect THEN ' jetdirect' ELSE '' END);"
    "ALTER TABLE device DROP COLUMN version;"
    "ALTER TABLE device DROP COLUMN varbinds;"
    "ALTER TABLE device DROP COLUMN jetdirect;",
	/* What was read from printers is sealed. */
	[2] =
    "UPDATE told SET body = seal(body, 'told ' || asset || ' ' || id);"
    "UPDATE outbox SET body = seal(body, '" STOREDB_BODY_NAME "');"
    "UPDATE refused SET body = seal(body, '" STOREDB_BODY_NAME "'),"
    " why = seal(why, '" STOREDB_WHY_NAME "');"
    "UPDATE device SET why = seal(why, '" STOREDB_WHY_NAME "');"
    "UPDATE note SET value = seal(value, 'note ' || key) WHERE key = 'agent';"
    "DROP INDEX asset_key;"
    "ALTER TABLE asset ADD COLUMN mark BLOB;"
    "UPDATE asset SET mark = mark(key), key = seal(key, 'asset ' || id);"
    "CREATE INDEX asset_mark ON asset(mark);",
	/* Two lanes; the one queue that there was is the urgent one (1), whose
	 * numbers go on. */
	[3] =
    "DROP INDEX outbox_asset;"
    "ALTER TABLE outbox RENAME TO queue;"
    OUTBOX
    "INSERT INTO outbox(lane, seq, turn, created, asset, body)"
    " SELECT 1, seq, seq, created, asset, body FROM queue ORDER BY seq;"
    "DROP TABLE queue;"
    "UPDATE refused SET lane = 1;"
    "INSERT INTO note SELECT 'next_turn', value FROM note"
    " WHERE key = 'next_seq';"
    "UPDATE note SET key = 'urgent_next' WHERE key = 'next_seq';"
    "UPDATE note SET key = 'urgent_acked' WHERE key = 'acked_seq';"
    "INSERT INTO note VALUES('bulk_next', '1'), ('bulk_acked', '0');",
};

/* --- what upgrades call ---------------------------------------------------- */

static void
sql_seal(sqlite3_context *context, int n, sqlite3_value **value)
{
	struct store *st = sqlite3_user_data(context);
	size_t len = (size_t)sqlite3_value_bytes(value[0]);
	const void *plain = sqlite3_value_blob(value[0]);
	const char *name = (const char *)sqlite3_value_text(value[1]);
	uint8_t *sealed;

	if (sqlite3_value_type(value[0]) == SQLITE_NULL || name == NULL) {
		sqlite3_result_null(context);
		return;
	}
	sealed = xmalloc(len + LOCK_MORE);
	lock_put(st->lock, name, plain, len, sealed);
	sqlite3_result_blob(context, sealed, (int)(len + LOCK_MORE), free);
}

static void
sql_mark(sqlite3_context *context, int n, sqlite3_value **value)
{
	struct store *st = sqlite3_user_data(context);
	const char *text = (const char *)sqlite3_value_text(value[0]);
	uint8_t mark[LOCK_MARK_LEN];

	if (text == NULL) {
		sqlite3_result_null(context);
		return;
	}
	lock_mark(st->lock, text, mark);
	sqlite3_result_blob(context, mark, sizeof(mark), SQLITE_TRANSIENT);
}

static int
add_functions(struct store *st)
{
	if (sqlite3_create_function(st->db, "seal", 2, SQLITE_UTF8, st,
	    sql_seal, NULL, NULL) != SQLITE_OK ||
	    sqlite3_create_function(st->db, "mark", 1, SQLITE_UTF8 |
	    SQLITE_DETERMINISTIC, st, sql_mark, NULL, NULL) != SQLITE_OK)
		return storedb_failed(st, "store.db");
	return 0;
}

/* --- versions -------------------------------------------------------------- */

static int
pragma_int(struct store *st, const char *pragma, int *out)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (sqlite3_prepare_v2(st->db, pragma, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		*out = sqlite3_column_int(stmt, 0);
	else
		rc = storedb_failed(st, "store.db");
	sqlite3_finalize(stmt);
	return rc;
}

/* The version that the store has: 0 when it is empty, -1 when it is none that
 * we know, logged. */
static int
version_of(struct store *st)
{
	int version, id, tables;

	if (pragma_int(st, "PRAGMA user_version", &version) == -1 ||
	    pragma_int(st, "PRAGMA application_id", &id) == -1 ||
	    pragma_int(st, "SELECT count(*) FROM sqlite_schema",
	    &tables) == -1)
		return -1;
	if (version > STORE_VERSION) {
		log_warnx("store", "the store has version %d, this program "
		    "knows %d: it was made by a newer Platen", version,
		    STORE_VERSION);
		return -1;
	}
	if (version < 0 || (version == 0 && tables > 0) ||
	    (version >= SEALED_SINCE && id != APPLICATION_ID) ||
	    (id != 0 && id != APPLICATION_ID))
		return storedb_damaged(st, "it is no store of platend");
	return version;
}

static int
set_version(struct store *st)
{
	char pragma[96];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d;"
	    "PRAGMA application_id = %d;", STORE_VERSION, APPLICATION_ID);
	return storedb_run(st, pragma);
}

/* --- the key --------------------------------------------------------------- */

static int
put_seal(struct store *st)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, seal_put)) == NULL)
		return -1;
	storedb_put_sealed(st, stmt, 1, "note seal", seal_text,
	    sizeof(seal_text) - 1);
	return storedb_done(st, stmt);
}

static int
check_seal(struct store *st)
{
	char text[sizeof(seal_text)] = "";
	sqlite3_stmt *stmt;
	bool opens = false;
	int rc, len;

	if ((stmt = storedb_get(st, seal_get)) == NULL)
		return -1;
	if ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		len = sqlite3_column_bytes(stmt, 0);
		opens = len == LOCK_MORE + (int)sizeof(seal_text) - 1 &&
		    lock_take(st->lock, "note seal",
		    sqlite3_column_blob(stmt, 0), (size_t)len, text) == 0;
	}
	storedb_finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return storedb_failed(st, "store.db");
	if (!opens)
		return storedb_damaged(st, "it was sealed with another key "
		    "than the one that is there now");
	return 0;
}

/* --- making ready ---------------------------------------------------------- */

static int
create(struct store *st)
{
	char uuid[UUID_TEXT_MAX], insert[200];

	uuid_make(uuid);
	snprintf(insert, sizeof(insert), "INSERT INTO note VALUES('epoch', "
	    "'%s'), ('urgent_next', '1'), ('urgent_acked', '0'), "
	    "('bulk_next', '1'), ('bulk_acked', '0');", uuid);
	return storedb_run(st, schema) == -1 ||
	    storedb_run(st, insert) == -1 ? -1 : put_seal(st);
}

static int
bring_up_to_date(struct store *st, int version)
{
	bool clear = version < SEALED_SINCE;

	log_info("store", "the store had version %d; it has %d now", version,
	    STORE_VERSION);
	if (add_functions(st) == -1)
		return -1;
	for (; version < STORE_VERSION; version++)
		if (storedb_run(st, upgrade[version]) == -1)
			return -1;
	return clear ? put_seal(st) : 0;
}

/* What was in clear is to be found nowhere in the file: pages that became free
 * were overwritten (secure_delete), and all are written anew. */
static void
wipe_clear(struct store *st)
{
	if (storedb_run(st, "VACUUM") == -1 ||
	    storedb_run(st, "PRAGMA wal_checkpoint(TRUNCATE)") == -1)
		log_warnx("store", "what the store held in clear before may "
		    "still be in its file");
}

/* 1 when the store is as it should be, 0 when there is something to do, -1 when
 * it cannot be used: by one look, since another process may be at it. */
static int
is_ready(struct store *st)
{
	int version, rc = -1;

	if (storedb_run(st, "BEGIN") == -1)
		return -1;
	if ((version = version_of(st)) == STORE_VERSION)
		rc = check_seal(st) == 0 ? 1 : -1;
	else if (version != -1)
		rc = 0;
	storedb_run(st, "ROLLBACK");
	return rc;
}

/* Two processes may come here at the same time: one transaction.  A store that
 * is ready is not written: its disk may take nothing. */
int
storeform_make_ready(struct store *st)
{
	int version, rc;

	if ((rc = is_ready(st)) != 0)
		return rc == 1 ? 0 : -1;
	rc = -1;
	if (storedb_run(st, "PRAGMA secure_delete = ON") == -1 ||
	    storedb_run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	version = version_of(st);
	if (version == STORE_VERSION)
		rc = check_seal(st);
	else if (version == 0)
		rc = create(st);
	else if (version > 0)
		rc = bring_up_to_date(st, version);
	if (rc == 0 && version != STORE_VERSION)
		rc = set_version(st);
	if (rc == -1) {
		storedb_run(st, "ROLLBACK");
		return -1;
	}
	if (storedb_run(st, "COMMIT") == -1)
		return -1;
	if (version > 0 && version < SEALED_SINCE)
		wipe_clear(st);
	return storedb_run(st, "PRAGMA secure_delete = OFF");
}

int
storeform_check(struct store *st)
{
	int version = version_of(st);

	if (version == STORE_VERSION)
		return check_seal(st);
	if (version >= 0)
		log_warnx("store", "%s/store.db: platend has not %s", st->dir,
		    version == 0 ? "written anything into it yet" :
		    "been started since it was updated");
	return -1;
}
