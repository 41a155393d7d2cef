#include "agent/change_alerts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/field.h"
#include "snmp/errorbits.h"

#define SEVERITY_UNARY	4	/* warning: an event, RFC 3805 */
/* A time that is computed from ticks differs a little at every look, and more
 * where requests were lost between uptime and table. */
#define RAISED_SLACK_MS	2000
#define LOOK_SLACK_MS	10000
/* What stood before a restart stands again when it has warmed up. */
#define BOOT_MS		(INT64_C(10) * 60 * 1000)

struct look {
	const struct report	*told;
	struct printer		*now;
	struct change_suspects	*memory;
	int64_t			 now_ms;
	int64_t			 booted_ms;	/* wall; ABSENT not known */
	int64_t			 step_ms;	/* how far our clock was set
						 * since the look before */
	bool			*matched;	/* each of told */
	bool			*done;		/* each of now */
	struct change		*out;
};

/* --- which is which ----------------------------------------------------------- */

static bool
same_trouble(const struct alert *before, const struct alert *now)
{
	return before->group == now->group &&
	    before->group_index == now->group_index &&
	    before->code == now->code &&
	    (before->vendor_code == NULL || now->vendor_code == NULL ||
	    strcmp(before->vendor_code, now->vendor_code) == 0) &&
	    (before->source == now->source || before->source == ABSENT);
}

/* Raised at the same time, as far as both say when. */
static bool
same_time(const struct alert *before, const struct alert *now)
{
	return now->raised == ABSENT || before->raised == ABSENT ||
	    (now->raised <= before->raised + RAISED_SLACK_MS &&
	    now->raised >= before->raised - RAISED_SLACK_MS);
}

/*
 * The same trouble again, gone and come back between two looks: a higher
 * index, raised later; or an index used once more for a row that was made
 * after we had looked.  What a restart raised anew is the trouble of before.
 * A time of just now proves nothing: some rows always say that.
 */
static bool
is_newer(const struct look *l, const struct alert *before,
    const struct alert *now)
{
	int64_t raised = now->raised;

	if (raised == ABSENT || before->raised == ABSENT)
		return false;
	if (l->booted_ms != ABSENT && before->raised < l->booted_ms &&
	    raised - l->booted_ms < BOOT_MS)
		return false;
	if (now->index > before->index)
		return raised > before->raised + RAISED_SLACK_MS;
	return l->memory->look_ms != 0 &&
	    raised - l->step_ms > l->memory->look_ms + LOOK_SLACK_MS &&
	    raised < l->now_ms - LOOK_SLACK_MS;
}

#define RANKS	5

/* How sure it is that they are one: 0 not at all, RANKS - 1 best. */
static int
rank(const struct look *l, const struct alert *before,
    const struct alert *now)
{
	/* A row takes over from a bit, a bit keeps a row alive. */
	if (before->cleared == ABSENT && (errorbits_explained(before, now) ||
	    errorbits_explained(now, before)))
		return 1;
	if (!same_trouble(before, now) || is_newer(l, before, now))
		return 0;
	if (same_time(before, now) && now->index == before->index)
		return 4;
	if (same_time(before, now) || strcmp_null(before->description,
	    now->description) == 0)
		return 3;
	return 2;
}

/* --- what becomes of it --------------------------------------------------------- */

static bool
over_age(const struct alert *alert, int64_t now_ms)
{
	return alert->severity == SEVERITY_UNARY && alert->raised > 0 &&
	    now_ms - alert->raised > CHANGE_UNARY_MS;
}

/*
 * lowPaper is an event only when it was seen to turn on: printers that set it
 * for as long as they live (printers.md 13, lie 12) would have an alert that
 * nobody can clear.
 */
static bool
is_worth(const struct look *l, const struct alert *now)
{
	int64_t errors;

	if (now->source != ALERT_ERROR_BITS ||
	    now->code != ERRORBITS_CODE_LOW_PAPER)
		return true;
	if (l->told->assets_len == 0)
		return false;
	errors = l->told->assets[0].errors;
	return errors >= 0 && !(errors >> ERRORBITS_LOW_PAPER & 1);
}

static void
raise_alert(const struct look *l, struct alert *now)
{
	char id[UUID_TEXT_MAX];

	uuid_make(id);
	free(now->id);
	now->id = xstrdup(id);
	free(now->asset);
	now->asset = xstrdup(l->now->asset.id);
	now->pages = l->now->total_pages;
	if (now->raised == ABSENT || now->raised > l->now_ms)
		now->raised = l->now_ms;
	now->cleared = over_age(now, l->now_ms) ? now->raised : ABSENT;
	record_copy(alert_fields, report_alert(&l->out->event), now);
	record_copy(alert_fields, report_alert(&l->out->told), now);
}

static void
clear_alert(const struct look *l, const struct alert *before)
{
	struct alert *cleared;

	cleared = report_alert(&l->out->event);
	cleared->id = xstrdup(before->id);
	cleared->asset = xstrdup(before->asset);
	cleared->cleared = l->now_ms;
}

/* What was said at first stays. */
static void
keep_first(const struct alert *before, struct alert *now)
{
	free(now->id);
	now->id = xstrdup(before->id);
	free(now->asset);
	now->asset = xstrdup(before->asset);
	now->raised = before->raised;
	now->cleared = before->cleared;
	now->pages = before->pages;
	if (before->index != ABSENT)
		now->index = before->index;
}

