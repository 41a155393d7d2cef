#include "snmp/ignore.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "schema/field.h"

#define ANY	CLEARED		/* no alert has this as group or code */

struct rule {
	int64_t	 group;		/* or ANY */
	int64_t	 code;		/* or ANY */
	char	*pattern;	/* NULL: group and code; else nothing else */
	bool	 bare;		/* no-code */
};

struct ignore {
	struct rule	*rule;
	size_t		 len;
};

/* --- text ---------------------------------------------------------------------- */

/* Lower case of the scripts that panels write and that have two: Latin,
 * Greek, Cyrillic.  No locale is asked: the daemon has none. */
static uint32_t
lower(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	/* Latin Extended-A: pairs, with the capital on even numbers but for
	 * two runs. */
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c % 2 != 0 ? c + 1 : c;
	if (c >= 0x100 && c <= 0x177)
		return c % 2 == 0 && c != 0x130 && c != 0x138 ? c + 1 : c;
	return c;
}

static uint32_t
next_char(const char **p)
{
	uint32_t c;
	size_t n = utf8_decode(*p, strlen(*p), &c);

	if (n == 0) {		/* texts are UTF-8: only at the end */
		c = (unsigned char)**p;
		n = c != 0;
	}
	*p += n;
	return c;
}

/* At most length times length steps: only the last * is tried again. */
static bool
text_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL, *p, *t;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
			continue;
		}
		p = pattern;
		t = text;
		if (*t == '\0')
			return *p == '\0';
		if (*p != '\0' && lower(next_char(&p)) ==
		    lower(next_char(&t))) {
			pattern = p;
			text = t;
			continue;
		}
		if (star == NULL)
			return false;
		pattern = star;
		(void)next_char(&from);
		text = from;
	}
}

/* --- reading the rules ----------------------------------------------------------- */

static bool
word_is(const char *word, const char *text, size_t len)
{
	return strlen(word) == len && strncasecmp(word, text, len) == 0;
}

/* A keyword, or one without the subject in front of it, or a number. */
static int64_t
value_of(const struct keyword *words, const char *text, size_t len)
{
	static const char *const subjects[] = { "subunit", "printer", NULL };
	const struct keyword *k;
	char number[12];
	size_t i, n;

	for (k = words; k->word != NULL; k++) {
		if (word_is(k->word, text, len))
			return k->value;
		for (i = 0; subjects[i] != NULL; i++) {
			n = strlen(subjects[i]);
			if (strncmp(k->word, subjects[i], n) == 0 &&
			    word_is(k->word + n, text, len))
				return k->value;
		}
	}
	if (len == 0 || len >= sizeof(number) ||
	    strspn(text, "0123456789") < len)
		return ABSENT;
	memcpy(number, text, len);
	number[len] = '\0';
	return strtoll(number, NULL, 10);
}

static int
parse_code(const char *item, struct rule *rule, char *why, size_t why_size)
{
	const char *colon = strchr(item, ':');
	const char *code = colon == NULL ? item : colon + 1;

	if (colon != NULL) {
		rule->group = value_of(words_alert_group, item,
		    (size_t)(colon - item));
		if (rule->group == ABSENT) {
			snprintf(why, why_size, "\"%s\": there is no group "
			    "\"%.*s\"", log_safe(item),
			    (int)(colon - item), item);
			return -1;
		}
		if (strcmp(code, "*") == 0)
			return 0;
	}
	rule->code = value_of(words_alert_code, code, strlen(code));
	if (rule->code != ABSENT)
		return 0;
	snprintf(why, why_size, "\"%s\" is no alert code (a text is written "
	    "in quotes)", log_safe(item));
	return -1;
}

static int
parse_pattern(const char *item, struct rule *rule, char *why, size_t why_size)
{
	size_t len = strlen(item);

	if (len < 2 || item[len - 1] != '"') {
		snprintf(why, why_size, "%s: the closing quote is missing",
		    log_safe(item));
		return -1;
	}
	if (len - 2 == strspn(item + 1, "*") || !utf8_valid(item, len)) {
		snprintf(why, why_size, "%s: %s", log_safe(item),
		    utf8_valid(item, len) ? "would match every text" :
		    "is not UTF-8");
		return -1;
	}
	rule->pattern = xstrndup(item + 1, len - 2);
	return 0;
}

static int
parse_rule(const char *item, struct rule *rule, char *why, size_t why_size)
{
	rule->group = rule->code = ANY;
	if (item[0] == '"')
		return parse_pattern(item, rule, why, why_size);
	if (strcasecmp(item, "no-code") == 0) {
		rule->bare = true;
		return 0;
	}
	return parse_code(item, rule, why, why_size);
}

struct ignore *
ignore_new(char *const *items, size_t n, char *why, size_t why_size)
{
	struct ignore *ignore;

	if (n > IGNORE_RULES_MAX) {
		snprintf(why, why_size, "more than %d rules",
		    IGNORE_RULES_MAX);
		return NULL;
	}
	ignore = xcalloc(1, sizeof(*ignore));
	if (n == 1 && strcasecmp(items[0], "none") == 0)
		return ignore;
	ignore->rule = xcalloc(n + 1, sizeof(*ignore->rule));
	for (; ignore->len < n; ignore->len++) {
		if (strcasecmp(items[ignore->len], "none") == 0) {
			snprintf(why, why_size, "\"none\" stands alone");
			break;
		}
		if (parse_rule(items[ignore->len], &ignore->rule[ignore->len],
		    why, why_size) == -1)
			break;
	}
	if (ignore->len == n)
		return ignore;
	ignore_free(ignore);
	return NULL;
}

struct ignore *
ignore_new_default(void)
{
	static const char *const words[] = IGNORE_DEFAULT;
	char *items[sizeof(words) / sizeof(words[0])], why[120];
	size_t n = sizeof(words) / sizeof(words[0]), i;
	struct ignore *ignore;

	for (i = 0; i < n; i++)
		items[i] = xstrdup(words[i]);
	if ((ignore = ignore_new(items, n, why, sizeof(why))) == NULL)
		fatalx("ignore", "%s", why);
	for (i = 0; i < n; i++)
		free(items[i]);
	return ignore;
}

void
ignore_free(struct ignore *ignore)
{
	if (ignore == NULL)
		return;
	while (ignore->len > 0)
		free(ignore->rule[--ignore->len].pattern);
	free(ignore->rule);
	free(ignore);
}

static bool
rule_matches(const struct rule *rule, const struct alert *a)
{
	if (rule->bare)
		return a->code == ABSENT && a->description == NULL;
	if (rule->pattern != NULL)
		return a->description != NULL &&
		    text_matches(rule->pattern, a->description);
	return (rule->group == ANY || rule->group == a->group) &&
	    (rule->code == ANY || rule->code == a->code);
}

bool
ignore_matches(const struct ignore *ignore, const struct alert *a)
{
	size_t i;

	for (i = 0; ignore != NULL && i < ignore->len; i++)
		if (rule_matches(&ignore->rule[i], a))
			return true;
	return false;
}
