/* Object identifiers as plain arrays, compared and written as text. */
#ifndef SNMP_OBJID_H
#define SNMP_OBJID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OBJID_MAX	128		/* sub-identifiers, RFC 3416 */
#define OBJID_TEXT_MAX	512

struct objid {
	size_t		 len;
	uint32_t	 sub[OBJID_MAX];
};

/* Nearly all have no more; and so many are copied without a call. */
#define OBJID_USUAL	20

/* An assignment would copy all 520 octets. */
static inline void
objid_copy(struct objid *out, const struct objid *id)
{
	out->len = id->len;
	if (id->len <= OBJID_USUAL)
		memcpy(out->sub, id->sub, OBJID_USUAL * sizeof(id->sub[0]));
	else
		memcpy(out->sub, id->sub, id->len * sizeof(id->sub[0]));
}

/* "1.3.6.1..." (a leading dot is fine).  0, or -1 when it is no OID. */
int	 objid_parse(const char *text, struct objid *out);
char	*objid_format(const struct objid *, char out[OBJID_TEXT_MAX]);
int	 objid_cmp(const struct objid *, const struct objid *);
/* True when id starts with prefix (or equals it).  The last number is where
 * neighbours differ. */
static inline bool
objid_within(const struct objid *id, const struct objid *prefix)
{
	size_t n = prefix->len;

	return id->len >= n && (n == 0 ||
	    (id->sub[n - 1] == prefix->sub[n - 1] &&
	    memcmp(id->sub, prefix->sub, n * sizeof(id->sub[0])) == 0));
}
/* Appends one sub-identifier; nothing when full. */
void	 objid_add(struct objid *, uint32_t sub);
/* Appends the OID to a list of n unless it is there already or the list has
 * max; returns how many there are then.  Text that is no OID adds nothing. */
size_t	 objid_collect(struct objid *list, size_t n, size_t max,
	    const struct objid *);
size_t	 objid_collect_text(struct objid *list, size_t n, size_t max,
	    const char *text);

#endif
