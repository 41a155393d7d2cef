#include "snmp/bag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/bag_form.h"

struct bag *
bag_new(void)
{
	struct bag	*bag = xmalloc(sizeof(*bag));

	memset(bag, 0, sizeof(*bag));
	return bag;
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

static inline bool
is_below(const struct bag *bag, size_t i, const uint8_t *key, size_t len)
{
	const uint8_t	*other;
	size_t		 other_len;

	other = key_at(bag, i, &other_len);
	return entry_key_cmp(other, other_len, key, len) < 0;
}

size_t
entry_seek(const struct bag *bag, size_t guess, const uint8_t *key,
    size_t len)
{
	size_t	 lo, hi, step = 1, mid;

	if (guess > bag->count)
		guess = bag->count;
	if (guess == bag->count || !is_below(bag, guess, key, len)) {
		if (guess == 0 || is_below(bag, guess - 1, key, len))
			return guess;
		return entry_lower_bound(bag, 0, key, len);
	}
	/* To the right in strides, then what the last one stepped over. */
	for (lo = hi = guess + 1; hi < bag->count &&
	    is_below(bag, hi, key, len); hi += step, step *= 2)
		lo = hi + 1;
	if (hi > bag->count)
		hi = bag->count;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (is_below(bag, mid, key, len))
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
	return entry_key_same(other, other_len, key, len);
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
	    entry_octets_cmp(key, prefix->octets, prefix->len) == 0;
}

bool
entry_same_value(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->number == b->number &&
	    a->octets_len == b->octets_len && (a->octets_len == 0 ||
	    memcmp(a->octets, b->octets, a->octets_len) == 0);
}

int
entry_replace(struct bag *bag, size_t i, const struct entry *new)
{
	if (bag->packed && pack_replace(bag, i, new))
		return 0;
	pack_undo(bag);
	return loose_replace(bag, i, new);
}

int
entry_append(struct bag *bag, const struct entry *new)
{
	return loose_insert(bag, bag->count, new);
}

static int
entry_put(struct bag *bag, const struct objid *id, struct entry *new)
{
	static size_t	 last;		/* a guess where to look */
	struct objkey	 key;
	size_t		 i;

	new->key = loose_lend(bag, id, new, &new->key_len);
	if (new->key != NULL && loose_push(bag, new))
		return 0;
	if (new->key == NULL) {
		objkey_encode(&key, id);
		new->key = key.octets;
		new->key_len = key.len;
	}
	i = entry_seek(bag, last, new->key, new->key_len);
	last = i + 1;
	if (entry_is(bag, i, new->key, new->key_len))
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

/*
 * Where somebody has just stopped in a bag of that form, packed or not, which
 * is mostly near where the next one begins: tables are gone through column by
 * column, objects are looked up in their order.  A guess, good for any bag.
 */
static size_t	 stopped[2];

void
bag_put_below(struct bag *bag, const struct bag *other,
    const struct objid *prefix)
{
	struct objkey	 key;
	struct entry	 e;
	size_t		 i, at;

	objkey_encode(&key, prefix);
	i = entry_seek(other, stopped[other->packed], key.octets, key.len);
	for (; entry_below(other, i, &key); i++) {
		entry_at(other, i, &e);
		at = entry_seek(bag, bag->count, e.key, e.key_len);
		if (entry_is(bag, at, e.key, e.key_len))
			(void)entry_replace(bag, at, &e);
		else {
			pack_undo(bag);
			(void)loose_insert(bag, at, &e);
		}
	}
	stopped[other->packed] = i;
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
	size_t	 i = entry_seek(bag, stopped[bag->packed], key->octets,
		    key->len);

	stopped[bag->packed] = i;
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
	const uint8_t	*at = NULL;
	size_t		 i = *cursor, len = 0;

	if (i == 0) {
		objkey_encode(&key, prefix);
		i = entry_seek(bag, stopped[bag->packed], key.octets,
		    key.len);
	}
	if (i < bag->count)
		at = key_at(bag, i, &len);
	if (at == NULL || !objkey_within(at, len, prefix)) {
		stopped[bag->packed] = i;
		return false;
	}
	objkey_decode(at, len, id);
	if (value != NULL)
		value_of(bag, i, value);
	*cursor = i + 1;
	return true;
}

size_t
bag_count_below(const struct bag *bag, const struct objid *prefix)
{
	struct objkey	 key;
	size_t		 from, i;

	objkey_encode(&key, prefix);
	from = entry_seek(bag, stopped[bag->packed], key.octets, key.len);
	for (i = from; entry_below(bag, i, &key); i++)
		;
	stopped[bag->packed] = i;
	return i - from;
}

bool
bag_same_below(const struct bag *a, const struct bag *b,
    const struct objid *prefix)
{
	struct objkey	 key;
	struct entry	 x, y;
	size_t		 i, j;

	objkey_encode(&key, prefix);
	i = entry_seek(a, stopped[a->packed], key.octets, key.len);
	j = entry_seek(b, stopped[b->packed], key.octets, key.len);
	for (; entry_below(a, i, &key); i++, j++) {
		if (!entry_below(b, j, &key))
			return false;
		entry_at(a, i, &x);
		entry_at(b, j, &y);
		if (!entry_key_same(x.key, x.key_len, y.key, y.key_len) ||
		    !entry_same_value(&x, &y))
			return false;
	}
	return !entry_below(b, j, &key);
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
	loose_drop(bag, i);
	return true;
}
