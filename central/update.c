#include "central/update.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/identity.h"
#include "central/tables.h"

static int	refuse(struct update *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static int
refuse(struct update *u, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(u->reason, sizeof(u->reason), fmt, ap);
	va_end(ap);
	return UPDATE_REFUSED;
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
	if (answer->same_len == APPLY_SAME_MOST)
		return;
	answer->same = xreallocarray(answer->same, answer->same_len + 1,
	    sizeof(*answer->same));
	same = &answer->same[answer->same_len++];
	snprintf(same->id, sizeof(same->id), "%s", id);
	snprintf(same->known, sizeof(same->known), "%s", known);
}

/*
 * Whether something newer of that kind is known already: a lane that is sent
 * first overtakes the other.  In another epoch there is nothing to compare.
 */
static bool
is_late(const struct update *u, const struct tables_told *told)
{
	return told->epoch == u->journal.epoch && told->turn != ABSENT &&
	    told->turn > u->journal.turn;
}

static struct tables_told
told_now(const struct update *u)
{
	return (struct tables_told){ .epoch = u->journal.epoch,
	    .turn = u->journal.turn };
}

static int
insert(struct update *u, enum tables_thing kind, struct tables_row *row,
    int64_t owner, const char *uuid, const void *record)
{
	row->owner = owner;
	row->doubt = DOUBT_NONE;
	row->received_at = u->journal.received_at;
	row->told = told_now(u);
	snprintf(row->uuid, sizeof(row->uuid), "%s", uuid);
	return tables_insert(u->fleet, kind, row, record);
}

static int
update(struct update *u, enum tables_thing kind, struct tables_row *row,
    const void *record)
{
	row->doubt = DOUBT_NONE;
	row->received_at = u->journal.received_at;
	return tables_update(u->fleet, kind, row, record);
}

/*
 * The asset that a consumable or an alert is of.  Its identity may be one
 * that we know by another UUID; being another agent's, or nobody's, is
 * refused.
 */
static int
owner_of(struct update *u, const char *uuid, struct tables_row *row)
{
	struct asset	asset;
	int		rc;

	asset_init(&asset);
	rc = identity_asset(u->fleet, u->agent, uuid, NULL, row, &asset);
	asset_clear(&asset);
	if (rc != 0)
		return UPDATE_FAILED;
	if (row->id == 0) {
		u->want_whole = true;
		return refuse(u, "no such asset: %s", uuid);
	}
	if (row->owner != u->agent)
		return refuse(u, "the asset belongs to another agent: %s",
		    uuid);
	return UPDATE_DONE;
}

static int
journal_changes(struct update *u, int64_t id, const struct asset *before,
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
		if (journal_field(&u->journal, record, id, ABSENT, f, now,
		    now->time) != 0)
			return -1;
	}
	return 0;
}

static int
apply_counter(struct update *u, int64_t asset, const struct counter *change,
    int64_t time)
{
	struct counter		now, before;
	struct tables_told	told;
	bool			found;
	int			rc = UPDATE_FAILED;

	if (change->name == NULL || change->name[0] == '\0')
		return refuse(u, "a counter has no name");
	if (negative(change->value))
		return refuse(u, "counter %s is negative", change->name);
	if (negative(change->epoch))
		return refuse(u, "counter %s has no such epoch",
		    change->name);
	counter_init(&now);
	counter_init(&before);
	if (tables_counter_find(u->fleet, asset, change->name, &now, &told,
	    &found) != 0)
		goto out;
	if (found && is_late(u, &told)) {
		if (change->value == ABSENT || journal_counter(&u->journal,
		    asset, change, NULL, time) == 0)
			rc = UPDATE_DONE;
		goto out;
	}
	told = told_now(u);
	record_copy(counter_fields, &before, &now);
	record_apply(counter_fields, &now, change);
	if (found || now.value != ABSENT) {
		if (tables_counter_put(u->fleet, asset, &now, &told, time,
		    u->journal.received_at) != 0)
			goto out;
		if ((now.value != before.value || now.epoch != before.epoch)
		    && journal_counter(&u->journal, asset, &now,
		    found ? &before : NULL, time) != 0)
			goto out;
	} else
		u->want_whole = true;
	rc = UPDATE_DONE;
out:
	counter_clear(&before);
	counter_clear(&now);
	return rc;
}

