#include "snmp/printer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "snmp/alerts.h"
#include "snmp/counters.h"
#include "snmp/errorbits.h"
#include "snmp/identity.h"
#include "snmp/standard.h"
#include "snmp/subject.h"
#include "snmp/supplies.h"
#include "snmp/text.h"
#include "snmp/vendor.h"

#define SERIAL_MIN	4	/* printers.md 12 */
#define DEVICES_MAX	512	/* rows of hrDeviceTable looked at */

static const struct objid hr_printer = { 9, { 1, 3, 6, 1, 2, 1, 25, 3, 1 } };

static bool
is_printer_type(const struct bag_value *value)
{
	return value->type == BAG_OBJID && value->objid.len == 10 &&
	    objid_within(&value->objid, &hr_printer) &&
	    value->objid.sub[9] == 5;
}

static size_t
index_put(int64_t *index, size_t count, uint32_t device)
{
	size_t	 i, at;

	for (at = 0; at < count && index[at] < device; at++)
		;
	if ((at < count && index[at] == device) || count == PRINTER_ROWS_MAX)
		return count;
	for (i = count; i > at; i--)
		index[i] = index[i - 1];
	index[at] = device;
	return count + 1;
}

/* The devices that have an instance of column; each row says its device in
 * the first sub-identifier behind the column. */
static size_t
devices_in(const struct bag *bag, const char *column, int64_t *index,
    size_t count)
{
	struct objid		 prefix, id;
	struct bag_value	 value;
	size_t			 cursor = 0;
	uint32_t		 last = 0;
	bool			 any = false;

	objid_parse(column, &prefix);
	while (bag_next(bag, &prefix, &cursor, &id, &value)) {
		if (id.len == prefix.len || (any && id.sub[prefix.len] == last))
			continue;
		last = id.sub[prefix.len];
		any = true;
		count = index_put(index, count, last);
	}
	return count;
}

/* The rows of hrDeviceTable that say printer: hrDeviceIndex is the suffix,
 * whatever the index column holds. */
static size_t
devices_by_type(const struct bag *bag, int64_t *index)
{
	struct objid		 prefix, id;
	struct bag_value	 value;
	size_t			 cursor = 0, rows = 0, count = 0;

	objid_parse(STD_DEVICE_TYPE, &prefix);
	while (rows++ < DEVICES_MAX &&
	    bag_next(bag, &prefix, &cursor, &id, &value)) {
		if (id.len == prefix.len + 1 && is_printer_type(&value))
			count = index_put(index, count, id.sub[prefix.len]);
	}
	return count;
}

/* How many octets of text to show: at most max, cut between characters. */
static int
cut(const char *text, size_t max)
{
	size_t	 len = strlen(text);

	if (len <= max)
		return (int)len;
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;
	    len--)
		;
	return (int)len;
}

static void
why_not(const struct bag *bag, bool queues, char *why, size_t why_size)
{
	struct subject	 s;
	char		*descr;

	subject_init(&s, bag, -1, false, 0);
	descr = subject_scalar_text(&s, STD_SYS_DESCR);
	if (queues)
		snprintf(why, why_size, "prints queues (hrDeviceType) but has "
		    "no Printer-MIB rows: a print server or PC");
	else if (descr != NULL)
		snprintf(why, why_size, "no printer objects at all: sysDescr "
		    "\"%.*s\"", cut(descr, 80), descr);
	else if (bag_count(bag) > 0)
		snprintf(why, why_size, "no printer objects at all, and no "
		    "sysDescr");
	else
		snprintf(why, why_size, "it answers, but has none of the "
		    "objects that were asked for");
	free(descr);
}

/*
 * The Printer MIB's devices by the first of its columns that has any.  Where
 * there are several, hrDeviceType decides which are printers; rows of supplies
 * alone, which some firmware puts under numbers of its own, are not believed
 * to be more than one.
 */
static size_t
devices_known(const struct bag *bag, int64_t index[PRINTER_ROWS_MAX])
{
	int64_t	 typed[PRINTER_ROWS_MAX];
	size_t	 count, types, i, j, kept = 0;
	bool	 weak = false;

	count = devices_in(bag, STD_CONFIG_CHANGES, index, 0);
	if (count == 0)
		count = devices_in(bag, STD_MARKER_LIFE, index, 0);
	if (count == 0) {
		count = devices_in(bag, STD_SUPPLY_LEVEL, index, 0);
		weak = true;
	}
	if (count < 2)
		return count;
	types = devices_by_type(bag, typed);
	for (i = 0; i < count; i++)
		for (j = 0; j < types; j++)
			if (index[i] == typed[j]) {
				index[kept++] = index[i];
				break;
			}
	if (kept > 0)
		return kept;
	return weak ? 1 : count;
}

size_t
printer_rows(const struct bag *bag, int64_t index[PRINTER_ROWS_MAX],
    char *why, size_t why_size)
{
	size_t	 count;

	if (why_size > 0)
		why[0] = '\0';
	if ((count = devices_known(bag, index)) > 0)
		return count;
	count = devices_by_type(bag, index);
	if (count > 0 && vendor_is_label(vendor_match(bag)))
		return count;
	if (why_size > 0)
		why_not(bag, count > 0, why, why_size);
	return 0;
}

