#include "snmp/identity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "snmp/brand.h"
#include "snmp/printer.h"
#include "snmp/standard.h"
#include "snmp/text.h"

#define MAC_LEN		6
#define INTERFACES_MAX	256	/* that are looked at */

/* The texts that several facts come from, decoded once. */
struct sources {
	char	*sysdescr;
	char	*descr;		/* hrDeviceDescr of the printer's row */
	char	*id_1284;
	char	*vendor_model;
};

static char *
port_1284(const struct subject *s)
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor = 0;

	objid_parse(STD_PORT_1284, &column);
	if (!bag_next(s->bag, &column, &cursor, &id, &value) ||
	    value.type != BAG_OCTETS)
		return NULL;
	return text_decode(value.octets, value.octets_len, s->charset);
}

static void
sources_init(struct sources *src, const struct subject *s)
{
	src->sysdescr = subject_scalar_text(s, STD_SYS_DESCR);
	src->descr = subject_device_text(s, STD_DEVICE_DESCR);
	src->vendor_model = vendor_text(s->vendor, s->bag, VENDOR_MODEL,
	    s->charset);
	src->id_1284 = vendor_text(s->vendor, s->bag, VENDOR_ID_1284,
	    s->charset);
	if (src->id_1284 == NULL)
		src->id_1284 = port_1284(s);
}

static void
sources_clear(struct sources *src)
{
	free(src->sysdescr);
	free(src->descr);
	free(src->vendor_model);
	free(src->id_1284);
}

/* The first of the keys (a NULL ends them) that the 1284 id has. */
static char *
id_value(const char *id, const char *const *keys)
{
	char	*value = NULL;

	for (; id != NULL && value == NULL && *keys != NULL; keys++)
		value = text_1284(id, *keys);
	return value;
}

static char *
make_of(const struct subject *s, const struct sources *src)
{
	static const char *const	 keys[] = { "MFG", "MANUFACTURER",
		"MANUFACTURE", NULL };
	const char			*brand = NULL;
	char				*mfg;

	if (src->vendor_model != NULL)
		brand = brand_at_start(src->vendor_model);
	if (brand == NULL && src->descr != NULL)
		brand = brand_at_start(src->descr);
	if (brand == NULL && (mfg = id_value(src->id_1284, keys)) != NULL) {
		brand = brand_in(mfg);
		free(mfg);
	}
	if (brand == NULL && src->sysdescr != NULL)
		brand = s->vendor == NULL ? brand_at_start(src->sysdescr) :
		    brand_in(src->sysdescr);
	return xstrdup_null(brand != NULL ? brand : vendor_make(s->vendor));
}

/* sysDescr is the last resort, and none where it describes a network card,
 * or a computer that merely shares its paper. */
static char *
model_from_sysdescr(const struct subject *s, const char *sysdescr,
    const char *serial)
{
	char	*text, *part, *version, *model;

	text = vendor_descr_text(s->vendor, sysdescr, VENDOR_MODEL);
	if (text == NULL) {
		if (vendor_descr_generic(s->vendor, sysdescr) ||
		    (s->vendor == NULL && brand_at_start(sysdescr) == NULL))
			return NULL;
		text = xstrdup(sysdescr);
	}
	part = brand_sysdescr(text, &version);
	model = brand_model(part, serial);
	free(part);
	free(version);
	free(text);
	return model;
}

static char *
clean(char *text, const char *serial)
{
	char	*model = text == NULL ? NULL : brand_model(text, serial);

	free(text);
	return model;
}

/* printers.md 3: vendor object, hrDeviceDescr, vendor's family name,
 * IEEE 1284, sysDescr.  A name that starts with "Generic" is the
 * controller's. */
static char *
model_of(const struct subject *s, const struct sources *src,
    const char *serial)
{
	static const char *const	 keys[] = { "MDL", "MODEL", "DES",
		"DESCRIPTION", NULL };
	char				*model = NULL;

	if (src->vendor_model != NULL)
		model = brand_model(src->vendor_model, serial);
	if (model == NULL && src->descr != NULL &&
	    !text_starts(src->descr, "Generic"))
		model = brand_model(src->descr, serial);
	if (model == NULL)
		model = clean(vendor_text(s->vendor, s->bag,
		    VENDOR_WEAK_MODEL, s->charset), serial);
	if (model == NULL)
		model = clean(id_value(src->id_1284, keys), serial);
	if (model == NULL && src->sysdescr != NULL)
		model = model_from_sysdescr(s, src->sysdescr, serial);
	if (model == NULL && src->descr != NULL)
		model = brand_model(src->descr, serial);
	return model;
}

