#include "central/fleet.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/fleet_driver.h"
#include "central/layout.h"
#include "schema/record.h"

void
fleet_complain(struct fleet *fleet, const char *what, const char *why)
{
	fleet->failed = true;
	if (fleet->complained)
		return;
	fleet->complained = true;
	log_warnx("fleet", "%s: %s: %s", fleet->name, what, log_safe(why));
}

/* In a transaction that has failed nothing works: SQLite may have rolled it
 * back by itself, and what comes now would stand alone. */
static bool
usable(const struct fleet *fleet)
{
	return !fleet->begun || !fleet->failed;
}

static struct fleet_stmt *
find(struct fleet *fleet, const char *sql)
{
	struct fleet_stmt	**s;
	size_t			  i, n;

	if (!usable(fleet))
		return NULL;
	i = ((uintptr_t)sql >> 3) % FLEET_STATEMENTS;
	for (n = 0; n < FLEET_STATEMENTS; n++, i = (i + 1) % FLEET_STATEMENTS) {
		s = &fleet->statement[i];
		if (*s == NULL)
			*s = fleet->driver->prepare(fleet, sql, false);
		if (*s == NULL || (*s)->sql == sql)
			return *s;
	}
	fatalx("fleet", "more than %d statements", FLEET_STATEMENTS);
}

static void
bind_all(struct fleet_stmt *stmt, const char *types, va_list ap)
{
	const struct fleet_driver	*driver = stmt->driver;
	const void			*blob;
	int				 at;

	for (at = 1; *types != '\0'; types++, at++) {
		switch (*types) {
		case 'i':
			driver->put_number(stmt, at, va_arg(ap, int64_t));
			break;
		case 't':
			driver->put_text(stmt, at, va_arg(ap, const char *));
			break;
		case 'b':
			blob = va_arg(ap, const void *);
			driver->put_blob(stmt, at, blob, va_arg(ap, int));
			break;
		default:
			fatalx("fleet", "no such type '%c'", *types);
		}
	}
}

static struct fleet_stmt *
bind_list(struct fleet *fleet, const char *sql, const char *types, va_list ap)
{
	struct fleet_stmt	*stmt;

	if ((stmt = find(fleet, sql)) != NULL)
		bind_all(stmt, types, ap);
	return stmt;
}

struct fleet_stmt *
fleet_bind(struct fleet *fleet, const char *sql, const char *types, ...)
{
	struct fleet_stmt	*stmt;
	va_list			 ap;

	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	return stmt;
}

struct fleet_stmt *
fleet_query(struct fleet *fleet, const char *sql)
{
	return usable(fleet) ? fleet->driver->prepare(fleet, sql, true) : NULL;
}

void
fleet_drop(struct fleet_stmt *stmt)
{
	if (stmt != NULL)
		stmt->driver->drop(stmt);
}

int
fleet_step(struct fleet *fleet, struct fleet_stmt *stmt)
{
	return stmt->driver->step(fleet, stmt);
}

int
fleet_run(struct fleet *fleet, struct fleet_stmt *stmt)
{
	return stmt->driver->run(fleet, stmt);
}

void
fleet_reset(struct fleet_stmt *stmt)
{
	stmt->driver->reset(stmt);
}

int
fleet_do(struct fleet *fleet, const char *sql, const char *types, ...)
{
	struct fleet_stmt	*stmt;
	va_list			 ap;

	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	return stmt == NULL ? -1 : fleet_run(fleet, stmt);
}

int
fleet_int(struct fleet *fleet, int64_t *out, const char *sql,
    const char *types, ...)
{
	struct fleet_stmt	*stmt;
	va_list			 ap;
	int			 rc;

	*out = ABSENT;
	va_start(ap, types);
	stmt = bind_list(fleet, sql, types, ap);
	va_end(ap);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) == 1) {
		*out = fleet_number(stmt, 0);
		fleet_reset(stmt);
		rc = 0;
	}
	return rc;
}

int
fleet_exec(struct fleet *fleet, const char *sql)
{
	return usable(fleet) ? fleet->driver->exec(fleet, sql) : -1;
}

void
fleet_put_number(struct fleet_stmt *stmt, int at, int64_t value)
{
	stmt->driver->put_number(stmt, at, value);
}

void
fleet_put_text(struct fleet_stmt *stmt, int at, const char *text)
{
	stmt->driver->put_text(stmt, at, text);
}

int64_t
fleet_number(struct fleet_stmt *stmt, int column)
{
	return stmt->driver->number(stmt, column);
}

const char *
fleet_text(struct fleet_stmt *stmt, int column)
{
	return stmt->driver->text(stmt, column);
}

const void *
fleet_blob(struct fleet_stmt *stmt, int column, int *len)
{
	return stmt->driver->blob(stmt, column, len);
}

bool
fleet_in_transaction(const struct fleet *fleet)
{
	return fleet->begun;
}

bool
fleet_failed(const struct fleet *fleet)
{
	return fleet->failed;
}

static int
begin(struct fleet *fleet, const char *how)
{
	if (fleet->begun)
		return fleet->failed ? -1 : 0;
	fleet->failed = false;
	if (fleet_do(fleet, how, "") != 0)
		return -1;
	fleet->begun = true;
	return 0;
}

int
fleet_begin(struct fleet *fleet)
{
	return begin(fleet, fleet->driver->begin);
}

int
fleet_begin_read(struct fleet *fleet)
{
	return begin(fleet, fleet->driver->begin_read);
}

/* COMMIT stands in no transaction for the driver, which so waits for it. */
int
fleet_commit(struct fleet *fleet)
{
	struct fleet_stmt	*stmt;

	if (!fleet->begun && !fleet->failed)
		return 0;
	if (fleet->failed || (stmt = find(fleet, "COMMIT")) == NULL)
		goto failed;
	fleet->begun = false;
	fleet->held = 0;
	if (fleet_run(fleet, stmt) != 0)
		goto failed;
	if (fleet->complained) {
		fleet->complained = false;
		log_info("fleet", "%s: works again", fleet->name);
	}
	return 0;
failed:
	fleet_rollback(fleet);
	return -1;
}

void
fleet_rollback(struct fleet *fleet)
{
	fleet->driver->abandon(fleet);
	fleet->begun = fleet->failed = false;
	fleet->held = 0;
}

int
fleet_tell(struct fleet *fleet)
{
	if (fleet->driver->tell == NULL)
		return 0;
	return fleet_do(fleet, fleet->driver->tell, "");
}

bool
fleet_changed(struct fleet *fleet)
{
	return fleet->driver->changed(fleet);
}

bool
fleet_shared(const struct fleet *fleet)
{
	return fleet->driver->shared;
}

unsigned
fleet_connections(const struct fleet *fleet)
{
	return fleet->connections;
}

struct fleet *
fleet_open(const struct fleet_source *source, enum fleet_mode mode)
{
	struct fleet	*fleet;

	fleet = xcalloc(1, sizeof(*fleet));
	fleet->source = source;
	fleet->driver = source->url != NULL ? &fleet_pg : &fleet_sqlite;
	/* Statements that the listings run may wait for a checkpoint, but
	 * only init and run change tables. */
	if (fleet->driver->open(fleet, mode) != 0 ||
	    layout_check(fleet, mode) != 0) {
		log_warnx("fleet", "%s: cannot be used", fleet->name);
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
	for (i = 0; i < FLEET_STATEMENTS; i++)
		fleet_drop(fleet->statement[i]);
	fleet->driver->close(fleet);
	free(fleet->name);
	free(fleet);
}
