#include "crypto/base64.h"

#include <stdlib.h>

#include <sodium.h>

#include "base/mem.h"

#define VARIANT	sodium_base64_VARIANT_ORIGINAL

void
base64_encode(struct buf *out, const void *bytes, size_t len)
{
	size_t	 size = BASE64_SIZE(len);
	char	*text;

	text = xmalloc(size);
	sodium_bin2base64(text, size, bytes, len, VARIANT);
	buf_put(out, text, size - 1);
	sodium_memzero(text, size);
	free(text);
}

int
base64_decode(const char *text, size_t len, uint8_t *out, size_t out_size,
    size_t *out_len)
{
	size_t	 i;
	unsigned high = 0;

	/* libsodium 1.0.18 takes every octet from 128 on as a digit. */
	for (i = 0; i < len; i++)
		high |= (unsigned char)text[i];
	if (high < 128 && len % 4 == 0 && sodium_base642bin(out, out_size,
	    text, len, NULL, out_len, NULL, VARIANT) == 0)
		return 0;
	sodium_memzero(out, out_size);
	return -1;
}
