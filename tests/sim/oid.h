/*
 * Object identifiers of the simulator: runs of sub-identifiers.  It shares no
 * code with the agent, so that a mistake in one of them shows in the other.
 */
#ifndef SIM_OID_H
#define SIM_OID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OID_MAX		128		/* RFC 3416 section 4.1 */
#define OID_TEXT_MAX	1408		/* 128 times ".4294967295" */

struct oid {
	size_t		 len;
	uint32_t	 sub[OID_MAX];
};

/* "1.3.6", with or without a leading dot.  0, or -1 when it is no OID. */
int	 oid_parse(const char *text, struct oid *);
char	*oid_format(const uint32_t *sub, size_t len, char out[OID_TEXT_MAX]);
/* Order of RFC 3416: sub-identifier by sub-identifier, shorter first. */
int	 oid_cmp(const uint32_t *a, size_t a_len, const uint32_t *b,
	    size_t b_len);
/* True when the first starts with (or is) the second. */
bool	 oid_within(const uint32_t *sub, size_t len, const uint32_t *prefix,
	    size_t prefix_len);

#endif
