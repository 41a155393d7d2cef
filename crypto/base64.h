/* BASE64 as RFC 4648 section 4 writes it, padded, and nothing more lenient:
 * one run of bytes has exactly one text. */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Room for the text of len bytes, with its NUL. */
#define BASE64_SIZE(len)	(((len) + 2) / 3 * 4 + 1)

void	 base64_encode(struct buf *out, const void *bytes, size_t len);
/* 0 with *out_len set; -1 when text is none or out is too small, out then
 * holds zeros. */
int	 base64_decode(const char *text, size_t len, uint8_t *out,
	    size_t out_size, size_t *out_len);

#endif
