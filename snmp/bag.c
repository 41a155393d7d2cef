/*
 * Entries lie one after the other in data, and at[] holds their offsets in
 * OID order.  An entry is
 *
 *	key length (2 octets), type (1), value length (2), key, value
 *
 * The key is the OID in octets that memcmp() orders (objkey.h).  Numbers take
 * as many octets of two's complement as they need, big end first.  An entry
 * that is replaced by a longer one or dropped leaves a hole (waste) until it
 * is worth while to close them.
 */
#include "snmp/bag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/objkey.h"

#define ENTRY_HEAD	5

struct bag {
	uint8_t		*data;
	uint32_t	*at;
	uint32_t	 len, cap;	/* of data */
	uint32_t	 waste;		/* of len */
	uint16_t	 count, count_cap;
};

struct entry {
	const uint8_t	*key, *value;
	size_t		 key_len, value_len;
	enum bag_type	 type;
};

static const struct objid uptime = { 9, { 1, 3, 6, 1, 2, 1, 1, 3, 0 } };

static size_t
number_encode(uint8_t out[8], int64_t number)
{
	uint64_t	 bits = (uint64_t)number;
	size_t		 n = 1, i;

	while (n < 8 && (number < -((int64_t)1 << (8 * n - 1)) ||
	    number >= (int64_t)1 << (8 * n - 1)))
		n++;
	for (i = 0; i < n; i++)
		out[i] = (uint8_t)(bits >> 8 * (n - 1 - i));
	return n;
}

static int64_t
number_decode(const uint8_t *p, size_t len)
{
	uint64_t	 bits = len > 0 && (p[0] & 0x80) ? UINT64_MAX : 0;

	while (len-- > 0)
		bits = bits << 8 | *p++;
	return (int64_t)bits;
}

struct bag *
bag_new(void)
{
	return xcalloc(1, sizeof(struct bag));
}

void
bag_free(struct bag *bag)
{
	if (bag == NULL)
		return;
	free(bag->data);
	free(bag->at);
	free(bag);
}

size_t
bag_count(const struct bag *bag)
{
	return bag->count;
}

size_t
bag_size(const struct bag *bag)
{
	return sizeof(*bag) + bag->cap + bag->count_cap * sizeof(bag->at[0]);
}

static size_t
entry_size(size_t key_len, size_t value_len)
{
	return ENTRY_HEAD + key_len + value_len;
}

static void
entry_at(const struct bag *bag, size_t i, struct entry *e)
{
	const uint8_t	*p = bag->data + bag->at[i];

	e->key_len = (size_t)p[0] << 8 | p[1];
	e->type = p[2];
	e->value_len = (size_t)p[3] << 8 | p[4];
	e->key = p + ENTRY_HEAD;
	e->value = e->key + e->key_len;
}

static void
entry_write(uint8_t *p, const struct entry *e)
{
	p[0] = (uint8_t)(e->key_len >> 8);
	p[1] = (uint8_t)e->key_len;
	p[2] = (uint8_t)e->type;
	p[3] = (uint8_t)(e->value_len >> 8);
	p[4] = (uint8_t)e->value_len;
	memmove(p + ENTRY_HEAD, e->key, e->key_len);
	if (e->value_len > 0)
		memmove(p + ENTRY_HEAD + e->key_len, e->value, e->value_len);
}

static int
key_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int	 c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (c != 0)
		return c;
	return a_len < b_len ? -1 : a_len > b_len;
}

