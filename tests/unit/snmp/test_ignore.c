/* Which alerts are not told: every kind of rule, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "snmp/ignore.h"

static char	 why[200];

static bool
one(const char *rule, int64_t group, int64_t code, const char *text)
{
	char		*item = xstrdup(rule);
	struct ignore	*ignore = ignore_new(&item, 1, why, sizeof(why));
	struct alert	 a;
	bool		 matches;

	if (ignore == NULL)
		fail_msg("%s: %s", rule, why);
	alert_init(&a);
	a.group = group;
	a.code = code;
	a.description = xstrdup_null(text);
	matches = ignore_matches(ignore, &a);
	alert_clear(&a);
	ignore_free(ignore);
	free(item);
	return matches;
}

static void
test_codes(void **state)
{
	assert_true(one("powerSaver", 5, 23, "Sleep"));
	assert_true(one("POWERSAVER", ABSENT, 23, NULL));
	assert_true(one("subunitPowerSaver", 5, 23, NULL));
	assert_true(one("readyToPrint", 5, 507, "Ready"));
	assert_true(one("printerReadyToPrint", 5, 507, "Ready"));
	assert_true(one("jam", 8, 8, "Jam"));
	assert_true(one("31999", 8, 31999, NULL));
	assert_false(one("powerSaver", 5, 24, "Sleep"));
	assert_false(one("8", 8, 808, NULL));
	assert_false(one("jam", 8, ABSENT, "jam"));
}

static void
test_groups(void **state)
{
	assert_true(one("input:jam", 8, 8, NULL));
	assert_true(one("8:8", 8, 8, NULL));
	assert_true(one("8:jam", 8, 8, NULL));
	assert_true(one("consoleLights:*", 17, 22, NULL));
	assert_true(one("consoleLights:*", 17, ABSENT, NULL));
	assert_false(one("input:jam", 9, 8, NULL));
	assert_false(one("input:jam", 8, 3, NULL));
	assert_false(one("input:*", ABSENT, 8, NULL));
}

static void
test_no_code(void **state)
{
	assert_true(one("no-code", ABSENT, ABSENT, NULL));
	assert_true(one("no-code", 5, ABSENT, NULL));
	assert_false(one("no-code", 5, 1, NULL));
	assert_false(one("no-code", 5, ABSENT, "Call service"));
	assert_false(one("none", ABSENT, ABSENT, NULL));
	assert_false(one("none", 5, 23, NULL));
}

static void
test_texts(void **state)
{
	assert_true(one("\"Sleep*\"", 5, 1, "SLEEP MODE ON"));
	assert_true(one("\"Sleep*\"", 5, 1, "sleep"));
	assert_true(one("\"*mode*\"", 5, 1, "Sleep mode on"));
	assert_true(one("\"*mode on\"", 5, 1, "mode mode on"));
	assert_true(one("\"a*b*c\"", 5, 1, "a-b-b-c"));
	assert_true(one("\"Warm-up*\"", 5, ABSENT, "Warm-Up ..."));
	assert_true(one("\"überhitzt*\"", 5, 1, "ÜBERHITZT 3"));
	assert_true(one("\"ЖДИТЕ\"", 5, 1, "ждите"));
	assert_true(one("\"čekejte…\"", 5, 1, "ČEKEJTE…"));
	assert_true(one("\"żółć\"", 5, 1, "ŻÓŁĆ"));
	assert_true(one("\"スリープ*\"", 5, 1, "スリープ中"));
	assert_false(one("\"Sleep*\"", 5, 1, "Deep Sleep"));
	assert_false(one("\"Sleep\"", 5, 1, "Sleep mode"));
	assert_false(one("\"*mode on\"", 5, 1, "Sleep mode on."));
	assert_false(one("\"Sleep*\"", 5, 1, NULL));
	assert_false(one("\"a*b*c\"", 5, 1, "a-c-b"));
}

/* Many stars against a long text: soon done. */
static void
test_patience(void **state)
{
	char	 text[256], rule[256] = "\"";
	int	 i;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 100; i++)
		strcat(rule, "a*");
	strcat(rule, "b\"");
	assert_false(one(rule, 5, 1, text));
}

static void
bad(const char *a, const char *b, const char *reason)
{
	char	*items[2] = { xstrdup(a), xstrdup_null(b) };

	why[0] = '\0';
	assert_null(ignore_new(items, b == NULL ? 1 : 2, why, sizeof(why)));
	if (strstr(why, reason) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", a, why, reason);
	free(items[0]);
	free(items[1]);
}

static void
test_no_rules(void **state)
{
	bad("paperBurnt", NULL, "\"paperBurnt\" is no alert code");
	bad("jam", "Sleep*", "\"Sleep*\" is no alert code");
	bad("tray:jam", NULL, "no group \"tray\"");
	bad("input:", NULL, "no alert code");
	bad(":jam", NULL, "no group");
	bad("*:jam", NULL, "no group");
	bad("", NULL, "no alert code");
	bad("-5", NULL, "no alert code");
	bad("123456789012", NULL, "no alert code");
	bad("\"Sleep", NULL, "closing quote");
	bad("\"", NULL, "closing quote");
	bad("\"\"", NULL, "every text");
	bad("\"**\"", NULL, "every text");
	bad("\"\xff*\"", NULL, "UTF-8");
	bad("none", "jam", "stands alone");
	bad("jam", "none", "stands alone");
}

static void
test_default(void **state)
{
	struct ignore	*ignore = ignore_new_default();
	struct alert	 a;

	alert_init(&a);
	assert_true(ignore_matches(ignore, &a));
	assert_false(ignore_matches(NULL, &a));
	a.code = 8;
	assert_false(ignore_matches(ignore, &a));
	a.code = 24;
	assert_true(ignore_matches(ignore, &a));
	ignore_free(ignore);
	ignore_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_no_code),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_no_rules),
		cmocka_unit_test(test_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
