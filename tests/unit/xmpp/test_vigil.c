/* Who is pinged when, at the intervals that agents really have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "xmpp/awaited.h"
#include "xmpp/link.h"
#include "xmpp/vigil.h"

#define PING_MS	300000

static int64_t	 time_ms, heard;
static int	 presences, owed;	/* answers of the centre's */
static char	 dropped[80];
static int	 pings[2];		/* by awaited_from */
static uplink_answer_fn	*pong[2];

static int64_t
made_up_now(void)
{
	return time_ms;
}

static bool
made_up_up(const struct link *l)
{
	return dropped[0] == '\0';
}

static int64_t
made_up_heard(const struct link *l)
{
	return heard;
}

static int
made_up_send(struct link *l, const char *stanza, size_t len)
{
	presences++;
	return 0;
}

static void
made_up_drop(struct link *l, const char *why)
{
	snprintf(dropped, sizeof(dropped), "%s", why);
}

static int
made_up_put(struct awaited *a, enum awaited_from from, const char *type,
    const char *payload, size_t len, int timeout_ms, uplink_answer_fn *fn,
    void *arg)
{
	pings[from]++;
	pong[from] = fn;
	return 0;
}

static bool
made_up_any(const struct awaited *a, enum awaited_from from)
{
	return owed > 0;
}

static void
made_up_flush(struct awaited *a, enum awaited_from from)
{
	owed = 0;
}

static void
made_up_set(struct loop *loop, struct timer *t, int64_t at_ms,
    void (*fn)(void *), void *arg)
{
	t->at_ms = at_ms;
	t->fn = fn;
	t->arg = arg;
}

static void
made_up_after(struct loop *loop, struct timer *t, int64_t after_ms,
    void (*fn)(void *), void *arg)
{
	made_up_set(loop, t, time_ms + after_ms, fn, arg);
}

static void
made_up_clear(struct loop *loop, struct timer *t)
{
	t->fn = NULL;
}

#define clock_mono_ms	made_up_now
#define link_up		made_up_up
#define link_heard_ms	made_up_heard
#define link_send	made_up_send
#define link_drop	made_up_drop
#define awaited_put	made_up_put
#define awaited_any	made_up_any
#define awaited_flush	made_up_flush
#define timer_set	made_up_set
#define timer_after	made_up_after
#define timer_clear	made_up_clear
#include "xmpp/vigil.c"

static struct vigil	v;

static void
on_centre(void *arg, bool here, const char *why)
{
}

/* Logged in at time 1,000 s, and the centre answers at once. */
static int
begin(void **state)
{
	time_ms = heard = 1000000;
	presences = owed = pings[0] = pings[1] = 0;
	dropped[0] = '\0';
	v = (struct vigil){ .central = "centre.test", .ping_ms = PING_MS,
	    .fn = on_centre };
	vigil_begin(&v);
	vigil_heard(&v);
	vigil_presence(&v, NULL, NULL);
	assert_true(v.here);
	return 0;
}

/* Lets the ping's timer run until then. */
static void
run_until(int64_t until)
{
	while (v.ping.fn != NULL && v.ping.at_ms <= until) {
		time_ms = v.ping.at_ms;
		v.ping.fn(v.ping.arg);
	}
	time_ms = until;
}

static void
answer(enum awaited_from from)
{
	heard = time_ms;
	if (from == AWAITED_CENTRE)
		vigil_heard(&v);
	pong[from](&v, UPLINK_RESULT, NULL, NULL);
}

static void
one_ping_proves_both(void **state)
{
	int	i;

	run_until(time_ms + PING_MS - 1);
	assert_int_equal(pings[AWAITED_CENTRE], 0);
	for (i = 1; i <= 12; i++) {
		run_until(time_ms + (i == 1 ? 1 : PING_MS));
		assert_int_equal(pings[AWAITED_CENTRE], i);
		assert_int_equal(pings[AWAITED_SERVER], 0);
		answer(AWAITED_CENTRE);
	}
	assert_int_equal(presences, 2);		/* those of the login */
}

static void
silence_of_the_centre_is_looked_into(void **state)
{
	run_until(time_ms + PING_MS);
	assert_int_equal(pings[AWAITED_CENTRE], 1);
	/* As awaited.c does when the time is over. */
	time_ms += 30000;
	vigil_verdict(&v, AWAITED_CENTRE, UPLINK_LOST, "", time_ms - 30000);
	assert_false(v.here);
	assert_int_equal(pings[AWAITED_SERVER], 1);
	time_ms += 30000;
	pong[AWAITED_SERVER](&v, UPLINK_LOST, NULL, NULL);
	assert_string_equal(dropped, "no sign of life from the server");
}

