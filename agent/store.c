#include "agent/store.h"

#include <sys/stat.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

#define STORE_VERSION	1
#define BUSY_MS		10000
#define TEXT(number)	TEXT_OF(number)
#define TEXT_OF(number)	#number
/* Past this a report is split, well below REPORT_XML_MAX. */
#define BODY_MAX	(32 * 1024)
/* What stays of a report that was folded into a later one. */
#define EMPTY		"<report xmlns=\"" REPORT_NS "\"/>"

static const char schema[] =
    "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, address TEXT NOT NULL"
    " UNIQUE, zone TEXT, credentials TEXT, version INTEGER, varbinds"
    " INTEGER, jetdirect INTEGER, printer INTEGER, why TEXT, seen INTEGER);"
    "CREATE TABLE asset(id TEXT PRIMARY KEY, device INTEGER NOT NULL,"
    " row INTEGER NOT NULL, key TEXT, strength INTEGER, counters_ms INTEGER"
    " NOT NULL DEFAULT 0, levels_ms INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE INDEX asset_device ON asset(device, row);"
    "CREATE INDEX asset_key ON asset(key);"
    "CREATE TABLE told(id TEXT PRIMARY KEY, asset TEXT NOT NULL,"
    " body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX told_asset ON told(asset);"
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
    " lane INTEGER NOT NULL, asset TEXT, body TEXT NOT NULL);"
    "CREATE INDEX outbox_asset ON outbox(asset, seq);"
    "CREATE TABLE refused(number INTEGER PRIMARY KEY, epoch TEXT, seq"
    " INTEGER, created INTEGER, lane INTEGER, asset TEXT, body TEXT,"
    " why TEXT);";

enum statement {
	NOTE_GET, NOTE_SET, NOTE_DROP,
	DEVICE_PUT, DEVICE_ID, DEVICE_DROP, DEVICE_UNBIND, DEVICE_EACH,
	ASSET_AT, ASSET_KEY, ASSET_PUT, ASSET_EACH,
	TOLD_GET, TOLD_PUT, TOLD_DROP,
	OUT_PUT, OUT_NEXT, OUT_ACK, OUT_COUNT, OUT_SEQS, OUT_EACH, OUT_PAIR,
	OUT_BODY, OUT_EMPTY,
	REFUSE, REFUSED_OLD, REFUSED_COUNT, REFUSED_EACH,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[NOTE_GET] = "SELECT value FROM note WHERE key = ?",
	[NOTE_SET] = "INSERT OR REPLACE INTO note VALUES(?, ?)",
	[NOTE_DROP] = "DELETE FROM note WHERE key = ?",
	[DEVICE_PUT] = "INSERT INTO device(address, zone, credentials,"
	    " version, varbinds, jetdirect, printer, why, seen)"
	    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(address)"
	    " DO UPDATE SET zone=?2, credentials=?3, version=?4, varbinds=?5,"
	    " jetdirect=?6, printer=?7, why=?8, seen=?9",
	[DEVICE_ID] = "SELECT id FROM device WHERE address = ?",
	[DEVICE_DROP] = "DELETE FROM device WHERE id = ?",
	[DEVICE_UNBIND] = "UPDATE asset SET device = 0 WHERE device = ?",
	[DEVICE_EACH] = "SELECT id, address, zone, credentials, version,"
	    " varbinds, jetdirect, printer, why, seen FROM device"
	    " ORDER BY seen DESC",
	[ASSET_AT] = "SELECT id, device, row, key, strength, counters_ms,"
	    " levels_ms FROM asset WHERE device = ? AND row = ?",
	[ASSET_KEY] = "SELECT id, device, row, key, strength, counters_ms,"
	    " levels_ms FROM asset WHERE key = ?",
	[ASSET_PUT] = "INSERT OR REPLACE INTO asset(id, device, row, key,"
	    " strength, counters_ms, levels_ms) VALUES(?,?,?,?,?,?,?)",
	[ASSET_EACH] = "SELECT id, device, row, key, strength, counters_ms,"
	    " levels_ms FROM asset",
	[TOLD_GET] = "SELECT body FROM told WHERE asset = ?",
	[TOLD_PUT] = "INSERT OR REPLACE INTO told VALUES(?,?,?)",
	[TOLD_DROP] = "DELETE FROM told WHERE id = ?",
	[OUT_PUT] = "INSERT INTO outbox VALUES(?,?,?,?,?)",
	[OUT_NEXT] = "SELECT seq, body FROM outbox WHERE seq > ?"
	    " ORDER BY seq LIMIT 1",
	[OUT_ACK] = "DELETE FROM outbox WHERE seq <= ?",
	[OUT_COUNT] = "SELECT count(*), coalesce(sum(length(CAST(body AS"
	    " BLOB))), 0) FROM outbox",
	[OUT_SEQS] = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0)"
	    " FROM outbox",
	[OUT_EACH] = "SELECT seq, created, lane, asset, body, NULL"
	    " FROM outbox ORDER BY seq",
	[OUT_PAIR] = "SELECT o.seq, o.body, l.seq, l.body FROM outbox o"
	    " JOIN outbox l ON l.seq = (SELECT min(seq) FROM outbox"
	    " WHERE asset = o.asset AND seq > o.seq)"
	    " WHERE o.lane = 0 AND o.seq > ? ORDER BY o.seq LIMIT 1",
	[OUT_BODY] = "UPDATE outbox SET body = ?2 WHERE seq = ?1",
	[OUT_EMPTY] = "UPDATE outbox SET body = '" EMPTY "', asset = NULL,"
	    " lane = 1 WHERE seq = ?",
	[REFUSE] = "INSERT INTO refused(epoch, seq, created, lane, asset,"
	    " body, why) SELECT ?2, seq, created, lane, asset, body, ?3"
	    " FROM outbox WHERE seq = ?1",
	[REFUSED_OLD] = "DELETE FROM refused WHERE number <= (SELECT number"
	    " FROM refused ORDER BY number DESC LIMIT 1 OFFSET "
	    TEXT(STORE_REFUSED_MAX) ")",
	[REFUSED_COUNT] = "SELECT count(*) FROM refused",
	[REFUSED_EACH] = "SELECT seq, created, lane, asset, body, why"
	    " FROM refused ORDER BY number",
};