/* Severity and words may change while it stands. */
static void
go_on_alert(const struct look *l, const struct alert *before,
    struct alert *now)
{
	struct alert partial;

	/* Less is known of it now, but it stands; or it is over, and only its
	 * row has not gone. */
	if ((before->source != ALERT_ERROR_BITS &&
	    now->source == ALERT_ERROR_BITS) ||
	    before->cleared != ABSENT)
		record_copy(alert_fields, now, before);
	else
		keep_first(before, now);
	if (before->cleared == ABSENT && over_age(before, l->now_ms)) {
		now->cleared = l->now_ms;
		clear_alert(l, before);
		record_copy(alert_fields, report_alert(&l->out->told), now);
		return;
	}
	alert_init(&partial);
	if (record_diff(alert_fields, before, now, CHANGE_AT_ONCE,
	    &partial) == 0) {
		alert_clear(&partial);
		return;
	}
	record_copy(alert_fields, report_alert(&l->out->told), now);
	*report_alert(&l->out->event) = partial;
}

/* --- asleep -------------------------------------------------------------------- */

/*
 * A table that is empty once the printer sleeps says nothing: many hide it,
 * and have it again a moment after they woke.  But where rows were seen in its
 * sleep, it shows them, and their end is one.
 */
static uint8_t
sleep_mode(uint8_t before, bool asleep, bool shows, bool stood)
{
	if (!asleep)
		return before == SLEEP_HIDES && !shows ? SLEEP_WAKES :
		    SLEEP_NOT;
	if (shows)
		return SLEEP_SHOWS;
	if (before == SLEEP_NOT || before == SLEEP_WAKES)
		return stood ? SLEEP_HIDES : SLEEP_SHOWS;
	return before;
}

static bool
any_of(const struct alert *alerts, size_t len, int64_t source)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (alerts[i].cleared == ABSENT && (alerts[i].source == source
		    || (alerts[i].source == ABSENT && source == ALERT_ROW)))
			return true;
	return false;
}

static void
note_sleep(const struct look *l)
{
	const struct report *told = l->told;
	struct change_suspects *memory = l->memory;
	bool asleep = l->now->asset.state == ASSET_ASLEEP;

	memory->rows = sleep_mode(memory->rows, asleep, any_of(l->now->alerts,
	    l->now->alerts_len, ALERT_ROW),
	    any_of(told->alerts, told->alerts_len, ALERT_ROW));
	memory->bits = sleep_mode(memory->bits, asleep,
	    l->now->asset.errors > 0,
	    any_of(told->alerts, told->alerts_len, ALERT_ERROR_BITS));
}

static bool
is_hidden(const struct look *l, const struct alert *before)
{
	uint8_t mode = before->source == ALERT_ERROR_BITS ? l->memory->bits :
	    l->memory->rows;

	/* Nothing else may change: then nobody would look any more. */
	if (mode == SLEEP_WAKES)
		change_hold_back(l->out, l->now_ms + 1);
	return mode == SLEEP_HIDES || mode == SLEEP_WAKES;
}

/* --- the whole ---------------------------------------------------------------- */

/* The surest pairs first, so that of two alike the right one ends. */
static void
match(const struct look *l)
{
	size_t i, j;
	int least;

	for (least = RANKS - 1; least > 0; least--)
		for (i = 0; i < l->now->alerts_len; i++)
			for (j = 0; j < l->told->alerts_len &&
			    !l->done[i]; j++) {
				if (l->matched[j] || rank(l,
				    &l->told->alerts[j],
				    &l->now->alerts[i]) < least)
					continue;
				l->matched[j] = l->done[i] = true;
				go_on_alert(l, &l->told->alerts[j],
				    &l->now->alerts[i]);
			}
}

static void
find(const struct look *l, const struct ignore *ignore)
{
	const struct alert *before;
	size_t i, j;

	for (i = 0; i < l->now->alerts_len; i++)
		l->done[i] = ignore_matches(ignore, &l->now->alerts[i]);
	match(l);
	for (i = 0; i < l->now->alerts_len; i++)
		if (!l->done[i] && is_worth(l, &l->now->alerts[i]))
			raise_alert(l, &l->now->alerts[i]);
	for (j = 0; j < l->told->alerts_len; j++) {
		before = &l->told->alerts[j];
		if (l->matched[j] || (is_hidden(l, before) &&
		    !over_age(before, l->now_ms)))
			continue;
		if (before->cleared == ABSENT)
			clear_alert(l, before);
		change_forget(l->out, before->id);
	}
}

void
change_alerts_find(const struct report *told, struct printer *now,
    struct change_suspects *memory, const struct ignore *ignore,
    int64_t now_ms, struct change *out)
{
	struct look l = { .told = told, .now = now, .memory = memory,
	    .now_ms = now_ms, .booted_ms = ABSENT, .out = out };

	if (now->uptime >= 0 && now->uptime <= UINT32_MAX) {
		l.booted_ms = now_ms - now->uptime * 10;
		if (memory->look_ms != 0 && memory->uptime >= 0 &&
		    now->uptime >= memory->uptime)
			l.step_ms = l.booted_ms - (memory->look_ms -
			    memory->uptime * 10);
	}
	l.matched = xcalloc(told->alerts_len + 1, sizeof(*l.matched));
	l.done = xcalloc(now->alerts_len + 1, sizeof(*l.done));
	note_sleep(&l);
	find(&l, ignore);
	memory->alerts = told->alerts_len > 0 || out->told.alerts_len > 0;
	free(l.matched);
	free(l.done);
}
