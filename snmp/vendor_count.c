/* The makers' counters: which objects, in which rows, and what they sum to. */
#include "snmp/vendor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "schema/field.h"
#include "snmp/standard.h"
#include "snmp/vendorfile.h"

#define LABELS_MAX	1024	/* rows of a table that are looked at */
#define CELLS_MAX	128	/* of them that one table makes use of */

/* A row that a term of a sum names: the cursor in front of its label, the
 * column that it was found in, and the term. */
struct cell {
	size_t	 cursor;
	size_t	 prefix;
	size_t	 sum, term;
};

struct cells {
	struct cell	 item[CELLS_MAX];
	size_t		 count;
};

/* What stands in a label without the blanks and NULs around it. */
static size_t
label_trim(const struct bag_value *value, const char **start)
{
	const char	*p = (const char *)value->octets;
	size_t		 len = value->octets_len;

	while (len > 0 && (p[len - 1] == '\0' || p[len - 1] == ' '))
		len--;
	while (len > 0 && *p == ' ') {
		p++;
		len--;
	}
	*start = p;
	return len;
}

static bool
term_names(const struct vendor_term *t, const struct bag_value *value)
{
	const char	*label;
	size_t		 len;

	if (t->numbered)
		return value->type != BAG_OCTETS && value->type != BAG_OBJID &&
		    value->type != BAG_IPADDRESS && value->number >= t->low &&
		    value->number <= t->high;
	if (value->type != BAG_OCTETS)
		return false;
	len = label_trim(value, &label);
	return strlen(t->text) == len &&
	    strncasecmp(label, t->text, len) == 0;
}

static void
cells_add(const struct vendor_table *t, const struct bag_value *value,
    size_t cursor, size_t prefix, struct cells *cells)
{
	const struct vendor_sum	*s;
	size_t			 r, k;

	for (r = 0; r < t->rows.count; r++) {
		s = &t->rows.item[r];
		for (k = 0; k < s->terms && cells->count < CELLS_MAX; k++)
			if (term_names(&s->term[k], value))
				cells->item[cells->count++] = (struct cell){
				    cursor, prefix, r, k };
	}
}

/* The label column, or the part of it below the n-th index of the table;
 * false when there is no such part. */
static bool
label_column(const struct vendor_table *t, size_t n, struct objid *column)
{
	const char	*p;

	objid_parse(t->label, column);
	if (t->index.count == 0)
		return n == 0;
	if (n >= t->index.count)
		return false;
	for (p = t->index.item[n]; *p != '\0'; p += *p == '.') {
		objid_add(column, (uint32_t)strtoul(p, NULL, 10));
		p += strcspn(p, ".");
	}
	return true;
}

/* Looks all labels of a table up in one pass. */
static void
table_resolve(const struct vendor_table *t, const struct bag *bag,
    struct cells *cells)
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor, before, n, labels = 0;

	cells->count = 0;
	for (n = 0; label_column(t, n, &column); n++) {
		cursor = 0;
		while (before = cursor, labels++ < LABELS_MAX &&
		    bag_next(bag, &column, &cursor, &id, &value))
			cells_add(t, &value, before, n, cells);
	}
}

/* The OID in column of the row of that cell. */
static bool
cell_object(const struct vendor_table *t, const struct bag *bag,
    const struct cell *c, const char *column, struct objid *object)
{
	struct objid		 labels, id;
	struct bag_value	 value;
	size_t			 cursor = c->cursor, i;

	if (!label_column(t, c->prefix, &labels) ||
	    !bag_next(bag, &labels, &cursor, &id, &value))
		return false;
	objid_parse(t->label, &labels);
	objid_parse(column, object);
	for (i = labels.len; i < id.len; i++)
		objid_add(object, id.sub[i]);
	return true;
}

/* How many rows a term has: two are ambiguous, and an ambiguous counter is
 * none, except in tables whose rows add up. */
static size_t
cells_of(const struct cells *cells, size_t sum, size_t term)
{
	size_t	 i, n = 0;

	for (i = 0; i < cells->count; i++)
		n += cells->item[i].sum == sum && cells->item[i].term == term;
	return n;
}

/*
 * Brother's counters: records of 7 octets, tag, 01, 04 and a 32-bit number,
 * FF behind the last.  All ones is "never counted".
 */
