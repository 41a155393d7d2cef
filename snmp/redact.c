#include "snmp/redact.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "base/secret.h"
#include "snmp/standard.h"

#define WORD_MIN	4
#define WORD_MAX	255

struct word {
	char	*text, *cover;
	size_t	 len;
};

struct redact {
	uint8_t		 key[32];
	struct word	 word[REDACT_WORDS_MAX];
	size_t		 words;
	uint8_t		 mac[REDACT_WORDS_MAX][6];
	size_t		 macs;
	struct objid	 ip_table, mac_column, whole[2];
};

struct redact *
redact_new(const uint8_t key[32])
{
	struct redact *r;

	r = xcalloc(1, sizeof(*r));
	memcpy(r->key, key, sizeof(r->key));
	/* Every column of ipAddrTable has the address for its index. */
	objid_parse(STD_IP_IF_INDEX, &r->ip_table);
	r->ip_table.len--;
	objid_parse(STD_IF_PHYS_ADDRESS, &r->mac_column);
	objid_parse(STD_SYS_NAME, &r->whole[0]);
	objid_parse(STD_SYS_LOCATION, &r->whole[1]);
	return r;
}

void
redact_free(struct redact *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->words; i++) {
		free(r->word[i].text);
		free(r->word[i].cover);
	}
	secret_wipe(r->key, sizeof(r->key));
	free(r);
}

/* --- replacements: the same for the same input and key ------------------------ */

static void
digest(const struct redact *r, const void *bytes, size_t len, uint8_t out[32])
{
	crypto_generichash(out, 32, bytes, len, r->key, sizeof(r->key));
}

/* Letters stay letters and digits digits; case does not make another word. */
static void
cover(const struct redact *r, const char *text, size_t len, char *out)
{
	uint8_t sum[32];
	char low[WORD_MAX] = { 0 };
	size_t i;

	if (len > sizeof(low))
		len = sizeof(low);
	for (i = 0; i < len; i++)
		low[i] = (char)tolower((unsigned char)text[i]);
	digest(r, low, len, sum);
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		uint8_t k = (uint8_t)(sum[i % 32] + i / 32);

		if (isdigit(c))
			out[i] = (char)('0' + k % 10);
		else if (isupper(c))
			out[i] = (char)('A' + k % 26);
		else if (islower(c) || c >= 0x80)
			out[i] = (char)('a' + k % 26);
		else
			out[i] = (char)c;
	}
}

/* RFC 7042 section 2.1.2: 00-00-5E-00-53-xx is for documentation, and looks
 * like an address that a maker gave. */
static void
cover_mac(const struct redact *r, const uint8_t mac[6], uint8_t out[6])
{
	static const uint8_t head[5] = { 0x00, 0x00, 0x5e, 0x00, 0x53 };
	uint8_t sum[32];

	digest(r, mac, 6, sum);
	memcpy(out, head, sizeof(head));
	out[5] = sum[0];
}

/* TEST-NET-1 (RFC 5737). */
static void
cover_ip(const struct redact *r, const uint8_t ip[4], uint8_t out[4])
{
	static const uint8_t head[3] = { 192, 0, 2 };
	uint8_t sum[32];

	/* Loopback, a mask, or none: nobody's in particular. */
	if (ip[0] == 127 || ip[0] == 255 || ip[0] == 0) {
		memcpy(out, ip, 4);
		return;
	}
	digest(r, ip, 4, sum);
	memcpy(out, head, sizeof(head));
	out[3] = (uint8_t)(1 + sum[0] % 254);
}

/* --- what must not be seen ----------------------------------------------------- */

static void
add_word(struct redact *r, const char *text, size_t len, const char *instead)
{
	struct word *word;
	size_t i;

	while (len > 0 && isspace((unsigned char)text[0]))
		text++, len--;
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len < WORD_MIN || len > WORD_MAX || r->words == REDACT_WORDS_MAX)
		return;
	for (i = 0; i < r->words; i++)
		if (r->word[i].len == len &&
		    strncasecmp(r->word[i].text, text, len) == 0)
			return;
	/* Longest first: a serial may hold a shorter one. */
	for (i = r->words++; i > 0 && r->word[i - 1].len < len; i--)
		r->word[i] = r->word[i - 1];
	word = &r->word[i];
	word->text = xstrndup(text, len);
	word->len = len;
	word->cover = xcalloc(1, len + 1);
	if (instead != NULL)
		memcpy(word->cover, instead, len);
	else
		cover(r, text, len, word->cover);
}

