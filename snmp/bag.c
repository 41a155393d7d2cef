#include "snmp/bag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/bag_form.h"

#define ENTRY_HEAD	5

/* How many octets of two's complement it takes. */
static size_t
number_size(int64_t number)
{
	uint64_t	 bits = (uint64_t)(number < 0 ? ~number : number);
	size_t		 n = 1;

	for (; bits > 0x7f; bits >>= 8)
		n++;
	return n;
}

static void
number_write(uint8_t *out, size_t n, int64_t number)
{
	uint64_t	 bits = (uint64_t)number;

	while (n-- > 0)
		*out++ = (uint8_t)(bits >> 8 * n);
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
	if (bag->packed)
		pack_free(bag);
	else {
		free(bag->data);
		free(bag->at);
	}
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
	if (bag->packed)
		return pack_size(bag);
	return sizeof(*bag) + bag->cap + bag->count_cap * sizeof(bag->at[0]);
}

bool
entry_is_number(enum bag_type type)
{
	return type != BAG_OCTETS && type != BAG_IPADDRESS &&
	    type != BAG_OBJID;
}

static const uint8_t *
loose_key(const struct bag *bag, size_t i, size_t *len)
{
	const uint8_t	*p = bag->data + bag->at[i];

	*len = (size_t)p[0] << 8 | p[1];
	return p + ENTRY_HEAD;
}

static size_t
loose_size(const struct bag *bag, size_t i)
{
	const uint8_t	*p = bag->data + bag->at[i];

	return ENTRY_HEAD + ((size_t)p[0] << 8 | p[1]) +
	    ((size_t)p[3] << 8 | p[4]);
}

static void
loose_entry(const struct bag *bag, size_t i, struct entry *e)
{
	const uint8_t	*p = bag->data + bag->at[i];
	size_t		 len = (size_t)p[3] << 8 | p[4];

	e->key = loose_key(bag, i, &e->key_len);
	e->type = p[2];
	e->number = 0;
	e->octets = NULL;
	e->octets_len = 0;
	if (entry_is_number(e->type))
		e->number = number_decode(e->key + e->key_len, len);
	else {
		e->octets = e->key + e->key_len;
		e->octets_len = len;
	}
}

static size_t
value_size(const struct entry *e)
{
	return entry_is_number(e->type) ? number_size(e->number) :
	    e->octets_len;
}

static size_t
entry_size(const struct entry *e)
{
	return ENTRY_HEAD + e->key_len + value_size(e);
}

/* All but the key, which stands there already. */
static void
loose_finish(uint8_t *p, const struct entry *e, size_t key_len, size_t len)
{
	p[0] = (uint8_t)(key_len >> 8);
	p[1] = (uint8_t)key_len;
	p[2] = (uint8_t)e->type;
	p[3] = (uint8_t)(len >> 8);
	p[4] = (uint8_t)len;
	p += ENTRY_HEAD + key_len;
	if (entry_is_number(e->type))
		number_write(p, len, e->number);
	else if (len > 0)
		memmove(p, e->octets, len);
}

static void
loose_write(uint8_t *p, const struct entry *e)
{
	memmove(p + ENTRY_HEAD, e->key, e->key_len);
	loose_finish(p, e, e->key_len, value_size(e));
}

void
entry_at(const struct bag *bag, size_t i, struct entry *e)
{
	if (bag->packed)
		pack_entry(bag, i, e);
	else
		loose_entry(bag, i, e);
}

static const uint8_t *
key_at(const struct bag *bag, size_t i, size_t *len)
{
	return bag->packed ? pack_key(bag, i, len) : loose_key(bag, i, len);
}

int
entry_key_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int	 c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (c != 0)
		return c;
	return a_len < b_len ? -1 : a_len > b_len;
}

