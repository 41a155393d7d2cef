#include "agent/origin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/field.h"
#include "snmp/printer.h"

#define GATE_SHARE	2	/* half of the fields */
#define PLACE_MIN	4	/* shorter texts stand everywhere */

static void __attribute__((format(printf, 3, 4)))
add(struct origin *o, char *value, const char *fmt, ...)
{
	struct origin_field *f;
	va_list ap;

	if (value == NULL)
		return;
	o->field = xreallocarray(o->field, o->fields + 1, sizeof(*o->field));
	f = &o->field[o->fields++];
	memset(f, 0, sizeof(*f));
	f->value = value;
	va_start(ap, fmt);
	vsnprintf(f->name, sizeof(f->name), fmt, ap);
	va_end(ap);
}

static void
add_record(struct origin *o, const char *what, int64_t index,
    const struct field *fields, const void *record)
{
	size_t i;

	for (i = 0; fields[i].name != NULL; i++) {
		if (fields[i].class == FIELD_KEY ||
		    fields[i].class == FIELD_STAMP || fields[i].report_only)
			continue;
		if (what == NULL)
			add(o, field_format(&fields[i], record), "%s",
			    fields[i].name);
		else
			add(o, field_format(&fields[i], record), "%s %lld %s",
			    what, (long long)index, fields[i].name);
	}
}

/* Everything that a printer is made of, as names and texts. */
static void
flatten(struct origin *o, const struct printer *p)
{
	const struct counter *c;
	size_t i;

	add_record(o, NULL, 0, asset_fields, &p->asset);
	for (i = 0; i < p->asset.counters_len; i++) {
		c = &p->asset.counters[i];
		add(o, xasprintf("%lld", (long long)c->value), "counter %s",
		    c->name);
	}
	for (i = 0; i < p->consumables_len; i++)
		add_record(o, "supply", p->consumables[i].index,
		    consumable_fields, &p->consumables[i]);
	for (i = 0; i < p->alerts_len; i++)
		add_record(o, "alert", p->alerts[i].index, alert_fields,
		    &p->alerts[i]);
}

static void
decode(struct origin *o, const struct bag *bag, int64_t row, const char *ip,
    int64_t now_ms)
{
	struct printer printer;

	printer_decode(bag, row, ip, now_ms, &printer);
	flatten(o, &printer);
	printer_clear(&printer);
}

/* Both are in the same order, but for what is missing in one. */
static const struct origin_field *
find(const struct origin *o, const char *name, size_t *hint)
{
	size_t i, at;

	for (i = 0; i < o->fields; i++) {
		at = (*hint + i) % o->fields;
		if (strcmp(o->field[at].name, name) == 0) {
			*hint = at + 1;
			return &o->field[at];
		}
	}
	return NULL;
}

static void
keep_object(struct origin_field *f, const struct objid *id)
{
	if (f->objects == ORIGIN_OBJECTS_MAX)
		return;
	f->object[f->objects] = xmalloc(sizeof(*id));
	*f->object[f->objects++] = *id;
}

static void
blame(struct origin *o, const struct origin *without, const struct objid *id)
{
	bool *differs = xcalloc(o->fields + 1, sizeof(*differs));
	const struct origin_field *other;
	size_t i, hint = 0, changed = 0;

	for (i = 0; i < o->fields; i++) {
		other = find(without, o->field[i].name, &hint);
		differs[i] = other == NULL ||
		    strcmp(other->value, o->field[i].value) != 0;
		changed += differs[i];
	}
	if (changed * GATE_SHARE > o->fields) {
		o->gate = xreallocarray(o->gate, o->gates + 1,
		    sizeof(*o->gate));
		o->gate[o->gates++] = *id;
	} else
		for (i = 0; i < o->fields; i++)
			if (differs[i])
				keep_object(&o->field[i], id);
	free(differs);
}

/* A value that stands in several places depends on none of them alone: these
 * are the places. */
static void
find_places(struct origin_field *f, const struct bag *bag)
{
	static const struct objid all = { 1, { 1 } };
	struct bag_value value;
	struct objid id;
	size_t cursor = 0, len = strlen(f->value);

	if (f->objects > 0 || len < PLACE_MIN)
		return;
	while (bag_next(bag, &all, &cursor, &id, &value))
		if (value.type == BAG_OCTETS && memmem(value.octets,
		    value.octets_len, f->value, len) != NULL)
			keep_object(f, &id);
}

void
origin_find(struct origin *o, const struct bag *bag, int64_t row,
    const char *ip, int64_t now_ms)
{
	static const struct objid all = { 1, { 1 } };
	struct bag *copy = bag_new();
	struct origin without;
	struct bag_value value;
	struct objid id;
	size_t cursor = 0, i;

	memset(o, 0, sizeof(*o));
	decode(o, bag, row, ip, now_ms);
	bag_merge(copy, bag, NULL, 0);
	while (bag_next(bag, &all, &cursor, &id, &value)) {
		memset(&without, 0, sizeof(without));
		bag_drop(copy, &id);
		decode(&without, copy, row, ip, now_ms);
		blame(o, &without, &id);
		origin_clear(&without);
		bag_put(copy, &id, &value);
	}
	for (i = 0; i < o->fields; i++)
		find_places(&o->field[i], bag);
	bag_free(copy);
}

void
origin_clear(struct origin *o)
{
	size_t i, j;

	for (i = 0; i < o->fields; i++) {
		free(o->field[i].value);
		for (j = 0; j < o->field[i].objects; j++)
			free(o->field[i].object[j]);
	}
	free(o->field);
	free(o->gate);
	memset(o, 0, sizeof(*o));
}
