#include "agent/visit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/account.h"
#include "agent/known.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

#define GRID_MAX_MS	1000	/* visits fall on multiples of this */
#define BACKOFF_MAX_MS	(15 * 60 * 1000)
#define MISSES		2	/* silent readings until "unreachable" */
#define STRANGE		3	/* readings as no printer until it is let go */
/* What is no printer and answers no more is forgotten. */
#define FORGET_MS	(INT64_C(7) * 24 * 3600 * 1000)
#define SAVE_AGAIN_MS	(INT64_C(24) * 3600 * 1000)

static void	 on_visit(void *);
static void	 on_reading(void *, struct reading_result *);

static uint32_t
address_of(const struct device *d)
{
	return ntohl(d->addr.sin_addr.s_addr);
}

/* What the reading under way asks with. */
static const struct config_snmp *
asked_with(const struct device *d)
{
	if (d->probe != NULL)
		return ladder_rung(d->patrol->ladder, address_of(d),
		    d->probe->rung);
	if (d->climbing)
		return ladder_rung(d->patrol->ladder, address_of(d), d->rung);
	return d->snmp;
}

void
visit_drop(struct device *d)
{
	timer_clear(d->patrol->loop, &d->timer);
	teller_forget(d->patrol->teller, d);
	if (d->reading != NULL)
		reading_cancel(d->reading);
	device_free(&d->patrol->devices, d);
}

/* --- when, and with what ------------------------------------------------------- */

int64_t
patrol_backoff_ms(int misses, int64_t heartbeat_ms)
{
	int64_t pause = heartbeat_ms;

	while (misses-- > MISSES && pause < BACKOFF_MAX_MS)
		pause *= 2;
	if (pause > BACKOFF_MAX_MS)
		pause = heartbeat_ms > BACKOFF_MAX_MS ? heartbeat_ms :
		    BACKOFF_MAX_MS;
	return pause;
}

/*
 * Printers that are due at about the same time are read together: waking up
 * costs more than asking.  No coarser than the jitter is, so nothing comes
 * later for it on the whole.
 */
static int64_t
rounded(int64_t at_ms, int64_t interval_ms)
{
	int64_t grid = interval_ms / 20 < GRID_MAX_MS ? interval_ms / 20 :
	    GRID_MAX_MS;

	return grid > 1 ? (at_ms + grid / 2) / grid * grid : at_ms;
}

static void
schedule(struct device *d)
{
	const struct config *conf = d->patrol->conf;
	int64_t after, at;

	after = d->misses == 0 ? tiers_pause(&d->tiers, conf) :
	    patrol_backoff_ms(d->misses, conf->heartbeat_ms);
	at = rounded(clock_mono_ms() + tiers_jitter(after), after);
	if (d->wake_ms != 0 && d->wake_ms < at)
		at = d->wake_ms;
	timer_set(d->patrol->loop, &d->timer, at, on_visit, d);
}

static void
start_reading(struct device *d, unsigned what)
{
	static const struct device_memo none;
	struct reading_target target = { .addr = d->addr };
	const struct config_snmp *snmp = asked_with(d);

	target.credential = &snmp->credential;
	target.timeout_ms = (int)snmp->timeout_ms;
	target.retries = (int)snmp->retries;
	target.standard_only = !snmp->private;
	if (snmp->credential.version == 3 && d->engine == NULL)
		d->engine = usm_engine_new();
	if (snmp->credential.version == 3)
		target.engine = d->engine;
	d->what = (uint8_t)what;
	d->reading = reading_start(d->patrol->asker, d->patrol->loop, &target,
	    what, d->image, snmp == d->snmp ? &d->memo : &none, on_reading,
	    d);
}

static void
on_visit(void *arg)
{
	struct device *d = arg;
	int64_t now = clock_mono_ms();
	unsigned what;

	if (d->reading != NULL)
		return;
	what = tiers_visit(&d->tiers, now);
	if (d->wake_ms != 0 && d->wake_ms <= now) {
		d->wake_ms = 0;
		d->woken_ms = now;
		if (what != READING_ALL)
			what = (what & ~(READING_KNOWN_ALERTS |
			    READING_ANY_ALERTS)) | READING_ALERTS;
	}
	start_reading(d, what);
}

