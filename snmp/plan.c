#include "snmp/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "snmp/objkey.h"

#define ITEMS_MAX	64
#define ROWS_DEFAULT	64

/* Names for messages, and how many rows of a column anybody has. */
static const struct {
	const char	*oid, *name;
	unsigned	 rows_max;
} known[] = {
	{ STD_SYS_DESCR, "sysDescr", 1 },
	{ STD_SYS_OBJECT_ID, "sysObjectID", 1 },
	{ STD_SYS_UPTIME, "sysUpTime", 1 },
	{ STD_SYS_NAME, "sysName", 1 },
	{ STD_SYS_LOCATION, "sysLocation", 1 },
	{ STD_IF_PHYS_ADDRESS, "ifPhysAddress", 32 },
	{ STD_IP_IF_INDEX, "ipAdEntIfIndex", 32 },
	/* A server has a row for each processor and each virtual queue. */
	{ STD_DEVICE_TYPE, "hrDeviceType", 128 },
	{ STD_DEVICE_DESCR, "hrDeviceDescr", 128 },
	{ STD_DEVICE_STATUS, "hrDeviceStatus", 128 },
	{ STD_PRINTER_STATUS, "hrPrinterStatus", 128 },
	{ STD_PRINTER_ERRORS, "hrPrinterDetectedErrorState", 128 },
	{ STD_CONFIG_CHANGES, "prtGeneralConfigChanges", 16 },
	{ STD_LOCALIZATION, "prtGeneralCurrentLocalization", 16 },
	{ STD_PRINTER_NAME, "prtGeneralPrinterName", 16 },
	{ STD_SERIAL, "prtGeneralSerialNumber", 16 },
	{ STD_CRITICAL_EVENTS, "prtAlertCriticalEvents", 16 },
	{ STD_ALL_EVENTS, "prtAlertAllEvents", 16 },
	{ STD_COVER_DESCR, "prtCoverDescription", 32 },
	{ STD_CHARACTER_SET, "prtLocalizationCharacterSet", 64 },
	{ STD_INPUT_NAME, "prtInputName", 32 },
	{ STD_INPUT_DESCR, "prtInputDescription", 32 },
	{ STD_OUTPUT_NAME, "prtOutputName", 32 },
	{ STD_MARKER_UNIT, "prtMarkerCounterUnit", 16 },
	{ STD_MARKER_LIFE, "prtMarkerLifeCount", 16 },
	{ STD_SUPPLY_COLORANT, "prtMarkerSuppliesColorantIndex", 64 },
	{ STD_SUPPLY_CLASS, "prtMarkerSuppliesClass", 64 },
	{ STD_SUPPLY_TYPE, "prtMarkerSuppliesType", 64 },
	{ STD_SUPPLY_DESCR, "prtMarkerSuppliesDescription", 64 },
	{ STD_SUPPLY_UNIT, "prtMarkerSuppliesSupplyUnit", 64 },
	{ STD_SUPPLY_CAPACITY, "prtMarkerSuppliesMaxCapacity", 64 },
	{ STD_SUPPLY_LEVEL, "prtMarkerSuppliesLevel", 64 },
	{ STD_COLORANT_VALUE, "prtMarkerColorantValue", 32 },
	{ STD_ALERT_SEVERITY, "prtAlertSeverityLevel", 64 },
	{ STD_ALERT_TRAINING, "prtAlertTrainingLevel", 64 },
	{ STD_ALERT_GROUP, "prtAlertGroup", 64 },
	{ STD_ALERT_GROUP_INDEX, "prtAlertGroupIndex", 64 },
	{ STD_ALERT_LOCATION, "prtAlertLocation", 64 },
	{ STD_ALERT_CODE, "prtAlertCode", 64 },
	{ STD_ALERT_DESCR, "prtAlertDescription", 64 },
	{ STD_ALERT_TIME, "prtAlertTime", 64 },
	{ STD_PORT_1284, "ppmPrinterIEEE1284DeviceId", 16 },
};

enum extent { TABLES_ALONE, WITHOUT_BAG, WITH_BAG };

/* Behind what may be asked: columns that labels are compared in. */
enum { LABELS = PLAN_SORTS, SORTS };

