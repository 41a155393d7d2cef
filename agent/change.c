#include "agent/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

#define SEVERITY_UNARY	4	/* warning: an event, RFC 3805 */
#define RISE_MIN	15	/* percent points, printers.md 5 */
#define RISE_TO		50
/* A time that is computed from ticks differs a little at every look. */
#define RAISED_SLACK_MS	2000
#define AT_ONCE		(1u << FIELD_KEY | 1u << FIELD_IDENTITY | \
			 1u << FIELD_STATE)

void
change_init(struct change *c)
{
	memset(c, 0, sizeof(*c));
	report_init(&c->event);
	report_init(&c->detail);
	report_init(&c->told);
}

void
change_clear(struct change *c)
{
	size_t i;

	report_clear(&c->event);
	report_clear(&c->detail);
	report_clear(&c->told);
	for (i = 0; i < c->forget_len; i++)
		free(c->forget[i]);
	free(c->forget);
	change_init(c);
}

static bool
report_any(const struct report *r)
{
	return r->assets_len + r->consumables_len + r->alerts_len +
	    r->agents_len > 0;
}

bool
change_any(const struct change *c)
{
	return report_any(&c->event) || report_any(&c->detail) ||
	    report_any(&c->told) || c->forget_len > 0;
}

static void
forget(struct change *out, const char *id)
{
	out->forget = xreallocarray(out->forget, out->forget_len + 1,
	    sizeof(*out->forget));
	out->forget[out->forget_len++] = xstrdup(id);
}

/* When a reading of this kind may be told again. */
static bool
may_tell(int64_t last_ms, int64_t interval_ms, int64_t now_ms)
{
	/* A clock that was set back must not silence us for hours. */
	return last_ms == 0 || now_ms >= last_ms + interval_ms ||
	    now_ms < last_ms - interval_ms;
}

static void
hold_back(struct change *out, int64_t due_ms)
{
	if (out->due_ms == 0 || due_ms < out->due_ms)
		out->due_ms = due_ms;
}

/* --- the asset -------------------------------------------------------------- */

/*
 * A counter keeps its source for life: another OID is another series, so as
 * long as model and firmware stay the value is not taken (printers.md 6).
 */
static bool
source_changed(const struct asset *before, const struct asset *now,
    const struct counter *old, const struct counter *counter)
{
	return strcmp_null(old->oid, counter->oid) != 0 &&
	    strcmp_null(before->model, now->model) == 0 &&
	    strcmp_null(before->firmware, now->firmware) == 0;
}

static bool
counter_differs(const struct counter *a, const struct counter *b)
{
	return a->value != b->value || a->unit != b->unit ||
	    a->check != b->check || strcmp_null(a->oid, b->oid) != 0;
}

static void
copy_counter(struct asset *to, const struct counter *from)
{
	struct counter *c;

	if ((c = asset_counter(to, from->name)) == NULL &&
	    (c = asset_counter_add(to, from->name)) == NULL)
		return;
	record_copy(counter_fields, c, from);
}

/* Counters into change (may be NULL: just ask) and the told asset. Returns
 * how many are new in value or source. */
static size_t
find_counters(const struct asset *before, const struct asset *now,
    struct asset *change, struct asset *told)
{
	const struct counter *counter, *old;
	size_t i, n = 0;

	for (i = 0; i < now->counters_len; i++) {
		counter = &now->counters[i];
		old = before == NULL ? NULL :
		    asset_counter(before, counter->name);
		if (old != NULL && (!counter_differs(old, counter) ||
		    source_changed(before, now, old, counter)))
			continue;
		n++;
		if (change != NULL) {
			copy_counter(change, counter);
			copy_counter(told, counter);
		}
	}
	return n;
}

/* A whole copy of what was told, or of nothing. */
static void
start_told(struct asset *told, const struct asset *before)
{
	size_t i;

	if (before == NULL)
		return;
	record_copy(asset_fields, told, before);
	for (i = 0; i < before->counters_len; i++)
		copy_counter(told, &before->counters[i]);
}

