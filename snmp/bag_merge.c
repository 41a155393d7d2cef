/* What a reading brought, into the image of its device. */
#include "snmp/bag_form.h"

#include <string.h>

struct merge {
	uint8_t	 doomed[BAG_VALUES_MAX / 8];	/* image entries, by bit */
	size_t	 doomed_count, new_count;
	bool	 changed;
};

static bool
merge_doomed(const struct merge *m, size_t i)
{
	return m->doomed[i / 8] & 1u << i % 8;
}

/* Marks what lies below the covered subtrees. */
static void
merge_cover(struct merge *m, const struct bag *image,
    const struct objid *covered, size_t covered_len)
{
	struct objkey	 key;
	size_t		 c, i = 0;

	for (c = 0; c < covered_len; c++) {
		objkey_encode(&key, &covered[c]);
		i = entry_seek(image, i, key.octets, key.len);
		for (; entry_below(image, i, &key); i++) {
			if (!merge_doomed(m, i)) {
				m->doomed[i / 8] |= (uint8_t)(1u << i % 8);
				m->doomed_count++;
			}
		}
	}
}

static bool
is_uptime(const struct entry *e)
{
	static const uint8_t	 uptime[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };

	return e->key_len == sizeof(uptime) &&
	    memcmp(e->key, uptime, sizeof(uptime)) == 0;
}

static void
image_entry(const struct bag *image, struct pack_place *place, size_t i,
    struct entry *e)
{
	if (image->packed)
		pack_entry_near(image, place, i, e);
	else
		entry_at(image, i, e);
}

static bool
same_key(const struct entry *a, const struct entry *b)
{
	return entry_key_same(a->key, a->key_len, b->key, b->key_len);
}

/* The entry with f's key, from *i on: mostly the next is the next. */
static bool
find(const struct bag *image, struct pack_place *place,
    const struct entry *f, size_t *i, struct entry *e)
{
	if (*i < image->count) {
		image_entry(image, place, *i, e);
		if (same_key(e, f))
			return true;
	}
	*i = entry_seek(image, *i, f->key, f->key_len);
	if (*i == image->count)
		return false;
	image_entry(image, place, *i, e);
	return same_key(e, f);
}

/*
 * Goes through fresh beside image: values of entries that both have are
 * replaced on the spot, entries that only fresh has are counted.
 */
static void
merge_values(struct merge *m, struct bag *image, const struct bag *fresh)
{
	struct pack_place place = { .section = NULL };
	struct entry	 f, e;
	size_t		 i = 0, j;

	for (j = 0; j < fresh->count; j++) {
		entry_at(fresh, j, &f);
		if (!find(image, &place, &f, &i, &e)) {
			m->new_count++;
			continue;
		}
		if (m->doomed_count > 0 && merge_doomed(m, i)) {
			m->doomed[i / 8] &= (uint8_t)~(1u << i % 8);
			m->doomed_count--;
		}
		if (!entry_same_value(&e, &f)) {
			if (!is_uptime(&f))
				m->changed = true;
			if (entry_replace(image, i, &f) == -1)
				m->new_count++;
		}
		i++;
	}
}

/* Merges the two sorted runs into image, laid out anew; what is doomed stays
 * behind, and so does what does not fit any more. */
static void
merge_rebuild(const struct merge *m, struct bag *image,
    const struct bag *fresh)
{
	struct bag	*out = bag_new(), old = *image;
	struct entry	 e, f;
	size_t		 i = 0, j = 0;
	int		 c;

	while (i < image->count || j < fresh->count) {
		if (i < image->count && merge_doomed(m, i)) {
			i++;
			continue;
		}
		if (i < image->count)
			entry_at(image, i, &e);
		if (j < fresh->count)
			entry_at(fresh, j, &f);
		if (i == image->count)
			c = 1;
		else if (j == fresh->count)
			c = -1;
		else
			c = entry_key_cmp(e.key, e.key_len, f.key, f.key_len);
		if (entry_append(out, c < 0 ? &e : &f) == -1)
			break;
		i += c <= 0;
		j += c >= 0;
	}
	*image = *out;
	*out = old;
	bag_free(out);
}

bool
bag_merge(struct bag *image, const struct bag *fresh,
    const struct objid *covered, size_t covered_len)
{
	struct merge	 m = { 0 };
	size_t		 count = image->count;

	merge_cover(&m, image, covered, covered_len);
	merge_values(&m, image, fresh);
	if (m.doomed_count > 0 || (m.new_count > 0 &&
	    count < BAG_VALUES_MAX)) {
		merge_rebuild(&m, image, fresh);
		m.changed = m.changed || m.doomed_count > 0 ||
		    image->count != count;
	}
	pack_bag(image);
	return m.changed;
}
