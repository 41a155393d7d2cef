/*
 * The two forms of a bag, for the files that are the bag; nobody else's
 * business.
 *
 * Loose: entries lie one after the other in data, and at[] holds their
 * offsets in OID order.  An entry is
 *
 *	key length (2 octets), type (1), value length (2), key, value
 *
 * The key is the OID in octets that memcmp() orders (objkey.h).  Numbers take
 * as many octets of two's complement as they need, big end first.  An entry
 * that is replaced by a longer one or dropped leaves a hole (waste) until it
 * is worth while to close them.  Good to put in.
 *
 * Packed: a slot of 4 octets for each value, in OID order.  Keys and types are
 * in the pool, since printers of a model have the same; and so are values that
 * do not fit.  The keys are cut in sections, so that what is each device's own
 * (its address is the index of a table; alerts come and go) does not hinder
 * that.  Good to keep, and to change a value in.
 */
#ifndef SNMP_BAG_FORM_H
#define SNMP_BAG_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <endian.h>
#include <string.h>

#include "snmp/bag.h"
#include "snmp/objkey.h"

#define BAG_SECTIONS	5
#define BAG_NO_SECTION	UINT32_MAX
/* Those whose keys are each device's own. */
#define BAG_SECTION_ADDRESSES	1
#define BAG_SECTION_ALERTS	3

struct bag {
	bool		 packed;
	uint16_t	 count;
	union {
		struct {
			uint8_t		*data;
			uint32_t	*at;
			uint32_t	 len, cap;	/* of data */
			uint32_t	 waste;		/* of len */
			uint16_t	 count_cap;
		};
		struct {
			uint8_t		 (*slot)[4];
			uint32_t	 section[BAG_SECTIONS];
			uint16_t	 start[BAG_SECTIONS];
			uint32_t	 size;	/* loose, at most */
		};
	};
};

/* One value, in either form: a number, or octets (an OID's are its key's). */
struct entry {
	const uint8_t	*key;
	size_t		 key_len;
	enum bag_type	 type;
	int64_t		 number;
	const uint8_t	*octets;
	size_t		 octets_len;
};

/* Eight octets as memcmp() sees them. */
static inline uint64_t
entry_key_part(const uint8_t *p)
{
	uint64_t part;

	memcpy(&part, p, sizeof(part));
	return be64toh(part);
}

/* Keys are short, and there are many: memcmp() would be more call than
 * comparison.  The last step looks again at what is equal. */
static inline int
entry_octets_cmp(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t x, y;
	size_t i;

	if (n < 8)
		return n == 0 ? 0 : memcmp(a, b, n);
	for (i = 0; ; i = i + 16 <= n ? i + 8 : n - 8) {
		x = entry_key_part(a + i);
		y = entry_key_part(b + i);
		if (x != y)
			return x < y ? -1 : 1;
		if (i + 8 == n)
			return 0;
	}
}

static inline int
entry_key_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int	 c = entry_octets_cmp(a, b, a_len < b_len ? a_len : b_len);

	if (c != 0)
		return c;
	return a_len < b_len ? -1 : a_len > b_len;
}

static inline bool
entry_key_same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && entry_octets_cmp(a, b, a_len) == 0;
}

/* --- bag.c --- */
bool	 entry_is_number(enum bag_type);
void	 entry_at(const struct bag *, size_t i, struct entry *);
bool	 entry_is(const struct bag *, size_t i, const uint8_t *key,
	    size_t len);
bool	 entry_below(const struct bag *, size_t i, const struct objkey *);
bool	 entry_same_value(const struct entry *, const struct entry *);
/* The first entry from lo on whose key is not below this one. */
size_t	 entry_lower_bound(const struct bag *, size_t lo, const uint8_t *key,
	    size_t len);
/* The same from 0 on; quick when it is not far behind the guess. */
size_t	 entry_seek(const struct bag *, size_t guess, const uint8_t *key,
	    size_t len);
/* Gives entry i that value; -1 when full. */
int	 entry_replace(struct bag *, size_t i, const struct entry *);
/* At the end of a loose bag; -1 when full. */
int	 entry_append(struct bag *, const struct entry *);

/* --- bag_loose.c --- */
const uint8_t	*loose_key(const struct bag *, size_t i, size_t *len);
void	 loose_entry(const struct bag *, size_t i, struct entry *);
size_t	 loose_lower_bound(const struct bag *, size_t lo, const uint8_t *key,
	    size_t len);
/* Writes the key where the next entry of that value will stand, from where it
 * serves the functions below; NULL when there is no room already. */
const uint8_t	*loose_lend(struct bag *, const struct objid *,
	    const struct entry *, size_t *key_len);
/* Behind the last, if that is where such an entry belongs. */
bool	 loose_push(struct bag *, const struct entry *);
int	 loose_insert(struct bag *, size_t i, const struct entry *);
int	 loose_replace(struct bag *, size_t i, const struct entry *);
void	 loose_drop(struct bag *, size_t i);

/* --- bag_pack.c --- */
const uint8_t	*pack_key(const struct bag *, size_t i, size_t *len);
size_t	 pack_lower_bound(const struct bag *, size_t lo, const uint8_t *key,
	    size_t len);
/* A section while its entries are gone through; zeroed: none yet. */
struct pack_place {
	const uint8_t	*section;
	size_t		 first, end;	/* entries of the bag */
};
void	 pack_entry(const struct bag *, size_t i, struct entry *);
void	 pack_entry_near(const struct bag *, struct pack_place *, size_t i,
	    struct entry *);
/* False when the slot cannot hold a value of that kind. */
bool	 pack_replace(struct bag *, size_t i, const struct entry *);
/* The section that a key belongs to. */
size_t	 pack_section(const struct objkey *);
/* The entries of section s that are at or below that key, counted in it. */
void	 pack_range(const struct bag *, size_t s, const struct objkey *,
	    size_t *first, size_t *n);
/* The pool's number of what is in that slot, or BAG_NO_SECTION. */
uint32_t	 pack_pooled(const struct bag *, size_t i);
/* Into the other form.  What is too large for packing stays loose. */
void	 pack_bag(struct bag *);
void	 pack_undo(struct bag *);
void	 pack_free(struct bag *);
size_t	 pack_size(const struct bag *);

#endif
