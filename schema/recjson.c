#include "schema/recjson.h"

#include "base/clock.h"

static void
bits(struct json *j, const struct field *f, int64_t value)
{
	const struct keyword *k;

	json_array(j, f->name);
	for (k = f->words; k->word != NULL; k++)
		if (value >> k->value & 1)
			json_string(j, NULL, k->word);
	json_array_end(j);
}

void
recjson_field(struct json *j, const struct field *f, const void *record)
{
	char when[CLOCK_TEXT_MAX];
	const char *text;
	int64_t v;

	if (field_is_text(f)) {
		text = field_text(f, record);
		json_string(j, f->name,
		    text != NULL && *text != '\0' ? text : NULL);
		return;
	}
	v = field_int(f, record);
	if (v == ABSENT || v == CLEARED)
		json_null(j, f->name);
	else if (f->kind == FIELD_TIME)
		json_string(j, f->name, clock_format(v, when));
	else if (f->kind == FIELD_BITS)
		bits(j, f, v);
	else if (f->kind == FIELD_ENUM &&
	    (text = keyword_of(f->words, v)) != NULL)
		json_string(j, f->name, text);
	else
		json_int(j, f->name, v);
}

void
recjson_fields(struct json *j, const struct field *f, const void *record,
    bool probe)
{
	for (; f->name != NULL; f++)
		if (!(probe ? f->report_only : f->probe_only))
			recjson_field(j, f, record);
}

void
recjson_array(struct json *json, const char *key, const struct field *fields,
    const void *records, size_t len, size_t size, bool probe)
{
	size_t i;

	json_array(json, key);
	for (i = 0; i < len; i++) {
		json_object(json, NULL);
		recjson_fields(json, fields,
		    (const char *)records + i * size, probe);
		json_object_end(json);
	}
	json_array_end(json);
}
