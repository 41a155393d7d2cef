#include "snmp/caption.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "snmp/text.h"

/*
 * How makers number their parts.  '#' is a digit, '@' a capital letter, '?'
 * either; '_' may be a hyphen, a blank or nothing; '*' at the end is any
 * number of either.  Longer ones first.  Ricoh has none: its parts have six
 * bare digits, or the name of a machine.
 */
static const char *const families[] = {
	"TNP_##*", "TN_##*", "DR_##*", "IU_##*",	/* Brother, Konica */
	"TK_##*", "PK_##*", "CK_##*", "DK_##*", "DV_##*", "FK_##*", "MK_##*",
	"WT_##*",			/* Kyocera and UTAX */
	"MLT-@###*", "CLT-@###*",	/* Samsung */
	"C-EXV_##*", "C-EXV_#", "GPR_##*", "NPG_##*", "CRG_###*",
	"PFI_###*",			/* Canon */
	"C13@######", "T####", "T##@#",	/* Epson */
	"###R#####", "CT######",	/* Xerox, Fujifilm */
	"##@????",			/* Lexmark */
	"MX-??@@@@", "MX-??@@",		/* Sharp */
	"TL-###*", "DL-###*", "PC-###*",	/* Pantum */
};

static void
put(char **field, const char *start, size_t len)
{
	char	*text = text_trim(xstrndup(start, len));

	if (*text == '\0' || strcasecmp(text, "unknown") == 0 ||
	    strcasecmp(text, "none") == 0 || strcasecmp(text, "n/a") == 0 ||
	    strcmp(text, "-") == 0 || strcmp(text, "CRUM-") == 0) {
		free(text);
		return;
	}
	free(*field);
	*field = text;
}

static void
cut(struct consumable *c, size_t len)
{
	c->description[len] = '\0';
	text_trim(c->description);
	if (*c->description == '\0') {
		free(c->description);
		c->description = NULL;
	}
}

/* Xerox: "Black Toner, PN 006R01234;SN0123" */
static bool
split_xerox(struct consumable *c)
{
	const char	*pn = strstr(c->description, ", PN "), *part, *end, *sn;

	if (pn == NULL)
		return false;
	part = pn + strlen(", PN ");
	end = part + strcspn(part, ";,");
	put(&c->part_number, part, (size_t)(end - part));
	if ((sn = strstr(end, "SN")) != NULL) {
		sn += strlen("SN");
		sn += strspn(sn, " :");
		put(&c->serial, sn, strcspn(sn, ";,"));
	}
	cut(c, (size_t)(pn - c->description));
	return true;
}

/* Samsung, and what it builds for HP: "Black Toner S/N:CRUM-0123".  Where no
 * serial follows there is nothing to take out. */
static bool
split_samsung(struct consumable *c)
{
	const char	*sn = strstr(c->description, " S/N:"), *serial;

	if (sn == NULL)
		return false;
	serial = sn + strlen(" S/N:");
	serial += strspn(serial, " ");
	put(&c->serial, serial, strcspn(serial, " ,;"));
	if (c->serial == NULL)
		return false;
	cut(c, (size_t)(sn - c->description));
	return true;
}

static bool
is_capital(char ch)
{
	return isupper((unsigned char)ch) || isdigit((unsigned char)ch);
}

/* Looks like a part: five or more of A-Z, 0-9 and '-', with a digit. */
static bool
is_part(const char *word, size_t len)
{
	bool	 digit = false;
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (!is_capital(word[i]) && word[i] != '-')
			return false;
		digit |= isdigit((unsigned char)word[i]) != 0;
	}
	return len >= 5 && digit;
}

/* HP: "Black Cartridge HP CF123A".  Several parts ("HP 110V-A1B23A,
 * 220V-A1B24A") are all taken. */
static void
find_hp_part(struct consumable *c)
{
	const char	*hp = strstr(c->description, " HP "), *p, *last;
	size_t		 len;

	if (hp == NULL)
		return;
	last = p = hp + strlen(" HP ");
	do {
		p += strspn(p, " ,");
		len = strcspn(p, " ,");
		if (!is_part(p, len))
			break;
		p += len;
		last = p;
	} while (*p == ',');
	hp += strlen(" HP ");
	put(&c->part_number, hp, (size_t)(last - hp));
}

/* How many octets of p the pattern takes, as whole words; 0: it does not
 * fit. */
static size_t
fits(const char *p, const char *pattern)
{
	const char	*start = p;

	for (; *pattern != '\0' && *pattern != '*'; pattern++) {
		if (*pattern == '_') {
			p += *p == '-' || *p == ' ';
			continue;
		}
		if (*pattern == '#' ? !isdigit((unsigned char)*p) :
		    *pattern == '@' ? !isupper((unsigned char)*p) :
		    *pattern == '?' ? !is_capital(*p) : *p != *pattern)
			return 0;
		p++;
	}
	while (*pattern == '*' && is_capital(*p))
		p++;
	return isalnum((unsigned char)*p) || *p == '-' ? 0 :
	    (size_t)(p - start);
}

static size_t
family_at(const char *p)
{
	size_t	 i, len = 0;

	for (i = 0; len == 0 && i < sizeof(families) / sizeof(families[0]);
	    i++)
		len = fits(p, families[i]);
	return len;
}

/* "Canon GPR-63 Black Toner", "Ink Supply Unit T9444/T9454", "TN-2410" */
static void
find_family(struct consumable *c)
{
	const char	*p = c->description, *first = NULL, *end = NULL;
	bool		 begins = true;
	size_t		 len;

	for (; *p != '\0'; begins = !isalnum((unsigned char)*p) &&
	    *p != '-', p++) {
		if (!begins || !is_capital(*p) || (len = family_at(p)) == 0)
			continue;
		if (first == NULL)
			first = p;
		end = p += len;
		if (*p != '/')
			break;
	}
	if (first != NULL)
		put(&c->part_number, first, (size_t)(end - first));
}

/* The whole description is a part: two capitals, a hyphen somewhere. */
static void
find_bare_part(struct consumable *c)
{
	size_t	 len = strlen(c->description);

	if (is_part(c->description, len) &&
	    strchr(c->description, '-') != NULL &&
	    isupper((unsigned char)c->description[0]) &&
	    isupper((unsigned char)c->description[1]))
		put(&c->part_number, c->description, len);
}

void
caption_split(struct consumable *c)
{
	if (c->description == NULL || split_xerox(c) || split_samsung(c))
		return;
	find_hp_part(c);
	if (c->part_number == NULL)
		find_family(c);
	if (c->part_number == NULL)
		find_bare_part(c);
}
