#include "tests/sim/asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NAMES_MAX	ASKED_NAMES_MAX
#define SLOTS		(2 * NAMES_MAX)

struct name {
	uint32_t	*sub;
	size_t		 len;
};

static struct name	*names;		/* NAMES_MAX, made at the first use */
static size_t		 names_len;
static uint32_t		*slots;		/* number + 1; 0 is free */

static uint32_t
hash(const uint32_t *sub, size_t len)
{
	uint32_t h = 2166136261u;

	while (len-- > 0)
		h = (h ^ *sub++) * 16777619u;
	return h ^ h >> 15;
}

size_t
asked_number(const uint32_t *sub, size_t len)
{
	uint32_t slot = hash(sub, len) % SLOTS;
	struct name *name;

	if (names == NULL) {
		names = xcalloc(NAMES_MAX, sizeof(*names));
		slots = xcalloc(SLOTS, sizeof(*slots));
	}
	for (; slots[slot] != 0; slot = (slot + 1) % SLOTS) {
		name = &names[slots[slot] - 1];
		if (name->len == len &&
		    memcmp(sub, name->sub, len * sizeof(*sub)) == 0)
			return slots[slot] - 1;
	}
	if (names_len == NAMES_MAX)
		return NAMES_MAX;
	name = &names[names_len];
	name->len = len;
	name->sub = xmalloc((len + 1) * sizeof(*sub));
	memcpy(name->sub, sub, len * sizeof(*sub));
	slots[slot] = (uint32_t)++names_len;
	return names_len - 1;
}

void
asked_note(struct asked *asked, size_t n)
{
	size_t words;

	if (n == NAMES_MAX)
		return;
	if (n / 64 >= asked->words) {
		words = n / 64 + 8;
		asked->bits = xreallocarray(asked->bits, words,
		    sizeof(*asked->bits));
		memset(asked->bits + asked->words, 0,
		    (words - asked->words) * sizeof(*asked->bits));
		asked->words = words;
	}
	asked->bits[n / 64] |= UINT64_C(1) << n % 64;
}

size_t
asked_count(const struct asked *asked)
{
	size_t i, count = 0;

	for (i = 0; i < asked->words; i++)
		count += (size_t)__builtin_popcountll(asked->bits[i]);
	return count;
}

void
asked_each(const struct asked *asked,
    void (*fn)(void *arg, const uint32_t *sub, size_t len), void *arg)
{
	size_t i;

	for (i = 0; i < asked->words * 64 && i < names_len; i++)
		if (asked->bits[i / 64] >> i % 64 & 1)
			fn(arg, names[i].sub, names[i].len);
}

void
asked_clear(struct asked *asked)
{
	if (asked->bits != NULL)
		memset(asked->bits, 0, asked->words * sizeof(*asked->bits));
}

void
asked_free(struct asked *asked)
{
	free(asked->bits);
	asked->bits = NULL;
	asked->words = 0;
}

void
asked_forget_all(void)
{
	size_t i;

	for (i = 0; i < names_len; i++)
		free(names[i].sub);
	free(names);
	free(slots);
	names = NULL;
	slots = NULL;
	names_len = 0;
}
