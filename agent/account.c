#include "agent/account.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/known.h"
#include "agent/visit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/printer.h"

#define READ_AGAIN_MS	10000	/* a suspected replacement is looked at */

void
account_save(struct device *d)
{
	struct known_device row = { .id = d->id };
	char memo[MEMO_TEXT_MAX];
	struct store *st;

	row.address = xstrdup(device_name(d));
	row.zone = xstrdup_null(d->zone);
	row.credentials = xstrdup(d->snmp == NULL ? "" :
	    d->snmp->credential.name);
	row.memo = xstrdup(memo_format(&d->memo, memo));
	row.printer = d->printer;
	row.why = d->printer ? NULL : xstrdup_null(d->why);
	row.seen_ms = d->seen_ms;
	teller_remember(d->patrol->teller, d);
	if ((st = teller_store(d->patrol->teller)) != NULL &&
	    known_put_device(st, &row) == 0)
		device_set_id(&d->patrol->devices, d, row.id);
	d->saved_memo = d->memo;
	d->saved_ms = d->seen_ms;
	known_device_clear(&row);
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

/* Scans and faxes move no page counter. */
static bool
counts_no_pages(const struct asset *asset)
{
	size_t i;

	for (i = 0; i < asset->counters_len; i++)
		if (strncmp(asset->counters[i].name, "scan", 4) == 0 ||
		    strncmp(asset->counters[i].name, "fax", 3) == 0)
			return true;
	return false;
}

static void
tell_row(struct device *d, size_t i, const char *ip, bool levels_read)
{
	struct patrol *patrol = d->patrol;
	struct change_suspects suspects;
	struct teller_result result;
	struct printer printer;

	printer_decode(d->image, device_rows(d)[i], ip, clock_wall_ms(),
	    &printer);
	d->tiers.blind |= counts_no_pages(&printer.asset);
	recall_get(device_recall(d, i), &suspects);
	if (teller_printer(patrol->teller, d, d->id, ip, d->zone, &printer,
	    levels_read, &suspects, &result) == -1)
		d->dirty = true;
	recall_put(device_recall(d, i), &suspects);
	if (result.due_ms != 0 && (d->due_ms == 0 ||
	    result.due_ms < d->due_ms))
		d->due_ms = result.due_ms;
	note_elsewhere(d, result.elsewhere);
	if (result.read_again) {
		tiers_levels_at(&d->tiers, clock_mono_ms() +
		    (patrol->conf->heartbeat_ms < READ_AGAIN_MS ? 0 :
		    READ_AGAIN_MS));
		d->dirty = true;
	}
	printer_clear(&printer);
}

void
account_tell(struct device *d, bool levels_read)
{
	char ip[INET_ADDRSTRLEN];
	enum asset_state state;
	size_t i;

	if (d->rows_len == 0)
		return;
	inet_ntop(AF_INET, &d->addr.sin_addr, ip, sizeof(ip));
	d->dirty = false;
	d->due_ms = 0;
	d->tiers.blind = false;
	if (d->id == 0)
		account_save(d);
	for (i = 0; i < d->rows_len && d->id != 0; i++)
		tell_row(d, i, ip, levels_read);
	if (d->id == 0)
		d->dirty = true;
	state = d->tiers.signs.asleep ? ASSET_ASLEEP : ASSET_ONLINE;
	if (state != d->state)
		log_info("printer", "%s is %s", device_name(d),
		    state == ASSET_ASLEEP ? "asleep" : "awake");
	d->state = state;
	d->told = true;
}

/* What was held back is due; or its time is so far off that the clock must
 * have been set back. */
bool
account_is_due(const struct device *d)
{
	const struct config *conf = d->patrol->conf;
	int64_t wait = d->due_ms - clock_wall_ms();

	return d->due_ms != 0 && (wait <= 0 || wait > (conf->counters_ms >
	    conf->supplies_ms ? conf->counters_ms : conf->supplies_ms));
}

void
account_unreachable(struct device *d)
{
	d->dirty = false;
	if (d->id == 0)
		account_save(d);
	if (d->id == 0 || teller_unreachable(d->patrol->teller, d, d->id,
	    device_rows(d), d->rows_len) == -1)
		d->dirty = true;
}
