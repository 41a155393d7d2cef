#include "agent/patrol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/device.h"
#include "agent/known.h"
#include "agent/teller.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/printer.h"
#include "snmp/reading.h"
#include "snmp/vendor.h"

#define OPEN_MAX_TALKS	256
#define GRID_MAX_MS	1000	/* visits fall on multiples of this */
#define BACKOFF_MAX_MS	(15 * 60 * 1000)
#define MISSES		2	/* silent readings until "unreachable" */
#define STRANGE		3	/* readings as no printer until it is let go */
#define READ_AGAIN_MS	10000	/* a suspected replacement is looked at */

struct patrol {
	struct loop		*loop;
	const struct config	*conf;
	struct store		*store;
	struct teller		*teller;
	struct asker		*asker;
	struct device_table	 devices;
	struct patrol_counts	 traffic;	/* the bytes */
	void			(*written)(void *);
	void			*arg;
};

static void	 device_visit(void *);
static void	 on_reading(void *, struct reading_result *);

static struct device *
device_add(struct patrol *patrol, const struct sockaddr_in *addr,
    const char *zone)
{
	struct device *d = device_new(&patrol->devices, addr, zone);

	d->patrol = patrol;
	return d;
}

static void
device_drop(struct device *d)
{
	timer_clear(d->patrol->loop, &d->timer);
	if (d->reading != NULL)
		reading_cancel(d->reading);
	device_free(&d->patrol->devices, d);
}

/* --- the store ---------------------------------------------------------------- */

static void
device_save(struct device *d)
{
	struct known_device row = { .id = d->id };
	struct store *st;

	row.address = xstrdup(device_name(d));
	row.zone = xstrdup_null(d->zone);
	row.credentials = xstrdup(d->snmp->credential.name);
	row.version = d->memo.version;
	row.varbinds = d->memo.varbinds;
	row.jetdirect = d->memo.jetdirect;
	row.printer = d->printer;
	row.why = d->printer ? NULL : xstrdup_null(d->why);
	row.seen_ms = d->seen_ms;
	if ((st = teller_store(d->patrol->teller)) != NULL &&
	    known_put_device(st, &row) == 0)
		d->id = row.id;
	known_device_clear(&row);
}

static void
on_settled(void *arg, void *token, bool ok)
{
	struct device *d = token;

	if (ok)
		return;
	/* Its row may be lost as well: it is written again, by address. */
	d->id = 0;
	d->dirty = true;
}

/* One that we have not asked since we started may answer: its asset stays
 * where it is until we know.  One that says that it is another asset's second
 * address does not answer as its own: two may have changed places. */
static bool
on_alive(void *arg, int64_t id)
{
	struct patrol *patrol = arg;
	struct device *d;
	size_t i;

	for (i = 0; i < DEVICE_BUCKETS; i++)
		for (d = patrol->devices.bucket[i]; d != NULL; d = d->next)
			if (d->id == id)
				return d->printer && d->misses == 0 &&
				    !d->elsewhere &&
				    (!d->asked || clock_wall_ms() - d->seen_ms
				    < 3 * patrol->conf->heartbeat_ms);
	return false;
}

static void
on_written(void *arg)
{
	struct patrol *patrol = arg;

	patrol->written(patrol->arg);
}

/* --- telling ------------------------------------------------------------------ */

static void
note_rows(struct device *d, const int64_t *rows, size_t n)
{
	size_t i;

	if (n == d->rows_len && memcmp(rows, d->rows,
	    n * sizeof(*rows)) == 0)
		return;
	for (i = 0; i < n; i++)
		d->rows[i] = rows[i];
	d->rows_len = n;
	d->suspects = xreallocarray(d->suspects, n + 1,
	    sizeof(*d->suspects));
	memset(d->suspects, 0, (n + 1) * sizeof(*d->suspects));
}

/* One printer with two addresses is told from one of them, as long as that
 * one answers. */
static void
note_elsewhere(struct device *d, bool elsewhere)
{
	if (elsewhere && !d->elsewhere)
		log_info("printer", "%s answers at another address as well",
		    device_name(d));
	d->elsewhere = elsewhere;
	if (elsewhere)
		d->dirty = true;
}