static int64_t
record_number(const struct bag_value *value, int tag)
{
	const uint8_t	*p = value->octets;
	size_t		 i;
	uint32_t	 number;

	for (i = 0; i + 7 <= value->octets_len && p[i] != 0xff; i += 7) {
		if (p[i + 1] != 0x01 || p[i + 2] != 0x04)
			return ABSENT;
		if (p[i] != tag)
			continue;
		number = (uint32_t)p[i + 3] << 24 | (uint32_t)p[i + 4] << 16 |
		    (uint32_t)p[i + 5] << 8 | p[i + 6];
		return number == UINT32_MAX ? ABSENT : (int64_t)number;
	}
	return ABSENT;
}

/* An IEEE 754 number in 4 or 8 octets, the highest first. */
static int64_t
real_number(const struct bag_value *value)
{
	uint64_t	 bits = 0;
	uint32_t	 half;
	float		 single;
	double		 number;
	size_t		 i;

	if (value->octets_len != 4 && value->octets_len != 8)
		return ABSENT;
	for (i = 0; i < value->octets_len; i++)
		bits = bits << 8 | value->octets[i];
	half = (uint32_t)bits;
	memcpy(&single, &half, sizeof(single));
	if (value->octets_len == 4)
		number = single;
	else
		memcpy(&number, &bits, sizeof(number));
	return isfinite(number) && number >= 0 && number < 1e15 ?
	    (int64_t)llround(number) : ABSENT;
}

/* Text that is a number and nothing else. */
static int64_t
digits_number(const struct bag_value *value)
{
	const char	*p;
	size_t		 len = label_trim(value, &p), i;
	int64_t		 number = 0;

	if (len == 0 || len > 15)
		return ABSENT;
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return ABSENT;
		number = 10 * number + (p[i] - '0');
	}
	return number;
}

static bool
is_number(const struct bag_value *value)
{
	return value->type != BAG_OCTETS && value->type != BAG_OBJID &&
	    value->type != BAG_IPADDRESS;
}

/* What the object counts, read in the way of the sum that it is a part of. */
static int64_t
object_number(const struct bag *bag, const struct objid *id,
    const struct vendor_sum *s)
{
	struct bag_value	 value;
	int64_t			 number;

	if (!bag_get(bag, id, &value))
		return ABSENT;
	if (s->tag >= 0 || s->real || s->digits) {
		if (value.type != BAG_OCTETS)
			return ABSENT;
		number = s->tag >= 0 ? record_number(&value, s->tag) :
		    s->real ? real_number(&value) : digits_number(&value);
	} else {
		number = is_number(&value) ? value.number : ABSENT;
	}
	/* No counter is negative; and INT64_MAX is a Counter64 that was cut. */
	return number < 0 || number > INT64_MAX / s->scale - 1 ? ABSENT :
	    number * s->scale / s->divisor;
}

static int64_t
term_number(const struct bag *bag, const char *oid,
    const struct vendor_sum *s)
{
	struct objid	 id;

	objid_parse(oid, &id);
	return object_number(bag, &id, s);
}

/* A sum while it is put together. */
struct total {
	int64_t	 value;
	size_t	 parts;
	bool	 whole;		/* nothing that must be there is missing */
	char	 oid[RECORD_TEXT_MAX + 1];
};

static void
total_say(struct total *t, const char *oid)
{
	size_t	 len = strlen(t->oid);

	if (len + strlen(oid) + 2 > sizeof(t->oid)) {
		t->whole = false;
		return;
	}
	snprintf(t->oid + len, sizeof(t->oid) - len, "%s%s",
	    len == 0 ? "" : "+", oid);
}

/* False when it was not there. */
static bool
total_add(struct total *t, int64_t number, bool optional)
{
	if (number == ABSENT) {
		t->whole &= optional;
		return false;
	}
	if (number > INT64_MAX - 1 - t->value) {
		t->whole = false;
		return false;
	}
	t->value += number;
	t->parts++;
	return true;
}

static void
total_report(const struct total *t, const char *name, int64_t unit,
    struct asset *a)
{
	struct counter	*c;

	if (!t->whole || t->parts == 0 || asset_counter(a, name) != NULL ||
	    (c = asset_counter_add(a, name)) == NULL)
		return;
	c->value = t->value;
	c->unit = unit;
	c->oid = xstrdup(t->oid);
	c->check = CHECK_NONE;
}

static void
sum_plain(const struct vendor_sum *s, const struct bag *bag, struct total *t)
{
	size_t	 k;

	*t = (struct total){ .whole = true };
	for (k = 0; k < s->terms && t->whole; k++)
		if (total_add(t, term_number(bag, s->term[k].text, s),
		    s->term[k].optional))
			total_say(t, s->term[k].text);
}

