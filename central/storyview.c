/* What happened, in order: the history (central/view.h). */
#include "central/view.h"

#include <stdlib.h>

#include "base/mem.h"
#include "central/journal.h"

enum column { AGENT, ASSET, MAKE, MODEL, SERIAL, RECEIVED, TIME, RECORD,
	FIELD, NUMBER, TEXT, UNIT, CAPACITY, PERCENT, STATE, PAGES,
	COUNTER_EPOCH, BEFORE, EPOCH, LANE, SEQ, TURN, ID,
	SUPPLY_ID, SUPPLY_INDEX, SUPPLY_TEXT, ALERT_ID, ALERT_INDEX,
	ALERT_NAME, ALERT_TEXT };

/*
 * Of an asset and an epoch rows stand in the order of their reports' turns,
 * whenever those arrived: before the first of all that came later in the story.
 */
#define PLACE	"min(id) OVER (PARTITION BY asset_uuid, epoch_uuid " \
		"ORDER BY turn, id ROWS BETWEEN CURRENT ROW AND " \
		"UNBOUNDED FOLLOWING) AS place"
#define SELECT	"g.name AS agent, a.uuid AS asset_uuid, a.make, a.model, " \
		"a.serial, h.received_at, h.time, h.record, h.field, " \
		"h.number, h.text, h.unit, " \
		"h.capacity, h.percent, h.state, h.pages, " \
		"h.counter_epoch, h.\"before\", e.uuid AS epoch_uuid, " \
		"h.lane, h.seq, coalesce(h.turn, h.seq) AS turn, h.id AS id, " \
		"c.uuid, c.\"index\", c.description, l.uuid, " \
		"l.\"index\", l.code_name, l.description"
#define FROM	"history h JOIN asset a ON a.id = h.asset " \
		"JOIN agent g ON g.id = a.agent " \
		"JOIN epoch e ON e.id = h.epoch " \
		"LEFT JOIN consumable c ON c.id = h.thing AND h.record <> 3 " \
		"LEFT JOIN alert l ON l.id = h.thing AND h.record = 3"
#define WRAP_FROM	INT64_C(4200000000)	/* 32 bits, printers.md 6 */
_Static_assert(JOURNAL_ALERT == 3, "FROM says so");

static const char *
text(struct fleet_stmt *stmt, enum column column)
{
	return fleet_text(stmt, (int)column);
}

/* What the row is about, in words; NULL for the asset itself. */
static const char *
name_of(struct fleet_stmt *stmt, int64_t record)
{
	if (record == JOURNAL_COUNTER)
		return text(stmt, FIELD);
	if (record != JOURNAL_ALERT)
		return text(stmt, SUPPLY_TEXT);
	return text(stmt, text(stmt, ALERT_NAME) != NULL ? ALERT_NAME :
	    ALERT_TEXT);
}

static void
json_word(struct view *v, const char *key, const struct keyword *words,
    int64_t value)
{
	const char	*word;

	if (value != ABSENT && (word = keyword_of(words, value)) != NULL)
		json_string(&v->json, key, word);
	else
		view_json_int(v, key, value);
}

static void
json_row(struct view *v, struct fleet_stmt *stmt)
{
	int64_t	record, lane;
	bool	alert;

	record = fleet_number(stmt, RECORD);
	alert = record == JOURNAL_ALERT;
	json_string(&v->json, "agent", text(stmt, AGENT));
	json_string(&v->json, "asset", text(stmt, ASSET));
	view_json_time(v, "received_at", fleet_number(stmt, RECEIVED));
	view_json_time(v, "time", fleet_number(stmt, TIME));
	json_word(v, "record", journal_words, record);
	json_string(&v->json, "name", name_of(stmt, record));
	view_json_int(v, "index", fleet_number(stmt, alert ? ALERT_INDEX :
	    SUPPLY_INDEX));
	json_string(&v->json, "id", text(stmt, alert ? ALERT_ID :
	    SUPPLY_ID));
	json_string(&v->json, "field", record == JOURNAL_COUNTER ? "value" :
	    text(stmt, FIELD));
	if (text(stmt, TEXT) != NULL)
		json_string(&v->json, "value", text(stmt, TEXT));
	else
		view_json_int(v, "value", fleet_number(stmt, NUMBER));
	json_word(v, "unit", words_unit, fleet_number(stmt, UNIT));
	view_json_int(v, "capacity", fleet_number(stmt, CAPACITY));
	view_json_int(v, "percent", fleet_number(stmt, PERCENT));
	json_word(v, "state", words_supply_state, fleet_number(stmt, STATE));
	view_json_int(v, "pages", fleet_number(stmt, PAGES));
	view_json_int(v, "counter_epoch", fleet_number(stmt, COUNTER_EPOCH));
	view_json_int(v, "before", fleet_number(stmt, BEFORE));
	json_string(&v->json, "epoch", text(stmt, EPOCH));
	lane = fleet_number(stmt, LANE);
	json_string(&v->json, "lane", lane_name(lane == LANE_BULK ?
	    LANE_BULK : LANE_URGENT));
	view_json_int(v, "seq", fleet_number(stmt, SEQ));
	view_json_int(v, "turn", fleet_number(stmt, TURN));
}

