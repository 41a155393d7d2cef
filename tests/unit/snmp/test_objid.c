/* OIDs as text, as order, as prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snmp/objid.h"
#include "snmp/objkey.h"

static void
test_parse(void **state)
{
	static const char *const	 bad[] = { "", ".", "1.", "1..3", "a",
		"1.3.x", "1.4294967296", "1 3", "-1", "1.3.6.", "1.+2" };
	struct objid			 id;
	char				 text[OBJID_TEXT_MAX];
	char				 deep[1024] = "1";
	size_t				 i;

	assert_int_equal(objid_parse(".1.3.6.1.4294967295.0", &id), 0);
	assert_int_equal(id.len, 6);
	assert_int_equal(id.sub[4], UINT32_MAX);
	assert_string_equal(objid_format(&id, text), "1.3.6.1.4294967295.0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(objid_parse(bad[i], &id), -1);
	for (i = 1; i < OBJID_MAX; i++)
		strcat(deep, ".1");
	assert_int_equal(objid_parse(deep, &id), 0);
	assert_int_equal(id.len, OBJID_MAX);
	objid_add(&id, 7);
	assert_int_equal(id.len, OBJID_MAX);
	strcat(deep, ".1");
	assert_int_equal(objid_parse(deep, &id), -1);
}

/* The longest text does not fit, and is cut between two numbers. */
static void
test_format_long(void **state)
{
	struct objid	 id = { .len = 0 };
	char		 text[OBJID_TEXT_MAX];
	size_t		 len;

	while (id.len < OBJID_MAX)
		objid_add(&id, 4000000000u);
	len = strlen(objid_format(&id, text));
	assert_true(len < OBJID_TEXT_MAX && len > OBJID_TEXT_MAX - 12);
	assert_int_equal((len + 1) % 11, 0);
	id.len = 0;
	assert_string_equal(objid_format(&id, text), "");
}

static void
test_order(void **state)
{
	static const char *const	 ordered[] = { "0", "1", "1.3", "1.3.0",
		"1.3.6", "1.3.6.127", "1.3.6.128", "1.3.6.16384", "2" };
	struct objid			 a, b;
	size_t				 i, k;

	for (i = 0; i < 9; i++) {
		for (k = 0; k < 9; k++) {
			objid_parse(ordered[i], &a);
			objid_parse(ordered[k], &b);
			assert_int_equal(objid_cmp(&a, &b),
			    i < k ? -1 : i > k);
		}
	}
	objid_parse("1.3.6.1", &a);
	objid_parse("1.3.6", &b);
	assert_true(objid_within(&a, &b));
	assert_true(objid_within(&b, &b));
	assert_false(objid_within(&b, &a));
	objid_parse("1.3.61", &a);
	assert_false(objid_within(&a, &b));
}

/* Random OIDs as keys: order, prefix and sameness are the OIDs' own. */
static void
test_keys(void **state)
{
	static uint8_t	 key[2][OBJKEY_MAX];
	struct objid	 id[2], back;
	size_t		 len[2], i, k, n;
	int		 c;

	srandom(3);
	for (n = 20000; n-- > 0; ) {
		for (i = 0; i < 2; i++) {
			id[i].len = (size_t)random() % 7;
			for (k = 0; k < id[i].len; k++)
				id[i].sub[k] = random() % 2 ?
				    (uint32_t)random() % 2 :
				    (uint32_t)((uint64_t)random() * 2 >>
				    random() % 32);
			len[i] = objkey_write(key[i], &id[i]);
			objkey_decode(key[i], len[i], &back);
			assert_int_equal(objid_cmp(&back, &id[i]), 0);
			assert_true(objkey_is(key[i], len[i], &id[i]));
		}
		c = memcmp(key[0], key[1], len[0] < len[1] ? len[0] : len[1]);
		c = c != 0 ? c : len[0] < len[1] ? -1 : len[0] > len[1];
		assert_int_equal((c > 0) - (c < 0), objid_cmp(&id[0], &id[1]));
		assert_int_equal(objkey_is(key[0], len[0], &id[1]),
		    objid_cmp(&id[0], &id[1]) == 0);
		assert_int_equal(objkey_within(key[0], len[0], &id[1]),
		    objid_within(&id[0], &id[1]));
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format_long),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
