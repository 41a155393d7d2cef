#include "snmp/vendorkey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/field.h"
#include "snmp/text.h"

#define WHAT_SIZE	256
#define OBJECT_SHORTEST	8	/* 1.3.6.1.4.1.MAKER.x, 1.3.6.1.2.1.1.1 */
#define OBJECT_LONGEST	64	/* so that an index fits behind it */
#define INDEX_MAX	32
/* It stands in most of what follows. */
#define wrong	vendorkey_wrong

static const char *const fact_names[VENDOR_FACTS] = {
	[VENDOR_MODEL] = "model",
	[VENDOR_WEAK_MODEL] = "weak-model",
	[VENDOR_SERIAL] = "serial",
	[VENDOR_FIRMWARE] = "firmware",
	[VENDOR_HOSTNAME] = "hostname",
	[VENDOR_ASSET_TAG] = "asset-tag",
	[VENDOR_ID_1284] = "id-1284",
};

/* A name that nobody reads is a counter that nobody sees. */
static const char *const counter_names[] = {
	"total", "vendor-total", "mono", "colour",
	"print", "print-mono", "print-colour",
	"copy", "copy-mono", "copy-colour",
	"fax", "fax-mono", "fax-colour", "fax-scan",
	"scan", "scan-mono", "scan-colour",
	"scan-adf", "scan-adf-host", "scan-flatbed",
	"duplex", "large-format", "large-format-mono", "large-format-colour",
	"report", "blank", "jams", "length",
	"a4-total", "a4-mono", "a4-colour",
};

/* Always -1, so that a caller can pass it on. */
int
vendorkey_wrong(struct vendorkey *p, const char *fmt, ...)
{
	char	 what[WHAT_SIZE], *c;
	va_list	 ap;

	if (p->complaints++ >= VENDORFILE_COMPLAINTS_MAX)
		return -1;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* Parts of the file stand in it. */
	for (c = what; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	p->complain(p->arg, p->name, p->line, what);
	return -1;
}

static int
too_many(struct vendorkey *p, size_t max)
{
	return wrong(p, "more than %zu of these in one file", max);
}

static int
fact_find(const char *name)
{
	int	 f;

	for (f = 0; f < VENDOR_FACTS; f++) {
		if (strcmp(fact_names[f], name) == 0)
			return f;
	}
	return -1;
}

static bool
is_counter(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(counter_names) / sizeof(counter_names[0]); i++)
		if (strcmp(counter_names[i], name) == 0)
			return true;
	return false;
}

static int
words_add(struct vendorkey *p, struct words *words, const char *text)
{
	if (words->count == VENDORFILE_WORDS_MAX)
		return too_many(p, VENDORFILE_WORDS_MAX);
	words->item = xreallocarray(words->item, words->count + 1,
	    sizeof(words->item[0]));
	words->item[words->count++] = xstrdup(text);
	return 0;
}

/* Short ones are whole trees: "1.3.6.1.4.1" would be every maker's. */
static int
check_oid(struct vendorkey *p, const char *text, size_t shortest)
{
	struct objid	 id;

	if (objid_parse(text, &id) == -1)
		return wrong(p, "\"%.100s\" is no object identifier: numbers "
		    "joined by dots, such as 1.3.6.1.4.1.11.2", text);
	if (id.len < shortest)
		return wrong(p, "%s is too short to be one object", text);
	if (id.len > OBJECT_LONGEST)
		return wrong(p, "%.60s... is longer than any object", text);
	return 0;
}

static int
set_name(struct vendorkey *p, const char *key, char *value)
{
	char	**to = strcmp(key, "name") == 0 ? &p->v->name : &p->v->make;

	if (*to != NULL)
		return wrong(p, "%s is said twice", key);
	if (*value == '\0')
		return wrong(p, "%s has no value", key);
	/* It is part of every asset's key: "S:NAME:SERIAL". */
	if (to == &p->v->name &&
	    value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-")] !=
	    '\0')
		return wrong(p, "name may have a to z, 0 to 9 and -");
	*to = xstrdup(value);
	return 0;
}

static int
set_enterprise(struct vendorkey *p, const char *key, char *value)
{
	char	*word, *rest = value;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (check_oid(p, word, 7) == -1 ||
		    words_add(p, &p->v->enterprise, word) == -1)
			return -1;
		p->v->prefixes = xreallocarray(p->v->prefixes,
		    p->v->enterprise.count, sizeof(p->v->prefixes[0]));
		objid_parse(word,
		    &p->v->prefixes[p->v->enterprise.count - 1]);
	}
	return 0;
}