void
visit_soon(struct device *d, int64_t within_ms)
{
	timer_after(d->patrol->loop, &d->timer, random() % (within_ms + 1),
	    on_visit, d);
}

/* While a reading is under way the look follows it: what it has asked for
 * already may be older than the reason for the look. */
void
visit_wake(struct device *d)
{
	int64_t now = clock_mono_ms();

	if (d->wake_ms != 0)
		return;
	d->wake_ms = d->woken_ms != 0 && now - d->woken_ms < PATROL_WAKE_MS ?
	    d->woken_ms + PATROL_WAKE_MS : now;
	if (d->reading == NULL && (!timer_pending(&d->timer) ||
	    d->timer.at_ms > d->wake_ms))
		timer_set(d->patrol->loop, &d->timer, d->wake_ms, on_visit,
		    d);
}

/* --- credentials ----------------------------------------------------------------- */

/* It answered to these: they are remembered, and no others asked with. */
static void
settle_for(struct device *d, const struct config_snmp *snmp)
{
	if (d->snmp != NULL && d->snmp != snmp && d->printer)
		log_info("printer", "%s answers to [snmp %s] now, no longer "
		    "to [snmp %s]", device_name(d), snmp->credential.name,
		    d->snmp->credential.name);
	d->snmp = snmp;
	d->climbing = false;
	if (snmp->credential.version != 3) {
		usm_engine_free(d->engine);
		d->engine = NULL;
	}
}

static size_t
count_rungs(const struct device *d)
{
	size_t n = 0;

	while (ladder_rung(d->patrol->ladder, address_of(d), n) != NULL)
		n++;
	return n;
}

/*
 * The remembered credentials have failed: all others are tried once before
 * the printer is called unreachable, and then one of them with each visit,
 * in turn.  True when there was one to try.
 */
static bool
climb(struct device *d)
{
	size_t n = count_rungs(d);

	if (!d->climbing) {
		if (d->misses < MISSES || n < 2)
			return false;
		d->climb = 1;
		if (d->misses == MISSES) {
			d->climb = (uint8_t)(n - 1);
			d->rung = (uint8_t)(n - 1);
		}
	}
	if (d->climb == 0)
		return false;
	d->climb--;
	d->climbing = true;
	d->rung = (uint8_t)((d->rung + 1u) % n);
	if (asked_with(d) == d->snmp)
		d->rung = (uint8_t)((d->rung + 1u) % n);
	start_reading(d, READING_ALL);
	return true;
}

/* --- what came of a probe ---------------------------------------------------------- */

static void
probe_over(struct device *d)
{
	struct device_probe probe = *d->probe;

	free(d->probe);
	d->probe = NULL;
	free(probe.why);
	probe.done(probe.done_arg, probe.find);
}

/* What was not there before, or not like that. */
static void
save_stranger(struct device *d, const char *why)
{
	bool same = d->id != 0 && strcmp_null(d->why, why) == 0 &&
	    d->seen_ms - d->saved_ms < SAVE_AGAIN_MS;

	free(d->why);
	d->why = xstrdup(why);
	if (!same)
		account_save(d);
}

static void
on_stranger_silent(struct device *d)
{
	struct store *st;
	void (*done)(void *, enum patrol_find) = d->probe->done;
	void *arg = d->probe->done_arg;

	if (d->id != 0 && clock_wall_ms() - d->seen_ms < FORGET_MS) {
		probe_over(d);
		return;
	}
	if (d->id != 0 && (st = teller_store(d->patrol->teller)) != NULL)
		(void)known_drop_device(st, d->id);
	visit_drop(d);
	done(arg, PATROL_SILENT);
}

