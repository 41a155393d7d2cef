#include "agent/change_supplies.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "schema/field.h"

#define RISE_MIN	15	/* percent points, printers.md 5 */
#define RISE_TO		50
#define LEVEL_UNKNOWN	(-2)	/* RFC 3805 prtMarkerSuppliesLevel */
#define LEVEL_SOME	(-3)
#define AT_ONCE		(1u << FIELD_KEY | 1u << FIELD_IDENTITY | \
			 1u << FIELD_STATE)

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

void
change_supplies_find(const struct report *told, struct printer *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct consumable *consumable;
	bool levels, held, any_held = false;
	size_t i, before;

	levels = change_may_tell(state->levels_ms, policy->levels_ms,
	    now_ms);
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