static int
set_words(struct vendorkey *p, const char *key, char *value)
{
	if (*value == '\0')
		return wrong(p, "%s has no words", key);
	return words_add(p, strcmp(key, "text") == 0 ? &p->v->text :
	    strcmp(key, "only") == 0 ? &p->v->only : &p->v->generic, value);
}

static int
set_flag(struct vendorkey *p, const char *key, char *value)
{
	struct vendor	*v = p->v;
	bool		 on = strcmp(value, "yes") == 0;

	if (!on && strcmp(value, "no") != 0)
		return wrong(p, "%s is yes or no, not \"%.60s\"", key, value);
	if (strcmp(key, "label") == 0)
		v->label = on;
	else if (strcmp(key, "bare-percent") == 0)
		v->bare_percent = on;
	else if (strcmp(key, "bulk") == 0)
		v->no_bulk = !on;
	else if (on)
		v->is_common = true;
	else
		v->no_common = true;
	return 0;
}

static int
object_how(struct vendorkey *p, struct vendor_object *o, const char *how)
{
	if (*how == '\0')
		return 0;
	if (strcmp(how, "pml") == 0)
		o->how = HOW_PML;
	else if (strcmp(how, "first") == 0)
		o->how = HOW_FIRST;
	else if (strncmp(how, "1284:", 5) == 0 && how[5] != '\0')
		o->how = HOW_1284, o->arg = xstrdup(how + 5);
	else if (strncmp(how, "after:", 6) == 0 && how[6] != '\0')
		o->how = HOW_AFTER, o->arg = xstrdup(how + 6);
	else
		return wrong(p, "\"%.60s\" is no way to read a text: pml, "
		    "first, 1284:KEY or after:TEXT", how);
	return 0;
}

static int
set_identity(struct vendorkey *p, const char *key, char *value)
{
	struct vendor		*v = p->v;
	struct vendor_object	*o;
	char			*how = value;
	int			 fact = fact_find(key);

	strsep(&how, " ");
	if (fact == -1)
		return wrong(p, "\"%.60s\" is nothing that identifies: model, "
		    "weak-model, serial, firmware, hostname, asset-tag or "
		    "id-1284", key);
	if (v->objects_len == VENDORFILE_OBJECTS_MAX)
		return too_many(p, VENDORFILE_OBJECTS_MAX);
	if (check_oid(p, value, OBJECT_SHORTEST) == -1)
		return -1;
	v->objects = xreallocarray(v->objects, v->objects_len + 1,
	    sizeof(v->objects[0]));
	o = &v->objects[v->objects_len++];
	*o = (struct vendor_object){ .fact = (enum vendor_fact)fact,
	    .oid = xstrdup(value), .how = HOW_PLAIN, .line = p->line };
	return how == NULL ? 0 : object_how(p, o, text_trim(how));
}

static int
set_descr(struct vendorkey *p, const char *key, char *value)
{
	struct vendor	*v = p->v;
	int		 fact = fact_find(key);

	if (fact != VENDOR_MODEL && fact != VENDOR_SERIAL &&
	    fact != VENDOR_FIRMWARE)
		return wrong(p, "\"%.60s\" is not looked for in sysDescr: "
		    "model, serial, firmware or generic", key);
	if (*value == '\0')
		return wrong(p, "%s has no text", key);
	if (v->descr_len == VENDORFILE_WORDS_MAX)
		return too_many(p, VENDORFILE_WORDS_MAX);
	v->descr = xreallocarray(v->descr, v->descr_len + 1,
	    sizeof(v->descr[0]));
	v->descr[v->descr_len++] = (struct vendor_descr){
	    (enum vendor_fact)fact, xstrdup(value) };
	return 0;
}

static void
sum_init(struct vendorkey *p, struct vendor_sum *s, const char *name)
{
	*s = (struct vendor_sum){ .name = xstrdup(name), .tag = -1,
	    .unit = ABSENT, .scale = 1, .divisor = 1, .line = p->line };
}

static struct vendor_sum *
sum_add(struct vendorkey *p, struct vendor_sums *sums, const char *name)
{
	struct vendor_sum	*s;

	if (!is_counter(name)) {
		wrong(p, "\"%.60s\" is no counter; platen-vendor(5) lists "
		    "them", name);
		return NULL;
	}
	if (sums->count == VENDORFILE_SUMS_MAX) {
		too_many(p, VENDORFILE_SUMS_MAX);
		return NULL;
	}
	sums->item = xreallocarray(sums->item, sums->count + 1,
	    sizeof(sums->item[0]));
	s = &sums->item[sums->count++];
	sum_init(p, s, name);
	return s;
}