/* The first entry from lo on whose key is not below this one. */
static size_t
lower_bound(const struct bag *bag, size_t lo, const uint8_t *key, size_t len)
{
	size_t		 hi = bag->count, mid;
	struct entry	 e;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		entry_at(bag, mid, &e);
		if (key_cmp(e.key, e.key_len, key, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
entry_is(const struct bag *bag, size_t i, const uint8_t *key, size_t len)
{
	struct entry	 e;

	if (i >= bag->count)
		return false;
	entry_at(bag, i, &e);
	return e.key_len == len && memcmp(e.key, key, len) == 0;
}

static bool
entry_below(const struct bag *bag, size_t i, const struct objkey *prefix)
{
	struct entry	 e;

	if (i >= bag->count)
		return false;
	entry_at(bag, i, &e);
	return e.key_len >= prefix->len &&
	    memcmp(e.key, prefix->octets, prefix->len) == 0;
}

/* Lays the entries out anew, in order and without holes or slack. */
static void
compact(struct bag *bag)
{
	uint8_t		*data;
	uint32_t	 len = 0;
	struct entry	 e;
	size_t		 i;

	data = xmalloc(bag->len - bag->waste + 1);
	for (i = 0; i < bag->count; i++) {
		entry_at(bag, i, &e);
		entry_write(data + len, &e);
		bag->at[i] = len;
		len += (uint32_t)entry_size(e.key_len, e.value_len);
	}
	free(bag->data);
	bag->data = data;
	bag->len = len;
	bag->cap = len + 1;
	bag->waste = 0;
}

/* Room for size more octets in data; -1 when that would be too many. */
static int
data_reserve(struct bag *bag, size_t size)
{
	size_t	 cap;

	if (bag->len + size > BAG_SIZE_MAX && bag->waste > 0)
		compact(bag);
	if (bag->len + size > BAG_SIZE_MAX)
		return -1;
	if (bag->len + size <= bag->cap)
		return 0;
	cap = bag->cap + bag->cap / 2;
	if (cap < bag->len + size)
		cap = bag->len + size + 256;
	if (cap > BAG_SIZE_MAX)
		cap = BAG_SIZE_MAX;
	bag->data = xrealloc(bag->data, cap);
	bag->cap = (uint32_t)cap;
	return 0;
}

static int
index_reserve(struct bag *bag)
{
	size_t	 cap;

	if (bag->count >= BAG_VALUES_MAX)
		return -1;
	if (bag->count < bag->count_cap)
		return 0;
	cap = bag->count_cap + bag->count_cap / 2 + 16;
	if (cap > BAG_VALUES_MAX)
		cap = BAG_VALUES_MAX;
	bag->at = xreallocarray(bag->at, cap, sizeof(bag->at[0]));
	bag->count_cap = (uint16_t)cap;
	return 0;
}

/* Gives entry i this type and value, in its place where that fits. */
static int
entry_replace(struct bag *bag, size_t i, const struct entry *new)
{
	struct entry	 old;
	size_t		 old_size, new_size;

	entry_at(bag, i, &old);
	old_size = entry_size(old.key_len, old.value_len);
	new_size = entry_size(new->key_len, new->value_len);
	if (new_size <= old_size) {
		entry_write(bag->data + bag->at[i], new);
		bag->waste += (uint32_t)(old_size - new_size);
		return 0;
	}
	if (data_reserve(bag, new_size) == -1)
		return -1;
	entry_write(bag->data + bag->len, new);
	bag->at[i] = bag->len;
	bag->len += (uint32_t)new_size;
	bag->waste += (uint32_t)old_size;
	if (bag->waste > 256 && bag->waste > bag->len / 4)
		compact(bag);
	return 0;
}

static int
entry_put(struct bag *bag, const struct objid *id, enum bag_type type,
    const uint8_t *value, size_t value_len)
{
	struct objkey	 key;
	struct entry	 new, last;
	size_t		 i = bag->count, size;

	objkey_encode(&key, id);
	new = (struct entry){ key.octets, value, key.len, value_len, type };
	if (i > 0) {
		entry_at(bag, i - 1, &last);
		if (key_cmp(last.key, last.key_len, key.octets, key.len) >= 0)
			i = lower_bound(bag, 0, key.octets, key.len);
	}
	if (entry_is(bag, i, key.octets, key.len))
		return entry_replace(bag, i, &new);

	size = entry_size(key.len, value_len);
	if (index_reserve(bag) == -1 || data_reserve(bag, size) == -1)
		return -1;
	memmove(bag->at + i + 1, bag->at + i,
	    (bag->count - i) * sizeof(bag->at[0]));
	entry_write(bag->data + bag->len, &new);
	bag->at[i] = bag->len;
	bag->len += (uint32_t)size;
	bag->count++;
	return 0;
}

int
bag_put_number(struct bag *bag, const struct objid *id, enum bag_type type,
    int64_t number)
{
	uint8_t	 octets[8];

	return entry_put(bag, id, type, octets, number_encode(octets, number));
}

int
bag_put_octets(struct bag *bag, const struct objid *id, enum bag_type type,
    const void *octets, size_t len)
{
	return entry_put(bag, id, type, octets,
	    len > BAG_OCTETS_MAX ? BAG_OCTETS_MAX : len);
}

int
bag_put_objid(struct bag *bag, const struct objid *id,
    const struct objid *value)
{
	struct objkey	 key;

	objkey_encode(&key, value);
	return entry_put(bag, id, BAG_OBJID, key.octets, key.len);
}

int
bag_put(struct bag *bag, const struct objid *id, const struct bag_value *value)
{
	switch (value->type) {
	case BAG_OCTETS:
	case BAG_IPADDRESS:
		return bag_put_octets(bag, id, value->type, value->octets,
		    value->octets_len);
	case BAG_OBJID:
		return bag_put_objid(bag, id, &value->objid);
	default:
		return bag_put_number(bag, id, value->type, value->number);
	}
}

static void
value_of(const struct bag *bag, size_t i, struct bag_value *value)
{
	struct entry	 e;

	entry_at(bag, i, &e);
	value->type = e.type;
	value->number = 0;
	value->octets = NULL;
	value->octets_len = 0;
	value->objid.len = 0;
	switch (e.type) {
	case BAG_OCTETS:
	case BAG_IPADDRESS:
		value->octets = e.value;
		value->octets_len = e.value_len;
		break;
	case BAG_OBJID:
		objkey_decode(e.value, e.value_len, &value->objid);
		break;
	default:
		value->number = number_decode(e.value, e.value_len);
		break;
	}
}

static bool
key_get(const struct bag *bag, const struct objkey *key,
    struct bag_value *value)
{
	size_t	 i = lower_bound(bag, 0, key->octets, key->len);

	if (!entry_is(bag, i, key->octets, key->len))
		return false;
	value_of(bag, i, value);
	return true;
}

bool
bag_get(const struct bag *bag, const struct objid *id,
    struct bag_value *value)
{
	struct objkey	 key;

	objkey_encode(&key, id);
	return key_get(bag, &key, value);
}

bool
bag_next(const struct bag *bag, const struct objid *prefix, size_t *cursor,
    struct objid *id, struct bag_value *value)
{
	struct objkey	 key;
	struct entry	 e;
	size_t		 i = *cursor;

	objkey_encode(&key, prefix);
	if (i == 0)
		i = lower_bound(bag, 0, key.octets, key.len);
	if (!entry_below(bag, i, &key))
		return false;
	entry_at(bag, i, &e);
	objkey_decode(e.key, e.key_len, id);
	value_of(bag, i, value);
	*cursor = i + 1;
	return true;
}

/* column's dotted text is ours, so it is well-formed. */
static void
key_from_column(struct objkey *key, const char *column, size_t n, va_list ap)
{
	uint32_t	 sub;

	key->len = 0;
	while (*column != '\0') {
		for (sub = 0; *column >= '0' && *column <= '9'; column++)
			sub = sub * 10 + (uint32_t)(*column - '0');
		objkey_add(key, sub);
		if (*column != '\0')
			column++;
	}
	while (n-- > 0)
		objkey_add(key, va_arg(ap, uint32_t));
}

int64_t
bag_number(const struct bag *bag, const char *column, size_t n, ...)
{
	struct objkey	 key;
	struct bag_value value;
	va_list		 ap;

	va_start(ap, n);
	key_from_column(&key, column, n, ap);
	va_end(ap);
	if (!key_get(bag, &key, &value))
		return INT64_MIN;
	switch (value.type) {
	case BAG_INTEGER:
	case BAG_COUNTER:
	case BAG_GAUGE:
	case BAG_TICKS:
	case BAG_COUNTER64:
		return value.number;
	default:
		return INT64_MIN;
	}
}

bool
bag_octets(const struct bag *bag, struct bag_value *value, const char *column,
    size_t n, ...)
{
	struct objkey	 key;
	va_list		 ap;

	va_start(ap, n);
	key_from_column(&key, column, n, ap);
	va_end(ap);
	return key_get(bag, &key, value) && value->type == BAG_OCTETS;
}

bool
bag_drop(struct bag *bag, const struct objid *id)
{
	struct objkey	 key;
	struct entry	 e;
	size_t		 i;

	objkey_encode(&key, id);
	i = lower_bound(bag, 0, key.octets, key.len);
	if (!entry_is(bag, i, key.octets, key.len))
		return false;
	entry_at(bag, i, &e);
	bag->waste += (uint32_t)entry_size(e.key_len, e.value_len);
	bag->count--;
	memmove(bag->at + i, bag->at + i + 1,
	    (bag->count - i) * sizeof(bag->at[0]));
	return true;
}

static bool
entry_same_value(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->value_len == b->value_len &&
	    memcmp(a->value, b->value, a->value_len) == 0;
}

struct merge {
	uint8_t	 doomed[BAG_VALUES_MAX / 8];	/* image entries, by bit */
	size_t	 doomed_count, new_count;
	size_t	 new_size;
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
	size_t		 c, i;

	for (c = 0; c < covered_len; c++) {
		objkey_encode(&key, &covered[c]);
		i = lower_bound(image, 0, key.octets, key.len);
		for (; entry_below(image, i, &key); i++) {
			if (!merge_doomed(m, i)) {
				m->doomed[i / 8] |= (uint8_t)(1u << i % 8);
				m->doomed_count++;
			}
		}
	}
}

/*
 * Goes through fresh beside image: values of entries that both have are
 * replaced on the spot, entries that only fresh has are counted.  Fresh is
 * mostly short beside image, so each step is a search to the right.
 */
static void
merge_values(struct merge *m, struct bag *image, const struct bag *fresh)
{
	struct objkey	 up;
	struct entry	 f, e;
	size_t		 i = 0, j;

	objkey_encode(&up, &uptime);
	for (j = 0; j < fresh->count; j++) {
		entry_at(fresh, j, &f);
		i = lower_bound(image, i, f.key, f.key_len);
		if (!entry_is(image, i, f.key, f.key_len)) {
			m->new_count++;
			m->new_size += entry_size(f.key_len, f.value_len);
			continue;
		}
		if (merge_doomed(m, i)) {
			m->doomed[i / 8] &= (uint8_t)~(1u << i % 8);
			m->doomed_count--;
		}
		entry_at(image, i, &e);
		if (entry_same_value(&e, &f) ||
		    entry_replace(image, i, &f) == -1)
			continue;
		if (f.key_len != up.len ||
		    memcmp(f.key, up.octets, up.len) != 0)
			m->changed = true;
	}
}

/* Merges the two sorted runs into image, laid out anew; what is doomed stays
 * behind, and so does what does not fit any more. */
static void
merge_rebuild(const struct merge *m, struct bag *image,
    const struct bag *fresh)
{
	struct bag	 out = { 0 };
	struct entry	 e, f;
	size_t		 i = 0, j = 0, n, size;
	int		 c;

	size = image->len - image->waste + m->new_size;
	n = image->count - m->doomed_count + m->new_count;
	size = size > BAG_SIZE_MAX ? BAG_SIZE_MAX : size;
	n = n > BAG_VALUES_MAX ? BAG_VALUES_MAX : n;
	out.cap = (uint32_t)(size + 1);
	out.count_cap = (uint16_t)n;
	out.data = xmalloc(out.cap);
	out.at = xreallocarray(NULL, n + 1, sizeof(out.at[0]));
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
			c = key_cmp(e.key, e.key_len, f.key, f.key_len);
		if (c <= 0)
			i++;
		else
			e = f;
		if (c >= 0)
			j++;
		size = entry_size(e.key_len, e.value_len);
		if (out.count == n || out.len + size > out.cap)
			break;
		entry_write(out.data + out.len, &e);
		out.at[out.count++] = out.len;
		out.len += (uint32_t)size;
	}
	free(image->data);
	free(image->at);
	*image = out;
}

bool
bag_merge(struct bag *image, const struct bag *fresh,
    const struct objid *covered, size_t covered_len)
{
	struct merge	 m = { 0 };
	uint16_t	 count = image->count;

	merge_cover(&m, image, covered, covered_len);
	merge_values(&m, image, fresh);
	if (m.doomed_count == 0 && (m.new_count == 0 ||
	    count == BAG_VALUES_MAX))
		return m.changed;
	merge_rebuild(&m, image, fresh);
	return m.changed || m.doomed_count > 0 || image->count != count;
}
