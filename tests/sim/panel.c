#include "tests/sim/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/ber.h"

#define PRT	"1.3.6.1.2.1.43."
#define HR	"1.3.6.1.2.1.25."
#define CONFIG_CHANGES	PRT "5.1.1.1"
#define CRITICAL_EVENTS	PRT "5.1.1.18"
#define ALL_EVENTS	PRT "5.1.1.19"
#define LIFE_COUNT	PRT "10.2.1.4"
#define POWER_ON_COUNT	PRT "10.2.1.5"
#define SUPPLY_TEXT	PRT "11.1.1.6"
#define SUPPLY_MAX	PRT "11.1.1.8"
#define SUPPLY_LEVEL	PRT "11.1.1.9"
#define ALERTS		PRT "18.1.1"
#define DEVICE_STATUS	HR "3.2.1.5"
#define PRINTER_STATUS	HR "3.5.1.1"
#define ERROR_STATE	HR "3.5.1.2"

enum { ALERT_SEVERITY = 2, ALERT_TRAINING, ALERT_GROUP, ALERT_GROUP_INDEX,
    ALERT_LOCATION, ALERT_CODE, ALERT_TEXT, ALERT_TIME };
enum { CRITICAL = 3 };
enum { CODE_REMOVAL = 1801, GROUP_SUPPLIES = 11 };

static struct oid
object(const char *column, uint32_t row)
{
	struct oid id = { 0 };

	if (oid_parse(column, &id) == 0)
		id.sub[id.len++] = row;
	return id;
}

static struct oid
object2(const char *column, uint32_t row, uint32_t sub_row)
{
	struct oid id = object(column, row);

	id.sub[id.len++] = sub_row;
	return id;
}

static uint32_t
printer_row(const struct device *d)
{
	return d->view.walk->printer_row;
}

struct oid
panel_alert_cell(const struct device *d, uint32_t column, uint32_t index)
{
	struct oid id = object2(ALERTS, column, printer_row(d));

	id.sub[id.len++] = index;
	return id;
}

int
panel_bits(const char *text, uint16_t *bits)
{
	static const char *const names[] = { "lowPaper", "noPaper",
	    "lowToner", "noToner", "doorOpen", "jammed", "offline",
	    "serviceRequested", "inputTrayMissing", "outputTrayMissing",
	    "markerSupplyMissing", "outputNearFull", "outputFull",
	    "inputTrayEmpty", "overduePreventMaint" };
	size_t len, i, count = sizeof(names) / sizeof(*names);
	char *end;

	*bits = 0;
	if (strlen(text) == 4) {
		*bits = (uint16_t)strtoul(text, &end, 16);
		if (*end == '\0')
			return 0;
	}
	for (*bits = 0; *text != '\0'; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		for (i = 0; i < count; i++)
			if (strlen(names[i]) == len &&
			    memcmp(names[i], text, len) == 0)
				break;
		if (i == count)
			return -1;
		/* bit 0 is the most significant of the first octet */
		*bits |= (uint16_t)(0x8000u >> i);
	}
	return 0;
}

/* Where a value stands in the walk, below everything that was done to it. */
static int64_t
rest_number(const struct device *d, const struct oid *id, int64_t otherwise)
{
	const struct value *v = walk_find(d->view.walk, id->sub, id->len);
	int64_t n;

	return v != NULL && value_number(v, &n) == 0 ? n : otherwise;
}

static uint16_t
rest_bits(const struct device *d, const struct oid *id, size_t *len)
{
	const struct value *v = walk_find(d->view.walk, id->sub, id->len);
	uint16_t bits = 0;

	*len = 1;
	if (v == NULL || v->tag != BER_OCTETS)
		return 0;
	*len = v->body_len;
	if (v->body_len > 0)
		bits = (uint16_t)(v->body[0] << 8);
	if (v->body_len > 1)
		bits |= v->body[1];
	return bits;
}

static void
set_if_other(struct device *d, struct truth *truth, const char *what,
    const struct oid *id, int64_t number)
{
	int64_t was;

	if (device_number(d, id, &was) < 0 || was != number)
		device_set_number(d, truth, what, id, BER_INTEGER, number);
}

/* hrDeviceStatus, hrPrinterStatus and the error bits follow from what the
 * walk says at rest and from the alerts that stand (RFC 3805 section 2.2.13.2).
 */