struct store {
	sqlite3		*db;
	sqlite3_stmt	*stmt[STATEMENTS];
	int64_t		 next_seq;	/* 0: not known, read the note */
	int64_t		 squeeze_max;	/* what the next two are about; 0 none */
	int64_t		 most_bytes;	/* the outbox has no more than this */
	int64_t		 squeeze_at;	/* count again from here on */
	bool		 open;		/* a transaction */
};

static int
failed(struct store *st, const char *what)
{
	log_warnx("store", "%s: %s", what, sqlite3_errmsg(st->db));
	return -1;
}

static int
run(struct store *st, const char *text)
{
	if (sqlite3_exec(st->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return failed(st, text);
	return 0;
}

/* A statement ready to bind; prepared at its first use. */
static sqlite3_stmt *
get(struct store *st, enum statement which)
{
	sqlite3_stmt **stmt = &st->stmt[which];

	if (*stmt == NULL && sqlite3_prepare_v3(st->db, sql[which], -1,
	    SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
		(void)failed(st, sql[which]);
		return NULL;
	}
	return *stmt;
}

static void
text(sqlite3_stmt *stmt, int column, const char *value)
{
	if (value == NULL)
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_text(stmt, column, value, -1, SQLITE_TRANSIENT);
}

/* Runs a statement that gives no rows. */
static int
done(struct store *st, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return failed(st, sqlite3_sql(stmt));
	return 0;
}

static void
finish(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

static char *
column_copy(sqlite3_stmt *stmt, int column)
{
	return xstrdup_null((const char *)sqlite3_column_text(stmt, column));
}

/* --- open and close -------------------------------------------------------- */

/* 1 when the store is of ours, 0 when it is empty, -1 otherwise, logged. */
static int
check_version(struct store *st)
{
	int version = -1;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(st->db, "PRAGMA user_version", -1, &stmt,
	    NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	else
		(void)failed(st, "store.db");
	sqlite3_finalize(stmt);
	if (version <= STORE_VERSION)
		return version;
	log_warnx("store", "the store has version %d, this program knows %d: "
	    "it was made by a newer Platen", version, STORE_VERSION);
	return -1;
}

static int
create(struct store *st)
{
	char uuid[UUID_TEXT_MAX], insert[160];

	/* Two processes may come here at the same time. */
	if (run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	switch (check_version(st)) {
	case 1:
		return run(st, "COMMIT");
	case -1:
		run(st, "ROLLBACK");
		return -1;
	}
	uuid_make(uuid);
	snprintf(insert, sizeof(insert), "INSERT INTO note VALUES('epoch', "
	    "'%s'), ('next_seq', '1'), ('acked_seq', '0');"
	    "PRAGMA user_version = %d;", uuid, STORE_VERSION);
	if (run(st, schema) == -1 || run(st, insert) == -1) {
		run(st, "ROLLBACK");
		return -1;
	}
	return run(st, "COMMIT");
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
			return failed(st, "store.db");
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
	if (set_up(st) == -1 || create(st) == -1) {
		store_close(st);
		return NULL;
	}
	return st;
}

struct store *
store_open_readonly(const char *dir)
{
	struct store *st = open_at(dir, SQLITE_OPEN_READONLY);

	if (st != NULL && check_version(st) != 1) {
		store_close(st);
		st = NULL;
	}
	return st;
}

void
store_close(struct store *st)
{
	size_t i;

	if (st == NULL)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(st->stmt[i]);
	sqlite3_close(st->db);
	free(st);
}

int
store_begin(struct store *st)
{
	if (run(st, "BEGIN IMMEDIATE") == -1)
		return -1;
	st->open = true;
	st->next_seq = 0;
	return 0;
}

int
store_commit(struct store *st)
{
	if (run(st, "COMMIT") == -1) {
		store_rollback(st);
		return -1;
	}
	st->open = false;
	return 0;
}

void
store_rollback(struct store *st)
{
	if (!sqlite3_get_autocommit(st->db))
		(void)run(st, "ROLLBACK");
	st->open = false;
	st->next_seq = 0;
	st->squeeze_max = 0;
}

bool
store_in_transaction(const struct store *st)
{
	return st->open;
}

/* --- notes ----------------------------------------------------------------- */

char *
store_note(struct store *st, const char *key)
{
	sqlite3_stmt *stmt;
	char *value = NULL;

	if ((stmt = get(st, NOTE_GET)) != NULL) {
		text(stmt, 1, key);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			value = column_copy(stmt, 0);
		finish(stmt);
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

	if ((stmt = get(st, value == NULL ? NOTE_DROP : NOTE_SET)) == NULL)
		return -1;
	text(stmt, 1, key);
	if (value != NULL)
		text(stmt, 2, value);
	return done(st, stmt);
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

/* --- devices --------------------------------------------------------------- */

void
store_device_clear(struct store_device *device)
{
	free(device->address);
	free(device->zone);
	free(device->credentials);
	free(device->why);
	memset(device, 0, sizeof(*device));
}

int
store_put_device(struct store *st, struct store_device *device)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, DEVICE_PUT)) == NULL)
		return -1;
	text(stmt, 1, device->address);
	text(stmt, 2, device->zone);
	text(stmt, 3, device->credentials);
	sqlite3_bind_int64(stmt, 4, device->version);
	sqlite3_bind_int64(stmt, 5, device->varbinds);
	sqlite3_bind_int64(stmt, 6, device->jetdirect);
	sqlite3_bind_int64(stmt, 7, device->printer);
	text(stmt, 8, device->why);
	sqlite3_bind_int64(stmt, 9, device->seen_ms);
	if (done(st, stmt) == -1 || (stmt = get(st, DEVICE_ID)) == NULL)
		return -1;
	text(stmt, 1, device->address);
	rc = sqlite3_step(stmt) == SQLITE_ROW ? 0 : -1;
	device->id = sqlite3_column_int64(stmt, 0);
	finish(stmt);
	return rc;
}

int
store_drop_device(struct store *st, int64_t id)
{
	enum statement which[] = { DEVICE_UNBIND, DEVICE_DROP };
	sqlite3_stmt *stmt;
	size_t i;

	for (i = 0; i < 2; i++) {
		if ((stmt = get(st, which[i])) == NULL)
			return -1;
		sqlite3_bind_int64(stmt, 1, id);
		if (done(st, stmt) == -1)
			return -1;
	}
	return 0;
}

int
store_each_device(struct store *st, void (*fn)(void *,
    const struct store_device *), void *arg)
{
	struct store_device device;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, DEVICE_EACH)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		device.id = sqlite3_column_int64(stmt, 0);
		device.address = column_copy(stmt, 1);
		device.zone = column_copy(stmt, 2);
		device.credentials = column_copy(stmt, 3);
		device.version = sqlite3_column_int64(stmt, 4);
		device.varbinds = sqlite3_column_int64(stmt, 5);
		device.jetdirect = sqlite3_column_int64(stmt, 6);
		device.printer = sqlite3_column_int64(stmt, 7);
		device.why = column_copy(stmt, 8);
		device.seen_ms = sqlite3_column_int64(stmt, 9);
		fn(arg, &device);
		store_device_clear(&device);
	}
	finish(stmt);
	return rc == SQLITE_DONE ? 0 : failed(st, "devices");
}

/* --- assets ---------------------------------------------------------------- */

void
store_asset_clear(struct store_asset *asset)
{
	free(asset->key);
	memset(asset, 0, sizeof(*asset));
}

static void
asset_from_row(sqlite3_stmt *stmt, struct store_asset *asset)
{
	snprintf(asset->id, sizeof(asset->id), "%s",
	    (const char *)sqlite3_column_text(stmt, 0));
	asset->device = sqlite3_column_int64(stmt, 1);
	asset->row = sqlite3_column_int64(stmt, 2);
	asset->key = column_copy(stmt, 3);
	asset->strength = sqlite3_column_int64(stmt, 4);
	asset->counters_ms = sqlite3_column_int64(stmt, 5);
	asset->levels_ms = sqlite3_column_int64(stmt, 6);
}

static int
one_asset(struct store *st, sqlite3_stmt *stmt, struct store_asset *asset)
{
	int rc = sqlite3_step(stmt);

	memset(asset, 0, sizeof(*asset));
	if (rc == SQLITE_ROW)
		asset_from_row(stmt, asset);
	finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return failed(st, "asset");
	return rc == SQLITE_ROW;
}

int
store_asset_at(struct store *st, int64_t device, int64_t row,
    struct store_asset *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, ASSET_AT)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, device);
	sqlite3_bind_int64(stmt, 2, row);
	return one_asset(st, stmt, asset);
}

