#include "snmp/vendor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "snmp/standard.h"
#include "snmp/text.h"
#include "snmp/vendorfile.h"

#define VENDOR_FILES \
	FILE_IN(brother, "brother") \
	FILE_IN(brother_quiet, "brother-quiet") \
	FILE_IN(canon, "canon") \
	FILE_IN(common, "common") \
	FILE_IN(datamax, "datamax") \
	FILE_IN(dell, "dell") \
	FILE_IN(dell_fuji, "dell-fuji") \
	FILE_IN(dell_lexmark, "dell-lexmark") \
	FILE_IN(epson, "epson") \
	FILE_IN(fuji_xerox, "fuji-xerox") \
	FILE_IN(hp, "hp") \
	FILE_IN(intermec, "intermec") \
	FILE_IN(kip, "kip") \
	FILE_IN(konica_minolta, "konica-minolta") \
	FILE_IN(kyocera, "kyocera") \
	FILE_IN(lexmark, "lexmark") \
	FILE_IN(oce, "oce") \
	FILE_IN(oki, "oki") \
	FILE_IN(panasonic, "panasonic") \
	FILE_IN(pantum, "pantum") \
	FILE_IN(ricoh, "ricoh") \
	FILE_IN(riso, "riso") \
	FILE_IN(samsung, "samsung") \
	FILE_IN(sharp, "sharp") \
	FILE_IN(toshiba, "toshiba") \
	FILE_IN(toshiba_tec, "toshiba-tec") \
	FILE_IN(tsc, "tsc") \
	FILE_IN(xerox, "xerox") \
	FILE_IN(zebra, "zebra")

#define FILE_IN(id, name) \
	__asm__(".section .rodata\n" \
	    "vendor_ini_" #id ":\n" \
	    ".incbin \"snmp/vendors/" name ".ini\"\n" \
	    ".byte 0\n" \
	    ".previous\n"); \
	extern const char vendor_ini_##id[] \
	    __attribute__((visibility("hidden")));
VENDOR_FILES
#undef FILE_IN

static const struct {
	const char	*name, *text;
} files[] = {
#define FILE_IN(id, name) { name ".ini", vendor_ini_##id },
	VENDOR_FILES
#undef FILE_IN
};

#define VENDORS		(sizeof(files) / sizeof(files[0]))
#define TABLE_TERMS_MAX	96	/* labels that one table section names */
#define LABELS_MAX	1024	/* rows that are looked at */

static struct vendor		 vendors[VENDORS];
static const struct vendor	*common;
static bool			 loaded;

void
vendor_load(void)
{
	char	 why[256];
	size_t	 i;

	if (loaded)
		return;
	for (i = 0; i < VENDORS; i++) {
		if (vendorfile_parse(files[i].name, files[i].text,
		    &vendors[i], why, sizeof(why)) == -1)
			fatalx("vendor", "%s", why);
		if (vendors[i].is_common)
			common = &vendors[i];
	}
	loaded = true;
}

const struct vendor *
vendor_nth(size_t n)
{
	vendor_load();
	return n < VENDORS ? &vendors[n] : NULL;
}

static char *
bag_text(const struct bag *bag, const char *oid, uint32_t row, size_t rows)
{
	struct bag_value	 value;

	if (!(rows == 0 ? bag_octets(bag, &value, oid, 0) :
	    bag_octets(bag, &value, oid, 1, row)))
		return NULL;
	return text_decode(value.octets, value.octets_len, ABSENT);
}

/* Words stand in sysDescr, or in the description of one of the devices. */
static bool
words_said(const struct words *words, const struct bag *bag,
    const char *sysdescr)
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor, i, rows;
	char			*text;
	bool			 said = false;

	for (i = 0; i < words->count; i++) {
		if (sysdescr != NULL &&
		    text_find_word(sysdescr, words->item[i]) != NULL)
			return true;
	}
	objid_parse(STD_DEVICE_DESCR, &column);
	for (cursor = 0, rows = 0; words->count > 0 && !said && rows < 16 &&
	    bag_next(bag, &column, &cursor, &id, &value); rows++) {
		text = value.type != BAG_OCTETS ? NULL :
		    text_decode(value.octets, value.octets_len, ABSENT);
		for (i = 0; text != NULL && i < words->count; i++)
			said |= text_find_word(text, words->item[i]) != NULL;
		free(text);
	}
	return said;
}

