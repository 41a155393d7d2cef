#include "snmp/supplies.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/caption.h"
#include "snmp/lexicon.h"
#include "snmp/standard.h"
#include "snmp/text.h"

#define LOW_PERCENT	10
#define UNIT_PERCENT	19

/* PrtMarkerSuppliesTypeTC */
enum {
	TYPE_OTHER = 1, TYPE_UNKNOWN = 2, TYPE_TONER = 3, TYPE_WASTE_TONER = 4,
	TYPE_INK = 5, TYPE_INK_CARTRIDGE = 6, TYPE_WASTE_INK = 8,
	TYPE_OPC = 9, TYPE_DEVELOPER = 10, TYPE_WASTE_WAX = 14,
	TYPE_TONER_CARTRIDGE = 21, TYPE_WASTE_WATER = 24, TYPE_WASTE_PAPER = 26
};

/* Bits of hrPrinterDetectedErrorState */
#define ERROR_LOW_TONER	(1 << 2)
#define ERROR_NO_TONER	(1 << 3)

static bool
type_is_waste(int64_t type)
{
	return type == TYPE_WASTE_TONER || type == TYPE_WASTE_INK ||
	    type == TYPE_WASTE_WAX || type == TYPE_WASTE_WATER ||
	    type == TYPE_WASTE_PAPER;
}

static bool
type_is_toner(int64_t type)
{
	return type == TYPE_TONER || type == TYPE_TONER_CARTRIDGE;
}

static bool
type_has_colour(int64_t type)
{
	return type_is_toner(type) || type == TYPE_INK ||
	    type == TYPE_INK_CARTRIDGE || type == TYPE_OPC ||
	    type == TYPE_DEVELOPER;
}

/* level * 100 / capacity, rounded as on paper; both fit in 33 bits. */
static int64_t
ratio(int64_t level, int64_t capacity)
{
	return (200 * level + capacity) / (2 * capacity);
}

int64_t
supplies_percent(const struct vendor *v, int64_t level, int64_t capacity,
    int64_t unit)
{
	if (level == ABSENT || level < 0)
		return ABSENT;
	if (level == 0)
		return 0;
	if (capacity > 0)
		return level <= capacity ? ratio(level, capacity) : ABSENT;
	if (level > 100)
		return ABSENT;
	/* Without a capacity: ABSENT, -1, -2, or 0 with a percentage. */
	if (unit == UNIT_PERCENT)
		return level;
	return capacity != 0 && vendor_bare_percent(v) ? level : ABSENT;
}

static enum supply_state
state_of(const struct vendor *v, const struct consumable *c)
{
	/* The standard has no number, the maker has one. */
	if ((c->level == ABSENT || c->level < 0) && c->percent != ABSENT)
		return c->percent <= LOW_PERCENT ? SUPPLY_LOW : SUPPLY_OK;
	if (c->level == ABSENT)
		return SUPPLY_NOT_REPORTED;
	switch (c->level) {
	case -1:
		return SUPPLY_UNRESTRICTED;
	case -2:
		return SUPPLY_UNKNOWN;
	case -3:
		return SUPPLY_SOME;
	case 0:
		return SUPPLY_EMPTY;
	}
	if (c->level < 0)
		return vendor_odd_level(v, c->level);
	if (c->percent != ABSENT)
		return c->percent <= LOW_PERCENT ? SUPPLY_LOW : SUPPLY_OK;
	/* More than there can be is nonsense; so much of we do not know how
	 * much is some. */
	return c->capacity > 0 ? SUPPLY_NOT_REPORTED : SUPPLY_SOME;
}