int
store_asset_by_key(struct store *st, const char *key,
    struct store_asset *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, ASSET_KEY)) == NULL)
		return -1;
	text(stmt, 1, key);
	return one_asset(st, stmt, asset);
}

int
store_put_asset(struct store *st, const struct store_asset *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, ASSET_PUT)) == NULL)
		return -1;
	text(stmt, 1, asset->id);
	sqlite3_bind_int64(stmt, 2, asset->device);
	sqlite3_bind_int64(stmt, 3, asset->row);
	text(stmt, 4, asset->key);
	sqlite3_bind_int64(stmt, 5, asset->strength);
	sqlite3_bind_int64(stmt, 6, asset->counters_ms);
	sqlite3_bind_int64(stmt, 7, asset->levels_ms);
	return done(st, stmt);
}

int
store_each_asset(struct store *st, void (*fn)(void *,
    const struct store_asset *), void *arg)
{
	struct store_asset asset;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, ASSET_EACH)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		asset_from_row(stmt, &asset);
		fn(arg, &asset);
		store_asset_clear(&asset);
	}
	finish(stmt);
	return rc == SQLITE_DONE ? 0 : failed(st, "assets");
}

/* Moves the records of one read report to the end of another. */
static void
take_records(struct report *to, struct report *from)
{
	size_t i;

	for (i = 0; i < from->assets_len; i++) {
		*report_asset(to) = from->assets[i];
		asset_init(&from->assets[i]);
	}
	for (i = 0; i < from->consumables_len; i++) {
		*report_consumable(to) = from->consumables[i];
		consumable_init(&from->consumables[i]);
	}
	for (i = 0; i < from->alerts_len; i++) {
		*report_alert(to) = from->alerts[i];
		alert_init(&from->alerts[i]);
	}
}

