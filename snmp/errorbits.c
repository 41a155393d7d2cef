#include "snmp/errorbits.h"

#include <string.h>

#include "base/mem.h"
#include "schema/field.h"

#define CODES_MAX	16
#define DAY_MS		(INT64_C(24) * 3600 * 1000)

enum {		/* PrtAlertGroupTC, hrDeviceStatus, hrPrinterStatus */
	OTHER = 1, GENERAL = 5, COVER = 6, INPUT = 8, OUTPUT = 9,
	SUPPLIES = 11, MEDIA_PATH = 13,
	CRITICAL = 3, UNARY = 4, BINARY = 5, FIELD_SERVICE = 5,
	RUNNING = 2, DOWN = 5, STANDBY = 1
};

#define BIT(n)	(INT64_C(1) << (n))

/*
 * What each bit is in the words of the alert table.  RFC 3805 has no such
 * list; RFC 2790's text of each bit is matched with the meaning of the code in
 * the IANA-PRINTER-MIB registry.  Beside it the codes of rows that say the
 * same, or more: of a bit's own group the generic codes count (3 to 38), the
 * others in any group.  implied: bits beside which this one adds nothing.
 */
static const struct bit {
	int64_t		 group, code;
	const char	*text;
	int64_t		 implied;
	bool		 mild;		/* never stops the printer */
	int64_t		 codes[CODES_MAX];
} bits[ERROR_BITS] = {
	/* lowPaper */
	{ INPUT, ERRORBITS_CODE_LOW_PAPER, "paper low", BIT(1) | BIT(13), true,
	    { 807, 808, 809, 810, 12, 13, 16 } },
	/* noPaper */
	{ INPUT, 808, "no paper", 0, false,
	    { 808, 801, 809, 810, 1310, 9, 13 } },
	/* lowToner */
	{ SUPPLIES, 1104, "toner low", BIT(3), true,
	    { 1101, 1102, 1103, 1104, 1105, 1106, 1113, 1114, 1122, 1123, 10,
	    11, 12, 13, 16, 17 } },
	/* noToner */
	{ SUPPLIES, 1101, "toner empty", 0, false,
	    { 1101, 1102, 1103, 1114, 1115, 1119, 1121, 1123, 1124, 1130, 9,
	    11, 13, 17 } },
	/* doorOpen */
	{ COVER, 3, "cover open", 0, false, { 501, 3, 5, 18 } },
	/* jammed */
	{ MEDIA_PATH, 8, "paper jam", 0, false, { 1306, 1312, 1322, 8 } },
	/* offline: also the consequence of any other trouble */
	{ GENERAL, 22, "offline", BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(7) |
	    BIT(8) | BIT(9) | BIT(10) | BIT(12) | BIT(13), false, { 21, 22 } },
	/* serviceRequested */
	{ GENERAL, OTHER, "service requested", 0, false,
	    { 10, 11, 16, 17, 29, 30, 31, 32, 33, 35, 36, 37, 38, 1001, 1002,
	    1003 } },
	/* inputTrayMissing */
	{ INPUT, 801, "input tray missing", 0, false, { 801, 1301, 9, 26 } },
	/* outputTrayMissing */
	{ OUTPUT, 901, "output tray missing", 0, false, { 901, 9, 26 } },
	/* markerSupplyMissing: not 1115, it may be a drum */
	{ SUPPLIES, 1124, "supply missing", 0, false,
	    { 1115, 1116, 1117, 1118, 1119, 1120, 1121, 1124, 1127, 1128,
	    1129, 1130, 9, 26 } },
	/* outputNearFull */
	{ OUTPUT, 902, "output bin almost full", BIT(12), true,
	    { 902, 903, 1302, 1303, 1323, 14, 15, 16 } },
	/* outputFull */
	{ OUTPUT, 903, "output bin full", 0, false,
	    { 903, 1303, 1323, 15, 17 } },
	/* inputTrayEmpty */
	{ INPUT, 808, "input tray empty", BIT(1), false,
	    { 808, 809, 810, 1310, 13 } },
	/* overduePreventMaint */
	{ GENERAL, 11, "maintenance overdue", 0, true,
	    { 1111, 1112, 10, 11, 16, 17 } },
};

/* The same for ink, where there is no toner. */
static int64_t
ink_code(int64_t code)
{
	return code == 1104 ? 1105 : code == 1101 ? 1102 : code;
}

