/*
 * Entries lie one after the other in data, and at[] holds their offsets in
 * OID order.  An entry is
 *
 *	key length (2 octets), type (1), value length (2), key, value
 *
 * The key is the OID, each sub-identifier in 1 to 5 octets whose first tells
 * how many (as in UTF-8), so that memcmp() of two keys orders them as the
 * OIDs are ordered.  Numbers take as many octets of two's complement as they
 * need, big end first.  An entry that is replaced by a longer one or dropped
 * leaves a hole (waste) until it is worth while to close them.
 */
#include "snmp/bag.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ENTRY_HEAD	5
#define KEY_MAX		(OBJID_MAX * 5)

struct bag {
	uint8_t		*data;
	uint32_t	*at;
	uint32_t	 len, cap;	/* of data */
	uint32_t	 waste;		/* of len */
	uint16_t	 count, count_cap;
};

struct key {
	size_t	 len;
	uint8_t	 octets[KEY_MAX];
};

struct entry {
	const uint8_t	*key, *value;
	size_t		 key_len, value_len;
	enum bag_type	 type;
};

static const struct objid uptime = { 9, { 1, 3, 6, 1, 2, 1, 1, 3, 0 } };

static size_t
sub_encode(uint8_t *out, uint32_t sub)
{
	if (sub < 0x80) {
		out[0] = (uint8_t)sub;
		return 1;
	}
	if (sub < 0x4000) {
		out[0] = (uint8_t)(0x80 | sub >> 8);
		out[1] = (uint8_t)sub;
		return 2;
	}
	if (sub < 0x200000) {
		out[0] = (uint8_t)(0xc0 | sub >> 16);
		out[1] = (uint8_t)(sub >> 8);
		out[2] = (uint8_t)sub;
		return 3;
	}
	if (sub < 0x10000000) {
		out[0] = (uint8_t)(0xe0 | sub >> 24);
		out[1] = (uint8_t)(sub >> 16);
		out[2] = (uint8_t)(sub >> 8);
		out[3] = (uint8_t)sub;
		return 4;
	}
	out[0] = 0xf0;
	out[1] = (uint8_t)(sub >> 24);
	out[2] = (uint8_t)(sub >> 16);
	out[3] = (uint8_t)(sub >> 8);
	out[4] = (uint8_t)sub;
	return 5;
}

static void
key_add(struct key *key, uint32_t sub)
{
	if (key->len + 5 <= sizeof(key->octets))
		key->len += sub_encode(key->octets + key->len, sub);
}

static void
key_encode(struct key *key, const struct objid *id)
{
	size_t	 i;

	key->len = 0;
	for (i = 0; i < id->len && i < OBJID_MAX; i++)
		key_add(key, id->sub[i]);
}

static void
key_decode(const uint8_t *p, size_t len, struct objid *id)
{
	const uint8_t	*end = p + len;
	uint32_t	 sub;
	int		 more;

	id->len = 0;
	while (p < end && id->len < OBJID_MAX) {
		sub = *p++;
		if (sub < 0x80)
			more = 0;
		else if (sub < 0xc0)
			sub &= 0x3f, more = 1;
		else if (sub < 0xe0)
			sub &= 0x1f, more = 2;
		else if (sub < 0xf0)
			sub &= 0x0f, more = 3;
		else
			sub = 0, more = 4;
		while (more-- > 0 && p < end)
			sub = sub << 8 | *p++;
		id->sub[id->len++] = sub;
	}
}

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
entry_below(const struct bag *bag, size_t i, const struct key *prefix)
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
	struct key	 key;
	struct entry	 new, last;
	size_t		 i = bag->count, size;

	key_encode(&key, id);
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
	struct key	 key;

	key_encode(&key, value);
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
		key_decode(e.value, e.value_len, &value->objid);
		break;
	default:
		value->number = number_decode(e.value, e.value_len);
		break;
	}
}

static bool
key_get(const struct bag *bag, const struct key *key, struct bag_value *value)
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
	struct key	 key;

	key_encode(&key, id);
	return key_get(bag, &key, value);
}

bool
bag_next(const struct bag *bag, const struct objid *prefix, size_t *cursor,
    struct objid *id, struct bag_value *value)
{
	struct key	 key;
	struct entry	 e;
	size_t		 i = *cursor;

	key_encode(&key, prefix);
	if (i == 0)
		i = lower_bound(bag, 0, key.octets, key.len);
	if (!entry_below(bag, i, &key))
		return false;
	entry_at(bag, i, &e);
	key_decode(e.key, e.key_len, id);
	value_of(bag, i, value);
	*cursor = i + 1;
	return true;
}

/* column's dotted text is ours, so it is well-formed. */
static void
key_from_column(struct key *key, const char *column, size_t n, va_list ap)
{
	uint32_t	 sub;

	key->len = 0;
	while (*column != '\0') {
		for (sub = 0; *column >= '0' && *column <= '9'; column++)
			sub = sub * 10 + (uint32_t)(*column - '0');
		key_add(key, sub);
		if (*column != '\0')
			column++;
	}
	while (n-- > 0)
		key_add(key, va_arg(ap, uint32_t));
}

int64_t
bag_number(const struct bag *bag, const char *column, size_t n, ...)
{
	struct key	 key;
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
	struct key	 key;
	va_list		 ap;

	va_start(ap, n);
	key_from_column(&key, column, n, ap);
	va_end(ap);
	return key_get(bag, &key, value) && value->type == BAG_OCTETS;
}

