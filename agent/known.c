#include "agent/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/storedb.h"
#include "base/log.h"
#include "base/mem.h"

static const char device_put[] =
    "INSERT INTO device(address, zone, credentials, memo, printer, why, seen)"
    " VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(address)"
    " DO UPDATE SET zone=?2, credentials=?3, memo=?4, printer=?5, why=?6,"
    " seen=?7";
static const char device_id[] =
    "SELECT id FROM device WHERE address = ?";
static const char device_drop[] =
    "DELETE FROM device WHERE id = ?";
static const char device_unbind[] =
    "UPDATE asset SET device = 0 WHERE device = ?";
static const char device_each[] =
    "SELECT id, address, zone, credentials, memo, printer, why, seen"
    " FROM device"
    " ORDER BY seen DESC";
static const char asset_at[] =
    "SELECT id, device, row, key, strength, counters_ms,"
    " levels_ms FROM asset WHERE device = ? AND row = ?";
static const char asset_key[] =
    "SELECT id, device, row, key, strength, counters_ms,"
    " levels_ms FROM asset WHERE mark = ?";
static const char asset_get[] =
    "SELECT id, device, row, key, strength, counters_ms,"
    " levels_ms FROM asset WHERE id = ?";
static const char asset_put[] =
    "INSERT OR REPLACE INTO asset(id, device, row, key,"
    " strength, counters_ms, levels_ms, mark) VALUES(?,?,?,?,?,?,?,?)";
static const char asset_each[] =
    "SELECT id, device, row, key, strength, counters_ms,"
    " levels_ms FROM asset";
static const char told_get[] =
    "SELECT body, id FROM told WHERE asset = ?";
static const char told_put[] =
    "INSERT OR REPLACE INTO told VALUES(?,?,?)";
static const char told_drop[] =
    "DELETE FROM told WHERE asset = ? AND id = ?";

/* --- devices --------------------------------------------------------------- */

void
known_device_clear(struct known_device *device)
{
	free(device->address);
	free(device->zone);
	free(device->credentials);
	free(device->memo);
	free(device->why);
	memset(device, 0, sizeof(*device));
}

int
known_put_device(struct store *st, struct known_device *device)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, device_put)) == NULL)
		return -1;
	storedb_text(stmt, 1, device->address);
	storedb_text(stmt, 2, device->zone);
	storedb_text(stmt, 3, device->credentials);
	storedb_text(stmt, 4, device->memo);
	sqlite3_bind_int64(stmt, 5, device->printer);
	storedb_put_sealed(st, stmt, 6, STOREDB_WHY_NAME, device->why,
	    device->why == NULL ? 0 : strlen(device->why));
	sqlite3_bind_int64(stmt, 7, device->seen_ms);
	if (storedb_done(st, stmt) == -1 || (stmt = storedb_get(st, device_id)) == NULL)
		return -1;
	storedb_text(stmt, 1, device->address);
	rc = sqlite3_step(stmt) == SQLITE_ROW ? 0 : -1;
	device->id = sqlite3_column_int64(stmt, 0);
	storedb_finish(stmt);
	return rc;
}

int
known_drop_device(struct store *st, int64_t id)
{
	const char *const which[] = { device_unbind, device_drop };
	sqlite3_stmt *stmt;
	size_t i;

	for (i = 0; i < 2; i++) {
		if ((stmt = storedb_get(st, which[i])) == NULL)
			return -1;
		sqlite3_bind_int64(stmt, 1, id);
		if (storedb_done(st, stmt) == -1)
			return -1;
	}
	return 0;
}

int
known_each_device(struct store *st, void (*fn)(void *,
    const struct known_device *), void *arg)
{
	struct known_device device;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, device_each)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		device.id = sqlite3_column_int64(stmt, 0);
		device.address = storedb_copy(stmt, 1);
		device.zone = storedb_copy(stmt, 2);
		device.credentials = storedb_copy(stmt, 3);
		device.memo = storedb_copy(stmt, 4);
		device.printer = sqlite3_column_int64(stmt, 5);
		device.why = storedb_open_sealed(st, stmt, 6,
		    STOREDB_WHY_NAME, NULL);
		device.seen_ms = sqlite3_column_int64(stmt, 7);
		fn(arg, &device);
		known_device_clear(&device);
	}
	storedb_finish(stmt);
	return rc == SQLITE_DONE ? 0 : storedb_failed(st, "devices");
}

/* --- assets ---------------------------------------------------------------- */

