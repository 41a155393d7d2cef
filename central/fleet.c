#include "central/fleet.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/layout.h"
#include "schema/record.h"

#define STATEMENTS	256	/* places in the table; about 80 are used */
#define BUSY_MS		5000	/* the others' transactions are short */

struct statement {
	const char	*sql;
	sqlite3_stmt	*stmt;
};

struct fleet {
	sqlite3		*db;
	char		*path;
	struct statement statement[STATEMENTS];
	bool		 failed;	/* the open transaction is lost */
	bool		 complained;	/* logged, and nothing worked since */
	int64_t		 data_version;
};

static void
complain(struct fleet *fleet, const char *what)
{
	fleet->failed = true;
	if (fleet->complained)
		return;
	fleet->complained = true;
	log_warnx("fleet", "%s: %s: %s", fleet->path, what,
	    sqlite3_errmsg(fleet->db));
}

static sqlite3_stmt *
find(struct fleet *fleet, const char *sql)
{
	struct statement	*s;
	size_t			 i, n;

	i = ((uintptr_t)sql >> 3) % STATEMENTS;
	for (n = 0; n < STATEMENTS; n++, i = (i + 1) % STATEMENTS) {
		s = &fleet->statement[i];
		if (s->sql == sql)
			return s->stmt;
		if (s->sql != NULL)
			continue;
		if (sqlite3_prepare_v3(fleet->db, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL) != SQLITE_OK) {
			complain(fleet, "cannot prepare");
			log_debug("fleet", "%s", sql);
			return NULL;
		}
		s->sql = sql;
		return s->stmt;
	}
	fatalx("fleet", "more than %d statements", STATEMENTS);
}

static void
bind_all(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	const char	*text;
	const void	*blob;
	int64_t		 number;
	int		 at, len;

	for (at = 1; *types != '\0'; types++, at++) {
		switch (*types) {
		case 'i':
			number = va_arg(ap, int64_t);
			if (number == ABSENT)
				sqlite3_bind_null(stmt, at);
			else
				sqlite3_bind_int64(stmt, at, number);
			break;
		case 't':
			text = va_arg(ap, const char *);
			sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
			break;
		case 'b':
			blob = va_arg(ap, const void *);
			len = va_arg(ap, int);
			sqlite3_bind_blob(stmt, at, blob, len, SQLITE_STATIC);
			break;
		default:
			fatalx("fleet", "no such type '%c'", *types);
		}
	}
}

static sqlite3_stmt *
bind_list(struct fleet *fleet, const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt	*stmt;

	if ((stmt = find(fleet, sql)) == NULL)
		return NULL;
	bind_all(stmt, types, ap);
	return stmt;
}

sqlite3_stmt *
fleet_bind(struct fleet *fleet, const char *sql, const char *types, ...)
{
	sqlite3_stmt	*stmt;
	va_list		 ap;

	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	return stmt;
}

sqlite3_stmt *
fleet_prepare(struct fleet *fleet, const char *sql)
{
	sqlite3_stmt	*stmt;

	if (sqlite3_prepare_v2(fleet->db, sql, -1, &stmt, NULL) == SQLITE_OK)
		return stmt;
	complain(fleet, "cannot prepare");
	return NULL;
}

int
fleet_step(struct fleet *fleet, sqlite3_stmt *stmt)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(stmt);
		return 0;
	default:
		complain(fleet, "statement failed");
		log_debug("fleet", "%s", sqlite3_sql(stmt));
		sqlite3_reset(stmt);
		return -1;
	}
}

int
fleet_do(struct fleet *fleet, const char *sql, const char *types, ...)
{
	sqlite3_stmt	*stmt;
	va_list		 ap;
	int		 rc;

	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	if (stmt == NULL)
		return -1;
	while ((rc = fleet_step(fleet, stmt)) == 1)
		continue;
	return rc;
}

int
fleet_int(struct fleet *fleet, int64_t *out, const char *sql,
    const char *types, ...)
{
	sqlite3_stmt	*stmt;
	va_list		 ap;
	int		 rc;

	*out = ABSENT;
	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) == 1) {
		*out = fleet_number(stmt, 0);
		sqlite3_reset(stmt);
		rc = 0;
	}
	return rc;
}

int64_t
fleet_last_id(const struct fleet *fleet)
{
	return sqlite3_last_insert_rowid(fleet->db);
}