bool
bag_drop(struct bag *bag, const struct objid *id)
{
	struct key	 key;
	struct entry	 e;
	size_t		 i;

	key_encode(&key, id);
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
	struct key	 key;
	size_t		 c, i;

	for (c = 0; c < covered_len; c++) {
		key_encode(&key, &covered[c]);
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
	struct key	 up;
	struct entry	 f, e;
	size_t		 i = 0, j;

	key_encode(&up, &uptime);
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

static int
hex_decode(const char *text, uint8_t *out, size_t max, size_t *len)
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*hi, *lo;
	size_t			 n;

	for (n = 0; text[0] != '\0'; text += 2) {
		if (text[1] == '\0')
			return -1;
		hi = strchr(digits, text[0] | 0x20);
		lo = strchr(digits, text[1] | 0x20);
		if (hi == NULL || lo == NULL)
			return -1;
		if (n < max)
			out[n++] = (uint8_t)((hi - digits) << 4 |
			    (lo - digits));
	}
	*len = n;
	return 0;
}

static int
number_parse(const char *text, int64_t *number)
{
	bool		 minus = *text == '-';
	uint64_t	 n = 0, digit;

	if (minus)
		text++;
	if (*text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		digit = (uint64_t)(*text - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	if (*text != '\0' || (minus && n > INT64_MAX))
		return -1;
	if (n > INT64_MAX)
		n = INT64_MAX;
	*number = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int
put_octets_text(struct bag *bag, const struct objid *id, int tag, bool hex,
    const char *text, size_t text_len)
{
	uint8_t		 octets[BAG_OCTETS_MAX];
	struct objid	 quad;
	size_t		 len;

	if (hex) {
		if (hex_decode(text, octets, sizeof(octets), &len) == -1)
			return -1;
		return bag_put_octets(bag, id, (enum bag_type)tag, octets,
		    len);
	}
	if (tag == BAG_OCTETS)
		return bag_put_octets(bag, id, BAG_OCTETS, text, text_len);
	if (objid_parse(text, &quad) == -1 || quad.len != 4)
		return -1;
	for (len = 0; len < 4; len++) {
		if (quad.sub[len] > 255)
			return -1;
		octets[len] = (uint8_t)quad.sub[len];
	}
	return bag_put_octets(bag, id, BAG_IPADDRESS, octets, 4);
}

/* line has no newline any more; it is cut up. */
static int
line_read(struct bag *bag, char *line, size_t len)
{
	struct objid	 id, value;
	char		*tag, *text, *end;
	int64_t		 number;
	long		 type;
	bool		 hex;

	if ((tag = strchr(line, '|')) == NULL ||
	    (text = strchr(tag + 1, '|')) == NULL)
		return -1;
	*tag++ = '\0';
	*text++ = '\0';
	if (objid_parse(line, &id) == -1)
		return -1;
	type = strtol(tag, &end, 10);
	hex = *end == 'x';
	if (end == tag || end[hex] != '\0')
		return -1;
	switch (type) {
	case 5:
		return 0;
	case BAG_OCTETS:
	case BAG_IPADDRESS:
		return put_octets_text(bag, &id, (int)type, hex, text,
		    len - (size_t)(text - line));
	case BAG_OBJID:
		if (hex || objid_parse(text, &value) == -1)
			return -1;
		return bag_put_objid(bag, &id, &value);
	case BAG_INTEGER:
	case BAG_COUNTER:
	case BAG_GAUGE:
	case BAG_TICKS:
	case BAG_COUNTER64:
		if (hex || number_parse(text, &number) == -1)
			return -1;
		return bag_put_number(bag, &id, (enum bag_type)type, number);
	default:
		return -1;
	}
}

int
bag_read_snmprec(struct bag *bag, FILE *fp, char *why, size_t why_size)
{
	char	*line = NULL;
	size_t	 cap = 0, number = 0;
	ssize_t	 len;
	int	 rc = 0;

	while ((len = getline(&line, &cap, fp)) != -1) {
		number++;
		while (len > 0 && (line[len - 1] == '\n' ||
		    line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len == 0 || line_read(bag, line, (size_t)len) == 0)
			continue;
		if (rc == 0)
			snprintf(why, why_size, "line %zu: \"%.60s\" is not "
			    "OID|TAG|VALUE with a known tag", number, line);
		rc = -1;
	}
	free(line);
	return rc;
}

static void
octets_print(const struct bag_value *value, FILE *fp)
{
	size_t	 i;
	bool	 plain = value->type == BAG_OCTETS;

	for (i = 0; i < value->octets_len && plain; i++)
		plain = value->octets[i] >= ' ' && value->octets[i] < 0x7f;
	if (plain) {
		fprintf(fp, "|4|%.*s\n", (int)value->octets_len,
		    (const char *)value->octets);
		return;
	}
	fprintf(fp, "|%dx|", (int)value->type);
	for (i = 0; i < value->octets_len; i++)
		fprintf(fp, "%02x", value->octets[i]);
	fputc('\n', fp);
}

void
bag_write_snmprec(const struct bag *bag, FILE *fp)
{
	static const struct objid	 all;
	struct objid			 id;
	struct bag_value		 value;
	size_t				 cursor = 0;
	char				 text[OBJID_TEXT_MAX];

	while (bag_next(bag, &all, &cursor, &id, &value)) {
		fputs(objid_format(&id, text), fp);
		if (value.type == BAG_OCTETS || value.type == BAG_IPADDRESS)
			octets_print(&value, fp);
		else if (value.type == BAG_OBJID)
			fprintf(fp, "|6|%s\n",
			    objid_format(&value.objid, text));
		else
			fprintf(fp, "|%d|%" PRId64 "\n", (int)value.type,
			    value.number);
	}
}
