/* Bags against a simple model, at their limits, and merged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "snmp/bag.h"
#include "snmp/pool.h"
#include "snmp/standard.h"

static struct objid
oid(const char *text)
{
	struct objid	 id;

	assert_int_equal(objid_parse(text, &id), 0);
	return id;
}

static struct bag *
bag_of(const char *snmprec)
{
	struct bag	*bag = bag_new();
	FILE		*fp = fmemopen((void *)(uintptr_t)snmprec,
			    strlen(snmprec), "r");
	char		 why[200] = "";

	if (bag_read_snmprec(bag, fp, why, sizeof(why)) == -1)
		fail_msg("%s", why);
	fclose(fp);
	return bag;
}

static char *
text_of(const struct bag *bag)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*fp = open_memstream(&text, &len);

	bag_write_snmprec(bag, fp);
	fclose(fp);
	return text;
}

static void
test_numbers(void **state)
{
	static const int64_t	 edges[] = { 0, 1, -1, 127, 128, -128, -129,
		255, 256, 32767, 32768, -32768, -32769, INT32_MAX, INT32_MIN,
		UINT32_MAX, (int64_t)1 << 40, -((int64_t)1 << 40),
		((int64_t)1 << 55) - 1, (int64_t)1 << 55, INT64_MAX,
		INT64_MIN, INT64_MIN + 1 };
	struct bag		*bag = bag_new();
	struct bag_value	 v;
	struct objid		 id = oid("1.3.6.1.2.1.9");
	size_t			 i;

	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		id.sub[6] = (uint32_t)i;
		bag_put_number(bag, &id, BAG_COUNTER64, edges[i]);
	}
	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		id.sub[6] = (uint32_t)i;
		assert_true(bag_get(bag, &id, &v));
		assert_true(v.number == edges[i]);
		assert_int_equal(v.type, BAG_COUNTER64);
	}
	id.sub[6] = 99;
	assert_false(bag_get(bag, &id, &v));
	bag_free(bag);
}

static void
test_types(void **state)
{
	struct bag		*bag = bag_new();
	struct objid		 id = oid("1.3.6.1");
	struct objid		 value = oid("1.3.6.1.4.1.4000000000");
	struct bag_value	 v;
	uint8_t			 big[65536];

	assert_int_equal(bag_put_objid(bag, &id, &value), 0);
	assert_true(bag_get(bag, &id, &v));
	assert_int_equal(objid_cmp(&v.objid, &value), 0);
	assert_int_equal(bag_number(bag, "1.3.6.1", 0), INT64_MIN);
	assert_false(bag_octets(bag, &v, "1.3.6.1", 0));

	/* 64 KB are cut, and then replaced by nothing. */
	memset(big, 'x', sizeof(big));
	id = oid("1.3.6.2.7.9");
	assert_int_equal(bag_put_octets(bag, &id, BAG_OCTETS, big,
	    sizeof(big)), 0);
	assert_true(bag_octets(bag, &v, "1.3.6.2", 2, 7u, 9u));
	assert_int_equal(v.octets_len, BAG_OCTETS_MAX);
	bag_put_octets(bag, &id, BAG_OCTETS, NULL, 0);
	assert_true(bag_octets(bag, &v, "1.3.6.2", 2, 7u, 9u));
	assert_int_equal(v.octets_len, 0);
	assert_int_equal(bag_count(bag), 2);
	bag_free(bag);
}

static int
cmp_id(const void *a, const void *b)
{
	return objid_cmp(a, b);
}

