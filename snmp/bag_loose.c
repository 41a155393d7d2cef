/* Bags that are being filled: entries one behind the other. */
#include "snmp/bag_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ENTRY_HEAD	5
/* Room for what a poll brings. */
#define DATA_MIN	1000
#define COUNT_MIN	48

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

const uint8_t *
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

void
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

size_t
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
	if (cap < bag->len + size + DATA_MIN)
		cap = bag->len + size + DATA_MIN;
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
	cap = 2 * (size_t)bag->count_cap + COUNT_MIN;
	if (cap > BAG_VALUES_MAX)
		cap = BAG_VALUES_MAX;
	bag->at = xreallocarray(bag->at, cap, sizeof(bag->at[0]));
	bag->count_cap = (uint16_t)cap;
	return 0;
}

int
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

void
loose_drop(struct bag *bag, size_t i)
{
	bag->waste += (uint32_t)loose_size(bag, i);
	bag->count--;
	memmove(bag->at + i, bag->at + i + 1,
	    (bag->count - i) * sizeof(bag->at[0]));
}

int
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

const uint8_t *
loose_lend(struct bag *bag, const struct objid *id, const struct entry *new,
    size_t *key_len)
{
	uint8_t	*key;

	if (bag->packed || bag->count == bag->count_cap ||
	    bag->cap - bag->len < ENTRY_HEAD + 5 * id->len + value_size(new))
		return NULL;
	key = bag->data + bag->len + ENTRY_HEAD;
	*key_len = objkey_write(key, id);
	return key;
}

bool
loose_push(struct bag *bag, const struct entry *new)
{
	const uint8_t	*last;
	size_t		 len = value_size(new), last_len;

	if (bag->count > 0) {
		last = loose_key(bag, bag->count - 1U, &last_len);
		if (entry_key_cmp(last, last_len, new->key, new->key_len) >= 0)
			return false;
	}
	loose_finish(bag->data + bag->len, new, new->key_len, len);
	bag->at[bag->count++] = bag->len;
	bag->len += (uint32_t)(ENTRY_HEAD + new->key_len + len);
	return true;
}
