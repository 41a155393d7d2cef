/* The uplink without a server; the rest is in tests/system/test_uplink*.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "xmpp/uplink.h"

static int		 states;
static enum uplink_state last;

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	states++;
	last = state;
}

static void
on_request(void *arg, const char *id, const struct uplink_element *e)
{
}

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *e)
{
	fail();
}

static const struct uplink_events events = { on_state, on_request };

static struct uplink_config
some_config(void)
{
	struct uplink_config	c = { .jid = "Office@Agents.test",
	    .password = "x", .host = "127.0.0.1", .port = 1,
	    .central = "centre.agents.test" };

	return c;
}

static void
backoff_doubles_up_to_the_limit(void **state)
{
	assert_int_equal(uplink_backoff_ms(0, 1000, 300000, 0), 1000);
	assert_int_equal(uplink_backoff_ms(1, 1000, 300000, 0), 2000);
	assert_int_equal(uplink_backoff_ms(8, 1000, 300000, 0), 256000);
	assert_int_equal(uplink_backoff_ms(9, 1000, 300000, 0), 300000);
	assert_int_equal(uplink_backoff_ms(1000000, 1000, 300000, 0), 300000);
}

static void
backoff_takes_off_up_to_a_half(void **state)
{
	assert_int_equal(uplink_backoff_ms(3, 1000, 300000, 0.5), 6000);
	assert_in_range(uplink_backoff_ms(3, 1000, 300000, 0.999999), 4000,
	    4001);
}

static void
backoff_survives_odd_limits(void **state)
{
	assert_int_equal(uplink_backoff_ms(-1, 1000, 2000, 0), 1000);
	assert_int_equal(uplink_backoff_ms(3, 5000, 2000, 0), 2000);
	assert_int_equal(uplink_backoff_ms(3, INT64_MAX / 2 + 1, INT64_MAX, 0),
	    INT64_MAX);
	/* Nothing doubles to nothing, and comes back. */
	assert_int_equal(uplink_backoff_ms(60, 0, 10, 0), 0);
}

static void
a_jid_must_be_user_and_domain(void **state)
{
	static const char *const bad[] = { "", "agents.test", "@agents.test",
	    "office@", "office@agents.test/x", "of fice@agents.test" };
	struct uplink_config	 c = some_config();
	struct loop		*loop = loop_new();
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c.jid = bad[i];
		assert_null(uplink_new(loop, &c, &events, NULL));
	}
	loop_free(loop);
}

static void
nothing_is_asked_while_down(void **state)
{
	struct uplink_config	 c = some_config();
	struct loop		*loop = loop_new();
	struct uplink		*u = uplink_new(loop, &c, &events, NULL);

	assert_int_equal(uplink_state(u), UPLINK_DOWN);
	assert_int_equal(uplink_ask(u, "<x/>", 4, 100, on_answer, NULL), -1);
	uplink_reply(u, "1", "<x/>", 4);
	uplink_refuse(u, "1", "forbidden", NULL);
	uplink_reset(u, "no reason");
	uplink_stop(u);
	uplink_free(u);
	uplink_free(NULL);
	loop_free(loop);
}

static void
it_starts_stops_and_starts_again(void **state)
{
	struct uplink_config	 c = some_config();
	struct loop		*loop = loop_new();
	struct uplink		*u = uplink_new(loop, &c, &events, NULL);
	int64_t			 until = clock_mono_ms() + 5000;

	states = 0;
	last = UPLINK_READY;
	uplink_start(u);
	while (last != UPLINK_DOWN && clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_int_equal(states, 2);		/* connecting, down */
	uplink_stop(u);
	assert_int_equal(states, 2);
	loop_once(loop, 0);
	uplink_start(u);
	uplink_reset(u, "now");
	while (states < 4 && clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_int_equal(states, 4);
	uplink_free(u);
	/* One after the other is fine. */
	u = uplink_new(loop, &c, &events, NULL);
	uplink_start(u);
	loop_once(loop, 0);
	uplink_free(u);
	loop_free(loop);
}

static void
note(void *arg, enum uplink_state state, const char *why)
{
	char	*seen = arg;

	if (state == UPLINK_DOWN)
		snprintf(seen, 400, "%s", why);
}

static void
two_in_one_process(void **state)
{
	static const struct uplink_events each = { note, on_request };
	struct uplink_config	 a = some_config(), b = some_config();
	struct loop		*loop = loop_new();
	char			 seen[2][400] = { "", "" };
	int64_t			 until = clock_mono_ms() + 5000;
	struct uplink		*one, *two;

	b.jid = "other@elsewhere.test";
	b.port = 2;
	one = uplink_new(loop, &a, &each, seen[0]);
	two = uplink_new(loop, &b, &each, seen[1]);
	uplink_start(one);
	uplink_start(two);
	while ((seen[0][0] == '\0' || seen[1][0] == '\0') &&
	    clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_non_null(strstr(seen[0], "port 1, STARTTLS"));
	assert_non_null(strstr(seen[1], "port 2, STARTTLS"));
	/* One goes, the other stays. */
	uplink_free(one);
	uplink_stop(two);
	uplink_free(two);
	loop_free(loop);
}

static void
what_cannot_work_is_refused(void **state)
{
	static char		*bad[] = { "sha256/AAAA" };
	struct uplink_config	 c = some_config();
	struct loop		*loop = loop_new();

	c.pins = bad;
	c.pin_count = 1;
	assert_null(uplink_new(loop, &c, &events, NULL));
	c = some_config();
	c.password = NULL;
	assert_null(uplink_new(loop, &c, &events, NULL));
	c.client_cert = "no certificate";
	c.client_key = "no key";
	assert_null(uplink_new(loop, &c, &events, NULL));
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles_up_to_the_limit),
		cmocka_unit_test(backoff_takes_off_up_to_a_half),
		cmocka_unit_test(backoff_survives_odd_limits),
		cmocka_unit_test(a_jid_must_be_user_and_domain),
		cmocka_unit_test(nothing_is_asked_while_down),
		cmocka_unit_test(it_starts_stops_and_starts_again),
		cmocka_unit_test(two_in_one_process),
		cmocka_unit_test(what_cannot_work_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