/* Random puts, replacements and drops, in any order, beside an array. */
static void
test_random(void **state)
{
	static struct objid	 ids[400], found;
	static int64_t		 values[400];
	struct bag		*bag = bag_new();
	struct bag_value	 v;
	struct objid		 all = { .len = 0 }, last = { .len = 0 };
	size_t			 i, k, n, cursor = 0;

	srandom(1);
	for (i = 0; i < 400; i++) {
		ids[i].len = 1 + (size_t)random() % 6;
		for (k = 0; k < ids[i].len; k++)
			ids[i].sub[k] = (uint32_t)((uint64_t)random() >>
			    (random() % 31));
	}
	qsort(ids, 400, sizeof(ids[0]), cmp_id);
	for (n = 20000; n-- > 0; ) {
		i = (size_t)random() % 400;
		while (i > 0 && objid_cmp(&ids[i - 1], &ids[i]) == 0)
			i--;
		if (random() % 4 == 0) {
			assert_int_equal(bag_drop(bag, &ids[i]),
			    values[i] != 0);
			values[i] = 0;
		} else {
			values[i] = ((int64_t)random() >> (random() % 31)) + 1;
			assert_int_equal(bag_put_number(bag, &ids[i],
			    BAG_GAUGE, values[i]), 0);
		}
	}
	for (i = n = 0; i < 400; i++) {
		if (values[i] == 0)
			continue;
		n++;
		assert_true(bag_get(bag, &ids[i], &v));
		assert_int_equal(v.number, values[i]);
	}
	assert_int_equal(bag_count(bag), n);
	while (bag_next(bag, &all, &cursor, &found, &v)) {
		assert_true(last.len == 0 || objid_cmp(&last, &found) < 0);
		last = found;
		n--;
	}
	assert_int_equal(n, 0);
	assert_true(bag_size(bag) < 400 * 60);
	bag_free(bag);
}

static void
test_next(void **state)
{
	struct bag		*bag = bag_of("1.3.6.1.5.2|2|52\n"
				    "1.3.6.1.4|2|4\n1.3.6.1.5.1|2|51\n"
				    "1.3.6.1.50|2|50\n1.3.6.1.5|2|5\n");
	struct objid		 prefix = oid("1.3.6.1.5"), id;
	struct bag_value	 v;
	size_t			 cursor = 0;

	assert_true(bag_next(bag, &prefix, &cursor, &id, &v));
	assert_int_equal(v.number, 5);
	assert_true(bag_next(bag, &prefix, &cursor, &id, &v));
	assert_int_equal(v.number, 51);
	assert_true(bag_next(bag, &prefix, &cursor, &id, &v));
	assert_int_equal(v.number, 52);
	assert_false(bag_next(bag, &prefix, &cursor, &id, &v));
	assert_false(bag_next(bag, &prefix, &cursor, &id, &v));
	prefix = oid("1.3.7");
	cursor = 0;
	assert_false(bag_next(bag, &prefix, &cursor, &id, &v));
	bag_free(bag);
}

static void
test_full(void **state)
{
	struct bag	*bag = bag_new(), *fat = bag_new();
	struct objid	 id = oid("1.3.6.1.1");
	uint8_t		 big[BAG_OCTETS_MAX] = { 0 };
	size_t		 i;

	for (i = 0; i < BAG_VALUES_MAX; i++) {
		id.sub[4] = (uint32_t)(BAG_VALUES_MAX - i);
		assert_int_equal(bag_put_number(bag, &id, BAG_INTEGER, 1), 0);
	}
	id.sub[4] = BAG_VALUES_MAX + 1;
	assert_int_equal(bag_put_number(bag, &id, BAG_INTEGER, 1), -1);
	id.sub[4] = 17;
	assert_int_equal(bag_put_number(bag, &id, BAG_INTEGER, 12345), 0);
	assert_int_equal(bag_number(bag, "1.3.6.1", 1, 17u), 12345);
	assert_int_equal(bag_count(bag), BAG_VALUES_MAX);

	for (i = 0; i < BAG_VALUES_MAX; i++) {
		id.sub[4] = (uint32_t)i;
		if (bag_put_octets(fat, &id, BAG_OCTETS, big,
		    sizeof(big)) == -1)
			break;
	}
	assert_true(i > 400 && i < 600);
	assert_true(bag_size(fat) < BAG_SIZE_MAX + 32 * 1024);
	/* A full bag that is merged with a full bag stays one. */
	bag_merge(fat, bag, NULL, 0);
	bag_merge(bag, fat, NULL, 0);
	assert_true(bag_size(bag) < BAG_SIZE_MAX + 64 * 1024);
	assert_true(bag_count(bag) <= BAG_VALUES_MAX);
	bag_free(bag);
	bag_free(fat);
}

#define IMAGE "1.3.6.1.2.1.1.3.0|67|1000\n1.3.6.1.2.1.43.1.1|2|11\n" \
	"1.3.6.1.2.1.43.1.2|4|twelve\n1.3.6.1.2.1.43.2.1|2|21\n"

static void
expect_text(const struct bag *bag, const char *want)
{
	char	*text = text_of(bag);

	assert_string_equal(text, want);
	free(text);
}

