#include "schema/squash.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <zlib.h>

#include "base/log.h"

/* As it lies beside this file; the last octets are the dearest. */
__asm__(
    ".pushsection .rodata\n"
    ".hidden squash_dict, squash_dict_end\n"
    ".globl squash_dict, squash_dict_end\n"
    "squash_dict:\n"
    ".incbin \"schema/squash.dict\"\n"
    "squash_dict_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern const char squash_dict[] __attribute__((visibility("hidden")));
extern const char squash_dict_end[] __attribute__((visibility("hidden")));

#define ZLIB_FIRST	0x78	/* deflate, a window of 32 KiB */
#define PIECE		4096

const char *
squash_dictionary(size_t *len)
{
	*len = (size_t)(squash_dict_end - squash_dict);
	return squash_dict;
}

static void
use_dictionary(z_stream *z, bool out)
{
	const Bytef *text = (const Bytef *)squash_dict;
	uInt len = (uInt)(squash_dict_end - squash_dict);

	if ((out ? deflateSetDictionary(z, text, len) :
	    inflateSetDictionary(z, text, len)) != Z_OK)
		fatalx("squash", "the dictionary does not fit");
}

void
squash_put(struct buf *out, const char *text, size_t len)
{
	static const char zeros[SQUASH_BLOCK];
	size_t start = out->len;
	char piece[PIECE];
	z_stream z = { .next_in = (Bytef *)text, .avail_in = (uInt)len };
	int rc;

	if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK)
		fatalx("memory", "a compressor");
	use_dictionary(&z, true);
	do {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof(piece);
		rc = deflate(&z, Z_FINISH);
		buf_put(out, piece, sizeof(piece) - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
	buf_put(out, zeros, (SQUASH_BLOCK - (out->len - start) %
	    SQUASH_BLOCK) % SQUASH_BLOCK);
}

/* Inflates until the stream ends: how many octets of data it took, or -1. */
static int64_t
inflate_all(const char *data, size_t len, size_t most, struct buf *out,
    char *why, size_t why_size)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)len };
	size_t start = out->len;
	char piece[PIECE];
	bool first = true;
	int rc;

	if (inflateInit(&z) != Z_OK)
		fatalx("memory", "a decompressor");
	do {
		z.next_out = (Bytef *)piece;
		z.avail_out = sizeof(piece);
		rc = inflate(&z, Z_NO_FLUSH);
		if (first && rc == Z_NEED_DICT) {
			const uLong want = adler32(adler32(0, NULL, 0),
			    (const Bytef *)squash_dict,
			    (uInt)(squash_dict_end - squash_dict));

			if (z.adler != want)
				break;
			use_dictionary(&z, false);
			rc = Z_OK;
		} else if (first)
			rc = Z_DATA_ERROR;	/* another's, or none */
		first = false;
		if (rc == Z_OK || rc == Z_STREAM_END)
			buf_put(out, piece, sizeof(piece) - z.avail_out);
	} while (rc == Z_OK && out->len - start <= most);
	len -= z.avail_in;
	inflateEnd(&z);
	if (out->len - start > most)
		snprintf(why, why_size, "longer than %zu octets", most);
	else if (rc != Z_STREAM_END)
		snprintf(why, why_size, "no whole stream with the dictionary "
		    "of this version");
	else
		return (int64_t)len;
	return -1;
}

int
squash_take(const char *data, size_t len, size_t most, struct buf *out,
    char *why, size_t why_size)
{
	size_t start = out->len, end = len;
	int64_t took;

	while (end > 0 && data[end - 1] == '\0')
		end--;
	if (end > most || len > most + SQUASH_BLOCK) {
		snprintf(why, why_size, "longer than %zu octets", most);
		return -1;
	}
	if (end > 0 && data[0] == '<') {
		buf_put(out, data, end);
		took = (int64_t)end;
	} else if (end > 0 && (unsigned char)data[0] == ZLIB_FIRST)
		/* Its last octets, a checksum, may be zeros. */
		took = inflate_all(data, len, most, out, why, why_size);
	else {
		snprintf(why, why_size, "neither XML nor a zlib stream");
		return -1;
	}
	if (took != -1 && (size_t)took >= end && len - (size_t)took <
	    SQUASH_BLOCK)
		return 0;
	if (took != -1)
		snprintf(why, why_size, "something is behind its end");
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return -1;
}
