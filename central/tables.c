#include "central/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

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

const struct field	tables_told[] = {
	{ .name = "told_epoch", .kind = FIELD_INT,
	    .offset = offsetof(struct tables_told, epoch) },
	{ .name = "told_turn", .kind = FIELD_INT,
	    .offset = offsetof(struct tables_told, turn) },
	{ .name = NULL }
};

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

/* The statements are made once in the life of the program. */
static const struct thing *
thing_of(enum tables_thing kind)
{
	struct thing		*t = &things[kind];
	struct buf		 sets = { 0 }, marks = { 0 };
	const struct field	*f;
	char			*names;

	if (t->find != NULL)
		return t;
	for (f = t->fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		buf_printf(&sets, ", \"%s\" = ?", f->name);
		buf_puts(&marks, ", ?");
	}
	names = tables_names(t->fields, "");
	t->find = xasprintf("SELECT id, %s, uuid, doubt, received_at, "
	    "told_epoch, told_turn%s "
	    "FROM %s WHERE uuid = ?", t->owner, names, t->name);
	t->load = xasprintf("SELECT id, %s, uuid, doubt, received_at, "
	    "told_epoch, told_turn%s "
	    "FROM %s WHERE id = ?", t->owner, names, t->name);
	t->insert = xasprintf("INSERT INTO %s (%s, uuid, doubt, received_at, "
	    "told_epoch, told_turn%s) VALUES (?, ?, ?, ?, ?, ?%s) "
	    "RETURNING id", t->name,
	    t->owner, names,
	    marks.data);
	t->update = xasprintf("UPDATE %s SET doubt = ?, received_at = ?, "
	    "told_epoch = ?, told_turn = ?%s "
	    "WHERE id = ?", t->name, sets.data);
	free(names);
	buf_free(&sets);
	buf_free(&marks);
	return t;
}

int
tables_put(struct fleet_stmt *stmt, int at, const struct field *fields,
    const void *record)
{
	const struct field	*f;

	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		if (field_is_text(f))
			fleet_put_text(stmt, at, field_absent(f, record) ?
			    NULL : field_text(f, record));
		else
			fleet_put_number(stmt, at, field_absent(f, record) ?
			    ABSENT : field_int(f, record));
		at++;
	}
	return at;
}

int
tables_get(struct fleet_stmt *stmt, int at, const struct field *fields,
    void *record)
{
	const struct field	*f;

	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		if (field_is_text(f))
			field_set_text(f, record,
			    fleet_text(stmt, at));
		else
			field_set_int(f, record, fleet_number(stmt, at));
		at++;
	}
	return at;
}

static int
get_row(struct fleet *fleet, struct fleet_stmt *stmt,
    const struct field *fields, struct tables_row *row, void *record)
{
	int	rc;

	memset(row, 0, sizeof(*row));
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	row->id = fleet_number(stmt, 0);
	row->owner = fleet_number(stmt, 1);
	snprintf(row->uuid, sizeof(row->uuid), "%s",
	    fleet_text(stmt, 2));
	row->doubt = fleet_number(stmt, 3);
	row->received_at = fleet_number(stmt, 4);
	row->told.epoch = fleet_number(stmt, 5);
	row->told.turn = fleet_number(stmt, 6);
	tables_get(stmt, 7, fields, record);
	fleet_reset(stmt);
	return 0;
}

int
tables_find(struct fleet *fleet, enum tables_thing kind, const char *uuid,
    struct tables_row *row, void *record)
{
	return get_row(fleet,
	    fleet_bind(fleet, thing_of(kind)->find, "t", uuid),
	    things[kind].fields, row, record);
}

int
tables_load(struct fleet *fleet, enum tables_thing kind, int64_t id,
    struct tables_row *row, void *record)
{
	return get_row(fleet, fleet_bind(fleet, thing_of(kind)->load, "i", id),
	    things[kind].fields, row, record);
}

int
tables_insert(struct fleet *fleet, enum tables_thing kind,
    struct tables_row *row, const void *record)
{
	struct fleet_stmt	*stmt;

	stmt = fleet_bind(fleet, thing_of(kind)->insert, "itiiii", row->owner,
	    row->uuid, (int64_t)row->doubt, row->received_at,
	    row->told.epoch, row->told.turn);
	if (stmt == NULL)
		return -1;
	tables_put(stmt, 7, things[kind].fields, record);
	if (fleet_step(fleet, stmt) != 1)
		return -1;
	row->id = fleet_number(stmt, 0);
	fleet_reset(stmt);
	return 0;
}

