#include "snmp/contrast.h"

#include "snmp/objid.h"
#include "snmp/standard.h"

/* Bits of hrPrinterDetectedErrorState (RFC 2790) that are about supplies:
 * lowToner, noToner and, from RFC 3805, markerSupplyMissing. */
static const int supply_bits[] = { 2, 3, 10 };

enum known {
	UPTIME, DEVICE_STATUS, PRINTER_STATUS, ERRORS, CONFIG_CHANGES,
	CRITICAL_EVENTS, ALL_EVENTS, LIFE, ALERT_CODE, KNOWN
};

static const struct objid *
oid_of(enum known which)
{
	static const char *const text[KNOWN] = { STD_SYS_UPTIME,
		STD_DEVICE_STATUS, STD_PRINTER_STATUS, STD_PRINTER_ERRORS,
		STD_CONFIG_CHANGES, STD_CRITICAL_EVENTS, STD_ALL_EVENTS,
		STD_MARKER_LIFE, STD_ALERT_CODE };
	static struct objid id[KNOWN];

	if (id[which].len == 0)
		objid_parse(text[which], &id[which]);
	return &id[which];
}

static bool
has_any(const struct bag *bag, enum known column)
{
	struct objid id;
	size_t cursor = 0;

	return bag_next(bag, oid_of(column), &cursor, &id, NULL);
}

static bool
is_number(const struct bag_value *value)
{
	return value->type != BAG_OCTETS && value->type != BAG_OBJID &&
	    value->type != BAG_IPADDRESS;
}

/* The number at that OID; what has another type is not there. */
static bool
get_number(const struct bag *bag, const struct objid *id, int64_t *number)
{
	struct bag_value value;

	if (!bag_get(bag, id, &value) || !is_number(&value))
		return false;
	*number = value.number;
	return true;
}

void
contrast_keep(struct bag *before, const struct bag *image,
    enum contrast_extent extent)
{
	static const struct {
		enum known		 column;
		enum contrast_extent	 from;
	} kept[] = {
		{ UPTIME, CONTRAST_NEWS },
		{ DEVICE_STATUS, CONTRAST_SLEEP },
		{ PRINTER_STATUS, CONTRAST_SLEEP },
		{ ERRORS, CONTRAST_NEWS },
		{ CONFIG_CHANGES, CONTRAST_NEWS },
		{ CRITICAL_EVENTS, CONTRAST_NEWS },
		{ ALL_EVENTS, CONTRAST_NEWS },
		{ LIFE, CONTRAST_NEWS },
		{ ALERT_CODE, CONTRAST_ALERTS },
	};
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i].from <= extent)
			bag_put_below(before, image, oid_of(kept[i].column));
}

/* Asleep is running with a status of other (RFC 3805), which is for the
 * printer's row to say. */
bool
contrast_asleep(const struct bag *before, const struct bag *fresh)
{
	const struct objid *column = oid_of(PRINTER_STATUS);
	const struct bag *bag;
	struct bag_value value;
	struct objid id, device;
	int64_t status;
	size_t cursor = 0;

	bag = has_any(fresh, PRINTER_STATUS) ? fresh : before;
	while (bag_next(bag, column, &cursor, &id, &value)) {
		if (value.type != BAG_INTEGER || value.number != 1)
			continue;
		objid_copy(&device, oid_of(DEVICE_STATUS));
		objid_add(&device, id.sub[id.len - 1]);
		if (get_number(bag, &device, &status) && status == 2)
			return true;
	}
	return false;
}

/* A printer that sleeps may hide what it has.  Where it counts alerts all
 * the same, its alert table is awake as well. */
bool
contrast_alerts_believed(const struct bag *before, const struct bag *fresh)
{
	/* Whoever did not ask for the status did not ask for these either. */
	const struct bag *bag = has_any(fresh, PRINTER_STATUS) ? fresh :
	    before;

	return !contrast_asleep(before, fresh) ||
	    has_any(bag, CRITICAL_EVENTS) || has_any(bag, ALL_EVENTS);
}

/* sysUpTime that fell (a wrap after 497 days looks the same, and costs a
 * reading), or a configuration counter that moved. */
bool
contrast_restarted(const struct bag *before, const struct bag *fresh)
{
	struct bag_value was;
	struct objid id;
	int64_t then, now;
	size_t cursor = 0;

	if (get_number(before, oid_of(UPTIME), &then) &&
	    get_number(fresh, oid_of(UPTIME), &now) && now < then)
		return true;
	while (bag_next(before, oid_of(CONFIG_CHANGES), &cursor, &id, &was))
		if (is_number(&was) && get_number(fresh, &id, &now) &&
		    now != was.number)
			return true;
	return false;
}

bool
contrast_alerts_moved(const struct bag *before, const struct bag *fresh)
{
	static const enum known columns[] = {
		CRITICAL_EVENTS, ALL_EVENTS, ALERT_CODE
	};
	struct bag_value was;
	struct objid id;
	int64_t then, now;
	size_t i, cursor;
	bool counted = false;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		cursor = 0;
		while (bag_next(before, oid_of(columns[i]), &cursor, &id,
		    &was)) {
			if (!is_number(&was))
				continue;
			then = was.number;
			counted |= columns[i] != ALERT_CODE;
			if (!get_number(fresh, &id, &now)) {
				if (contrast_alerts_believed(before, fresh))
					return true;
			} else if (now != then)
				return true;
		}
	}
	return !counted;
}

static bool
error_bit(const struct bag_value *value, int bit)
{
	return value->type == BAG_OCTETS &&
	    (size_t)bit / 8 < value->octets_len &&
	    (value->octets[bit / 8] & 0x80 >> bit % 8);
}

bool
contrast_supplies_moved(const struct bag *before, const struct bag *fresh)
{
	struct bag_value was, is;
	struct objid id;
	size_t i, cursor = 0;

	while (bag_next(fresh, oid_of(LIFE), &cursor, &id, &is))
		if (!bag_get(before, &id, &was) || was.type != is.type ||
		    was.number != is.number)
			return true;
	cursor = 0;
	while (bag_next(fresh, oid_of(ERRORS), &cursor, &id, &is)) {
		if (!bag_get(before, &id, &was))
			was.type = BAG_INTEGER;		/* no bits */
		for (i = 0; i < sizeof(supply_bits) / sizeof(supply_bits[0]);
		    i++)
			if (error_bit(&was, supply_bits[i]) !=
			    error_bit(&is, supply_bits[i]))
				return true;
	}
	return false;
}
