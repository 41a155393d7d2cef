#include "snmp/memo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
memo_format(const struct device_memo *memo, char out[MEMO_TEXT_MAX])
{
	static const char *const versions[] = { "", "v1", "v2c", "v3" };
	char varbinds[24] = "";

	if (memo->varbinds != 0)
		snprintf(varbinds, sizeof(varbinds), " varbinds=%u",
		    memo->varbinds);
	snprintf(out, MEMO_TEXT_MAX, "%s%s%s%s%s",
	    memo->version <= 3 ? versions[memo->version] : "", varbinds,
	    memo->bulk == MEMO_BULK_YES ? " bulk" :
	    memo->bulk == MEMO_BULK_NO ? " no-bulk" : "",
	    memo->jetdirect ? " jetdirect" : "", memo->alone ? " alone" : "");
	if (out[0] == ' ')
		memmove(out, out + 1, strlen(out));
	return out;
}

static bool
is(const char *word, size_t len, const char *what)
{
	return strlen(what) == len && memcmp(word, what, len) == 0;
}

void
memo_parse(const char *text, struct device_memo *memo)
{
	static const char number[] = "varbinds=";
	unsigned long n;
	size_t len;
	char *end;

	memset(memo, 0, sizeof(*memo));
	for (; *text != '\0'; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		if (is(text, len, "v1"))
			memo->version = 1;
		else if (is(text, len, "v2c"))
			memo->version = 2;
		else if (is(text, len, "v3"))
			memo->version = 3;
		else if (is(text, len, "bulk"))
			memo->bulk = MEMO_BULK_YES;
		else if (is(text, len, "no-bulk"))
			memo->bulk = MEMO_BULK_NO;
		else if (is(text, len, "jetdirect"))
			memo->jetdirect = true;
		else if (is(text, len, "alone"))
			memo->alone = true;
		else if (strncmp(text, number, sizeof(number) - 1) == 0) {
			text += sizeof(number) - 1;
			len -= sizeof(number) - 1;
			n = strtoul(text, &end, 10);
			if (end == text + len && n <= UINT8_MAX)
				memo->varbinds = (uint8_t)n;
		}
	}
}
