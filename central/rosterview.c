/* The agents: what the roster knows and what they say (central/view.h). */
#include "central/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "central/tables.h"
#include "crypto/key.h"
#include "schema/recjson.h"

enum column { ID, NAME, JID, CUSTOMER, STATE, PRESENCE, SEEN, KEY, OTHER,
	OTHER_AT, EXPIRES, TOKEN, EPOCH, SEQ, BULK, GAPS, REFUSED, RECEIVED,
	DEVICES, STATUS, COLUMNS };

/* When anything of it came last: it was there, or a report. */
#define SEEN_AT	"(SELECT max(at) FROM (SELECT last_at AS at FROM epoch " \
		"WHERE agent = g.id UNION ALL SELECT g.last_seen) AS x)"
#define SELECT	"g.id, g.name, g.jid, g.customer, g.state, g.presence, " \
		SEEN_AT ", " \
		"g.key, g.other_key, g.other_key_at, g.token_expires, " \
		"g.token_hash IS NOT NULL, e.uuid, e.last_seq, e.last_bulk, " \
		"(SELECT CAST(sum(gaps) AS BIGINT) FROM epoch " \
		"WHERE agent = g.id), " \
		"(SELECT CAST(sum(refused) AS BIGINT) FROM epoch " \
		"WHERE agent = g.id), " \
		"r.received_at, " \
		"(SELECT count(*) FROM asset WHERE agent = g.id), " \
		"CASE g.presence WHEN 'available' THEN nullif(g.status, '') END"
#define FROM	"agent g LEFT JOIN epoch e ON e.id = g.epoch " \
		"LEFT JOIN agent_report r ON r.agent = g.id"

#define PRINT_MAX	48

static const char *
text(struct fleet_stmt *stmt, enum column column)
{
	return fleet_text(stmt, (int)column);
}

/* NULL when there is no key. */
static const char *
fingerprint(struct fleet_stmt *stmt, enum column column, char out[PRINT_MAX])
{
	const void	*key;
	int		 len;

	key = fleet_blob(stmt, (int)column, &len);
	if (key == NULL || len != KEY_LEN)
		return NULL;
	key_fingerprint(key, out);
	return out;
}

static int64_t
sum(struct fleet_stmt *stmt, enum column column)
{
	int64_t	value = fleet_number(stmt, (int)column);

	return value == ABSENT ? 0 : value;
}

static void
json_row(struct view *v, struct fleet_stmt *stmt, const struct agent *agent)
{
	const struct field	*f;
	char			 print[PRINT_MAX];

	json_string(&v->json, "agent", text(stmt, NAME));
	json_string(&v->json, "name", text(stmt, NAME));
	json_string(&v->json, "jid", text(stmt, JID));
	json_string(&v->json, "customer", text(stmt, CUSTOMER));
	json_string(&v->json, "state", text(stmt, STATE));
	json_string(&v->json, "presence", text(stmt, PRESENCE));
	json_string(&v->json, "status", text(stmt, STATUS));
	view_json_time(v, "last_seen", fleet_number(stmt, SEEN));
	view_json_time(v, "received_at", fleet_number(stmt, RECEIVED));
	/* Its name and customer are the operator's, not the agent's. */
	for (f = agent_fields; f->name != NULL; f++)
		if (tables_has(f) && strcmp(f->name, "name") != 0 &&
		    strcmp(f->name, "customer") != 0)
			recjson_field(&v->json, f, agent);
	view_json_int(v, "devices", fleet_number(stmt, DEVICES));
	json_string(&v->json, "epoch", text(stmt, EPOCH));
	view_json_int(v, "last_seq", fleet_number(stmt, SEQ));
	view_json_int(v, "last_bulk", fleet_number(stmt, BULK));
	view_json_int(v, "gaps", sum(stmt, GAPS));
	view_json_int(v, "refused", sum(stmt, REFUSED));
	json_string(&v->json, "key", fingerprint(stmt, KEY, print));
	json_string(&v->json, "other_key", fingerprint(stmt, OTHER, print));
	view_json_time(v, "other_key_at", fleet_number(stmt, OTHER_AT));
	view_json_time(v, "token_expires", fleet_number(stmt, EXPIRES));
}

