/* JSON as it is written. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_shape(void **state)
{
	struct buf out = { 0 };
	struct json j;

	json_start(&j, &out);
	json_array(&j, NULL);
	json_object(&j, NULL);
	json_string(&j, "host", "127.0.0.1");
	json_bool(&j, "printer", true);
	json_null(&j, "reason");
	json_string(&j, "absent", NULL);
	json_int(&j, "low", INT64_MIN);
	json_array(&j, "empty");
	json_array_end(&j);
	json_array(&j, "two");
	json_int(&j, NULL, 1);
	json_int(&j, NULL, 2);
	json_array_end(&j);
	json_object(&j, "none");
	json_object_end(&j);
	json_object_end(&j);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array_end(&j);
	assert_string_equal(out.data,
	    "[\n"
	    "  {\n"
	    "    \"host\": \"127.0.0.1\",\n"
	    "    \"printer\": true,\n"
	    "    \"reason\": null,\n"
	    "    \"absent\": null,\n"
	    "    \"low\": -9223372036854775808,\n"
	    "    \"empty\": [],\n"
	    "    \"two\": [\n"
	    "      1,\n"
	    "      2\n"
	    "    ],\n"
	    "    \"none\": {}\n"
	    "  },\n"
	    "  {}\n"
	    "]\n");
	buf_free(&out);
}

static void
check(const char *text, const char *want)
{
	struct buf out = { 0 };
	struct json j;

	json_start(&j, &out);
	json_string(&j, NULL, text);
	assert_string_equal(out.data, want);
	buf_free(&out);
}

static void
test_escapes(void **state)
{
	check("", "\"\"");
	check("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	check("\n\r\t\b\x01", "\"\\n\\r\\t\\u0008\\u0001\"");
	check("\x7f\xc2\x9b", "\"\\u007f\\u009b\"");
	check("gr\xc3\xbc\xc3\x9f \xe6\x96\x87 \xf0\x9f\x96\xa8",
	    "\"gr\xc3\xbc\xc3\x9f \xe6\x96\x87 \xf0\x9f\x96\xa8\"");
}

static void
test_broken_utf8(void **state)
{
	check("a\xff" "b", "\"a\xef\xbf\xbd" "b\"");
	check("\xc3", "\"\xef\xbf\xbd\"");
	check("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_broken_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
