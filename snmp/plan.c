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
	struct objid	*list;		/* objects, then tables */
	size_t		 objects, tables;
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

/* The last item that is not after id: the only one that it can be within. */
static const struct plan_item *
item_before(const struct objid *id)
{
	const struct plan_item *item;
	size_t low = 0, high, middle;

	item = plan_items(&high);
	while (low < high) {
		middle = low + (high - low) / 2;
		if (objid_cmp(&item[middle].id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &item[low - 1];
}

struct plan_private *
plan_private_new(const struct vendor *v, const struct bag *bag)
{
	struct plan_private *private = xmalloc(sizeof(*private));
	struct objid list[PLAN_VENDOR_OBJECTS];
	size_t n;

	n = vendor_objects(v, list, PLAN_VENDOR_OBJECTS);
	private->list = xreallocarray(NULL, n + 1, sizeof(list[0]));
	memcpy(private->list, list, n * sizeof(list[0]));
	private->objects = n;
	n = vendor_counter_objects(v, bag, list, PLAN_VENDOR_OBJECTS);
	private->list = xreallocarray(private->list,
	    private->objects + n + 1, sizeof(list[0]));
	memcpy(private->list + private->objects, list, n * sizeof(list[0]));
	private->objects += n;
	n = vendor_tables(v, list, PLAN_VENDOR_TABLES);
	private->list = xreallocarray(private->list,
	    private->objects + n + 1, sizeof(list[0]));
	memcpy(private->list + private->objects, list, n * sizeof(list[0]));
	private->tables = n;
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

static bool
private_allows(const struct objid *id, const struct plan_private *private)
{
	size_t i;

	for (i = 0; i < private->objects; i++)
		if (objid_cmp(&private->list[i], id) == 0)
			return true;
	for (; i < private->objects + private->tables; i++)
		if (objid_within(id, &private->list[i]))
			return true;
	return false;
}

bool
plan_allows(const struct objid *id, const struct plan_private *private)
{
	const struct plan_item *item;
	struct objid scalar;

	item = item_before(id);
	if (item != NULL && (item->shape == STANDARD_SCALAR ?
	    objid_cmp(id, &item->id) == 0 : objid_within(id, &item->id)))
		return true;
	/* GETNEXT of a scalar starts from its object type. */
	scalar = *id;
	objid_add(&scalar, 0);
	item = item_before(&scalar);
	if (item != NULL && item->shape == STANDARD_SCALAR &&
	    objid_cmp(&scalar, &item->id) == 0)
		return true;
	return private != NULL && private_allows(id, private) &&
	    !vendor_excluded(id);
}