/* Keys (objkey.h), each behind its length in two octets. */
struct plan_private {
	unsigned		 users;
	const struct vendor	*vendor;
	size_t			 generation;	/* of the makers' files */
	enum extent		 extent;
	struct bag		*labels;	/* that it was made for */
	uint8_t			*keys;
	size_t			 first[SORTS + 1];	/* octets; and behind */
	size_t			 count[SORTS];
};

/* Some 2 KB each; those used last in front. */
#define KEPT	64

static struct plan_private	*kept[KEPT];

/* What was allowed last, and where the one behind it stands. */
static struct {
	const struct plan_private	*private;
	size_t				 next;
} allowed;

static struct plan_item	items[ITEMS_MAX];
static size_t		items_len;

static int
item_cmp(const void *a, const void *b)
{
	return objid_cmp(&((const struct plan_item *)a)->id,
	    &((const struct plan_item *)b)->id);
}

static void
items_load(void)
{
	const struct standard_object *object;
	struct plan_item *item;
	size_t i;

	for (object = standard_objects; object->oid != NULL; object++) {
		if (items_len == ITEMS_MAX)
			fatalx("plan", "more than %d standard objects",
			    ITEMS_MAX);
		item = &items[items_len++];
		if (objid_parse(object->oid, &item->id) == -1)
			fatalx("plan", "%s is no OID", object->oid);
		item->shape = object->shape;
		item->when = object->when;
		item->name = object->oid;
		item->rows_max = ROWS_DEFAULT;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strcmp(known[i].oid, object->oid) == 0) {
				item->name = known[i].name;
				item->rows_max = known[i].rows_max;
			}
	}
	qsort(items, items_len, sizeof(items[0]), item_cmp);
}

const struct plan_item *
plan_items(size_t *n)
{
	if (items_len == 0)
		items_load();
	*n = items_len;
	return items;
}

/* Whether that item lets id be asked. */
static bool
item_allows(const struct plan_item *item, const struct objid *id)
{
	if (item->shape != STANDARD_SCALAR)
		return objid_within(id, &item->id);
	/* GETNEXT of a scalar starts from its object type. */
	return (id->len == item->id.len || id->len + 1 == item->id.len) &&
	    objid_within(&item->id, id);
}

/* The last item that is not after id is the only one that it can be within;
 * but for a scalar's type, which is right before its item. */
