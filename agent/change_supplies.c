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
#define SWAP_SLACK	3	/* points between two looks at one cartridge */
/* A printer that has just started may not know its supplies yet. */
#define BOOT_TICKS	(INT64_C(10) * 60 * 100)
#define STATUS_WARMUP	5	/* hrPrinterStatus */
/* Pages that come out although a supply is said to be missing show that this
 * is another one's trouble. */
#define DOUBT_PAGES	3
/* How long a row may be gone, and how long if a supply is said to be missing:
 * people take a cartridge out, shake it and put it back. */
#define GONE_MS		(INT64_C(30) * 60 * 1000)
#define MISSING_MS	(INT64_C(24) * 3600 * 1000)
/* Bits of hrPrinterDetectedErrorState: lowToner and noToner,
 * markerSupplyMissing. */
#define ERRORS_TONER	(1 << 2 | 1 << 3)
#define ERROR_MISSING	(1 << 10)

struct look {
	const struct report		*told;
	struct printer			*now;
	struct change_suspects		*memory;
	const struct change_policy	*policy;
	struct change			*out;
	bool				 levels;	/* may be told */
	bool				 held;		/* and were not */
	bool				 doubtful;	/* this moment is */
	bool				 doubted;	/* some row was */
};

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

/* In a free place, or that of one of which only a number is kept.  NULL when
 * all others look new as well. */
static struct change_suspect *
suspect_add(struct change_suspects *suspects, int64_t index)
{
	struct change_suspect *s = NULL;
	size_t i;

	for (i = 0; i < CHANGE_SUSPECTS; i++) {
		if (!suspects->one[i].used) {
			s = &suspects->one[i];
			break;
		}
		if (!suspects->one[i].looks_new)
			s = &suspects->one[i];
	}
	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->used = true;
	s->index = index;
	s->level = s->percent = ABSENT;
	return s;
}

/*
 * The level rose as only a new cartridge makes it (printers.md 5).  level and
 * percent are the last numbers before, if any.  Unknown never counts.
 */