/* The image changed, or something is due: decode and tell. */
static void
device_tell(struct device *d, bool levels_read)
{
	int64_t rows[PRINTER_ROWS_MAX], now = clock_wall_ms();
	struct teller_result result;
	struct printer printer;
	char why[160], ip[INET_ADDRSTRLEN];
	enum asset_state state = ASSET_ONLINE;
	size_t i, n;

	n = printer_rows(d->image, rows, why, sizeof(why));
	if (n == 0)
		return;
	note_rows(d, rows, n);
	inet_ntop(AF_INET, &d->addr.sin_addr, ip, sizeof(ip));
	d->dirty = false;
	d->due_ms = 0;
	if (d->id == 0)
		device_save(d);
	for (i = 0; i < n && d->id != 0; i++) {
		printer_decode(d->image, rows[i], ip, now, &printer);
		state = (enum asset_state)printer.asset.state;
		if (teller_printer(d->patrol->teller, d, d->id, ip, d->zone,
		    &printer, levels_read, &d->suspects[i], &result) == -1)
			d->dirty = true;
		if (result.due_ms != 0 && (d->due_ms == 0 ||
		    result.due_ms < d->due_ms))
			d->due_ms = result.due_ms;
		note_elsewhere(d, result.elsewhere);
		if (result.read_again) {
			d->supplies_at = clock_mono_ms() +
			    (d->patrol->conf->heartbeat_ms < READ_AGAIN_MS ?
			    0 : READ_AGAIN_MS);
			d->dirty = true;
		}
		printer_clear(&printer);
	}
	if (d->id == 0)
		d->dirty = true;
	if (state != d->state)
		log_info("printer", "%s is %s", device_name(d),
		    state == ASSET_ASLEEP ? "asleep" : "awake");
	d->state = state;
	d->told = true;
}

/* --- the schedule --------------------------------------------------------------- */

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

/* A tenth of jitter, so that a fleet does not beat in step. */
static int64_t
jitter(int64_t ms)
{
	return ms - ms / 20 + (ms >= 20 ? random() % (ms / 10 + 1) : 0);
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
	int64_t after;

	after = d->misses == 0 ? d->patrol->conf->heartbeat_ms :
	    patrol_backoff_ms(d->misses, d->patrol->conf->heartbeat_ms);
	timer_set(d->patrol->loop, &d->timer,
	    rounded(clock_mono_ms() + jitter(after), after), device_visit, d);
}

/* Where the printer counts its alerts, unchanged counters mean that there
 * are no new rows; where it does not, the table is read every time
 * (printers.md 7). */
static bool
counts_alerts(const struct device *d)
{
	return d->rows_len > 0 &&
	    (bag_number(d->image, "1.3.6.1.2.1.43.5.1.1.18", 1,
	    (uint32_t)d->rows[0]) != ABSENT ||
	    bag_number(d->image, "1.3.6.1.2.1.43.5.1.1.19", 1,
	    (uint32_t)d->rows[0]) != ABSENT);
}

static unsigned
what_next(struct device *d)
{
	int64_t now = clock_mono_ms();
	unsigned what = READING_HEARTBEAT | READING_KNOWN_ALERTS;

	if (d->image == NULL || d->read_all || now >= d->assets_at)
		return READING_ALL;
	if (now >= d->supplies_at)
		what |= READING_SUPPLIES;
	if (now >= d->counters_at)
		what |= READING_COUNTERS;
	if (!counts_alerts(d))
		what |= READING_ALERTS;
	return what;
}

static void
start_reading(struct device *d, unsigned what)
{
	struct reading_target target = { .addr = d->addr };

	target.credential = &d->snmp->credential;
	target.timeout_ms = (int)d->snmp->timeout_ms;
	target.retries = (int)d->snmp->retries;
	target.standard_only = !d->snmp->private;
	d->what = what;
	d->reading = reading_start(d->patrol->asker, d->patrol->loop, &target,
	    what, what == READING_ALL ? NULL : d->image, &d->memo,
	    on_reading, d);
}

static void
device_visit(void *arg)
{
	struct device *d = arg;

	if (d->reading == NULL)
		start_reading(d, what_next(d));
}

static void
note_read(struct device *d)
{
	const struct config *conf = d->patrol->conf;
	int64_t now = clock_mono_ms();
	bool all = d->what == READING_ALL;

	if (all || (d->what & READING_SUPPLIES))
		d->supplies_at = now + jitter(conf->supplies_ms);
	if (all || (d->what & READING_COUNTERS))
		d->counters_at = now + jitter(conf->counters_ms);
	if (all) {
		d->assets_at = now + jitter(conf->assets_ms);
		d->read_all = false;
	}
}

