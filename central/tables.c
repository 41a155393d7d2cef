#include "central/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

/* "PLAT", so that file(1) and we know the file. */
#define APPLICATION_ID	0x504c4154

static const char *const	ddl =
"CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;"
"CREATE TABLE agent ("
"  id INTEGER PRIMARY KEY,"
"  jid TEXT NOT NULL UNIQUE,"
"  name TEXT NOT NULL UNIQUE,"		/* the JID while it only waits */
"  customer TEXT,"
"  state TEXT NOT NULL"
"    CHECK (state IN ('enrolled', 'pending', 'active', 'revoked')),"
"  key BLOB,"				/* bound; or waiting for approval */
"  other_key BLOB,"			/* last tried in vain */
"  other_key_at INTEGER,"
"  token_hash BLOB,"			/* SHA-256; NULL when used */
"  token_expires INTEGER,"
"  presence TEXT NOT NULL DEFAULT 'unavailable',"
"  last_seen INTEGER,"
"  epoch INTEGER,"			/* that it reported in last */
"  want_whole INTEGER NOT NULL DEFAULT 0,"
"  made_at INTEGER NOT NULL) STRICT;"
"CREATE TABLE epoch ("
"  id INTEGER PRIMARY KEY,"
"  agent INTEGER NOT NULL REFERENCES agent,"
"  uuid TEXT NOT NULL,"
"  last_seq INTEGER NOT NULL,"
"  gaps INTEGER NOT NULL DEFAULT 0,"
"  refused INTEGER NOT NULL DEFAULT 0,"
"  started_at INTEGER NOT NULL,"
"  last_at INTEGER NOT NULL,"
"  UNIQUE (agent, uuid)) STRICT;"
"CREATE TABLE refused ("
"  epoch INTEGER NOT NULL REFERENCES epoch,"
"  seq INTEGER NOT NULL,"
"  reason TEXT NOT NULL,"
"  received_at INTEGER NOT NULL,"
"  PRIMARY KEY (epoch, seq)) STRICT, WITHOUT ROWID;"
"CREATE TABLE alias ("
"  agent INTEGER NOT NULL REFERENCES agent,"
"  uuid TEXT NOT NULL,"			/* as the agent calls it */
"  known TEXT NOT NULL,"		/* as we have called it since before */
"  PRIMARY KEY (agent, uuid)) STRICT, WITHOUT ROWID;"
"CREATE TABLE asset ("
"  id INTEGER PRIMARY KEY,"
"  agent INTEGER NOT NULL REFERENCES agent,"
"  uuid TEXT NOT NULL UNIQUE,"
"  doubt INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL) STRICT;"
"CREATE TABLE consumable ("
"  id INTEGER PRIMARY KEY,"
"  asset INTEGER NOT NULL REFERENCES asset,"
"  uuid TEXT NOT NULL UNIQUE,"
"  doubt INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL) STRICT;"
"CREATE TABLE alert ("
"  id INTEGER PRIMARY KEY,"
"  asset INTEGER NOT NULL REFERENCES asset,"
"  uuid TEXT NOT NULL UNIQUE,"
"  doubt INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL) STRICT;"
"CREATE TABLE counter ("
"  asset INTEGER NOT NULL REFERENCES asset,"
"  name TEXT NOT NULL,"
"  time INTEGER,"
"  received_at INTEGER NOT NULL,"
"  PRIMARY KEY (asset, name)) STRICT, WITHOUT ROWID;"
"CREATE TABLE agent_report ("
"  agent INTEGER PRIMARY KEY REFERENCES agent,"
"  received_at INTEGER NOT NULL) STRICT;"
/*
 * One table for every kind of change, because its order is the story: what
 * record says is in enum journal_record.  value is a number or a text.
 */
"CREATE TABLE history ("
"  id INTEGER PRIMARY KEY,"
"  asset INTEGER NOT NULL REFERENCES asset,"
"  record INTEGER NOT NULL,"
"  thing INTEGER,"			/* consumable.id or alert.id */
"  field TEXT NOT NULL,"
"  value ANY,"
"  unit INTEGER,"
"  capacity INTEGER,"
"  percent INTEGER,"
"  state INTEGER,"
"  pages INTEGER,"
"  time INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL,"
"  epoch INTEGER NOT NULL REFERENCES epoch,"
"  seq INTEGER NOT NULL) STRICT;";

