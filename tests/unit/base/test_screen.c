/* Columns and bars for people. */
#include "base/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_bar(void **state)
{
	char out[SCREEN_BAR_MAX];

	assert_string_equal(screen_bar(0, 10, out), "[----------]");
	assert_string_equal(screen_bar(1, 10, out), "[#---------]");
	assert_string_equal(screen_bar(60, 10, out), "[######----]");
	assert_string_equal(screen_bar(100, 10, out), "[##########]");
	assert_string_equal(screen_bar(-3, 10, out), "[??????????]");
	assert_string_equal(screen_bar(101, 10, out), "[??????????]");
	assert_string_equal(screen_bar(INT64_MIN, 4, out), "[????]");
	assert_int_equal(strlen(screen_bar(50, 1000, out)),
	    SCREEN_BAR_MAX - 1);
	assert_string_equal(screen_bar(50, -7, out), "[#]");
}

static void
test_width(void **state)
{
	assert_int_equal(screen_width(""), 0);
	assert_int_equal(screen_width("abc"), 3);
	assert_int_equal(screen_width("gr\xc3\xbc\xc3\x9f"), 4);
	/* u and a combining diaeresis */
	assert_int_equal(screen_width("u\xcc\x88"), 1);
	assert_int_equal(screen_width("\xe6\x96\x87\xe5\xad\x97"), 4);
	assert_int_equal(screen_width("\xef\xbc\xa1"), 2);	/* fullwidth A */
	assert_int_equal(screen_width("\xef\xbd\xb1"), 1);	/* halfwidth a */
	assert_int_equal(screen_width("\xed\x95\x9c"), 2);	/* hangul */
	assert_int_equal(screen_width("a\xff"), 2);
}

static void
check(struct screen_table *t, int width, const char *want)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	screen_table_print(t, f, width);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
}

static void
test_table(void **state)
{
	static const char *const heads[] = { "name", ">pages", "note", NULL };
	struct screen_table *t = screen_table_new(heads);

	check(t, 80, "name  pages  note\n");
	screen_table_row(t, (const char *const[]){ "office", "12", NULL });
	screen_table_row(t, (const char *const[]){
	    "\xe6\x96\x87\xe5\xad\x97\xe6\x96\x87\xe5\xad\x97", "123456",
	    "x" });
	check(t, 80,
	    "name       pages  note\n"
	    "office        12\n"
	    "\xe6\x96\x87\xe5\xad\x97\xe6\x96\x87\xe5\xad\x97  123456  x\n");
	screen_table_free(t);
	screen_table_free(NULL);
}

static void
test_cut(void **state)
{
	static const char *const heads[] = { "name", ">pages", NULL };
	struct screen_table *t = screen_table_new(heads);

	screen_table_row(t, (const char *const[]){
	    "a very long name of a printer", "1234567" });
	check(t, 20,
	    "name           pages\n"
	    "a very lo..  1234567\n");
	/* a wide character is not cut in half, numbers never */
	screen_table_row(t, (const char *const[]){
	    "\xe6\x96\x87\xe6\x96\x87\xe6\x96\x87\xe6\x96\x87\xe6\x96\x87",
	    "5" });
	check(t, 9,
	    "name      pages\n"
	    "a ve..  1234567\n"
	    "\xe6\x96\x87\xe6\x96\x87..        5\n");
	screen_table_free(t);
}

static void
test_controls(void **state)
{
	static const char *const heads[] = { "name", NULL };
	struct screen_table *t = screen_table_new(heads);

	screen_table_row(t, (const char *const[]){ "a\033[2Jb\n\xff" });
	check(t, 40, "name\na?[2Jb??\n");
	screen_table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
