/* Times as text (XEP-0082), and UUIDs. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/uuid.h"

static void
test_known(void **state)
{
	static const struct { int64_t ms; const char *text; } t[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(1795202999999), "2026-11-20T19:29:59.999Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ -INT64_C(62135596800000), "0001-01-01T00:00:00.000Z" },
	};
	char out[CLOCK_TEXT_MAX];
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_string_equal(clock_format(t[i].ms, out), t[i].text);
		assert_int_equal(clock_parse(t[i].text, &ms), 0);
		assert_true(ms == t[i].ms);
	}
}

/* Against the C library, over the years that matter and the odd ones. */
static void
test_against_library(void **state)
{
	char out[CLOCK_TEXT_MAX], want[64];
	struct tm tm;
	int64_t s, ms;
	time_t t;

	for (s = -INT64_C(62000000000); s < INT64_C(250000000000);
	    s += 76543210) {
		t = (time_t)s;
		gmtime_r(&t, &tm);
		strftime(want, sizeof want, "-%m-%dT%H:%M:%S.007Z", &tm);
		clock_format(s * 1000 + 7, out);
		assert_string_equal(out + 4, want);
		assert_int_equal(atoi(out), tm.tm_year + 1900);
		assert_int_equal(clock_parse(out, &ms), 0);
		assert_true(ms == s * 1000 + 7);
	}
}

static void
test_out_of_range(void **state)
{
	char out[CLOCK_TEXT_MAX];

	assert_string_equal(clock_format(INT64_MAX, out),
	    "9999-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(INT64_MIN, out),
	    "0001-01-01T00:00:00.000Z");
}

static void
test_fractions(void **state)
{
	int64_t ms;

	assert_int_equal(clock_parse("1970-01-01T00:00:01Z", &ms), 0);
	assert_true(ms == 1000);
	assert_int_equal(clock_parse("1970-01-01T00:00:01.5Z", &ms), 0);
	assert_true(ms == 1500);
	assert_int_equal(clock_parse("1970-01-01T00:00:01.0019Z", &ms), 0);
	assert_true(ms == 1001);
}

static void
test_bad(void **state)
{
	static const char *const bad[] = { "", "now", "2026-11-20",
	    "2026-11-20T19:30:00", "2026-11-20T19:30:00+00:00",
	    "2026-11-20 19:30:00Z", "2026-13-20T19:30:00Z",
	    "2026-00-20T19:30:00Z", "2026-11-00T19:30:00Z",
	    "2026-11-31T19:30:00Z", "2026-02-29T19:30:00Z",
	    "1900-02-29T19:30:00Z", "2026-11-20T24:00:00Z",
	    "2026-11-20T19:60:00Z", "2026-11-20T19:30:60Z",
	    "2026-11-20T19:30:00.Z", "2026-11-20T19:30:00.000Zx",
	    "0000-11-20T19:30:00Z", "-026-11-20T19:30:00Z",
	    "2026-1-20T19:30:00Z", "+2026-11-20T19:30:00Z",
	    " 2026-11-20T19:30:00Z", "2026-11-20T19:30:00.12345678901234567Z",
	    "2026-11-20t19:30:00z" };
	int64_t ms = 42;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (clock_parse(bad[i], &ms) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_true(ms == 42);
}

static void
test_clocks_run(void **state)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();

	assert_true(wall > INT64_C(1700000000000));
	assert_true(clock_mono_ms() >= mono);
}

static void
test_uuid(void **state)
{
	char a[UUID_TEXT_MAX], b[UUID_TEXT_MAX];
	int i;

	for (i = 0; i < 100; i++) {
		uuid_make(a);
		uuid_make(b);
		assert_true(uuid_valid(a));
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_string_not_equal(a, b);
	}
	assert_false(uuid_valid(NULL));
	assert_false(uuid_valid(""));
	assert_false(uuid_valid("0b7f5a0e-8a5a-4b1e-9d3c-11111111111"));
	assert_false(uuid_valid("0b7f5a0e-8a5a-4b1e-9d3c-1111111111111"));
	assert_false(uuid_valid("0B7F5A0E-8A5A-4B1E-9D3C-111111111111"));
	assert_false(uuid_valid("0b7f5a0e08a5a-4b1e-9d3c-111111111111"));
	assert_false(uuid_valid("{b7f5a0e-8a5a-4b1e-9d3c-111111111111"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_against_library),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_clocks_run),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
