#include "agent/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uuid.h"

static unsigned
nibble(char c)
{
	return c >= 'a' ? (unsigned)(c - 'a') + 10 : (unsigned)(c - '0');
}

static void
pack(const char *uuid, uint8_t out[16])
{
	size_t i, at = 0;

	for (i = 0; i < 16; i++) {
		at += uuid[at] == '-';
		out[i] = (uint8_t)(nibble(uuid[at]) << 4 |
		    nibble(uuid[at + 1]));
		at += 2;
	}
}

static void
unpack(const uint8_t uuid[16], char out[UUID_TEXT_MAX])
{
	size_t i;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		out += sprintf(out, "%02x", uuid[i]);
	}
}

/* Does the short form say it all? */
static bool
is_plain(const struct change_suspects *s)
{
	size_t i;

	for (i = 0; i < CHANGE_SUSPECTS; i++)
		if (s->one[i].used)
			return false;
	for (i = 0; i < sizeof(s->pins); i++)
		if (s->pins[i] != 0)
			return false;
	return s->pin_ms == 0 && !s->doubted && s->gone_ms == 0 &&
	    (s->asset[0] == '\0' || uuid_valid(s->asset));
}

void
recall_get(const struct recall *r, struct change_suspects *out)
{
	static const uint8_t none[16];

	if (r->whole != NULL) {
		*out = *r->whole;
		return;
	}
	memset(out, 0, sizeof(*out));
	if (memcmp(r->asset, none, sizeof(none)) != 0)
		unpack(r->asset, out->asset);
	out->look_ms = r->look_ms;
	out->uptime = r->uptime;
	out->rows = r->rows;
	out->bits = r->bits;
	out->alerts = r->alerts;
}

void
recall_put(struct recall *r, const struct change_suspects *s)
{
	if (!is_plain(s)) {
		if (r->whole == NULL)
			r->whole = xmalloc(sizeof(*r->whole));
		*r->whole = *s;
		return;
	}
	recall_clear(r);
	if (s->asset[0] != '\0')
		pack(s->asset, r->asset);
	r->look_ms = s->look_ms;
	r->uptime = s->uptime;
	r->rows = s->rows;
	r->bits = s->bits;
	r->alerts = s->alerts;
}

void
recall_clear(struct recall *r)
{
	free(r->whole);
	memset(r, 0, sizeof(*r));
}
