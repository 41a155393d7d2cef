#include "central/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "central/epoch.h"
#include "central/fleet_driver.h"
#include "central/journal.h"
#include "central/roster.h"
#include "central/tables.h"

/* The `run` processes that serve; agent.centre says which one it is at. */
#define CENTRE "CREATE TABLE centre (" \
"  id INTEGER PRIMARY KEY," \
"  started_at INTEGER NOT NULL," \
"  places INTEGER NOT NULL DEFAULT 1) STRICT;"

#define REFUSED "CREATE TABLE refused (" \
"  epoch INTEGER NOT NULL REFERENCES epoch," \
"  lane INTEGER NOT NULL," \
"  seq INTEGER NOT NULL," \
"  reason TEXT NOT NULL," \
"  received_at INTEGER NOT NULL," \
"  PRIMARY KEY (epoch, lane, seq)) STRICT, WITHOUT ROWID;"

static const char *const	ddl =
"CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;"
CENTRE
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
"  centre INTEGER,"
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
REFUSED
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
 * record says is in enum journal_record.  The value is a number or a text.
 */
"CREATE TABLE history ("
"  id INTEGER PRIMARY KEY,"
"  asset INTEGER NOT NULL REFERENCES asset,"
"  record INTEGER NOT NULL,"
"  thing INTEGER,"			/* consumable.id or alert.id */
"  field TEXT NOT NULL,"
"  number INTEGER,"
"  text TEXT,"
"  unit INTEGER,"
"  capacity INTEGER,"
"  percent INTEGER,"
"  state INTEGER,"
"  pages INTEGER,"
"  time INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL,"
"  epoch INTEGER NOT NULL REFERENCES epoch,"
"  seq INTEGER NOT NULL) STRICT;";

/* From the version before.  Stores in PostgreSQL begin with version 2.  The one
 * queue that agents had is the urgent lane (1). */
static const char *const	upgrades[LAYOUT_VERSION] = {
	[1] =
	"ALTER TABLE history ADD COLUMN number INTEGER;"
	"ALTER TABLE history ADD COLUMN text TEXT;"
	"UPDATE history SET "
	"  number = CASE typeof(value) WHEN 'integer' THEN value END,"
	"  text = CASE typeof(value) WHEN 'text' THEN value END "
	"WHERE value IS NOT NULL;"
	"ALTER TABLE history DROP COLUMN value;"
	"ALTER TABLE agent ADD COLUMN centre INTEGER;"
	"UPDATE agent SET presence = 'unavailable';"
	CENTRE
	"ALTER TABLE refused RENAME TO refused_1;"
	REFUSED
	"INSERT INTO refused (epoch, lane, seq, reason, received_at) "
	"SELECT epoch, 1, seq, reason, received_at FROM refused_1;"
	"DROP TABLE refused_1;"
};

/* After the columns are there. */
static const struct {
	const char	*name, *on;
} indexes[] = {
	{ "asset_key", "asset (agent, key)" },
	{ "consumable_asset", "consumable (asset)" },
	{ "alert_asset", "alert (asset)" },
	{ "alert_open", "alert (asset) WHERE cleared IS NULL" },
	{ "history_asset", "history (asset)" },
	{ "history_received", "history (received_at)" },
	{ NULL, NULL }
};