/* "#5" or "#1-7"; 0 when it is neither. */
static int
term_number(struct vendorkey *p, struct vendor_term *t)
{
	char	*end;

	if (t->text[0] != '#')
		return 0;
	t->numbered = true;
	t->low = t->high = strtol(t->text + 1, &end, 10);
	if (*end == '-' && end > t->text + 1)
		t->high = strtol(end + 1, &end, 10);
	if (t->text[1] < '0' || t->text[1] > '9' || *end != '\0' ||
	    t->high < t->low || t->high > INT32_MAX)
		return wrong(p, "\"%.60s\" is no number of rows: #5 or #1-7",
		    t->text);
	return 0;
}

/* TERM + TERM + ...; a term may have ? in front. */
static int
sum_parse(struct vendorkey *p, struct vendor_sum *s, char *value)
{
	struct vendor_term	*t;
	char			*next, *term = value;

	for (; term != NULL; term = next) {
		if ((next = strstr(term, " + ")) != NULL) {
			*next = '\0';
			next += 3;
		}
		text_trim(term);
		if (s->terms == VENDORFILE_TERMS_MAX)
			return too_many(p, VENDORFILE_TERMS_MAX);
		s->term = xreallocarray(s->term, s->terms + 1,
		    sizeof(s->term[0]));
		t = &s->term[s->terms];
		*t = (struct vendor_term){ .optional = *term == '?' };
		term += *term == '?';
		if (*term == '\0')
			return wrong(p, "%s has a part without a name",
			    s->name);
		t->text = xstrdup(term);
		s->terms++;
		if (term_number(p, t) == -1)
			return -1;
	}
	if (s->terms == 1 && s->term[0].optional)
		return wrong(p, "a single part need not be optional: a "
		    "counter that is not there is left out");
	return 0;
}

/* What follows the objects: how their values are read, and the unit. */
static int
counter_suffix(struct vendorkey *p, struct vendor_sum *s, const char *word)
{
	char	*end;
	long	 number;

	if (strcmp(word, "float") == 0) {
		s->real = true;
	} else if (strcmp(word, "digits") == 0) {
		s->digits = true;
	} else if (strncmp(word, "record:", 7) == 0) {
		number = strtol(word + 7, &end, 16);
		if (*end != '\0' || end == word + 7 || number < 0 ||
		    number > 0xfe)
			return wrong(p, "record: takes two hex digits below "
			    "ff, not \"%.60s\"", word + 7);
		s->tag = (int)number;
	} else if (strncmp(word, "scale:", 6) == 0) {
		number = strtol(word + 6, &end, 10);
		if (*end != '\0' || number < 1 || number > 1000000)
			return wrong(p, "scale: takes 1 to 1000000, not "
			    "\"%.60s\"", word + 6);
		s->scale = number;
	} else if (strncmp(word, "divide:", 7) == 0) {
		number = strtol(word + 7, &end, 10);
		if (*end != '\0' || number < 1 || number > 1000000)
			return wrong(p, "divide: takes 1 to 1000000, not "
			    "\"%.60s\"", word + 7);
		s->divisor = number;
	} else if ((s->unit = keyword_value(words_unit, word)) == ABSENT) {
		return wrong(p, "\"%.60s\" is no unit (impressions, sheets, "
		    "items ...) and no way to read a number (record:TAG, "
		    "float, digits, scale:N, divide:N)", word);
	}
	return 0;
}

/* "TERM + TERM HOW HOW UNIT": takes the words at its end off. */
static int
counter_parse(struct vendorkey *p, struct vendor_sum *s, char *value)
{
	char	*word;
	size_t	 i;

	while ((word = strrchr(value, ' ')) != NULL &&
	    (word[1] < '0' || word[1] > '9') && word[1] != '?') {
		if (counter_suffix(p, s, word + 1) == -1)
			return -1;
		*word = '\0';
		text_trim(value);
	}
	if (sum_parse(p, s, value) == -1)
		return -1;
	for (i = 0; i < s->terms; i++)
		if (check_oid(p, s->term[i].text, OBJECT_SHORTEST) == -1)
			return -1;
	return 0;
}

static int
set_counter(struct vendorkey *p, const char *key, char *value)
{
	struct vendor_sum	*s = sum_add(p, &p->v->counters, key);

	if (s == NULL || counter_parse(p, s, value) == -1)
		return -1;
	p->terms += s->terms;
	return p->terms > VENDORFILE_TERMS_MAX ?
	    too_many(p, VENDORFILE_TERMS_MAX) : 0;
}