static void
show_status(struct device *d, struct truth *truth, const char *what)
{
	uint32_t row = printer_row(d);
	struct oid status = object(DEVICE_STATUS, row);
	struct oid printer = object(PRINTER_STATUS, row);
	struct oid errors = object(ERROR_STATE, row);
	const struct value *v;
	bool critical = false, any = false;
	uint8_t octets[2];
	uint16_t bits;
	size_t len, i;

	bits = rest_bits(d, &errors, &len);
	for (i = 0; i < d->raised_len; i++) {
		if (d->raised[i].bits == 0)
			continue;
		bits |= d->raised[i].bits;
		critical |= d->raised[i].severity == CRITICAL;
		any = true;
	}
	set_if_other(d, truth, what, &status, critical ? 5 : any ? 3 :
	    rest_number(d, &status, 2));
	set_if_other(d, truth, what, &printer, critical ? 1 :
	    rest_number(d, &printer, 3));
	octets[0] = (uint8_t)(bits >> 8);
	octets[1] = (uint8_t)bits;
	if (len < 2 && octets[1] != 0)
		len = 2;
	if (len == 0 && octets[0] != 0)
		len = 1;
	if (len > 2)
		len = 2;
	v = view_get(&d->view, errors.sub, errors.len);
	if (v == NULL || v->body_len != len ||
	    (len > 0 && memcmp(v->body, octets, len) != 0))
		device_set(d, truth, what, &errors, BER_OCTETS, octets, len);
}

/* The index of the row after this one (0: the first), or 0. */
static uint32_t
next_alert(const struct device *d, uint32_t after)
{
	struct oid from = panel_alert_cell(d, ALERT_CODE, after);
	const struct value *v = view_next(&d->view, from.sub, from.len);

	return v != NULL && oid_within(v->sub, v->sub_len, from.sub,
	    from.len - 1) && v->sub_len == from.len ?
	    v->sub[v->sub_len - 1] : 0;
}

uint32_t
panel_newest(const struct device *d)
{
	uint32_t index = 0, newest = 0;

	while ((index = next_alert(d, index)) != 0)
		newest = index;
	return newest;
}

static uint32_t
take_index(struct device *d)
{
	uint32_t index;

	if (d->next_alert == 0) {
		d->next_alert = 1;
		for (index = 0; (index = next_alert(d, index)) != 0;)
			d->next_alert = index + 1;
	}
	return d->next_alert++;
}

static void
put_row(struct device *d, uint32_t index, const struct alert *a,
    uint32_t ticks)
{
	const struct { uint32_t column; int32_t number; } cells[] = {
		{ ALERT_SEVERITY, a->severity },
		{ ALERT_TRAINING, a->training },
		{ ALERT_GROUP, a->group },
		{ ALERT_GROUP_INDEX, a->group_index },
		{ ALERT_LOCATION, a->location },
		{ ALERT_CODE, a->code },
	};
	struct oid id;
	size_t i;

	for (i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		id = panel_alert_cell(d, cells[i].column, index);
		device_set_number(d, NULL, NULL, &id, BER_INTEGER,
		    cells[i].number);
	}
	id = panel_alert_cell(d, ALERT_TEXT, index);
	device_set(d, NULL, NULL, &id, BER_OCTETS, a->text, strlen(a->text));
	id = panel_alert_cell(d, ALERT_TIME, index);
	device_set_number(d, NULL, NULL, &id, BER_TIMETICKS, ticks);
}

static void
remember(struct device *d, uint32_t index, const struct alert *a)
{
	d->raised = xreallocarray(d->raised, d->raised_len + 1,
	    sizeof(*d->raised));
	d->raised[d->raised_len++] = (struct raised){ .index = index,
	    .bits = a->bits, .severity = (uint8_t)a->severity };
}

uint32_t
panel_raise(struct device *d, struct truth *truth, const struct alert *a,
    int64_t now_ms)
{
	uint32_t index = take_index(d), row = printer_row(d);
	struct oid all = object(ALL_EVENTS, row);
	struct oid critical = object(CRITICAL_EVENTS, row);
	char *detail;

	put_row(d, index, a, device_uptime(d, now_ms));
	detail = xasprintf("index=%u code=%d severity=%d group=%d "
	    "group_index=%d training=%d location=%d bits=%04x text=%s", index,
	    a->code, a->severity, a->group, a->group_index, a->training,
	    a->location, a->bits, a->text);
	truth_event(truth, "raise", d->addr, detail);
	free(detail);
	device_bump(d, truth, "raise", &all, -1, 1);
	if (a->severity == CRITICAL)
		device_bump(d, truth, "raise", &critical, -1, 1);
	if (a->bits != 0) {
		remember(d, index, a);
		show_status(d, truth, "raise");
	}
	return index;
}

static bool
forget(struct device *d, uint32_t index)
{
	size_t i;

	for (i = 0; i < d->raised_len; i++)
		if (d->raised[i].index == index) {
			d->raised[i] = d->raised[--d->raised_len];
			return true;
		}
	return false;
}

static int64_t
alert_number(struct device *d, uint32_t column, uint32_t index)
{
	struct oid id = panel_alert_cell(d, column, index);
	int64_t n;

	return device_number(d, &id, &n) == 0 ? n : -2;
}