void
known_asset_clear(struct known_asset *asset)
{
	free(asset->key);
	memset(asset, 0, sizeof(*asset));
}

static void
asset_from_row(struct store *st, sqlite3_stmt *stmt,
    struct known_asset *asset)
{
	char name[STOREDB_NAME_MAX];

	snprintf(asset->id, sizeof(asset->id), "%s",
	    (const char *)sqlite3_column_text(stmt, 0));
	asset->device = sqlite3_column_int64(stmt, 1);
	asset->row = sqlite3_column_int64(stmt, 2);
	/* Serial numbers and MACs are in it. */
	asset->key = storedb_open_sealed(st, stmt, 3,
	    storedb_name(name, "asset", asset->id, NULL), NULL);
	asset->strength = sqlite3_column_int64(stmt, 4);
	asset->counters_ms = sqlite3_column_int64(stmt, 5);
	asset->levels_ms = sqlite3_column_int64(stmt, 6);
}

/* What a key is looked up by. */
static void
put_mark(struct store *st, sqlite3_stmt *stmt, int column, const char *key)
{
	uint8_t mark[LOCK_MARK_LEN];

	if (key == NULL) {
		sqlite3_bind_null(stmt, column);
		return;
	}
	lock_mark(st->lock, key, mark);
	sqlite3_bind_blob(stmt, column, mark, sizeof(mark), SQLITE_TRANSIENT);
}

static int
one_asset(struct store *st, sqlite3_stmt *stmt, struct known_asset *asset)
{
	int rc = sqlite3_step(stmt);

	memset(asset, 0, sizeof(*asset));
	if (rc == SQLITE_ROW)
		asset_from_row(st, stmt, asset);
	storedb_finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return storedb_failed(st, "asset");
	return rc == SQLITE_ROW;
}

int
known_asset_at(struct store *st, int64_t device, int64_t row,
    struct known_asset *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, asset_at)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, device);
	sqlite3_bind_int64(stmt, 2, row);
	return one_asset(st, stmt, asset);
}

int
known_asset_by_key(struct store *st, const char *key,
    struct known_asset *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, asset_key)) == NULL)
		return -1;
	put_mark(st, stmt, 1, key);
	return one_asset(st, stmt, asset);
}

int
known_has_asset(struct store *st, const char *id)
{
	struct known_asset asset;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, asset_get)) == NULL)
		return -1;
	storedb_text(stmt, 1, id);
	rc = one_asset(st, stmt, &asset);
	known_asset_clear(&asset);
	return rc;
}

int
known_put_asset(struct store *st, const struct known_asset *asset)
{
	char name[STOREDB_NAME_MAX];
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, asset_put)) == NULL)
		return -1;
	storedb_text(stmt, 1, asset->id);
	sqlite3_bind_int64(stmt, 2, asset->device);
	sqlite3_bind_int64(stmt, 3, asset->row);
	storedb_put_sealed(st, stmt, 4, storedb_name(name, "asset", asset->id,
	    NULL), asset->key, asset->key == NULL ? 0 : strlen(asset->key));
	sqlite3_bind_int64(stmt, 5, asset->strength);
	sqlite3_bind_int64(stmt, 6, asset->counters_ms);
	sqlite3_bind_int64(stmt, 7, asset->levels_ms);
	put_mark(st, stmt, 8, asset->key);
	return storedb_done(st, stmt);
}

int
known_each_asset(struct store *st, void (*fn)(void *,
    const struct known_asset *), void *arg)
{
	struct known_asset asset;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, asset_each)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		asset_from_row(st, stmt, &asset);
		fn(arg, &asset);
		known_asset_clear(&asset);
	}
	storedb_finish(stmt);
	return rc == SQLITE_DONE ? 0 : storedb_failed(st, "assets");
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
known_told(struct store *st, const char *asset, struct report *out)
{
	struct report one;
	sqlite3_stmt *stmt;
	char why[160], name[STOREDB_NAME_MAX], *body;
	size_t len;
	int rc;

	if ((stmt = storedb_get(st, told_get)) == NULL)
		return -1;
	storedb_text(stmt, 1, asset);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		report_init(&one);
		snprintf(why, sizeof(why), "it does not open");
		storedb_name(name, "told", asset,
		    (const char *)sqlite3_column_text(stmt, 1));
		body = storedb_open_sealed(st, stmt, 0, name, &len);
		if (body != NULL && report_read_own(body, len, &one, why,
		    sizeof(why)) == 0)
			take_records(out, &one);
		else	/* told again whole, which mends it */
			log_warnx("store", "asset %s: what was told cannot be "
			    "read: %s", asset, why);
		report_clear(&one);
		free(body);
	}
	storedb_finish(stmt);
	return rc == SQLITE_DONE ? 0 : storedb_failed(st, "told");
}

