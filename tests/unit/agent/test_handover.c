/* The patrol of these tests is their own: it notes who is to be read. */
#include "agent/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#define MANY	20000

static struct {
	void		(*done)(void *, enum patrol_find);
	void		*arg;
	char		 zone[32];
} asked[MANY];
static size_t asked_len;
static struct loop *loop;
static struct handover *handover;
static enum patrol_find last;
static int told;

void
patrol_probe(struct patrol *patrol, const struct sockaddr_in *addr,
    const char *zone, void (*done)(void *, enum patrol_find), void *arg)
{
	assert_true(asked_len < MANY);
	asked[asked_len].done = done;
	asked[asked_len].arg = arg;
	strncpy(asked[asked_len].zone, zone == NULL ? "" : zone, 31);
	asked_len++;
}

static void
on_found(void *arg, const struct hand *hand, enum patrol_find find)
{
	last = find;
	told++;
}

static int
set_up(void **state)
{
	memset(asked, 0, sizeof(asked));
	asked_len = 0;
	told = 0;
	loop = loop_new();
	handover = handover_new(loop, NULL, on_found, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	handover_free(handover);
	loop_free(loop);
	return 0;
}

static bool
add(uint32_t n, void *host)
{
	char zone[16] = "hall";
	struct hand hand = { .zone = zone, .version = 2, .host = host };

	hand.addr.sin_family = AF_INET;
	hand.addr.sin_port = htons(161);
	hand.addr.sin_addr.s_addr = htonl(0x0a000000u + n);
	return handover_add(handover, &hand);
}

static void
finish(size_t n, enum patrol_find find)
{
	asked[n].done(asked[n].arg, find);
}

static void
some_are_read_at_a_time(void **state)
{
	uint32_t i;

	for (i = 0; i < 300; i++)
		assert_true(add(i, NULL));
	assert_int_equal(handover_start(handover, 10), 10);
	assert_string_equal(asked[0].zone, "hall");
	assert_int_equal(handover_start(handover, 1000), 118);
	assert_int_equal(handover_reading(handover), 128);
	assert_int_equal(handover_waiting(handover), 172);
	assert_int_equal(handover_start(handover, 1000), 0);
	finish(5, PATROL_PRINTER);
	assert_int_equal(told, 1);
	assert_int_equal(handover_start(handover, 1000), 1);
}

static void
an_address_waits_once(void **state)
{
	assert_true(add(1, NULL));
	assert_true(add(1, NULL));
	assert_int_equal(handover_waiting(handover), 1);
	assert_int_equal(handover_start(handover, 9), 1);
	assert_true(add(1, NULL));
	assert_int_equal(handover_waiting(handover), 0);
	finish(0, PATROL_STRANGER);
	assert_int_equal(last, PATROL_STRANGER);
	assert_true(add(1, NULL));
	assert_int_equal(handover_waiting(handover), 1);
}

static void
what_cannot_be_read_is_tried_again(void **state)
{
	static const struct {
		enum patrol_find	 find;
		bool			 host, again;
	} table[] = {
		{ PATROL_SILENT, false, true },
		{ PATROL_UNREADABLE, false, true },
		{ PATROL_DENIED, false, false },
		{ PATROL_STRANGER, false, false },
		{ PATROL_PRINTER, false, false },
		{ PATROL_SILENT, true, false },
	};
	size_t i;

	assert_int_equal(handover_pause_ms(0), 0);
	assert_int_equal(handover_pause_ms(1), 60 * 1000);
	assert_int_equal(handover_pause_ms(2), 5 * 60 * 1000);
	assert_int_equal(handover_pause_ms(3), 15 * 60 * 1000);
	assert_int_equal(handover_pause_ms(4), 0);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		asked_len = 0;
		assert_true(add((uint32_t)i, table[i].host ? &told : NULL));
		assert_int_equal(handover_start(handover, 9), 1);
		finish(0, table[i].find);
		assert_int_equal(handover_waiting(handover), 0);
		assert_int_equal(handover_reading(handover), 0);
		assert_int_equal(handover_later(handover), table[i].again);
		/* If it answers meanwhile it need not wait. */
		assert_true(add((uint32_t)i, NULL));
		assert_int_equal(handover_start(handover, 9), 1);
		finish(1, PATROL_PRINTER);
		assert_int_equal(handover_later(handover), 0);
	}
}

static void
a_network_where_everything_answers_is_bounded(void **state)
{
	uint32_t i;

	for (i = 0; i < MANY && add(i, NULL); i++)
		continue;
	assert_int_equal(i, 16384);
	assert_int_equal(handover_start(handover, 1), 1);
	finish(0, PATROL_STRANGER);
	assert_true(add(i, NULL));
	assert_false(add(i + 1, NULL));
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(some_are_read_at_a_time),
		TEST(an_address_waits_once),
		TEST(what_cannot_be_read_is_tried_again),
		TEST(a_network_where_everything_answers_is_bounded),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