/* --- what came of a reading ------------------------------------------------------ */

static void
probe_over(struct device *d, enum patrol_find find)
{
	void (*done)(void *, enum patrol_find) = d->done;

	d->done = NULL;
	if (done != NULL)
		done(d->done_arg, find);
}

/* A stranger that is none of ours: remembered with its reason, not polled. */
static void
let_go(struct device *d)
{
	d->printer = false;
	bag_free(d->image);
	d->image = NULL;
	d->read_all = true;
	timer_clear(d->patrol->loop, &d->timer);
	device_save(d);
}

static void
on_silent(struct device *d)
{
	if (!d->printer) {
		const struct config_snmp *other = config_snmp_for(
		    d->patrol->conf, ntohl(d->addr.sin_addr.s_addr),
		    ++d->snmp_nth);

		if (other != NULL) {
			d->snmp = other;
			memset(&d->memo, 0, sizeof(d->memo));
			start_reading(d, READING_ALL);
			return;
		}
		/* What answered nonsense is kept, so that this is said once. */
		probe_over(d, d->find);
		if (d->id == 0 && d->why == NULL)
			device_drop(d);
		return;
	}
	if (++d->misses == MISSES) {
		log_info("printer", "%s is unreachable", device_name(d));
		d->state = ASSET_UNREACHABLE;
		d->dirty = true;
	}
	/* Whatever comes back may be another machine, or have restarted. */
	d->read_all = true;
	if (d->misses >= MISSES && d->dirty) {
		d->dirty = false;
		if (d->id == 0)
			device_save(d);
		if (d->id != 0 && teller_unreachable(d->patrol->teller, d,
		    d->id, d->rows, d->rows_len) == -1)
			d->dirty = true;
	}
	schedule(d);
}

static void
on_stranger(struct device *d, const char *why)
{
	int64_t rows[PRINTER_ROWS_MAX];
	size_t i, n = d->rows_len;

	device_complain(d, READING_NO_PRINTER, why);
	if (!d->printer) {
		let_go(d);
		probe_over(d, PATROL_STRANGER);
		return;
	}
	/* Asleep, some printers hide their printer rows for a while. */
	if (++d->strange < STRANGE) {
		d->read_all = true;
		schedule(d);
		return;
	}
	for (i = 0; i < n; i++)
		rows[i] = d->rows[i];
	(void)teller_unreachable(d->patrol->teller, d, d->id, rows, n);
	let_go(d);
}

/* What was held back is due; or its time is so far off that the clock must
 * have been set back. */
static bool
is_due(const struct device *d)
{
	const struct config *conf = d->patrol->conf;
	int64_t wait = d->due_ms - clock_wall_ms();

	return d->due_ms != 0 && (wait <= 0 || wait > (conf->counters_ms >
	    conf->supplies_ms ? conf->counters_ms : conf->supplies_ms));
}

/* What a part that was read makes worth reading at once; 0 is nothing. */
static unsigned
follow_up(const struct device *d, const struct reading_result *r)
{
	if (d->what == READING_ALL)
		return 0;
	if (r->restarted)
		return READING_ALL;
	if (r->alerts_moved && !(d->what & READING_ALERTS))
		return READING_ALERTS | READING_SUPPLIES;
	return 0;
}

static void
on_values(struct device *d, struct reading_result *r)
{
	bool changed, first = !d->printer;
	unsigned next;

	if (d->image == NULL)
		d->image = bag_new();
	/* A walk that broke off says nothing of what it did not reach; but a
	 * printer that never gets further has no more than that. */
	if (r->why[0] != '\0' && d->odd < STRANGE && ++d->odd < STRANGE)
		changed = bag_merge(d->image, r->fresh, NULL, 0);
	else
		changed = bag_merge(d->image, r->fresh, r->covered,
		    r->covered_len);
	d->printer = true;
	d->strange = 0;
	if (r->why[0] != '\0')
		device_complain(d, r->status, r->why);
	else if (d->what == READING_ALL)
		device_content(d);
	if (first)
		device_save(d);
	if (d->misses >= MISSES) {
		log_info("printer", "%s answers again", device_name(d));
		d->state = ASSET_ONLINE;
		changed = true;
	}
	d->misses = 0;
	note_read(d);
	if ((next = follow_up(d, r)) != 0) {
		/* Half a change is no change: it is told when the rest is
		 * there as well. */
		d->dirty |= changed;
		start_reading(d, next);
	} else {
		if (changed || d->dirty || !d->told || is_due(d))
			device_tell(d, d->what == READING_ALL ||
			    (d->what & READING_SUPPLIES));
		schedule(d);
	}
	probe_over(d, PATROL_PRINTER);
}

