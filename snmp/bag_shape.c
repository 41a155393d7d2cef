/*
 * Shapes of bags that are kept.  OIDs and texts of these are in the pool, so
 * that equal ones have one number; a shape uses them too, so that no number
 * comes to mean something else.
 */
#include "snmp/bag_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/pool.h"

/* Some values one behind the other. */
struct range {
	size_t		 section;
	size_t		 first, n;	/* in its section */
	uint8_t		 (*slot)[4];
};

struct bag_shape {
	uint32_t	 section[BAG_SECTIONS];
	uint32_t	*pooled;	/* values that are held */
	size_t		 pooled_len;
	struct range	*ranges;
	size_t		 ranges_len;
};

static bool
is_common(size_t s)
{
	return s != BAG_SECTION_ADDRESSES && s != BAG_SECTION_ALERTS;
}

static void
hold_value(struct bag_shape *shape, uint32_t id)
{
	if (id == BAG_NO_SECTION)
		return;
	pool_hold(id);
	shape->pooled = xreallocarray(shape->pooled, shape->pooled_len + 1,
	    sizeof(shape->pooled[0]));
	shape->pooled[shape->pooled_len++] = id;
}

static void
add_range(struct bag_shape *shape, const struct bag *bag, size_t s,
    const struct objkey *column)
{
	struct range *range;
	size_t first, n, i, at;

	pack_range(bag, s, column, &first, &n);
	if (n == 0)
		return;
	shape->ranges = xreallocarray(shape->ranges, shape->ranges_len + 1,
	    sizeof(shape->ranges[0]));
	range = &shape->ranges[shape->ranges_len++];
	*range = (struct range){ .section = s, .first = first, .n = n };
	at = bag->start[s] + first;
	range->slot = xreallocarray(NULL, n, sizeof(range->slot[0]));
	memcpy(range->slot, bag->slot[at], n * sizeof(range->slot[0]));
	for (i = 0; i < n; i++)
		hold_value(shape, pack_pooled(bag, at + i));
}

struct bag_shape *
bag_shape_new(const struct bag *bag, const struct objid *columns, size_t n)
{
	struct bag_shape *shape;
	struct objkey key;
	size_t s, i;

	if (!bag->packed)
		return NULL;
	shape = xcalloc(1, sizeof(*shape));
	for (s = 0; s < BAG_SECTIONS; s++) {
		shape->section[s] = is_common(s) ? bag->section[s] :
		    BAG_NO_SECTION;
		if (shape->section[s] != BAG_NO_SECTION)
			pool_hold(shape->section[s]);
	}
	for (i = 0; i < n; i++) {
		objkey_encode(&key, &columns[i]);
		for (s = 0; s < BAG_SECTIONS; s++)
			if (is_common(s))
				add_range(shape, bag, s, &key);
	}
	return shape;
}

void
bag_shape_free(struct bag_shape *shape)
{
	size_t i;

	if (shape == NULL)
		return;
	for (i = 0; i < BAG_SECTIONS; i++)
		if (shape->section[i] != BAG_NO_SECTION)
			pool_drop(shape->section[i]);
	for (i = 0; i < shape->pooled_len; i++)
		pool_drop(shape->pooled[i]);
	for (i = 0; i < shape->ranges_len; i++)
		free(shape->ranges[i].slot);
	free(shape->ranges);
	free(shape->pooled);
	free(shape);
}

bool
bag_shape_fits(const struct bag_shape *shape, const struct bag *bag)
{
	const struct range *range;
	size_t i;

	if (!bag->packed)
		return false;
	for (i = 0; i < BAG_SECTIONS; i++)
		if (is_common(i) && shape->section[i] != bag->section[i])
			return false;
	for (i = 0; i < shape->ranges_len; i++) {
		range = &shape->ranges[i];
		if (memcmp(bag->slot[bag->start[range->section] +
		    range->first], range->slot,
		    range->n * sizeof(range->slot[0])) != 0)
			return false;
	}
	return true;
}

bool
bag_shape_has(const struct objid *id)
{
	struct objkey key;

	objkey_encode(&key, id);
	return is_common(pack_section(&key));
}

uint32_t
bag_shape_hash(const struct bag *bag)
{
	uint32_t hash = 0;
	size_t s;

	for (s = 0; bag->packed && s < BAG_SECTIONS; s++)
		if (is_common(s))
			hash = (hash ^ bag->section[s]) * 2654435761u;
	return hash;
}