int
store_told(struct store *st, const char *asset, struct report *out)
{
	struct report one;
	sqlite3_stmt *stmt;
	char why[160];
	int rc;

	if ((stmt = get(st, TOLD_GET)) == NULL)
		return -1;
	text(stmt, 1, asset);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		report_init(&one);
		if (report_read((const char *)sqlite3_column_text(stmt, 0),
		    (size_t)sqlite3_column_bytes(stmt, 0), &one, why,
		    sizeof(why)) == 0)
			take_records(out, &one);
		else	/* told again whole, which mends it */
			log_warnx("store", "asset %s: what was told cannot be "
			    "read: %s", asset, why);
		report_clear(&one);
	}
	finish(stmt);
	return rc == SQLITE_DONE ? 0 : failed(st, "told");
}

static int
tell(struct store *st, const char *id, const char *asset, struct report *one)
{
	struct buf xml = { 0 };
	sqlite3_stmt *stmt;
	int rc = -1;

	if (report_try_write(one, &xml) == -1)
		rc = 0;		/* nor was it sent: told again next time */
	else if ((stmt = get(st, TOLD_PUT)) != NULL) {
		text(stmt, 1, id);
		text(stmt, 2, asset);
		sqlite3_bind_text(stmt, 3, xml.data, (int)xml.len,
		    SQLITE_STATIC);
		rc = done(st, stmt);
	}
	buf_free(&xml);
	return rc;
}

/* A report that borrows one record; nothing in it is to be freed. */
int
store_tell_asset(struct store *st, const struct asset *asset)
{
	struct asset copy = *asset;
	struct report one;

	report_init(&one);
	one.assets = &copy;
	one.assets_len = 1;
	return tell(st, asset->id, asset->id, &one);
}