static void
on_reading(void *arg, struct reading_result *r)
{
	struct device *d = arg;

	d->reading = NULL;
	d->asked = true;
	d->patrol->traffic.bytes_out += r->traffic.bytes_out;
	d->patrol->traffic.bytes_in += r->traffic.bytes_in;
	if (r->status != READING_SILENT) {
		d->memo = r->memo;
		d->seen_ms = clock_wall_ms();
	}
	switch (r->status) {
	case READING_DONE:
		on_values(d, r);
		break;
	case READING_NO_PRINTER:
		on_stranger(d, r->why);
		break;
	case READING_DENIED:
	case READING_BROKEN:
		device_complain(d, r->status, r->why);
		d->find = r->status == READING_DENIED ? PATROL_DENIED :
		    PATROL_UNREADABLE;
		/* FALLTHROUGH */
	case READING_SILENT:
		on_silent(d);
		break;
	}
	bag_free(r->fresh);
}

/* --- exports ---------------------------------------------------------------------- */

struct patrol *
patrol_new(struct loop *loop, const struct config *conf, struct store *store,
    void (*written)(void *), void *arg)
{
	struct patrol *patrol;

	vendor_load(vendor_installed(), conf->vendors != NULL ?
	    conf->vendors : VENDOR_OWN, NULL, NULL);
	log_info("vendor", "%zu files about makers", vendor_count());
	patrol = xcalloc(1, sizeof(*patrol));
	patrol->loop = loop;
	patrol->conf = conf;
	patrol->store = store;
	patrol->written = written;
	patrol->arg = arg;
	patrol->asker = asker_new(loop, OPEN_MAX_TALKS);
	patrol->teller = teller_new(loop, store, conf, on_written, on_settled,
	    on_alive, patrol);
	return patrol;
}

void
patrol_free(struct patrol *patrol)
{
	size_t i;

	if (patrol == NULL)
		return;
	teller_free(patrol->teller);
	for (i = 0; i < DEVICE_BUCKETS; i++)
		while (patrol->devices.bucket[i] != NULL)
			device_drop(patrol->devices.bucket[i]);
	asker_free(patrol->asker);
	free(patrol);
}

static const struct config_snmp *
snmp_named(const struct config *conf, uint32_t address, const char *name)
{
	const struct config_snmp *snmp;
	size_t n;

	for (n = 0; (snmp = config_snmp_for(conf, address, n)) != NULL; n++)
		if (name == NULL || strcmp(snmp->credential.name, name) == 0)
			return snmp;
	return config_snmp_for(conf, address, 0);
}

/* Is the address one that the configuration names?  A host that it calls by
 * name may be any. */
static bool
is_wanted(const struct config *conf, uint32_t address)
{
	struct range range;
	struct in_addr in;
	char why[128], *item;
	size_t i;

	for (i = 0; i < conf->exclude.count; i++)
		if (range_parse(conf->exclude.item[i], &range, why,
		    sizeof(why)) == 0 && range_has(&range, address))
			return false;
	for (i = 0; i < conf->networks.count; i++)
		if (range_parse(conf->networks.item[i], &range, why,
		    sizeof(why)) == 0 && range_has(&range, address))
			return true;
	for (i = 0; i < conf->hosts.count; i++) {
		item = xstrndup(conf->hosts.item[i],
		    strcspn(conf->hosts.item[i], ":"));
		if (inet_pton(AF_INET, item, &in) != 1 ||
		    ntohl(in.s_addr) == address) {
			free(item);
			return true;
		}
		free(item);
	}
	return false;
}

