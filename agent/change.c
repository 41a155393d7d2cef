#include "agent/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/change_alerts.h"
#include "agent/change_counters.h"
#include "agent/change_supplies.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

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

bool
change_may_tell(int64_t last_ms, int64_t interval_ms, int64_t now_ms)
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
	    now, CHANGE_AT_ONCE, &partial) > 0 ||
	    counters.at_once.counters_len > 0;
	if (counters.later.counters_len > 0) {
		if (before == NULL ||
		    change_may_tell(state->counters_ms, policy->counters_ms,
		    now_ms))
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
	change_supplies_find(told, now, state, policy, now_ms, out);
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