static int
apply_counters(struct update *u, int64_t id, const struct asset *change)
{
	int64_t	time;
	size_t	i;
	int	rc;

	time = change->time == CLEARED ? ABSENT : change->time;
	for (i = 0; i < change->counters_len; i++)
		if ((rc = apply_counter(u, id, &change->counters[i],
		    time)) != UPDATE_DONE)
			return rc;
	return UPDATE_DONE;
}

static void
note_whole(struct update *u, int64_t id)
{
	u->whole = xreallocarray(u->whole, u->whole_len + 1, sizeof(id));
	u->whole[u->whole_len++] = id;
}

/* Identifiers are sent together when an asset is told whole, and only then. */
static bool
is_whole(const struct asset *a)
{
	return a->key != NULL && a->strength > 0 && a->state > 0 &&
	    (a->make != NULL || a->model != NULL);
}

static int
store_asset(struct update *u, struct tables_row *row,
    const struct asset *change, struct asset *before, struct asset *now)
{
	record_copy(asset_fields, now, before);
	record_apply(asset_fields, now, change);
	if (row->id != 0 && is_late(u, &row->told))
		now->time = before->time;
	else
		row->told = told_now(u);
	if (row->id != 0) {
		if (is_whole(change) && row->doubt == DOUBT_OPEN)
			note_whole(u, row->id);
		if (update(u, TABLES_ASSET, row, now) != 0)
			return -1;
	} else {
		if (!is_whole(change))
			u->want_whole = true;
		if (insert(u, TABLES_ASSET, row, u->agent, change->id,
		    now) != 0)
			return -1;
		log_debug("apply", "new asset %s %s", row->uuid,
		    now->model == NULL ? "" : log_safe(now->model));
	}
	return journal_changes(u, row->id, before, now);
}

int
update_asset(struct update *u, const struct asset *change)
{
	struct tables_row	row;
	struct asset		before, now;
	int			rc = UPDATE_FAILED;

	if (change->id == NULL || !uuid_valid(change->id))
		return refuse(u, "an asset has no id");
	asset_init(&before);
	asset_init(&now);
	if (identity_asset(u->fleet, u->agent, change->id, change, &row,
	    &before) != 0)
		goto out;
	if (row.id != 0 && row.owner != u->agent) {
		rc = refuse(u, "the asset belongs to another agent: %s",
		    change->id);
		goto out;
	}
	if (row.id != 0 && strcmp(row.uuid, change->id) != 0)
		note_same(u->answer, change->id, row.uuid);
	if (store_asset(u, &row, change, &before, &now) == 0)
		rc = apply_counters(u, row.id, change);
out:
	asset_clear(&before);
	asset_clear(&now);
	return rc;
}

static int
journal_consumable(struct update *u, int64_t asset, int64_t thing,
    const struct consumable *before, const struct consumable *now)
{
	const struct field	*f;
	bool			 level = false;

	for (f = consumable_fields; f->name != NULL; f++) {
		if (f->class == FIELD_KEY || !tables_has(f) ||
		    field_equal(f, before, now))
			continue;
		if (strcmp(f->name, "replaced") == 0) {
			if (field_absent(f, now))
				continue;
			if (journal_replacement(&u->journal, asset, thing,
			    now) != 0)
				return -1;
			/* The new one's level, even where what it overtakes
			 * leaves us with the same. */
			level |= now->level != ABSENT;
		} else if (f->class == FIELD_IDENTITY ||
		    strcmp(f->name, "removed") == 0) {
			if (journal_field(&u->journal, JOURNAL_CONSUMABLE,
			    asset, thing, f, now, now->time) != 0)
				return -1;
		} else if (f->class != FIELD_STAMP)
			level = true;
	}
	if (!level)
		return 0;
	return journal_level(&u->journal, asset, thing, now);
}