static void
take_up(void *arg, const struct known_device *row)
{
	struct patrol *patrol = arg;
	struct sockaddr_in addr;
	struct device *d;
	char why[128];

	if (!row->printer || host_parse(row->address, 161, &addr, why,
	    sizeof(why)) == -1)
		return;
	d = device_add(patrol, &addr, row->zone);
	d->id = row->id;
	d->seen_ms = row->seen_ms;
	d->snmp = snmp_named(patrol->conf, ntohl(addr.sin_addr.s_addr),
	    row->credentials);
	if (d->snmp == NULL || !is_wanted(patrol->conf,
	    ntohl(addr.sin_addr.s_addr))) {
		d->unwanted = true;
		return;
	}
	d->memo.version = (uint8_t)row->version;
	d->memo.varbinds = (uint8_t)row->varbinds;
	d->memo.jetdirect = row->jetdirect != 0;
	d->printer = true;
	/* One visit each, soon but not all at once. */
	timer_after(patrol->loop, &d->timer, random() %
	    (patrol->conf->heartbeat_ms / 2 + 1), device_visit, d);
}

/* So that a printer which never answers again can still be told gone. */
static void
note_asset(void *arg, const struct known_asset *asset)
{
	struct patrol *patrol = arg;
	int64_t rows[PRINTER_ROWS_MAX];
	struct device *d;
	size_t i, n;

	for (i = 0; asset->device != 0 && i < DEVICE_BUCKETS; i++)
		for (d = patrol->devices.bucket[i]; d != NULL; d = d->next) {
			if (d->id != asset->device ||
			    d->rows_len == PRINTER_ROWS_MAX)
				continue;
			n = d->rows_len;
			memcpy(rows, d->rows, n * sizeof(*rows));
			rows[n] = asset->row;
			note_rows(d, rows, n + 1);
		}
}

/* Nobody will look at it again, so nobody can say that it is well. */
static void
give_up(struct device *d)
{
	struct store *st;

	log_info("printer", "%s is not in the configuration any more",
	    device_name(d));
	(void)teller_unreachable(d->patrol->teller, NULL, d->id, d->rows,
	    d->rows_len);
	if ((st = teller_store(d->patrol->teller)) != NULL)
		(void)known_drop_device(st, d->id);
	device_drop(d);
}

void
patrol_start(struct patrol *patrol)
{
	struct device *d, *next;
	size_t i;

	(void)known_each_device(patrol->store, take_up, patrol);
	(void)known_each_asset(patrol->store, note_asset, patrol);
	for (i = 0; i < DEVICE_BUCKETS; i++)
		for (d = patrol->devices.bucket[i]; d != NULL; d = next) {
			next = d->next;
			if (d->unwanted)
				give_up(d);
		}
}

void
patrol_count(const struct patrol *patrol, struct patrol_counts *out)
{
	const struct device *d;
	size_t i;

	*out = patrol->traffic;
	for (i = 0; i < DEVICE_BUCKETS; i++)
		for (d = patrol->devices.bucket[i]; d != NULL; d = d->next) {
			if (d->elsewhere)
				continue;
			if (!d->printer)
				out->others += d->id != 0;
			else if (d->state == ASSET_ONLINE)
				out->online++;
			else if (d->state == ASSET_ASLEEP)
				out->asleep++;
			else
				out->unreachable++;
		}
}

void
patrol_whole(struct patrol *patrol)
{
	(void)teller_whole(patrol->teller);
}

void
patrol_tell_agent(struct patrol *patrol, struct agent *agent)
{
	(void)teller_agent(patrol->teller, agent);
}

bool
patrol_has(const struct patrol *patrol, const struct sockaddr_in *addr)
{
	const struct device *d = device_find(&patrol->devices, addr);

	return d != NULL && (d->printer || d->reading != NULL);
}

void
patrol_probe(struct patrol *patrol, const struct sockaddr_in *addr,
    const char *zone, void (*done)(void *, enum patrol_find), void *arg)
{
	const struct config_snmp *snmp;
	struct device *d;

	snmp = config_snmp_for(patrol->conf, ntohl(addr->sin_addr.s_addr), 0);
	d = device_find(&patrol->devices, addr);
	if (snmp == NULL || (d != NULL && (d->printer || d->reading != NULL))) {
		done(arg, d != NULL ? PATROL_PRINTER : PATROL_SILENT);
		return;
	}
	if (d == NULL)
		d = device_add(patrol, addr, zone);
	d->snmp = snmp;
	d->snmp_nth = 0;
	d->done = done;
	d->done_arg = arg;
	d->find = PATROL_SILENT;
	start_reading(d, READING_ALL);
}
