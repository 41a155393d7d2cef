/* Bags as snmprec text (the format of snmpsim). */
#include "snmp/bag.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int
hex_decode(const char *text, uint8_t *out, size_t max, size_t *len)
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*hi, *lo;
	size_t			 n;

	for (n = 0; text[0] != '\0'; text += 2) {
		if (text[1] == '\0')
			return -1;
		hi = strchr(digits, text[0] | 0x20);
		lo = strchr(digits, text[1] | 0x20);
		if (hi == NULL || lo == NULL)
			return -1;
		if (n < max)
			out[n++] = (uint8_t)((hi - digits) << 4 |
			    (lo - digits));
	}
	*len = n;
	return 0;
}

static int
number_parse(const char *text, int64_t *number)
{
	bool		 minus = *text == '-';
	uint64_t	 n = 0, digit;

	if (minus)
		text++;
	if (*text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		digit = (uint64_t)(*text - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	if (*text != '\0' || (minus && n > INT64_MAX))
		return -1;
	if (n > INT64_MAX)
		n = INT64_MAX;
	*number = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int
put_octets_text(struct bag *bag, const struct objid *id, int tag, bool hex,
    const char *text, size_t text_len)
{
	uint8_t		 octets[BAG_OCTETS_MAX];
	struct objid	 quad;
	size_t		 len;

	if (hex) {
		if (hex_decode(text, octets, sizeof(octets), &len) == -1)
			return -1;
		return bag_put_octets(bag, id, (enum bag_type)tag, octets,
		    len);
	}
	if (tag == BAG_OCTETS)
		return bag_put_octets(bag, id, BAG_OCTETS, text, text_len);
	if (objid_parse(text, &quad) == -1 || quad.len != 4)
		return -1;
	for (len = 0; len < 4; len++) {
		if (quad.sub[len] > 255)
			return -1;
		octets[len] = (uint8_t)quad.sub[len];
	}
	return bag_put_octets(bag, id, BAG_IPADDRESS, octets, 4);
}

/* line has no newline any more; it is cut up. */
static int
line_read(struct bag *bag, char *line, size_t len)
{
	struct objid	 id, value;
	char		*tag, *text, *end;
	int64_t		 number;
	long		 type;
	bool		 hex;

	if ((tag = strchr(line, '|')) == NULL ||
	    (text = strchr(tag + 1, '|')) == NULL)
		return -1;
	*tag++ = '\0';
	*text++ = '\0';
	if (objid_parse(line, &id) == -1)
		return -1;
	type = strtol(tag, &end, 10);
	hex = *end == 'x';
	if (end == tag || end[hex] != '\0')
		return -1;
	switch (type) {
	case 5:
		return 0;
	case BAG_OCTETS:
	case BAG_IPADDRESS:
		return put_octets_text(bag, &id, (int)type, hex, text,
		    len - (size_t)(text - line));
	case BAG_OBJID:
		if (hex || objid_parse(text, &value) == -1)
			return -1;
		return bag_put_objid(bag, &id, &value);
	case BAG_INTEGER:
	case BAG_COUNTER:
	case BAG_GAUGE:
	case BAG_TICKS:
	case BAG_COUNTER64:
		if (hex || number_parse(text, &number) == -1)
			return -1;
		return bag_put_number(bag, &id, (enum bag_type)type, number);
	default:
		return -1;
	}
}

int
bag_read_snmprec(struct bag *bag, FILE *fp, char *why, size_t why_size)
{
	char	*line = NULL;
	size_t	 cap = 0, number = 0;
	ssize_t	 len;
	int	 rc = 0;

	while ((len = getline(&line, &cap, fp)) != -1) {
		number++;
		while (len > 0 && (line[len - 1] == '\n' ||
		    line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len == 0 || line_read(bag, line, (size_t)len) == 0)
			continue;
		if (rc == 0)
			snprintf(why, why_size, "line %zu: \"%.60s\" is not "
			    "OID|TAG|VALUE with a known tag", number, line);
		rc = -1;
	}
	free(line);
	return rc;
}

static void
octets_print(const struct bag_value *value, FILE *fp)
{
	size_t	 i;
	bool	 plain = value->type == BAG_OCTETS;

	for (i = 0; i < value->octets_len && plain; i++)
		plain = value->octets[i] >= ' ' && value->octets[i] < 0x7f;
	if (plain) {
		fprintf(fp, "|4|%.*s\n", (int)value->octets_len,
		    (const char *)value->octets);
		return;
	}
	fprintf(fp, "|%dx|", (int)value->type);
	for (i = 0; i < value->octets_len; i++)
		fprintf(fp, "%02x", value->octets[i]);
	fputc('\n', fp);
}

void
bag_write_snmprec(const struct bag *bag, FILE *fp)
{
	static const struct objid	 all;
	struct objid			 id;
	struct bag_value		 value;
	size_t				 cursor = 0;
	char				 text[OBJID_TEXT_MAX];

	while (bag_next(bag, &all, &cursor, &id, &value)) {
		fputs(objid_format(&id, text), fp);
		if (value.type == BAG_OCTETS || value.type == BAG_IPADDRESS)
			octets_print(&value, fp);
		else if (value.type == BAG_OBJID)
			fprintf(fp, "|6|%s\n",
			    objid_format(&value.objid, text));
		else
			fprintf(fp, "|%d|%" PRId64 "\n", (int)value.type,
			    value.number);
	}
}