static bool
is_reading(const struct consumable *change)
{
	const struct field	*f;

	for (f = consumable_fields; f->name != NULL; f++)
		if (f->class == FIELD_READING && !field_absent(f, change))
			return true;
	return false;
}

/* A reading that newer ones have overtaken belongs to the history, and to
 * nothing else: now is as before again. */
static int
journal_late_level(struct update *u, int64_t asset, int64_t id,
    const struct consumable *before, const struct consumable *change,
    struct consumable *now)
{
	struct consumable	then;
	const struct field	*f;
	int			rc;

	consumable_init(&then);
	record_copy(consumable_fields, &then, now);
	if (change->state == ABSENT)
		then.state = ABSENT;
	rc = journal_level(&u->journal, asset, id, &then);
	consumable_clear(&then);
	for (f = consumable_fields; f->name != NULL; f++)
		if (f->class == FIELD_READING || f->class == FIELD_STAMP)
			field_set_int(f, now, field_int(f, before));
	return rc;
}

static int
store_consumable(struct update *u, int64_t asset, struct tables_row *row,
    const struct consumable *change, struct consumable *before)
{
	struct consumable	now;
	int			rc = UPDATE_FAILED;

	consumable_init(&now);
	record_copy(consumable_fields, &now, before);
	if (row->doubt == DOUBT_LAPSED)
		now.removed = ABSENT;
	record_apply(consumable_fields, &now, change);
	if (is_reading(change)) {
		if (row->id == 0 || !is_late(u, &row->told))
			row->told = told_now(u);
		else if (journal_late_level(u, asset, row->id, before, change,
		    &now) != 0)
			goto out;
	}
	/* Once: some supplies have neither, however often they are told. */
	if (row->id == 0 && now.kind == ABSENT && now.description == NULL)
		u->want_whole = true;
	if (row->id != 0 ? update(u, TABLES_CONSUMABLE, row, &now) != 0 :
	    insert(u, TABLES_CONSUMABLE, row, asset, change->id, &now) != 0)
		goto out;
	if (journal_consumable(u, asset, row->id, before, &now) == 0)
		rc = UPDATE_DONE;
out:
	consumable_clear(&now);
	return rc;
}

