#include "schema/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/field.h"

void
record_init(const struct field *f, void *record)
{
	for (; f->name != NULL; f++) {
		if (field_is_text(f))
			*(char **)(void *)((char *)record + f->offset) = NULL;
		else
			field_set_int(f, record, ABSENT);
	}
}

void
record_clear(const struct field *f, void *record)
{
	for (; f->name != NULL; f++) {
		if (field_is_text(f))
			field_set_text(f, record, NULL);
		else
			field_set_int(f, record, ABSENT);
	}
}

static void
copy_field(const struct field *f, void *to, const void *from)
{
	if (field_is_text(f))
		field_set_text(f, to, field_text(f, from));
	else
		field_set_int(f, to, field_int(f, from));
}

void
record_copy(const struct field *f, void *to, const void *from)
{
	for (; f->name != NULL; f++)
		copy_field(f, to, from);
}

/* Absent, or said to have gone. */
static bool
gone(const struct field *f, const void *record)
{
	if (record == NULL || field_absent(f, record))
		return true;
	if (field_is_text(f))
		return field_text(f, record)[0] == '\0';
	return field_int(f, record) == CLEARED;
}

static void
set_gone(const struct field *f, void *record, bool told)
{
	if (field_is_text(f))
		field_set_text(f, record, told ? "" : NULL);
	else
		field_set_int(f, record, told ? CLEARED : ABSENT);
}

void
record_apply(const struct field *f, void *to, const void *change)
{
	for (; f->name != NULL; f++) {
		if (field_absent(f, change))
			continue;
		if (gone(f, change))
			set_gone(f, to, false);
		else
			copy_field(f, to, change);
	}
}

static bool
differs(const struct field *f, const void *before, const void *now)
{
	bool had = !gone(f, before), has = !gone(f, now);

	if (!had || !has)
		return had != has;
	return !field_equal(f, before, now);
}

static void
tell(const struct field *f, const void *before, const void *now, void *out)
{
	if (!gone(f, now))
		copy_field(f, out, now);
	else if (!gone(f, before))
		set_gone(f, out, true);
}

int
record_diff(const struct field *fields, const void *before, const void *now,
    unsigned classes, void *out)
{
	const struct field *f;
	int count = 0;

	for (f = fields; f->name != NULL; f++) {
		if (f->probe_only || f->class == FIELD_STAMP)
			continue;
		if (f->class == FIELD_KEY) {
			copy_field(f, out, now);
		} else if ((classes & 1u << f->class) != 0 &&
		    differs(f, before, now)) {
			tell(f, before, now, out);
			count++;
		}
	}
	for (f = fields; count > 0 && f->name != NULL; f++)
		if (f->class == FIELD_STAMP && !f->probe_only)
			tell(f, before, now, out);
	return count;
}

void
counter_init(struct counter *c)
{
	record_init(counter_fields, c);
}

void
counter_clear(struct counter *c)
{
	record_clear(counter_fields, c);
}

static void
drop_counters(struct asset *a)
{
	while (a->counters_len > 0)
		counter_clear(&a->counters[--a->counters_len]);
	free(a->counters);
	a->counters = NULL;
}

void
asset_init(struct asset *a)
{
	record_init(asset_fields, a);
	a->counters = NULL;
	a->counters_len = 0;
}

void
asset_clear(struct asset *a)
{
	record_clear(asset_fields, a);
	drop_counters(a);
}

void
consumable_init(struct consumable *c)
{
	record_init(consumable_fields, c);
}

void
consumable_clear(struct consumable *c)
{
	record_clear(consumable_fields, c);
}

void
alert_init(struct alert *a)
{
	record_init(alert_fields, a);
}

void
alert_clear(struct alert *a)
{
	record_clear(alert_fields, a);
}

void
agent_init(struct agent *a)
{
	record_init(agent_fields, a);
}

void
agent_clear(struct agent *a)
{
	record_clear(agent_fields, a);
}

struct counter *
asset_counter(const struct asset *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->counters_len; i++)
		if (strcmp_null(a->counters[i].name, name) == 0)
			return &a->counters[i];
	return NULL;
}

struct counter *
asset_counter_add(struct asset *a, const char *name)
{
	struct counter *c;

	if (a->counters_len >= RECORD_COUNTERS_MAX)
		return NULL;
	a->counters = xreallocarray(a->counters, a->counters_len + 1,
	    sizeof *a->counters);
	c = &a->counters[a->counters_len++];
	counter_init(c);
	c->name = xstrdup_null(name);
	return c;
}

void
asset_copy_counters(struct asset *to, const struct asset *from)
{
	struct counter *c;
	size_t i;

	drop_counters(to);
	for (i = 0; i < from->counters_len; i++) {
		c = asset_counter_add(to, NULL);
		if (c == NULL)
			break;
		record_copy(counter_fields, c, &from->counters[i]);
	}
}
