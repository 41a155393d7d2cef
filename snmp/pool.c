#include "snmp/pool.h"

#include <sys/random.h>

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define NONE		UINT32_MAX
#define NO_FREE		(POOL_IDS_MAX / 2)	/* twice fits a pointer */
#define BUCKETS_MIN	256
/* Of one run, beside its octets: its number, its bucket, the allocator's. */
#define OVERHEAD	(sizeof(struct pool_run) + sizeof(union pool_place) + \
			sizeof(uint32_t) + sizeof(size_t))

union pool_place	*pool_places;
static uint32_t		 places_len, places_cap, first_free = NO_FREE;
static uint32_t		*buckets;
static uint32_t		 buckets_len;	/* a power of two */
static uint32_t		 runs;
static uint8_t		 key[crypto_shorthash_KEYBYTES];
static bool		 keyed;

/* Keyed, so that no printer can fill one bucket on purpose: with a hash that is
 * merely seeded, values can be made that collide under every seed. */
static uint32_t
hash_of(const void *octets, size_t len)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t out;

	crypto_shorthash(hash, octets, len, key);
	memcpy(&out, hash, sizeof(out));
	return out;
}

/* With the last run everything goes, and with the first it comes. */
static void
pool_open(void)
{
	if (!keyed && getrandom(key, sizeof(key), 0) != sizeof(key))
		fatal("pool", "no random numbers");
	keyed = true;
	buckets_len = BUCKETS_MIN;
	buckets = xreallocarray(NULL, buckets_len, sizeof(*buckets));
	memset(buckets, 0xff, buckets_len * sizeof(*buckets));
}

static void
pool_close(void)
{
	free(buckets);
	free(pool_places);
	buckets = NULL;
	pool_places = NULL;
	buckets_len = places_len = places_cap = 0;
	first_free = NO_FREE;
}

static void
widen(void)
{
	struct pool_run *run;
	uint32_t i, *bucket;

	buckets_len *= 2;
	buckets = xreallocarray(buckets, buckets_len, sizeof(*buckets));
	memset(buckets, 0xff, buckets_len * sizeof(*buckets));
	for (i = 0; i < places_len; i++) {
		if (pool_places[i].next_free & 1)
			continue;
		run = pool_places[i].run;
		bucket = &buckets[run->hash & (buckets_len - 1)];
		run->next = *bucket;
		*bucket = i;
	}
}

static uint32_t
place_new(void)
{
	uint32_t id = first_free;

	if (id != NO_FREE) {
		first_free = (uint32_t)(pool_places[id].next_free >> 1);
		return id;
	}
	if (places_len == places_cap) {
		if (places_len == NO_FREE)
			fatalx("pool", "more than %u values", places_len);
		places_cap = places_cap + places_cap / 2 + 64;
		pool_places = xreallocarray(pool_places, places_cap, sizeof(*pool_places));
	}
	return places_len++;
}

uint32_t
pool_put(const void *octets, size_t len)
{
	struct pool_run *run;
	uint32_t hash, id, *bucket;

	if (runs == 0)
		pool_open();
	hash = hash_of(octets, len);
	for (id = buckets[hash & (buckets_len - 1)]; id != NONE;
	    id = run->next) {
		run = pool_places[id].run;
		if (run->hash == hash && run->len == len &&
		    (len == 0 || memcmp(run->octets, octets, len) == 0)) {
			run->users++;
			return id;
		}
	}
	if (++runs > buckets_len)
		widen();
	run = xmalloc(sizeof(*run) + len);
	run->users = 1;
	run->hash = hash;
	run->len = (uint32_t)len;
	if (len > 0)
		memcpy(run->octets, octets, len);
	id = place_new();
	pool_places[id].run = run;
	bucket = &buckets[hash & (buckets_len - 1)];
	run->next = *bucket;
	*bucket = id;
	return id;
}

void
pool_hold(uint32_t id)
{
	pool_places[id].run->users++;
}

void
pool_drop(uint32_t id)
{
	struct pool_run *run = pool_places[id].run;
	uint32_t *link;

	if (--run->users > 0)
		return;
	for (link = &buckets[run->hash & (buckets_len - 1)]; *link != id;
	    link = &pool_places[*link].run->next)
		;
	*link = run->next;
	free(run);
	pool_places[id].next_free = (uintptr_t)first_free << 1 | 1;
	first_free = id;
	if (--runs == 0)
		pool_close();
}

size_t
pool_share(uint32_t id)
{
	const struct pool_run *run = pool_places[id].run;

	return (OVERHEAD + run->len) / run->users;
}
