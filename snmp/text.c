#include "snmp/text.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "schema/record.h"

/* Descriptors stay open: iconv_open() loads a module each time. */
struct charset {
	int64_t		 mibenum;
	const char	*name;
	bool		 wide;		/* two or four octets a character */
	bool		 opened;
	iconv_t		 cd;		/* (iconv_t)-1: not on this system */
};

/* IANA's registry of character sets, those that printers have. */
static struct charset charsets[] = {
	{ .mibenum = 5, .name = "ISO-8859-2" },
	{ .mibenum = 6, .name = "ISO-8859-3" },
	{ .mibenum = 7, .name = "ISO-8859-4" },
	{ .mibenum = 8, .name = "ISO-8859-5" },
	{ .mibenum = 9, .name = "ISO-8859-6" },
	{ .mibenum = 10, .name = "ISO-8859-7" },
	{ .mibenum = 11, .name = "ISO-8859-8" },
	{ .mibenum = 12, .name = "ISO-8859-9" },
	{ .mibenum = 13, .name = "ISO-8859-10" },
	{ .mibenum = 17, .name = "SHIFT_JIS" },
	{ .mibenum = 18, .name = "EUC-JP" },
	{ .mibenum = 38, .name = "EUC-KR" },
	{ .mibenum = 39, .name = "ISO-2022-JP" },
	{ .mibenum = 109, .name = "ISO-8859-13" },
	{ .mibenum = 110, .name = "ISO-8859-14" },
	{ .mibenum = 111, .name = "ISO-8859-15" },
	{ .mibenum = 112, .name = "ISO-8859-16" },
	{ .mibenum = 113, .name = "GBK" },
	{ .mibenum = 114, .name = "GB18030" },
	{ .mibenum = 1000, .name = "UCS-2BE", .wide = true },
	{ .mibenum = 1001, .name = "UCS-4BE", .wide = true },
	{ .mibenum = 1013, .name = "UTF-16BE", .wide = true },
	{ .mibenum = 1014, .name = "UTF-16LE", .wide = true },
	{ .mibenum = 1015, .name = "UTF-16BE", .wide = true },
	{ .mibenum = 1017, .name = "UTF-32BE", .wide = true },
	{ .mibenum = 1018, .name = "UTF-32BE", .wide = true },
	{ .mibenum = 1019, .name = "UTF-32LE", .wide = true },
	{ .mibenum = 2009, .name = "IBM850" },
	{ .mibenum = 2010, .name = "IBM852" },
	{ .mibenum = 2011, .name = "IBM437" },
	{ .mibenum = 2013, .name = "IBM862" },
	{ .mibenum = 2024, .name = "CP932" },
	{ .mibenum = 2025, .name = "GB2312" },
	{ .mibenum = 2026, .name = "BIG5" },
	{ .mibenum = 2027, .name = "MACINTOSH" },
	{ .mibenum = 2084, .name = "KOI8-R" },
	{ .mibenum = 2086, .name = "IBM866" },
	{ .mibenum = 2088, .name = "KOI8-U" },
	{ .mibenum = 2109, .name = "CP874" },
	{ .mibenum = 2250, .name = "CP1250" },
	{ .mibenum = 2251, .name = "CP1251" },
	{ .mibenum = 2252, .name = "CP1252" },
	{ .mibenum = 2253, .name = "CP1253" },
	{ .mibenum = 2254, .name = "CP1254" },
	{ .mibenum = 2255, .name = "CP1255" },
	{ .mibenum = 2256, .name = "CP1256" },
	{ .mibenum = 2257, .name = "CP1257" },
	{ .mibenum = 2258, .name = "CP1258" },
	{ .mibenum = 2259, .name = "TIS-620" },
};

/* What is converted at once; the result is capped far below it. */
#define OCTETS_MAX	1024

#define CHARSET_ROMAN8	2004

/* HP's Roman-8 from A0 on: what HP, Brother and their like mostly declare, so
 * it must not hang on a module that the system may lack. */
static const uint16_t roman8[96] = {
	0x00a0, 0x00c0, 0x00c2, 0x00c8, 0x00ca, 0x00cb, 0x00ce, 0x00cf,
	0x00b4, 0x02cb, 0x02c6, 0x00a8, 0x02dc, 0x00d9, 0x00db, 0x20a4,
	0x00af, 0x00dd, 0x00fd, 0x00b0, 0x00c7, 0x00e7, 0x00d1, 0x00f1,
	0x00a1, 0x00bf, 0x00a4, 0x00a3, 0x00a5, 0x00a7, 0x0192, 0x00a2,
	0x00e2, 0x00ea, 0x00f4, 0x00fb, 0x00e1, 0x00e9, 0x00f3, 0x00fa,
	0x00e0, 0x00e8, 0x00f2, 0x00f9, 0x00e4, 0x00eb, 0x00f6, 0x00fc,
	0x00c5, 0x00ee, 0x00d8, 0x00c6, 0x00e5, 0x00ed, 0x00f8, 0x00e6,
	0x00c4, 0x00ec, 0x00d6, 0x00dc, 0x00c9, 0x00ef, 0x00df, 0x00d4,
	0x00c1, 0x00c3, 0x00e3, 0x00d0, 0x00f0, 0x00cd, 0x00cc, 0x00d3,
	0x00d2, 0x00d5, 0x00f5, 0x0160, 0x0161, 0x00da, 0x0178, 0x00ff,
	0x00de, 0x00fe, 0x00b7, 0x00b5, 0x00b6, 0x00be, 0x2014, 0x00bc,
	0x00bd, 0x00aa, 0x00ba, 0x00ab, 0x25a0, 0x00bb, 0x00b1, 0x0000,
};