static void
table_row(struct view *v, struct fleet_stmt *stmt, const struct agent *agent)
{
	char		 age[VIEW_AGE_MAX], queue[VIEW_INT_MAX];
	char		 seq[VIEW_INT_MAX], devices[80] = "";
	const char	*state;

	if (agent->online != ABSENT)
		snprintf(devices, sizeof(devices),
		    "%" PRId64 "/%" PRId64 "/%" PRId64, agent->online,
		    agent->asleep == ABSENT ? 0 : agent->asleep,
		    agent->unreachable == ABSENT ? 0 : agent->unreachable);
	else if (sum(stmt, DEVICES) > 0)
		view_int(sum(stmt, DEVICES), devices);
	/* Whether it is there interests only of an active one. */
	state = text(stmt, STATE);
	if (strcmp(state, "active") == 0)
		state = text(stmt, PRESENCE);
	view_cells(v, (const char *const[]){ text(stmt, NAME),
	    text(stmt, JID), text(stmt, CUSTOMER), state,
	    view_age(v, fleet_number(stmt, SEEN), age), devices,
	    view_int(agent->queue_depth, queue),
	    view_int(fleet_number(stmt, SEQ), seq), agent->version });
}

/* What the operator may have to act on, under the table. */
static void
note_row(struct buf *notes, struct fleet_stmt *stmt, int64_t now_ms)
{
	const char	*name = text(stmt, NAME), *state = text(stmt, STATE);
	char		 print[PRINT_MAX], time[VIEW_TIME_MAX];

	if (strcmp(state, "pending") == 0 &&
	    fingerprint(stmt, KEY, print) != NULL)
		buf_printf(notes, "%s waits for approval, its key is %s\n",
		    name, print);
	if (strcmp(state, "enrolled") == 0 &&
	    fleet_number(stmt, TOKEN) != 0)
		buf_printf(notes, "%s has not come yet, its token %s %s\n",
		    name, fleet_number(stmt, EXPIRES) > now_ms ?
		    "is good until" : "expired at",
		    view_time(fleet_number(stmt, EXPIRES), time));
	if (fingerprint(stmt, OTHER, print) != NULL)
		buf_printf(notes, "%s: another key tried at %s: %s\n", name,
		    view_time(fleet_number(stmt, OTHER_AT), time), print);
	if (text(stmt, STATUS) != NULL)
		buf_printf(notes, "%s says: %s\n", name, text(stmt, STATUS));
	if (sum(stmt, GAPS) > 0)
		buf_printf(notes, "%s: gaps: %" PRId64 "\n", name,
		    sum(stmt, GAPS));
	if (sum(stmt, REFUSED) > 0)
		buf_printf(notes, "%s: reports refused: %" PRId64 "\n", name,
		    sum(stmt, REFUSED));
}

int
view_agents(struct fleet *fleet, const struct view_filter *filter, FILE *out,
    int64_t now_ms)
{
	static const char *const	 columns[] = { "AGENT",
		"JID", "CUSTOMER", "STATE", ">SEEN", ">DEVICES", ">QUEUE",
		">SEQ", "VERSION", NULL };
	struct view			 v;
	struct agent			 agent;
	struct buf			 notes = { 0 };
	struct fleet_stmt			*stmt;
	int				 rc = -1;

	if (view_start(&v, fleet, filter, out, now_ms, columns, true) != 0)
		return -1;
	stmt = view_query(&v, SELECT, FROM, NULL, SEEN_AT,
	    "ORDER BY g.name", "");
	while (stmt != NULL && (rc = fleet_step(fleet, stmt)) == 1) {
		agent_init(&agent);
		rc = tables_agent_find(fleet, fleet_number(stmt, ID), &agent);
		view_row(&v);
		if (filter->json)
			json_row(&v, stmt, &agent);
		else {
			table_row(&v, stmt, &agent);
			note_row(&notes, stmt, now_ms);
		}
		view_row_end(&v);
		agent_clear(&agent);
		if (rc != 0)
			break;
	}
	fleet_drop(stmt);
	rc = view_end(&v, "no agents; \"platen-central enrol\" makes one", rc);
	if (notes.len > 0)
		fprintf(out, "\n%s", notes.data);
	buf_free(&notes);
	return rc;
}
