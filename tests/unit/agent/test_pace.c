/* The pace: it finds what a line bears, and asks no more of it. */
#include "agent/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LEAST	2048
#define START	16384
#define MOST	(512 * 1024)

static void
begin(struct pace *p)
{
	pace_start(p, LEAST, START, MOST, 1000, 2000);
}

/*
 * A line that lets through so many octets a second, with a delay of its own,
 * and an agent that always has more to send.  Returns the octets that came
 * through in that time; worst is the longest wait for an answer in the second
 * half of it, what the way alone takes left out.
 */
static size_t
drive(struct pace *p, double rate, int64_t way_ms, int64_t for_ms,
    int64_t *worst)
{
	struct { size_t octets; int64_t sent, answer; } queue[64];
	int first = 0, len = 0;
	int64_t now = 1;
	double free_at = 1;
	size_t under_way = 0, room, through = 0;

	*worst = 0;
	pace_answer(p, 0, 0, now - way_ms, now);	/* the handshake */
	while (now < for_ms) {
		while (len < 16 && (room = pace_room(p, under_way)) > 0) {
			int at = (first + len++) % 64;

			if (free_at < (double)now)
				free_at = (double)now;
			free_at += (double)room * 1000 / rate;
			queue[at].octets = room;
			queue[at].sent = now;
			queue[at].answer = (int64_t)free_at + way_ms;
			under_way += room;
		}
		assert_true(len > 0);
		now = queue[first].answer;
		pace_answer(p, queue[first].octets, under_way,
		    queue[first].sent, now);
		if (now > for_ms / 2 &&
		    now - queue[first].sent - way_ms > *worst)
			*worst = now - queue[first].sent - way_ms;
		under_way -= queue[first].octets;
		through += queue[first].octets;
		first = (first + 1) % 64;
		len--;
	}
	return through;
}

static void
a_quick_line_is_filled(void **state)
{
	struct pace p;
	int64_t worst;

	begin(&p);
	assert_true(drive(&p, 10e6, 5, 10000, &worst) > 20 * 1000 * 1000);
	assert_int_equal(p.window, MOST);
}

/* What servers let through by default: 3,000 octets a second, or 10,000; what
 * is under way counts three times of that before it is squashed. */
static void
a_slow_line_has_no_queue(void **state)
{
	static const double rates[] = { 2000, 9000, 30000 };
	struct pace p;
	int64_t worst;
	size_t i;

	for (i = 0; i < 3; i++) {
		begin(&p);
		assert_true((double)drive(&p, rates[i], 40, 300000, &worst) >
		    rates[i] * 300 * 0.8);
		if (worst > 3500)
			fail_msg("%.0f: %lld ms", rates[i], (long long)worst);
	}
}

/* Seconds of delay that the way itself takes are nobody's queue. */
static void
a_long_way_is_no_slow_line(void **state)
{
	struct pace p;
	int64_t worst;

	begin(&p);
	assert_true(drive(&p, 1e6, 4000, 300000, &worst) > 15 * 1000 * 1000);
	assert_true(worst < 3000);
}

static void
it_shrinks_once_for_all_that_was_sent(void **state)
{
	struct pace p;
	int i;

	begin(&p);
	pace_answer(&p, 0, 0, 1000, 1010);
	for (i = 0; i < 8; i++)
		pace_answer(&p, 2000, START, 2000 + i, 6000 + i);
	assert_int_equal(p.window, START / 2);
	pace_answer(&p, 2000, START, 6001, 10000);
	assert_int_equal(p.window, START / 4);
	for (i = 0; i < 10; i++)
		pace_answer(&p, 2000, START, 20000 + i * 9999,
		    24000 + i * 9999);
	assert_int_equal(p.window, LEAST);
	assert_true(pace_room(&p, 0) > 0);
}

static void
it_grows_only_when_it_is_used(void **state)
{
	struct pace p;

	begin(&p);
	pace_answer(&p, 100, 100, 1000, 1010);
	assert_int_equal(p.window, START);
	pace_answer(&p, 8000, 8192, 1000, 1010);
	assert_int_equal(p.window, START + 8000);
	/* A clock that went backwards says nothing. */
	pace_answer(&p, 8000, 8192, 1000, 900);
	assert_int_equal(p.window, START + 8000);
}

static void
no_crumbs(void **state)
{
	struct pace p;

	begin(&p);
	assert_int_equal(pace_room(&p, 0), START / 2);
	assert_int_equal(pace_room(&p, START / 2), START / 2);
	assert_int_equal(pace_room(&p, START / 8 * 7), 0);
	assert_int_equal(pace_room(&p, START), 0);
	assert_int_equal(pace_room(&p, START * 3), 0);
	pace_start(&p, LEAST, LEAST, MOST, 1000, 2000);
	assert_int_equal(pace_room(&p, 0), LEAST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quick_line_is_filled),
		cmocka_unit_test(a_slow_line_has_no_queue),
		cmocka_unit_test(a_long_way_is_no_slow_line),
		cmocka_unit_test(it_shrinks_once_for_all_that_was_sent),
		cmocka_unit_test(it_grows_only_when_it_is_used),
		cmocka_unit_test(no_crumbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
