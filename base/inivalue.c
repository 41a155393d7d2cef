#include "base/inivalue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
put_duration(struct buf *out, int64_t ms)
{
	static const struct { int64_t ms; const char *unit; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" },
	};
	size_t i = 0;

	while (ms == 0 ? i < 3 : ms % units[i].ms != 0)
		i++;
	buf_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}

static void
put_size(struct buf *out, int64_t bytes)
{
	static const char units[] = "KMG";
	int i = -1;

	for (; i < 2 && bytes != 0 && bytes % 1024 == 0; i++)
		bytes /= 1024;
	buf_printf(out, "%" PRId64, bytes);
	if (i >= 0)
		buf_putc(out, units[i]);
}

static void
put_int(struct buf *out, int64_t value)
{
	buf_printf(out, "%" PRId64, value);
}

void
inivalue_wanted(const struct ini_key *k, struct buf *out)
{
	void (*put)(struct buf *, int64_t) = NULL;
	const char *c;

	switch (k->kind) {
	case INI_STRING:
		buf_puts(out, k->allowed != NULL ? "one of " : "some text");
		for (c = k->allowed; c != NULL && *c != '\0'; c++)
			if (*c == '|')
				buf_puts(out, ", ");
			else
				buf_putc(out, *c);
		return;
	case INI_LIST:
		buf_puts(out, "a list with commas or blanks between");
		return;
	case INI_BOOL:
		buf_puts(out, "yes or no");
		return;
	case INI_INT:
		buf_puts(out, "a whole number");
		put = put_int;
		break;
	case INI_DURATION:
		buf_puts(out, "a duration such as 500ms, 30s, 15m, 6h, 1d");
		put = put_duration;
		break;
	case INI_SIZE:
		buf_puts(out, "a size such as 512, 10K, 64M, 1G");
		put = put_size;
		break;
	}
	if (k->min == 0 && k->max == 0)
		return;
	buf_puts(out, " (between ");
	put(out, k->min);
	buf_puts(out, " and ");
	put(out, k->max);
	buf_puts(out, ")");
}

static int
parse_allowed(const char *allowed, const char *value)
{
	size_t len = strlen(value), n;

	if (len == 0)
		return -1;
	if (allowed == NULL)
		return 0;
	for (;; allowed += n + 1) {
		n = strcspn(allowed, "|");
		if (n == len && memcmp(allowed, value, n) == 0)
			return 0;
		if (allowed[n] == '\0')
			return -1;
	}
}

static int
parse_bool(const char *text, bool *out)
{
	static const char *const words[] = { "no", "yes", "false", "true",
	    "off", "on", "0", "1" };
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(text, words[i]) == 0) {
			*out = i % 2 != 0;
			return 0;
		}
	return -1;
}

/* Digits, then what is behind them.  0, or -1 without digits or when there
 * are too many. */
static int
parse_digits(const char *text, int64_t *value, const char **behind)
{
	int64_t v = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (v > (INT64_MAX - 9) / 10)
			return -1;
		v = v * 10 + (*text - '0');
	}
	*value = v;
	*behind = text;
	return 0;
}

static int
parse_int(const char *text, int64_t *out)
{
	bool minus = *text == '-';
	const char *behind;

	if (parse_digits(text + minus, out, &behind) == -1 || *behind != '\0')
		return -1;
	if (minus)
		*out = -*out;
	return 0;
}

static int
scaled(int64_t value, int64_t factor, int64_t *out)
{
	if (value > INT64_MAX / factor)
		return -1;
	*out = value * factor;
	return 0;
}

int
ini_parse_duration(const char *text, int64_t *ms)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 },
	};
	const char *unit;
	int64_t v;
	size_t i;

	if (parse_digits(text, &v, &unit) == -1)
		return -1;
	if (v == 0 && *unit == '\0') {
		*ms = 0;
		return 0;
	}
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(unit, units[i].unit) == 0)
			return scaled(v, units[i].ms, ms);
	return -1;
}

int
ini_parse_size(const char *text, int64_t *bytes)
{
	const char *unit;
	int64_t v, factor = 1;

	if (parse_digits(text, &v, &unit) == -1)
		return -1;
	switch (*unit) {
	case 'G':
	case 'g':
		factor *= 1024;
		/* FALLTHROUGH */
	case 'M':
	case 'm':
		factor *= 1024;
		/* FALLTHROUGH */
	case 'K':
	case 'k':
		factor *= 1024;
		unit++;
		break;
	}
	if (*unit != '\0')
		return -1;
	return scaled(v, factor, bytes);
}

/* How long the item that text starts with is.  One in quotes, which it keeps,
 * may have commas and blanks inside; without the second it is all the rest. */
static size_t
item_len(const char *text)
{
	const char *quote;

	if (*text != '"')
		return strcspn(text, ", \t");
	quote = strchr(text + 1, '"');
	return quote == NULL ? strlen(text) : (size_t)(quote - text) + 1;
}

static void
parse_list(const char *text, struct ini_list *list)
{
	size_t n;

	ini_list_free(list);
	for (;; text += n) {
		text += strspn(text, ", \t");
		if ((n = item_len(text)) == 0)
			break;
		list->item = xreallocarray(list->item, list->count + 1,
		    sizeof *list->item);
		list->item[list->count++] = xstrndup(text, n);
	}
}

void
ini_list_free(struct ini_list *list)
{
	while (list->count > 0)
		free(list->item[--list->count]);
	free(list->item);
	list->item = NULL;
}

static int
store_number(const struct ini_key *k, const char *value, int64_t *out)
{
	int64_t v;
	int rc;

	if (k->kind == INI_INT)
		rc = parse_int(value, &v);
	else if (k->kind == INI_DURATION)
		rc = ini_parse_duration(value, &v);
	else
		rc = ini_parse_size(value, &v);
	if (rc == -1)
		return -1;
	if (k->min == 0 && k->max == 0 ? v < 0 : v < k->min || v > k->max)
		return -1;
	*out = v;
	return 0;
}

int
inivalue_store(const struct ini_key *k, const char *value, void *target)
{
	char *member = (char *)target + k->offset;
	char **text;

	switch (k->kind) {
	case INI_STRING:
		if (parse_allowed(k->allowed, value) == -1)
			return -1;
		text = (char **)(void *)member;
		free(*text);
		*text = xstrdup(value);
		return 0;
	case INI_LIST:
		parse_list(value, (struct ini_list *)(void *)member);
		return 0;
	case INI_BOOL:
		return parse_bool(value, (bool *)(void *)member);
	default:
		return store_number(k, value, (int64_t *)(void *)member);
	}
}