static size_t
loose_lower_bound(const struct bag *bag, size_t lo, const uint8_t *key,
    size_t len)
{
	const uint8_t	*other;
	size_t		 hi = bag->count, mid, other_len;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		other = loose_key(bag, mid, &other_len);
		if (entry_key_cmp(other, other_len, key, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
entry_lower_bound(const struct bag *bag, size_t lo, const uint8_t *key,
    size_t len)
{
	return bag->packed ? pack_lower_bound(bag, lo, key, len) :
	    loose_lower_bound(bag, lo, key, len);
}

bool
entry_is(const struct bag *bag, size_t i, const uint8_t *key, size_t len)
{
	const uint8_t	*other;
	size_t		 other_len;

	if (i >= bag->count)
		return false;
	other = key_at(bag, i, &other_len);
	return other_len == len && memcmp(other, key, len) == 0;
}

bool
entry_below(const struct bag *bag, size_t i, const struct objkey *prefix)
{
	const uint8_t	*key;
	size_t		 len;

	if (i >= bag->count)
		return false;
	key = key_at(bag, i, &len);
	return len >= prefix->len &&
	    memcmp(key, prefix->octets, prefix->len) == 0;
}

bool
entry_same_value(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->number == b->number &&
	    a->octets_len == b->octets_len && (a->octets_len == 0 ||
	    memcmp(a->octets, b->octets, a->octets_len) == 0);
}

/* Lays the entries out anew, in order and without holes or slack. */
static void
compact(struct bag *bag)
{
	uint8_t		*data;
	uint32_t	 len = 0;
	size_t		 i, size;

	data = xmalloc(bag->len - bag->waste + 1);
	for (i = 0; i < bag->count; i++) {
		size = loose_size(bag, i);
		memcpy(data + len, bag->data + bag->at[i], size);
		bag->at[i] = len;
		len += (uint32_t)size;
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
	cap = 2 * (size_t)bag->cap;
	if (cap < bag->len + size + 256)
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
	cap = 2 * (size_t)bag->count_cap + 16;
	if (cap > BAG_VALUES_MAX)
		cap = BAG_VALUES_MAX;
	bag->at = xreallocarray(bag->at, cap, sizeof(bag->at[0]));
	bag->count_cap = (uint16_t)cap;
	return 0;
}

static int
loose_replace(struct bag *bag, size_t i, const struct entry *new)
{
	size_t	 old_size = loose_size(bag, i), new_size = entry_size(new);

	if (new_size <= old_size) {
		loose_write(bag->data + bag->at[i], new);
		bag->waste += (uint32_t)(old_size - new_size);
		return 0;
	}
	if (data_reserve(bag, new_size) == -1)
		return -1;
	loose_write(bag->data + bag->len, new);
	bag->at[i] = bag->len;
	bag->len += (uint32_t)new_size;
	bag->waste += (uint32_t)old_size;
	if (bag->waste > 256 && bag->waste > bag->len / 4)
		compact(bag);
	return 0;
}

int
entry_replace(struct bag *bag, size_t i, const struct entry *new)
{
	if (bag->packed && pack_replace(bag, i, new))
		return 0;
	pack_undo(bag);
	return loose_replace(bag, i, new);
}

static int
loose_insert(struct bag *bag, size_t i, const struct entry *new)
{
	size_t	 size = entry_size(new);

	if (index_reserve(bag) == -1 || data_reserve(bag, size) == -1)
		return -1;
	if (i < bag->count)
		memmove(bag->at + i + 1, bag->at + i,
		    (bag->count - i) * sizeof(bag->at[0]));
	loose_write(bag->data + bag->len, new);
	bag->at[i] = bag->len;
	bag->len += (uint32_t)size;
	bag->count++;
	return 0;
}

int
entry_append(struct bag *bag, const struct entry *new)
{
	return loose_insert(bag, bag->count, new);
}

/* What is put in order goes straight behind the last; false when it does
 * not belong there, or there is no room. */
static bool
loose_push(struct bag *bag, const struct objid *id, const struct entry *new)
{
	uint8_t		*p = bag->data + bag->len;
	const uint8_t	*last;
	size_t		 len = value_size(new), key_len, last_len;

	if (bag->packed || bag->count == 0 || bag->count == bag->count_cap ||
	    bag->cap - bag->len < ENTRY_HEAD + 5 * id->len + len)
		return false;
	key_len = objkey_write(p + ENTRY_HEAD, id);
	last = loose_key(bag, bag->count - 1U, &last_len);
	if (entry_key_cmp(last, last_len, p + ENTRY_HEAD, key_len) >= 0)
		return false;
	loose_finish(p, new, key_len, len);
	bag->at[bag->count++] = bag->len;
	bag->len += (uint32_t)(ENTRY_HEAD + key_len + len);
	return true;
}

static int
entry_put(struct bag *bag, const struct objid *id, struct entry *new)
{
	struct objkey	 key;
	const uint8_t	*last;
	size_t		 i = bag->count, len;

	if (loose_push(bag, id, new))
		return 0;
	objkey_encode(&key, id);
	new->key = key.octets;
	new->key_len = key.len;
	if (i > 0) {
		last = key_at(bag, i - 1, &len);
		if (entry_key_cmp(last, len, key.octets, key.len) >= 0)
			i = entry_lower_bound(bag, 0, key.octets, key.len);
	}
	if (entry_is(bag, i, key.octets, key.len))
		return entry_replace(bag, i, new);
	pack_undo(bag);
	return loose_insert(bag, i, new);
}

int
bag_put_number(struct bag *bag, const struct objid *id, enum bag_type type,
    int64_t number)
{
	struct entry	 new = { .type = type, .number = number };

	return entry_put(bag, id, &new);
}

int
bag_put_octets(struct bag *bag, const struct objid *id, enum bag_type type,
    const void *octets, size_t len)
{
	struct entry	 new = { .type = type, .octets = octets };

	new.octets_len = len > BAG_OCTETS_MAX ? BAG_OCTETS_MAX : len;
	return entry_put(bag, id, &new);
}

int
bag_put_objid(struct bag *bag, const struct objid *id,
    const struct objid *value)
{
	struct objkey	 key;
	struct entry	 new = { .type = BAG_OBJID, .octets = key.octets };

	objkey_encode(&key, value);
	new.octets_len = key.len;
	return entry_put(bag, id, &new);
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
	value->number = e.number;
	value->octets = NULL;
	value->octets_len = 0;
	value->objid.len = 0;
	if (e.type == BAG_OBJID)
		objkey_decode(e.octets, e.octets_len, &value->objid);
	else {
		value->octets = e.octets;
		value->octets_len = e.octets_len;
	}
}

static bool
key_get(const struct bag *bag, const struct objkey *key,
    struct bag_value *value)
{
	size_t	 i = entry_lower_bound(bag, 0, key->octets, key->len);

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

/*
 * Where the values at or below key begin.  Mostly that is where somebody has
 * just stopped: tables are gone through column by column.
 */
static size_t
start_of(const struct bag *bag, const struct objkey *key, size_t hint)
{
	const uint8_t	*other;
	size_t		 len;

	if (hint > 0 && hint < bag->count) {
		other = key_at(bag, hint, &len);
		if (entry_key_cmp(other, len, key->octets, key->len) >= 0) {
			other = key_at(bag, hint - 1, &len);
			if (entry_key_cmp(other, len, key->octets,
			    key->len) < 0)
				return hint;
		}
	}
	return entry_lower_bound(bag, 0, key->octets, key->len);
}

bool
bag_next(const struct bag *bag, const struct objid *prefix, size_t *cursor,
    struct objid *id, struct bag_value *value)
{
	static size_t	 stopped;	/* a guess, good for any bag */
	struct objkey	 key;
	struct objid	 found;
	const uint8_t	*at;
	size_t		 i = *cursor, len;

	if (i == 0) {
		objkey_encode(&key, prefix);
		i = start_of(bag, &key, stopped);
	}
	if (i < bag->count) {
		at = key_at(bag, i, &len);
		objkey_decode(at, len, &found);
	}
	if (i >= bag->count || !objid_within(&found, prefix)) {
		stopped = i;
		return false;
	}
	objid_copy(id, &found);
	if (value != NULL)
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
	size_t		 i;

	objkey_encode(&key, id);
	i = entry_lower_bound(bag, 0, key.octets, key.len);
	if (!entry_is(bag, i, key.octets, key.len))
		return false;
	pack_undo(bag);
	bag->waste += (uint32_t)loose_size(bag, i);
	bag->count--;
	memmove(bag->at + i, bag->at + i + 1,
	    (bag->count - i) * sizeof(bag->at[0]));
	return true;
}
