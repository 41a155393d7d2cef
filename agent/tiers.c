#include "agent/tiers.h"

#include <stdlib.h>
#include <string.h>

#include "schema/record.h"
#include "snmp/reading.h"
#include "snmp/standard.h"

/* Of hrPrinterDetectedErrorState's first two octets (RFC 2790: the first bit
 * is the highest): lowToner, noToner; markerSupplyMissing. */
#define FIRST_BITS	0x30
#define SECOND_BITS	0x20

#define STATUS_RUNNING		2	/* hrDeviceStatus */
#define STATUS_OTHER		1	/* hrPrinterStatus */
#define SEVERITY_UNARY		4	/* prtAlertSeverityLevel */

static const struct objid printer_mib = { 7, { 1, 3, 6, 1, 2, 1, 43 } };
static const struct objid alert_code = { 11,
    { 1, 3, 6, 1, 2, 1, 43, 18, 1, 1, 7 } };

void
tiers_init(struct tiers *t)
{
	memset(t, 0, sizeof(*t));
	t->all = true;
	t->signs.life = t->counters_life = ABSENT;
}

/* --- signs -------------------------------------------------------------------- */

/* The pages of all markers.  ABSENT when there is no count. */
static int64_t
pages(const struct bag *image, uint32_t row)
{
	struct bag_value value;
	struct objid prefix, id;
	int64_t sum = ABSENT;
	size_t cursor = 0;

	(void)objid_parse(STD_MARKER_LIFE, &prefix);
	objid_add(&prefix, row);
	while (bag_next(image, &prefix, &cursor, &id, &value))
		if (value.type != BAG_OCTETS)
			sum = (sum == ABSENT ? 0 : sum) + value.number;
	return sum;
}

static uint8_t
supply_bits(const struct bag *image, uint32_t row)
{
	struct bag_value value;
	uint8_t bits = 0;

	if (!bag_octets(image, &value, STD_PRINTER_ERRORS, 1, row))
		return 0;
	if (value.octets_len > 0)
		bits = value.octets[0] & FIRST_BITS;
	if (value.octets_len > 1)
		bits |= (value.octets[1] & SECOND_BITS) >> 5;
	return bits;
}

/* A row that is there until its trouble is over, unlike that of an event. */
static bool
alerts_stand(const struct bag *image)
{
	struct bag_value value;
	struct objid prefix, id;
	size_t cursor = 0;

	(void)objid_parse(STD_ALERT_SEVERITY, &prefix);
	while (bag_next(image, &prefix, &cursor, &id, &value))
		if (value.number != SEVERITY_UNARY)
			return true;
	return false;
}

/* FNV-1a, to see that something is not what it was. */
static void
add_state(uint32_t *sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		*sum = (*sum ^ *p++) * UINT32_C(16777619);
}

static void
look_at_state(const struct bag *image, uint32_t row,
    struct tiers_signs *out)
{
	int64_t device = bag_number(image, STD_DEVICE_STATUS, 1, row);
	int64_t printer = bag_number(image, STD_PRINTER_STATUS, 1, row);
	struct bag_value errors;

	add_state(&out->state, &device, sizeof(device));
	add_state(&out->state, &printer, sizeof(printer));
	if (bag_octets(image, &errors, STD_PRINTER_ERRORS, 1, row))
		add_state(&out->state, errors.octets, errors.octets_len);
	/* RFC 3805: standby is running with a status of other. */
	if (device != STATUS_RUNNING || printer != STATUS_OTHER)
		out->asleep = false;
}

static bool
has_any(const struct bag *image, const struct objid *prefix)
{
	struct objid id;
	size_t cursor = 0;

	return bag_next(image, prefix, &cursor, &id, NULL);
}

void
tiers_look(const struct bag *image, const int64_t *rows, size_t n,
    struct tiers_signs *out)
{
	int64_t more;
	uint32_t row;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->life = ABSENT;
	out->asleep = out->alerts_counted = n > 0;
	for (i = 0; i < n; i++) {
		row = (uint32_t)rows[i];
		if ((more = pages(image, row)) != ABSENT)
			out->life = (out->life == ABSENT ? 0 : out->life) +
			    more;
		out->supply_bits = out->supply_bits * 256 +
		    supply_bits(image, row);
		look_at_state(image, row, out);
		if (bag_number(image, STD_CRITICAL_EVENTS, 1, row) == ABSENT &&
		    bag_number(image, STD_ALL_EVENTS, 1, row) == ABSENT)
			out->alerts_counted = false;
	}
	/* Label printers may have nothing of it. */
	out->alertless = n > 0 && !out->alerts_counted &&
	    !has_any(image, &printer_mib);
	out->alerts_stand = alerts_stand(image);
	out->alerts_listed = has_any(image, &alert_code);
}

/* --- decisions ------------------------------------------------------------------ */