static void
find_asset(const struct asset *before, const struct asset *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct asset empty, partial, told;
	bool counters;
	int fields;

	asset_init(&empty);
	asset_init(&partial);
	asset_init(&told);
	fields = record_diff(asset_fields, before == NULL ? &empty : before,
	    now, AT_ONCE, &partial);
	counters = find_counters(before, now, NULL, NULL) > 0;
	if (counters && before != NULL &&
	    !may_tell(state->counters_ms, policy->counters_ms, now_ms)) {
		hold_back(out, state->counters_ms + policy->counters_ms);
		counters = false;
	}
	if (fields == 0 && !counters)
		goto out;
	start_told(&told, before);
	record_apply(asset_fields, &told, &partial);
	field_set_text(field_find(asset_fields, "id"), &partial, now->id);
	field_set_text(field_find(asset_fields, "id"), &told, now->id);
	partial.time = now_ms;
	told.time = now_ms;
	if (counters) {
		(void)find_counters(before, now, &partial, &told);
		state->counters_ms = now_ms;
	}
	*report_asset(fields > 0 ? &out->event : &out->detail) = partial;
	*report_asset(&out->told) = told;
	return;
out:
	asset_clear(&partial);
	asset_clear(&told);
}

/* --- consumables ------------------------------------------------------------- */

static const struct consumable *
told_consumable(const struct report *told, int64_t index)
{
	size_t i;

	for (i = 0; i < told->consumables_len; i++)
		if (told->consumables[i].index == index)
			return &told->consumables[i];
	return NULL;
}

static struct change_suspect *
suspect_of(struct change_suspects *suspects, int64_t index)
{
	size_t i;

	for (i = 0; i < CHANGE_SUSPECTS; i++)
		if (suspects->one[i].used && suspects->one[i].index == index)
			return &suspects->one[i];
	return NULL;
}

/* False when there are too many already. */
static bool
suspect_add(struct change_suspects *suspects, int64_t index)
{
	size_t i;

	for (i = 0; i < CHANGE_SUSPECTS; i++)
		if (!suspects->one[i].used) {
			suspects->one[i].used = true;
			suspects->one[i].index = index;
			return true;
		}
	return false;
}

/* The level rose as only a new cartridge makes it (printers.md 5).  Unknown
 * never counts. */
static bool
level_rose(const struct consumable *before, const struct consumable *now)
{
	if (before->percent >= 0 && now->percent >= 0)
		return now->percent >= before->percent + RISE_MIN &&
		    now->percent >= RISE_TO;
	/* Pages left without a capacity: from low or empty to more. */
	return (before->state == SUPPLY_EMPTY || before->state == SUPPLY_LOW)
	    && before->level >= 0 && now->level > before->level &&
	    now->state == SUPPLY_OK;
}

enum verdict { SAME, MAYBE, REPLACED };

static enum verdict
judge(const struct consumable *before, const struct consumable *now,
    struct change_state *state, bool levels_read)
{
	struct change_suspect *suspect;

	suspect = suspect_of(state->suspects, now->index);
	if (before->serial != NULL && now->serial != NULL) {
		if (suspect != NULL)
			suspect->used = false;
		return strcmp(before->serial, now->serial) == 0 ? SAME :
		    REPLACED;
	}
	if (!level_rose(before, now)) {
		if (suspect != NULL)
			suspect->used = false;
		return SAME;
	}
	if (suspect != NULL) {
		if (!levels_read)
			return MAYBE;
		suspect->used = false;
		return REPLACED;
	}
	return suspect_add(state->suspects, now->index) ? MAYBE : REPLACED;
}

static void
take_consumable(struct report *to, struct consumable *partial,
    const struct consumable *now)
{
	partial->time = now->time;
	partial->pages = now->pages;
	*report_consumable(to) = *partial;
}

