#include "snmp/vendorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/field.h"
#include "snmp/text.h"

#define LINE_SIZE	512

struct key {
	const char	*section, *name;	/* name NULL: any */
	int		(*set)(struct vendor *, const char *key, char *value);
};

static const char *const fact_names[VENDOR_FACTS] = {
	[VENDOR_MODEL] = "model",
	[VENDOR_WEAK_MODEL] = "weak-model",
	[VENDOR_SERIAL] = "serial",
	[VENDOR_FIRMWARE] = "firmware",
	[VENDOR_HOSTNAME] = "hostname",
	[VENDOR_ASSET_TAG] = "asset-tag",
	[VENDOR_ID_1284] = "id-1284",
};

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

static void
words_add(struct words *words, const char *text)
{
	words->item = xreallocarray(words->item, words->count + 1,
	    sizeof(words->item[0]));
	words->item[words->count++] = xstrdup(text);
}

static void
words_clear(struct words *words)
{
	while (words->count > 0)
		free(words->item[--words->count]);
	free(words->item);
}

static bool
is_oid(const char *text)
{
	struct objid	 id;

	return objid_parse(text, &id) == 0;
}

static int
parse_bool(const char *value, bool *out)
{
	*out = strcmp(value, "yes") == 0;
	return *out || strcmp(value, "no") == 0 ? 0 : -1;
}

static int
set_name(struct vendor *v, const char *key, char *value)
{
	char	**to = strcmp(key, "name") == 0 ? &v->name : &v->make;

	if (*to != NULL || *value == '\0')
		return -1;
	*to = xstrdup(value);
	return 0;
}

static int
set_enterprise(struct vendor *v, const char *key, char *value)
{
	char	*word, *rest = value;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (!is_oid(word))
			return -1;
		words_add(&v->enterprise, word);
	}
	return 0;
}

static int
set_words(struct vendor *v, const char *key, char *value)
{
	if (*value == '\0')
		return -1;
	if (strcmp(key, "text") == 0)
		words_add(&v->text, value);
	else if (strcmp(key, "only") == 0)
		words_add(&v->only, value);
	else
		words_add(&v->generic, value);
	return 0;
}

static int
set_flag(struct vendor *v, const char *key, char *value)
{
	bool	 on;

	if (parse_bool(value, &on) == -1)
		return -1;
	if (strcmp(key, "label") == 0)
		v->label = on;
	else if (strcmp(key, "bare-percent") == 0)
		v->bare_percent = on;
	else if (on)
		v->is_common = true;
	else
		v->no_common = true;
	return 0;
}

static int
set_identity(struct vendor *v, const char *key, char *value)
{
	struct vendor_object	*o;
	char			*how = value;
	int			 fact = fact_find(key);

	strsep(&how, " ");
	if (fact == -1 || !is_oid(value))
		return -1;
	v->objects = xreallocarray(v->objects, v->objects_len + 1,
	    sizeof(v->objects[0]));
	o = &v->objects[v->objects_len++];
	*o = (struct vendor_object){ .fact = (enum vendor_fact)fact,
	    .oid = xstrdup(value), .how = HOW_PLAIN };
	if (how == NULL)
		return 0;
	text_trim(how);
	if (strcmp(how, "pml") == 0)
		o->how = HOW_PML;
	else if (strncmp(how, "1284:", 5) == 0)
		o->how = HOW_1284, o->arg = xstrdup(how + 5);
	else if (strncmp(how, "after:", 6) == 0)
		o->how = HOW_AFTER, o->arg = xstrdup(how + 6);
	else
		return -1;
	return 0;
}

static int
set_descr(struct vendor *v, const char *key, char *value)
{
	int	 fact = fact_find(key);

	if ((fact != VENDOR_MODEL && fact != VENDOR_SERIAL &&
	    fact != VENDOR_FIRMWARE) || *value == '\0')
		return -1;
	v->descr = xreallocarray(v->descr, v->descr_len + 1,
	    sizeof(v->descr[0]));
	v->descr[v->descr_len++] = (struct vendor_descr){
	    (enum vendor_fact)fact, xstrdup(value) };
	return 0;
}

static struct vendor_sum *
sum_add(struct vendor_sums *sums, const char *name)
{
	struct vendor_sum	*s;

	sums->item = xreallocarray(sums->item, sums->count + 1,
	    sizeof(sums->item[0]));
	s = &sums->item[sums->count++];
	*s = (struct vendor_sum){ .name = xstrdup(name), .tag = -1,
	    .unit = ABSENT };
	return s;
}

/* TERM + TERM + ...; a term may have ? in front. */
static int
sum_parse(struct vendor_sum *s, char *value)
{
	char	*next, *term = value;

	for (; term != NULL; term = next) {
		if ((next = strstr(term, " + ")) != NULL) {
			*next = '\0';
			next += 3;
		}
		text_trim(term);
		if (s->terms == VENDOR_TERMS_MAX)
			return -1;
		s->term[s->terms].optional = *term == '?';
		term += *term == '?';
		if (*term == '\0')
			return -1;
		s->term[s->terms++].text = xstrdup(term);
	}
	return s->term[0].optional ? -1 : 0;
}

/* Takes the last word off value: a unit or a record's tag. */
static int
counter_suffix(struct vendor_sum *s, char *word)
{
	if (strncmp(word, "record:", 7) == 0) {
		s->tag = (int)strtol(word + 7, NULL, 16);
		return 0;
	}
	s->unit = keyword_value(words_unit, word);
	return s->unit == ABSENT ? -1 : 0;
}

