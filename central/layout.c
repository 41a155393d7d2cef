#include "central/layout.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/journal.h"
#include "central/tables.h"

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
	if (add_columns(fleet, "asset", asset_fields) != 0 ||
	    add_columns(fleet, "consumable", consumable_fields) != 0 ||
	    add_columns(fleet, "alert", alert_fields) != 0 ||
	    add_columns(fleet, "counter", counter_fields) != 0 ||
	    add_columns(fleet, "agent_report", agent_fields) != 0 ||
	    add_columns(fleet, "history", journal_extra) != 0)
		return -1;
	return exec(fleet, indexes);
}

/* The version is written last, so that half a set-up is none: all of it is
 * one transaction. */
static int
create(struct fleet *fleet)
{
	char	*sql;
	int	 rc = -1;

	sql = xasprintf("%s INSERT INTO schema_version VALUES (%d);"
	    "PRAGMA application_id = %d", ddl, LAYOUT_VERSION,
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
layout_check(struct fleet *fleet, bool mend)
{
	int64_t	tables, id, version;

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
	if (version != LAYOUT_VERSION) {
		log_warnx("fleet", "the store has version %lld, this program "
		    "knows version %d", (long long)version, LAYOUT_VERSION);
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