int
store_tell_consumable(struct store *st, const struct consumable *consumable)
{
	struct consumable copy = *consumable;
	struct report one;

	report_init(&one);
	one.consumables = &copy;
	one.consumables_len = 1;
	return tell(st, consumable->id, consumable->asset, &one);
}

int
store_tell_alert(struct store *st, const struct alert *alert)
{
	struct alert copy = *alert;
	struct report one;

	report_init(&one);
	one.alerts = &copy;
	one.alerts_len = 1;
	return tell(st, alert->id, alert->asset, &one);
}

int
store_forget(struct store *st, const char *record_id)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, TOLD_DROP)) == NULL)
		return -1;
	text(stmt, 1, record_id);
	return done(st, stmt);
}

static void
set_id(char **id, const char *value)
{
	free(*id);
	*id = xstrdup(value);
}

static int
tell_all(struct store *st, const struct report *told)
{
	size_t i;

	for (i = 0; i < told->assets_len; i++)
		if (store_tell_asset(st, &told->assets[i]) == -1)
			return -1;
	for (i = 0; i < told->consumables_len; i++)
		if (store_tell_consumable(st, &told->consumables[i]) == -1)
			return -1;
	for (i = 0; i < told->alerts_len; i++)
		if (store_tell_alert(st, &told->alerts[i]) == -1)
			return -1;
	return 0;
}

/*
 * What was told stays told, under the other id: consumables and alerts keep
 * theirs.  Told anew they would get new ones, and the centre, which has just
 * recognised them, would take them for others.
 */
int
store_rename_asset(struct store *st, const char *from, const char *to)
{
	struct report told;
	char *statements;
	size_t i;
	int rc = -1;

	if (!uuid_valid(from) || !uuid_valid(to))
		return -1;
	statements = xasprintf("DELETE FROM told WHERE asset IN "
	    "('%s', '%s'); DELETE FROM asset WHERE id = '%s';"
	    "UPDATE asset SET id = '%s' WHERE id = '%s';", from, to, to, to,
	    from);
	report_init(&told);
	if (store_told(st, from, &told) == 0 && run(st, statements) == 0) {
		for (i = 0; i < told.assets_len; i++)
			set_id(&told.assets[i].id, to);
		for (i = 0; i < told.consumables_len; i++)
			set_id(&told.consumables[i].asset, to);
		for (i = 0; i < told.alerts_len; i++)
			set_id(&told.alerts[i].asset, to);
		rc = tell_all(st, &told);
	}
	report_clear(&told);
	free(statements);
	return rc;
}

/* --- the outbox ------------------------------------------------------------ */

static int64_t
next_seq(struct store *st)
{
	if (st->next_seq == 0 || !st->open)
		st->next_seq = store_note_int(st, "next_seq", 1);
	return st->next_seq;
}

static int
append_body(struct store *st, const struct buf *body, enum store_lane lane,
    const char *asset)
{
	sqlite3_stmt *stmt;
	int64_t seq;

	if ((stmt = get(st, OUT_PUT)) == NULL)
		return -1;
	seq = next_seq(st);
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_int64(stmt, 2, clock_wall_ms());
	sqlite3_bind_int(stmt, 3, (int)lane);
	text(stmt, 4, asset);
	sqlite3_bind_text(stmt, 5, body->data, (int)body->len, SQLITE_STATIC);
	if (done(st, stmt) == -1 ||
	    store_set_note_int(st, "next_seq", seq + 1) == -1)
		return -1;
	st->next_seq = seq + 1;
	st->most_bytes += (int64_t)body->len;
	return 1;
}

/* The XML of a report that a centre will take: 0, or -1 and why. */
static int
write_body(const struct report *report, struct buf *xml, char *why,
    size_t why_size)
{
	struct report check;
	int rc;

	if (report_try_write(report, xml) == -1) {
		snprintf(why, why_size, "too long");
		return -1;
	}
	report_init(&check);
	rc = report_read(xml->data, xml->len, &check, why, why_size);
	report_clear(&check);
	return rc;
}

/*
 * Fills one report after the other with records, and starts a new one when
 * the next record would make it too long.  part borrows them.
 */
struct splitter {
	struct store		*st;
	enum store_lane		 lane;
	const char		*asset;
	struct report		 part;
	size_t			 records, size;
	int			 reports;	/* -1: failed */
};

static void
complain(const char *asset, const char *why)
{
	log_warnx("store", "a record of asset %s cannot be sent: %s",
	    asset == NULL ? "-" : asset, why);
}

#define BORROW(to, from, kind, i) do {					\
	report_init(to);						\
	(to)->kind = (from)->kind + (i);				\
	(to)->kind ## _len = 1;						\
} while (0)