static void
find_consumable(const struct consumable *before, struct consumable *now,
    struct change_state *state, const struct change_policy *policy,
    bool levels, struct change *out, bool *held)
{
	struct consumable empty, partial, *told;
	enum verdict verdict = SAME;
	int urgent, all;

	consumable_init(&empty);
	consumable_init(&partial);
	if (before != NULL) {
		free(now->id);
		now->id = xstrdup(before->id);
		now->replaced = before->replaced;
		verdict = judge(before, now, state,
		    policy->levels_read);
		if (verdict == REPLACED)
			now->replaced = now->time;
		if (verdict == MAYBE) {
			/* Nothing of it is told until the second reading. */
			out->again = true;
			return;
		}
	} else {
		char id[UUID_TEXT_MAX];

		uuid_make(id);
		free(now->id);
		now->id = xstrdup(id);
	}
	urgent = record_diff(consumable_fields, before == NULL ? &empty :
	    before, now, AT_ONCE, &partial);
	consumable_clear(&partial);
	all = record_diff(consumable_fields, before == NULL ? &empty : before,
	    now, AT_ONCE | 1u << FIELD_READING, &partial);
	if (all == 0 || (urgent == 0 && !levels)) {
		*held = all > 0;
		consumable_clear(&partial);
		return;
	}
	/* What goes at once takes its level with it: a state without its
	 * level would be half the truth. */
	told = report_consumable(&out->told);
	record_copy(consumable_fields, told, now);
	take_consumable(urgent > 0 ? &out->event : &out->detail, &partial,
	    now);
}

static void
gone_consumables(const struct report *told, const struct printer *now,
    int64_t now_ms, struct change *out)
{
	struct consumable *removed;
	size_t i, j;

	for (i = 0; i < told->consumables_len; i++) {
		for (j = 0; j < now->consumables_len; j++)
			if (now->consumables[j].index ==
			    told->consumables[i].index)
				break;
		if (j < now->consumables_len)
			continue;
		removed = report_consumable(&out->event);
		removed->id = xstrdup(told->consumables[i].id);
		removed->asset = xstrdup(told->consumables[i].asset);
		removed->index = told->consumables[i].index;
		removed->removed = now_ms;
		removed->time = now_ms;
		forget(out, removed->id);
	}
}

static void
find_consumables(const struct report *told, struct printer *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct consumable *consumable;
	bool levels, held, any_held = false;
	size_t i, before;

	levels = may_tell(state->levels_ms, policy->levels_ms, now_ms);
	before = out->detail.consumables_len;
	for (i = 0; i < now->consumables_len; i++) {
		consumable = &now->consumables[i];
		free(consumable->asset);
		consumable->asset = xstrdup(now->asset.id);
		consumable->time = now_ms;
		consumable->pages = now->total_pages;
		held = false;
		find_consumable(told_consumable(told, consumable->index),
		    consumable, state, policy, levels, out, &held);
		any_held |= held;
	}
	/* The first time they are told counts, too. */
	if (out->detail.consumables_len > before ||
	    (told->consumables_len == 0 && now->consumables_len > 0))
		state->levels_ms = now_ms;
	if (any_held && !levels)
		hold_back(out, state->levels_ms + policy->levels_ms);
	gone_consumables(told, now, now_ms, out);
}

/* --- alerts ------------------------------------------------------------------ */

/*
 * One alert stays itself while group, row and code stay: its index starts
 * anew with the printer, its text changes with the language (printers.md 7).
 * But indexes only grow while a printer runs, so a higher one that was raised
 * later is the same trouble again, gone and come back between two looks.
 */
static bool
same_alert(const struct alert *before, const struct alert *now)
{
	if (before->group != now->group ||
	    before->group_index != now->group_index ||
	    before->code != now->code ||
	    strcmp_null(before->vendor_code, now->vendor_code) != 0)
		return false;
	return now->index <= before->index || now->raised == ABSENT ||
	    now->raised <= before->raised + RAISED_SLACK_MS;
}

static bool
over_age(const struct alert *alert, int64_t now_ms)
{
	return alert->severity == SEVERITY_UNARY && alert->raised > 0 &&
	    now_ms - alert->raised > CHANGE_UNARY_MS;
}

