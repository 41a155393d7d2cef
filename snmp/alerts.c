#include "snmp/alerts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/field.h"
#include "snmp/faultcode.h"
#include "snmp/standard.h"

#define CODE_REMOVED	1801	/* alertRemovalOfBinaryChangeEntry */
#define SEVERITY_UNARY	4	/* warning */
#define GENERIC_FIRST	3	/* coverOpen, codes of any group ... */
#define GENERIC_LAST	38	/* ... subunitThermistorFailure */
#define FINISHER_FIRST	30203
#define FINISHER_LAST	32767

/* PrtAlertGroupTC, those whose rows have names. */
enum {
	GROUP_COVER = 6, GROUP_INPUT = 8, GROUP_OUTPUT = 9,
	GROUP_SUPPLIES = 11
};

static char *
row_name(const struct subject *s, const char *name, const char *other,
    int64_t number)
{
	struct row	 row = { .number = (uint32_t)number };
	char		*text = subject_text(s, name, row);

	return text != NULL || other == NULL ? text :
	    subject_text(s, other, row);
}

/* The tray, cover, bin or cartridge that the alert points at, or NULL. */
static char *
subunit_name(const struct subject *s, const struct alert *a,
    const struct consumable *supplies, size_t supplies_len)
{
	size_t	 i;

	if (a->group_index <= 0)	/* ABSENT and -1 (none) as well */
		return NULL;
	switch (a->group) {
	case GROUP_COVER:
		return row_name(s, STD_COVER_DESCR, NULL, a->group_index);
	case GROUP_INPUT:
		return row_name(s, STD_INPUT_NAME, STD_INPUT_DESCR,
		    a->group_index);
	case GROUP_OUTPUT:
		return row_name(s, STD_OUTPUT_NAME, NULL, a->group_index);
	case GROUP_SUPPLIES:
		for (i = 0; i < supplies_len; i++) {
			if (supplies[i].index == a->group_index)
				return xstrdup_null(supplies[i].description);
		}
		return NULL;
	default:
		return NULL;
	}
}

/* Appends a keyword as words: "inputMediaSupplyLow" as "input media supply
 * low". */
static void
put_words(struct buf *out, const char *keyword)
{
	for (; *keyword != '\0'; keyword++) {
		if (isupper((unsigned char)*keyword))
			buf_putc(out, ' ');
		buf_putc(out, (char)tolower((unsigned char)*keyword));
	}
}

/* The description may be empty (RFC 3805): then it is made of the sub-unit's
 * name or the group's, and the code. */
static char *
describe(const struct subject *s, const struct alert *a,
    const struct consumable *supplies, size_t supplies_len)
{
	struct buf	 text = { 0 };
	const char	*group = keyword_of(words_alert_group, a->group);
	char		*name = subunit_name(s, a, supplies, supplies_len);
	size_t		 len;

	if (name != NULL)
		buf_puts(&text, name);
	else if (group != NULL && a->group > 2)
		put_words(&text, group);
	if (text.len > 0)
		buf_puts(&text, ": ");
	if (a->code_name != NULL)
		put_words(&text, a->code_name);
	else
		buf_printf(&text, "alert code %" PRId64, a->code);
	free(name);
	name = buf_take(&text);
	len = strlen(name);
	if (len > RECORD_TEXT_MAX) {
		for (len = RECORD_TEXT_MAX;
		    ((unsigned char)name[len] & 0xc0) == 0x80; len--)
			;
		name[len] = '\0';
	}
	return name;
}

static int64_t
raised_at(const struct subject *s, int64_t ticks)
{
	int64_t	 uptime = bag_number(s->bag, STD_SYS_UPTIME, 0);

	/* In the future after a restart or a wrap (497 days). */
	if (ticks == ABSENT || uptime == ABSENT || ticks < 0 ||
	    ticks > uptime || uptime > UINT32_MAX)
		return ABSENT;
	return s->now_ms - (uptime - ticks) * 10;
}

/*
 * The keyword.  Codes of finishers (PWG 5100.9) are the generic ones again,
 * in a block of 100 for each kind of finisher, which the group's row names.
 */