/* How much of sysObjectID the file's prefixes match, in characters. */
static size_t
enterprise_match(const struct vendor *v, const char *oid)
{
	size_t	 best = 0, len, i;

	for (i = 0; i < v->enterprise.count; i++) {
		len = strlen(v->enterprise.item[i]);
		if (len > best && strncmp(oid, v->enterprise.item[i],
		    len) == 0 && (oid[len] == '.' || oid[len] == '\0'))
			best = len;
	}
	return best;
}

static const struct vendor *
match(const struct bag *bag, const char *oid, const char *sysdescr)
{
	const struct vendor	*v, *found = NULL;
	size_t			 best = 0, score;

	for (v = vendors; v < vendors + VENDORS; v++) {
		score = enterprise_match(v, oid);
		score = score == 0 ? 0 : 2 * score + (v->only.count > 0);
		if (score > best && (v->only.count == 0 ||
		    words_said(&v->only, bag, sysdescr))) {
			best = score;
			found = v;
		}
	}
	for (v = vendors; found == NULL && v < vendors + VENDORS; v++) {
		if (v->only.count > 0 &&
		    words_said(&v->only, bag, sysdescr))
			found = v;
	}
	for (v = vendors; found == NULL && v < vendors + VENDORS; v++) {
		if (v->only.count == 0 &&
		    words_said(&v->text, bag, sysdescr))
			found = v;
	}
	return found;
}

const struct vendor *
vendor_match(const struct bag *bag)
{
	const struct vendor	*found;
	struct objid		 id;
	struct bag_value	 value;
	char			 oid[OBJID_TEXT_MAX] = "";
	char			*sysdescr;

	vendor_load();
	objid_parse(STD_SYS_OBJECT_ID, &id);
	if (bag_get(bag, &id, &value) && value.type == BAG_OBJID)
		objid_format(&value.objid, oid);
	sysdescr = bag_text(bag, STD_SYS_DESCR, 0, 0);
	found = match(bag, oid, sysdescr);
	free(sysdescr);
	return found;
}

static bool
wants_common(const struct vendor *v)
{
	return common != NULL && v != common && (v == NULL || !v->no_common);
}

/* Appends the OID unless it is there already. */
static size_t
objid_put(struct objid *out, size_t n, size_t max, const struct objid *id)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		if (objid_cmp(&out[i], id) == 0)
			return n;
	}
	if (n < max)
		out[n++] = *id;
	return n;
}

static size_t
text_put(struct objid *out, size_t n, size_t max, const char *oid)
{
	struct objid	 id;

	return objid_parse(oid, &id) == -1 ? n : objid_put(out, n, max, &id);
}

size_t
vendor_objects(const struct vendor *v, struct objid *out, size_t max)
{
	size_t	 n = 0, i;

	vendor_load();
	for (i = 0; v != NULL && i < v->objects_len; i++)
		n = text_put(out, n, max, v->objects[i].oid);
	for (i = 0; wants_common(v) && i < common->objects_len; i++)
		n = text_put(out, n, max, common->objects[i].oid);
	return n;
}