static void
raise_alert(struct alert *now, const char *asset, int64_t pages,
    int64_t now_ms, struct change *out)
{
	char id[UUID_TEXT_MAX];

	uuid_make(id);
	free(now->id);
	now->id = xstrdup(id);
	free(now->asset);
	now->asset = xstrdup(asset);
	now->pages = pages;
	if (now->raised == ABSENT || now->raised > now_ms)
		now->raised = now_ms;
	now->cleared = over_age(now, now_ms) ? now->raised : ABSENT;
	record_copy(alert_fields, report_alert(&out->event), now);
	record_copy(alert_fields, report_alert(&out->told), now);
}

static void
clear_alert(const struct alert *before, int64_t now_ms, struct change *out)
{
	struct alert *cleared;

	cleared = report_alert(&out->event);
	cleared->id = xstrdup(before->id);
	cleared->asset = xstrdup(before->asset);
	cleared->cleared = now_ms;
}

/* Severity and words may change while it stands. */
static void
go_on_alert(const struct alert *before, struct alert *now, int64_t now_ms,
    struct change *out)
{
	struct alert partial, *told;

	free(now->id);
	now->id = xstrdup(before->id);
	free(now->asset);
	now->asset = xstrdup(before->asset);
	now->raised = before->raised;
	now->cleared = before->cleared;
	now->pages = before->pages;
	now->index = before->index;
	now->time_ticks = before->time_ticks;
	if (before->cleared == ABSENT && over_age(before, now_ms)) {
		now->cleared = now_ms;
		clear_alert(before, now_ms, out);
		record_copy(alert_fields, report_alert(&out->told), now);
		return;
	}
	alert_init(&partial);
	if (record_diff(alert_fields, before, now, AT_ONCE, &partial) == 0) {
		alert_clear(&partial);
		return;
	}
	told = report_alert(&out->told);
	record_copy(alert_fields, told, now);
	*report_alert(&out->event) = partial;
}

static void
find_alerts(const struct report *told, struct printer *now, int64_t now_ms,
    struct change *out)
{
	bool *matched;
	size_t i, j;

	matched = xcalloc(told->alerts_len + 1, sizeof(*matched));
	for (i = 0; i < now->alerts_len; i++) {
		for (j = 0; j < told->alerts_len; j++)
			if (!matched[j] && same_alert(&told->alerts[j],
			    &now->alerts[i]))
				break;
		if (j < told->alerts_len) {
			matched[j] = true;
			go_on_alert(&told->alerts[j], &now->alerts[i],
			    now_ms, out);
		} else
			raise_alert(&now->alerts[i], now->asset.id,
			    now->total_pages, now_ms, out);
	}
	for (j = 0; j < told->alerts_len; j++) {
		if (matched[j])
			continue;
		if (told->alerts[j].cleared == ABSENT)
			clear_alert(&told->alerts[j], now_ms, out);
		forget(out, told->alerts[j].id);
	}
	free(matched);
}

/* --- the whole ---------------------------------------------------------------- */

void
change_find(const struct report *told, struct printer *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	find_asset(told->assets_len > 0 ? &told->assets[0] : NULL,
	    &now->asset, state, policy, now_ms, out);
	find_consumables(told, now, state, policy, now_ms, out);
	find_alerts(told, now, now_ms, out);
}

void
change_unreachable(const struct report *told, int64_t now_ms,
    struct change *out)
{
	struct asset *partial, *now;

	if (told->assets_len == 0 ||
	    told->assets[0].state == ASSET_UNREACHABLE)
		return;
	partial = report_asset(&out->event);
	partial->id = xstrdup(told->assets[0].id);
	partial->state = ASSET_UNREACHABLE;
	partial->time = now_ms;
	now = report_asset(&out->told);
	start_told(now, &told->assets[0]);
	now->state = ASSET_UNREACHABLE;
	now->time = now_ms;
}