void
panel_start(struct device *d)
{
	const struct walk *walk = d->view.walk;
	struct alert a = { 0 };
	size_t i;

	for (i = 0; i < walk->alerts_len; i++) {
		a.severity = (int32_t)alert_number(d, ALERT_SEVERITY,
		    walk->alerts[i].index);
		if (panel_bits(walk->alerts[i].bits, &a.bits) == 0)
			remember(d, walk->alerts[i].index, &a);
	}
	if (walk->alerts_len > 0)
		show_status(d, NULL, NULL);
}

int
panel_clear(struct device *d, struct truth *truth, uint32_t index, bool trace,
    int64_t now_ms)
{
	struct alert removal;
	struct oid id;
	uint32_t column;
	int64_t code = alert_number(d, ALERT_CODE, index);
	const struct value *text;
	char *detail;

	if (code == -2)
		return -1;
	id = panel_alert_cell(d, ALERT_TEXT, index);
	text = view_get(&d->view, id.sub, id.len);
	detail = xasprintf("index=%u code=%lld text=%.*s", index,
	    (long long)code, text == NULL ? 0 : (int)text->body_len,
	    text == NULL ? "" : (const char *)text->body);
	for (column = ALERT_SEVERITY; column <= ALERT_TIME; column++) {
		id = panel_alert_cell(d, column, index);
		device_unset(d, NULL, NULL, &id, false);
	}
	truth_event(truth, "clear", d->addr, detail);
	free(detail);
	if (forget(d, index))
		show_status(d, truth, "clear");
	if (trace) {
		removal = (struct alert){ .code = CODE_REMOVAL, .severity = 4,
		    .training = 7, .group = 18, .group_index = (int32_t)index,
		    .location = -2, .text = "" };
		panel_raise(d, truth, &removal, now_ms);
	}
	return 0;
}

size_t
panel_clear_all(struct device *d, struct truth *truth, int64_t now_ms)
{
	uint32_t index;
	size_t count = 0;

	while ((index = next_alert(d, 0)) != 0 &&
	    panel_clear(d, truth, index, false, now_ms) == 0)
		count++;
	return count;
}

static void
set_level(struct device *d, struct truth *truth, const char *what,
    uint32_t row, int64_t level)
{
	struct oid id = object2(SUPPLY_LEVEL, printer_row(d), row);
	struct oid max_id = object2(SUPPLY_MAX, printer_row(d), row);
	const struct level_copy *copy = d->view.walk->copies;
	int64_t max, percent;
	size_t i;

	device_set_number(d, truth, what, &id, BER_INTEGER, level);
	if (device_number(d, &max_id, &max) < 0 || max <= 0)
		max = 100;
	percent = level > 0 ? level * 100 / max : level;
	for (i = 0; i < d->view.walk->copies_len; i++, copy++)
		if (copy->row == row)
			device_set_number(d, truth, what, &copy->id,
			    BER_INTEGER, percent);
}

int
panel_level(struct device *d, struct truth *truth, uint32_t row, int64_t level)
{
	struct oid id = object2(SUPPLY_LEVEL, printer_row(d), row);
	int64_t was;

	if (device_number(d, &id, &was) < 0)
		return -1;
	set_level(d, truth, "level", row, level);
	return 0;
}

/* The length of the serial number after a mark in a supply's description:
 * "Black Toner, PN 006R01;SN48178080", "... S/N:CRUM-130..." */
static const char *
find_serial(const char *text, size_t *len)
{
	static const char *const marks[] = { ";SN", "S/N:" };
	const char *at;
	size_t i;

	for (i = 0; i < 2; i++) {
		at = strstr(text, marks[i]);
		if (at == NULL)
			continue;
		at += strlen(marks[i]);
		*len = strcspn(at, " ,;");
		return at;
	}
	return NULL;
}

static void
new_serial(struct device *d, struct truth *truth, uint32_t row,
    const char *serial)
{
	struct oid id = object2(SUPPLY_TEXT, printer_row(d), row);
	struct view *view = device_view_of(d, id.sub, id.len);
	const struct value *v = view_get(view, id.sub, id.len);
	char made[64], *text, *after;
	const char *at;
	size_t len;

	if (v == NULL || v->tag != BER_OCTETS)
		return;
	text = xstrndup((const char *)v->body, v->body_len);
	at = find_serial(text, &len);
	if (at != NULL && strncmp(at, "unknown", 7) != 0) {
		if (serial == NULL) {
			/* as long as the old one, its end counted up */
			snprintf(made, sizeof(made), "%.*s%03u%02u",
			    len > 5 ? (int)len - 5 : 0, at, row % 1000,
			    d->cartridges % 100);
			serial = made;
		}
		after = xasprintf("%.*s%s%s", (int)(at - text), text, serial,
		    at + len);
		device_set(d, truth, "replace", &id, BER_OCTETS, after,
		    strlen(after));
		free(after);
	}
	free(text);
}