static const char *
code_name(int64_t code)
{
	const char	*name = keyword_of(words_alert_code, code);

	if (name == NULL && code >= FINISHER_FIRST && code <= FINISHER_LAST &&
	    code % 100 >= GENERIC_FIRST && code % 100 <= GENERIC_LAST)
		name = keyword_of(words_alert_code, code % 100);
	return name;
}

static void
decode_row(const struct subject *s, struct row row, struct alert *a)
{
	alert_init(a);
	a->index = row.number;
	a->severity = subject_enum(s, STD_ALERT_SEVERITY, row);
	a->training = subject_enum(s, STD_ALERT_TRAINING, row);
	a->group = subject_enum(s, STD_ALERT_GROUP, row);
	a->group_index = subject_number(s, STD_ALERT_GROUP_INDEX, row);
	a->location = subject_number(s, STD_ALERT_LOCATION, row);
	a->code = subject_enum(s, STD_ALERT_CODE, row);
	a->code_name = xstrdup_null(code_name(a->code));
	a->description = subject_text(s, STD_ALERT_DESCR, row);
	a->vendor_code = faultcode_find(a->description,
	    vendor_name(s->vendor));
	a->source = ALERT_ROW;
	a->time_ticks = subject_number(s, STD_ALERT_TIME, row);
	a->raised = raised_at(s, a->time_ticks);
}

static int
cmp_number(const void *a, const void *b)
{
	uint32_t	 x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The rows that 1801 rows say are gone, sorted. */
static size_t
removed_rows(const struct subject *s, const struct row *rows, size_t len,
    uint32_t *out)
{
	size_t	 count = 0, i;
	int64_t	 which;

	for (i = 0; i < len; i++) {
		if (subject_enum(s, STD_ALERT_CODE, rows[i]) != CODE_REMOVED)
			continue;
		out[count++] = rows[i].number;
		which = subject_number(s, STD_ALERT_GROUP_INDEX, rows[i]);
		if (which > 0 && count < 2 * SUBJECT_ROWS_MAX)
			out[count++] = (uint32_t)which;
	}
	qsort(out, count, sizeof(out[0]), cmp_number);
	return count;
}

/* Which rows to decode: not the removed ones, and of too many the states
 * rather than the events, the newer rather than the older. */
static size_t
choose(const struct subject *s, struct row *rows, size_t len)
{
	uint32_t	 removed[2 * SUBJECT_ROWS_MAX];
	bool		 unary[SUBJECT_ROWS_MAX];
	size_t		 removed_len, kept = 0, drop, i;

	removed_len = removed_rows(s, rows, len, removed);
	for (i = 0; i < len; i++) {
		if (bsearch(&rows[i].number, removed, removed_len,
		    sizeof(removed[0]), cmp_number) == NULL)
			rows[kept++] = rows[i];
	}
	if (kept <= RECORD_ALERTS_MAX)
		return kept;
	drop = kept - RECORD_ALERTS_MAX;
	for (i = 0; i < kept; i++)
		unary[i] = subject_enum(s, STD_ALERT_SEVERITY, rows[i]) ==
		    SEVERITY_UNARY;
	for (len = i = 0; i < kept; i++) {
		if (unary[i] && drop > 0)
			drop--;
		else
			rows[len++] = rows[i];
	}
	memmove(rows, rows + drop, (len - drop) * sizeof(rows[0]));
	return len - drop;
}

size_t
alerts_decode(const struct subject *s, const struct consumable *supplies,
    size_t supplies_len, struct alert **out)
{
	static const char *const	 columns[] = { STD_ALERT_CODE,
		STD_ALERT_SEVERITY, STD_ALERT_DESCR, NULL };
	struct row			 rows[SUBJECT_ROWS_MAX];
	struct alert			*a;
	size_t				 len, i;

	*out = NULL;
	len = subject_rows(s, columns, rows, SUBJECT_ROWS_MAX);
	if (len == 0 || (len = choose(s, rows, len)) == 0)
		return 0;
	*out = xcalloc(len, sizeof(**out));
	for (i = 0; i < len; i++) {
		a = &(*out)[i];
		decode_row(s, rows[i], a);
		/* Without either there is nothing to say. */
		if (a->description == NULL && a->code != ABSENT)
			a->description = describe(s, a, supplies,
			    supplies_len);
	}
	return len;
}
