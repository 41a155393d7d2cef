/* Bags that are kept: keys and long values in the pool. */
#include "snmp/bag_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/pool.h"

/*
 * A section in the pool:
 *
 *	n (2 octets), where each key ends (2 each), types (1 each), keys
 */
#define SECTION_MAX	UINT16_MAX
#define WIDE		0x80	/* of a type: the number is in the pool */
#define LOOSE_MORE	13	/* that an entry takes beside key and octets */

/* Where sections begin: ipAddrTable, whose index is an address, and what is
 * behind it; prtAlertTable, likewise. */
static const struct objkey cuts[BAG_SECTIONS - 1] = {
	{ 8, { 1, 3, 6, 1, 2, 1, 4, 20 } },
	{ 8, { 1, 3, 6, 1, 2, 1, 4, 21 } },
	{ 8, { 1, 3, 6, 1, 2, 1, 43, 18 } },
	{ 8, { 1, 3, 6, 1, 2, 1, 43, 19 } },
};

static size_t
get16(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static void
put16(uint8_t *p, size_t n)
{
	uint16_t out = (uint16_t)n;

	memcpy(p, &out, sizeof(out));
}

/* The section of entry i, which becomes i's place there. */
static const uint8_t *
section_of(const struct bag *bag, size_t *i)
{
	size_t s = BAG_SECTIONS - 1, len;

	while (bag->start[s] > *i || bag->section[s] == BAG_NO_SECTION)
		s--;
	*i -= bag->start[s];
	return pool_octets(bag->section[s], &len);
}

static const uint8_t *
section_key(const uint8_t *section, size_t i, size_t *len)
{
	size_t n = get16(section), from;

	from = i == 0 ? 0 : get16(section + 2 * i);
	*len = get16(section + 2 + 2 * i) - from;
	return section + 2 + 3 * n + from;
}

static uint8_t
section_type(const uint8_t *section, size_t i)
{
	return section[2 + 2 * get16(section) + i];
}

const uint8_t *
pack_key(const struct bag *bag, size_t i, size_t *len)
{
	const uint8_t *section = section_of(bag, &i);

	return section_key(section, i, len);
}

/* The first entry of one section, from lo of it on, that is not below. */
static size_t
section_lower_bound(const uint8_t *section, size_t lo, const uint8_t *key,
    size_t len)
{
	size_t hi = get16(section), mid, other_len;
	const uint8_t *other;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		other = section_key(section, mid, &other_len);
		if (entry_key_cmp(other, other_len, key, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
pack_lower_bound(const struct bag *bag, size_t lo, const uint8_t *key,
    size_t len)
{
	const uint8_t *section;
	size_t s, n, at, unused;

	for (s = 0; s < BAG_SECTIONS; s++) {
		if (bag->section[s] == BAG_NO_SECTION)
			continue;
		section = pool_octets(bag->section[s], &unused);
		n = get16(section);
		if (lo >= bag->start[s] + n || (s < BAG_SECTIONS - 1 &&
		    entry_key_cmp(key, len, cuts[s].octets, cuts[s].len) >= 0))
			continue;
		at = section_lower_bound(section, lo > bag->start[s] ?
		    lo - bag->start[s] : 0, key, len);
		return bag->start[s] + at;
	}
	return lo > bag->count ? lo : bag->count;
}

/* --- slots: the little end first ---
 * A number that fits; up to three octets, whose count is in the fourth; or
 * the number of what is in the pool, with the highest bit set.
 */

static uint32_t
slot_get(const uint8_t slot[4])
{
	return slot[0] | (uint32_t)slot[1] << 8 | (uint32_t)slot[2] << 16 |
	    (uint32_t)slot[3] << 24;
}

static void
slot_set(uint8_t slot[4], uint32_t n)
{
	slot[0] = (uint8_t)n;
	slot[1] = (uint8_t)(n >> 8);
	slot[2] = (uint8_t)(n >> 16);
	slot[3] = (uint8_t)(n >> 24);
}

static void
slot_set_pooled(uint8_t slot[4], const void *octets, size_t len)
{
	slot_set(slot, pool_put(octets, len) | 0x80000000u);
}

static bool
slot_is_pooled(const uint8_t slot[4], uint8_t type)
{
	return (type & WIDE) || (!entry_is_number((enum bag_type)type) &&
	    (slot[3] & 0x80));
}

static void
slot_drop(const uint8_t slot[4], uint8_t type)
{
	if (slot_is_pooled(slot, type))
		pool_drop(slot_get(slot) & POOL_IDS_MAX);
}

static bool
is_wide(const struct entry *e)
{
	if (!entry_is_number(e->type))
		return false;
	return e->type == BAG_INTEGER ? e->number != (int32_t)e->number :
	    e->number != (uint32_t)e->number;
}

static void
slot_put(uint8_t slot[4], const struct entry *e)
{
	if (is_wide(e))
		slot_set_pooled(slot, &e->number, sizeof(e->number));
	else if (entry_is_number(e->type))
		slot_set(slot, (uint32_t)e->number);
	else if (e->octets_len > 3)
		slot_set_pooled(slot, e->octets, e->octets_len);
	else {
		memset(slot, 0, 4);
		if (e->octets_len > 0)
			memcpy(slot, e->octets, e->octets_len);
		slot[3] = (uint8_t)e->octets_len;
	}
}

static void
entry_in(const struct bag *bag, const uint8_t *section, size_t first,
    size_t i, struct entry *e)
{
	const uint8_t *slot = bag->slot[first + i], *pooled = NULL;
	size_t len = 0;
	uint8_t type;

	e->key = section_key(section, i, &e->key_len);
	type = section_type(section, i);
	e->type = (enum bag_type)(type & ~WIDE);
	e->number = 0;
	e->octets = NULL;
	e->octets_len = 0;
	if (slot_is_pooled(slot, type))
		pooled = pool_octets(slot_get(slot) & POOL_IDS_MAX, &len);
	if (type & WIDE)
		memcpy(&e->number, pooled, sizeof(e->number));
	else if (e->type == BAG_INTEGER)
		e->number = (int32_t)slot_get(slot);
	else if (entry_is_number(e->type))
		e->number = slot_get(slot);
	else {
		e->octets = pooled != NULL ? pooled : slot;
		e->octets_len = pooled != NULL ? len : slot[3];
	}
}

void
pack_entry(const struct bag *bag, size_t i, struct entry *e)
{
	size_t at = i;
	const uint8_t *section = section_of(bag, &at);

	entry_in(bag, section, i - at, at, e);
}

void
pack_entry_near(const struct bag *bag, struct pack_place *place, size_t i,
    struct entry *e)
{
	size_t at = i;

	if (i < place->first || i >= place->end) {
		place->section = section_of(bag, &at);
		place->first = i - at;
		place->end = place->first + get16(place->section);
	}
	entry_in(bag, place->section, place->first, i - place->first, e);
}

bool
pack_replace(struct bag *bag, size_t i, const struct entry *e)
{
	uint8_t *slot = bag->slot[i], new[4], type;
	const uint8_t *section;
	struct entry old;
	size_t size;

	pack_entry(bag, i, &old);
	section = section_of(bag, &i);
	type = section_type(section, i);
	size = bag->size - old.octets_len + e->octets_len;
	if (type != (e->type | (is_wide(e) ? WIDE : 0)) ||
	    size > BAG_SIZE_MAX)
		return false;
	bag->size = (uint32_t)size;
	slot_put(new, e);
	slot_drop(slot, type);
	memcpy(slot, new, sizeof(new));
	return true;
}

size_t
pack_section(const struct objkey *key)
{
	size_t s;

	for (s = 0; s < BAG_SECTIONS - 1; s++)
		if (entry_key_cmp(key->octets, key->len, cuts[s].octets,
		    cuts[s].len) < 0)
			break;
	return s;
}

void
pack_range(const struct bag *bag, size_t s, const struct objkey *prefix,
    size_t *first, size_t *n)
{
	const uint8_t *section, *key;
	size_t i, len;

	*first = *n = 0;
	if (bag->section[s] == BAG_NO_SECTION)
		return;
	section = pool_octets(bag->section[s], &len);
	*first = section_lower_bound(section, 0, prefix->octets, prefix->len);
	for (i = *first; i < get16(section); i++, (*n)++) {
		key = section_key(section, i, &len);
		if (len < prefix->len ||
		    memcmp(key, prefix->octets, prefix->len) != 0)
			return;
	}
}

uint32_t
pack_pooled(const struct bag *bag, size_t i)
{
	size_t at = i;
	const uint8_t *section = section_of(bag, &at);

	return slot_is_pooled(bag->slot[i], section_type(section, at)) ?
	    slot_get(bag->slot[i]) & POOL_IDS_MAX : BAG_NO_SECTION;
}

/* The section of entries from first to behind last; nothing when that would
 * be too much for one. */
static bool
section_make(const struct bag *bag, size_t first, size_t last, uint32_t *id)
{
	size_t n = last - first, size = 2 + 3 * n, at = 0, i;
	struct entry e;
	uint8_t *octets;

	for (i = first; i < last; i++) {
		entry_at(bag, i, &e);
		size += e.key_len;
	}
	if (size > SECTION_MAX)
		return false;
	octets = xmalloc(size);
	put16(octets, n);
	for (i = 0; i < n; i++) {
		entry_at(bag, first + i, &e);
		memcpy(octets + 2 + 3 * n + at, e.key, e.key_len);
		at += e.key_len;
		put16(octets + 2 + 2 * i, at);
		octets[2 + 2 * n + i] = (uint8_t)(e.type |
		    (is_wide(&e) ? WIDE : 0));
	}
	*id = pool_put(octets, size);
	free(octets);
	return true;
}

static void
sections_drop(struct bag *bag)
{
	size_t s;

	for (s = 0; s < BAG_SECTIONS; s++)
		if (bag->section[s] != BAG_NO_SECTION)
			pool_drop(bag->section[s]);
}

static bool
sections_make(const struct bag *loose, struct bag *out)
{
	size_t s, first = 0, last;

	memset(out->section, 0xff, sizeof(out->section));
	for (s = 0; s < BAG_SECTIONS; s++, first = last) {
		last = s == BAG_SECTIONS - 1 ? loose->count :
		    entry_lower_bound(loose, first, cuts[s].octets,
		    cuts[s].len);
		out->start[s] = (uint16_t)first;
		if (last == first)
			continue;
		if (!section_make(loose, first, last, &out->section[s])) {
			sections_drop(out);
			return false;
		}
	}
	return true;
}

static size_t
loose_size(const struct bag *bag)
{
	struct entry e;
	size_t size = 0, i;

	for (i = 0; i < bag->count; i++) {
		entry_at(bag, i, &e);
		size += e.key_len + e.octets_len + LOOSE_MORE;
	}
	return size;
}

void
pack_bag(struct bag *bag)
{
	struct bag out = { .packed = true, .count = bag->count };
	struct entry e;
	size_t i, size;

	/* So that it will always fit again when it is to be loose. */
	if (bag->packed || bag->count == 0 ||
	    (size = loose_size(bag)) > BAG_SIZE_MAX ||
	    !sections_make(bag, &out))
		return;
	out.size = (uint32_t)size;
	out.slot = xreallocarray(NULL, bag->count, sizeof(out.slot[0]));
	for (i = 0; i < bag->count; i++) {
		entry_at(bag, i, &e);
		slot_put(out.slot[i], &e);
	}
	free(bag->data);
	free(bag->at);
	*bag = out;
}

void
pack_undo(struct bag *bag)
{
	struct bag out = { .packed = false };
	struct entry e;
	size_t i;

	if (!bag->packed)
		return;
	for (i = 0; i < bag->count; i++) {
		entry_at(bag, i, &e);
		(void)entry_append(&out, &e);
	}
	pack_free(bag);
	*bag = out;
}

void
pack_free(struct bag *bag)
{
	const uint8_t *section;
	size_t i, at;

	for (i = 0; i < bag->count; i++) {
		at = i;
		section = section_of(bag, &at);
		slot_drop(bag->slot[i], section_type(section, at));
	}
	sections_drop(bag);
	free(bag->slot);
}

size_t
pack_size(const struct bag *bag)
{
	size_t size = sizeof(*bag) + bag->count * sizeof(bag->slot[0]), i, at;
	const uint8_t *section;

	for (i = 0; i < BAG_SECTIONS; i++)
		if (bag->section[i] != BAG_NO_SECTION)
			size += pool_share(bag->section[i]);
	for (i = 0; i < bag->count; i++) {
		at = i;
		section = section_of(bag, &at);
		if (slot_is_pooled(bag->slot[i], section_type(section, at)))
			size += pool_share(slot_get(bag->slot[i]) &
			    POOL_IDS_MAX);
	}
	return size;
}
