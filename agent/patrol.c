#include "agent/patrol.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/known.h"
#include "agent/remit.h"
#include "agent/visit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/vendor.h"

/* Requests that are on their way at once.  Silence holds a place for as long as
 * its tries take: a building that is switched off must not keep the others
 * waiting. */
#define OPEN_MAX_TALKS	1024
#define SPREAD_MAX_MS	(10 * 60 * 1000)	/* of the first visits */

/* --- what the teller asks --------------------------------------------------------- */

static void
on_settled(void *arg, void *token, bool ok)
{
	struct patrol *patrol = arg;
	struct device *d = token;

	if (ok)
		return;
	/* Its row may be lost as well: it is written again, by address. */
	device_set_id(&patrol->devices, d, 0);
	visit_lost(d);
}

/* One that we have not asked since we started may answer: its asset stays
 * where it is until we know.  One that says that it is another asset's second
 * address does not answer as its own: two may have changed places. */
static bool
on_alive(void *arg, int64_t id)
{
	struct patrol *patrol = arg;
	struct device *d = device_by_id(&patrol->devices, id);

	return d != NULL && d->printer && d->misses == 0 && !d->elsewhere &&
	    (!d->asked || clock_wall_ms() - d->seen_ms <
	    3 * TIERS_ASLEEP * patrol->conf->heartbeat_ms);
}

static void
on_written(void *arg)
{
	struct patrol *patrol = arg;

	patrol->written(patrol->arg);
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
	patrol->ladder = ladder_new(conf);
	patrol->teller = teller_new(loop, store, conf, on_written, on_settled,
	    on_alive, patrol);
	return patrol;
}

static void
drop_one(void *arg, struct device *d)
{
	visit_drop(d);
}

void
patrol_free(struct patrol *patrol)
{
	if (patrol == NULL)
		return;
	teller_free(patrol->teller);
	patrol->teller = NULL;
	device_each(&patrol->devices, drop_one, NULL);
	device_table_clear(&patrol->devices);
	ladder_free(patrol->ladder);
	asker_free(patrol->asker);
	free(patrol);
}

/* --- the start ---------------------------------------------------------------------- */

struct start {
	struct patrol	*patrol;
	struct remit	*remit;
};

