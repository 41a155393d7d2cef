#include "snmp/objkey.h"

static size_t
sub_encode(uint8_t *out, uint32_t sub)
{
	if (sub < 0x80) {
		out[0] = (uint8_t)sub;
		return 1;
	}
	if (sub < 0x4000) {
		out[0] = (uint8_t)(0x80 | sub >> 8);
		out[1] = (uint8_t)sub;
		return 2;
	}
	if (sub < 0x200000) {
		out[0] = (uint8_t)(0xc0 | sub >> 16);
		out[1] = (uint8_t)(sub >> 8);
		out[2] = (uint8_t)sub;
		return 3;
	}
	if (sub < 0x10000000) {
		out[0] = (uint8_t)(0xe0 | sub >> 24);
		out[1] = (uint8_t)(sub >> 16);
		out[2] = (uint8_t)(sub >> 8);
		out[3] = (uint8_t)sub;
		return 4;
	}
	out[0] = 0xf0;
	out[1] = (uint8_t)(sub >> 24);
	out[2] = (uint8_t)(sub >> 16);
	out[3] = (uint8_t)(sub >> 8);
	out[4] = (uint8_t)sub;
	return 5;
}

void
objkey_add(struct objkey *key, uint32_t sub)
{
	if (key->len + 5 <= sizeof(key->octets))
		key->len += sub_encode(key->octets + key->len, sub);
}

size_t
objkey_write(uint8_t *out, const struct objid *id)
{
	const uint8_t *start = out;
	size_t i;

	/* Nearly all are below 128. */
	for (i = 0; i < id->len && i < OBJID_MAX; i++) {
		if (id->sub[i] < 0x80)
			*out++ = (uint8_t)id->sub[i];
		else
			out += sub_encode(out, id->sub[i]);
	}
	return (size_t)(out - start);
}

void
objkey_encode(struct objkey *key, const struct objid *id)
{
	key->len = objkey_write(key->octets, id);
}

/* The sub-identifier that begins with octet first, and what comes behind. */
static uint32_t
sub_decode(uint8_t first, const uint8_t **p, const uint8_t *end)
{
	uint32_t	 sub;
	int		 more;

	if (first < 0xc0)
		sub = first & 0x3f, more = 1;
	else if (first < 0xe0)
		sub = first & 0x1f, more = 2;
	else if (first < 0xf0)
		sub = first & 0x0f, more = 3;
	else
		sub = 0, more = 4;
	while (more-- > 0 && *p < end)
		sub = sub << 8 | *(*p)++;
	return sub;
}

void
objkey_decode(const uint8_t *p, size_t len, struct objid *id)
{
	const uint8_t	*end = p + len;
	size_t		 n = 0;
	uint8_t		 first;

	while (p < end && n < OBJID_MAX) {
		first = *p++;
		id->sub[n++] = first < 0x80 ? first :
		    sub_decode(first, &p, end);
	}
	id->len = n;
}

/* The octets behind prefix, NULL when it is none. */
static const uint8_t *
behind(const uint8_t *p, const uint8_t *end, const struct objid *prefix)
{
	uint8_t		 first;
	size_t		 i;

	for (i = 0; i < prefix->len; i++) {
		if (p == end)
			return NULL;
		first = *p++;
		if ((first < 0x80 ? first : sub_decode(first, &p, end)) !=
		    prefix->sub[i])
			return NULL;
	}
	return p;
}

bool
objkey_within(const uint8_t *p, size_t len, const struct objid *prefix)
{
	return behind(p, p + len, prefix) != NULL;
}

bool
objkey_is(const uint8_t *p, size_t len, const struct objid *id)
{
	return behind(p, p + len, id) == p + len;
}
