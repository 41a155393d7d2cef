/* Records with random contents (seeded), for round trips. */
#ifndef TESTS_UNIT_SCHEMA_FILL_H
#define TESTS_UNIT_SCHEMA_FILL_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "schema/field.h"

static inline int64_t
fill_below(int64_t n)
{
	return (int64_t)random() % n;
}

static inline void
fill_text(char *out)
{
	static const char *const parts[] = { "a", "Z", " ", "0", "<", ">",
	    "&", "'", "\"", "]]>", "&amp;", "\xc3\xbc", "\xe6\x96\x87",
	    "\xf0\x9f\x96\xa8", "\xef\xbf\xbd", "-", "\xe2\x80\xae", "%s" };
	size_t at = 0, n;
	int64_t count = fill_below(8) == 0 ? 255 : 1 + fill_below(20);
	const char *p;

	while (count-- > 0) {
		p = parts[fill_below(sizeof parts / sizeof parts[0])];
		if ((n = strlen(p)) + at > RECORD_TEXT_MAX)
			break;
		memcpy(out + at, p, n);
		at += n;
	}
	out[at] = '\0';
}

static inline int64_t
fill_number(const struct field *f)
{
	const struct keyword *k;
	size_t n = 0;

	switch (f->kind) {
	case FIELD_TIME:
		return fill_below(1 << 30) * fill_below(1000) * 4;
	case FIELD_BITS:
		return fill_below(1 << ERROR_BITS);
	case FIELD_ENUM:
		for (k = f->words; k->word != NULL; k++)
			n++;
		/* Ours are closed lists, the MIBs' are open. */
		if (f->words != words_asset_state &&
		    f->words != words_strength && f->words != words_check &&
		    f->words != words_supply_state &&
		    f->words != words_alert_source && fill_below(5) == 0)
			return fill_below(2) ? 30203 : -7;
		return f->words[fill_below((int64_t)n)].value;
	default:
		break;
	}
	if (strcmp(f->name, "percent") == 0)
		return fill_below(101);
	if (f->class == FIELD_READING || f->class == FIELD_STATE)
		return fill_below(3) == 0 ? INT64_MAX - 1 :
		    fill_below(1 << 30);
	return fill_below(3) == 0 ? INT64_MIN + 2 : fill_below(100000) - 50;
}

/* partial: about half is absent, some of it gone. */
static inline void
fill_record(const struct field *f, void *record, bool partial)
{
	char text[RECORD_TEXT_MAX + 1];
	bool key, gone;

	for (; f->name != NULL; f++) {
		key = f->class == FIELD_KEY;
		if (!key && partial && fill_below(2) == 0)
			continue;
		gone = !key && partial && fill_below(6) == 0;
		if (f->kind == FIELD_UUID) {
			uuid_make(text);
			field_set_text(f, record, text);
		} else if (f->kind == FIELD_TEXT) {
			fill_text(text);
			field_set_text(f, record, gone ? "" : text);
		} else
			field_set_int(f, record,
			    gone ? CLEARED : fill_number(f));
	}
}

/* A snapshot: what is not there is absent, nothing is gone. */
static inline void
fill_snapshot(const struct field *f, void *record)
{
	const struct field *g;

	fill_record(f, record, true);
	for (g = f; g->name != NULL; g++)
		if (field_is_text(g) ? field_text(g, record) != NULL &&
		    field_text(g, record)[0] == '\0' :
		    field_int(g, record) == CLEARED) {
			if (field_is_text(g))
				field_set_text(g, record, NULL);
			else
				field_set_int(g, record, ABSENT);
		}
}

#endif