/* After the columns are there. */
static const char *const	indexes =
"CREATE INDEX IF NOT EXISTS asset_key ON asset (agent, key);"
"CREATE INDEX IF NOT EXISTS consumable_asset ON consumable (asset);"
"CREATE INDEX IF NOT EXISTS alert_asset ON alert (asset);"
"CREATE INDEX IF NOT EXISTS alert_open ON alert (asset)"
"  WHERE cleared IS NULL;"
"CREATE INDEX IF NOT EXISTS history_asset ON history (asset);"
"CREATE INDEX IF NOT EXISTS history_received ON history (received_at);";

struct thing {
	const char		*name, *owner;
	const struct field	*fields;
	char			*find, *load, *insert, *update;
};

static struct thing	things[] = {
	[TABLES_ASSET] = { .name = "asset", .owner = "agent",
	    .fields = asset_fields },
	[TABLES_CONSUMABLE] = { .name = "consumable", .owner = "asset",
	    .fields = consumable_fields },
	[TABLES_ALERT] = { .name = "alert", .owner = "asset",
	    .fields = alert_fields },
};

const struct field *
tables_fields(enum tables_thing kind)
{
	return things[kind].fields;
}

/* UUIDs are keys with columns of their own. */
bool
tables_has(const struct field *f)
{
	return f->kind != FIELD_UUID && !f->probe_only;
}

char *
tables_names(const struct field *fields, const char *prefix)
{
	struct buf		 out = { 0 };
	const struct field	*f;

	for (f = fields; f->name != NULL; f++)
		if (tables_has(f))
			buf_printf(&out, ", %s\"%s\"", prefix, f->name);
	return buf_take(&out);
}

static int
exec(struct fleet *fleet, const char *sql)
{
	sqlite3_stmt	*stmt;
	sqlite3		*db;
	char		*error = NULL;

	/* The handle, without making it part of everybody's interface. */
	if ((stmt = fleet_bind(fleet, "PRAGMA application_id", "")) == NULL)
		return -1;
	db = sqlite3_db_handle(stmt);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK)
		return 0;
	log_warnx("fleet", "cannot make the tables: %s", error);
	sqlite3_free(error);
	return -1;
}