static int
set_counter(struct vendor *v, const char *key, char *value)
{
	struct vendor_sum	*s = sum_add(&v->counters, key);
	char			*word;
	size_t			 i;

	while ((word = strrchr(value, ' ')) != NULL &&
	    (word[1] < '0' || word[1] > '9') && word[1] != '?') {
		if (counter_suffix(s, word + 1) == -1)
			return -1;
		*word = '\0';
	}
	if (sum_parse(s, value) == -1)
		return -1;
	for (i = 0; i < s->terms; i++) {
		if (!is_oid(s->term[i].text))
			return -1;
	}
	return 0;
}

static int
set_check(struct vendor *v, const char *key, char *value)
{
	return sum_parse(sum_add(&v->checks, key), value);
}

static int
set_table(struct vendor *v, const char *key, char *value)
{
	struct vendor_table	*t = &v->tables[v->tables_len - 1];

	if (strcmp(key, "unit") == 0) {
		t->unit = keyword_value(words_unit, value);
		return t->unit == ABSENT ? -1 : 0;
	}
	if (strcmp(key, "label") == 0 || strcmp(key, "value") == 0) {
		if (!is_oid(value))
			return -1;
		*(*key == 'l' ? &t->label : &t->value) = xstrdup(value);
		return 0;
	}
	return sum_parse(sum_add(&t->rows, key), value);
}

static int
set_level(struct vendor *v, const char *key, char *value)
{
	char	*state = value;
	int64_t	 level, s;

	strsep(&state, " ");
	level = strtoll(value, NULL, 10);
	if (state == NULL || level >= -3 ||
	    (s = keyword_value(words_supply_state, text_trim(state))) ==
	    ABSENT)
		return -1;
	v->levels = xreallocarray(v->levels, v->levels_len + 1,
	    sizeof(v->levels[0]));
	v->levels[v->levels_len++] = (struct vendor_level){ level,
	    (enum supply_state)s };
	return 0;
}

static const struct key keys[] = {
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
	{ "checks", NULL, set_check },
	{ "rules", "bare-percent", set_flag },
	{ "rules", "level", set_level },
	{ NULL, NULL, NULL }
};

static int
section_start(struct vendor *v, const char *section)
{
	const struct key	*k;

	if (strcmp(section, "table") == 0) {
		v->tables = xreallocarray(v->tables, v->tables_len + 1,
		    sizeof(v->tables[0]));
		v->tables[v->tables_len++] = (struct vendor_table){
		    .unit = ABSENT };
	}
	for (k = keys; k->section != NULL; k++) {
		if (strcmp(k->section, section) == 0)
			return 0;
	}
	return -1;
}

static int
pair_set(struct vendor *v, const char *section, char *line)
{
	const struct key	*k;
	char			*value = strchr(line, '=');
	size_t			 len;

	if (value == NULL)
		return -1;
	*value++ = '\0';
	text_trim(line);
	text_trim(value);
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value[len - 1] = '\0';
		value++;
	}
	for (k = keys; k->section != NULL; k++) {
		if (strcmp(k->section, section) == 0 &&
		    (k->name == NULL || strcmp(k->name, line) == 0))
			return k->set(v, line, value);
	}
	return -1;
}

static int
line_read(struct vendor *v, char section[32], char *line)
{
	size_t	 len;

	text_trim(line);
	if (*line == '\0' || *line == ';')
		return 0;
	if (*line != '[')
		return pair_set(v, section, line);
	len = strlen(line);
	if (line[len - 1] != ']' || len > 32)
		return -1;
	line[len - 1] = '\0';
	memcpy(section, line + 1, len - 1);
	return section_start(v, section);
}

int
vendorfile_parse(const char *name, const char *text, struct vendor *out,
    char *why, size_t why_size)
{
	char		 section[32] = "", line[LINE_SIZE], copy[LINE_SIZE];
	size_t		 number = 0, len, i;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		number++;
		len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		memcpy(copy, line, sizeof(copy));
		if (len >= sizeof(line) ||
		    line_read(out, section, line) == -1) {
			snprintf(why, why_size, "%s:%zu: \"%.100s\" is not "
			    "in the format", name, number, copy);
			return -1;
		}
	}
	for (i = 0; i < out->tables_len; i++) {
		if (out->tables[i].label == NULL ||
		    out->tables[i].value == NULL) {
			snprintf(why, why_size, "%s: a [table] without label "
			    "or value", name);
			return -1;
		}
	}
	if (out->name == NULL) {
		snprintf(why, why_size, "%s: no name in [vendor]", name);
		return -1;
	}
	return 0;
}

static void
sums_clear(struct vendor_sums *sums)
{
	struct vendor_sum	*s;

	while (sums->count > 0) {
		s = &sums->item[--sums->count];
		free(s->name);
		while (s->terms > 0)
			free(s->term[--s->terms].text);
	}
	free(sums->item);
}

void
vendorfile_clear(struct vendor *v)
{
	free(v->name);
	free(v->make);
	words_clear(&v->enterprise);
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
	while (v->tables_len > 0) {
		v->tables_len--;
		free(v->tables[v->tables_len].label);
		free(v->tables[v->tables_len].value);
		sums_clear(&v->tables[v->tables_len].rows);
	}
	free(v->tables);
	while (v->descr_len > 0)
		free(v->descr[--v->descr_len].text);
	free(v->descr);
	free(v->levels);
	memset(v, 0, sizeof(*v));
}
