#include "snmp/brand.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "snmp/text.h"

/* Longer spellings before shorter ones. */
static const struct {
	const char	*said, *brand;
} brands[] = {
	{ "Hewlett-Packard", "HP" }, { "Hewlett Packard", "HP" },
	{ "HP", "HP" },
	{ "Brother", "Brother" }, { "Canon", "Canon" },
	{ "Copystar", "Copystar" }, { "Datamax", "Datamax" },
	{ "Dell", "Dell" }, { "Develop", "Develop" },
	{ "Epson", "Epson" }, { "SEIKO EPSON", "Epson" },
	{ "FUJI XEROX", "Fuji Xerox" }, { "FUJIFILM", "Fujifilm" },
	{ "Gestetner", "Gestetner" }, { "Honeywell", "Honeywell" },
	{ "Infotec", "Infotec" }, { "Intermec", "Intermec" },
	{ "KIP", "KIP" }, { "Kodak", "Kodak" },
	{ "KONICA MINOLTA", "Konica Minolta" },
	{ "KYOCERA Document Solutions", "Kyocera" },
	{ "KYOCERA MITA", "Kyocera" }, { "Kyocera", "Kyocera" },
	{ "LANIER", "Lanier" }, { "Lenovo", "Lenovo" },
	{ "Lexmark International", "Lexmark" }, { "Lexmark", "Lexmark" },
	{ "Muratec", "Muratec" }, { "NASHUATEC", "Nashuatec" },
	{ "NEC", "NEC" }, { "NRG", "NRG" },
	{ "Océ", "Océ" }, { "Oce", "Océ" },
	{ "OKI DATA CORP", "OKI" }, { "Oki Data", "OKI" }, { "OKI", "OKI" },
	{ "Olivetti", "Olivetti" }, { "Panasonic", "Panasonic" },
	{ "Pantum", "Pantum" }, { "Printronix", "Printronix" },
	{ "Rex-Rotary", "Rex-Rotary" }, { "Ricoh", "Ricoh" },
	{ "RISO", "Riso" }, { "Samsung", "Samsung" }, { "SATO", "Sato" },
	{ "Savin", "Savin" }, { "Sharp", "Sharp" }, { "Sindoh", "Sindoh" },
	{ "TallyGenicom", "TallyGenicom" },
	{ "TA Triumph-Adler", "Triumph-Adler" },
	{ "Triumph-Adler", "Triumph-Adler" },
	{ "TA_UTAX", "UTAX" }, { "UTAX_TA", "UTAX" }, { "UTAX", "UTAX" },
	{ "TOSHIBA TEC", "Toshiba" }, { "Toshiba", "Toshiba" },
	{ "TSC", "TSC" }, { "Xerox", "Xerox" },
	{ "Zebra Technologies", "Zebra" }, { "Zebra", "Zebra" },
};

#define BRANDS	(sizeof(brands) / sizeof(brands[0]))

/* Which brand text begins with, as a whole word, and how long it is. */
static const char *
at_start(const char *text, size_t *len)
{
	size_t	 i;

	for (i = 0; i < BRANDS; i++) {
		*len = strlen(brands[i].said);
		if (text_starts(text, brands[i].said) &&
		    !isalnum((unsigned char)text[*len]))
			return brands[i].brand;
	}
	return NULL;
}

const char *
brand_at_start(const char *text)
{
	size_t	 len;

	return at_start(text, &len);
}

const char *
brand_in(const char *text)
{
	const char	*found = brand_at_start(text);
	size_t		 i;

	for (i = 0; found == NULL && i < BRANDS; i++) {
		if (text_find_word(text, brands[i].said) != NULL)
			found = brands[i].brand;
	}
	return found;
}

/* Letters and digits in groups joined by dots, a digit among them:
 * "LW62.DN4.P636", "1.35", "V2.01"; at least three characters. */
static bool
is_version(const char *word)
{
	const char	*p;
	bool		 digit = false, dot = false;

	for (p = word; *p != '\0'; p++) {
		if (*p == '.') {
			if (p == word || p[1] == '\0' || p[1] == '.')
				return false;
			dot = true;
		} else if (!isalnum((unsigned char)*p))
			return false;
		digit |= isdigit((unsigned char)*p) != 0;
	}
	return dot && digit && p - word >= 3;
}

/* What stands for a serial in front of a firmware version. */
static bool
is_serial(const char *word, const char *serial)
{
	size_t	 len = strlen(word);
	bool	 digit = false;

	if (serial != NULL && len >= 5 &&
	    strncasecmp(word, serial, len) == 0)
		return true;
	for (; *word != '\0'; word++) {
		if (!isupper((unsigned char)*word) &&
		    !isdigit((unsigned char)*word))
			return false;
		digit |= isdigit((unsigned char)*word) != 0;
	}
	return len >= 7 && digit;
}

/* Several blanks to one. */
static void
squeeze(char *text)
{
	char	*to = text;

	for (; *text != '\0'; text++) {
		if (*text != ' ' || text[1] != ' ')
			*to++ = *text;
	}
	*to = '\0';
}

/* The last word, if it is not the only one. */
static char *
last_word(char *text)
{
	char	*blank = strrchr(text, ' ');

	return blank == NULL ? NULL : blank + 1;
}

static void
cut_word(char *text, char *word)
{
	*word = '\0';
	text_trim(text);
}

char *
brand_model(const char *text, const char *serial)
{
	char	*model, *word;
	size_t	 len;

	while (at_start(text, &len) != NULL &&
	    (text[len] == ' ' || text[len] == '\0')) {
		text += len;
		text += strspn(text, " ");
	}
	/* Firmware levels follow a semicolon; no model name has one. */
	model = xstrndup(text, strcspn(text, ";"));
	model = text_trim(model);
	squeeze(model);
	if ((word = last_word(model)) != NULL && is_version(word)) {
		cut_word(model, word);
		if ((word = last_word(model)) != NULL &&
		    is_serial(word, serial))
			cut_word(model, word);
	}
	if (serial != NULL && (word = last_word(model)) != NULL &&
	    strcasecmp(word, serial) == 0)
		cut_word(model, word);
	if ((word = last_word(model)) != NULL &&
	    strcasecmp(word, "series") == 0)
		cut_word(model, word);
	if (*model == '\0' || strcasecmp(model, "series") == 0) {
		free(model);
		return NULL;
	}
	return model;
}

char *
brand_sysdescr(const char *sysdescr, char **version)
{
	static const char *const	 ends[] = { ";", ",", " /", " : ",
		" version", " Firmware", " Rev.", " Ver.", NULL };
	const char			*end, *found;
	char				*part, *word;
	size_t				 i, len = strlen(sysdescr);

	for (i = 0; ends[i] != NULL; i++) {
		found = strcasestr(sysdescr, ends[i]);
		end = sysdescr + len;
		if (found != NULL && found < end)
			len = (size_t)(found - sysdescr);
	}
	part = text_trim(xstrndup(sysdescr, len));
	*version = NULL;
	if ((word = last_word(part)) != NULL && is_version(word)) {
		*version = xstrdup(word);
		cut_word(part, word);
	}
	return part;
}