static void
test_merge(void **state)
{
	struct bag	*image = bag_of(IMAGE), *fresh;
	struct objid	 covered = oid("1.3.6.1.2.1.43.1");

	/* An idle poll: only time passes, even into another octet. */
	fresh = bag_of("1.3.6.1.2.1.1.3.0|67|99000\n"
	    "1.3.6.1.2.1.43.1.1|2|11\n");
	assert_false(bag_merge(image, fresh, NULL, 0));
	assert_int_equal(bag_number(image, STD_SYS_UPTIME, 0), 99000);
	bag_free(fresh);

	fresh = bag_of("1.3.6.1.2.1.43.1.1|2|70000\n");
	assert_true(bag_merge(image, fresh, NULL, 0));
	assert_false(bag_merge(image, fresh, NULL, 0));
	/* The same number under another type is another value. */
	bag_free(fresh);
	fresh = bag_of("1.3.6.1.2.1.43.1.1|65|70000\n");
	assert_true(bag_merge(image, fresh, NULL, 0));
	bag_free(fresh);

	/* A column read again: what is new comes in, what is gone goes. */
	fresh = bag_of("1.3.6.1.2.1.43.1.1|2|11\n1.3.6.1.2.1.43.1.3|2|13\n"
	    "1.3.6.1.2.1.9.9|2|9\n");
	assert_true(bag_merge(image, fresh, &covered, 1));
	expect_text(image, "1.3.6.1.2.1.1.3.0|67|99000\n"
	    "1.3.6.1.2.1.9.9|2|9\n1.3.6.1.2.1.43.1.1|2|11\n"
	    "1.3.6.1.2.1.43.1.3|2|13\n1.3.6.1.2.1.43.2.1|2|21\n");
	assert_false(bag_merge(image, fresh, &covered, 1));
	bag_free(fresh);

	fresh = bag_new();
	assert_true(bag_merge(image, fresh, &covered, 1));
	assert_false(bag_merge(image, fresh, &covered, 1));
	assert_int_equal(bag_count(image), 3);
	bag_free(fresh);
	bag_free(image);
}

/* Random merges against the rule written down plainly. */
static void
test_merge_random(void **state)
{
	struct bag		*image = bag_new(), *fresh, *want;
	struct objid		 id = oid("1.3.0.0"), cover = oid("1.3.0"), at;
	struct objid		 all = { .len = 0 };
	struct bag_value	 v;
	size_t			 round, n, cursor;
	char			*got, *plain;
	bool			 changed;

	srandom(2);
	for (round = 0; round < 400; round++) {
		fresh = bag_new();
		want = bag_new();
		cover.sub[2] = (uint32_t)random() % 4;
		for (n = (size_t)random() % 20; n > 0; n--) {
			id.sub[2] = (uint32_t)random() % 4;
			id.sub[3] = (uint32_t)random() % 300;
			bag_put_number(fresh, &id, BAG_INTEGER,
			    (int64_t)1 << random() % 40);
		}
		for (cursor = 0; bag_next(image, &all, &cursor, &at, &v); ) {
			if (!objid_within(&at, &cover))
				bag_put(want, &at, &v);
		}
		for (cursor = 0; bag_next(fresh, &all, &cursor, &at, &v); )
			bag_put(want, &at, &v);
		plain = text_of(image);
		changed = bag_merge(image, fresh, &cover, 1);
		got = text_of(image);
		assert_int_equal(changed, strcmp(plain, got) != 0);
		free(plain);
		plain = text_of(want);
		assert_string_equal(got, plain);
		free(plain);
		free(got);
		bag_free(fresh);
		bag_free(want);
	}
	bag_free(image);
}

/* Any value, of any kind and size. */
static void
put_random(struct bag *bag, const struct objid *id)
{
	static const enum bag_type	 types[] = { BAG_INTEGER, BAG_COUNTER,
		BAG_GAUGE, BAG_TICKS, BAG_COUNTER64 };
	char				 text[40];
	size_t				 len = (size_t)random() % 12;

	memset(text, 'a' + (int)(random() % 2), sizeof(text));
	switch (random() % 4) {
	case 0:
		bag_put_octets(bag, id, BAG_OCTETS, text, len * len / 4);
		break;
	case 1:
		bag_put_octets(bag, id, BAG_IPADDRESS, text, len % 6);
		break;
	case 2:
		bag_put_objid(bag, id, id);
		break;
	default:
		bag_put_number(bag, id, types[random() % 5],
		    (int64_t)(((uint64_t)random() << 33) ^ (uint64_t)random())
		    >> random() % 64);
		break;
	}
}

