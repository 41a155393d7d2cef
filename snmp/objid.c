#include "snmp/objid.h"

#include <string.h>

int
objid_parse(const char *text, struct objid *out)
{
	uint64_t	 sub;

	out->len = 0;
	if (*text == '.')
		text++;
	for (;;) {
		if (*text < '0' || *text > '9' || out->len == OBJID_MAX)
			return -1;
		for (sub = 0; *text >= '0' && *text <= '9'; text++) {
			sub = sub * 10 + (uint64_t)(*text - '0');
			if (sub > UINT32_MAX)
				return -1;
		}
		out->sub[out->len++] = (uint32_t)sub;
		if (*text == '\0')
			return 0;
		if (*text++ != '.')
			return -1;
	}
}

/* An OID whose text would not fit (40 sub-identifiers of ten digits are past
 * anything a MIB defines) is cut between two of them. */
char *
objid_format(const struct objid *id, char out[OBJID_TEXT_MAX])
{
	char		 digits[16], *p;
	uint32_t	 sub;
	size_t		 at = 0, i, n;

	for (i = 0; i < id->len; i++) {
		p = digits + sizeof(digits);
		sub = id->sub[i];
		do
			*--p = (char)('0' + sub % 10);
		while ((sub /= 10) > 0);
		if (i > 0)
			*--p = '.';
		n = (size_t)(digits + sizeof(digits) - p);
		if (at + n >= OBJID_TEXT_MAX)
			break;
		memcpy(out + at, p, n);
		at += n;
	}
	out[at] = '\0';
	return out;
}

int
objid_cmp(const struct objid *a, const struct objid *b)
{
	size_t	 i;

	for (i = 0; i < a->len && i < b->len; i++) {
		if (a->sub[i] != b->sub[i])
			return a->sub[i] < b->sub[i] ? -1 : 1;
	}
	return a->len < b->len ? -1 : a->len > b->len;
}

void
objid_add(struct objid *id, uint32_t sub)
{
	if (id->len < OBJID_MAX)
		id->sub[id->len++] = sub;
}

size_t
objid_collect(struct objid *list, size_t n, size_t max,
    const struct objid *id)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		if (objid_cmp(&list[i], id) == 0)
			return n;
	}
	if (n < max)
		objid_copy(&list[n++], id);
	return n;
}

size_t
objid_collect_text(struct objid *list, size_t n, size_t max,
    const char *text)
{
	struct objid	 id;

	return objid_parse(text, &id) == -1 ? n :
	    objid_collect(list, n, max, &id);
}