size_t
vendor_tables(const struct vendor *v, struct objid *out, size_t max)
{
	size_t	 n = 0, i;

	for (i = 0; v != NULL && i < v->tables_len; i++) {
		n = text_put(out, n, max, v->tables[i].label);
		n = text_put(out, n, max, v->tables[i].value);
	}
	return n;
}

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
			n = text_put(out, n, max,
			    v->counters.item[i].term[k].text);
	}
	for (i = 0; v != NULL && bag != NULL && i < v->tables_len; i++) {
		table_resolve(&v->tables[i], bag, hits);
		for (k = 0; k < TABLE_TERMS_MAX; k++) {
			if (table_cell(&v->tables[i], bag, &hits[k], &cell))
				n = objid_put(out, n, max, &cell);
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

const char *
vendor_name(const struct vendor *v)
{
	return v == NULL ? NULL : v->name;
}

const char *
vendor_make(const struct vendor *v)
{
	return v == NULL ? NULL : v->make;
}

bool
vendor_is_label(const struct vendor *v)
{
	return v != NULL && v->label;
}

bool
vendor_bare_percent(const struct vendor *v)
{
	return v != NULL && v->bare_percent;
}

enum supply_state
vendor_odd_level(const struct vendor *v, int64_t level)
{
	size_t	 i;

	for (i = 0; v != NULL && i < v->levels_len; i++) {
		if (v->levels[i].level == level)
			return v->levels[i].state;
	}
	return SUPPLY_UNKNOWN;
}

/* The word behind mark, up to a blank, comma or semicolon; or NULL. */
static char *
word_after(const char *text, const char *mark)
{
	const char	*p = strstr(text, mark);
	size_t		 len;

	if (p == NULL)
		return NULL;
	p += strlen(mark);
	len = strcspn(p, " ,;");
	return len == 0 ? NULL : xstrndup(p, len);
}

static char *
object_text(const struct vendor_object *o, const struct bag *bag,
    int64_t mibenum)
{
	struct bag_value	 value;
	char			*text, *part;

	if (!bag_octets(bag, &value, o->oid, 0))
		return NULL;
	if (o->how == HOW_PML)
		return text_decode_pml(value.octets, value.octets_len,
		    mibenum);
	text = text_decode(value.octets, value.octets_len, mibenum);
	if (text == NULL || o->how == HOW_PLAIN)
		return text;
	part = o->how == HOW_1284 ? text_1284(text, o->arg) :
	    word_after(text, o->arg);
	free(text);
	return part;
}

char *
vendor_text(const struct vendor *v, const struct bag *bag,
    enum vendor_fact fact, int64_t mibenum)
{
	const struct vendor	*each[2];
	char			*text;
	size_t			 i, k;

	vendor_load();
	each[0] = v;
	each[1] = wants_common(v) ? common : NULL;
	for (k = 0; k < 2; k++) {
		for (i = 0; each[k] != NULL && i < each[k]->objects_len;
		    i++) {
			if (each[k]->objects[i].fact != fact)
				continue;
			text = object_text(&each[k]->objects[i], bag,
			    mibenum);
			if (text != NULL)
				return text;
		}
	}
	return NULL;
}

/* Behind mark, in which '*' stands for anything. */
static const char *
find_after(const char *text, const char *mark)
{
	const char	*star = strchr(mark, '*'), *p;
	char		*first;

	if (star == NULL) {
		p = strstr(text, mark);
		return p == NULL ? NULL : p + strlen(mark);
	}
	first = xstrndup(mark, (size_t)(star - mark));
	p = strstr(text, first);
	if (p != NULL)
		p = find_after(p + strlen(first), star + 1);
	free(first);
	return p;
}

char *
vendor_descr_text(const struct vendor *v, const char *sysdescr,
    enum vendor_fact fact)
{
	const char	*p;
	size_t		 i, len;

	for (i = 0; v != NULL && i < v->descr_len; i++) {
		if (v->descr[i].fact != fact ||
		    (p = find_after(sysdescr, v->descr[i].text)) == NULL)
			continue;
		p += strspn(p, " ");
		len = strcspn(p, fact == VENDOR_MODEL ? ",;" : " ,;");
		if (len > 0)
			return xstrndup(p, len);
	}
	return NULL;
}

bool
vendor_descr_generic(const struct vendor *v, const char *sysdescr)
{
	size_t	 i;

	for (i = 0; v != NULL && i < v->generic.count; i++) {
		if (strcasestr(sysdescr, v->generic.item[i]) != NULL)
			return true;
	}
	return false;
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
