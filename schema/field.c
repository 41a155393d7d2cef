#include "schema/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#define TEXT(rec, m, c) \
	.name = #m, .kind = FIELD_TEXT, .class = FIELD_##c, \
	.offset = offsetof(struct rec, m)
#define UUID(rec, m) \
	.name = #m, .kind = FIELD_UUID, .class = FIELD_KEY, \
	.offset = offsetof(struct rec, m), .report_only = true
#define NUMBER(rec, m, c) \
	.name = #m, .kind = FIELD_INT, .class = FIELD_##c, \
	.offset = offsetof(struct rec, m)
#define TIME(rec, m, c) \
	.name = #m, .kind = FIELD_TIME, .class = FIELD_##c, \
	.offset = offsetof(struct rec, m)
#define WORD(rec, m, c, w) \
	.name = #m, .kind = FIELD_ENUM, .class = FIELD_##c, \
	.offset = offsetof(struct rec, m), .words = words_##w
#define REPORT	.report_only = true

/*
 * The order is that of the elements in XML: schema/report.xsd has the same.
 */
const struct field asset_fields[] = {
	{ UUID(asset, id) },
	{ TEXT(asset, key, IDENTITY), REPORT },
	{ WORD(asset, strength, IDENTITY, strength), REPORT },
	{ TEXT(asset, make, IDENTITY) },
	{ TEXT(asset, model, IDENTITY) },
	{ TEXT(asset, engine, IDENTITY) },
	{ TEXT(asset, serial, IDENTITY) },
	{ TEXT(asset, mac, IDENTITY) },
	{ TEXT(asset, hostname, IDENTITY) },
	{ TEXT(asset, ip, IDENTITY) },
	{ TEXT(asset, location, IDENTITY) },
	{ TEXT(asset, zone, IDENTITY), REPORT },
	{ TEXT(asset, asset_tag, IDENTITY) },
	{ TEXT(asset, firmware, IDENTITY) },
	{ WORD(asset, state, STATE, asset_state) },
	{ WORD(asset, device_status, STATE, device_status) },
	{ WORD(asset, printer_status, STATE, printer_status) },
	{ .name = "errors", .kind = FIELD_BITS, .class = FIELD_STATE,
	    .offset = offsetof(struct asset, errors), .words = words_error },
	{ TIME(asset, time, STAMP), REPORT },
	{ .name = NULL }
};

const struct field counter_fields[] = {
	{ TEXT(counter, name, KEY) },
	{ NUMBER(counter, value, READING) },
	{ WORD(counter, unit, READING, unit) },
	{ TEXT(counter, oid, READING) },
	{ WORD(counter, check, READING, check) },
	{ NUMBER(counter, epoch, READING), REPORT },
	{ NUMBER(counter, before, READING), REPORT },
	{ .name = NULL }
};

const struct field consumable_fields[] = {
	{ UUID(consumable, id) },
	{ UUID(consumable, asset) },
	{ NUMBER(consumable, index, KEY) },
	{ WORD(consumable, kind, IDENTITY, supply_kind) },
	{ TEXT(consumable, colour, IDENTITY) },
	{ WORD(consumable, class, IDENTITY, supply_class) },
	{ TEXT(consumable, description, IDENTITY) },
	{ TEXT(consumable, part_number, IDENTITY) },
	{ TEXT(consumable, serial, IDENTITY) },
	{ WORD(consumable, unit, IDENTITY, unit) },
	{ NUMBER(consumable, level, READING) },
	{ NUMBER(consumable, capacity, IDENTITY) },
	{ NUMBER(consumable, percent, READING) },
	{ WORD(consumable, state, STATE, supply_state) },
	{ NUMBER(consumable, pages, STAMP), REPORT },
	{ TIME(consumable, replaced, STATE), REPORT },
	{ TIME(consumable, removed, STATE), REPORT },
	{ TIME(consumable, time, STAMP), REPORT },
	{ .name = NULL }
};

const struct field alert_fields[] = {
	{ UUID(alert, id) },
	{ UUID(alert, asset) },
	{ NUMBER(alert, index, KEY) },
	/* The number itself, beside its name. */
	{ NUMBER(alert, code, IDENTITY) },
	{ TEXT(alert, code_name, IDENTITY) },
	{ TEXT(alert, vendor_code, IDENTITY) },
	{ WORD(alert, severity, STATE, alert_severity) },
	{ WORD(alert, group, IDENTITY, alert_group) },
	{ NUMBER(alert, group_index, IDENTITY) },
	{ WORD(alert, training, IDENTITY, alert_training) },
	{ TEXT(alert, description, IDENTITY) },
	{ NUMBER(alert, location, IDENTITY) },
	{ WORD(alert, source, IDENTITY, alert_source) },
	{ NUMBER(alert, time_ticks, IDENTITY), .probe_only = true },
	{ NUMBER(alert, pages, STAMP), REPORT },
	{ TIME(alert, raised, IDENTITY), REPORT },
	{ TIME(alert, cleared, STATE), REPORT },
	{ .name = NULL }
};

const struct field agent_fields[] = {
	{ TEXT(agent, name, IDENTITY), REPORT },
	{ TEXT(agent, customer, IDENTITY), REPORT },
	{ TEXT(agent, version, IDENTITY), REPORT },
	{ NUMBER(agent, uptime, READING), REPORT },
	{ NUMBER(agent, online, READING), REPORT },
	{ NUMBER(agent, asleep, READING), REPORT },
	{ NUMBER(agent, unreachable, READING), REPORT },
	{ NUMBER(agent, queue_depth, READING), REPORT },
	{ NUMBER(agent, lost_detail, STATE), REPORT },
	{ TIME(agent, last_scan, READING), REPORT },
	{ NUMBER(agent, bytes_sent, READING), REPORT },
	{ NUMBER(agent, bytes_received, READING), REPORT },
	{ TIME(agent, time, STAMP), REPORT },
	{ .name = NULL }
};