int
panel_replace(struct device *d, struct truth *truth, uint32_t row,
    const char *serial, int64_t now_ms)
{
	struct oid level_id = object2(SUPPLY_LEVEL, printer_row(d), row);
	struct oid max_id = object2(SUPPLY_MAX, printer_row(d), row);
	uint32_t index, after;
	int64_t max, level;

	if (device_number(d, &level_id, &level) < 0)
		return -1;
	if (device_number(d, &max_id, &max) < 0 || max <= 0)
		/* no capacity: "some", or else a percentage */
		max = rest_number(d, &level_id, level) < 0 || level < 0 ?
		    -3 : 100;
	d->cartridges++;
	new_serial(d, truth, row, serial);
	set_level(d, truth, "replace", row, max);
	for (index = next_alert(d, 0); index != 0; index = after) {
		after = next_alert(d, index);
		if (alert_number(d, ALERT_GROUP, index) == GROUP_SUPPLIES &&
		    alert_number(d, ALERT_GROUP_INDEX, index) == row)
			panel_clear(d, truth, index, false, now_ms);
	}
	return 0;
}

void
panel_print(struct device *d, struct truth *truth, uint32_t pages, bool colour)
{
	const struct walk *walk = d->view.walk;
	struct oid life = object(LIFE_COUNT, printer_row(d));
	const struct value *v;
	struct oid id;
	bool counted = false;
	size_t i;

	for (i = 0; i < walk->tallies_len; i++) {
		const struct tally *t = &walk->tallies[i];

		if (t->kind != TALLY_TOTAL &&
		    (t->kind == TALLY_COLOUR) != colour)
			continue;
		device_bump(d, truth, "print", &t->id, t->offset, pages);
		counted |= oid_within(t->id.sub, t->id.len, life.sub,
		    life.len);
	}
	v = view_next(&d->view, life.sub, life.len);
	if (counted || v == NULL || !oid_within(v->sub, v->sub_len, life.sub,
	    life.len))
		return;
	id.len = v->sub_len;
	memcpy(id.sub, v->sub, v->sub_len * sizeof(*v->sub));
	device_bump(d, truth, "print", &id, -1, pages);
}

int
panel_config(struct device *d, struct truth *truth)
{
	struct oid id = object(CONFIG_CHANGES, printer_row(d));

	return device_bump(d, truth, "config", &id, -1, 1);
}

/* The rows that still stand are counted from 1 again, raised at time 0. */
static void
renumber(struct device *d)
{
	uint32_t index, fresh = 0, column;
	const struct value *v;
	struct oid from, to;
	size_t i;

	for (index = 0; (index = next_alert(d, index)) != 0;) {
		if (++fresh == index)
			continue;
		for (column = ALERT_SEVERITY; column <= ALERT_TIME; column++) {
			from = panel_alert_cell(d, column, index);
			to = panel_alert_cell(d, column, fresh);
			v = view_get(&d->view, from.sub, from.len);
			if (v != NULL)
				view_set(&d->view, to.sub, to.len, v->tag,
				    v->body, v->body_len);
			view_unset(&d->view, from.sub, from.len);
		}
		for (i = 0; i < d->raised_len; i++)
			if (d->raised[i].index == index)
				d->raised[i].index = fresh;
	}
	for (index = 1; index <= fresh; index++) {
		to = panel_alert_cell(d, ALERT_TIME, index);
		device_set_number(d, NULL, NULL, &to, BER_TIMETICKS, 0);
	}
	d->next_alert = fresh + 1;
}

static void
zero(struct device *d, struct truth *truth, const struct oid *id)
{
	int64_t was;

	if (device_number(d, id, &was) == 0 && was != 0)
		device_set_number(d, truth, "restart", id, BER_COUNTER32, 0);
}

void
panel_restart(struct device *d, struct truth *truth, int64_t now_ms)
{
	struct oid critical = object(CRITICAL_EVENTS, printer_row(d));
	struct oid power_on = object2(POWER_ON_COUNT, printer_row(d), 1);

	d->since_ms = now_ms;
	d->ticks = d->host_ticks = 0;
	engine_restart(device_engine(d), now_ms);
	truth_event(truth, "restart", d->addr, "");
	zero(d, truth, &critical);
	zero(d, truth, &power_on);
	renumber(d);
}

void
panel_sleep(struct device *d, struct truth *truth, bool on)
{
	uint32_t row = printer_row(d);
	struct oid status = object(DEVICE_STATUS, row);
	struct oid printer = object(PRINTER_STATUS, row);

	if (!on) {
		show_status(d, truth, "asleep");
		return;
	}
	/* RFC 3805: standby is running and other */
	set_if_other(d, truth, "asleep", &status, 2);
	set_if_other(d, truth, "asleep", &printer, 1);
}
