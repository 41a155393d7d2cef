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
	if (fleet_begin_read(fleet) != 0 || fleet_int(fleet, &agents,
	    "SELECT count(DISTINCT agent) FROM asset", "") != 0) {
		fleet_rollback(fleet);
		return -1;
	}
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
	fleet_rollback(v->fleet);
	if (fflush(v->out) != 0 || ferror(v->out)) {
		log_warn("view", "cannot write");
		rc = -1;
	}
	return rc;
}

/* The conditions are put together, so that the planner sees only those that
 * are asked for and finds their index. */
struct fleet_stmt *
view_query(struct view *v, const char *columns, const char *from,
    const char *where, const char *received, const char *order,
    const char *rest)
{
	const struct view_filter	*f = v->filter;
	struct buf			 sql = { 0 };
	struct fleet_stmt		*stmt;
	int				 at = 0, agent, asset, since, limit;

	buf_printf(&sql, "SELECT %s FROM %s WHERE %s", columns, from,
	    where == NULL ? "TRUE" : where);
	agent = f->agent == NULL ? 0 : ++at;
	if (agent != 0)
		buf_printf(&sql, " AND (g.name = ?%d OR g.jid = ?%d)", agent,
		    agent);
	asset = f->asset == NULL ? 0 : ++at;
	if (asset != 0)
		buf_printf(&sql, " AND a.id IN (SELECT id FROM asset WHERE "
		    "uuid = ?%d OR lower(serial) = lower(?%d) OR uuid IN "
		    "(SELECT known FROM alias WHERE uuid = ?%d))", asset,
		    asset, asset);
	since = f->since == ABSENT ? 0 : ++at;
	if (since != 0)
		buf_printf(&sql, " AND %s >= ?%d", received, since);
	buf_printf(&sql, " %s", order);
	limit = f->limit == ABSENT ? 0 : ++at;
	if (limit != 0)
		buf_printf(&sql, " LIMIT ?%d", limit);
	buf_puts(&sql, rest);
	stmt = fleet_query(v->fleet, sql.data);
	buf_free(&sql);
	if (stmt == NULL)
		return NULL;
	if (agent != 0)
		fleet_put_text(stmt, agent, f->agent);
	if (asset != 0)
		fleet_put_text(stmt, asset, f->asset);
	if (since != 0)
		fleet_put_number(stmt, since, f->since);
	if (limit != 0)
		fleet_put_number(stmt, limit, f->limit);
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