static int
tell(struct store *st, const char *id, const char *asset, struct report *one)
{
	char name[STOREDB_NAME_MAX];
	struct buf xml = { 0 };
	sqlite3_stmt *stmt;
	int rc = -1;

	if (report_try_write(one, &xml) == -1)
		rc = 0;		/* nor was it sent: told again next time */
	else if ((stmt = storedb_get(st, told_put)) != NULL) {
		storedb_text(stmt, 1, id);
		storedb_text(stmt, 2, asset);
		storedb_put_sealed(st, stmt, 3, storedb_name(name, "told",
		    asset, id), xml.data, xml.len);
		rc = storedb_done(st, stmt);
	}
	buf_free(&xml);
	return rc;
}

/* A report that borrows one record; nothing in it is to be freed. */
int
known_tell_asset(struct store *st, const struct asset *asset)
{
	struct asset copy = *asset;
	struct report one;

	report_init(&one);
	one.assets = &copy;
	one.assets_len = 1;
	return tell(st, asset->id, asset->id, &one);
}

int
known_tell_consumable(struct store *st, const struct consumable *consumable)
{
	struct consumable copy = *consumable;
	struct report one;

	report_init(&one);
	one.consumables = &copy;
	one.consumables_len = 1;
	return tell(st, consumable->id, consumable->asset, &one);
}

int
known_tell_alert(struct store *st, const struct alert *alert)
{
	struct alert copy = *alert;
	struct report one;

	report_init(&one);
	one.alerts = &copy;
	one.alerts_len = 1;
	return tell(st, alert->id, alert->asset, &one);
}

int
known_forget(struct store *st, const char *asset, const char *record_id)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, told_drop)) == NULL)
		return -1;
	storedb_text(stmt, 1, asset);
	storedb_text(stmt, 2, record_id);
	return storedb_done(st, stmt);
}

static void
set_id(char **id, const char *value)
{
	free(*id);
	*id = xstrdup(value);
}

int
known_tell(struct store *st, const struct report *told)
{
	size_t i;

	for (i = 0; i < told->assets_len; i++)
		if (known_tell_asset(st, &told->assets[i]) == -1)
			return -1;
	for (i = 0; i < told->consumables_len; i++)
		if (known_tell_consumable(st, &told->consumables[i]) == -1)
			return -1;
	for (i = 0; i < told->alerts_len; i++)
		if (known_tell_alert(st, &told->alerts[i]) == -1)
			return -1;
	return 0;
}

/* Its row, when there is one, under the other id. */
static int
rename_row(struct store *st, const char *from, const char *to)
{
	struct known_asset row;
	sqlite3_stmt *stmt;
	char *drop;
	int rc;

	if ((stmt = storedb_get(st, asset_get)) == NULL)
		return -1;
	storedb_text(stmt, 1, from);
	if ((rc = one_asset(st, stmt, &row)) == -1)
		return -1;
	drop = xasprintf("DELETE FROM told WHERE asset IN ('%s', '%s');"
	    "DELETE FROM asset WHERE id IN ('%s', '%s');", from, to, from,
	    to);
	if (storedb_run(st, drop) == -1)
		rc = -1;
	else if (rc == 1) {
		snprintf(row.id, sizeof(row.id), "%s", to);
		rc = known_put_asset(st, &row);
	}
	known_asset_clear(&row);
	free(drop);
	return rc;
}

/*
 * What was told stays told, under the other id: consumables and alerts keep
 * theirs.  Told anew they would get new ones, and the centre, which has just
 * recognised them, would take them for others.
 */
int
known_rename_asset(struct store *st, const char *from, const char *to)
{
	struct report told;
	size_t i;
	int rc = -1;

	if (!uuid_valid(from) || !uuid_valid(to))
		return -1;
	report_init(&told);
	if (known_told(st, from, &told) == 0 &&
	    rename_row(st, from, to) == 0) {
		for (i = 0; i < told.assets_len; i++)
			set_id(&told.assets[i].id, to);
		for (i = 0; i < told.consumables_len; i++)
			set_id(&told.consumables[i].asset, to);
		for (i = 0; i < told.alerts_len; i++)
			set_id(&told.alerts[i].asset, to);
		rc = known_tell(st, &told);
	}
	report_clear(&told);
	return rc;
}