static const struct plan_item *
item_for(const struct objid *id)
{
	static const struct plan_item *last;
	const struct plan_item *item;
	size_t low = 0, high, middle, n;

	/* Mostly it is about the same column as the last time, or the one
	 * behind it. */
	item = plan_items(&n);
	if (last != NULL && item_allows(last, id))
		return last;
	if (last != NULL && last + 1 < item + n && item_allows(last + 1, id))
		return ++last;
	for (high = n; low < high; ) {
		middle = low + (high - low) / 2;
		if (objid_cmp(&item[middle].id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && item_allows(&item[low - 1], id))
		return last = &item[low - 1];
	if (low < n && item_allows(&item[low], id))
		return last = &item[low];
	return NULL;
}

static void
private_add(struct plan_private *private, unsigned sort,
    const struct objid *list, size_t n)
{
	size_t at = private->first[sort], i, len;
	uint8_t *p;

	private->count[sort] = n;
	private->keys = xrealloc(private->keys,
	    at + n * (2 + OBJKEY_MAX) + 1);
	for (i = 0; i < n; i++) {
		p = private->keys + at;
		len = objkey_write(p + 2, &list[i]);
		p[0] = (uint8_t)(len >> 8);
		p[1] = (uint8_t)len;
		at += 2 + len;
	}
	private->keys = xrealloc(private->keys, at + 1);
	for (; sort < SORTS; sort++)
		private->first[sort + 1] = at;
}

/* The key at that octet, and the octet of the one behind it. */
static const uint8_t *
private_key(const struct plan_private *private, size_t *at, size_t *len)
{
	const uint8_t *p = private->keys + *at;

	*len = (size_t)p[0] << 8 | p[1];
	*at += 2 + *len;
	return p + 2;
}

static bool
private_next(const struct plan_private *private, unsigned sort,
    size_t *cursor, struct objid *id)
{
	const uint8_t *key;
	size_t at, len;

	if (private->first[sort] + *cursor == private->first[sort + 1])
		return false;
	at = private->first[sort] + *cursor;
	key = private_key(private, &at, &len);
	objkey_decode(key, len, id);
	*cursor = at - private->first[sort];
	return true;
}

static void
private_fill(struct plan_private *private, const struct bag *bag)
{
	const struct vendor *v = private->vendor;
	struct objid list[PLAN_VENDOR_OBJECTS];
	size_t i, n;

	if (private->extent != TABLES_ALONE) {
		private_add(private, PLAN_OBJECTS, list, vendor_objects(v,
		    list, PLAN_VENDOR_OBJECTS));
		private_add(private, PLAN_COUNTERS, list,
		    vendor_counter_objects(v, bag, list,
		    PLAN_VENDOR_OBJECTS));
	}
	private_add(private, PLAN_TABLES, list, vendor_tables(v, list,
	    PLAN_VENDOR_TABLES));
	if (bag == NULL)
		return;
	private->labels = bag_new();
	n = vendor_labels(v, list, PLAN_VENDOR_TABLES);
	private_add(private, LABELS, list, n);
	for (i = 0; i < n; i++)
		bag_put_below(private->labels, bag, &list[i]);
}

/* Whether it serves for a device with that bag. */
static bool
private_fits(const struct plan_private *private, const struct vendor *v,
    enum extent extent, const struct bag *bag)
{
	struct objid column;
	size_t cursor = 0;

	if (private->vendor != v || private->extent != extent ||
	    private->generation != vendor_generation())
		return false;
	while (private_next(private, LABELS, &cursor, &column))
		if (!bag_same_below(private->labels, bag, &column))
			return false;
	return true;
}

static struct plan_private *
private_get(const struct vendor *v, enum extent extent,
    const struct bag *bag)
{
	struct plan_private *private;
	size_t i;

	for (i = 0; i < KEPT && kept[i] != NULL; i++)
		if (private_fits(kept[i], v, extent, bag))
			break;
	if (i < KEPT && kept[i] != NULL)
		private = kept[i];
	else {
		private = xcalloc(1, sizeof(*private));
		private->users = 1;
		private->vendor = v;
		private->generation = vendor_generation();
		private->extent = extent;
		private_fill(private, bag);
		if (i == KEPT)
			plan_private_free(kept[--i]);
	}
	memmove(kept + 1, kept, i * sizeof(kept[0]));
	kept[0] = private;
	private->users++;
	return private;
}

struct plan_private *
plan_private_tables(const struct vendor *v)
{
	return private_get(v, TABLES_ALONE, NULL);
}

struct plan_private *
plan_private_new(const struct vendor *v, const struct bag *bag)
{
	return private_get(v, bag != NULL ? WITH_BAG : WITHOUT_BAG, bag);
}

void
plan_private_free(struct plan_private *private)
{
	if (private == NULL || --private->users > 0)
		return;
	if (allowed.private == private)
		allowed.private = NULL;
	bag_free(private->labels);
	free(private->keys);
	free(private);
}

size_t
plan_private_count(const struct plan_private *private, enum plan_sort sort)
{
	return private == NULL ? 0 : private->count[sort];
}

bool
plan_private_next(const struct plan_private *private, enum plan_sort sort,
    size_t *cursor, struct objid *id)
{
	return private != NULL && private_next(private, sort, cursor, id);
}

static bool
private_allows(const struct objid *id, const struct plan_private *private)
{
	struct objkey wanted;
	const uint8_t *key;
	size_t at, len, turn;

	objkey_encode(&wanted, id);
	/* They are mostly asked for in turn. */
	for (turn = 0; turn < 2; turn++) {
		at = turn == 0 && allowed.private == private ?
		    allowed.next : 0;
		while (at < private->first[PLAN_TABLES]) {
			key = private_key(private, &at, &len);
			if (len != wanted.len ||
			    memcmp(key, wanted.octets, len) != 0)
				continue;
			allowed.private = private;
			allowed.next = at;
			return true;
		}
	}
	while (at < private->first[PLAN_SORTS]) {
		key = private_key(private, &at, &len);
		if (len <= wanted.len && memcmp(key, wanted.octets, len) == 0)
			return true;
	}
	return false;
}

bool
plan_allows(const struct objid *id, const struct plan_private *private)
{
	/* The makers' are below enterprises, most of the standard is not. */
	return (private != NULL && id->len > 4 && id->sub[4] == 4 &&
	    private_allows(id, private)) || item_for(id) != NULL ||
	    (private != NULL && private_allows(id, private));
}
