#include "central/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

int
view_start(struct view *v, struct fleet *fleet,
    const struct view_filter *filter, FILE *out, int64_t now_ms,
    const char *const *columns, bool always)
{
	int64_t	agents;

	memset(v, 0, sizeof(*v));
	v->fleet = fleet;
	v->filter = filter;
	v->out = out;
	v->now_ms = now_ms;
	if (fleet_do(fleet, "SAVEPOINT view", "") != 0 || fleet_int(fleet,
	    &agents, "SELECT count(DISTINCT agent) FROM asset", "") != 0)
		return -1;
	v->agents = always || (agents > 1 && filter->agent == NULL);
	if (filter->json) {
		json_start(&v->json, &v->text);
		json_array(&v->json, NULL);
	} else
		v->table = screen_table_new(columns + (v->agents ? 0 : 1));
	return 0;
}

static void
write_out(struct view *v)
{
	if (v->text.len > 0)
		fwrite(v->text.data, 1, v->text.len, v->out);
	buf_reset(&v->text);
}

int
view_end(struct view *v, const char *nothing, int rc)
{
	if (v->filter->json) {
		json_array_end(&v->json);
		write_out(v);
	} else if (v->rows == 0)
		fprintf(v->out, "%s\n", nothing);
	else
		screen_table_print(v->table, v->out, v->filter->width);
	screen_table_free(v->table);
	buf_free(&v->text);
	if (fleet_do(v->fleet, "RELEASE view", "") != 0)
		rc = -1;
	if (fflush(v->out) != 0 || ferror(v->out)) {
		log_warn("view", "cannot write");
		rc = -1;
	}
	return rc;
}

/* The conditions are put together, so that the planner sees only those that
 * are asked for and finds their index. */
sqlite3_stmt *
view_query(struct view *v, const char *columns, const char *from,
    const char *where, const char *received, const char *rest)
{
	const struct view_filter	*f = v->filter;
	struct buf			 sql = { 0 };
	sqlite3_stmt			*stmt;

	buf_printf(&sql, "SELECT %s FROM %s WHERE %s", columns, from,
	    where == NULL ? "1" : where);
	if (f->agent != NULL)
		buf_puts(&sql, " AND (g.name = :agent OR g.jid = :agent)");
	if (f->asset != NULL)
		buf_puts(&sql, " AND a.id IN (SELECT id FROM asset WHERE "
		    "uuid = :asset OR serial = :asset COLLATE NOCASE OR uuid "
		    "IN (SELECT known FROM alias WHERE uuid = :asset))");
	if (f->since != ABSENT)
		buf_printf(&sql, " AND %s >= :since", received);
	buf_printf(&sql, " %s", rest);
	stmt = fleet_prepare(v->fleet, sql.data);
	buf_free(&sql);
	if (stmt == NULL)
		return NULL;
	if (f->agent != NULL)
		sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt,
		    ":agent"), f->agent, -1, SQLITE_STATIC);
	if (f->asset != NULL)
		sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt,
		    ":asset"), f->asset, -1, SQLITE_STATIC);
	if (f->since != ABSENT)
		sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt,
		    ":since"), f->since);
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt,
	    ":limit"), f->limit == ABSENT ? -1 : f->limit);
	return stmt;
}

void
view_row(struct view *v)
{
	v->rows++;
	if (v->filter->json)
		json_object(&v->json, NULL);
}

void
view_cells(struct view *v, const char *const *cells)
{
	screen_table_row(v->table, cells + (v->agents ? 0 : 1));
}

void
view_row_end(struct view *v)
{
	if (!v->filter->json)
		return;
	json_object_end(&v->json);
	write_out(v);
}

void
view_json_time(struct view *v, const char *key, int64_t wall_ms)
{
	char	text[CLOCK_TEXT_MAX];

	json_string(&v->json, key, wall_ms == ABSENT ? NULL :
	    clock_format(wall_ms, text));
}

void
view_json_int(struct view *v, const char *key, int64_t value)
{
	if (value == ABSENT)
		json_null(&v->json, key);
	else
		json_int(&v->json, key, value);
}

char *
view_age(const struct view *v, int64_t then, char out[VIEW_AGE_MAX])
{
	int64_t	s;

	out[0] = '\0';
	if (then == ABSENT)
		return out;
	s = v->now_ms > then ? (v->now_ms - then) / 1000 : 0;
	if (s < 120)
		snprintf(out, VIEW_AGE_MAX, "%" PRId64 "s", s);
	else if (s < 120 * 60)
		snprintf(out, VIEW_AGE_MAX, "%" PRId64 "m", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, VIEW_AGE_MAX, "%" PRId64 "h", s / 3600);
	else
		snprintf(out, VIEW_AGE_MAX, "%" PRId64 "d", s / 86400);
	return out;
}

char *
view_time(int64_t wall_ms, char out[VIEW_TIME_MAX])
{
	out[0] = '\0';
	if (wall_ms == ABSENT)
		return out;
	clock_format(wall_ms, out);
	if (strlen(out) > 19) {
		out[10] = ' ';
		out[19] = '\0';
	}
	return out;
}

char *
view_int(int64_t value, char out[VIEW_INT_MAX])
{
	out[0] = '\0';
	if (value != ABSENT)
		snprintf(out, VIEW_INT_MAX, "%" PRId64, value);
	return out;
}

char *
view_name(const char *make, const char *model)
{
	if (make == NULL || model == NULL)
		return xstrdup(model != NULL ? model :
		    make != NULL ? make : "");
	if (strncasecmp(make, model, strlen(make)) == 0)
		return xstrdup(model);
	return xasprintf("%s %s", make, model);
}
