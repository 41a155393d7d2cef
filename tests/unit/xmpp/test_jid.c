/* xmpp/jid.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xmpp/jid.h"

static void
test_bare(void **state)
{
	char	 out[16], *big;

	assert_int_equal(jid_bare("a@b/c", out, sizeof(out)), 0);
	assert_string_equal(out, "a@b");
	assert_int_equal(jid_bare("A@B.Example/Res", out, sizeof(out)), 0);
	assert_string_equal(out, "a@b.example");
	assert_int_equal(jid_bare("b/x/y@z", out, sizeof(out)), 0);
	assert_string_equal(out, "b");
	assert_int_equal(jid_bare("123456789012345", out, sizeof(out)), 0);
	assert_int_equal(jid_bare("1234567890123456", out, sizeof(out)), -1);
	assert_string_equal(out, "");
	assert_int_equal(jid_bare("", out, sizeof(out)), -1);
	assert_int_equal(jid_bare("/r", out, sizeof(out)), -1);
	assert_int_equal(jid_bare(NULL, out, sizeof(out)), -1);
	assert_int_equal(jid_bare("a", out, 0), -1);
	big = malloc(4096);
	memset(big, 'x', 4095);
	big[4095] = '\0';
	assert_int_equal(jid_bare(big, big, 4096), -1);
	free(big);
}

static void
test_same(void **state)
{
	assert_true(jid_same_bare("a@b/c", "a@b"));
	assert_true(jid_same_bare("A@b/c", "a@B/d"));
	assert_false(jid_same_bare("a@b", "a@bb"));
	assert_false(jid_same_bare("a@b", "aa@b"));
	assert_false(jid_same_bare("", ""));
	assert_false(jid_same_bare("/r", "/r"));
	assert_false(jid_same_bare(NULL, "a@b"));
	assert_false(jid_same_bare("a@b", NULL));
	assert_true(jid_same("a@b", "A@b"));
	assert_true(jid_same("a@b/R", "A@b/R"));
	assert_false(jid_same("a@b/R", "a@b/r"));
	assert_false(jid_same("a@b/r", "a@b"));
	assert_false(jid_same("a@b/", "a@b"));
	assert_false(jid_same(NULL, NULL));
}

static void
test_valid(void **state)
{
	static const char *const	 good[] = {
		"a@b", "b", "agent-1@example.org", "central.example.org",
		"\xc3\xa9t\xc3\xa9@example.org", "a@[::1]", "[127.0.0.1]",
		"a+b@c"
	};
	static const char *const	 bad[] = {
		"", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b/c",
		"a@b/", " a@b", "a@b\n", "a<@b", "a@\"b\"", "a\x7f@b", "a:b",
		"[::1", "[]"
	};
	size_t				 i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(jid_valid_bare(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(jid_valid_bare(bad[i]));
	assert_false(jid_valid_bare(NULL));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