static int
add_columns(struct fleet *fleet, const char *table, const struct field *fields)
{
	const struct field	*f;
	int64_t			 there;
	char			*sql;
	int			 rc;

	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		if (fleet_int(fleet, &there, "SELECT 1 FROM "
		    "pragma_table_info(?) WHERE name = ?", "tt", table,
		    f->name) != 0)
			return -1;
		if (there != ABSENT)
			continue;
		sql = xasprintf("ALTER TABLE %s ADD COLUMN \"%s\" %s", table,
		    f->name, field_is_text(f) ? "TEXT" : "INTEGER");
		rc = exec(fleet, sql);
		free(sql);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
mend_columns(struct fleet *fleet)
{
	size_t	i;

	for (i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		if (add_columns(fleet, things[i].name, things[i].fields) != 0)
			return -1;
	if (add_columns(fleet, "counter", counter_fields) != 0 ||
	    add_columns(fleet, "agent_report", agent_fields) != 0)
		return -1;
	return exec(fleet, indexes);
}

static void
make_statements(struct thing *t)
{
	struct buf		 sets = { 0 }, marks = { 0 };
	const struct field	*f;
	char			*names;

	if (t->find != NULL)
		return;
	for (f = t->fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		buf_printf(&sets, ", \"%s\" = ?", f->name);
		buf_puts(&marks, ", ?");
	}
	names = tables_names(t->fields, "");
	t->find = xasprintf("SELECT id, %s, uuid, doubt, received_at%s "
	    "FROM %s WHERE uuid = ?", t->owner, names, t->name);
	t->load = xasprintf("SELECT id, %s, uuid, doubt, received_at%s "
	    "FROM %s WHERE id = ?", t->owner, names, t->name);
	t->insert = xasprintf("INSERT INTO %s (%s, uuid, doubt, received_at"
	    "%s) VALUES (?, ?, ?, ?%s)", t->name, t->owner, names,
	    marks.data);
	t->update = xasprintf("UPDATE %s SET doubt = ?, received_at = ?%s "
	    "WHERE id = ?", t->name, sets.data);
	free(names);
	buf_free(&sets);
	buf_free(&marks);
}

/* The version is written last, so that half a set-up is none: all of it is
 * one transaction. */
static int
create(struct fleet *fleet)
{
	char	*sql;
	int	 rc = -1;

	sql = xasprintf("%s INSERT INTO schema_version VALUES (%d);"
	    "PRAGMA application_id = %d", ddl, TABLES_VERSION,
	    APPLICATION_ID);
	if (fleet_begin(fleet) == 0 && exec(fleet, sql) == 0 &&
	    mend_columns(fleet) == 0)
		rc = fleet_commit(fleet);
	if (rc != 0)
		fleet_rollback(fleet);
	free(sql);
	return rc;
}

int
tables_check(struct fleet *fleet, bool mend)
{
	int64_t	tables, id, version;
	size_t	i;

	for (i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		make_statements(&things[i]);
	if (fleet_int(fleet, &tables, "SELECT count(*) FROM sqlite_schema",
	    "") != 0 || fleet_int(fleet, &id, "PRAGMA application_id", "") != 0)
		return -1;
	if (tables == 0 && mend)
		return create(fleet);
	if (id != APPLICATION_ID) {
		log_warnx("fleet", "this is no platen-central store");
		return -1;
	}
	if (fleet_int(fleet, &version, "SELECT version FROM schema_version",
	    "") != 0)
		return -1;
	if (version != TABLES_VERSION) {
		log_warnx("fleet", "the store has version %lld, this program "
		    "knows version %d", (long long)version, TABLES_VERSION);
		return -1;
	}
	if (!mend)
		return 0;
	if (fleet_begin(fleet) != 0 || mend_columns(fleet) != 0) {
		fleet_rollback(fleet);
		return -1;
	}
	return fleet_commit(fleet);
}

int
tables_put(sqlite3_stmt *stmt, int at, const struct field *fields,
    const void *record)
{
	const struct field	*f;

	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		if (field_absent(f, record))
			sqlite3_bind_null(stmt, at);
		else if (field_is_text(f))
			sqlite3_bind_text(stmt, at, field_text(f, record), -1,
			    SQLITE_STATIC);
		else
			sqlite3_bind_int64(stmt, at, field_int(f, record));
		at++;
	}
	return at;
}

int
tables_get(sqlite3_stmt *stmt, int at, const struct field *fields,
    void *record)
{
	const struct field	*f;

	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		if (field_is_text(f))
			field_set_text(f, record,
			    (const char *)sqlite3_column_text(stmt, at));
		else
			field_set_int(f, record, fleet_number(stmt, at));
		at++;
	}
	return at;
}

static int
get_row(struct fleet *fleet, sqlite3_stmt *stmt, const struct field *fields,
    struct tables_row *row, void *record)
{
	int	rc;

	memset(row, 0, sizeof(*row));
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	row->id = sqlite3_column_int64(stmt, 0);
	row->owner = sqlite3_column_int64(stmt, 1);
	snprintf(row->uuid, sizeof(row->uuid), "%s",
	    (const char *)sqlite3_column_text(stmt, 2));
	row->doubt = sqlite3_column_int(stmt, 3);
	row->received_at = sqlite3_column_int64(stmt, 4);
	tables_get(stmt, 5, fields, record);
	sqlite3_reset(stmt);
	return 0;
}

int
tables_find(struct fleet *fleet, enum tables_thing kind, const char *uuid,
    struct tables_row *row, void *record)
{
	return get_row(fleet, fleet_bind(fleet, things[kind].find, "t", uuid),
	    things[kind].fields, row, record);
}

int
tables_load(struct fleet *fleet, enum tables_thing kind, int64_t id,
    struct tables_row *row, void *record)
{
	return get_row(fleet, fleet_bind(fleet, things[kind].load, "i", id),
	    things[kind].fields, row, record);
}

int
tables_insert(struct fleet *fleet, enum tables_thing kind,
    struct tables_row *row, const void *record)
{
	sqlite3_stmt	*stmt;

	stmt = fleet_bind(fleet, things[kind].insert, "itii", row->owner,
	    row->uuid, (int64_t)row->doubt, row->received_at);
	if (stmt == NULL)
		return -1;
	tables_put(stmt, 5, things[kind].fields, record);
	if (fleet_step(fleet, stmt) != 0)
		return -1;
	row->id = fleet_last_id(fleet);
	return 0;
}

int
tables_update(struct fleet *fleet, enum tables_thing kind,
    const struct tables_row *row, const void *record)
{
	sqlite3_stmt	*stmt;
	int		 at;

	stmt = fleet_bind(fleet, things[kind].update, "ii",
	    (int64_t)row->doubt, row->received_at);
	if (stmt == NULL)
		return -1;
	at = tables_put(stmt, 3, things[kind].fields, record);
	sqlite3_bind_int64(stmt, at, row->id);
	return fleet_step(fleet, stmt);
}

/* "(OWNER, EXTRA, fields) VALUES ..., replacing what was there". */
static char *
replace_statement(const char *table, const char *fixed, const char *marks,
    const struct field *fields)
{
	struct buf		 out = { 0 };
	const struct field	*f;
	char			*names;

	names = tables_names(fields, "");
	buf_printf(&out, "INSERT OR REPLACE INTO %s (%s%s) VALUES (%s",
	    table, fixed, names, marks);
	for (f = fields; f->name != NULL; f++)
		if (tables_has(f))
			buf_puts(&out, ", ?");
	buf_puts(&out, ")");
	free(names);
	return buf_take(&out);
}

int
tables_counter_find(struct fleet *fleet, int64_t asset, const char *name,
    struct counter *counter, bool *found)
{
	static char	*sql;
	sqlite3_stmt	*stmt;
	char		*names;
	int		 rc;

	if (sql == NULL) {
		names = tables_names(counter_fields, "");
		sql = xasprintf("SELECT asset%s FROM counter "
		    "WHERE asset = ? AND name = ?", names);
		free(names);
	}
	*found = false;
	if ((stmt = fleet_bind(fleet, sql, "it", asset, name)) == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	tables_get(stmt, 1, counter_fields, counter);
	sqlite3_reset(stmt);
	*found = true;
	return 0;
}

int
tables_counter_put(struct fleet *fleet, int64_t asset,
    const struct counter *counter, int64_t time, int64_t received_at)
{
	static char	*sql;
	sqlite3_stmt	*stmt;

	/* A counter without a value is one that the printer has no more. */
	if (counter->value == ABSENT)
		return fleet_do(fleet, "DELETE FROM counter WHERE asset = ? "
		    "AND name = ?", "it", asset, counter->name);
	if (sql == NULL)
		sql = replace_statement("counter", "asset, time, received_at",
		    "?, ?, ?", counter_fields);
	stmt = fleet_bind(fleet, sql, "iii", asset, time, received_at);
	if (stmt == NULL)
		return -1;
	tables_put(stmt, 4, counter_fields, counter);
	return fleet_step(fleet, stmt);
}

int
tables_agent_find(struct fleet *fleet, int64_t agent, struct agent *record)
{
	static char	*sql;
	sqlite3_stmt	*stmt;
	char		*names;
	int		 rc;

	if (sql == NULL) {
		names = tables_names(agent_fields, "");
		sql = xasprintf("SELECT agent%s FROM agent_report "
		    "WHERE agent = ?", names);
		free(names);
	}
	if ((stmt = fleet_bind(fleet, sql, "i", agent)) == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	tables_get(stmt, 1, agent_fields, record);
	sqlite3_reset(stmt);
	return 0;
}

int
tables_agent_put(struct fleet *fleet, int64_t agent,
    const struct agent *record, int64_t received_at)
{
	static char	*sql;
	sqlite3_stmt	*stmt;

	if (sql == NULL)
		sql = replace_statement("agent_report", "agent, received_at",
		    "?, ?", agent_fields);
	if ((stmt = fleet_bind(fleet, sql, "ii", agent, received_at)) == NULL)
		return -1;
	tables_put(stmt, 3, agent_fields, record);
	return fleet_step(fleet, stmt);
}