void
redact_word(struct redact *r, const char *text)
{
	if (text != NULL)
		add_word(r, text, strlen(text), NULL);
}

static void
spell_mac(const uint8_t mac[6], const char *between, char out[18])
{
	size_t i, at = 0;

	for (i = 0; i < 6; i++)
		at += (size_t)snprintf(out + at, 18 - at, "%s%02x",
		    i > 0 ? between : "", mac[i]);
}

/* Its six octets, and their usual spellings. */
static void
add_mac(struct redact *r, const uint8_t mac[6])
{
	static const char *const between[] = { ":", "-", "" };
	static const uint8_t none[6];
	char text[18], instead[18];
	uint8_t c[6];
	size_t i;

	if (memcmp(mac, none, 6) == 0)
		return;
	for (i = 0; i < r->macs; i++)
		if (memcmp(r->mac[i], mac, 6) == 0)
			return;
	if (r->macs < REDACT_WORDS_MAX)
		memcpy(r->mac[r->macs++], mac, 6);
	cover_mac(r, mac, c);
	for (i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		spell_mac(mac, between[i], text);
		spell_mac(c, between[i], instead);
		add_word(r, text, strlen(text), instead);
	}
}

static bool
token_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* What stands behind the signs that makers put before serial numbers. */
static void
learn_marked(struct redact *r, const char *text, size_t len)
{
	static const char *const marks[] = { "SN:", "SN=", "SERN:", "S/N:",
	    "S/N", "SERIALNUMBER:", "SERIAL:", "CRUM-", ";SN", ",SN" };
	size_t i, m, from, to, digits;

	for (i = 0; i < len; i++)
		for (m = 0; m < sizeof(marks) / sizeof(marks[0]); m++) {
			size_t n = strlen(marks[m]);

			if (n > len - i ||
			    strncasecmp(text + i, marks[m], n) != 0)
				continue;
			for (from = i + n; from < len && (text[from] == ' ' ||
			    text[from] == ':'); from++)
				;
			/* "unknown" stands there as well. */
			for (to = from, digits = 0; to < len &&
			    token_char(text[to]); to++)
				digits += isdigit((unsigned char)text[to]) !=
				    0;
			if (digits > 0)
				add_word(r, text + from, to - from, NULL);
		}
}

static bool
stands_below(const struct objid *id, const char *column)
{
	struct objid prefix;

	return objid_parse(column, &prefix) == 0 && objid_within(id, &prefix);
}

void
redact_learn(struct redact *r, const struct bag *bag)
{
	static const struct objid all = { 1, { 1 } };
	static const char *const names[] = { STD_SERIAL, STD_SYS_NAME,
	    STD_SYS_LOCATION, STD_PRINTER_NAME };
	struct bag_value value;
	struct objid id;
	size_t cursor = 0, i;

	while (bag_next(bag, &all, &cursor, &id, &value)) {
		const char *text = (const char *)value.octets;

		if (value.type != BAG_OCTETS)
			continue;
		if (objid_within(&id, &r->mac_column)) {
			if (value.octets_len == 6)
				add_mac(r, value.octets);
			continue;
		}
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (stands_below(&id, names[i]))
				add_word(r, text, strnlen(text,
				    value.octets_len), NULL);
		learn_marked(r, text, value.octets_len);
	}
}

/* --- replacing ------------------------------------------------------------------- */

/* Upper case stays upper case, however the word was learnt. */
static void
lay_over(char *text, const struct word *word)
{
	size_t i;

	for (i = 0; i < word->len; i++)
		text[i] = (char)(isupper((unsigned char)text[i]) ?
		    toupper((unsigned char)word->cover[i]) :
		    islower((unsigned char)text[i]) ?
		    tolower((unsigned char)word->cover[i]) : word->cover[i]);
}

static void
put_words(const struct redact *r, char *text, size_t len)
{
	size_t i, w;

	for (i = 0; i < len; i++)
		for (w = 0; w < r->words; w++)
			if (r->word[w].len <= len - i &&
			    strncasecmp(text + i, r->word[w].text,
			    r->word[w].len) == 0) {
				lay_over(text + i, &r->word[w]);
				i += r->word[w].len - 1;
				break;
			}
}

