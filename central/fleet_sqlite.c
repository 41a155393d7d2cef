/* The fleet database as a SQLite file (central/fleet_driver.h). */
#include "central/fleet_driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "base/mem.h"
#include "schema/record.h"

#define BUSY_MS		5000	/* the others' transactions are short */

struct own {
	sqlite3		*db;
	int64_t		 data_version;
};

struct stmt {
	struct fleet_stmt	 base;
	sqlite3_stmt		*sqlite;
};

static sqlite3 *
handle(const struct fleet *fleet)
{
	return ((struct own *)fleet->own)->db;
}

static sqlite3_stmt *
of(const struct fleet_stmt *stmt)
{
	return ((const struct stmt *)stmt)->sqlite;
}

static void
complain(struct fleet *fleet, const char *what, const char *sql)
{
	fleet_complain(fleet, what, sqlite3_errmsg(handle(fleet)));
	log_debug("fleet", "%s", sql);
}

static struct fleet_stmt *
prepare(struct fleet *fleet, const char *sql, bool once)
{
	struct stmt	*stmt;
	sqlite3_stmt	*sqlite;

	if (sqlite3_prepare_v3(handle(fleet), sql, -1, once ? 0 :
	    SQLITE_PREPARE_PERSISTENT, &sqlite, NULL) != SQLITE_OK) {
		complain(fleet, "cannot prepare", sql);
		return NULL;
	}
	stmt = xcalloc(1, sizeof(*stmt));
	stmt->base.driver = &fleet_sqlite;
	stmt->base.sql = once ? NULL : sql;
	stmt->sqlite = sqlite;
	return &stmt->base;
}

static void
drop(struct fleet_stmt *stmt)
{
	sqlite3_finalize(of(stmt));
	free(stmt);
}

static int
step(struct fleet *fleet, struct fleet_stmt *stmt)
{
	switch (sqlite3_step(of(stmt))) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(of(stmt));
		return 0;
	default:
		complain(fleet, "statement failed", sqlite3_sql(of(stmt)));
		sqlite3_reset(of(stmt));
		return -1;
	}
}

static int
run(struct fleet *fleet, struct fleet_stmt *stmt)
{
	int	rc;

	while ((rc = step(fleet, stmt)) == 1)
		continue;
	return rc;
}

static void
reset(struct fleet_stmt *stmt)
{
	sqlite3_reset(of(stmt));
}

static void
put_number(struct fleet_stmt *stmt, int at, int64_t value)
{
	if (value == ABSENT)
		sqlite3_bind_null(of(stmt), at);
	else
		sqlite3_bind_int64(of(stmt), at, value);
}

static void
put_text(struct fleet_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(of(stmt), at, text, -1, SQLITE_STATIC);
}

static void
put_blob(struct fleet_stmt *stmt, int at, const void *blob, int len)
{
	sqlite3_bind_blob(of(stmt), at, blob, len, SQLITE_STATIC);
}

static int64_t
number(struct fleet_stmt *stmt, int column)
{
	if (sqlite3_column_type(of(stmt), column) == SQLITE_NULL)
		return ABSENT;
	return sqlite3_column_int64(of(stmt), column);
}

static const char *
text(struct fleet_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(of(stmt), column);
}

static const void *
blob(struct fleet_stmt *stmt, int column, int *len)
{
	*len = sqlite3_column_bytes(of(stmt), column);
	return sqlite3_column_blob(of(stmt), column);
}

static int
exec(struct fleet *fleet, const char *sql)
{
	if (sqlite3_exec(handle(fleet), sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	complain(fleet, "statement failed", sql);
	return -1;
}

static void
abandon(struct fleet *fleet)
{
	sqlite3		*db = handle(fleet);
	sqlite3_stmt	*stmt;

	/* A SELECT that is still open would keep the old snapshot. */
	for (stmt = NULL; (stmt = sqlite3_next_stmt(db, stmt)) != NULL;)
		sqlite3_reset(stmt);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static bool
changed(struct fleet *fleet)
{
	struct own	*own = fleet->own;
	int64_t		 now;

	if (fleet_int(fleet, &now, "PRAGMA data_version", "") != 0 ||
	    now == own->data_version)
		return false;
	own->data_version = now;
	return true;
}

/* A NULL path in messages helps nobody: every way to fail names the file. */
static int
open_file(struct fleet *fleet, enum fleet_mode mode)
{
	struct own	*own = fleet->own;
	const char	*path = fleet->name;
	int		 flags;

	flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
	if (mode == FLEET_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	else if (access(path, F_OK) == -1) {
		if (errno == ENOENT)
			log_warnx("fleet", "%s: there is no store; "
			    "\"platen-central init\" makes it", path);
		else
			log_warn("fleet", "%s", path);
		return -1;
	}
	if (mode == FLEET_READ && access(path, W_OK) == -1)
		flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(path, &own->db, flags, NULL) != SQLITE_OK) {
		log_warnx("fleet", "%s: cannot open: %s", path,
		    own->db == NULL ? "out of memory" :
		    sqlite3_errmsg(own->db));
		return -1;
	}
	return 0;
}

static int
set_up(struct fleet *fleet, enum fleet_mode mode)
{
	sqlite3_busy_timeout(handle(fleet), BUSY_MS);
	fleet->connections = 1;
	if (exec(fleet, "PRAGMA foreign_keys = ON;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -16384;") != 0)
		return -1;
	if (mode != FLEET_CREATE)
		return 0;
	return exec(fleet, "PRAGMA journal_mode = WAL");
}

static int
open_store(struct fleet *fleet, enum fleet_mode mode)
{
	mode_t	mask;
	int	rc;

	fleet->own = xcalloc(1, sizeof(struct own));
	fleet->name = xstrdup(fleet->source->path);
	mask = umask(0027);	/* customers' fleets are nobody else's */
	rc = open_file(fleet, mode);
	if (rc == 0)
		rc = set_up(fleet, mode);
	umask(mask);
	return rc;
}

static void
close_store(struct fleet *fleet)
{
	sqlite3_close(handle(fleet));
	free(fleet->own);
}

static const struct fleet_word	words[] = { { NULL, NULL } };

const struct fleet_driver	fleet_sqlite = {
	.open = open_store, .close = close_store,
	.prepare = prepare, .drop = drop, .step = step, .run = run,
	.reset = reset, .put_number = put_number, .put_text = put_text,
	.put_blob = put_blob, .number = number, .text = text, .blob = blob,
	.exec = exec, .abandon = abandon, .changed = changed,

	.begin = "BEGIN IMMEDIATE", .begin_read = "BEGIN",
	/* "PLAT", so that file(1) and we know the file. */
	.look = "SELECT CASE WHEN (SELECT count(*) FROM sqlite_schema) = 0 "
	    "THEN 0 WHEN (SELECT application_id FROM pragma_application_id) "
	    "= 0x504c4154 THEN 1 ELSE 2 END",
	.mark = "PRAGMA application_id = 0x504c4154",
	.column = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2",
	.index = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND "
	    "name = ?1",
	/* Only one is served by a file; what else is there has died. */
	.claim = "SELECT ?1",
	.unclaimed = "SELECT id FROM centre WHERE id <> ?1",
	.words = words
};