#define EACH_ALONE(s, from, kind) do {					\
	struct report one_;						\
	size_t i_;							\
	for (i_ = 0; i_ < (from)->kind ## _len; i_++) {			\
		BORROW(&one_, from, kind, i_);				\
		put_part((s), &one_, 1);				\
	}								\
} while (0)

/*
 * A report that no centre would take is a promise of ours, broken by some
 * printer's data.  Its records go one by one, so that the bad one costs
 * nothing but itself.
 */
static void
put_part(struct splitter *s, const struct report *part, size_t records)
{
	struct buf xml = { 0 };
	char why[160];
	int rc = 0;

	if (s->reports == -1)
		return;
	if (write_body(part, &xml, why, sizeof(why)) == 0)
		rc = append_body(s->st, &xml, s->lane, s->asset);
	else if (records == 1)
		complain(s->asset, why);
	else {
		EACH_ALONE(s, part, assets);
		EACH_ALONE(s, part, consumables);
		EACH_ALONE(s, part, alerts);
		EACH_ALONE(s, part, agents);
	}
	if (s->reports != -1)
		s->reports = rc == -1 ? -1 : s->reports + rc;
	buf_free(&xml);
}

static void
flush_part(struct splitter *s)
{
	if (s->records > 0)
		put_part(s, &s->part, s->records);
	s->part.assets_len = s->part.consumables_len = 0;
	s->part.alerts_len = s->part.agents_len = 0;
	s->records = s->size = 0;
}

/* False when the record alone is too long; nothing can be done about it. */
static bool
make_room(struct splitter *s, const struct report *one)
{
	struct buf xml = { 0 };
	size_t size;

	if (report_try_write(one, &xml) == -1) {
		complain(s->asset, "it is too long");
		flush_part(s);
		buf_free(&xml);
		return false;
	}
	size = xml.len;
	buf_free(&xml);
	if (s->records > 0 && s->size + size > BODY_MAX)
		flush_part(s);
	s->size += size;
	s->records++;
	return true;
}

/* Records follow each other in memory: a part is a run of them. */
#define SPLIT(s, from, kind) do {					\
	struct report one_;						\
	size_t i_;							\
	for (i_ = 0; i_ < (from)->kind ## _len; i_++) {			\
		BORROW(&one_, from, kind, i_);				\
		if (!make_room((s), &one_))				\
			continue;					\
		if ((s)->part.kind ## _len == 0)			\
			(s)->part.kind = (from)->kind + i_;		\
		(s)->part.kind ## _len++;				\
	}								\
} while (0)

int
store_append(struct store *st, const struct report *report,
    enum store_lane lane, const char *asset)
{
	struct splitter s = { .st = st, .lane = lane, .asset = asset };

	report_init(&s.part);
	SPLIT(&s, report, assets);
	SPLIT(&s, report, consumables);
	SPLIT(&s, report, alerts);
	SPLIT(&s, report, agents);
	flush_part(&s);
	return s.reports;
}

/* The body as it leaves: epoch and seq go into the start tag. */
static void
put_numbers(struct buf *xml, const char *body, const char *epoch, int64_t seq)
{
	static const char start[] = "<report";

	buf_puts(xml, start);
	buf_printf(xml, " epoch='%s' seq='%lld'", epoch, (long long)seq);
	buf_puts(xml, body + sizeof(start) - 1);
}

int
store_next(struct store *st, int64_t after, int64_t *seq, struct buf *xml)
{
	char epoch[UUID_TEXT_MAX];
	sqlite3_stmt *stmt;
	int rc;

	if (store_epoch(st, epoch) == -1 ||
	    (stmt = get(st, OUT_NEXT)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, after);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*seq = sqlite3_column_int64(stmt, 0);
		put_numbers(xml, (const char *)sqlite3_column_text(stmt, 1),
		    epoch, *seq);
	}
	finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return failed(st, "outbox");
	return rc == SQLITE_ROW;
}

int
store_ack(struct store *st, int64_t seq)
{
	sqlite3_stmt *stmt;
	bool own = !st->open;

	if (seq <= store_note_int(st, "acked_seq", 0))
		return 0;
	if (own && store_begin(st) == -1)
		return -1;
	if ((stmt = get(st, OUT_ACK)) == NULL)
		goto bad;
	sqlite3_bind_int64(stmt, 1, seq);
	if (done(st, stmt) == -1 ||
	    store_set_note_int(st, "acked_seq", seq) == -1)
		goto bad;
	return own ? store_commit(st) : 0;
bad:
	if (own)
		store_rollback(st);
	return -1;
}

