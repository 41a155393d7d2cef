#include "agent/change_counters.h"

#include <string.h>

#include "base/mem.h"
#include "schema/field.h"

#define WRAP_FROM	INT64_C(4200000000)	/* a Counter32 before 2^32 */

/* Does the maker's word for the machine give a reason for another source? */
static bool
other_machine(const struct asset *before, const struct asset *now)
{
	return strcmp_null(before->model, now->model) != 0 ||
	    strcmp_null(before->firmware, now->firmware) != 0;
}

static void
begin_epoch(struct counter *tell, const struct counter *old)
{
	tell->epoch = (old->epoch == ABSENT ? 0 : old->epoch) + 1;
	tell->before = old->value;
}

/* A board that only forgot for a while (at start, asleep) is at its old count
 * again in one leap: those pages were not printed meanwhile. */
static bool
leapt_back(const struct counter *old, const struct counter *now)
{
	return old->before != ABSENT && old->value < old->before / 2 &&
	    now->value >= old->before;
}

static enum counter_news
same_source(const struct counter *old, struct counter *tell)
{
	if (tell->value < old->value && old->value > WRAP_FROM &&
	    old->value <= UINT32_MAX) {
		tell->before = old->value;
		return COUNTER_ANEW;
	}
	if (tell->value < old->value || leapt_back(old, tell) ||
	    (old->unit != ABSENT && tell->unit != ABSENT &&
	    old->unit != tell->unit)) {
		begin_epoch(tell, old);
		return COUNTER_ANEW;
	}
	return tell->value != old->value || tell->unit != old->unit ||
	    tell->check != old->check ? COUNTER_MOVED : COUNTER_SAME;
}

/* counted: this look is another reading of the counters. */
static enum counter_news
judge(const struct asset *before, const struct asset *now,
    const struct counter *counter, struct change_suspects *memory,
    bool counted, bool *pinned, struct counter *tell)
{
	const struct counter *old;
	uint8_t *pin;

	record_copy(counter_fields, tell, counter);
	if (before == NULL ||
	    (old = asset_counter(before, counter->name)) == NULL)
		return COUNTER_MOVED;
	tell->epoch = old->epoch;
	tell->before = old->before;
	pin = &memory->pins[old - before->counters];
	if (strcmp_null(old->oid, counter->oid) == 0) {
		*pin = 0;
		return same_source(old, tell);
	}
	if (!other_machine(before, now)) {
		if (counted && *pin < CHANGE_PIN_READINGS)
			++*pin;
		if (*pin < CHANGE_PIN_READINGS) {
			*pinned = true;
			return COUNTER_SAME;
		}
	}
	*pin = 0;
	begin_epoch(tell, old);
	return COUNTER_ANEW;
}

static void
put_counter(struct asset *to, const struct counter *from)
{
	struct counter *c;

	if ((c = asset_counter(to, from->name)) == NULL &&
	    (c = asset_counter_add(to, from->name)) == NULL)
		return;
	record_copy(counter_fields, c, from);
}

void
change_counters_put(struct asset *to, const struct asset *from)
{
	size_t i;

	for (i = 0; i < from->counters_len; i++)
		put_counter(to, &from->counters[i]);
}

void
change_counters_find(const struct asset *before, const struct asset *now,
    struct change_suspects *memory, const struct change_policy *policy,
    int64_t now_ms, struct change_counters *out)
{
	int64_t spacing = policy->counters_ms / 4 * 3;
	struct counter tell;
	bool counted, pinned = false;
	size_t i;

	asset_init(&out->at_once);
	asset_init(&out->later);
	out->due_ms = 0;
	/* Asleep, some show other objects than awake. */
	counted = now->state != ASSET_ASLEEP && (memory->pin_ms == 0 ||
	    now_ms >= memory->pin_ms + spacing || now_ms < memory->pin_ms);
	for (i = 0; i < now->counters_len; i++) {
		counter_init(&tell);
		switch (judge(before, now, &now->counters[i], memory, counted,
		    &pinned, &tell)) {
		case COUNTER_ANEW:
			put_counter(&out->at_once, &tell);
			break;
		case COUNTER_MOVED:
			put_counter(&out->later, &tell);
			break;
		case COUNTER_SAME:
			break;
		}
		counter_clear(&tell);
	}
	if (!pinned)
		memory->pin_ms = 0;
	else if (counted)
		memory->pin_ms = now_ms;
	if (pinned && memory->pin_ms != 0)
		out->due_ms = memory->pin_ms + spacing;
}

void
change_counters_clear(struct change_counters *c)
{
	asset_clear(&c->at_once);
	asset_clear(&c->later);
}