static const struct bit *
bit_of(const struct alert *alert)
{
	size_t n;

	for (n = 0; n < ERROR_BITS; n++)
		if (bits[n].group == alert->group &&
		    (bits[n].code == alert->code ||
		    ink_code(bits[n].code) == alert->code))
			return &bits[n];
	return NULL;
}

/* Neither code nor group say much: it may be anything that stops it. */
static bool
says_little(const struct alert *row, const struct bit *bit)
{
	if (row->code != ABSENT && row->code != 1 && row->code != 2)
		return false;
	if (row->group == bit->group)
		return bit->code != OTHER || row->severity == CRITICAL;
	return row->severity == CRITICAL && (row->group == ABSENT ||
	    row->group == OTHER || row->group == GENERAL);
}

static bool
explains(const struct alert *row, const struct bit *bit)
{
	bool general = bit->group == GENERAL;
	size_t i;

	for (i = 0; i < CODES_MAX && bit->codes[i] != 0; i++)
		if (row->code == bit->codes[i] && (row->code > 38 ||
		    row->group == bit->group || row->group == ABSENT ||
		    general || bit->group == COVER || row->code == 8))
			return true;
	/* RFC 3805 2.2.13.2: whatever is critical may take it offline, and
	 * service comes for more than one reason. */
	if (general && bit->code != 11 && (row->severity == CRITICAL ||
	    (bit->code == OTHER && row->training == FIELD_SERVICE)))
		return true;
	return says_little(row, bit);
}

bool
errorbits_explained(const struct alert *row, const struct alert *bit)
{
	const struct bit *b = bit_of(bit);

	return b != NULL && bit->source == ALERT_ERROR_BITS &&
	    row->source != ALERT_ERROR_BITS && explains(row, b);
}

/* A row of an event that is over by the rule for events explains no more. */
static bool
any_explains(const struct alert *rows, size_t len, const struct bit *bit,
    int64_t now_ms)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (explains(&rows[i], bit) && (rows[i].severity != UNARY ||
		    rows[i].raised == ABSENT ||
		    now_ms - rows[i].raised <= DAY_MS))
			return true;
	return false;
}

static bool
prints_with_ink(const struct consumable *supplies, size_t len)
{
	bool ink = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (supplies[i].kind == 3 || supplies[i].kind == 21)
			return false;		/* toner, tonerCartridge */
		ink |= supplies[i].kind == 5 || supplies[i].kind == 6;
	}
	return ink;
}

/*
 * lowPaper is no state to rely on: some set it for as long as they live
 * (printers.md 13, lie 12), so it is told as an event, and not where the
 * printer says that it runs well.  Offline is what a sleeping printer says.
 */
static bool
makes_none(const struct asset *a, size_t n)
{
	if (n == ERRORBITS_LOW_PAPER)
		return a->device_status == RUNNING;
	return n == 6 && a->device_status == RUNNING &&
	    a->printer_status == STANDBY;
}

static int64_t
severity_of(const struct asset *a, size_t n)
{
	if (n == ERRORBITS_LOW_PAPER)
		return UNARY;
	return a->device_status == DOWN && !bits[n].mild ? CRITICAL : BINARY;
}

size_t
errorbits_add(const struct asset *asset, const struct consumable *supplies,
    size_t supplies_len, int64_t now_ms, struct alert **alerts, size_t len)
{
	size_t n, rows = len;
	struct alert *a;

	if (asset->errors == ABSENT)
		return len;
	for (n = 0; n < ERROR_BITS && len < RECORD_ALERTS_MAX; n++) {
		if (!(asset->errors & BIT(n)) ||
		    (asset->errors & bits[n].implied) ||
		    makes_none(asset, n) ||
		    any_explains(*alerts, rows, &bits[n], now_ms))
			continue;
		*alerts = xreallocarray(*alerts, len + 1, sizeof(**alerts));
		a = &(*alerts)[len++];
		alert_init(a);
		a->source = ALERT_ERROR_BITS;
		a->group = bits[n].group;
		a->code = prints_with_ink(supplies, supplies_len) ?
		    ink_code(bits[n].code) : bits[n].code;
		a->code_name = xstrdup_null(keyword_of(words_alert_code,
		    a->code));
		a->severity = severity_of(asset, n);
		a->description = xstrdup(a->code == 1105 ? "ink low" :
		    a->code == 1102 ? "ink empty" : bits[n].text);
	}
	return len;
}