static struct charset *
charset_find(int64_t mibenum)
{
	size_t	 i;

	for (i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (charsets[i].mibenum == mibenum)
			return &charsets[i];
	}
	return NULL;
}

/* Length of the UTF-8 character at p and its code, or 0 when it is none. */
static size_t
utf8_char(const uint8_t *p, size_t len, uint32_t *code)
{
	static const uint32_t	 least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t			 n, i;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0)
		n = 2, *code = p[0] & 0x1f;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		n = 3, *code = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] < 0xf5)
		n = 4, *code = p[0] & 0x07;
	else
		return 0;
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

/* The first octets of a character whose rest is missing. */
static bool
utf8_cut(const uint8_t *p, size_t len)
{
	size_t	 i;

	if (p[0] < 0xc2 || p[0] >= 0xf5 ||
	    len >= (p[0] < 0xe0 ? 2u : p[0] < 0xf0 ? 3u : 4u))
		return false;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

/* Valid UTF-8; behind other characters one that the end cuts in two does
 * not count against it, because agents cut at 64 or 255 octets blindly. */
static bool
utf8_valid(const uint8_t *p, size_t len, bool *ascii)
{
	uint32_t	 code;
	size_t		 i, n;

	*ascii = true;
	for (i = 0; i < len; i += n) {
		if ((n = utf8_char(p + i, len - i, &code)) == 0)
			return !*ascii && utf8_cut(p + i, len - i);
		if (n > 1)
			*ascii = false;
	}
	return true;
}

static bool
xml_allows(uint32_t code)
{
	return code >= 0x20 && code != 0x7f && !(code >= 0x80 && code < 0xa0)
	    && code != 0xfffe && code != 0xffff && code != 0xfeff;
}

/* UTF-8 without controls, trimmed, capped; line ends and tabs become blanks,
 * so that words stay apart. */
static char *
tidy(const uint8_t *p, size_t len)
{
	char		 out[RECORD_TEXT_MAX];
	size_t		 used = 0, i, n;
	uint32_t	 code;

	for (i = 0; i < len; i += n) {
		if ((n = utf8_char(p + i, len - i, &code)) == 0) {
			n = 1;
			continue;
		}
		if (code == '\n' || code == '\r' || code == '\t')
			code = ' ';
		if (!xml_allows(code) || (used == 0 && code == ' '))
			continue;
		if (used + n > sizeof(out))
			break;
		if (code == ' ')
			out[used] = ' ';
		else
			memcpy(out + used, p + i, n);
		used += n;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	return used == 0 ? NULL : xstrndup(out, used);
}

/* Latin-1, or another set that differs from it from A0 on. */
static char *
eight_bit(const uint8_t *p, size_t len, const uint16_t *upper)
{
	uint8_t		 out[3 * OCTETS_MAX];
	size_t		 used = 0, i;
	unsigned	 code;

	for (i = 0; i < len; i++) {
		code = upper != NULL && p[i] >= 0xa0 ? upper[p[i] - 0xa0] :
		    p[i];
		if (code >= 0x800) {
			out[used++] = (uint8_t)(0xe0 | code >> 12);
			out[used++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
			out[used++] = (uint8_t)(0x80 | (code & 0x3f));
		} else if (code >= 0x80) {
			out[used++] = (uint8_t)(0xc0 | code >> 6);
			out[used++] = (uint8_t)(0x80 | (code & 0x3f));
		} else
			out[used++] = (uint8_t)code;
	}
	return tidy(out, used);
}

/* By iconv; what it cannot convert is left out.  NULL when the system does
 * not know the charset or nothing was converted. */
static char *
convert(struct charset *cs, const uint8_t *p, size_t len)
{
	uint8_t	 copy[OCTETS_MAX], out[4 * OCTETS_MAX];
	char	*from = (char *)copy, *to = (char *)out;
	size_t	 left = len, room = sizeof(out);

	if (!cs->opened) {
		cs->opened = true;
		cs->cd = iconv_open("UTF-8", cs->name);
	}
	if (cs->cd == (iconv_t)-1)
		return NULL;
	memcpy(copy, p, len);
	iconv(cs->cd, NULL, NULL, NULL, NULL);
	while (left > 0 && iconv(cs->cd, &from, &left, &to, &room) ==
	    (size_t)-1) {
		if (errno != EILSEQ)
			break;
		from++;
		left--;
	}
	return tidy(out, sizeof(out) - room);
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * net-snmp's tools print a string that ends in NUL as its first 16 octets,
 * a line end and the rest as "HH HH ..." in lines, and recordings and
 * gateways made with them pass that on.  Puts the octets together again
 * (into out, returns how many), or returns 0 when p is no such thing.
 */
static size_t
unprint(const uint8_t *p, size_t len, uint8_t out[OCTETS_MAX])
{
	size_t	 i, n = 16;
	int	 hi, lo;

	if (len < 19 || p[16] != '\n')
		return 0;
	memcpy(out, p, 16);
	for (i = 17; i < len; ) {
		if (p[i] == ' ' || p[i] == '\n' || p[i] == '\0') {
			i++;
			continue;
		}
		if (i + 1 >= len || (hi = hex_digit(p[i])) == -1 ||
		    (lo = hex_digit(p[i + 1])) == -1 ||
		    (i + 2 < len && p[i + 2] != ' ' && p[i + 2] != '\n' &&
		    p[i + 2] != '\0'))
			return 0;
		out[n++] = (uint8_t)(hi << 4 | lo);
		i += 2;
	}
	return n;
}

char *
text_decode(const uint8_t *octets, size_t len, int64_t mibenum)
{
	uint8_t		 joined[OCTETS_MAX];
	const uint8_t	*end;
	struct charset	*cs;
	char		*text;
	size_t		 n;
	bool		 ascii, valid;

	if (len == 0)
		return NULL;
	if (len > OCTETS_MAX)
		len = OCTETS_MAX;
	if ((n = unprint(octets, len, joined)) > 0) {
		octets = joined;
		len = n;
	}
	cs = charset_find(mibenum);
	end = memchr(octets, '\0', len);
	if (cs != NULL && cs->wide && end != NULL && len % 2 == 0 &&
	    (text = convert(cs, octets, len)) != NULL)
		return text;
	/* Fixed buffers: what follows the NUL is not text. */
	if (end != NULL && end > octets)
		len = (size_t)(end - octets);
	valid = utf8_valid(octets, len, &ascii);
	/* ASCII is the same everywhere, but for charsets that switch (ESC);
	 * under a wide charset, with no NUL in it, it is ASCII all the same. */
	if (valid && (!ascii || memchr(octets, 0x1b, len) == NULL))
		return tidy(octets, len);
	if (cs != NULL && (text = convert(cs, octets, len)) != NULL)
		return text;
	return eight_bit(octets, len,
	    mibenum == CHARSET_ROMAN8 ? roman8 : NULL);
}

char *
text_decode_pml(const uint8_t *octets, size_t len, int64_t mibenum)
{
	uint8_t	 joined[OCTETS_MAX];
	size_t	 n;

	if (len > OCTETS_MAX)
		len = OCTETS_MAX;
	if ((n = unprint(octets, len, joined)) > 0) {
		octets = joined;
		len = n;
	}
	/* The two octets are the symbol set, 0x0115 = 277 = Roman-8 (8U). */
	if (len >= 2 && octets[0] == 0x01 && octets[1] == 0x15)
		return text_decode(octets + 2, len - 2, CHARSET_ROMAN8);
	return text_decode(octets, len, mibenum);
}

char *
text_1284(const char *id, const char *key)
{
	size_t		 key_len = strlen(key), len;
	const char	*colon, *end;

	while (*id != '\0') {
		id += strspn(id, " ;");
		end = id + strcspn(id, ";");
		colon = memchr(id, ':', (size_t)(end - id));
		if (colon != NULL) {
			len = (size_t)(colon - id);
			while (len > 0 && id[len - 1] == ' ')
				len--;
			if (len == key_len &&
			    strncasecmp(id, key, key_len) == 0) {
				colon++;
				colon += strspn(colon, " ");
				while (end > colon && end[-1] == ' ')
					end--;
				return end <= colon ? NULL :
				    xstrndup(colon, (size_t)(end - colon));
			}
		}
		id = end;
	}
	return NULL;
}

const char *
text_find_word(const char *text, const char *word)
{
	size_t		 len = strlen(word);
	const char	*p = text;

	for (; (p = strcasestr(p, word)) != NULL; p++) {
		if ((p == text || !isalnum((unsigned char)p[-1]) ||
		    !isalnum((unsigned char)word[0])) &&
		    (!isalnum((unsigned char)p[len]) ||
		    !isalnum((unsigned char)word[len - 1])))
			return p;
	}
	return NULL;
}

bool
text_starts(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

char *
text_trim(char *text)
{
	size_t	 skip = strspn(text, " "), len = strlen(text + skip);

	while (len > 0 && text[skip + len - 1] == ' ')
		len--;
	memmove(text, text + skip, len);
	text[len] = '\0';
	return text;
}
