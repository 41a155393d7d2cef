/* Buffers and the memory below them. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void
test_put(void **state)
{
	struct buf b = { 0 };
	size_t i;

	buf_puts(&b, "one");
	buf_putc(&b, ' ');
	buf_put(&b, "t\0o", 3);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "one t\0o", 8);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	for (i = 0; i < 5000; i++)
		buf_printf(&b, "%zu,", i % 10);
	assert_int_equal(b.len, 10000);
	assert_memory_equal(b.data + 9996, "8,9,", 5);
	buf_free(&b);
	assert_null(b.data);
}

static void
test_printf_long(void **state)
{
	struct buf b = { 0 };
	char *text = xmalloc(100001);

	memset(text, 'x', 100000);
	text[100000] = '\0';
	buf_printf(&b, "<%s>", text);
	assert_int_equal(b.len, 100002);
	assert_int_equal(b.data[100001], '>');
	free(text);
	buf_free(&b);
}

static void
test_drop(void **state)
{
	struct buf b = { 0 };

	buf_puts(&b, "abcdef");
	buf_drop(&b, 2);
	assert_string_equal(b.data, "cdef");
	buf_drop(&b, 0);
	assert_string_equal(b.data, "cdef");
	buf_drop(&b, 99);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_free(&b);
	buf_drop(&b, 1);
}

static void
test_take(void **state)
{
	struct buf b = { 0 };
	char *text = buf_take(&b);

	assert_string_equal(text, "");
	free(text);
	buf_puts(&b, "kept");
	text = buf_take(&b);
	assert_string_equal(text, "kept");
	assert_null(b.data);
	free(text);
}

static void
test_mem(void **state)
{
	char *text = xasprintf("%d-%s", 5, "x");

	assert_string_equal(text, "5-x");
	free(text);
	assert_null(xstrdup_null(NULL));
	text = xstrndup("abcdef", 3);
	assert_string_equal(text, "abc");
	free(text);
	text = xstrndup("ab", 30);
	assert_string_equal(text, "ab");
	free(text);
	free(xcalloc(0, 5));
	free(xrealloc(NULL, 0));
	assert_int_equal(strcmp_null(NULL, NULL), 0);
	assert_true(strcmp_null(NULL, "") < 0);
	assert_true(strcmp_null("", NULL) > 0);
	assert_true(strcmp_null("a", "b") < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_printf_long),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_mem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