/* In the words of this kind of store. */
static int
exec(struct fleet *fleet, const char *sql)
{
	const struct fleet_word	*w;
	struct buf		 out = { 0 };
	int			 rc;

	while (*sql != '\0') {
		for (w = fleet->driver->words; w->ours != NULL; w++)
			if (strncmp(sql, w->ours, strlen(w->ours)) == 0)
				break;
		if (w->ours != NULL) {
			buf_puts(&out, w->theirs);
			sql += strlen(w->ours);
		} else
			buf_put(&out, sql++, 1);
	}
	rc = fleet_exec(fleet, out.data);
	buf_free(&out);
	if (rc != 0)
		log_warnx("fleet", "%s: cannot make the tables", fleet->name);
	return rc;
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
		if (fleet_int(fleet, &there, fleet->driver->column, "tt",
		    table, f->name) != 0)
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

/* Even one that is there already would wait for those who write. */
static int
add_indexes(struct fleet *fleet)
{
	int64_t	 there;
	char	*sql;
	size_t	 i;
	int	 rc = 0;

	for (i = 0; indexes[i].name != NULL && rc == 0; i++) {
		if (fleet_int(fleet, &there, fleet->driver->index, "t",
		    indexes[i].name) != 0)
			return -1;
		if (there != ABSENT)
			continue;
		sql = xasprintf("CREATE INDEX %s ON %s", indexes[i].name,
		    indexes[i].on);
		rc = exec(fleet, sql);
		free(sql);
	}
	return rc;
}

static int
mend_columns(struct fleet *fleet)
{
	if (add_columns(fleet, "agent", roster_extra) != 0 ||
	    add_columns(fleet, "epoch", epoch_extra) != 0 ||
	    add_columns(fleet, "asset", tables_told) != 0 ||
	    add_columns(fleet, "consumable", tables_told) != 0 ||
	    add_columns(fleet, "alert", tables_told) != 0 ||
	    add_columns(fleet, "counter", tables_told) != 0 ||
	    add_columns(fleet, "asset", asset_fields) != 0 ||
	    add_columns(fleet, "consumable", consumable_fields) != 0 ||
	    add_columns(fleet, "alert", alert_fields) != 0 ||
	    add_columns(fleet, "counter", counter_fields) != 0 ||
	    add_columns(fleet, "agent_report", agent_fields) != 0 ||
	    add_columns(fleet, "history", journal_extra) != 0)
		return -1;
	return add_indexes(fleet);
}

static int
create(struct fleet *fleet)
{
	char	*sql;
	int	 rc;

	sql = xasprintf("%s INSERT INTO schema_version VALUES (%d); %s", ddl,
	    LAYOUT_VERSION, fleet->driver->mark);
	rc = exec(fleet, sql);
	free(sql);
	return rc;
}

static int
upgrade(struct fleet *fleet, int64_t version)
{
	log_info("fleet", "%s: brought from version %lld to %d; a large "
	    "history takes its time", fleet->name, (long long)version,
	    LAYOUT_VERSION);
	for (; version < LAYOUT_VERSION; version++)
		if (exec(fleet, upgrades[version]) != 0)
			return -1;
	return fleet_do(fleet, "UPDATE schema_version SET version = ?", "i",
	    (int64_t)LAYOUT_VERSION);
}

/* Whoever may change tables keeps others from it until he is done. */
static int
look(struct fleet *fleet, enum fleet_mode mode, int64_t *what,
    int64_t *version)
{
	*version = ABSENT;
	if (fleet_int(fleet, what, fleet->driver->look, "") != 0)
		return -1;
	if (*what != 1)
		return 0;
	return fleet_int(fleet, version, mode == FLEET_READ ?
	    "SELECT version FROM schema_version" :
	    "SELECT version FROM schema_version" FLEET_LOCK, "");
}

static int
check(struct fleet *fleet, enum fleet_mode mode)
{
	int64_t	what, version;

	if (look(fleet, mode, &what, &version) != 0)
		return -1;
	if (what == 0 && mode == FLEET_CREATE)
		return create(fleet);
	if (what == 0)
		log_warnx("fleet", "%s: there is no store in it; "
		    "\"platen-central init\" makes it", fleet->name);
	else if (what != 1)
		log_warnx("fleet", "%s: this is no platen-central store",
		    fleet->name);
	else if (version == LAYOUT_VERSION)
		return 0;
	else if (version < LAYOUT_VERSION && version > 0 &&
	    mode != FLEET_READ)
		return upgrade(fleet, version);
	else
		log_warnx("fleet", "%s: the store has version %lld, this "
		    "program knows version %d%s", fleet->name,
		    (long long)version, LAYOUT_VERSION,
		    version < LAYOUT_VERSION ?
		    "; \"platen-central init\" brings it there" : "");
	return -1;
}

/* All of it is one transaction, so that half a set-up is none. */
int
layout_check(struct fleet *fleet, enum fleet_mode mode)
{
	int	rc;

	if (mode == FLEET_READ) {
		rc = fleet_begin_read(fleet) == 0 && check(fleet, mode) == 0 ?
		    0 : -1;
		fleet_rollback(fleet);
		return rc;
	}
	if (fleet_begin(fleet) == 0 && check(fleet, mode) == 0 &&
	    mend_columns(fleet) == 0)
		return fleet_commit(fleet);
	fleet_rollback(fleet);
	return -1;
}
