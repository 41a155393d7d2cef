#include "snmp/vendorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/text.h"
#include "snmp/vendorkey.h"

#define LINE_SIZE	1024

static int
line_read(struct vendorkey *p, char *line)
{
	size_t	 len;

	text_trim(line);
	if (*line == '\0' || *line == ';')
		return 0;
	if (*line != '[')
		return vendorkey_pair(p, line);
	len = strlen(line);
	if (line[len - 1] != ']')
		return vendorkey_wrong(p, "\"%.60s\" has no ] at its end",
		    line);
	line[len - 1] = '\0';
	return vendorkey_section(p, line + 1);
}

static bool
has_range(const struct vendor_table *t)
{
	size_t	 i, k;

	for (i = 0; i < t->rows.count; i++)
		for (k = 0; k < t->rows.item[i].terms; k++)
			if (t->rows.item[i].term[k].low !=
			    t->rows.item[i].term[k].high)
				return true;
	return false;
}

static void
check_tables(struct vendorkey *p)
{
	const struct vendor_table	*t;
	size_t				 i, columns = 0;

	for (i = 0; i < p->v->tables_len; i++) {
		t = &p->v->tables[i];
		p->line = t->line;
		if (t->label == NULL || t->value == NULL)
			vendorkey_wrong(p, "this [table] needs both label "
			    "and value");
		else if (t->rows.count == 0)
			vendorkey_wrong(p, "this [table] has no counter");
		else if (!t->sum && has_range(t))
			vendorkey_wrong(p, "a range of rows (#1-7) needs "
			    "sum = yes");
		columns += (t->index.count == 0 ? 1 : t->index.count) *
		    (t->units == NULL ? 1 : 2);
	}
	p->line = 0;
	if (columns > VENDORFILE_COLUMNS_MAX)
		vendorkey_wrong(p, "its tables have more than %d columns to "
		    "walk", VENDORFILE_COLUMNS_MAX);
}

static void
check_whole(struct vendorkey *p)
{
	const struct vendor	*v = p->v;

	check_tables(p);
	p->line = 0;
	if (v->name == NULL)
		vendorkey_wrong(p, "name is missing in [vendor]");
	if (!v->is_common && v->enterprise.count == 0 && v->text.count == 0 &&
	    v->only.count == 0)
		vendorkey_wrong(p, "nothing says whose it is: enterprise, "
		    "text or only is missing in [vendor]");
}

int
vendorfile_parse(const char *name, const char *text, struct vendor *out,
    vendor_complain_fn *complain, void *arg)
{
	struct vendorkey	 p = { .v = out, .name = name, .section = "",
			    .complain = complain, .arg = arg };
	char		 line[LINE_SIZE];
	size_t		 len;

	out->file = xstrdup(name);
	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		p.line++;
		len = strcspn(text, "\n");
		if (len >= sizeof(line)) {
			vendorkey_wrong(&p, "a line has at most %zu characters",
			    sizeof(line) - 1);
			continue;
		}
		memcpy(line, text, len);
		line[len] = '\0';
		(void)line_read(&p, line);
	}
	if (p.complaints == 0)
		check_whole(&p);
	return p.complaints == 0 ? 0 : -1;
}

static void
words_clear(struct words *words)
{
	while (words->count > 0)
		free(words->item[--words->count]);
	free(words->item);
}

static void
sum_clear(struct vendor_sum *s)
{
	free(s->name);
	while (s->terms > 0)
		free(s->term[--s->terms].text);
	free(s->term);
}

static void
sums_clear(struct vendor_sums *sums)
{
	while (sums->count > 0)
		sum_clear(&sums->item[--sums->count]);
	free(sums->item);
}

void
vendorfile_clear(struct vendor *v)
{
	struct vendor_table	*t;

	free(v->file);
	free(v->name);
	free(v->make);
	words_clear(&v->enterprise);
	free(v->prefixes);
	words_clear(&v->text);
	words_clear(&v->only);
	words_clear(&v->generic);
	while (v->objects_len > 0) {
		v->objects_len--;
		free(v->objects[v->objects_len].oid);
		free(v->objects[v->objects_len].arg);
	}
	free(v->objects);
	sums_clear(&v->counters);
	sums_clear(&v->checks);
	sums_clear(&v->limits);
	while (v->tables_len > 0) {
		t = &v->tables[--v->tables_len];
		free(t->label);
		free(t->value);
		free(t->units);
		words_clear(&t->index);
		sums_clear(&t->rows);
	}
	free(v->tables);
	while (v->descr_len > 0)
		free(v->descr[--v->descr_len].text);
	free(v->descr);
	free(v->levels);
	while (v->exclusions_len > 0) {
		v->exclusions_len--;
		free(v->exclusions[v->exclusions_len].oid);
		free(v->exclusions[v->exclusions_len].why);
	}
	free(v->exclusions);
	while (v->supplies_len > 0) {
		v->supplies_len--;
		free(v->supplies[v->supplies_len].colour);
		sum_clear(&v->supplies[v->supplies_len].percent);
	}
	free(v->supplies);
	memset(v, 0, sizeof(*v));
}

static void
each_column(const struct vendor *v, const struct vendor_table *t,
    const char *column, const char *name, vendor_named_fn *fn, void *arg)
{
	struct vendor_named	 named = { .column = true, .name = name,
				    .file = v->file, .line = t->line };
	char			*oid;
	size_t			 i;

	for (i = 0; i < t->index.count; i++) {
		oid = xasprintf("%s.%s", column, t->index.item[i]);
		named.oid = oid;
		fn(arg, &named);
		free(oid);
	}
	named.oid = column;
	if (t->index.count == 0)
		fn(arg, &named);
}

void
vendorfile_each(const struct vendor *v, vendor_named_fn *fn, void *arg)
{
	const struct vendor_object	*o;
	const struct vendor_sum		*s;
	const struct vendor_table	*t;
	struct vendor_named		 named = { .file = v->file };
	char				*name;
	size_t				 i, k, n;

	for (i = 0; i < v->objects_len; i++) {
		o = &v->objects[i];
		named.oid = o->oid;
		named.column = o->how == HOW_FIRST;
		named.name = vendorkey_fact(o->fact);
		named.line = o->line;
		fn(arg, &named);
	}
	named.column = false;
	for (i = 0; i < v->counters.count; i++) {
		s = &v->counters.item[i];
		named.name = s->name;
		named.line = s->line;
		for (k = 0; k < s->terms; k++) {
			named.oid = s->term[k].text;
			fn(arg, &named);
		}
	}
	for (i = 0; i < v->supplies_len; i++) {
		named.oid = v->supplies[i].percent.term[0].text;
		named.name = "percent";
		named.line = v->supplies[i].percent.line;
		fn(arg, &named);
	}
	for (n = 0; n < v->tables_len; n++) {
		t = &v->tables[n];
		each_column(v, t, t->label, "label", fn, arg);
		if (t->units != NULL)
			each_column(v, t, t->units, "unit", fn, arg);
		for (i = 0; i < t->rows.count; i++) {
			name = t->rows.item[i].name;
			each_column(v, t, t->value, name, fn, arg);
		}
	}
}