/* The unit that the table gives a row, where it is one of the standard's. */
static int64_t
cell_unit(const struct vendor_table *table, const struct bag *bag,
    const struct cell *c)
{
	struct bag_value	 value;
	struct objid		 object;

	if (table->units == NULL ||
	    !cell_object(table, bag, c, table->units, &object))
		return table->unit;
	return !bag_get(bag, &object, &value) || !is_number(&value) ||
	    keyword_of(words_unit, value.number) == NULL ? ABSENT :
	    value.number;
}

/* A sum's source says the rows that it takes, and not those that there are:
 * one more (another size of paper) is the same counter still. */
static void
say_rule(const struct vendor_table *table, const struct vendor_sum *s,
    struct total *t)
{
	size_t	 k;

	total_say(t, table->value);
	for (k = 0; k < s->terms; k++) {
		if (strlen(t->oid) + strlen(s->term[k].text) + 2 >
		    sizeof(t->oid))
			return;
		strcat(t->oid, k == 0 ? "" : "+");
		strcat(t->oid, s->term[k].text);
	}
}

/* Adds the rows of one term; false when two units differ. */
static bool
add_cells(const struct vendor_table *table, const struct bag *bag,
    const struct cells *cells, size_t sum, size_t term, struct total *t,
    int64_t *unit)
{
	const struct vendor_sum	*s = &table->rows.item[sum];
	struct objid		 object;
	char			 oid[OBJID_TEXT_MAX];
	bool			 first;
	size_t			 i;

	for (i = 0; i < cells->count; i++) {
		if (cells->item[i].sum != sum || cells->item[i].term != term ||
		    !cell_object(table, bag, &cells->item[i], table->value,
		    &object))
			continue;
		first = t->parts == 0;
		if (!total_add(t, object_number(bag, &object, s),
		    s->term[term].optional))
			continue;
		if (!table->sum)
			total_say(t, objid_format(&object, oid));
		if (first)
			*unit = cell_unit(table, bag, &cells->item[i]);
		else if (*unit != cell_unit(table, bag, &cells->item[i]))
			return false;
	}
	return true;
}

static void
sum_rows(const struct vendor_table *table, const struct bag *bag,
    const struct cells *cells, size_t sum, struct total *t, int64_t *unit)
{
	const struct vendor_sum	*s = &table->rows.item[sum];
	size_t			 k, n;

	*t = (struct total){ .whole = true };
	*unit = table->unit;
	for (k = 0; k < s->terms && t->whole; k++) {
		n = cells_of(cells, sum, k);
		/* A label twice is no answer even where the term may be
		 * missing. */
		if (n == 0 ? !s->term[k].optional : n > 1 && !table->sum)
			t->whole = false;
		else if (!add_cells(table, bag, cells, sum, k, t, unit))
			t->whole = false;
	}
	if (table->sum)
		say_rule(table, s, t);
}

static size_t
collect_plain(const struct vendor_sum *s, struct objid *out, size_t n,
    size_t max)
{
	size_t	 k;

	for (k = 0; k < s->terms; k++)
		n = objid_collect_text(out, n, max, s->term[k].text);
	return n;
}

static size_t
collect_cells(const struct vendor_table *table, const struct bag *bag,
    struct objid *out, size_t n, size_t max)
{
	struct cells	 cells;
	struct objid	 object;
	size_t		 i;

	table_resolve(table, bag, &cells);
	for (i = 0; i < cells.count; i++) {
		if (!table->sum && cells_of(&cells, cells.item[i].sum,
		    cells.item[i].term) > 1)
			continue;
		if (cell_object(table, bag, &cells.item[i], table->value,
		    &object))
			n = objid_collect(out, n, max, &object);
	}
	return n;
}

size_t
vendor_counter_objects(const struct vendor *v, const struct bag *bag,
    struct objid *out, size_t max)
{
	size_t	 n = 0, i;

	if (v == NULL)
		return 0;
	for (i = 0; bag != NULL && i < v->tables_len; i++)
		n = collect_cells(&v->tables[i], bag, out, n, max);
	for (i = 0; i < v->counters.count; i++)
		n = collect_plain(&v->counters.item[i], out, n, max);
	return vendor_permit(out, n);
}

void
vendor_sample(struct bag *fresh)
{
	struct objid		 column, id, copy;
	struct bag_value	 value;
	size_t			 cursor = 0, i;

	objid_parse(STD_MARKER_LIFE, &column);
	/* The copies sort in front of what is stepped through, so that each
	 * put moves the cursor on by one. */
	while (bag_next(fresh, &column, &cursor, &id, &value)) {
		objid_parse(STD_LIFE_SAMPLED, &copy);
		for (i = column.len; i < id.len; i++)
			objid_add(&copy, id.sub[i]);
		i = bag_count(fresh);
		if (value.type == BAG_COUNTER || value.type == BAG_INTEGER)
			bag_put_number(fresh, &copy, value.type,
			    value.number);
		cursor += bag_count(fresh) - i;
	}
}

