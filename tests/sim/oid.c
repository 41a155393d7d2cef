#include "tests/sim/oid.h"

#include <stdio.h>
#include <string.h>

int
oid_parse(const char *text, struct oid *out)
{
	uint64_t n;

	out->len = 0;
	if (*text == '.')
		text++;
	for (;;) {
		if (*text < '0' || *text > '9' || out->len == OID_MAX)
			return -1;
		for (n = 0; *text >= '0' && *text <= '9'; text++) {
			n = n * 10 + (uint64_t)(*text - '0');
			if (n > UINT32_MAX)
				return -1;
		}
		out->sub[out->len++] = (uint32_t)n;
		if (*text == '\0')
			return 0;
		if (*text++ != '.')
			return -1;
	}
}

char *
oid_format(const uint32_t *sub, size_t len, char out[OID_TEXT_MAX])
{
	size_t i, at = 0;

	out[0] = '\0';
	for (i = 0; i < len && at < OID_TEXT_MAX - 12; i++)
		at += (size_t)snprintf(out + at, OID_TEXT_MAX - at, "%s%u",
		    i == 0 ? "" : ".", sub[i]);
	return out;
}

int
oid_cmp(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
	size_t i, n = a_len < b_len ? a_len : b_len;

	for (i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

bool
oid_within(const uint32_t *sub, size_t len, const uint32_t *prefix,
    size_t prefix_len)
{
	return len >= prefix_len &&
	    memcmp(sub, prefix, prefix_len * sizeof(*sub)) == 0;
}
