#include "snmp/vendor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/standard.h"
#include "snmp/text.h"
#include "snmp/vendorfile.h"

#define FIRST_ROWS_MAX	16	/* of a column whose first text counts */

/* The file whose objects are asked of everybody's printers, or NULL. */
static const struct vendor *
common(void)
{
	const struct vendor	**list;
	size_t			 i, n = vendor_files(&list);

	for (i = 0; i < n; i++)
		if (list[i]->is_common)
			return list[i];
	return NULL;
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

/* A device's texts, decoded when somebody first wants them. */
struct texts {
	const struct bag	*bag;
	char			*sysdescr;
	bool			 decoded;
};

/* Words stand in sysDescr, or in the description of one of the devices. */
static bool
words_said(const struct words *words, struct texts *t)
{
	static struct objid	 column;
	struct objid		 id;
	struct bag_value	 value;
	size_t			 cursor, i, rows;
	char			*text;
	bool			 said = false;

	if (words->count == 0)
		return false;
	if (!t->decoded)
		t->sysdescr = bag_text(t->bag, STD_SYS_DESCR, 0, 0);
	t->decoded = true;
	for (i = 0; i < words->count; i++) {
		if (t->sysdescr != NULL &&
		    text_find_word(t->sysdescr, words->item[i]) != NULL)
			return true;
	}
	if (column.len == 0)
		objid_parse(STD_DEVICE_DESCR, &column);
	for (cursor = 0, rows = 0; !said && rows < 16 &&
	    bag_next(t->bag, &column, &cursor, &id, &value); rows++) {
		text = value.type != BAG_OCTETS ? NULL :
		    text_decode(value.octets, value.octets_len, ABSENT);
		for (i = 0; text != NULL && i < words->count; i++)
			said |= text_find_word(text, words->item[i]) != NULL;
		free(text);
	}
	return said;
}

/* How many numbers of sysObjectID the file's prefixes match. */
static size_t
enterprise_match(const struct vendor *v, const struct objid *id)
{
	size_t	 best = 0, i;

	for (i = 0; i < v->enterprise.count; i++)
		if (v->prefixes[i].len > best &&
		    objid_within(id, &v->prefixes[i]))
			best = v->prefixes[i].len;
	return best;
}

/* The longest number wins, among equals the file for certain models; words
 * count where no number is known. */
static const struct vendor *
match(struct texts *t, const struct objid *id)
{
	const struct vendor	**list, *v, *found = NULL;
	size_t			 best = 0, score, i, n = vendor_files(&list);

	for (i = 0; i < n; i++) {
		v = list[i];
		score = enterprise_match(v, id);
		score = score == 0 ? 0 : 2 * score + (v->only.count > 0);
		if (score > best &&
		    (v->only.count == 0 || words_said(&v->only, t))) {
			best = score;
			found = v;
		}
	}
	for (i = 0; found == NULL && i < n; i++)
		if (words_said(&list[i]->only, t))
			found = list[i];
	for (i = 0; found == NULL && i < n; i++)
		if (list[i]->only.count == 0 && words_said(&list[i]->text, t))
			found = list[i];
	return found;
}

const struct vendor *
vendor_match(const struct bag *bag)
{
	struct texts		 t = { .bag = bag };
	const struct vendor	*found;
	static struct objid	 id;
	struct bag_value	 value;

	if (id.len == 0)
		objid_parse(STD_SYS_OBJECT_ID, &id);
	if (!bag_get(bag, &id, &value) || value.type != BAG_OBJID)
		value.objid.len = 0;
	found = match(&t, &value.objid);
	free(t.sysdescr);
	return found;
}

/* The common file, unless v keeps from it. */
static const struct vendor *
common_for(const struct vendor *v)
{
	const struct vendor	*c = common();

	return c == v || (v != NULL && v->no_common) ? NULL : c;
}

static size_t
collect_objects(const struct vendor *v, struct objid *out, size_t n,
    size_t max)
{
	size_t	 i;

	for (i = 0; v != NULL && i < v->objects_len; i++)
		if (v->objects[i].how != HOW_FIRST)
			n = objid_collect_text(out, n, max,
			    v->objects[i].oid);
	return n;
}

static size_t
collect_supplies(const struct vendor *v, struct objid *out, size_t n,
    size_t max)
{
	size_t	 i;

	for (i = 0; v != NULL && i < v->supplies_len; i++)
		n = objid_collect_text(out, n, max,
		    v->supplies[i].percent.term[0].text);
	return n;
}

size_t
vendor_objects(const struct vendor *v, struct objid *out, size_t max)
{
	size_t	 n;

	n = collect_objects(v, out, 0, max);
	n = collect_objects(common_for(v), out, n, max);
	n = collect_supplies(v, out, n, max);
	return vendor_permit(out, n);
}

size_t
vendor_supply_objects(const struct vendor *v, struct objid *out, size_t max)
{
	return vendor_permit(out, collect_supplies(v, out, 0, max));
}

static size_t
collect_column(const struct vendor_table *t, const char *column,
    struct objid *out, size_t n, size_t max)
{
	char	*oid;
	size_t	 i;

	if (t->index.count == 0)
		return objid_collect_text(out, n, max, column);
	for (i = 0; i < t->index.count; i++) {
		oid = xasprintf("%s.%s", column, t->index.item[i]);
		n = objid_collect_text(out, n, max, oid);
		free(oid);
	}
	return n;
}

size_t
vendor_tables(const struct vendor *v, struct objid *out, size_t max)
{
	const struct vendor_table	*t;
	size_t				 n = 0, i;

	for (i = 0; v != NULL && i < v->objects_len; i++)
		if (v->objects[i].how == HOW_FIRST)
			n = objid_collect_text(out, n, max,
			    v->objects[i].oid);
	for (i = 0; v != NULL && i < v->tables_len; i++) {
		t = &v->tables[i];
		n = collect_column(t, t->label, out, n, max);
		if (t->units != NULL)
			n = collect_column(t, t->units, out, n, max);
	}
	return vendor_permit(out, n);
}

size_t
vendor_labels(const struct vendor *v, struct objid *out, size_t max)
{
	size_t	 n = 0, i;

	for (i = 0; v != NULL && i < v->tables_len; i++)
		n = collect_column(&v->tables[i], v->tables[i].label, out, n,
		    max);
	return n;
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
vendor_no_bulk(const struct vendor *v)
{
	return v != NULL && v->no_bulk;
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

/* The first row of a column that has text. */
static char *
first_text(const struct vendor_object *o, const struct bag *bag,
    int64_t mibenum)
{
	struct objid		 column, id;
	struct bag_value	 value;
	size_t			 cursor = 0, rows = 0;
	char			*text = NULL;

	objid_parse(o->oid, &column);
	while (text == NULL && rows++ < FIRST_ROWS_MAX &&
	    bag_next(bag, &column, &cursor, &id, &value))
		if (value.type == BAG_OCTETS)
			text = text_decode(value.octets, value.octets_len,
			    mibenum);
	return text;
}

static char *
object_text(const struct vendor_object *o, const struct bag *bag,
    int64_t mibenum)
{
	struct bag_value	 value;
	char			*text, *part;

	if (o->how == HOW_FIRST)
		return first_text(o, bag, mibenum);
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

	each[0] = v;
	each[1] = common_for(v);
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
