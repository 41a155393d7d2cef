#include "snmp/faultcode.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define WORD_MAX	24	/* a longer word is no code */

/* Where the word may stand. */
#define ANYWHERE	1u
#define FIRST		2u	/* the text begins with it */
#define AFTER		4u	/* behind a word for trouble */

/*
 * d: a digit, h: a hexadecimal digit (capitals), A: a capital letter, all else
 * is itself.  By the engine's maker, because a shape means something else at
 * another's: 13.20 is a jam at HP and a size of paper elsewhere.
 */
static const struct shape {
	const char	*vendor;	/* NULL: whoever */
	const char	*shape;
	unsigned	 where;
} shapes[] = {
	{ NULL, "SCddd", ANYWHERE },
	{ NULL, "SCddd-dd", ANYWHERE },
	{ NULL, "SCdddd", ANYWHERE },
	{ "hp", "dd.h", FIRST | AFTER },
	{ "hp", "dd.hh", FIRST | AFTER },
	{ "hp", "dd.hhhh", FIRST | AFTER },
	{ "hp", "dd.hh.hh", FIRST | AFTER },
	{ "hp", "dd.hhhh.hh", FIRST | AFTER },
	{ "brother", "hh", AFTER },
	{ "brother", "AA", AFTER },
	{ "canon", "Eddd-hhhh", ANYWHERE },
	{ "canon", "Eddd", AFTER },
	{ "fuji-xerox", "ddd-ddd", ANYWHERE },
	{ "xerox", "dd-ddd", ANYWHERE },
	{ "xerox", "ddd-ddd", ANYWHERE },
	{ "konica-minolta", "C-dddd", ANYWHERE },
	{ "konica-minolta", "J-dddd", ANYWHERE },
	{ "konica-minolta", "Cdddd", FIRST | AFTER },
	{ "kyocera", "Cdddd", FIRST | AFTER },
	{ "kyocera", "Fddd", FIRST | AFTER },
	{ "kyocera", "Fdddd", FIRST | AFTER },
	{ "kyocera", "Jdddd", FIRST | AFTER },
	{ "lexmark", "dd.dd", FIRST | AFTER },
	{ "lexmark", "ddd.dd", FIRST | AFTER },
	{ "lexmark", "ddd.ddA", FIRST | AFTER },
	{ "oki", "ddd", AFTER },
	{ "samsung", "Ad-dddd", ANYWHERE },
	{ "sharp", "Ad-hh", ANYWHERE },
	{ "toshiba", "Cddd", FIRST | AFTER },
	{ "toshiba", "Fddd", FIRST | AFTER },
	{ "toshiba", "Fddd_d", FIRST | AFTER },
};

static bool
one_fits(char shape, char c)
{
	switch (shape) {
	case 'd':
		return c >= '0' && c <= '9';
	case 'h':
		return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
	case 'A':
		return c >= 'A' && c <= 'Z';
	default:
		return shape == c;
	}
}

static bool
fits(const char *shape, const char *word)
{
	for (; *shape != '\0' && *word != '\0'; shape++, word++)
		if (!one_fits(*shape, *word))
			return false;
	return *shape == '\0' && *word == '\0';
}

static bool
is_trouble(const char *word)
{
	static const char *const words[] = { "error", "err", "code", "call",
		"service", "trouble", "unable", "fehler", "fehlercode", "erreur", "errore", "fout",
		NULL };
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (strcasecmp(words[i], word) == 0)
			return true;
	return false;
}

/* The next word without what stands around it; false at the end.  One that is
 * too long comes out empty. */
static bool
next_word(const char **p, char out[WORD_MAX + 1])
{
	static const char blanks[] = " \t,;:\"'()[]#<>=!";
	size_t n;

	*p += strspn(*p, blanks);
	if ((n = strcspn(*p, blanks)) == 0)
		return false;
	out[0] = '\0';
	if (n <= WORD_MAX) {
		memcpy(out, *p, n);
		out[n] = '\0';
		while (n > 0 && (out[n - 1] == '.' || out[n - 1] == '-'))
			out[--n] = '\0';
	}
	*p += n <= WORD_MAX ? strcspn(*p, blanks) : n;
	return true;
}

static bool
is_code(const char *word, const char *vendor, unsigned where)
{
	const struct shape *s;
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		s = &shapes[i];
		if ((s->where & where) != 0 && (s->vendor == NULL ||
		    strcmp_null(s->vendor, vendor) == 0) &&
		    fits(s->shape, word))
			return true;
	}
	return false;
}

char *
faultcode_find(const char *description, const char *vendor)
{
	char word[WORD_MAX + 1], last[WORD_MAX + 1] = "";
	char joined[2 * WORD_MAX + 1];
	const char *p = description;
	unsigned where = ANYWHERE | FIRST;

	if (description == NULL)
		return NULL;
	while (next_word(&p, word)) {
		if (is_trouble(last))
			where |= AFTER;
		if (is_code(word, vendor, where))
			return xstrdup(word);
		/* "SC 542" */
		strcpy(joined, last);
		strcat(joined, word);
		if (strcmp(last, "SC") == 0 && is_code(joined, vendor,
		    ANYWHERE))
			return xstrdup(joined);
		strcpy(last, word);
		where = ANYWHERE;
	}
	return NULL;
}