static void
an_answer_that_is_owed_is_missed_sooner(void **state)
{
	run_until(time_ms + 10000);
	owed = 1;
	vigil_asked(&v);
	run_until(time_ms + 59999);
	assert_int_equal(pings[AWAITED_SERVER], 0);
	run_until(time_ms + 1);
	/* The centre owes one already. */
	assert_int_equal(pings[AWAITED_CENTRE], 0);
	assert_int_equal(pings[AWAITED_SERVER], 1);
	answer(AWAITED_SERVER);
	assert_string_equal(dropped, "");
	run_until(time_ms + 60000);
	assert_int_equal(pings[AWAITED_SERVER], 2);
	time_ms += 30000;
	pong[AWAITED_SERVER](&v, UPLINK_LOST, NULL, NULL);
	assert_string_equal(dropped, "no sign of life from the server");
}

static void
without_the_centre_the_server_is_pinged(void **state)
{
	centre_gone(&v, "it said so");
	assert_false(v.here);
	run_until(heard + 59999);
	assert_int_equal(pings[AWAITED_SERVER], 0);
	run_until(time_ms + 1);
	assert_int_equal(pings[AWAITED_SERVER], 1);
	assert_int_equal(pings[AWAITED_CENTRE], 0);
	answer(AWAITED_SERVER);
	run_until(heard + 60000);
	assert_int_equal(pings[AWAITED_SERVER], 2);
}

/* Lets the probes' timer run until then; something is heard all the time. */
static void
probe_until(int64_t until)
{
	while (v.probe.fn != NULL && v.probe.at_ms <= until) {
		heard = time_ms = v.probe.at_ms;
		v.probe.fn(v.probe.arg);
	}
	heard = time_ms = until;
}

/* Others are heard, but neither presence nor ping is answered. */
static void
a_line_that_is_dead_on_the_way_out_is_left(void **state)
{
	int	i;

	centre_gone(&v, "no answer in time");
	for (i = 1; i <= 3; i++) {
		assert_string_equal(dropped, "");
		probe_until(time_ms + 120000);
		assert_int_equal(pings[AWAITED_SERVER], i);
		pong[AWAITED_SERVER](&v, UPLINK_LOST, NULL, NULL);
	}
	assert_non_null(strstr(dropped, "dead in one direction"));
}

/* A late answer makes good for those that were missed. */
static void
a_slow_line_is_kept(void **state)
{
	int	i;

	centre_gone(&v, "no answer in time");
	for (i = 1; i <= 9; i++) {
		probe_until(time_ms + 120000);
		assert_int_equal(pings[AWAITED_SERVER], i);
		pong[AWAITED_SERVER](&v, i % 3 == 0 ? UPLINK_RESULT :
		    UPLINK_LOST, NULL, NULL);
	}
	assert_string_equal(dropped, "");
}

/* The server answers for a centre that is not there: that is proof enough. */
static void
answered_probes_need_no_ping(void **state)
{
	int	i;

	centre_gone(&v, "it said so");
	for (i = 0; i < 20; i++) {
		probe_until(v.probe.at_ms);
		v.presence_sent_ms = 0;		/* an error came */
	}
	assert_int_equal(pings[AWAITED_SERVER], 0);
}

/* As when the line is cut without a word just behind the login. */
static void
a_centre_that_never_came_is_missed_as_soon(void **state)
{
	vigil_end(&v);
	vigil_begin(&v);
	assert_false(v.here);
	run_until(time_ms + 60000);
	assert_int_equal(pings[AWAITED_SERVER], 1);
	time_ms += 30000;
	pong[AWAITED_SERVER](&v, UPLINK_LOST, NULL, NULL);
	assert_string_equal(dropped, "no sign of life from the server");
}

static void
what_is_heard_is_no_silence(void **state)
{
	int	i;

	for (i = 0; i < 20; i++) {
		run_until(time_ms + PING_MS / 2);
		heard = time_ms;
		vigil_heard(&v);
	}
	assert_int_equal(pings[AWAITED_CENTRE], 0);
	assert_int_equal(pings[AWAITED_SERVER], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define	T(f)	cmocka_unit_test_setup(f, begin)
		T(one_ping_proves_both),
		T(silence_of_the_centre_is_looked_into),
		T(an_answer_that_is_owed_is_missed_sooner),
		T(without_the_centre_the_server_is_pinged),
		T(a_line_that_is_dead_on_the_way_out_is_left),
		T(a_slow_line_is_kept),
		T(answered_probes_need_no_ping),
		T(a_centre_that_never_came_is_missed_as_soon),
		T(what_is_heard_is_no_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