static int
check_counters(struct vendorkey *p, const struct vendor_sum *s)
{
	size_t	 i;

	for (i = 0; i < s->terms; i++)
		if (!is_counter(s->term[i].text))
			return wrong(p, "\"%.60s\" is no counter",
			    s->term[i].text);
	return 0;
}

/* "tonerCartridge black = OID HOW ..." */
static int
set_supply(struct vendorkey *p, const char *key, char *value)
{
	struct vendor		*v = p->v;
	struct vendor_supply	*s;
	const char		*colour = strchr(key, ' ');
	char			*word;
	int64_t			 kind;

	word = xstrndup(key, colour == NULL ? strlen(key) :
	    (size_t)(colour - key));
	kind = keyword_value(words_supply_kind, word);
	free(word);
	if (kind == ABSENT || keyword_of(words_supply_kind, kind) == NULL)
		return wrong(p, "\"%.60s\" is no kind of supply (toner, opc "
		    "...) with a colour", key);
	if (v->supplies_len == VENDORFILE_SUPPLIES_MAX)
		return too_many(p, VENDORFILE_SUPPLIES_MAX);
	v->supplies = xreallocarray(v->supplies, v->supplies_len + 1,
	    sizeof(v->supplies[0]));
	s = &v->supplies[v->supplies_len++];
	*s = (struct vendor_supply){ .kind = kind,
	    .colour = xstrdup(colour == NULL ? "" : colour + 1) };
	sum_init(p, &s->percent, "percent");
	if (counter_parse(p, &s->percent, value) == -1)
		return -1;
	return s->percent.terms == 1 ? 0 :
	    wrong(p, "a percentage is one object");
}

static int
set_check(struct vendorkey *p, const char *key, char *value)
{
	struct vendor_sum	*s = sum_add(p, &p->v->checks, key);

	return s == NULL || sum_parse(p, s, value) == -1 ? -1 :
	    check_counters(p, s);
}

static int
set_limit(struct vendorkey *p, const char *key, char *value)
{
	struct vendor_sum	*s = sum_add(p, &p->v->limits, key);

	if (s == NULL || sum_parse(p, s, value) == -1)
		return -1;
	if (s->terms != 1)
		return wrong(p, "one counter may not be larger than one "
		    "other: NAME = NAME");
	return check_counters(p, s);
}

static int
table_index(struct vendorkey *p, struct vendor_table *t, char *value)
{
	struct objid	 id;
	char		*word, *rest = value, *whole;
	bool		 fine;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		whole = xasprintf("1.3.%s", word);
		fine = *word != '.' && objid_parse(whole, &id) == 0 &&
		    id.len <= INDEX_MAX;
		free(whole);
		if (!fine)
			return wrong(p, "\"%.60s\" is no part of an index",
			    word);
		if (words_add(p, &t->index, word) == -1)
			return -1;
	}
	return 0;
}

static int
table_column(struct vendorkey *p, const char *key, char **to, const char *value)
{
	if (*to != NULL)
		return wrong(p, "%s is said twice in this [table]", key);
	if (check_oid(p, value, OBJECT_SHORTEST) == -1)
		return -1;
	*to = xstrdup(value);
	return 0;
}

static int
set_table(struct vendorkey *p, const char *key, char *value)
{
	struct vendor_table	*t = &p->v->tables[p->v->tables_len - 1];
	struct vendor_sum	*s;

	if (strcmp(key, "unit") == 0) {
		t->unit = keyword_value(words_unit, value);
		return t->unit != ABSENT ? 0 :
		    wrong(p, "\"%.60s\" is no unit", value);
	}
	if (strcmp(key, "label") == 0)
		return table_column(p, key, &t->label, value);
	if (strcmp(key, "value") == 0)
		return table_column(p, key, &t->value, value);
	if (strcmp(key, "units") == 0)
		return table_column(p, key, &t->units, value);
	if (strcmp(key, "index") == 0)
		return table_index(p, t, value);
	if (strcmp(key, "sum") == 0) {
		t->sum = strcmp(value, "yes") == 0;
		return t->sum || strcmp(value, "no") == 0 ? 0 :
		    wrong(p, "sum is yes or no");
	}
	s = sum_add(p, &t->rows, key);
	return s == NULL ? -1 : sum_parse(p, s, value);
}