/* "a.b.c.d" at text; its length and octets, or 0. */
static size_t
dotted(const char *text, size_t len, uint8_t ip[4])
{
	size_t at = 0;
	unsigned n, part, digits;

	for (part = 0; part < 4; part++) {
		if (part > 0 && (at >= len || text[at++] != '.'))
			return 0;
		for (n = digits = 0; at < len && digits < 3 &&
		    isdigit((unsigned char)text[at]); digits++)
			n = n * 10 + (unsigned)(text[at++] - '0');
		if (digits == 0 || n > 255)
			return 0;
		ip[part] = (uint8_t)n;
	}
	return at;
}

/* The digits are covered where they stand, so that the length stays. */
static void
put_addresses(char *text, size_t len)
{
	uint8_t ip[4];
	size_t i, n, j;

	for (i = 0; i < len; i++) {
		if (i > 0 && (isdigit((unsigned char)text[i - 1]) ||
		    text[i - 1] == '.'))
			continue;
		n = dotted(text + i, len - i, ip);
		/* A version such as 10.2.0.1 has company; an address stands
		 * alone. */
		if (n < 7 || (i + n < len && (text[i + n] == '.' ||
		    isalnum((unsigned char)text[i + n]))))
			continue;
		for (j = i; j < i + n; j++)
			if (isdigit((unsigned char)text[j]))
				text[j] = '0';
		i += n - 1;
	}
	for (i = 1; i + 1 < len; i++) {
		if (text[i] != '@' || !token_char(text[i - 1]))
			continue;
		for (j = i; j > 0 && (token_char(text[j - 1]) ||
		    text[j - 1] == '.'); j--)
			text[j - 1] = 'x';
		for (j = i + 1; j < len && (token_char(text[j]) ||
		    text[j] == '.'); j++)
			if (text[j] != '.')
				text[j] = 'x';
	}
}

/* A name may be longer than any word (RFC 3418 allows 255 octets, and not
 * everybody keeps to that). */
static void
cover_whole(const struct redact *r, char *text, size_t len)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < WORD_MAX ? len - at : WORD_MAX;
		cover(r, text + at, n, text + at);
	}
}

static void
put_octets(struct redact *r, struct bag *out, const struct objid *id,
    const struct bag_value *value)
{
	uint8_t copy[BAG_OCTETS_MAX], mac[6];
	size_t i, m, len = value->octets_len;

	if (len > sizeof(copy))
		len = sizeof(copy);
	memcpy(copy, value->octets, len);
	for (i = 0; i < 2; i++)
		if (objid_within(id, &r->whole[i]))
			cover_whole(r, (char *)copy, len);
	for (i = 0; i + 6 <= len; i++)
		for (m = 0; m < r->macs; m++)
			if (memcmp(copy + i, r->mac[m], 6) == 0) {
				cover_mac(r, r->mac[m], mac);
				memcpy(copy + i, mac, 6);
			}
	put_words(r, (char *)copy, len);
	put_addresses((char *)copy, len);
	bag_put_octets(out, id, BAG_OCTETS, copy, len);
}

struct bag *
redact_bag(struct redact *r, const struct bag *bag)
{
	static const struct objid all = { 1, { 1 } };
	struct bag *out = bag_new();
	struct bag_value value;
	struct objid id;
	uint8_t ip[4], c[4];
	size_t cursor = 0, i;

	while (bag_next(bag, &all, &cursor, &id, &value)) {
		if (objid_within(&id, &r->ip_table) &&
		    id.len == r->ip_table.len + 5) {
			for (i = 0; i < 4; i++)
				ip[i] = (uint8_t)id.sub[id.len - 4 + i];
			cover_ip(r, ip, c);
			for (i = 0; i < 4; i++)
				id.sub[id.len - 4 + i] = c[i];
		}
		if (value.type == BAG_IPADDRESS && value.octets_len == 4) {
			cover_ip(r, value.octets, c);
			bag_put_octets(out, &id, BAG_IPADDRESS, c, 4);
		} else if (value.type == BAG_OCTETS)
			put_octets(r, out, &id, &value);
		else
			bag_put(out, &id, &value);
	}
	return out;
}
