#include "agent/salvage.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/storedb.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "schema/lane.h"
#include "schema/report.h"

/* Rows that cannot be read are passed over one by one, then in steps that
 * double; so many in all before the rest is given up. */
#define ONE_BY_ONE	64
#define BAD_MAX		4096
#define TEXT_MAX	256
#define BODY_MAX	(1024 * 1024)

static const char reports[] =
    "SELECT rowid, asset, body, lane FROM outbox WHERE rowid > ?"
    " ORDER BY rowid LIMIT 1";
static const char devices[] =
    "SELECT id, address, zone, credentials, memo, seen FROM device"
    " WHERE id > ? AND printer = 1 ORDER BY id LIMIT 1";
static const char notes[] =
    "SELECT value FROM note WHERE key = ?";

struct wreck {
	sqlite3			*db;
	struct store		*st;
	const struct lock	*lock;
	struct salvage		*out;
	int64_t			 opened;	/* urgent reports that did */
	int64_t			 bad;		/* of the bulk, that did not */
};

/* A text that may be garbage: NULL then, and for NULL. */
static char *
sound_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	size_t i, len = text == NULL ? 0 : strlen(text);

	if (len == 0 || len > TEXT_MAX || !utf8_valid(text, len))
		return NULL;
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return NULL;
	return xstrdup(text);
}

static int64_t
note_int(const struct wreck *w, const char *key)
{
	int64_t n = -1;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(w->db, notes, -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* Its XML, when the body is what we wrote. */
static char *
open_body(const struct wreck *w, sqlite3_stmt *stmt, int column, size_t *len)
{
	const void *sealed = sqlite3_column_blob(stmt, column);
	size_t size = (size_t)sqlite3_column_bytes(stmt, column);
	char *xml;

	if (sealed == NULL || size < LOCK_MORE || size > BODY_MAX)
		return NULL;
	xml = xmalloc(size - LOCK_MORE + 1);
	if (lock_take(w->lock, STOREDB_BODY_NAME, sealed, size, xml) == -1) {
		free(xml);
		return NULL;
	}
	*len = size - LOCK_MORE;
	xml[*len] = '\0';
	return xml;
}

/* The lane of the row is not sealed, so it goes where nothing is merged. */
static int
save_report(struct wreck *w, sqlite3_stmt *stmt)
{
	char *xml, *asset, why[160];
	struct report report;
	size_t len;
	bool urgent = sqlite3_column_int(stmt, 3) != LANE_BULK;
	int n = 0;

	if ((xml = open_body(w, stmt, 2, &len)) == NULL) {
		w->bad += !urgent;
		return 0;
	}
	asset = sound_text(stmt, 1);
	report_init(&report);
	if (report_read_own(xml, len, &report, why, sizeof(why)) == 0) {
		w->opened += urgent;
		n = outbox_append(w->st, &report, LANE_URGENT, asset != NULL &&
		    uuid_valid(asset) ? asset : NULL);
	}
	report_clear(&report);
	free(asset);
	free(xml);
	if (n > 0)
		w->out->saved += n;
	return n == -1 ? -1 : 0;
}

/* Only an address to ask: the patrol takes it if the configuration has it. */
static int
save_device(struct wreck *w, sqlite3_stmt *stmt)
{
	struct known_device row = { .printer = 1 };
	int rc = 0;

	row.address = sound_text(stmt, 1);
	row.zone = sound_text(stmt, 2);
	row.credentials = sound_text(stmt, 3);
	row.memo = sound_text(stmt, 4);
	row.seen_ms = sqlite3_column_int64(stmt, 5);
	if (row.address != NULL && (rc = known_put_device(w->st, &row)) == 0)
		w->out->devices++;
	known_device_clear(&row);
	return rc;
}

/* Each row behind after, whose number is the first column. */
static int
each_row(struct wreck *w, const char *sql, int64_t after,
    int (*fn)(struct wreck *, sqlite3_stmt *))
{
	int64_t step = 1;
	sqlite3_stmt *stmt;
	int bad, rc, saved = 0, run = 0;

	if (sqlite3_prepare_v2(w->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return 0;
	for (bad = 0; saved == 0 && bad < BAD_MAX; sqlite3_reset(stmt)) {
		sqlite3_bind_int64(stmt, 1, after);
		if ((rc = sqlite3_step(stmt)) == SQLITE_DONE)
			break;
		if (rc == SQLITE_ROW) {
			after = sqlite3_column_int64(stmt, 0);
			saved = fn(w, stmt);
			step = 1;
			run = 0;
			continue;
		}
		bad++;
		if (++run > ONE_BY_ONE && step < INT64_MAX / 4)
			step *= 2;
		if (after > INT64_MAX - step)
			break;
		after += step;
	}
	sqlite3_finalize(stmt);
	return saved;
}

static sqlite3 *
open_wreck(const char *path)
{
	sqlite3 *db;

	/* Its log is read too; nothing of it goes into the file. */
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return db;
}

int
salvage_store(struct store *st, const struct lock *lock, const char *path,
    struct salvage *out)
{
	struct wreck w = { .st = st, .lock = lock, .out = out };
	int64_t next, acked, merged;
	int rc;

	memset(out, 0, sizeof(*out));
	out->lost = -1;
	if ((w.db = open_wreck(path)) == NULL)
		return 0;
	next = note_int(&w, "urgent_next");
	acked = note_int(&w, "urgent_acked");
	merged = note_int(&w, "lost_detail");
	rc = each_row(&w, reports, 0, save_report);
	if (rc == 0)
		rc = each_row(&w, devices, 0, save_device);
	/* Numbers of the bulk may be empty: there only rows count. */
	if (next > 0 && acked >= 0 && next - 1 - acked >= w.opened)
		out->lost = next - 1 - acked - w.opened + w.bad;
	/* The centre is told of both. */
	if (out->lost > 0 || merged > 0)
		rc |= store_set_note_int(st, "lost_detail",
		    (out->lost > 0 ? out->lost : 0) +
		    (merged > 0 ? merged : 0));
	sqlite3_close(w.db);
	return rc;
}