static void
counters_table(const struct vendor_table *table, const struct bag *bag,
    struct asset *a)
{
	struct cells	 cells;
	struct total	 t;
	int64_t		 unit;
	size_t		 i;

	table_resolve(table, bag, &cells);
	for (i = 0; cells.count > 0 && i < table->rows.count; i++) {
		sum_rows(table, bag, &cells, i, &t, &unit);
		total_report(&t, table->rows.item[i].name, unit, a);
	}
}

static void
counters_plain(const struct vendor *v, const struct bag *bag, struct asset *a)
{
	const struct vendor_sum	*s;
	struct total		 t;
	size_t			 i;

	for (i = 0; i < v->counters.count; i++) {
		s = &v->counters.item[i];
		if (asset_counter(a, s->name) != NULL)
			continue;
		sum_plain(s, bag, &t);
		total_report(&t, s->name, s->unit, a);
	}
}

static void
check_mark(struct counter *c, bool holds)
{
	if (!holds)
		c->check = CHECK_MISMATCH;
	else if (c->check != CHECK_MISMATCH)
		c->check = CHECK_OK;
}

/* One sum: it counts only when every part is there, in one unit (sheets are
 * never added to impressions). */
static void
check_sum(const struct vendor_sum *s, int64_t sampled, struct asset *a)
{
	struct counter	*whole = asset_counter(a, s->name), *part;
	int64_t		 sum = 0, value;
	size_t		 i;

	if (whole == NULL)
		return;
	value = strcmp(s->name, "total") == 0 && sampled != ABSENT ?
	    sampled : whole->value;
	for (i = 0; i < s->terms; i++) {
		part = asset_counter(a, s->term[i].text);
		if (part == NULL || part->unit != whole->unit ||
		    part->value > INT64_MAX - sum)
			return;
		sum += part->value;
	}
	check_mark(whole, sum == value);
	for (i = 0; i < s->terms; i++)
		check_mark(asset_counter(a, s->term[i].text), sum == value);
}

/*
 * A counter that is larger than what it is a part of was never set: HP's
 * pages from the feeder to the host are 10884743 on machines whose feeder
 * has seen none.  The same goes where there is nothing to compare it with.
 */
static void
check_limit(const struct vendor_sum *s, struct asset *a)
{
	struct counter	*c = asset_counter(a, s->name), *limit;
	size_t		 i;

	if (c == NULL)
		return;
	limit = asset_counter(a, s->term[0].text);
	if (limit != NULL && c->value <= limit->value)
		return;
	i = (size_t)(c - a->counters);
	counter_clear(c);
	memmove(c, c + 1, (--a->counters_len - i) * sizeof(*c));
}

void
vendor_counters(const struct vendor *v, const struct bag *bag,
    int64_t sampled, struct asset *a)
{
	size_t	 i;

	if (v == NULL)
		return;
	for (i = 0; i < v->tables_len; i++)
		counters_table(&v->tables[i], bag, a);
	counters_plain(v, bag, a);
	for (i = 0; i < v->limits.count; i++)
		check_limit(&v->limits.item[i], a);
	for (i = 0; i < v->checks.count; i++)
		check_sum(&v->checks.item[i], sampled, a);
}

/* A file's toner is any, a cartridge of it too; ink likewise. */
static bool
kind_is(int64_t kind, int64_t wanted)
{
	enum { TONER = 3, INK = 5, INK_CARTRIDGE = 6, TONER_CARTRIDGE = 21 };

	return kind == wanted || (wanted == TONER && kind == TONER_CARTRIDGE) ||
	    (wanted == INK && kind == INK_CARTRIDGE);
}

int64_t
vendor_supply_percent(const struct vendor *v, const struct bag *bag,
    int64_t kind, const char *colour)
{
	const struct vendor_supply	*s;
	int64_t				 percent;
	size_t				 i;

	for (i = 0; v != NULL && i < v->supplies_len; i++) {
		s = &v->supplies[i];
		if (!kind_is(kind, s->kind) || (s->colour[0] != '\0' &&
		    (colour == NULL || strcasecmp(s->colour, colour) != 0)))
			continue;
		percent = term_number(bag, s->percent.term[0].text,
		    &s->percent);
		if (percent != ABSENT && percent <= 100)
			return percent;
	}
	return ABSENT;
}