/* prtMarkerColorantValue, in our words; what says nothing is NULL. */
static char *
colorant_name(const struct subject *s, struct row row)
{
	int64_t		 colorant = subject_number(s, STD_SUPPLY_COLORANT, row);
	const char	*known;
	char		*name, *p;

	if (colorant <= 0)	/* 0: none */
		return NULL;
	name = subject_text(s, STD_COLORANT_VALUE,
	    (struct row){ .number = (uint32_t)colorant });
	if (name == NULL)
		return NULL;
	known = lexicon_colour(name);
	if (known == NULL)
		known = lexicon_colour_letter(name);
	if (known == NULL && strcasecmp(name, "other") != 0 &&
	    strcasecmp(name, "unknown") != 0 &&
	    strcasecmp(name, "none") != 0) {
		for (p = name; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		return name;
	}
	free(name);
	return xstrdup_null(known);
}

/* "other" covers whatever a maker did not look up: the text may know better.
 * What the printer said is what is told; this is what we go by. */
static int64_t
type_of(const struct consumable *c)
{
	if ((c->kind == TYPE_OTHER || c->kind == TYPE_UNKNOWN) &&
	    c->description != NULL)
		return lexicon_kind(c->description);
	return c->kind;
}

static char *
colour_of(const struct subject *s, struct row row, const struct consumable *c)
{
	int64_t		 type = type_of(c);
	const char	*known = NULL;
	char		*name;

	/* A box for used toner is no toner, whatever is written on it. */
	if (type_is_waste(type))
		return NULL;
	name = colorant_name(s, row);
	if (name != NULL || c->description == NULL)
		return name;
	known = lexicon_colour(c->description);
	if (known == NULL && type_has_colour(type))
		known = lexicon_colour_letter(c->description);
	if (known == NULL && type_is_toner(type))
		known = lexicon_colour_part(c->description);
	return xstrdup_null(known);
}

static int64_t
class_of(const struct subject *s, struct row row, const struct consumable *c)
{
	int64_t	 class = subject_enum(s, STD_SUPPLY_CLASS, row);
	int64_t	 type = type_of(c);

	if (class == CLASS_OTHER || class == CLASS_CONSUMED ||
	    class == CLASS_FILLED)
		return class;
	if (type == ABSENT)
		return ABSENT;
	return type_is_waste(type) ? CLASS_FILLED : CLASS_CONSUMED;
}

static void
decode_row(const struct subject *s, struct row row, struct consumable *c)
{
	consumable_init(c);
	c->index = row.number;
	c->description = subject_text(s, STD_SUPPLY_DESCR, row);
	c->kind = subject_enum(s, STD_SUPPLY_TYPE, row);
	if (c->kind == ABSENT && c->description != NULL)
		c->kind = lexicon_kind(c->description);
	c->unit = subject_enum(s, STD_SUPPLY_UNIT, row);
	c->capacity = subject_number(s, STD_SUPPLY_CAPACITY, row);
	c->level = subject_number(s, STD_SUPPLY_LEVEL, row);
	c->class = class_of(s, row, c);
	c->colour = colour_of(s, row, c);
	caption_split(c);
	c->percent = supplies_percent(s->vendor, c->level, c->capacity,
	    c->unit);
	if (c->percent == ABSENT && (c->level == -2 || c->level == -3))
		c->percent = vendor_supply_percent(s->vendor, s->bag,
		    type_of(c), c->colour);
	c->state = state_of(s->vendor, c);
	c->time = s->now_ms;
}

/* lowToner and noToner name no supply: they decide only where there is but
 * one toner, and it tells nothing better by itself. */
static void
apply_errors(struct consumable *all, size_t len, int64_t errors)
{
	struct consumable	*only = NULL;
	size_t			 i;

	if (errors == ABSENT ||
	    !(errors & (ERROR_LOW_TONER | ERROR_NO_TONER)))
		return;
	for (i = 0; i < len; i++) {
		if (!type_is_toner(type_of(&all[i])))
			continue;
		if (only != NULL)
			return;
		only = &all[i];
	}
	if (only == NULL || only->percent != ABSENT ||
	    only->state == SUPPLY_EMPTY)
		return;
	only->state = errors & ERROR_NO_TONER ? SUPPLY_EMPTY : SUPPLY_LOW;
}

size_t
supplies_decode(const struct subject *s, int64_t errors,
    struct consumable **out)
{
	static const char *const	 columns[] = { STD_SUPPLY_LEVEL,
		STD_SUPPLY_CAPACITY, STD_SUPPLY_DESCR, STD_SUPPLY_TYPE, NULL };
	struct row			 rows[RECORD_CONSUMABLES_MAX];
	size_t				 len, i;

	*out = NULL;
	len = subject_rows(s, columns, rows, RECORD_CONSUMABLES_MAX);
	if (len == 0)
		return 0;
	*out = xcalloc(len, sizeof(**out));
	for (i = 0; i < len; i++)
		decode_row(s, rows[i], &(*out)[i]);
	apply_errors(*out, len, errors);
	return len;
}

/* What PrtAlertCodeTC says about the supply that it names, or 0. */
static int64_t
alert_means(int64_t code)
{
	switch (code) {
	case 10:	/* subunitLifeAlmostOver */
	case 12:	/* subunitAlmostEmpty */
	case 14:	/* subunitAlmostFull */
	case 16:	/* subunitNearLimit */
	case 1104:	/* markerTonerLow */
	case 1105:	/* markerInkLow */
	case 1106:	/* markerPrintRibbonAlmostEmpty */
	case 1107:	/* markerWasteTonerReceptacleAlmostFull */
	case 1108:	/* markerWasteInkReceptacleAlmostFull */
	case 1111:	/* markerOpcLifeAlmostOver */
	case 1113:	/* markerDeveloperAlmostEmpty */
		return SUPPLY_LOW;
	case 11:	/* subunitLifeOver */
	case 13:	/* subunitEmpty */
	case 15:	/* subunitFull */
	case 17:	/* subunitAtLimit */
	case 1101:	/* markerTonerEmpty */
	case 1102:	/* markerInkEmpty */
	case 1103:	/* markerPrintRibbonEmpty */
	case 1109:	/* markerWasteTonerReceptacleFull */
	case 1110:	/* markerWasteInkReceptacleFull */
	case 1112:	/* markerOpcLifeOver */
	case 1114:	/* markerDeveloperEmpty */
		return SUPPLY_EMPTY;
	default:
		return 0;
	}
}

void
supplies_alerted(struct consumable *all, size_t len,
    const struct alert *alerts, size_t alerts_len)
{
	size_t	 i, k;
	int64_t	 means;

	for (k = 0; k < alerts_len; k++) {
		/* Group 11 is the supplies; a unary row (4) is an event that
		 * may long be over. */
		if (alerts[k].group != 11 || alerts[k].severity == 4 ||
		    (means = alert_means(alerts[k].code)) == 0)
			continue;
		for (i = 0; i < len; i++) {
			if (all[i].index == alerts[k].group_index &&
			    all[i].state != SUPPLY_EMPTY)
				all[i].state = means;
		}
	}
}