static bool
is_placeholder(const char *serial)
{
	static const char *const	 words[] = { "unknown", "none",
		"not available", "not set", "n/a", "na", "null", "-", "--",
		"0123456789", "123456789", "1234567890", "serial number",
		"default", NULL };
	size_t				 i;

	for (i = 0; words[i] != NULL; i++) {
		if (strcasecmp(serial, words[i]) == 0)
			return true;
	}
	/* XXXXXXXXXX, 0000000, or a single character */
	return serial[strspn(serial, (char[]){ serial[0], '\0' })] == '\0';
}

/* text when it is a serial at all, else NULL; takes text. */
static char *
serial_or_null(char *text)
{
	if (text != NULL && is_placeholder(text)) {
		free(text);
		return NULL;
	}
	return text;
}

/* A host with several printers has one vendor serial, but a row's own in
 * prtGeneralSerialNumber. */
static char *
serial_of(const struct subject *s, const struct sources *src)
{
	static const char *const	 keys[] = { "SN", "SERN",
		"SERIALNUMBER", NULL };
	char				*serial = NULL;

	if (!s->several)
		serial = serial_or_null(vendor_text(s->vendor, s->bag,
		    VENDOR_SERIAL, s->charset));
	if (serial == NULL)
		serial = serial_or_null(subject_device_text(s, STD_SERIAL));
	if (serial == NULL && s->several)
		serial = serial_or_null(vendor_text(s->vendor, s->bag,
		    VENDOR_SERIAL, s->charset));
	if (serial == NULL)
		serial = serial_or_null(id_value(src->id_1284, keys));
	if (serial == NULL && src->sysdescr != NULL)
		serial = serial_or_null(vendor_descr_text(s->vendor,
		    src->sysdescr, VENDOR_SERIAL));
	return serial;
}

static char *
firmware_of(const struct subject *s, const struct sources *src)
{
	char	*firmware, *part;

	firmware = vendor_text(s->vendor, s->bag, VENDOR_FIRMWARE, s->charset);
	if (firmware == NULL && src->sysdescr != NULL && s->vendor != NULL) {
		firmware = vendor_descr_text(s->vendor, src->sysdescr,
		    VENDOR_FIRMWARE);
		if (firmware == NULL) {
			part = brand_sysdescr(src->sysdescr, &firmware);
			free(part);
		}
	}
	return firmware;
}

/* Letters and digits alone, in lower case; the caller frees. */
static char *
bare(const char *text)
{
	char	*out = xstrdup(text), *to = out;

	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text) ||
		    ((unsigned char)*text & 0x80))
			*to++ = (char)tolower((unsigned char)*text);
	}
	*to = '\0';
	return out;
}

/* A name that only repeats make and model names nothing, however the blanks
 * between them are written ("RICOH-MP-C3003"), with "series" or without. */
static bool
names_nothing(const char *name, const struct asset *a)
{
	char	*model, *both, *text, *cleaned, *said;
	bool	 same;

	if (a->model == NULL)
		return false;
	text = xasprintf("%s %s", a->make == NULL ? "" : a->make, a->model);
	model = bare(a->model);
	both = bare(text);
	cleaned = brand_model(name, NULL);
	said = bare(cleaned == NULL ? name : cleaned);
	same = *model != '\0' && (strcmp(said, model) == 0 ||
	    strcmp(said, both) == 0);
	free(text);
	free(model);
	free(both);
	free(cleaned);
	free(said);
	return same;
}

static char *
hostname_of(const struct subject *s, const struct asset *a)
{
	char	*name = subject_scalar_text(s, STD_SYS_NAME);

	if (name != NULL && !names_nothing(name, a))
		return name;
	free(name);
	name = vendor_text(s->vendor, s->bag, VENDOR_HOSTNAME, s->charset);
	if (name != NULL && names_nothing(name, a)) {
		free(name);
		name = NULL;
	}
	return name;
}

/* A unicast address that its maker gave: no group bit, no local bit. */
static bool
mac_usable(const struct bag_value *value)
{
	static const uint8_t	 zero[MAC_LEN];

	return value->type == BAG_OCTETS && value->octets_len == MAC_LEN &&
	    (value->octets[0] & 3) == 0 &&
	    memcmp(value->octets, zero, MAC_LEN) != 0;
}

static bool
mac_of_interface(const struct bag *bag, int64_t interface, uint8_t mac[])
{
	struct bag_value	 value;

	if (interface <= 0 || interface > UINT32_MAX ||
	    !bag_octets(bag, &value, STD_IF_PHYS_ADDRESS, 1,
	    (uint32_t)interface) || !mac_usable(&value))
		return false;
	memcpy(mac, value.octets, MAC_LEN);
	return true;
}