/* Bags that were merged into are packed; whatever is then done to them, they
 * stay what loose ones would be. */
static void
test_packed(void **state)
{
	static const uint32_t	 tops[][2] = { { 2, 1 }, { 4, 20 }, { 25, 3 },
		{ 43, 11 }, { 43, 18 }, { 43, 20 } };
	struct bag		*image[8], *plain[8], *fresh;
	struct objid		 id = oid("1.3.6.1.2.1.0.0.0.0");
	struct bag_value	 v;
	char			*got, *want;
	size_t			 round, n, k, t;

	srandom(3);
	for (k = 0; k < 8; k++) {
		image[k] = bag_new();
		plain[k] = bag_new();
	}
	for (round = 0; round < 3000; round++) {
		k = (size_t)random() % 8;
		fresh = bag_new();
		for (n = (size_t)random() % 12; n > 0; n--) {
			t = (size_t)random() % 6;
			id.sub[6] = tops[t][0];
			id.sub[7] = tops[t][1];
			id.sub[8] = (uint32_t)random() % 3;
			id.sub[9] = (uint32_t)random() % 200 / 12;
			put_random(fresh, &id);
			assert_true(bag_get(fresh, &id, &v));
			bag_put(plain[k], &id, &v);
		}
		bag_merge(image[k], fresh, NULL, 0);
		bag_free(fresh);
		if (random() % 3 == 0) {
			assert_int_equal(bag_drop(image[k], &id),
			    bag_drop(plain[k], &id));
		}
		if (random() % 3 == 0) {
			put_random(image[k], &id);
			assert_true(bag_get(image[k], &id, &v));
			bag_put(plain[k], &id, &v);
		}
		/* The same again, and what another place has. */
		if (random() % 3 == 0 && bag_get(plain[k], &id, &v)) {
			bag_put(image[k], &id, &v);
			id.sub[9] = 3;
			bag_put(image[k], &id, &v);
			assert_true(bag_get(image[k], &id, &v));
			bag_put(plain[k], &id, &v);
		}
		got = text_of(image[k]);
		want = text_of(plain[k]);
		assert_string_equal(got, want);
		free(got);
		free(want);
		if (random() % 100 == 0) {
			bag_free(image[k]);
			bag_free(plain[k]);
			image[k] = bag_new();
			plain[k] = bag_new();
		}
	}
	for (k = 0; k < 8; k++) {
		bag_free(image[k]);
		bag_free(plain[k]);
	}
}

/* A packed bag has no more room than a loose one. */
static void
test_packed_full(void **state)
{
	struct bag	*image = bag_new(), *fresh = bag_new();
	struct objid	 id = oid("1.3.6.1.1");
	uint8_t		 big[BAG_OCTETS_MAX] = { 0 };
	size_t		 i;

	for (i = 0; i < 2000; i++) {
		id.sub[4] = (uint32_t)i;
		bag_put_octets(fresh, &id, BAG_OCTETS, big, 4);
	}
	bag_merge(image, fresh, NULL, 0);
	bag_free(fresh);
	for (i = 0; i < 2000; i++) {
		id.sub[4] = (uint32_t)i;
		memcpy(big, &i, sizeof(i));
		if (bag_put_octets(image, &id, BAG_OCTETS, big,
		    sizeof(big)) == -1)
			break;
	}
	assert_true(i > 300 && i < 600);
	assert_int_equal(bag_count(image), 2000);
	assert_true(bag_size(image) < BAG_SIZE_MAX + 32 * 1024);
	bag_free(image);
}

/* Printers of one model: the second is cheap, and says so. */
static void
test_shared(void **state)
{
	struct bag	*loose = bag_new(), *image[10];
	struct objid	 id = oid("1.3.6.1.2.1.43.11.1.1.6.1.0");
	size_t		 i, alone;

	for (i = 0; i < 100; i++) {
		id.sub[10] = 6 + (uint32_t)i / 10;
		id.sub[12] = (uint32_t)i % 10;
		if (i < 20)
			bag_put_octets(loose, &id, BAG_OCTETS,
			    "Black Toner Cartridge", 21);
		else
			bag_put_number(loose, &id, BAG_INTEGER, (int64_t)i);
	}
	image[0] = bag_new();
	bag_merge(image[0], loose, NULL, 0);
	alone = bag_size(image[0]);
	assert_true(alone < bag_size(loose));
	for (i = 1; i < 10; i++) {
		image[i] = bag_new();
		bag_merge(image[i], loose, NULL, 0);
	}
	assert_true(bag_size(image[0]) < alone * 2 / 5);
	assert_true(bag_size(image[9]) == bag_size(image[0]));
	for (i = 0; i < 9; i++)
		bag_free(image[i]);
	assert_int_equal(bag_size(image[9]), alone);
	bag_free(image[9]);
	bag_free(loose);
}

