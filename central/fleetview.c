/* The fleet as it is: devices, consumables, alerts (central/view.h). */
#include "central/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "central/tables.h"
#include "schema/recjson.h"

/* What every row begins with: agent, asset, its name, when it was told. */
#define COMMON	"g.name, a.uuid, a.make, a.model, a.serial"
#define COMMON_COLUMNS	5

struct common {
	const char	*agent, *asset, *serial;
	char		*printer;
};

static void
take_common(struct fleet_stmt *stmt, struct common *c)
{
	c->agent = fleet_text(stmt, 0);
	c->asset = fleet_text(stmt, 1);
	c->printer = view_name(fleet_text(stmt, 2),
	    fleet_text(stmt, 3));
	c->serial = fleet_text(stmt, 4);
}

/* COMMON, received_at, uuid, then all fields of the table t. */
static struct fleet_stmt *
query_records(struct view *v, const struct field *fields, const char *from,
    const char *where, const char *order)
{
	struct fleet_stmt	*stmt;
	char			*names, *columns;

	names = tables_names(fields, "t.");
	columns = xasprintf(COMMON ", t.received_at, t.uuid%s", names);
	stmt = view_query(v, columns, from, where, "t.received_at", order, "");
	free(columns);
	free(names);
	return stmt;
}

static int
load_counters(struct view *v, int64_t id, struct asset *asset)
{
	static char		*sql;
	struct fleet_stmt	*stmt;
	struct counter		*c;
	char			*names;
	int			 rc;

	if (sql == NULL) {
		names = tables_names(counter_fields, "");
		sql = xasprintf("SELECT asset%s FROM counter WHERE asset = ? "
		    "ORDER BY name", names);
		free(names);
	}
	if ((stmt = fleet_bind(v->fleet, sql, "i", id)) == NULL)
		return -1;
	while ((rc = fleet_step(v->fleet, stmt)) == 1)
		if ((c = asset_counter_add(asset, "")) != NULL)
			tables_get(stmt, 1, counter_fields, c);
	return rc;
}

static void
json_device(struct view *v, const struct common *c, int64_t received_at,
    const struct asset *asset)
{
	const struct field	*f;

	json_string(&v->json, "agent", c->agent);
	json_string(&v->json, "asset", c->asset);
	view_json_time(v, "received_at", received_at);
	for (f = asset_fields; f->name != NULL; f++)
		if (tables_has(f))
			recjson_field(&v->json, f, asset);
	recjson_array(&v->json, "counters", counter_fields, asset->counters,
	    asset->counters_len, sizeof(*asset->counters), false);
}

static char *
count(const struct asset *asset, const char *name, char out[VIEW_INT_MAX])
{
	const struct counter	*c;

	c = asset_counter(asset, name);
	return view_int(c == NULL ? ABSENT : c->value, out);
}

static void
table_device(struct view *v, const struct common *c, int64_t received_at,
    const struct asset *asset)
{
	char	 total[VIEW_INT_MAX], mono[VIEW_INT_MAX], colour[VIEW_INT_MAX];
	char	 age[VIEW_AGE_MAX], *errors = NULL;

	if (asset->errors > 0)
		errors = field_format(field_find(asset_fields, "errors"),
		    asset);
	view_cells(v, (const char *const[]){ c->agent,
	    c->printer, c->serial, keyword_of(words_asset_state,
	    asset->state), count(asset, "total", total), count(asset, "mono",
	    mono), count(asset, "colour", colour), errors,
	    view_age(v, received_at, age) });
	free(errors);
}

int
view_devices(struct fleet *fleet, const struct view_filter *filter,
    FILE *out, int64_t now_ms)
{
	static const char *const	 columns[] = { "AGENT", "PRINTER",
		"SERIAL", "STATE", ">TOTAL", ">MONO", ">COLOUR", "ERRORS",
		">AGE", NULL };
	struct view			 v;
	struct common			 c;
	struct asset			 asset;
	struct fleet_stmt			*stmt;
	int64_t				 received_at, id;
	char				*names, *select;
	int				 rc = -1, at;

	if (view_start(&v, fleet, filter, out, now_ms, columns, false) != 0)
		return -1;
	names = tables_names(asset_fields, "a.");
	select = xasprintf(COMMON ", a.received_at, a.id%s", names);
	stmt = view_query(&v, select, "asset a JOIN agent g ON g.id = a.agent",
	    NULL, "a.received_at", "ORDER BY g.name, a.make NULLS FIRST, "
	    "a.model NULLS FIRST, a.id", "");
	free(select);
	free(names);
	while (stmt != NULL && (rc = fleet_step(fleet, stmt)) == 1) {
		asset_init(&asset);
		take_common(stmt, &c);
		at = COMMON_COLUMNS;
		received_at = fleet_number(stmt, at++);
		id = fleet_number(stmt, at++);
		tables_get(stmt, at, asset_fields, &asset);
		rc = load_counters(&v, id, &asset);
		view_row(&v);
		if (filter->json)
			json_device(&v, &c, received_at, &asset);
		else
			table_device(&v, &c, received_at, &asset);
		view_row_end(&v);
		free(c.printer);
		asset_clear(&asset);
		if (rc != 0)
			break;
	}
	fleet_drop(stmt);
	return view_end(&v, "no devices", rc);
}