static bool
level_rose(const struct consumable *before, int64_t level, int64_t percent,
    const struct consumable *now)
{
	/* Another unit is another way to count: other firmware. */
	if (before->unit != now->unit)
		return false;
	if (percent >= 0 && now->percent >= 0)
		return now->percent >= percent + RISE_MIN &&
		    now->percent >= RISE_TO;
	if (now->state != SUPPLY_OK || now->level <= 0)
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

/* --- two cartridges that changed places ---------------------------------------- */

static const struct consumable *
shown_consumable(const struct printer *now, int64_t index)
{
	size_t i;

	for (i = 0; i < now->consumables_len; i++)
		if (now->consumables[i].index == index)
			return &now->consumables[i];
	return NULL;
}

/* This serial was another row's, which has it no longer. */
static bool
serial_moved(const struct look *l, const struct consumable *now)
{
	const struct consumable *other, *there;
	size_t i;

	for (i = 0; i < l->told->consumables_len; i++) {
		other = &l->told->consumables[i];
		if (other->index == now->index ||
		    strcmp_null(other->serial, now->serial) != 0)
			continue;
		there = shown_consumable(l->now, other->index);
		if (there == NULL ||
		    strcmp_null(there->serial, now->serial) != 0)
			return true;
	}
	return false;
}

static bool
is_near(int64_t percent, int64_t other)
{
	return percent >= 0 && other >= 0 && percent - other <= SWAP_SLACK &&
	    other - percent <= SWAP_SLACK;
}

/* As far as this one rose, another of its kind and colour fell: two black
 * toners, say, without serials. */
static bool
levels_swapped(const struct look *l, int64_t percent,
    const struct consumable *now)
{
	const struct consumable *other, *before;
	size_t i;

	for (i = 0; i < l->now->consumables_len; i++) {
		other = &l->now->consumables[i];
		if (other->index == now->index || other->kind != now->kind ||
		    strcmp_null(other->colour, now->colour) != 0)
			continue;
		before = told_consumable(l->told, other->index);
		if (before != NULL && is_near(other->percent, percent) &&
		    is_near(before->percent, now->percent))
			return true;
	}
	return false;
}

/* --- replaced or not ----------------------------------------------------------- */

enum verdict { SAME, MAYBE, REPLACED };

static enum verdict
judge(struct look *l, const struct consumable *before,
    const struct consumable *now)
{
	struct change_suspect *s = suspect_of(l->memory, now->index);
	int64_t level = before->level, percent = before->percent;

	if (before->serial != NULL && now->serial != NULL) {
		if (s != NULL)
			s->used = false;
		return strcmp(before->serial, now->serial) == 0 ||
		    serial_moved(l, now) ? SAME : REPLACED;
	}
	if (s != NULL && before->level == LEVEL_SOME) {
		level = s->level;
		percent = s->percent;
	}
	if (!level_rose(before, level, percent, now) ||
	    levels_swapped(l, percent, now)) {
		if (s != NULL && (now->level != LEVEL_SOME ||
		    s->level == ABSENT))
			s->used = false;
		else if (s != NULL)
			s->looks_new = false;
		return SAME;
	}
	if (s != NULL && s->looks_new) {
		if (!l->policy->levels_read)
			return MAYBE;
		s->used = false;
		return REPLACED;
	}
	/* Without a place to remember it this one has to wait. */
	if (s != NULL || (s = suspect_add(l->memory, now->index)) != NULL)
		s->looks_new = true;
	return MAYBE;
}

/* --- moments in which nothing is believed ---------------------------------------- */

static bool
is_booting(const struct printer *now)
{
	return now->uptime > 0 && now->uptime < BOOT_TICKS;
}

/*
 * Restarting, warming up, asleep or open, some printers say 0, or nothing, of
 * supplies that they knew a minute ago.  Whoever sends toner by that sends it
 * for nothing; so such a fall is not told in such a moment.  It is where pages
 * come out all the same: then the moment is not what it seems (a printer that
 * always says that it sleeps; staples that are missing).
 */
static bool
is_doubtful(const struct printer *now, const struct change_suspects *memory)
{
	int64_t errors = now->asset.errors == ABSENT ? 0 : now->asset.errors;
	bool asleep;

	if (is_booting(now))
		return true;
	asleep = now->asset.state == ASSET_ASLEEP &&
	    (errors & ERRORS_TONER) == 0;
	if (now->total_pages == ABSENT)
		return asleep;
	if (memory->doubted && memory->doubt_pages != ABSENT &&
	    now->total_pages > memory->doubt_pages + DOUBT_PAGES)
		return false;
	return asleep || now->asset.printer_status == STATUS_WARMUP ||
	    (errors & ERROR_MISSING) != 0;
}

static bool
says_something(const struct consumable *c)
{
	return c->level > 0 || c->percent > 0;
}

/* From something to nothing, of one and the same cartridge. */
static bool
fell_silent(const struct consumable *before, const struct consumable *now)
{
	return (says_something(before) || (before->level == LEVEL_SOME &&
	    now->level != LEVEL_SOME)) && !says_something(now) &&
	    (before->serial == NULL || now->serial == NULL ||
	    strcmp(before->serial, now->serial) == 0);
}

/* What was read in a doubtful moment is no better when that is over: it has
 * to be read again.  What was low already may well be empty when the printer
 * misses it. */
static bool
is_doubted(struct look *l, const struct consumable *before,
    const struct consumable *now)
{
	bool stale = l->memory->doubted && !l->policy->levels_read;
	bool booting = is_booting(l->now);

	if ((!l->doubtful && !stale) || !fell_silent(before, now) ||
	    (before->state == SUPPLY_LOW && !booting &&
	    l->now->asset.state != ASSET_ASLEEP))
		return false;
	l->doubted = true;
	if (!l->doubtful || booting)
		l->out->again = true;
	return true;
}

static void
note_doubt(struct look *l)
{
	if (l->doubted && !l->memory->doubted)
		l->memory->doubt_pages = l->now->total_pages;
	else if (!l->doubted)
		l->memory->doubt_pages = 0;
	l->memory->doubted = l->doubted;
}

static void
keep_text(char **to, const char *before)
{
	if (*to == NULL)
		*to = xstrdup_null(before);
}

/* --- what is told ---------------------------------------------------------------- */

static void
take_consumable(struct report *to, struct consumable *partial,
    const struct consumable *now)
{
	partial->time = now->time;
	partial->pages = now->pages;
	*report_consumable(to) = *partial;
}

/* What is known of it from before.  False when nothing of it is told now. */
static bool
go_on(struct look *l, const struct consumable *before, struct consumable *now)
{
	free(now->id);
	now->id = xstrdup(before->id);
	now->replaced = before->replaced;
	if (is_doubted(l, before, now))
		return false;
	/* An empty slot has no serial, but what was in it had. */
	if (!says_something(now)) {
		keep_text(&now->serial, before->serial);
		keep_text(&now->part_number, before->part_number);
	}
	switch (judge(l, before, now)) {
	case MAYBE:
		/* Nothing until the second reading. */
		l->out->again = true;
		return false;
	case REPLACED:
		now->replaced = now->time;
		break;
	case SAME:
		note_number(before, now, l->memory);
		break;
	}
	return true;
}

/* A report that travels before others must not leave it to one that is still
 * on its way to say what the level is: both readings, changed or not. */
static void
say_readings(const struct consumable *now, bool first,
    struct consumable *partial)
{
	const struct field *f;

	for (f = consumable_fields; f->name != NULL; f++) {
		if (f->class != FIELD_READING || f->probe_only)
			continue;
		if (!field_absent(f, now))
			field_set_int(f, partial, field_int(f, now));
		else if (!first)
			field_set_int(f, partial, CLEARED);
	}
}

static void
find_consumable(struct look *l, const struct consumable *before,
    struct consumable *now)
{
	struct consumable empty, partial, *told;
	char id[UUID_TEXT_MAX];
	int urgent, all;

	consumable_init(&empty);
	consumable_init(&partial);
	if (before == NULL) {
		uuid_make(id);
		free(now->id);
		now->id = xstrdup(id);
		before = &empty;
	} else if (!go_on(l, before, now))
		return;
	urgent = record_diff(consumable_fields, before, now, CHANGE_AT_ONCE,
	    &partial);
	consumable_clear(&partial);
	all = record_diff(consumable_fields, before, now,
	    CHANGE_AT_ONCE | 1u << FIELD_READING, &partial);
	if (all == 0 || (urgent == 0 && !l->levels)) {
		l->held |= all > 0;
		consumable_clear(&partial);
		return;
	}
	/* What goes at once takes its level with it: a state without its
	 * level would be half the truth. */
	if (urgent > 0)
		say_readings(now, before == &empty, &partial);
	told = report_consumable(&l->out->told);
	record_copy(consumable_fields, told, now);
	take_consumable(urgent > 0 ? &l->out->event : &l->out->detail,
	    &partial, now);
}

static void
tell_removed(const struct consumable *before, int64_t now_ms,
    struct change *out)
{
	struct consumable *removed = report_consumable(&out->event);

	removed->id = xstrdup(before->id);
	removed->asset = xstrdup(before->asset);
	removed->index = before->index;
	removed->removed = now_ms;
	removed->time = now_ms;
	change_forget(out, removed->id);
}

/* A row that is not there may come back; for all of them one clock runs. */
static void
find_gone(struct look *l, int64_t now_ms)
{
	int64_t errors = l->now->asset.errors;
	int64_t wait_ms = errors != ABSENT && (errors & ERROR_MISSING) ?
	    MISSING_MS : GONE_MS;
	const struct consumable *before;
	bool any = false, over;
	size_t i;

	over = l->memory->gone_ms != 0 && now_ms - l->memory->gone_ms >=
	    wait_ms;
	for (i = 0; i < l->told->consumables_len; i++) {
		before = &l->told->consumables[i];
		if (shown_consumable(l->now, before->index) != NULL)
			continue;
		any = true;
		if (over)
			tell_removed(before, now_ms, l->out);
	}
	if (!any || over)
		l->memory->gone_ms = 0;
	else if (l->memory->gone_ms == 0 || now_ms < l->memory->gone_ms)
		l->memory->gone_ms = now_ms;
	if (l->memory->gone_ms != 0)
		change_hold_back(l->out, l->memory->gone_ms + wait_ms);
}

void
change_supplies_find(const struct report *told, struct printer *now,
    struct change_state *state, const struct change_policy *policy,
    int64_t now_ms, struct change *out)
{
	struct look l = { told, now, state->suspects, policy, out,
	    .doubtful = is_doubtful(now, state->suspects) };
	struct consumable *consumable;
	size_t i, before;

	l.levels = change_may_tell(state->levels_ms, policy->levels_ms,
	    now_ms);
	before = out->detail.consumables_len;
	for (i = 0; i < now->consumables_len; i++) {
		consumable = &now->consumables[i];
		free(consumable->asset);
		consumable->asset = xstrdup(now->asset.id);
		consumable->time = now_ms;
		consumable->pages = now->total_pages;
		find_consumable(&l, told_consumable(told, consumable->index),
		    consumable);
	}
	note_doubt(&l);
	/* The first time they are told counts, too. */
	if (out->detail.consumables_len > before ||
	    (told->consumables_len == 0 && now->consumables_len > 0))
		state->levels_ms = now_ms;
	if (l.held && !l.levels)
		change_hold_back(out, state->levels_ms + policy->levels_ms);
	find_gone(&l, now_ms);
}