int64_t
fleet_number(sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return ABSENT;
	return sqlite3_column_int64(stmt, column);
}

bool
fleet_in_transaction(const struct fleet *fleet)
{
	return !sqlite3_get_autocommit(fleet->db);
}

bool
fleet_failed(const struct fleet *fleet)
{
	return fleet->failed;
}

int
fleet_begin(struct fleet *fleet)
{
	if (fleet_in_transaction(fleet))
		return fleet->failed ? -1 : 0;
	fleet->failed = false;
	return fleet_do(fleet, "BEGIN IMMEDIATE", "");
}

/*
 * SQLite may have rolled back by itself (SQLITE_FULL, SQLITE_IOERR), so that
 * failed says more than the autocommit state.
 */
int
fleet_commit(struct fleet *fleet)
{
	if (fleet->failed) {
		fleet_rollback(fleet);
		return -1;
	}
	if (!fleet_in_transaction(fleet))
		return 0;
	if (fleet_do(fleet, "COMMIT", "") != 0) {
		fleet_rollback(fleet);
		return -1;
	}
	if (fleet->complained) {
		fleet->complained = false;
		log_info("fleet", "%s: works again", fleet->path);
	}
	return 0;
}

void
fleet_rollback(struct fleet *fleet)
{
	sqlite3_stmt	*stmt;

	/* A SELECT that is still open would keep the old snapshot. */
	for (stmt = NULL; (stmt = sqlite3_next_stmt(fleet->db, stmt)) != NULL;)
		sqlite3_reset(stmt);
	if (fleet_in_transaction(fleet))
		sqlite3_exec(fleet->db, "ROLLBACK", NULL, NULL, NULL);
	fleet->failed = false;
}

bool
fleet_changed(struct fleet *fleet)
{
	int64_t	now;

	if (fleet_int(fleet, &now, "PRAGMA data_version", "") != 0 ||
	    now == fleet->data_version)
		return false;
	fleet->data_version = now;
	return true;
}

/* A NULL path in messages helps nobody: every way to fail names the file. */
static int
open_file(struct fleet *fleet, enum fleet_mode mode)
{
	int	flags;

	flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
	if (mode == FLEET_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	else if (access(fleet->path, F_OK) == -1) {
		if (errno == ENOENT)
			log_warnx("fleet", "%s: there is no store; "
			    "\"platen-central init\" makes it", fleet->path);
		else
			log_warn("fleet", "%s", fleet->path);
		return -1;
	}
	if (mode == FLEET_READ && access(fleet->path, W_OK) == -1)
		flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(fleet->path, &fleet->db, flags, NULL) !=
	    SQLITE_OK) {
		log_warnx("fleet", "%s: cannot open: %s", fleet->path,
		    fleet->db == NULL ? "out of memory" :
		    sqlite3_errmsg(fleet->db));
		return -1;
	}
	return 0;
}

static int
set_up(struct fleet *fleet, enum fleet_mode mode)
{
	static const char *const	 pragmas =
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -16384;";

	sqlite3_busy_timeout(fleet->db, BUSY_MS);
	if (sqlite3_exec(fleet->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
	    (mode == FLEET_CREATE && sqlite3_exec(fleet->db,
	    "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)) {
		complain(fleet, "cannot open");
		return -1;
	}
	/* Statements that the listings run may wait for a checkpoint, but
	 * only init and run change tables. */
	return layout_check(fleet, mode != FLEET_READ);
}

struct fleet *
fleet_open(const char *path, enum fleet_mode mode)
{
	struct fleet	*fleet;
	mode_t		 mask;
	int		 rc;

	fleet = xcalloc(1, sizeof(*fleet));
	fleet->path = xstrdup(path);
	mask = umask(0027);	/* customers' fleets are nobody else's */
	rc = open_file(fleet, mode);
	if (rc == 0)
		rc = set_up(fleet, mode);
	umask(mask);
	if (rc != 0) {
		log_warnx("fleet", "%s: cannot be used", path);
		fleet_close(fleet);
		return NULL;
	}
	fleet_changed(fleet);
	return fleet;
}

void
fleet_close(struct fleet *fleet)
{
	size_t	i;

	if (fleet == NULL)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(fleet->statement[i].stmt);
	sqlite3_close(fleet->db);
	free(fleet->path);
	free(fleet);
}
