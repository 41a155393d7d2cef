/* The makers' counters: which objects, in which rows, and what they sum to. */
#include "snmp/vendor.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "snmp/standard.h"
#include "snmp/vendorfile.h"

#define TABLE_TERMS_MAX	96	/* labels that one table section names */
#define LABELS_MAX	1024	/* rows that are looked at */

/* Where a label was met: the cursor in front of it, and how often. */
struct hit {
	size_t	 cursor;
	unsigned count;
};

/* Without the blanks and NULs at its end. */
static size_t
label_length(const struct bag_value *value)
{
	size_t	 len = value->octets_len;

	while (len > 0 && (value->octets[len - 1] == '\0' ||
	    value->octets[len - 1] == ' '))
		len--;
	return len;
}

static bool
label_is(const struct bag_value *value, size_t len, const char *label)
{
	return strlen(label) == len &&
	    strncasecmp((const char *)value->octets, label, len) == 0;
}

/* Looks all labels of a table up in one pass; hits[] goes by row and term. */
static void
table_resolve(const struct vendor_table *t, const struct bag *bag,
    struct hit hits[TABLE_TERMS_MAX])
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor = 0, before, r, k, h, labels = 0, len;

	memset(hits, 0, TABLE_TERMS_MAX * sizeof(hits[0]));
	objid_parse(t->label, &column);
	while (before = cursor, labels++ < LABELS_MAX &&
	    bag_next(bag, &column, &cursor, &id, &value)) {
		if (value.type != BAG_OCTETS)
			continue;
		len = label_length(&value);
		for (r = h = 0; r < t->rows.count; r++) {
			for (k = 0; k < t->rows.item[r].terms &&
			    h < TABLE_TERMS_MAX; k++, h++) {
				if (!label_is(&value, len,
				    t->rows.item[r].term[k].text))
					continue;
				hits[h].cursor = before;
				hits[h].count++;
			}
		}
	}
}

/* The value's OID in the row that hit names.  Two rows of one label are
 * ambiguous, and an ambiguous counter is none. */
static bool
table_cell(const struct vendor_table *t, const struct bag *bag,
    const struct hit *hit, struct objid *cell)
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor = hit->cursor, i;

	if (hit->count != 1)
		return false;
	objid_parse(t->label, &column);
	if (!bag_next(bag, &column, &cursor, &id, &value))
		return false;
	objid_parse(t->value, cell);
	for (i = column.len; i < id.len; i++)
		objid_add(cell, id.sub[i]);
	return true;
}

size_t
vendor_counter_objects(const struct vendor *v, const struct bag *bag,
    struct objid *out, size_t max)
{
	struct hit	 hits[TABLE_TERMS_MAX];
	struct objid	 cell;
	size_t		 n = 0, i, k;

	for (i = 0; v != NULL && i < v->counters.count; i++) {
		for (k = 0; k < v->counters.item[i].terms; k++)
			n = objid_collect_text(out, n, max,
			    v->counters.item[i].term[k].text);
	}
	for (i = 0; v != NULL && bag != NULL && i < v->tables_len; i++) {
		table_resolve(&v->tables[i], bag, hits);
		for (k = 0; k < TABLE_TERMS_MAX; k++) {
			if (table_cell(&v->tables[i], bag, &hits[k], &cell))
				n = objid_collect(out, n, max, &cell);
		}
	}
	return n;
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

static int64_t
term_number(const struct bag *bag, const char *oid, int tag)
{
	struct bag_value	 value;
	int64_t			 number;

	if (tag >= 0)
		return bag_octets(bag, &value, oid, 0) ?
		    record_number(&value, tag) : ABSENT;
	number = bag_number(bag, oid, 0);
	/* No counter is negative; and INT64_MAX is a Counter64 that was cut. */
	return number < 0 || number == INT64_MAX ? ABSENT : number;
}

/* A sum while it is put together. */
struct total {
	int64_t	 value;
	bool	 whole;
	char	 oid[RECORD_TEXT_MAX + 1];
};

static void
total_add(struct total *t, int64_t number, bool optional, const char *oid)
{
	size_t	 len = strlen(t->oid);

	if (number == ABSENT) {
		if (!optional)
			t->whole = false;
		return;
	}
	if (number > INT64_MAX - 1 - t->value ||
	    len + strlen(oid) + 2 > sizeof(t->oid)) {
		t->whole = false;
		return;
	}
	t->value += number;
	snprintf(t->oid + len, sizeof(t->oid) - len, "%s%s",
	    len == 0 ? "" : "+", oid);
}

static void
total_report(const struct total *t, const char *name, int64_t unit,
    struct asset *a)
{
	struct counter	*c;

	if (!t->whole || asset_counter(a, name) != NULL ||
	    (c = asset_counter_add(a, name)) == NULL)
		return;
	c->value = t->value;
	c->unit = unit;
	c->oid = xstrdup(t->oid);
	c->check = CHECK_NONE;
}

static void
counters_plain(const struct vendor *v, const struct bag *bag, struct asset *a)
{
	const struct vendor_sum	*s;
	struct total		 t;
	size_t			 i, k;

	for (i = 0; i < v->counters.count; i++) {
		s = &v->counters.item[i];
		t = (struct total){ .whole = true };
		for (k = 0; k < s->terms && t.whole; k++)
			total_add(&t, term_number(bag, s->term[k].text,
			    s->tag), s->term[k].optional, s->term[k].text);
		total_report(&t, s->name, s->unit, a);
	}
}

static void
counters_table(const struct vendor_table *table, const struct bag *bag,
    struct asset *a)
{
	const struct vendor_sum	*s;
	struct hit		 hits[TABLE_TERMS_MAX];
	struct total		 t;
	struct objid		 cell;
	char			 oid[OBJID_TEXT_MAX];
	size_t			 i, k, h = 0;

	table_resolve(table, bag, hits);
	for (i = 0; i < table->rows.count; i++) {
		s = &table->rows.item[i];
		t = (struct total){ .whole = true };
		for (k = 0; k < s->terms && h < TABLE_TERMS_MAX; k++, h++) {
			if (!table_cell(table, bag, &hits[h], &cell)) {
				/* A label twice is no answer even where the
				 * term may be missing. */
				if (!s->term[k].optional || hits[h].count > 1)
					t.whole = false;
				continue;
			}
			objid_format(&cell, oid);
			total_add(&t, term_number(bag, oid, -1),
			    s->term[k].optional, oid);
		}
		total_report(&t, s->name, table->unit, a);
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

void
vendor_counters(const struct vendor *v, const struct bag *bag,
    int64_t sampled, struct asset *a)
{
	size_t	 i;

	if (v == NULL)
		return;
	counters_plain(v, bag, a);
	for (i = 0; i < v->tables_len; i++)
		counters_table(&v->tables[i], bag, a);
	for (i = 0; i < v->checks.count; i++)
		check_sum(&v->checks.item[i], sampled, a);
}