int
store_refuse(struct store *st, int64_t seq, const char *why)
{
	char epoch[UUID_TEXT_MAX];
	sqlite3_stmt *stmt;

	if (store_begin(st) == -1)
		return -1;
	(void)store_epoch(st, epoch);
	if ((stmt = get(st, REFUSE)) == NULL)
		goto bad;
	sqlite3_bind_int64(stmt, 1, seq);
	text(stmt, 2, epoch);
	text(stmt, 3, why);
	if (done(st, stmt) == -1 || (stmt = get(st, REFUSED_OLD)) == NULL ||
	    done(st, stmt) == -1 || store_ack(st, seq) == -1)
		goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}

static int
two_numbers(struct store *st, enum statement which, int64_t *a, int64_t *b)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, which)) == NULL)
		return -1;
	rc = sqlite3_step(stmt);
	*a = sqlite3_column_int64(stmt, 0);
	if (b != NULL)
		*b = sqlite3_column_int64(stmt, 1);
	finish(stmt);
	return rc == SQLITE_ROW ? 0 : failed(st, "counting");
}

int
store_outbox(struct store *st, struct store_outbox *out)
{
	int64_t last;

	memset(out, 0, sizeof(*out));
	if (two_numbers(st, OUT_COUNT, &out->depth, &out->bytes) == -1 ||
	    two_numbers(st, OUT_SEQS, &out->first_seq, &last) == -1 ||
	    two_numbers(st, REFUSED_COUNT, &out->refused, NULL) == -1)
		return -1;
	out->next_seq = store_note_int(st, "next_seq", 1);
	out->acked_seq = store_note_int(st, "acked_seq", 0);
	out->lost_detail = store_note_int(st, "lost_detail", 0);
	if (out->depth == 0)
		out->first_seq = out->next_seq;
	return 0;
}

int
store_each_report(struct store *st, bool refused, void (*fn)(void *,
    const struct store_report *), void *arg)
{
	struct store_report report;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, refused ? REFUSED_EACH : OUT_EACH)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		report.seq = sqlite3_column_int64(stmt, 0);
		report.created_ms = sqlite3_column_int64(stmt, 1);
		report.lane = sqlite3_column_int(stmt, 2) == STORE_DETAIL ?
		    STORE_DETAIL : STORE_EVENT;
		report.asset = (const char *)sqlite3_column_text(stmt, 3);
		report.body = (const char *)sqlite3_column_text(stmt, 4);
		report.why = (const char *)sqlite3_column_text(stmt, 5);
		fn(arg, &report);
	}
	finish(stmt);
	return rc == SQLITE_DONE ? 0 : failed(st, "reports");
}

/* --- a full outbox --------------------------------------------------------- */

/* What later says replaces what to says; unlike record_apply() a value that
 * has gone stays said. */
static void
overlay(const struct field *fields, void *to, const void *later)
{
	const struct field *f;

	for (f = fields; f->name != NULL; f++) {
		if (field_absent(f, later))
			continue;
		if (field_is_text(f))
			field_set_text(f, to, field_text(f, later));
		else
			field_set_int(f, to, field_int(f, later));
	}
}

/* Lays later over earlier: what only the earlier one says goes on living. */
static void
merge_reports(struct report *earlier, struct report *later)
{
	struct consumable *old;
	struct counter *count;
	size_t i, j;

	for (i = 0; i < later->assets_len && earlier->assets_len > 0; i++) {
		overlay(asset_fields, &earlier->assets[0],
		    &later->assets[i]);
		for (j = 0; j < later->assets[i].counters_len; j++) {
			const struct counter *c = &later->assets[i].counters[j];

			if ((count = asset_counter(&earlier->assets[0],
			    c->name)) == NULL)
				count = asset_counter_add(&earlier->assets[0],
				    c->name);
			if (count != NULL)
				overlay(counter_fields, count, c);
		}
	}
	if (earlier->assets_len == 0 && later->assets_len > 0) {
		*report_asset(earlier) = later->assets[0];
		asset_init(&later->assets[0]);
	}
	for (i = 0; i < later->consumables_len; i++) {
		for (old = NULL, j = 0; j < earlier->consumables_len; j++)
			if (strcmp(earlier->consumables[j].id,
			    later->consumables[i].id) == 0)
				old = &earlier->consumables[j];
		if (old == NULL)
			old = report_consumable(earlier);
		overlay(consumable_fields, old, &later->consumables[i]);
	}
	for (i = 0; i < later->alerts_len; i++)
		overlay(alert_fields, report_alert(earlier),
		    &later->alerts[i]);
}