static void
probe_failed(struct device *d)
{
	static const enum reading_status status[] = {
		[PATROL_STRANGER] = READING_NO_PRINTER,
		[PATROL_UNREADABLE] = READING_BROKEN,
		[PATROL_DENIED] = READING_DENIED,
	};
	struct device_probe *probe = d->probe;

	if (probe->find == PATROL_SILENT) {
		on_stranger_silent(d);
		return;
	}
	settle_for(d, probe->snmp);
	d->memo = probe->memo;
	d->strange = 0;
	if (strcmp_null(d->why, probe->why) != 0)
		device_complain(d, status[probe->find], probe->why);
	save_stranger(d, probe->why);
	device_count(&d->patrol->devices, d);
	probe_over(d);
}

/* The next credentials; what was learnt with these is kept if it says more
 * than what was known. */
static void
probe_next(struct device *d, const struct reading_result *r)
{
	static const struct {
		enum patrol_find	 find;
		int			 weight;
	} finds[] = {
		[READING_SILENT] = { PATROL_SILENT, 0 },
		[READING_BROKEN] = { PATROL_UNREADABLE, 1 },
		[READING_DENIED] = { PATROL_DENIED, 2 },
		[READING_NO_PRINTER] = { PATROL_STRANGER, 3 },
	};
	struct device_probe *probe = d->probe;

	if (finds[r->status].weight > probe->weight) {
		probe->weight = finds[r->status].weight;
		probe->find = finds[r->status].find;
		probe->snmp = asked_with(d);
		probe->memo = r->memo;
		free(probe->why);
		probe->why = r->status == READING_DENIED ?
		    xasprintf("may be a printer with other credentials: %s",
		    r->why) : xstrdup(r->why);
	}
	probe->rung++;
	if (asked_with(d) != NULL)
		start_reading(d, READING_ALL);
	else
		probe_failed(d);
}

void
visit_probe(struct device *d)
{
	start_reading(d, READING_ALL);
}

/* --- what came of a reading ------------------------------------------------------ */

/* No printer of ours any more: remembered with its reason, not polled. */
static void
let_go(struct device *d)
{
	d->printer = false;
	bag_free(d->image);
	d->image = NULL;
	d->tiers.all = true;
	timer_clear(d->patrol->loop, &d->timer);
	account_save(d);
	device_count(&d->patrol->devices, d);
}

static void
on_failed(struct device *d, enum reading_status status)
{
	if (!d->climbing)
		d->misses++;
	/* Whatever comes back may be another machine, or have restarted. */
	d->tiers.all = true;
	if ((status != READING_BROKEN || d->climbing) && climb(d))
		return;
	d->climbing = false;
	if (d->misses >= MISSES && d->state != ASSET_UNREACHABLE) {
		log_info("printer", "%s is unreachable", device_name(d));
		d->state = ASSET_UNREACHABLE;
		d->dirty = true;
	}
	if (d->misses >= MISSES && d->dirty)
		account_unreachable(d);
	device_count(&d->patrol->devices, d);
	schedule(d);
}

static void
on_stranger(struct device *d, const char *why)
{
	device_complain(d, READING_NO_PRINTER, why);
	/* Asleep, some printers hide their printer rows for a while. */
	if (++d->strange >= STRANGE) {
		account_unreachable(d);
		if (!d->dirty) {
			let_go(d);
			return;
		}
		d->strange = STRANGE - 1;
	}
	d->tiers.all = true;
	schedule(d);
}

/* One that was let go is taken back until the store has taken that. */
void
visit_lost(struct device *d)
{
	d->dirty = true;
	if (d->printer || d->strange < STRANGE || d->reading != NULL)
		return;
	d->printer = true;
	d->strange = STRANGE - 1;
	device_count(&d->patrol->devices, d);
	schedule(d);
}