int
tables_update(struct fleet *fleet, enum tables_thing kind,
    const struct tables_row *row, const void *record)
{
	struct fleet_stmt	*stmt;
	int			 at;

	stmt = fleet_bind(fleet, thing_of(kind)->update, "iiii",
	    (int64_t)row->doubt, row->received_at, row->told.epoch,
	    row->told.turn);
	if (stmt == NULL)
		return -1;
	at = tables_put(stmt, 5, things[kind].fields, record);
	fleet_put_number(stmt, at, row->id);
	return fleet_run(fleet, stmt);
}

/* Makes the row, or replaces all but its key: more sets what fixed has beside
 * it and received_at. */
static char *
replace_statement(const char *table, const char *key, const char *fixed,
    const char *marks, const char *more, const struct field *fields)
{
	struct buf		 out = { 0 }, sets = { 0 };
	const struct field	*f;
	char			*names;

	names = tables_names(fields, "");
	buf_printf(&out, "INSERT INTO %s (%s%s) VALUES (%s", table, fixed,
	    names, marks);
	for (f = fields; f->name != NULL; f++) {
		if (!tables_has(f))
			continue;
		buf_puts(&out, ", ?");
		buf_printf(&sets, ", \"%s\" = excluded.\"%s\"", f->name,
		    f->name);
	}
	buf_printf(&out, ") ON CONFLICT (%s) DO UPDATE SET received_at = "
	    "excluded.received_at%s%s", key, more, sets.data);
	free(names);
	buf_free(&sets);
	return buf_take(&out);
}

int
tables_counter_find(struct fleet *fleet, int64_t asset, const char *name,
    struct counter *counter, struct tables_told *told, bool *found)
{
	static char		*sql;
	struct fleet_stmt	*stmt;
	char			*names;
	int			 rc;

	if (sql == NULL) {
		names = tables_names(counter_fields, "");
		sql = xasprintf("SELECT told_epoch, told_turn%s FROM counter "
		    "WHERE asset = ? AND name = ?", names);
		free(names);
	}
	*found = false;
	told->epoch = told->turn = ABSENT;
	if ((stmt = fleet_bind(fleet, sql, "it", asset, name)) == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	told->epoch = fleet_number(stmt, 0);
	told->turn = fleet_number(stmt, 1);
	tables_get(stmt, 2, counter_fields, counter);
	fleet_reset(stmt);
	*found = true;
	return 0;
}

int
tables_counter_put(struct fleet *fleet, int64_t asset,
    const struct counter *counter, const struct tables_told *told,
    int64_t time, int64_t received_at)
{
	static char		*sql;
	struct fleet_stmt	*stmt;

	/* A counter without a value is one that the printer has no more. */
	if (counter->value == ABSENT)
		return fleet_do(fleet, "DELETE FROM counter WHERE asset = ? "
		    "AND name = ?", "it", asset, counter->name);
	if (sql == NULL)
		sql = replace_statement("counter", "asset, name",
		    "asset, time, received_at, told_epoch, told_turn",
		    "?, ?, ?, ?, ?", ", time = excluded.time, told_epoch = "
		    "excluded.told_epoch, told_turn = excluded.told_turn",
		    counter_fields);
	stmt = fleet_bind(fleet, sql, "iiiii", asset, time, received_at,
	    told->epoch, told->turn);
	if (stmt == NULL)
		return -1;
	tables_put(stmt, 6, counter_fields, counter);
	return fleet_run(fleet, stmt);
}

int
tables_agent_find(struct fleet *fleet, int64_t agent, struct agent *record)
{
	static char		*sql;
	struct fleet_stmt	*stmt;
	char			*names;
	int			 rc;

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
	fleet_reset(stmt);
	return 0;
}

int
tables_agent_put(struct fleet *fleet, int64_t agent,
    const struct agent *record, int64_t received_at)
{
	static char		*sql;
	struct fleet_stmt	*stmt;

	if (sql == NULL)
		sql = replace_statement("agent_report", "agent",
		    "agent, received_at", "?, ?", "", agent_fields);
	if ((stmt = fleet_bind(fleet, sql, "ii", agent, received_at)) == NULL)
		return -1;
	tables_put(stmt, 3, agent_fields, record);
	return fleet_run(fleet, stmt);
}
