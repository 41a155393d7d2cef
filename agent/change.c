#include "agent/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/change_alerts.h"
#include "agent/change_counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

#define RISE_MIN	15	/* percent points, printers.md 5 */
#define RISE_TO		50
#define LEVEL_UNKNOWN	(-2)	/* RFC 3805 prtMarkerSuppliesLevel */
#define LEVEL_SOME	(-3)
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

void
change_forget(struct change *out, const char *id)
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

void
change_hold_back(struct change *out, int64_t due_ms)
{
	if (out->due_ms == 0 || due_ms < out->due_ms)
		out->due_ms = due_ms;
}

/* --- the asset -------------------------------------------------------------- */

/* A whole copy of what was told, or of nothing. */
static void
start_told(struct asset *told, const struct asset *before)
{
	if (before == NULL)
		return;
	record_copy(asset_fields, told, before);
	asset_copy_counters(told, before);
}

static void
tell_asset(const struct asset *before, const char *id, int64_t now_ms,
    struct asset *partial, const struct change_counters *counters,
    bool at_once, struct change *out)
{
	struct asset told;

	asset_init(&told);
	start_told(&told, before);
	record_apply(asset_fields, &told, partial);
	change_counters_put(partial, &counters->at_once);
	change_counters_put(partial, &counters->later);
	change_counters_put(&told, partial);
	field_set_text(field_find(asset_fields, "id"), partial, id);
	field_set_text(field_find(asset_fields, "id"), &told, id);
	partial->time = now_ms;
	told.time = now_ms;
	*report_asset(at_once ? &out->event : &out->detail) = *partial;
	*report_asset(&out->told) = told;
}

static void
find_asset(const struct asset *before, const struct asset *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct change_counters counters;
	struct asset empty, partial;
	bool at_once;

	asset_init(&empty);
	asset_init(&partial);
	change_counters_find(before, now, state->suspects, policy, now_ms,
	    &counters);
	if (counters.due_ms != 0)
		change_hold_back(out, counters.due_ms);
	at_once = record_diff(asset_fields, before == NULL ? &empty : before,
	    now, AT_ONCE, &partial) > 0 || counters.at_once.counters_len > 0;
	if (counters.later.counters_len > 0) {
		if (before == NULL ||
		    may_tell(state->counters_ms, policy->counters_ms, now_ms))
			state->counters_ms = now_ms;
		else {
			change_hold_back(out, state->counters_ms +
			    policy->counters_ms);
			asset_clear(&counters.later);
		}
	}
	if (at_once || counters.later.counters_len > 0)
		tell_asset(before, now->id, now_ms, &partial, &counters,
		    at_once, out);
	else
		asset_clear(&partial);
	change_counters_clear(&counters);
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

/* NULL when there are too many already. */
static struct change_suspect *
suspect_add(struct change_suspects *suspects, int64_t index)
{
	struct change_suspect *s;
	size_t i;

	for (i = 0; i < CHANGE_SUSPECTS; i++) {
		s = &suspects->one[i];
		if (s->used)
			continue;
		memset(s, 0, sizeof(*s));
		s->used = true;
		s->index = index;
		s->level = s->percent = ABSENT;
		return s;
	}
	return NULL;
}

/*
 * The level rose as only a new cartridge makes it (printers.md 5).  level and
 * percent are the last numbers before, if any.  Unknown never counts.
 */
static bool
level_rose(const struct consumable *before, int64_t level, int64_t percent,
    const struct consumable *now)
{
	if (percent >= 0 && now->percent >= 0)
		return now->percent >= percent + RISE_MIN &&
		    now->percent >= RISE_TO;
	if (before->unit != now->unit || now->state != SUPPLY_OK ||
	    now->level <= 0)
		return false;
	/* Pages left without a capacity: what said "low" says it no more. */
	switch (before->state) {
	case SUPPLY_EMPTY:
	case SUPPLY_LOW:
		return before->level != LEVEL_UNKNOWN && now->level > level;
	case SUPPLY_SOME:
		return level >= 0 && now->level > level;
	default:
		return false;
	}
}

/* Before it said no more than "some" it had been a number: asleep or between
 * two cartridges a printer may give -3 for a while, which proves nothing. */
static void
note_number(const struct consumable *before, const struct consumable *now,
    struct change_suspects *suspects)
{
	struct change_suspect *s = suspect_of(suspects, now->index);

	if (now->level != LEVEL_SOME || before->level < 0)
		return;
	if (s == NULL && (s = suspect_add(suspects, now->index)) == NULL)
		return;
	s->level = before->level;
	s->percent = before->percent;
}

enum verdict { SAME, MAYBE, REPLACED };

static enum verdict
judge(const struct consumable *before, const struct consumable *now,
    struct change_state *state, bool levels_read)
{
	struct change_suspect *s = suspect_of(state->suspects, now->index);
	int64_t level = before->level, percent = before->percent;

	if (before->serial != NULL && now->serial != NULL) {
		if (s != NULL)
			s->used = false;
		return strcmp(before->serial, now->serial) == 0 ? SAME :
		    REPLACED;
	}
	if (s != NULL && before->level == LEVEL_SOME) {
		level = s->level;
		percent = s->percent;
	}
	if (!level_rose(before, level, percent, now)) {
		if (s != NULL && (now->level != LEVEL_SOME ||
		    s->level == ABSENT))
			s->used = false;
		else if (s != NULL)
			s->looks_new = false;
		return SAME;
	}
	if (s != NULL && s->looks_new) {
		if (!levels_read)
			return MAYBE;
		s->used = false;
		return REPLACED;
	}
	if (s == NULL && (s = suspect_add(state->suspects,
	    now->index)) == NULL)
		return REPLACED;
	s->looks_new = true;
	return MAYBE;
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
		if (verdict == SAME)
			note_number(before, now, state->suspects);
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
		change_forget(out, removed->id);
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
		change_hold_back(out, state->levels_ms + policy->levels_ms);
	gone_consumables(told, now, now_ms, out);
}

/* --- the whole ---------------------------------------------------------------- */

void
change_find(const struct report *told, struct printer *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct change_suspects *memory = state->suspects;

	if (now->asset.id != NULL &&
	    strcmp(memory->asset, now->asset.id) != 0) {
		memset(memory, 0, sizeof(*memory));
		snprintf(memory->asset, sizeof(memory->asset), "%s",
		    now->asset.id);
	}
	find_asset(told->assets_len > 0 ? &told->assets[0] : NULL,
	    &now->asset, state, policy, now_ms, out);
	find_consumables(told, now, state, policy, now_ms, out);
	change_alerts_find(told, now, memory, policy->ignore, now_ms, out);
	memory->look_ms = now_ms;
	memory->uptime = now->uptime;
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