/* Into the image; true when that changed anything. */
static bool
take_values(struct device *d, const struct reading_result *r)
{
	int64_t rows[PRINTER_ROWS_MAX];
	char why[160];
	bool changed;

	if (d->image == NULL)
		d->image = bag_new();
	/* A walk that broke off says nothing of what it did not reach; but a
	 * printer that never gets further has no more than that. */
	if (r->why[0] != '\0' && d->odd < STRANGE && ++d->odd < STRANGE)
		changed = bag_merge(d->image, r->fresh, NULL, 0);
	else
		changed = bag_merge(d->image, r->fresh, r->covered,
		    r->covered_len);
	if (d->what == READING_ALL)
		device_note_rows(d, rows, printer_rows(d->image, rows, why,
		    sizeof(why)));
	return changed;
}

/*
 * Nothing but pages came out, and what there is to tell of pages is held back
 * for some time yet: in a fleet that prints all day that is most of what
 * happens, and looking up what was told is most of what it would cost.
 */
static bool
only_pages(const struct device *d, const struct tiers_signs *before)
{
	return d->what == READING_HEARTBEAT && !d->dirty && d->told &&
	    d->due_ms != 0 && !account_is_due(d) &&
	    before->state == d->tiers.signs.state &&
	    before->life != d->tiers.signs.life;
}

static unsigned
take_news(struct device *d, const struct reading_result *r, bool changed)
{
	struct tiers_news news = { .what = d->what,
	    .restarted = r->restarted, .alerts_moved = r->alerts_moved,
	    .supplies_moved = r->supplies_moved };

	news.signs = d->tiers.signs;
	if (changed || d->what == READING_ALL)
		tiers_look(d->image, device_rows(d), d->rows_len,
		    &news.signs);
	return tiers_news(&d->tiers, &news, d->patrol->conf,
	    clock_mono_ms());
}

/* It answers, and is a printer. */
static bool
take_up(struct device *d, const struct config_snmp *snmp)
{
	bool back = d->misses >= MISSES, other = d->snmp != snmp;

	settle_for(d, snmp);
	if (back) {
		log_info("printer", "%s answers again", device_name(d));
		d->state = ASSET_ONLINE;
	}
	d->misses = 0;
	d->strange = 0;
	if (!d->printer || other || memcmp(&d->memo, &d->saved_memo,
	    sizeof(d->memo)) != 0) {
		d->printer = true;
		account_save(d);
	}
	return back;
}

static void
on_values(struct device *d, struct reading_result *r)
{
	const struct tiers_signs before = d->tiers.signs;
	bool changed, back;
	unsigned next;

	d->memo = r->memo;
	changed = take_values(d, r);
	back = take_up(d, asked_with(d));
	if (r->why[0] != '\0')
		device_complain(d, r->status, r->why);
	else if (d->what == READING_ALL)
		device_content(d);
	if ((next = take_news(d, r, changed)) != 0) {
		/* Half a change is no change: it is told when the rest is
		 * there as well. */
		d->dirty |= changed || back;
	} else if (back || d->dirty || !d->told || account_is_due(d) ||
	    (changed && !only_pages(d, &before)))
		account_tell(d, (d->what & (READING_ALL | READING_SUPPLIES)) != 0);
	device_count(&d->patrol->devices, d);
	if (d->probe != NULL) {
		d->probe->find = PATROL_PRINTER;
		probe_over(d);
	}
	if (next != 0)
		start_reading(d, next);
	else
		schedule(d);
}

static void
on_reading(void *arg, struct reading_result *r)
{
	struct device *d = arg;

	d->reading = NULL;
	d->asked = true;
	d->patrol->bytes_out += r->traffic.bytes_out;
	d->patrol->bytes_in += r->traffic.bytes_in;
	if (r->status != READING_SILENT) {
		d->seen_ms = clock_wall_ms();
		if (d->probe == NULL && !d->climbing)
			d->memo = r->memo;
	}
	if (r->status == READING_DONE)
		on_values(d, r);
	else if (d->probe != NULL)
		probe_next(d, r);
	else {
		if (r->status == READING_NO_PRINTER && !d->climbing)
			on_stranger(d, r->why);
		else {
			if (r->status != READING_SILENT && !d->climbing)
				device_complain(d, r->status, r->why);
			on_failed(d, r->status);
		}
	}
	bag_free(r->fresh);
}
