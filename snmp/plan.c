#include "snmp/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

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

struct plan_private {
	struct objid	*list;			/* all of them */
	size_t		 first[PLAN_SORTS + 1];	/* of each sort, and behind */
};

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
private_add(struct plan_private *private, enum plan_sort sort,
    const struct objid *list, size_t n)
{
	size_t len = private->first[sort], i;

	private->list = xreallocarray(private->list, len + n + 1,
	    sizeof(list[0]));
	for (i = 0; i < n; i++)
		objid_copy(&private->list[len++], &list[i]);
	for (; sort < PLAN_SORTS; sort++)
		private->first[sort + 1] = len;
}

struct plan_private *
plan_private_tables(const struct vendor *v)
{
	struct plan_private *private = xcalloc(1, sizeof(*private));
	struct objid list[PLAN_VENDOR_TABLES];

	private_add(private, PLAN_TABLES, list, vendor_tables(v, list,
	    PLAN_VENDOR_TABLES));
	return private;
}

struct plan_private *
plan_private_new(const struct vendor *v, const struct bag *bag)
{
	struct plan_private *private = xcalloc(1, sizeof(*private));
	struct objid list[PLAN_VENDOR_OBJECTS];

	private_add(private, PLAN_OBJECTS, list, vendor_objects(v, list,
	    PLAN_VENDOR_OBJECTS));
	private_add(private, PLAN_COUNTERS, list, vendor_counter_objects(v,
	    bag, list, PLAN_VENDOR_OBJECTS));
	private_add(private, PLAN_TABLES, list, vendor_tables(v, list,
	    PLAN_VENDOR_TABLES));
	return private;
}

void
plan_private_free(struct plan_private *private)
{
	if (private == NULL)
		return;
	free(private->list);
	free(private);
}

const struct objid *
plan_private_list(const struct plan_private *private, enum plan_sort sort,
    size_t *n)
{
	if (private == NULL) {
		*n = 0;
		return NULL;
	}
	*n = private->first[sort + 1] - private->first[sort];
	return private->list + private->first[sort];
}

static bool
private_allows(const struct objid *id, const struct plan_private *private)
{
	static size_t next;
	size_t i;

	/* They are mostly asked for in turn. */
	if (next < private->first[PLAN_TABLES] &&
	    objid_cmp(&private->list[next], id) == 0) {
		next++;
		return true;
	}
	for (i = 0; i < private->first[PLAN_TABLES]; i++)
		if (objid_cmp(&private->list[i], id) == 0) {
			next = i + 1;
			return true;
		}
	for (; i < private->first[PLAN_SORTS]; i++)
		if (objid_within(id, &private->list[i]))
			return true;
	return false;
}

bool
plan_allows(const struct objid *id, const struct plan_private *private)
{
	return item_for(id) != NULL ||
	    (private != NULL && private_allows(id, private));
}
