/*
 * What is inside the seal, made small: a zlib stream (RFC 1950) with a preset
 * dictionary of the words of reports, then octets of zero up to a multiple of
 * 64, so that the length tells little.  Plain XML, padded alike, is the same
 * thing to a reader.
 *
 * That text is compressed before it is encrypted gives nothing away (as CRIME
 * did with cookies): a message has nothing that is secret beside what a
 * stranger could have put there and could see the length of; the token and
 * the keys are in the handshake, which is not compressed.
 */
#ifndef SCHEMA_SQUASH_H
#define SCHEMA_SQUASH_H

#include <stddef.h>

#include "base/buf.h"

#define SQUASH_BLOCK	64

/* Appends text, squashed and padded. */
void		 squash_put(struct buf *out, const char *text, size_t len);
/*
 * Appends the text inside, most octets at the most, whatever a stranger made.
 * 0, or -1 with the reason in why: neither XML nor one whole stream with our
 * dictionary, something else than a few zeros behind it, or too long; then
 * out is as it was.
 */
int		 squash_take(const char *data, size_t len, size_t most,
		    struct buf *out, char *why, size_t why_size);

/* The dictionary's text (schema/squash.dict), for the tests. */
const char	*squash_dictionary(size_t *len);

#endif