static int
set_level(struct vendorkey *p, const char *key, char *value)
{
	struct vendor	*v = p->v;
	char		*state = value, *end;
	int64_t		 level, s;

	strsep(&state, " ");
	level = strtoll(value, &end, 10);
	if (state == NULL || end == value || *end != '\0' || level >= -3 ||
	    (s = keyword_value(words_supply_state, text_trim(state))) ==
	    ABSENT || s < SUPPLY_OK || s > SUPPLY_NOT_REPORTED)
		return wrong(p, "level is a number below -3 and a state "
		    "(low, empty): level = -100 low");
	if (v->levels_len == VENDORFILE_WORDS_MAX)
		return too_many(p, VENDORFILE_WORDS_MAX);
	v->levels = xreallocarray(v->levels, v->levels_len + 1,
	    sizeof(v->levels[0]));
	v->levels[v->levels_len++] = (struct vendor_level){ level,
	    (enum supply_state)s };
	return 0;
}

static int
set_exclusion(struct vendorkey *p, const char *key, char *value)
{
	struct vendor	*v = p->v;

	if (check_oid(p, key, OBJECT_SHORTEST) == -1)
		return -1;
	if (*value == '\0')
		return wrong(p, "say why %s must not be asked: OID = REASON",
		    key);
	if (v->exclusions_len == VENDORFILE_WORDS_MAX)
		return too_many(p, VENDORFILE_WORDS_MAX);
	v->exclusions = xreallocarray(v->exclusions, v->exclusions_len + 1,
	    sizeof(v->exclusions[0]));
	v->exclusions[v->exclusions_len++] = (struct vendor_exclusion){
	    xstrdup(key), xstrdup(value), p->line };
	return 0;
}

static const struct key {
	const char	*section, *name;	/* name NULL: any */
	int		(*set)(struct vendorkey *, const char *key,
			    char *value);
} keys[] = {
	{ "vendor", "name", set_name },
	{ "vendor", "make", set_name },
	{ "vendor", "enterprise", set_enterprise },
	{ "vendor", "text", set_words },
	{ "vendor", "only", set_words },
	{ "vendor", "label", set_flag },
	{ "vendor", "common", set_flag },
	{ "identity", NULL, set_identity },
	{ "descr", "generic", set_words },
	{ "descr", NULL, set_descr },
	{ "counters", NULL, set_counter },
	{ "table", NULL, set_table },
	{ "supplies", NULL, set_supply },
	{ "checks", NULL, set_check },
	{ "at-most", NULL, set_limit },
	{ "rules", "bare-percent", set_flag },
	{ "rules", "bulk", set_flag },
	{ "rules", "level", set_level },
	{ "exclude", NULL, set_exclusion },
	{ NULL, NULL, NULL }
};

int
vendorkey_section(struct vendorkey *p, char *section)
{
	struct vendor		*v = p->v;
	const struct key	*k;

	for (k = keys; k->section != NULL; k++)
		if (strcmp(k->section, section) == 0)
			break;
	p->section = k->section == NULL ? "" : k->section;
	if (k->section == NULL)
		return wrong(p, "there is no section [%.60s]: vendor, "
		    "identity, descr, counters, table, supplies, checks, "
		    "at-most, rules, exclude", section);
	if (strcmp(section, "table") != 0)
		return 0;
	if (v->tables_len == VENDORFILE_TABLES_MAX) {
		p->section = "";
		return too_many(p, VENDORFILE_TABLES_MAX);
	}
	v->tables = xreallocarray(v->tables, v->tables_len + 1,
	    sizeof(v->tables[0]));
	v->tables[v->tables_len++] = (struct vendor_table){ .unit = ABSENT,
	    .line = p->line };
	return 0;
}

int
vendorkey_pair(struct vendorkey *p, char *line)
{
	const struct key	*k;
	char			*value = strchr(line, '=');
	size_t			 len;

	if (value == NULL)
		return wrong(p, "\"%.60s\" is no [section], key = value or "
		    "; comment", line);
	*value++ = '\0';
	text_trim(line);
	text_trim(value);
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value[len - 1] = '\0';
		value++;
	}
	for (k = keys; k->section != NULL; k++)
		if (strcmp(k->section, p->section) == 0 &&
		    (k->name == NULL || strcmp(k->name, line) == 0))
			return k->set(p, line, value);
	/* A section that is none has been told already. */
	if (p->section[0] == '\0' && p->complaints > 0)
		return -1;
	return wrong(p, "there is no key \"%.60s\" %s%s", line,
	    p->section[0] == '\0' ? "outside of a section" : "in ",
	    p->section);
}

const char *
vendorkey_fact(enum vendor_fact fact)
{
	return fact_names[fact];
}