/* Octets to bits: bit 0 is the most significant of the first octet; missing
 * octets are zero, further ones mean nothing (printers.md 8). */
static int64_t
errors_of(const struct subject *s)
{
	struct bag_value	 value;
	int64_t			 bits = 0;
	size_t			 n;

	if (!s->printer || !bag_octets(s->bag, &value, STD_PRINTER_ERRORS, 1,
	    s->device))
		return ABSENT;
	for (n = 0; n < ERROR_BITS && n / 8 < value.octets_len; n++) {
		if (value.octets[n / 8] & 0x80 >> n % 8)
			bits |= (int64_t)1 << n;
	}
	return bits;
}

static void
status_decode(const struct subject *s, struct asset *a)
{
	a->device_status = subject_device_enum(s, STD_DEVICE_STATUS);
	a->printer_status = subject_device_enum(s, STD_PRINTER_STATUS);
	a->errors = errors_of(s);
	/* RFC 3805: standby is running (2) with a status of other (1). */
	a->state = a->device_status == 2 && a->printer_status == 1 ?
	    ASSET_ASLEEP : ASSET_ONLINE;
	a->time = s->now_ms;
}

void
printer_decode(const struct bag *bag, int64_t index, const char *ip,
    int64_t now_ms, struct printer *out)
{
	int64_t			 rows[PRINTER_ROWS_MAX];
	struct subject		 s;
	const struct counter	*total;
	size_t			 i;

	memset(out, 0, sizeof(*out));
	out->index = index;
	out->total_pages = ABSENT;
	out->uptime = bag_number(bag, STD_SYS_UPTIME, 0);
	asset_init(&out->asset);
	subject_init(&s, bag, index, index >= 0 &&
	    printer_rows(bag, rows, NULL, 0) > 1, now_ms);
	status_decode(&s, &out->asset);
	identity_decode(&s, ip, &out->asset);
	if (!s.printer)
		return;
	counters_decode(&s, &out->asset);
	if ((total = asset_counter(&out->asset, "total")) != NULL)
		out->total_pages = total->value;
	out->consumables_len = supplies_decode(&s, out->asset.errors,
	    &out->consumables);
	out->alerts_len = alerts_decode(&s, out->consumables,
	    out->consumables_len, &out->alerts);
	supplies_alerted(out->consumables, out->consumables_len, out->alerts,
	    out->alerts_len);
	out->alerts_len = errorbits_add(&out->asset, out->consumables,
	    out->consumables_len, now_ms, &out->alerts, out->alerts_len);
	for (i = 0; i < out->consumables_len; i++)
		out->consumables[i].pages = out->total_pages;
	for (i = 0; i < out->alerts_len; i++)
		out->alerts[i].pages = out->total_pages;
}

void
printer_clear(struct printer *p)
{
	size_t	 i;

	asset_clear(&p->asset);
	for (i = 0; i < p->consumables_len; i++)
		consumable_clear(&p->consumables[i]);
	free(p->consumables);
	for (i = 0; i < p->alerts_len; i++)
		alert_clear(&p->alerts[i]);
	free(p->alerts);
	memset(p, 0, sizeof(*p));
}

/* Upper case, no blanks or controls, no leading zeros: HP and Brother give
 * the same machine with and without them. */
void
printer_serial_normal(const char *raw, char *out, size_t out_size)
{
	size_t	 n = 0;

	for (; *raw != '\0' && n + 1 < out_size; raw++) {
		if ((unsigned char)*raw <= ' ' || *raw == 0x7f ||
		    (*raw == '0' && n == 0))
			continue;
		out[n++] = (char)toupper((unsigned char)*raw);
	}
	out[n] = '\0';
}

/* Blanks and controls aside, leading zeros counted. */
static size_t
signs_in(const char *raw)
{
	size_t	 n = 0;

	for (; *raw != '\0'; raw++)
		n += (unsigned char)*raw > ' ' && *raw != 0x7f;
	return n;
}

bool
printer_serial_usable(const char *raw, const struct asset *a)
{
	/* As printer_serial_normal() leaves them. */
	static const char *const	 words[] = { "UNKNOWN", "NONE",
		"NOTAVAILABLE", "NOTSET", "NULL", "DEFAULT", "SERIALNUMBER",
		"123456789", "1234567890", NULL };
	char				 serial[RECORD_TEXT_MAX + 1];
	char				 other[RECORD_TEXT_MAX + 1];
	size_t				 i;

	if (raw == NULL)
		return false;
	printer_serial_normal(raw, serial, sizeof(serial));
	if (signs_in(raw) < SERIAL_MIN || serial[0] == '\0' ||
	    serial[strspn(serial, (char[]){ serial[0], '\0' })] == '\0')
		return false;
	for (i = 0; words[i] != NULL; i++) {
		if (strcmp(serial, words[i]) == 0)
			return false;
	}
	if (a != NULL && a->model != NULL) {
		printer_serial_normal(a->model, other, sizeof(other));
		if (strcmp(serial, other) == 0)
			return false;
	}
	if (a != NULL && a->hostname != NULL) {
		printer_serial_normal(a->hostname, other, sizeof(other));
		if (strcmp(serial, other) == 0)
			return false;
	}
	return true;
}