static void
test_pool(void **state)
{
	static uint32_t	 ids[2000];
	const uint8_t	*octets;
	size_t		 round, i, k, len;
	char		 text[32];

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2000; i++) {
			snprintf(text, sizeof(text), "%zu", i / 2);
			ids[i] = pool_put(text, strlen(text));
			assert_true(i % 2 == 0 || ids[i] == ids[i - 1]);
		}
		for (i = 0; i < 2000; i++) {
			octets = pool_octets(ids[i], &len);
			snprintf(text, sizeof(text), "%zu", i / 2);
			assert_int_equal(len, strlen(text));
			assert_memory_equal(octets, text, len);
		}
		for (i = 0; i < 2000; i++) {
			k = i * 7 % 2000;
			pool_drop(ids[k]);
			if (round == 1 && i % 3 == 0)
				ids[k] = pool_put("again", 5);
			else
				ids[k] = UINT32_MAX;
		}
		for (i = 0; i < 2000; i++)
			if (ids[i] != UINT32_MAX)
				pool_drop(ids[i]);
	}
	ids[0] = pool_put("", 0);
	assert_int_equal(pool_put(NULL, 0), ids[0]);
	pool_drop(ids[0]);
	pool_drop(ids[0]);
}

/* What it costs to put and drop as many values as bits say: 26 words of 8
 * octets, of which each pair differs by the highest bit of its first word, and
 * by what makes up for that in the second. */
static clock_t
put_pairs(uint64_t first, uint64_t second)
{
	static uint32_t	 ids[1 << 13];
	uint64_t	 word[26];
	clock_t		 before = clock();
	size_t		 i, bit;

	for (i = 0; i < 1 << 13; i++) {
		memset(word, 0x55, sizeof(word));
		for (bit = 0; bit < 13; bit++)
			if (i >> bit & 1) {
				word[2 * bit] ^= first;
				word[2 * bit + 1] ^= second;
			}
		ids[i] = pool_put(word, sizeof(word));
	}
	for (i = 0; i < 1 << 13; i++)
		pool_drop(ids[i]);
	return clock() - before;
}

/* A product keeps a difference in the highest bit, so values for a hash of
 * seeded products can be made that are all in one bucket. */
static void
test_pool_crafted(void **state)
{
	assert_true(put_pairs(UINT64_C(1) << 63,
	    UINT64_C(1) << 63 | UINT64_C(1) << 31) <
	    10 * put_pairs(1, 1) + CLOCKS_PER_SEC / 20);
}

static void
test_snmprec(void **state)
{
	static const char	 text[] =
	    "1.3.6.1.1|4|plain text\r\n\n"
	    ".1.3.6.1.2|4x|00ff41\n1.3.6.1.3|64|192.0.2.1\n"
	    "1.3.6.1.4|64x|C0000201\n1.3.6.1.5|70|18446744073709551615\n"
	    "1.3.6.1.6|2|-7\n1.3.6.1.7|6|.1.3.6\n1.3.6.1.8|4|\n"
	    "1.3.6.1.9|5|\n1.3.6.1.10|4|a|b\n";
	static const char	*bad[] = { "x", "1.3|4", "1.3|9|x", "1.3|2|1x",
		"1.3|4x|0", "1.3|4x|zz", "1.3|64|1.2.3", "1.3|64|1.2.3.256",
		"1.3|6|a", "1.3|2x|00", "|4|x", "1.3||x", "1.3|2|",
		"1.3|2|-99999999999999999999", "1.3|4y|x" };
	struct bag		*bag = bag_of(text);
	char			 why[100];
	FILE			*fp;
	size_t			 i;

	expect_text(bag, "1.3.6.1.1|4|plain text\n1.3.6.1.2|4x|00ff41\n"
	    "1.3.6.1.3|64x|c0000201\n1.3.6.1.4|64x|c0000201\n"
	    "1.3.6.1.5|70|9223372036854775807\n1.3.6.1.6|2|-7\n"
	    "1.3.6.1.7|6|1.3.6\n1.3.6.1.8|4|\n1.3.6.1.10|4|a|b\n");
	bag_free(bag);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char	*both = xasprintf("1.2|2|1\n%s\n1.4|2|3\n", bad[i]);

		bag = bag_new();
		fp = fmemopen(both, strlen(both), "r");
		assert_int_equal(bag_read_snmprec(bag, fp, why, sizeof(why)),
		    -1);
		assert_non_null(strstr(why, "line 2"));
		assert_int_equal(bag_count(bag), 2);
		fclose(fp);
		bag_free(bag);
		free(both);
	}
}

