#include "base/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct got {
	struct loop	*loop;
	struct resolve	*resolve;
	int		 calls;
	size_t		 count;
	int		 family;
	char		 text[INET6_ADDRSTRLEN];
	char		 why[128];
};

static void
on_answer(void *arg, const struct resolve_address *address, size_t count,
    const char *why)
{
	struct got *got = arg;
	struct sockaddr_in in;

	got->calls++;
	got->count = count;
	snprintf(got->why, sizeof(got->why), "%s", why == NULL ? "" : why);
	if (count > 0) {
		got->family = address[0].addr.ss_family;
		memcpy(&in, &address[0].addr, sizeof(in));
		if (got->family == AF_INET)
			inet_ntop(AF_INET, &in.sin_addr, got->text,
			    sizeof(got->text));
	}
	resolve_free(got->resolve);
	got->resolve = NULL;
}

static struct got
look(const char *host, int family)
{
	struct got got = { .loop = loop_new() };
	int64_t end = clock_mono_ms() + 20000;

	got.resolve = resolve_start(got.loop, host, 161, family, on_answer,
	    &got);
	assert_int_equal(got.calls, 0);
	while (got.calls == 0 && clock_mono_ms() < end)
		loop_once(got.loop, 1000);
	assert_int_equal(got.calls, 1);
	loop_free(got.loop);
	return got;
}

static void
numbers_need_no_process(void **state)
{
	struct got got = look("192.0.2.7", AF_INET);

	assert_int_equal(got.count, 1);
	assert_string_equal(got.text, "192.0.2.7");
	got = look("192.0.2.7", AF_UNSPEC);
	assert_int_equal(got.count, 1);
}

static void
names_are_looked_up(void **state)
{
	struct got got = look("localhost", AF_INET);

	assert_true(got.count >= 1);
	assert_int_equal(got.family, AF_INET);
	assert_string_equal(got.text, "127.0.0.1");
}

static void
what_does_not_resolve_says_so(void **state)
{
	struct got got = look("", AF_INET);

	assert_int_equal(got.count, 0);
	assert_true(got.why[0] != '\0');
	got = look("::1", AF_INET);
	assert_int_equal(got.count, 0);
	assert_true(got.why[0] != '\0');
}

/* Nothing waits for the child, and nobody is called back. */
static void
giving_up_takes_no_time(void **state)
{
	struct got got = { .loop = loop_new() };
	int64_t start = clock_mono_ms();
	int i;

	for (i = 0; i < 10; i++) {
		got.resolve = resolve_start(got.loop, "printer.invalid", 161,
		    AF_INET, on_answer, &got);
		resolve_free(got.resolve);
	}
	loop_once(got.loop, 0);
	assert_int_equal(got.calls, 0);
	assert_true(clock_mono_ms() - start < 5000);
	loop_free(got.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_need_no_process),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(what_does_not_resolve_says_so),
		cmocka_unit_test(giving_up_takes_no_time),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