/*
 * The interface that owns ip; or, where the device does not know that
 * address (it was asked through NAT), the one interface that all its
 * addresses are on, loopback and link-local ones aside; else ABSENT.
 */
static int64_t
interface_of(const struct bag *bag, const char *ip)
{
	struct objid		 column, id, asked;
	struct bag_value	 value;
	size_t			 cursor = 0, rows = 0;
	const uint32_t		*addr;
	int64_t			 only = ABSENT;
	bool			 ask, several = false;

	ask = ip != NULL && objid_parse(ip, &asked) == 0 && asked.len == 4;
	objid_parse(STD_IP_IF_INDEX, &column);
	while (rows++ < INTERFACES_MAX &&
	    bag_next(bag, &column, &cursor, &id, &value)) {
		if (id.len != column.len + 4 || value.type != BAG_INTEGER)
			continue;
		addr = &id.sub[column.len];
		if (ask && memcmp(addr, asked.sub, 4 * sizeof(*addr)) == 0)
			return value.number;
		if (addr[0] == 127 || addr[0] == 0 ||
		    (addr[0] == 169 && addr[1] == 254))
			continue;
		if (only != ABSENT && only != value.number)
			several = true;
		only = value.number;
	}
	return several ? ABSENT : only;
}

static bool
mac_lowest(const struct bag *bag, uint8_t mac[])
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor = 0, rows = 0;
	bool			 found = false;

	objid_parse(STD_IF_PHYS_ADDRESS, &column);
	while (rows++ < INTERFACES_MAX &&
	    bag_next(bag, &column, &cursor, &id, &value)) {
		if (!mac_usable(&value) ||
		    (found && memcmp(mac, value.octets, MAC_LEN) <= 0))
			continue;
		memcpy(mac, value.octets, MAC_LEN);
		found = true;
	}
	return found;
}

static char *
mac_of(const struct bag *bag, const char *ip)
{
	uint8_t	 m[MAC_LEN];

	if (!mac_of_interface(bag, interface_of(bag, ip), m) &&
	    !mac_lowest(bag, m))
		return NULL;
	return xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
	    m[3], m[4], m[5]);
}

/* The engine's name, or for a maker that we do not know its number. */
static char *
engine_key(const struct subject *s)
{
	struct objid		 id;
	struct bag_value	 value;

	if (vendor_name(s->vendor) != NULL)
		return xstrdup(vendor_name(s->vendor));
	objid_parse(STD_SYS_OBJECT_ID, &id);
	if (bag_get(s->bag, &id, &value) && value.type == BAG_OBJID &&
	    value.objid.len > 6)
		return xasprintf("%" PRIu32, value.objid.sub[6]);
	return xstrdup("0");
}

static void
key_of(const struct subject *s, const char *ip, struct asset *a)
{
	char	 serial[RECORD_TEXT_MAX + 1], suffix[16] = "";
	char	*engine;

	if (s->several)
		snprintf(suffix, sizeof(suffix), "#%" PRIu32, s->device);
	if (printer_serial_usable(a->serial, a)) {
		printer_serial_normal(a->serial, serial, sizeof(serial));
		engine = engine_key(s);
		a->key = xasprintf("S:%s:%s%s", engine, serial, suffix);
		a->strength = KEY_SERIAL;
		free(engine);
	} else if (a->mac != NULL) {
		a->key = xasprintf("M:%s%s", a->mac, suffix);
		a->strength = KEY_MAC;
	} else {
		a->key = xasprintf("I:%s:%s%s", ip == NULL ? "" : ip,
		    a->model == NULL ? "" : a->model, suffix);
		a->strength = KEY_ADDRESS;
	}
	if (strlen(a->key) > RECORD_TEXT_MAX)
		a->key[RECORD_TEXT_MAX] = '\0';
}

void
identity_decode(const struct subject *s, const char *ip, struct asset *a)
{
	struct sources	 src;

	sources_init(&src, s);
	a->serial = serial_of(s, &src);
	a->make = make_of(s, &src);
	a->model = model_of(s, &src, a->serial);
	a->engine = xstrdup_null(vendor_name(s->vendor));
	a->firmware = firmware_of(s, &src);
	a->hostname = hostname_of(s, a);
	a->location = subject_scalar_text(s, STD_SYS_LOCATION);
	a->asset_tag = vendor_text(s->vendor, s->bag, VENDOR_ASSET_TAG,
	    s->charset);
	a->mac = mac_of(s->bag, ip);
	key_of(s, ip, a);
	sources_clear(&src);
}