static int
set_body(struct store *st, int64_t seq, const char *body, size_t len)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, OUT_BODY)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_text(stmt, 2, body, (int)len, SQLITE_STATIC);
	return done(st, stmt);
}

/* The number stays, so that there is no gap, and is nobody's any more. */
static int
empty_body(struct store *st, int64_t seq)
{
	sqlite3_stmt *stmt;

	if ((stmt = get(st, OUT_EMPTY)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, seq);
	return done(st, stmt);
}

/* A detail report and the next report of the same asset. */
struct pair {
	int64_t	 a, b;
	char	*body_a, *body_b;
};

/* The first pair behind after: 1, 0 when there is none, -1. */
static int
next_pair(struct store *st, int64_t after, struct pair *pair)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = get(st, OUT_PAIR)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, after);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		pair->a = sqlite3_column_int64(stmt, 0);
		pair->body_a = column_copy(stmt, 1);
		pair->b = sqlite3_column_int64(stmt, 2);
		pair->body_b = column_copy(stmt, 3);
	}
	finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return failed(st, "squeeze");
	return rc == SQLITE_ROW;
}

/* Folds a into b.  The octets that this freed, 0 when both stay as they are
 * because together they are too long, -1. */
static int64_t
fold(struct store *st, const struct pair *pair)
{
	size_t len_a = strlen(pair->body_a), len_b = strlen(pair->body_b);
	struct report earlier, later;
	struct buf xml = { 0 };
	char why[160];
	int64_t freed = 0;

	report_init(&earlier);
	report_init(&later);
	if (report_read(pair->body_a, len_a, &earlier, why,
	    sizeof(why)) == 0 &&
	    report_read(pair->body_b, len_b, &later, why,
	    sizeof(why)) == 0) {
		merge_reports(&earlier, &later);
		if (report_try_write(&earlier, &xml) == -1)
			;
		else if (set_body(st, pair->b, xml.data, xml.len) == -1 ||
		    empty_body(st, pair->a) == -1)
			freed = -1;
		else
			freed = (int64_t)(len_a + len_b) -
			    (int64_t)(xml.len + sizeof(EMPTY) - 1);
	}
	buf_free(&xml);
	report_clear(&earlier);
	report_clear(&later);
	return freed;
}

/*
 * What a detail report says is superseded by later reports of its asset,
 * whatever their lane: an event brings levels and counters too.  So it is
 * folded into the very next one; past that its values would come out of turn.
 */
int
store_squeeze(struct store *st, int64_t max_bytes)
{
	struct store_outbox box;
	struct pair pair;
	int64_t after, freed, least;
	int folded = 0, rc = 0;

	/* Counting reads all that waits; only we make it more. */
	if (st->squeeze_max == max_bytes && st->most_bytes < st->squeeze_at)
		return 0;
	if (store_outbox(st, &box) == -1)
		return -1;
	/* What is in flight (the lowest few numbers) must not change. */
	after = box.first_seq + STORE_IN_FLIGHT_MAX;
	least = box.bytes <= max_bytes ? max_bytes : max_bytes - max_bytes / 16;
	while (box.bytes > least && rc == 0 &&
	    (rc = next_pair(st, after, &pair)) == 1) {
		freed = fold(st, &pair);
		rc = freed < 0 ? -1 : 0;
		folded += freed > 0;
		box.bytes -= freed;
		after = pair.a;
		free(pair.body_a);
		free(pair.body_b);
	}
	if (rc == 0 && folded > 0)
		rc = store_set_note_int(st, "lost_detail",
		    box.lost_detail + folded);
	st->squeeze_max = max_bytes;
	st->most_bytes = box.bytes;
	st->squeeze_at = box.bytes <= max_bytes ? max_bytes :
	    box.bytes + max_bytes / 64;
	return rc == 0 ? folded : -1;
}

int
store_new_epoch(struct store *st)
{
	char uuid[UUID_TEXT_MAX], renumber[160];
	struct store_outbox box;

	uuid_make(uuid);
	if (store_begin(st) == -1)
		return -1;
	if (store_outbox(st, &box) == -1)
		goto bad;
	/* Numbers have no gaps, so they move together; by way of negative
	 * ones, so that no two rows ever share one. */
	snprintf(renumber, sizeof(renumber), "UPDATE outbox SET seq = -(seq - "
	    "%lld); UPDATE outbox SET seq = -seq;",
	    (long long)box.first_seq - 1);
	if (run(st, renumber) == -1 ||
	    store_set_note(st, "epoch", uuid) == -1 ||
	    store_set_note_int(st, "acked_seq", 0) == -1 ||
	    store_set_note_int(st, "next_seq", box.depth + 1) == -1)
		goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}
