#include "central/apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/epoch.h"
#include "central/identity.h"
#include "central/journal.h"
#include "central/tables.h"
#include "schema/report.h"

/* One report at work.  Functions return WORK_*. */
struct work {
	struct fleet		*fleet;
	int64_t			 agent;
	struct journal		 journal;
	struct apply_answer	*answer;
	bool			 want_whole;
	int64_t			*whole;		/* assets told whole */
	size_t			 whole_len;
};

#define WORK_FAILED	(-1)	/* the store */
#define WORK_DONE	0
#define WORK_REFUSED	1	/* answer->reason says why */

static int	refuse(struct work *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static int
refuse(struct work *w, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(w->answer->reason, sizeof(w->answer->reason), fmt, ap);
	va_end(ap);
	return WORK_REFUSED;
}

static bool
negative(int64_t value)
{
	return value < 0 && value != ABSENT && value != CLEARED;
}

static void
note_same(struct apply_answer *answer, const char *id, const char *known)
{
	struct apply_same	*same;
	size_t			 i;

	for (i = 0; i < answer->same_len; i++)
		if (strcmp(answer->same[i].id, id) == 0)
			return;
	answer->same = xreallocarray(answer->same, answer->same_len + 1,
	    sizeof(*answer->same));
	same = &answer->same[answer->same_len++];
	snprintf(same->id, sizeof(same->id), "%s", id);
	snprintf(same->known, sizeof(same->known), "%s", known);
}

static int
insert(struct work *w, enum tables_thing kind, struct tables_row *row,
    int64_t owner, const char *uuid, const void *record)
{
	row->owner = owner;
	row->doubt = DOUBT_NONE;
	row->received_at = w->journal.received_at;
	snprintf(row->uuid, sizeof(row->uuid), "%s", uuid);
	return tables_insert(w->fleet, kind, row, record);
}

static int
update(struct work *w, enum tables_thing kind, struct tables_row *row,
    const void *record)
{
	row->doubt = DOUBT_NONE;
	row->received_at = w->journal.received_at;
	return tables_update(w->fleet, kind, row, record);
}

/*
 * The asset that a consumable or an alert is of.  Its identity may be one
 * that we know by another UUID; being another agent's, or nobody's, is
 * refused.
 */
static int
owner_of(struct work *w, const char *uuid, struct tables_row *row)
{
	struct asset	asset;
	int		rc;

	asset_init(&asset);
	rc = identity_asset(w->fleet, w->agent, uuid, NULL, row, &asset);
	asset_clear(&asset);
	if (rc != 0)
		return WORK_FAILED;
	if (row->id == 0) {
		w->want_whole = true;
		return refuse(w, "no such asset: %s", uuid);
	}
	if (row->owner != w->agent)
		return refuse(w, "the asset belongs to another agent: %s",
		    uuid);
	return WORK_DONE;
}

static int
journal_changes(struct work *w, int64_t id, const struct asset *before,
    const struct asset *now)
{
	const struct field	*f;
	enum journal_record	 record;

	for (f = asset_fields; f->name != NULL; f++) {
		if (f->class == FIELD_KEY || f->class == FIELD_STAMP ||
		    !tables_has(f) || field_equal(f, before, now))
			continue;
		record = f->class == FIELD_IDENTITY ? JOURNAL_ASSET :
		    JOURNAL_STATE;
		if (journal_field(&w->journal, record, id, ABSENT, f, now,
		    now->time) != 0)
			return -1;
	}
	return 0;
}

static int
apply_counter(struct work *w, int64_t asset, const struct counter *change,
    int64_t time)
{
	struct counter	now;
	int64_t		before = ABSENT;
	bool		found;
	int		rc = WORK_FAILED;

	if (change->name == NULL || change->name[0] == '\0')
		return refuse(w, "a counter has no name");
	if (negative(change->value))
		return refuse(w, "counter %s is negative", change->name);
	counter_init(&now);
	if (tables_counter_find(w->fleet, asset, change->name, &now,
	    &found) != 0)
		goto out;
	before = now.value;
	record_apply(counter_fields, &now, change);
	if (found || now.value != ABSENT) {
		if (tables_counter_put(w->fleet, asset, &now, time,
		    w->journal.received_at) != 0)
			goto out;
		if (now.value != before && journal_counter(&w->journal, asset,
		    &now, time) != 0)
			goto out;
	} else
		w->want_whole = true;
	rc = WORK_DONE;
out:
	counter_clear(&now);
	return rc;
}

static int
apply_counters(struct work *w, int64_t id, const struct asset *change)
{
	int64_t	time;
	size_t	i;
	int	rc;

	time = change->time == CLEARED ? ABSENT : change->time;
	for (i = 0; i < change->counters_len; i++)
		if ((rc = apply_counter(w, id, &change->counters[i],
		    time)) != WORK_DONE)
			return rc;
	return WORK_DONE;
}

static void
note_whole(struct work *w, int64_t id)
{
	w->whole = xreallocarray(w->whole, w->whole_len + 1, sizeof(id));
	w->whole[w->whole_len++] = id;
}

/* Identifiers are sent together when an asset is told whole, and only then. */
static bool
is_whole(const struct asset *a)
{
	return a->key != NULL && a->strength > 0 && a->state > 0 &&
	    (a->make != NULL || a->model != NULL);
}

static int
store_asset(struct work *w, struct tables_row *row,
    const struct asset *change, struct asset *before, struct asset *now)
{
	record_copy(asset_fields, now, before);
	record_apply(asset_fields, now, change);
	if (row->id != 0) {
		if (is_whole(change) && row->doubt == DOUBT_OPEN)
			note_whole(w, row->id);
		if (update(w, TABLES_ASSET, row, now) != 0)
			return -1;
	} else {
		if (!is_whole(change))
			w->want_whole = true;
		if (insert(w, TABLES_ASSET, row, w->agent, change->id,
		    now) != 0)
			return -1;
		log_debug("apply", "new asset %s %s", row->uuid,
		    now->model == NULL ? "" : log_safe(now->model));
	}
	return journal_changes(w, row->id, before, now);
}

static int
apply_asset(struct work *w, const struct asset *change)
{
	struct tables_row	row;
	struct asset		before, now;
	int			rc = WORK_FAILED;

	if (change->id == NULL || !uuid_valid(change->id))
		return refuse(w, "an asset has no id");
	asset_init(&before);
	asset_init(&now);
	if (identity_asset(w->fleet, w->agent, change->id, change, &row,
	    &before) != 0)
		goto out;
	if (row.id != 0 && row.owner != w->agent) {
		rc = refuse(w, "the asset belongs to another agent: %s",
		    change->id);
		goto out;
	}
	if (row.id != 0 && strcmp(row.uuid, change->id) != 0)
		note_same(w->answer, change->id, row.uuid);
	if (store_asset(w, &row, change, &before, &now) == 0)
		rc = apply_counters(w, row.id, change);
out:
	asset_clear(&before);
	asset_clear(&now);
	return rc;
}

static int
journal_consumable(struct work *w, int64_t asset, int64_t thing,
    const struct consumable *before, const struct consumable *now)
{
	const struct field	*f;
	bool			 level = false;

	for (f = consumable_fields; f->name != NULL; f++) {
		if (f->class == FIELD_KEY || !tables_has(f) ||
		    field_equal(f, before, now))
			continue;
		if (strcmp(f->name, "replaced") == 0) {
			if (!field_absent(f, now) && journal_replacement(
			    &w->journal, asset, thing, now) != 0)
				return -1;
		} else if (f->class == FIELD_IDENTITY ||
		    strcmp(f->name, "removed") == 0) {
			if (journal_field(&w->journal, JOURNAL_CONSUMABLE,
			    asset, thing, f, now, now->time) != 0)
				return -1;
		} else if (f->class != FIELD_STAMP)
			level = true;
	}
	if (!level)
		return 0;
	return journal_level(&w->journal, asset, thing, now);
}

static int
store_consumable(struct work *w, int64_t asset, struct tables_row *row,
    const struct consumable *change, struct consumable *before)
{
	struct consumable	now;
	int			rc = WORK_FAILED;

	consumable_init(&now);
	record_copy(consumable_fields, &now, before);
	if (row->doubt == DOUBT_LAPSED)
		now.removed = ABSENT;
	record_apply(consumable_fields, &now, change);
	if (row->id != 0 ? update(w, TABLES_CONSUMABLE, row, &now) != 0 :
	    insert(w, TABLES_CONSUMABLE, row, asset, change->id, &now) != 0)
		goto out;
	if (now.kind == ABSENT)
		w->want_whole = true;
	if (journal_consumable(w, asset, row->id, before, &now) == 0)
		rc = WORK_DONE;
out:
	consumable_clear(&now);
	return rc;
}

static int
apply_consumable(struct work *w, const struct consumable *change)
{
	struct tables_row	asset, row;
	struct consumable	before;
	int			rc;

	if (change->id == NULL || !uuid_valid(change->id) ||
	    change->asset == NULL)
		return refuse(w, "a consumable has no id or no asset");
	if (negative(change->percent) || change->percent > 100 ||
	    negative(change->pages))
		return refuse(w, "consumable %s makes no sense", change->id);
	if ((rc = owner_of(w, change->asset, &asset)) != WORK_DONE)
		return rc;
	consumable_init(&before);
	if (identity_consumable(w->fleet, w->agent, asset.id, change, &row,
	    &before) != 0)
		rc = WORK_FAILED;
	else if (row.id != 0 && row.owner != asset.id)
		rc = refuse(w, "the consumable belongs to another asset: %s",
		    change->id);
	else
		rc = store_consumable(w, asset.id, &row, change, &before);
	consumable_clear(&before);
	return rc;
}

static bool
alert_differs(const struct alert *before, const struct alert *now)
{
	const struct field	*f;

	for (f = alert_fields; f->name != NULL; f++)
		if (tables_has(f) && f->class != FIELD_KEY &&
		    f->class != FIELD_STAMP &&
		    strcmp(f->name, "raised") != 0 &&
		    strcmp(f->name, "cleared") != 0 &&
		    !field_equal(f, before, now))
			return true;
	return false;
}

static int
journal_alert_changes(struct work *w, int64_t asset, int64_t thing, bool fresh,
    bool lapsed, const struct alert *before, const struct alert *now)
{
	const struct journal	*j = &w->journal;

	if (fresh && journal_alert(j, asset, thing, "raised", now,
	    now->raised) != 0)
		return -1;
	if (lapsed && now->cleared == ABSENT && journal_alert(j, asset, thing,
	    "reopened", now, ABSENT) != 0)
		return -1;
	if (!fresh && alert_differs(before, now) && journal_alert(j, asset,
	    thing, "changed", now, ABSENT) != 0)
		return -1;
	if (now->cleared != ABSENT && now->cleared != before->cleared &&
	    journal_alert(j, asset, thing, "cleared", now, now->cleared) != 0)
		return -1;
	return 0;
}

static int
store_alert(struct work *w, int64_t asset, struct tables_row *row,
    const struct alert *change, struct alert *before)
{
	struct alert	now;
	bool		fresh, lapsed;
	int		rc = WORK_FAILED;

	fresh = row->id == 0;
	lapsed = row->doubt == DOUBT_LAPSED;
	alert_init(&now);
	record_copy(alert_fields, &now, before);
	if (lapsed)
		now.cleared = ABSENT;
	record_apply(alert_fields, &now, change);
	if (fresh ? insert(w, TABLES_ALERT, row, asset, change->id, &now) :
	    update(w, TABLES_ALERT, row, &now))
		goto out;
	if (now.code == ABSENT)
		w->want_whole = true;
	if (journal_alert_changes(w, asset, row->id, fresh, lapsed, before,
	    &now) == 0)
		rc = WORK_DONE;
out:
	alert_clear(&now);
	return rc;
}

static int
apply_alert(struct work *w, const struct alert *change)
{
	struct tables_row	asset, row;
	struct alert		before;
	int			rc;

	if (change->id == NULL || !uuid_valid(change->id) ||
	    change->asset == NULL)
		return refuse(w, "an alert has no id or no asset");
	if (negative(change->pages))
		return refuse(w, "alert %s makes no sense", change->id);
	if ((rc = owner_of(w, change->asset, &asset)) != WORK_DONE)
		return rc;
	alert_init(&before);
	if (identity_alert(w->fleet, w->agent, asset.id, change, &row,
	    &before) != 0)
		rc = WORK_FAILED;
	else if (row.id != 0 && row.owner != asset.id)
		rc = refuse(w, "the alert belongs to another asset: %s",
		    change->id);
	else
		rc = store_alert(w, asset.id, &row, change, &before);
	alert_clear(&before);
	return rc;
}

static int
apply_agent(struct work *w, const struct agent *change)
{
	struct agent	now;
	int		rc = WORK_FAILED;

	if (negative(change->uptime) || negative(change->queue_depth) ||
	    negative(change->online) || negative(change->asleep) ||
	    negative(change->unreachable))
		return refuse(w, "the agent's own record makes no sense");
	agent_init(&now);
	if (tables_agent_find(w->fleet, w->agent, &now) == 0) {
		record_apply(agent_fields, &now, change);
		if (tables_agent_put(w->fleet, w->agent, &now,
		    w->journal.received_at) == 0)
			rc = WORK_DONE;
	}
	agent_clear(&now);
	return rc;
}

/* What was open in an asset that is told whole, and is not mentioned. */
static int
lapse(struct work *w, int64_t asset)
{
	struct tables_row	row;
	struct consumable	c, before;
	struct alert		a;
	int64_t			id, now = w->journal.received_at;
	int			rc = 0;

	while (rc == 0 && (rc = fleet_int(w->fleet, &id, "SELECT id FROM "
	    "alert WHERE asset = ? AND doubt = 1 AND cleared IS NULL LIMIT 1",
	    "i", asset)) == 0 && id != ABSENT) {
		alert_init(&a);
		rc = tables_load(w->fleet, TABLES_ALERT, id, &row, &a);
		a.cleared = now;
		row.doubt = DOUBT_LAPSED;
		if (rc == 0 && (rc = tables_update(w->fleet, TABLES_ALERT,
		    &row, &a)) == 0)
			rc = journal_alert(&w->journal, asset, id, "lapsed",
			    &a, now);
		alert_clear(&a);
	}
	while (rc == 0 && (rc = fleet_int(w->fleet, &id, "SELECT id FROM "
	    "consumable WHERE asset = ? AND doubt = 1 AND removed IS NULL "
	    "LIMIT 1", "i", asset)) == 0 && id != ABSENT) {
		consumable_init(&c);
		consumable_init(&before);
		rc = tables_load(w->fleet, TABLES_CONSUMABLE, id, &row, &c);
		record_copy(consumable_fields, &before, &c);
		c.removed = now;
		row.doubt = DOUBT_LAPSED;
		if (rc == 0 && (rc = tables_update(w->fleet,
		    TABLES_CONSUMABLE, &row, &c)) == 0)
			rc = journal_consumable(w, asset, id, &before, &c);
		consumable_clear(&c);
		consumable_clear(&before);
	}
	return rc;
}

static int
apply_records(struct work *w, const struct report *report)
{
	size_t	i;
	int	rc = WORK_DONE;

	for (i = 0; i < report->assets_len && rc == WORK_DONE; i++)
		rc = apply_asset(w, &report->assets[i]);
	for (i = 0; i < report->consumables_len && rc == WORK_DONE; i++)
		rc = apply_consumable(w, &report->consumables[i]);
	for (i = 0; i < report->alerts_len && rc == WORK_DONE; i++)
		rc = apply_alert(w, &report->alerts[i]);
	for (i = 0; i < report->agents_len && rc == WORK_DONE; i++)
		rc = apply_agent(w, &report->agents[i]);
	for (i = 0; i < w->whole_len && rc == WORK_DONE; i++)
		rc = lapse(w, w->whole[i]);
	return rc;
}

/*
 * The savepoint holds what the records do, so that a bad report leaves its
 * neighbours in the transaction alone; the seq is consumed either way.
 */
static int
take(struct work *w, const struct epoch *epoch, const char *xml, size_t len)
{
	struct report	report;
	int64_t		seq = w->answer->seq, now = w->journal.received_at;
	int		rc;

	if (fleet_do(w->fleet, "SAVEPOINT report", "") != 0)
		return -1;
	report_init(&report);
	if (report_read(xml, len, &report, w->answer->reason,
	    sizeof(w->answer->reason)) == 0)
		rc = apply_records(w, &report);
	else
		rc = WORK_REFUSED;
	report_clear(&report);
	if (rc == WORK_FAILED)
		return -1;
	/* It may quote the report: well-formed again, however it was cut. */
	if (rc == WORK_REFUSED)
		snprintf(w->answer->reason, sizeof(w->answer->reason), "%s",
		    log_safe(w->answer->reason));
	if (rc == WORK_REFUSED && (fleet_do(w->fleet, "ROLLBACK TO report",
	    "") != 0 || epoch_refuse(w->fleet, epoch, seq, w->answer->reason,
	    now) != 0))
		return -1;
	if (w->want_whole && epoch_want_whole(w->fleet, w->agent) != 0)
		return -1;
	if (epoch_advance(w->fleet, epoch, seq, now) != 0 ||
	    fleet_do(w->fleet, "RELEASE report", "") != 0)
		return -1;
	w->answer->verdict = rc == WORK_DONE ? APPLY_DONE : APPLY_REFUSED;
	return 0;
}

static int
seen(struct fleet *fleet, const struct epoch *epoch, int64_t seq,
    struct apply_answer *answer)
{
	if (epoch_refused(fleet, epoch, seq, answer->reason,
	    sizeof(answer->reason)) != 0)
		return -1;
	answer->verdict = answer->reason[0] == '\0' ? APPLY_SEEN :
	    APPLY_REFUSED;
	return 0;
}

void
apply_report(struct fleet *fleet, int64_t agent, const char *uuid,
    int64_t seq, const char *xml, size_t len, int64_t now_ms,
    struct apply_answer *answer)
{
	struct work	w = { .fleet = fleet, .agent = agent,
			    .answer = answer };
	struct epoch	epoch;

	memset(answer, 0, sizeof(*answer));
	answer->seq = seq;
	answer->verdict = APPLY_FAILED;
	if (epoch_find(fleet, agent, uuid, &epoch) != 0)
		return;
	if (seq <= epoch.last_seq) {
		if (seen(fleet, &epoch, seq, answer) != 0)
			answer->verdict = APPLY_FAILED;
		return;
	}
	if (seq > epoch.last_seq + 1) {
		answer->verdict = APPLY_AGAIN;
		answer->seq = epoch.last_seq;
		return;
	}
	if (epoch_enter(fleet, agent, uuid, &epoch, now_ms) != 0)
		return;
	w.journal = (struct journal){ .fleet = fleet, .epoch = epoch.id,
	    .seq = seq, .received_at = now_ms };
	if (take(&w, &epoch, xml, len) != 0)
		answer->verdict = APPLY_FAILED;
	if (answer->verdict != APPLY_DONE)
		apply_answer_clear(answer);
	free(w.whole);
}

void
apply_answer_clear(struct apply_answer *answer)
{
	free(answer->same);
	answer->same = NULL;
	answer->same_len = 0;
}