/* As the store writes it: "10.0.0.5:161". */
static bool
parse_address(const char *text, struct sockaddr_in *out)
{
	char ip[INET_ADDRSTRLEN], *end;
	size_t len = strcspn(text, ":");
	unsigned long port;

	if (text[len] != ':' || len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	port = strtoul(text + len + 1, &end, 10);
	memset(out, 0, sizeof(*out));
	out->sin_family = AF_INET;
	out->sin_port = htons((uint16_t)port);
	return *end == '\0' && port > 0 && port <= UINT16_MAX &&
	    inet_pton(AF_INET, ip, &out->sin_addr) == 1;
}

/* Was this learnt in a version that the section still speaks? */
static bool
is_of(const struct device_memo *memo, const struct credential *credential)
{
	return credential->version == 0 ? memo->version < 3 :
	    memo->version == credential->version;
}

/* The section that it answered to, unless the INI has it no more. */
static void
take_credentials(struct device *d, const struct known_device *row)
{
	const struct ladder *ladder = d->patrol->ladder;
	uint32_t address = ntohl(d->addr.sin_addr.s_addr);

	if (row->credentials != NULL)
		d->snmp = ladder_named(ladder, address, row->credentials);
	if (d->snmp == NULL) {
		d->snmp = ladder_rung(ladder, address, 0);
		return;
	}
	memo_parse(row->memo == NULL ? "" : row->memo, &d->memo);
	d->saved_memo = d->memo;
	if (!is_of(&d->memo, &d->snmp->credential))
		memset(&d->memo, 0, sizeof(d->memo));
}

static void
take_known(void *arg, const struct known_device *row)
{
	struct start *start = arg;
	struct patrol *patrol = start->patrol;
	int64_t spread = patrol->conf->heartbeat_ms;
	struct sockaddr_in addr;
	struct device *d;

	if (!parse_address(row->address, &addr) ||
	    device_find(&patrol->devices, &addr) != NULL)
		return;
	d = device_new(&patrol->devices, &addr, row->zone);
	d->patrol = patrol;
	device_set_id(&patrol->devices, d, row->id);
	d->seen_ms = d->saved_ms = row->seen_ms;
	take_credentials(d, row);
	d->unwanted = d->snmp == NULL || !remit_has(start->remit,
	    ntohl(addr.sin_addr.s_addr), row->zone);
	d->printer = row->printer != 0;
	if (!d->printer) {
		d->why = xstrdup_null(row->why);
		d->said = UINT8_MAX;	/* before we were started */
	} else if (!d->unwanted)
		/* One visit each, soon but not all at once. */
		visit_soon(d, spread < SPREAD_MAX_MS ? spread :
		    SPREAD_MAX_MS);
	device_count(&patrol->devices, d);
}

/* So that a printer which never answers again can still be told gone. */
static void
note_asset(void *arg, const struct known_asset *asset)
{
	struct patrol *patrol = arg;
	int64_t rows[PRINTER_ROWS_MAX];
	struct device *d;

	d = device_by_id(&patrol->devices, asset->device);
	if (d == NULL || d->rows_len == PRINTER_ROWS_MAX)
		return;
	memcpy(rows, device_rows(d), d->rows_len * sizeof(*rows));
	rows[d->rows_len] = asset->row;
	device_note_rows(d, rows, d->rows_len + 1u);
}

/* Nobody will look at it again, so nobody can say that it is well. */
static void
give_up(void *arg, struct device *d)
{
	struct patrol *patrol = arg;
	struct store *st;

	if (!d->unwanted)
		return;
	if (d->printer) {
		log_info("printer", "%s is not in the configuration any more",
		    device_name(d));
		(void)teller_unreachable(patrol->teller, NULL, d->id,
		    device_rows(d), d->rows_len);
	}
	if ((st = teller_store(patrol->teller)) != NULL)
		(void)known_drop_device(st, d->id);
	visit_drop(d);
}

void
patrol_start(struct patrol *patrol)
{
	struct start start = { patrol, remit_new(patrol->conf) };

	(void)known_each_device(patrol->store, take_known, &start);
	(void)known_each_asset(patrol->store, note_asset, patrol);
	device_each(&patrol->devices, give_up, patrol);
	remit_free(start.remit);
}

/* --- questions and orders ------------------------------------------------------------ */

void
patrol_count(const struct patrol *patrol, struct patrol_counts *out)
{
	const size_t *of = patrol->devices.of_class;

	out->online = (int64_t)of[DEVICE_ONLINE];
	out->asleep = (int64_t)of[DEVICE_ASLEEP];
	out->unreachable = (int64_t)of[DEVICE_UNREACHABLE];
	out->others = (int64_t)of[DEVICE_OTHER];
	out->bytes_out = patrol->bytes_out;
	out->bytes_in = patrol->bytes_in;
}

void
patrol_whole(struct patrol *patrol)
{
	teller_whole(patrol->teller);
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
	struct device *d = device_find(&patrol->devices, addr);

	if (d != NULL && (d->printer || d->reading != NULL)) {
		done(arg, PATROL_PRINTER);
		return;
	}
	if (ladder_rung(patrol->ladder, ntohl(addr->sin_addr.s_addr), 0) ==
	    NULL) {
		done(arg, PATROL_SILENT);
		return;
	}
	if (d == NULL) {
		d = device_new(&patrol->devices, addr, zone);
		d->patrol = patrol;
	}
	d->probe = xcalloc(1, sizeof(*d->probe));
	d->probe->done = done;
	d->probe->done_arg = arg;
	visit_probe(d);
}

bool
patrol_met(const struct patrol *patrol, const struct sockaddr_in *addr,
    int64_t since_ms)
{
	const struct device *d = device_find(&patrol->devices, addr);

	return d != NULL && (d->printer || d->seen_ms >= since_ms);
}

bool
patrol_forget(struct patrol *patrol, const struct sockaddr_in *addr,
    int64_t since_ms)
{
	struct device *d = device_find(&patrol->devices, addr);

	if (d == NULL)
		return true;
	if (d->reading != NULL || patrol_met(patrol, addr, since_ms))
		return false;
	visit_drop(d);
	return true;
}

bool
patrol_wake(struct patrol *patrol, struct in_addr from)
{
	struct device *d = NULL;
	bool any = false;

	while ((d = device_at(&patrol->devices, from, d)) != NULL)
		if (d->printer) {
			visit_wake(d);
			any = true;
		}
	return any;
}

bool
patrol_knows(const struct patrol *patrol, struct in_addr from)
{
	const struct device *d = NULL;

	while ((d = device_at(&patrol->devices, from, d)) != NULL)
		if (d->printer)
			return true;
	return false;
}