const char *
keyword_of(const struct keyword *k, int64_t value)
{
	for (; k->word != NULL; k++)
		if (k->value == value)
			return k->word;
	return NULL;
}

/* A decimal number that is neither ABSENT nor CLEARED. */
static int
parse_number(const char *text, int64_t *out)
{
	const char *p = text;
	bool minus = *p == '-';
	uint64_t v = 0, most = (uint64_t)INT64_MAX - 1;

	p += minus;
	if (*p == '\0')
		return -1;
	for (; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		if (v > (most - (uint64_t)(*p - '0')) / 10)
			return -1;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

int64_t
keyword_value(const struct keyword *k, const char *word)
{
	int64_t value;

	for (; k->word != NULL; k++)
		if (strcmp(k->word, word) == 0)
			return k->value;
	/* Enumerations of the MIBs are Integer32. */
	if (parse_number(word, &value) == -1 || value < INT32_MIN ||
	    value > INT32_MAX)
		return ABSENT;
	return value;
}

const struct field *
field_find(const struct field *f, const char *name)
{
	for (; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

bool
field_is_text(const struct field *f)
{
	return f->kind == FIELD_TEXT || f->kind == FIELD_UUID;
}

static const void *
member(const struct field *f, const void *record)
{
	return (const char *)record + f->offset;
}

const char *
field_text(const struct field *f, const void *record)
{
	return *(char *const *)member(f, record);
}

int64_t
field_int(const struct field *f, const void *record)
{
	return *(const int64_t *)member(f, record);
}

void
field_set_text(const struct field *f, void *record, const char *value)
{
	char **to = (char **)(void *)((char *)record + f->offset);
	char *old = *to;

	/* value may be what is there already. */
	*to = xstrdup_null(value);
	free(old);
}

void
field_set_int(const struct field *f, void *record, int64_t value)
{
	*(int64_t *)(void *)((char *)record + f->offset) = value;
}

bool
field_absent(const struct field *f, const void *record)
{
	if (field_is_text(f))
		return field_text(f, record) == NULL;
	return field_int(f, record) == ABSENT;
}

bool
field_equal(const struct field *f, const void *a, const void *b)
{
	if (field_is_text(f))
		return strcmp_null(field_text(f, a), field_text(f, b)) == 0;
	return field_int(f, a) == field_int(f, b);
}

/* Bits that have no keyword are not told: RFC 2790 gives them no meaning. */
static char *
format_bits(const struct keyword *k, int64_t bits)
{
	struct buf out = { 0 };

	for (; k->word != NULL; k++)
		if (bits >> k->value & 1)
			buf_printf(&out, "%s%s", out.len > 0 ? " " : "",
			    k->word);
	if (out.len == 0)
		buf_puts(&out, "none");
	return buf_take(&out);
}

char *
field_format(const struct field *f, const void *record)
{
	char when[CLOCK_TEXT_MAX];
	const char *word;
	int64_t v;

	if (field_absent(f, record))
		return NULL;
	if (field_is_text(f))
		return xstrdup(field_text(f, record));
	if ((v = field_int(f, record)) == CLEARED)
		return xstrdup("");
	switch (f->kind) {
	case FIELD_TIME:
		return xstrdup(clock_format(v, when));
	case FIELD_BITS:
		return format_bits(f->words, v);
	case FIELD_ENUM:
		if ((word = keyword_of(f->words, v)) != NULL)
			return xstrdup(word);
		break;
	default:
		break;
	}
	return xasprintf("%" PRId64, v);
}

static int
parse_text(const struct field *f, void *record, const char *text)
{
	size_t len = strnlen(text, RECORD_TEXT_MAX + 1), at, n;
	uint32_t c;

	if (len > RECORD_TEXT_MAX)
		return -1;
	for (at = 0; at < len; at += n) {
		n = utf8_decode(text + at, len - at, &c);
		if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return -1;
	}
	field_set_text(f, record, text);
	return 0;
}

static int
parse_bits(const struct keyword *words, const char *text, int64_t *out)
{
	const struct keyword *k;
	size_t n;

	*out = 0;
	if (strcmp(text, "none") == 0)
		return 0;
	for (;; text += n) {
		text += strspn(text, " \t\r\n");
		if ((n = strcspn(text, " \t\r\n")) == 0)
			return *out != 0 ? 0 : -1;
		for (k = words; k->word != NULL; k++)
			if (strlen(k->word) == n &&
			    memcmp(k->word, text, n) == 0)
				break;
		if (k->word == NULL)
			return -1;
		*out |= INT64_C(1) << k->value;
	}
}

int
field_parse(const struct field *f, void *record, const char *text)
{
	int64_t v = CLEARED;
	int rc = 0;

	if (f->kind == FIELD_TEXT)
		return parse_text(f, record, text);
	if (f->kind == FIELD_UUID) {
		if (!uuid_valid(text))
			return -1;
		field_set_text(f, record, text);
		return 0;
	}
	if (*text != '\0') {
		switch (f->kind) {
		case FIELD_TIME:
			rc = clock_parse(text, &v);
			break;
		case FIELD_BITS:
			rc = parse_bits(f->words, text, &v);
			break;
		case FIELD_ENUM:
			if ((v = keyword_value(f->words, text)) == ABSENT)
				rc = -1;
			break;
		default:
			rc = parse_number(text, &v);
			break;
		}
	}
	if (rc == 0)
		field_set_int(f, record, v);
	return rc;
}