/* What nobody must take for pages: the counter began anew, or is past 2^32. */
static char *
break_of(struct view *v, struct fleet_stmt *stmt, int64_t record)
{
	int64_t	before = fleet_number(stmt, BEFORE);

	if (record != JOURNAL_COUNTER || before == ABSENT)
		return NULL;
	if (before > WRAP_FROM && before <= UINT32_MAX &&
	    fleet_number(stmt, NUMBER) < before)
		return xasprintf("ran over at %lld", (long long)before);
	return xasprintf("started anew, was %lld",
	    (long long)before);
}

static const char *
value_of(struct fleet_stmt *stmt, char number[VIEW_INT_MAX])
{
	if (text(stmt, TEXT) != NULL)
		return text(stmt, TEXT);
	if (fleet_number(stmt, NUMBER) == ABSENT)
		return NULL;
	return view_int(fleet_number(stmt, NUMBER), number);
}

static void
table_row(struct view *v, struct fleet_stmt *stmt)
{
	char		 time[VIEW_TIME_MAX], number[VIEW_INT_MAX];
	char		*printer, *detail = NULL, *broken;
	const char	*value, *serial, *word = NULL;
	int64_t		 record, unit, percent;

	record = fleet_number(stmt, RECORD);
	unit = fleet_number(stmt, UNIT);
	percent = fleet_number(stmt, PERCENT);
	value = record == JOURNAL_ALERT ? NULL : value_of(stmt, number);
	if (record == JOURNAL_LEVEL && percent != ABSENT && value != NULL)
		value = detail = xasprintf("%s (%lld%%)", value,
		    (long long)percent);
	else if (unit != ABSENT && value != NULL &&
	    (word = keyword_of(words_unit, unit)) != NULL)
		value = detail = xasprintf("%s %s", value, word);
	serial = text(stmt, SERIAL);
	printer = view_name(text(stmt, MAKE), text(stmt, MODEL));
	broken = break_of(v, stmt, record);
	view_cells(v, (const char *const[]){ text(stmt, AGENT),
	    view_time(fleet_number(stmt, TIME), time),
	    serial != NULL ? serial : printer,
	    keyword_of(journal_words, record), text(stmt, FIELD), value,
	    record == JOURNAL_COUNTER ? broken : name_of(stmt, record) });
	free(broken);
	free(printer);
	free(detail);
}

int
view_history(struct fleet *fleet, const struct view_filter *filter,
    FILE *out, int64_t now_ms)
{
	static const char *const	 columns[] = { "AGENT", "TIME",
		"SERIAL", "RECORD", "FIELD", "VALUE", "OF", NULL };
	struct view			 v;
	struct fleet_stmt			*stmt;
	int				 rc = -1;

	if (view_start(&v, fleet, filter, out, now_ms, columns, false) != 0)
		return -1;
	/* The latest rows, oldest first. */
	stmt = view_query(&v, "*, " PLACE " FROM (SELECT " SELECT, FROM, NULL,
	    "h.received_at", "ORDER BY h.id DESC",
	    ") AS latest ORDER BY place, turn, id");
	while (stmt != NULL && (rc = fleet_step(fleet, stmt)) == 1) {
		view_row(&v);
		if (filter->json)
			json_row(&v, stmt);
		else
			table_row(&v, stmt);
		view_row_end(&v);
	}
	fleet_drop(stmt);
	return view_end(&v, "no history", rc);
}