/* What is turned at the panel, by somebody who stands there, is looked at
 * even if the printer says that it sleeps. */
static bool
levels_due(const struct tiers *t, int64_t now_ms)
{
	return t->edge || (now_ms >= t->levels_at && !t->signs.asleep);
}

/*
 * Where no page came out since they were read they cannot have moved, but
 * for those that count something else.
 */
static bool
counters_due(const struct tiers *t, int64_t now_ms)
{
	if (now_ms < t->counters_at || t->signs.asleep)
		return false;
	return t->blind || t->signs.life == ABSENT ||
	    t->signs.life != t->counters_life ||
	    now_ms - t->counters_ms >= TIERS_DAY_MS;
}

static bool
all_due(const struct tiers *t, int64_t now_ms)
{
	return t->all || (now_ms >= t->assets_at && (!t->signs.asleep ||
	    now_ms - t->assets_ms >= TIERS_DAY_MS));
}

static unsigned
parts_due(const struct tiers *t, int64_t now_ms)
{
	return (levels_due(t, now_ms) ? READING_SUPPLIES : 0) |
	    (counters_due(t, now_ms) ? READING_COUNTERS : 0);
}

unsigned
tiers_visit(const struct tiers *t, int64_t now_ms)
{
	unsigned what = READING_HEARTBEAT;

	if (all_due(t, now_ms))
		return READING_ALL;
	if (t->signs.asleep)
		return what;
	what |= parts_due(t, now_ms);
	/* Where alerts are not counted only the table tells of new ones; of
	 * an empty one a single column does. */
	if (t->signs.alertless)
		return what;
	if (!t->signs.alerts_counted)
		what |= t->signs.alerts_listed ? READING_ALERTS :
		    READING_ANY_ALERTS;
	else if (t->signs.alerts_stand)
		what |= READING_KNOWN_ALERTS;
	return what;
}

static void
note_read(struct tiers *t, unsigned what, const struct config *conf,
    int64_t now_ms)
{
	if (what & (READING_ALL | READING_SUPPLIES)) {
		t->levels_ms = now_ms;
		t->levels_at = now_ms + tiers_jitter(conf->supplies_ms);
		t->edge = false;
	}
	if (what & (READING_ALL | READING_COUNTERS)) {
		t->counters_ms = now_ms;
		t->counters_life = t->signs.life;
		t->counters_at = now_ms + tiers_jitter(conf->counters_ms);
	}
	if (what & READING_ALL) {
		t->assets_ms = now_ms;
		t->assets_at = now_ms + tiers_jitter(conf->assets_ms);
		t->all = false;
	}
}

/* Pages cost toner, but not much in a minute. */
static void
note_signs(struct tiers *t, const struct tiers_news *news,
    const struct config *conf)
{
	const struct tiers_signs *signs = &news->signs;
	int64_t pause = conf->supplies_ms < TIERS_LIFE_MS ?
	    conf->supplies_ms : TIERS_LIFE_MS;

	if (signs->supply_bits != t->signs.supply_bits)
		t->edge = true;
	if (news->supplies_moved || signs->life != t->signs.life)
		tiers_levels_at(t, t->levels_ms + pause);
	t->signs = *signs;
}

unsigned
tiers_news(struct tiers *t, const struct tiers_news *news,
    const struct config *conf, int64_t now_ms)
{
	unsigned more = 0;

	note_signs(t, news, conf);
	note_read(t, news->what, conf, now_ms);
	if (news->what & READING_ALL)
		return 0;
	if (news->restarted) {
		t->all = true;
		return READING_ALL;
	}
	if (news->alerts_moved && !t->signs.alertless &&
	    (news->what & (READING_ALERTS | READING_ANY_ALERTS)) == 0 &&
	    (t->signs.alerts_counted || !t->signs.asleep)) {
		more |= READING_ALERTS;
		/* Most alerts are about something that is used up. */
		if (!t->signs.asleep && now_ms - t->levels_ms >=
		    (conf->supplies_ms < TIERS_LIFE_MS ? conf->supplies_ms :
		    TIERS_LIFE_MS))
			more |= READING_SUPPLIES;
	}
	if ((news->what & READING_ANY_ALERTS) && news->signs.alerts_listed)
		more |= READING_ALERTS;
	return (more | parts_due(t, now_ms)) & ~news->what;
}

void
tiers_levels_at(struct tiers *t, int64_t at_ms)
{
	if (at_ms < t->levels_at)
		t->levels_at = at_ms;
}

int64_t
tiers_pause(const struct tiers *t, const struct config *conf)
{
	return t->signs.asleep ? TIERS_ASLEEP * conf->heartbeat_ms :
	    conf->heartbeat_ms;
}

int64_t
tiers_jitter(int64_t ms)
{
	return ms - ms / 20 + (ms >= 20 ? random() % (ms / 10 + 1) : 0);
}