int
update_consumable(struct update *u, const struct consumable *change)
{
	struct tables_row	asset, row;
	struct consumable	before;
	int			rc;

	if (change->id == NULL || !uuid_valid(change->id) ||
	    change->asset == NULL)
		return refuse(u, "a consumable has no id or no asset");
	if (negative(change->percent) || change->percent > 100 ||
	    negative(change->pages))
		return refuse(u, "consumable %s makes no sense", change->id);
	if ((rc = owner_of(u, change->asset, &asset)) != UPDATE_DONE)
		return rc;
	consumable_init(&before);
	if (identity_consumable(u->fleet, u->agent, asset.id, change, &row,
	    &before) != 0)
		rc = UPDATE_FAILED;
	else if (row.id != 0 && row.owner != asset.id)
		rc = refuse(u, "the consumable belongs to another asset: %s",
		    change->id);
	else
		rc = store_consumable(u, asset.id, &row, change, &before);
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
journal_alert_changes(struct update *u, int64_t asset, int64_t thing,
    bool fresh, bool lapsed, const struct alert *before,
    const struct alert *now)
{
	const struct journal	*j = &u->journal;

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
store_alert(struct update *u, int64_t asset, struct tables_row *row,
    const struct alert *change, struct alert *before)
{
	struct alert	now;
	bool		fresh, lapsed;
	int		rc = UPDATE_FAILED;

	fresh = row->id == 0;
	lapsed = row->doubt == DOUBT_LAPSED;
	alert_init(&now);
	record_copy(alert_fields, &now, before);
	if (lapsed)
		now.cleared = ABSENT;
	record_apply(alert_fields, &now, change);
	if (fresh ? insert(u, TABLES_ALERT, row, asset, change->id, &now) :
	    update(u, TABLES_ALERT, row, &now))
		goto out;
	if (fresh && now.code == ABSENT && now.description == NULL)
		u->want_whole = true;
	if (journal_alert_changes(u, asset, row->id, fresh, lapsed, before,
	    &now) == 0)
		rc = UPDATE_DONE;
out:
	alert_clear(&now);
	return rc;
}

int
update_alert(struct update *u, const struct alert *change)
{
	struct tables_row	asset, row;
	struct alert		before;
	int			rc;

	if (change->id == NULL || !uuid_valid(change->id) ||
	    change->asset == NULL)
		return refuse(u, "an alert has no id or no asset");
	if (negative(change->pages))
		return refuse(u, "alert %s makes no sense", change->id);
	if ((rc = owner_of(u, change->asset, &asset)) != UPDATE_DONE)
		return rc;
	alert_init(&before);
	if (identity_alert(u->fleet, u->agent, asset.id, change, &row,
	    &before) != 0)
		rc = UPDATE_FAILED;
	else if (row.id != 0 && row.owner != asset.id)
		rc = refuse(u, "the alert belongs to another asset: %s",
		    change->id);
	else
		rc = store_alert(u, asset.id, &row, change, &before);
	alert_clear(&before);
	return rc;
}

int
update_agent(struct update *u, const struct agent *change)
{
	struct agent	now;
	int		rc = UPDATE_FAILED;

	if (negative(change->uptime) || negative(change->queue_depth) ||
	    negative(change->online) || negative(change->asleep) ||
	    negative(change->unreachable))
		return refuse(u, "the agent's own record makes no sense");
	agent_init(&now);
	if (tables_agent_find(u->fleet, u->agent, &now) == 0) {
		record_apply(agent_fields, &now, change);
		if (tables_agent_put(u->fleet, u->agent, &now,
		    u->journal.received_at) == 0)
			rc = UPDATE_DONE;
	}
	agent_clear(&now);
	return rc;
}

int
update_lapse(struct update *u, int64_t asset)
{
	struct tables_row	row;
	struct consumable	c, before;
	struct alert		a;
	int64_t			id, now = u->journal.received_at;
	int			rc = 0;

	while (rc == 0 && (rc = fleet_int(u->fleet, &id, "SELECT id FROM "
	    "alert WHERE asset = ? AND doubt = 1 AND cleared IS NULL LIMIT 1",
	    "i", asset)) == 0 && id != ABSENT) {
		alert_init(&a);
		rc = tables_load(u->fleet, TABLES_ALERT, id, &row, &a);
		a.cleared = now;
		row.doubt = DOUBT_LAPSED;
		if (rc == 0 && (rc = tables_update(u->fleet, TABLES_ALERT,
		    &row, &a)) == 0)
			rc = journal_alert(&u->journal, asset, id, "lapsed",
			    &a, now);
		alert_clear(&a);
	}
	while (rc == 0 && (rc = fleet_int(u->fleet, &id, "SELECT id FROM "
	    "consumable WHERE asset = ? AND doubt = 1 AND removed IS NULL "
	    "LIMIT 1", "i", asset)) == 0 && id != ABSENT) {
		consumable_init(&c);
		consumable_init(&before);
		rc = tables_load(u->fleet, TABLES_CONSUMABLE, id, &row, &c);
		record_copy(consumable_fields, &before, &c);
		c.removed = now;
		row.doubt = DOUBT_LAPSED;
		if (rc == 0 && (rc = tables_update(u->fleet,
		    TABLES_CONSUMABLE, &row, &c)) == 0)
			rc = journal_consumable(u, asset, id, &before, &c);
		consumable_clear(&c);
		consumable_clear(&before);
	}
	return rc;
}
