#include "tests/sim/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* After this long without a request a sleeping printer sleeps again. */
#define DOZE_MS		5000

struct fault *
fault_new(uint32_t seed)
{
	struct fault *f = xcalloc(1, sizeof(*f));

	f->random = 0x9e3779b97f4a7c15u ^ seed;
	return f;
}

/* xorshift64*: the same run gives the same losses. */
uint32_t
fault_random(struct fault *f)
{
	f->random ^= f->random >> 12;
	f->random ^= f->random << 25;
	f->random ^= f->random >> 27;
	return (uint32_t)(f->random * 0x2545f4914f6cdd1du >> 32);
}

static int
parse_switch(const char *arg, bool *out)
{
	if (strcmp(arg, "on") != 0 && strcmp(arg, "off") != 0)
		return -1;
	*out = arg[1] == 'n';
	return 0;
}

static int
parse_lie(const char *arg, enum bulk_lie *out)
{
	static const char *const words[] = { "off", "order", "skip",
	    "repeat" };
	int i;

	if (strcmp(arg, "on") == 0)
		arg = words[LIE_ORDER];
	for (i = LIE_NONE; i <= LIE_REPEAT; i++)
		if (strcmp(arg, words[i]) == 0) {
			*out = (enum bulk_lie)i;
			return 0;
		}
	return -1;
}

static int
parse_count(const char *arg, uint32_t max, uint32_t *out)
{
	unsigned long n;
	char *end;

	if (strcmp(arg, "off") == 0) {
		*out = 0;
		return 0;
	}
	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end != '\0' || errno != 0 || n > max)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int
parse_place(const char *arg, struct oid *out)
{
	struct oid id;

	if (strcmp(arg, "off") == 0) {
		out->len = 0;
		return 0;
	}
	if (oid_parse(arg, &id) < 0 || id.len < 2)
		return -1;
	*out = id;
	return 0;
}

int
fault_set(struct fault *f, const char *name, const char *arg)
{
	const struct { const char *name; bool *is; } switches[] = {
		{ "silent", &f->silent }, { "v1only", &f->v1_only },
		{ "nobulk", &f->no_bulk }, { "garbage", &f->garbage },
		{ "wrongid", &f->wrong_id },
		{ "wrongsource", &f->wrong_source }, { "twice", &f->twice },
		{ "noend", &f->no_end }, { "mutepriv", &f->mute_privacy },
	};
	const struct { const char *name; uint32_t max, *n; } counts[] = {
		{ "slow", 600000, &f->slow_ms },
		{ "lose", 100, &f->lose_percent },
		{ "wake", 600000, &f->wake_ms },
		{ "toobig", 10000, &f->too_big },
		{ "truncate", 65507, &f->cut },
		{ "maxsize", 65507, &f->max_size },
	};
	const struct { const char *name; struct oid *id; } places[] = {
		{ "loop", &f->loop }, { "endless", &f->endless },
		{ "generr", &f->generr }, { "poison", &f->poison },
	};
	size_t i;

	for (i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (strcmp(name, switches[i].name) == 0)
			return parse_switch(arg, switches[i].is);
	if (strcmp(name, "lyingbulk") == 0)
		return parse_lie(arg, &f->bulk_lie);
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (strcmp(name, counts[i].name) == 0)
			return parse_count(arg, counts[i].max, counts[i].n);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (strcmp(name, places[i].name) == 0)
			return parse_place(arg, places[i].id);
	return 1;
}

uint32_t
fault_delay_ms(struct fault *f, int64_t now_ms)
{
	uint32_t wait = f->slow_ms;

	if (f->wake_ms > 0 && now_ms - f->heard_ms > DOZE_MS)
		wait += f->wake_ms;
	f->heard_ms = now_ms;
	return wait;
}

bool
fault_loses(struct fault *f)
{
	return f->lose_percent > 0 && fault_random(f) % 100 < f->lose_percent;
}

size_t
fault_spoil(struct fault *f, uint8_t *bytes, size_t len, size_t room)
{
	size_t i;

	if (f->garbage) {
		len = 1 + fault_random(f) % 1400;
		if (len > room)
			len = room;
		for (i = 0; i < len; i++)
			bytes[i] = (uint8_t)fault_random(f);
		/* half of them look like a message at first */
		if (len > 2 && fault_random(f) % 2 == 0) {
			bytes[0] = 0x30;
			bytes[1] = 0x82;
		}
	}
	if (f->cut > 0 && len > f->cut)
		len = f->cut;
	return len;
}