/* The members that consumables and alerts begin and end with. */
static void
json_record(struct view *v, const struct common *c, struct fleet_stmt *stmt,
    const struct field *fields, const void *record)
{
	const struct field	*f;

	json_string(&v->json, "agent", c->agent);
	json_string(&v->json, "asset", c->asset);
	json_string(&v->json, "asset_name", c->printer);
	json_string(&v->json, "asset_serial", c->serial);
	view_json_time(v, "received_at", fleet_number(stmt, COMMON_COLUMNS));
	json_string(&v->json, "id", fleet_text(stmt,
	    COMMON_COLUMNS + 1));
	for (f = fields; f->name != NULL; f++)
		if (tables_has(f))
			recjson_field(&v->json, f, record);
}

#define BAR_CELLS	12

static void
table_consumable(struct view *v, const struct common *c,
    const struct consumable *r)
{
	char	bar[SCREEN_BAR_MAX], percent[VIEW_INT_MAX + 1];

	screen_bar(r->percent, BAR_CELLS, bar);
	view_int(r->percent, percent);
	if (percent[0] != '\0')
		strcat(percent, "%");
	view_cells(v, (const char *const[]){ c->agent,
	    c->printer, c->serial, r->colour, r->description != NULL ?
	    r->description : keyword_of(words_supply_kind, r->kind), bar,
	    percent, r->removed != ABSENT ? "removed" :
	    words_supply_shown(r) });
}

int
view_consumables(struct fleet *fleet, const struct view_filter *filter,
    FILE *out, int64_t now_ms)
{
	static const char *const	 columns[] = { "AGENT", "PRINTER",
		"SERIAL", "COLOUR", "SUPPLY", "LEVEL", ">", "STATE", NULL };
	struct view			 v;
	struct common			 c;
	struct consumable		 record;
	struct fleet_stmt			*stmt;
	int				 rc = -1;

	if (view_start(&v, fleet, filter, out, now_ms, columns, false) != 0)
		return -1;
	stmt = query_records(&v, consumable_fields, "consumable t "
	    "JOIN asset a ON a.id = t.asset JOIN agent g ON g.id = a.agent",
	    filter->all ? NULL : "t.removed IS NULL",
	    "ORDER BY g.name, a.make NULLS FIRST, a.model NULLS FIRST, "
	    "a.id, t.\"index\" NULLS FIRST, t.id");
	while (stmt != NULL && (rc = fleet_step(fleet, stmt)) == 1) {
		consumable_init(&record);
		take_common(stmt, &c);
		tables_get(stmt, COMMON_COLUMNS + 2, consumable_fields,
		    &record);
		view_row(&v);
		if (filter->json)
			json_record(&v, &c, stmt, consumable_fields, &record);
		else
			table_consumable(&v, &c, &record);
		view_row_end(&v);
		free(c.printer);
		consumable_clear(&record);
	}
	fleet_drop(stmt);
	return view_end(&v, "no consumables", rc);
}

static void
table_alert(struct view *v, const struct common *c, const struct alert *r)
{
	char		 since[VIEW_AGE_MAX], cleared[VIEW_TIME_MAX];
	char		 code[VIEW_INT_MAX];
	const char	*severity, *what;

	/* People want the words that the panel shows; JSON has the rest. */
	severity = keyword_of(words_alert_severity, r->severity);
	if (severity != NULL && strncmp(severity, "warning", 7) == 0)
		severity = "warning";
	what = r->description != NULL ? r->description :
	    r->code_name != NULL ? r->code_name : view_int(r->code, code);
	view_cells(v, (const char *const[]){
	    c->agent, c->printer, c->serial, severity,
	    view_age(v, r->raised, since), what, v->filter->all ?
	    view_time(r->cleared, cleared) : NULL });
}

int
view_alerts(struct fleet *fleet, const struct view_filter *filter, FILE *out,
    int64_t now_ms)
{
	static const char *const	 columns[] = { "AGENT", "PRINTER",
		"SERIAL", "SEVERITY", ">SINCE", "ALERT", "CLEARED", NULL };
	static const char *const	 open[] = { "AGENT", "PRINTER",
		"SERIAL", "SEVERITY", ">SINCE", "ALERT", NULL };
	struct view			 v;
	struct common			 c;
	struct alert			 record;
	struct fleet_stmt			*stmt;
	int				 rc = -1;

	if (view_start(&v, fleet, filter, out, now_ms,
	    filter->all ? columns : open, false) != 0)
		return -1;
	stmt = query_records(&v, alert_fields, "alert t "
	    "JOIN asset a ON a.id = t.asset JOIN agent g ON g.id = a.agent",
	    filter->all ? NULL : "t.cleared IS NULL",
	    "ORDER BY t.id");
	while (stmt != NULL && (rc = fleet_step(fleet, stmt)) == 1) {
		alert_init(&record);
		take_common(stmt, &c);
		tables_get(stmt, COMMON_COLUMNS + 2, alert_fields, &record);
		view_row(&v);
		if (filter->json)
			json_record(&v, &c, stmt, alert_fields, &record);
		else
			table_alert(&v, &c, &record);
		view_row_end(&v);
		free(c.printer);
		alert_clear(&record);
	}
	fleet_drop(stmt);
	return view_end(&v, filter->all ? "no alerts" : "no active alerts",
	    rc);
}
