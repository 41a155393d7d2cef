/* What is inside the seal, made small: everything comes back, and no stranger's
 * octets make more of themselves than they may. */
#include "schema/squash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#define MOST	(60 * 1024)

static void
refused(const char *data, size_t len, const char *want)
{
	struct buf out = { 0 };
	char why[160] = "";

	buf_puts(&out, "before");
	assert_int_equal(squash_take(data, len, MOST, &out, why, sizeof why),
	    -1);
	assert_string_equal(out.data, "before");
	if (strstr(why, want) == NULL)
		fail_msg("%s", why);
	buf_free(&out);
}

static void
comes_back(void **state)
{
	struct buf text = { 0 }, small = { 0 }, back = { 0 };
	char why[160];
	int i, n;

	srandom(7);
	for (i = 0; i < 300; i++) {
		buf_reset(&text);
		buf_reset(&small);
		buf_reset(&back);
		buf_putc(&text, '<');
		for (n = (int)(random() % (i * 20 + 1)); n > 0; n--)
			buf_putc(&text, (char)(i % 2 ? random() % 255 + 1 :
			    'a' + random() % 3));
		buf_puts(&small, "x");
		squash_put(&small, text.data, text.len);
		buf_drop(&small, 1);
		assert_int_equal(small.len % SQUASH_BLOCK, 0);
		assert_int_equal(squash_take(small.data, small.len, MOST,
		    &back, why, sizeof why), 0);
		assert_int_equal(back.len, text.len);
		assert_memory_equal(back.data, text.data, text.len);
	}
	buf_free(&text);
	buf_free(&small);
	buf_free(&back);
}

static void
what_reports_say_is_small(void **state)
{
	static const char one[] = "<report seq='12' turn='14'><asset id='"
	    "7b0e1f5a-2d34-4c66-8a10-5e9b1c2d3f40'><time>2026-11-20T19:30:01."
	    "000Z</time><counter name='total' unit='impressions' oid='1.3.6.1."
	    "2.1.43.10.2.1.4.1.1' check='ok'>10293</counter></asset></report>";
	struct buf small = { 0 };

	squash_put(&small, one, strlen(one));
	assert_true(small.len <= 128);
	buf_free(&small);
}

static void
plain_text_is_taken(void **state)
{
	char text[128] = "<a/>";
	struct buf out = { 0 };
	char why[160];

	assert_int_equal(squash_take(text, 4, MOST, &out, why, sizeof why), 0);
	assert_int_equal(squash_take(text, 64, MOST, &out, why, sizeof why),
	    0);
	assert_string_equal(out.data, "<a/><a/>");
	buf_free(&out);
	refused(text, 4 + 64, "behind its end");
	text[5] = 'x';
	buf_puts(&out, "");
	assert_int_equal(squash_take(text, 64, MOST, &out, why, sizeof why),
	    0);		/* the reader of XML refuses the zero in it */
	buf_free(&out);
}

static void
deflated(struct buf *out, const char *text, size_t len, const char *dict,
    size_t dict_len)
{
	uLong room = compressBound(len) + 64;
	char *to = malloc(room);
	z_stream z = { .next_in = (Bytef *)text, .avail_in = (uInt)len,
	    .next_out = (Bytef *)to, .avail_out = (uInt)room };

	assert_int_equal(deflateInit(&z, 9), Z_OK);
	if (dict != NULL)
		deflateSetDictionary(&z, (const Bytef *)dict,
		    (uInt)dict_len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(out, to, room - z.avail_out);
	deflateEnd(&z);
	free(to);
}

static void
others_are_refused(void **state)
{
	struct buf z = { 0 };
	size_t len, i, dict_len;
	const char *dict = squash_dictionary(&dict_len);

	refused("", 0, "neither");
	refused("\0\0\0", 3, "neither");
	refused("rubbish", 7, "neither");
	deflated(&z, "<a/>", 4, NULL, 0);
	refused(z.data, z.len, "no whole stream");
	buf_reset(&z);
	deflated(&z, "<a/>", 4, "another", 7);
	refused(z.data, z.len, "no whole stream");
	buf_reset(&z);
	deflated(&z, "<a>b</a>", 8, dict, dict_len);
	for (i = 0; i < z.len; i++)
		refused(z.data, i, i == 0 ? "neither" : "");
	len = z.len;
	for (i = 1; i < len; i++) {		/* a checksum sees to it */
		z.data[i] ^= 4;
		refused(z.data, len, "");
		z.data[i] ^= 4;
	}
	buf_put(&z, "\0\0\1", 3);
	refused(z.data, z.len, "behind its end");
	buf_free(&z);
}

static void
a_bomb_costs_its_fuse(void **state)
{
	size_t len = 8 * 1024 * 1024, dict_len;
	const char *dict = squash_dictionary(&dict_len);
	char *text = calloc(1, len);
	struct buf z = { 0 };

	memset(text, '<', len);
	deflated(&z, text, len, dict, dict_len);
	assert_true(z.len < MOST);
	refused(z.data, z.len, "longer than 61440 octets");
	buf_reset(&z);
	deflated(&z, text, MOST + 1, dict, dict_len);
	refused(z.data, z.len, "longer than");
	refused(text, MOST + 65, "longer than");
	refused(text, MOST + 1, "longer than");
	buf_free(&z);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(what_reports_say_is_small),
		cmocka_unit_test(plain_text_is_taken),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(a_bomb_costs_its_fuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