static void
test_below(void **state)
{
	struct bag	*image = bag_new(), *part = bag_new();
	struct bag	*from = bag_of("1.3.6.1.2.1.43.8.1|2|1\n"
			    "1.3.6.1.2.1.43.8.2|4|tray\n"
			    "1.3.6.1.2.1.43.9.1|2|3\n");
	struct objid	 trays = oid("1.3.6.1.2.1.43.8");
	struct objid	 all = oid("1.3.6.1"), none = oid("1.3.7");
	char		*text;

	bag_merge(image, from, NULL, 0);
	bag_put_below(part, image, &trays);
	bag_put_below(part, image, &none);
	text = text_of(part);
	assert_string_equal(text, "1.3.6.1.2.1.43.8.1|2|1\n"
	    "1.3.6.1.2.1.43.8.2|4|tray\n");
	free(text);
	assert_true(bag_same_below(part, image, &trays));
	assert_true(bag_same_below(image, part, &none));
	assert_false(bag_same_below(part, image, &all));
	assert_false(bag_same_below(image, part, &all));
	bag_put_below(part, from, &all);
	bag_put_below(part, from, &all);
	assert_true(bag_same_below(part, image, &all));
	trays = oid("1.3.6.1.2.1.43.8.2");
	bag_put_octets(part, &trays, BAG_OCTETS, "trax", 4);
	assert_false(bag_same_below(part, image, &trays));
	bag_free(part);
	bag_free(from);
	bag_free(image);
}

/* A value in the column counts, others and alerts do not; and what was held
 * is given back. */
static void
test_shape(void **state)
{
	static const struct {
		const char	*change;
		bool		 fits;
	} cases[] = {
		{ "", true },
		{ "1.3.6.1.2.1.1.5.0|4|another name\n", true },
		{ "1.3.6.1.2.1.43.18.1.1.2.1.9|2|3\n", true },
		{ "1.3.6.1.2.1.4.20.1.2.10.0.0.9|2|1\n", true },
		{ "1.3.6.1.4.1.77.1.2|4|Copies, mono\n", true },
		{ "1.3.6.1.4.1.77.1.1|4|Prints, colour\n", false },
		{ "1.3.6.1.4.1.77.1.3|4|new\n", false },
		{ "1.3.6.1.2.1.43.10.2.1.4.1.2|65|1\n", false },
	};
	struct bag		*image = bag_of("1.3.6.1.2.1.1.5.0|4|a name\n"
				    "1.3.6.1.2.1.43.10.2.1.4.1.1|65|7\n"
				    "1.3.6.1.4.1.77.1.1|4|Prints, mono\n"
				    "1.3.6.1.4.1.77.1.2|4|Copies\n");
	struct bag		*first = bag_new(), *other, *news;
	struct objid		 label = oid("1.3.6.1.4.1.77.1.1");
	struct bag_shape	*shape;
	size_t			 i;

	assert_null(bag_shape_new(image, &label, 1));
	bag_merge(first, image, NULL, 0);
	shape = bag_shape_new(first, &label, 1);
	assert_false(bag_shape_fits(shape, image));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		other = bag_new();
		news = bag_of(cases[i].change);
		bag_merge(other, image, NULL, 0);
		bag_merge(other, news, NULL, 0);
		assert_int_equal(bag_shape_fits(shape, other), cases[i].fits);
		if (cases[i].fits)
			assert_int_equal(bag_shape_hash(other),
			    bag_shape_hash(first));
		bag_free(news);
		bag_free(other);
	}
	bag_free(first);
	bag_shape_free(shape);
	bag_free(image);
	assert_null(pool_places);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_random),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_packed_full),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_crafted),
		cmocka_unit_test(test_snmprec),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
