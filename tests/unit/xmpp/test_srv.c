#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "xmpp/srv.h"

/* Answers are put together here, byte by byte. */
struct answer {
	unsigned char	at[1024];
	size_t		len;
};

static void
put(struct answer *a, const void *bytes, size_t len)
{
	memcpy(a->at + a->len, bytes, len);
	a->len += len;
}

static void
put16(struct answer *a, unsigned n)
{
	unsigned char	b[2] = { (unsigned char)(n >> 8), (unsigned char)n };

	put(a, b, 2);
}

static void
put_name(struct answer *a, const char *name)
{
	unsigned char	len;

	for (; *name != '\0'; name += name[len] == '.' ? len + 1 : len) {
		len = (unsigned char)strcspn(name, ".");
		put(a, &len, 1);
		put(a, name, len);
	}
	put(a, "", 1);
}

static void
start(struct answer *a, unsigned answers)
{
	memset(a, 0, sizeof(*a));
	put(a, "\x12\x34\x81\x80", 4);
	put16(a, 1);
	put16(a, answers);
	put16(a, 0);
	put16(a, 0);
	put_name(a, "_xmpp-client._tcp.agents.test");
	put16(a, 33);
	put16(a, 1);
}

static void
record(struct answer *a, unsigned type, unsigned priority, unsigned weight,
    unsigned port, const char *target)
{
	size_t	at;

	put16(a, 0xc00c);
	put16(a, type);
	put16(a, 1);
	put(a, "\0\0\0\x3c", 4);
	at = a->len;
	put16(a, 0);
	put16(a, priority);
	put16(a, weight);
	put16(a, port);
	put_name(a, target);
	a->at[at] = (unsigned char)((a->len - at - 2) >> 8);
	a->at[at + 1] = (unsigned char)(a->len - at - 2);
}

static int
parse(const unsigned char *bytes, size_t len, struct srv *srv,
    int max)
{
	/* In a block of its own size, so that a sanitizer sees a step past
	 * its end. */
	unsigned char	*copy = malloc(len > 0 ? len : 1);
	int		 n;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	n = srv_parse(copy, len, false, srv, max);
	free(copy);
	return n;
}

static void
srv_records_are_read(void **state)
{
	struct srv	srv[4];
	struct answer		a;

	start(&a, 3);
	record(&a, 33, 10, 5, 5222, "one.agents.test");
	record(&a, 5, 0, 0, 0, "alias.agents.test");
	record(&a, 33, 20, 0, 443, "two.agents.test");
	assert_int_equal(parse(a.at, a.len, srv, 4), 2);
	assert_string_equal(srv[0].host, "one.agents.test");
	assert_int_equal(srv[0].priority, 10);
	assert_int_equal(srv[0].weight, 5);
	assert_int_equal(srv[0].port, 5222);
	assert_string_equal(srv[1].host, "two.agents.test");
	assert_int_equal(parse(a.at, a.len, srv, 1), 1);
	assert_int_equal(srv_parse(a.at, a.len, true, srv, 4), 2);
	assert_true(srv[1].direct);
}

/* They go into requests to proxies. */
static void
targets_that_are_no_host(void **state)
{
	struct srv	srv[4];
	struct answer	a;

	start(&a, 4);
	record(&a, 33, 0, 0, 5222, "a\rb\nHost: x.test");
	record(&a, 33, 0, 0, 5222, "a b.test");
	record(&a, 33, 0, 0, 5222, "good-1_a.test");
	record(&a, 33, 0, 0, 5222, "sch\xc3\xb6n.test");
	assert_int_equal(parse(a.at, a.len, srv, 4), 1);
	assert_string_equal(srv[0].host, "good-1_a.test");
}

static void
srv_that_says_no(void **state)
{
	struct srv	srv[4];
	struct answer		a;

	start(&a, 1);
	record(&a, 33, 0, 0, 0, "");
	assert_int_equal(parse(a.at, a.len, srv, 4), -1);
	start(&a, 1);
	record(&a, 33, 0, 0, 0, "port.zero.test");
	assert_int_equal(parse(a.at, a.len, srv, 4), 0);
	start(&a, 0);
	assert_int_equal(parse(a.at, a.len, srv, 4), 0);
}

static void
srv_cut_short_and_changed(void **state)
{
	struct srv	srv[4];
	struct answer		a;
	unsigned char		was;
	size_t			i;
	unsigned		seed = 1, n;

	start(&a, 2);
	record(&a, 33, 10, 5, 5222, "one.agents.test");
	record(&a, 33, 20, 0, 443, "two.agents.test");
	for (i = 0; i <= a.len; i++)
		assert_in_range(parse(a.at, i, srv, 4) + 1, 0, 3);
	/* Every byte, to the values that mean pointers, ends and lengths. */
	for (i = 0; i < a.len; i++) {
		was = a.at[i];
		for (n = 0; n < 12; n++) {
			a.at[i] = (unsigned char)"\x00\x01\x07\x3f\x40\x7f"
			    "\x80\xbf\xc0\xc1\xfe\xff"[n];
			assert_in_range(parse(a.at, a.len, srv, 4) + 1, 0, 5);
		}
		a.at[i] = was;
	}
	for (n = 0; n < 20000; n++) {
		for (i = 0; i < a.len; i++)
			a.at[i] = (unsigned char)
			    ((seed = seed * 1103515245 + 12345) >> 16);
		a.at[4] = a.at[6] = 0;
		parse(a.at, a.len, srv, 4);
	}
}

static uint32_t	rolls[8];
static int	rolled;

static uint32_t
loaded_dice(void *arg, uint32_t below)
{
	return rolls[rolled++] % below;
}

static void
by_priority_and_weight(void **state)
{
	struct srv	srv[4] = {
		{ .host = "late", .priority = 20, .weight = 0 },
		{ .host = "heavy", .priority = 10, .weight = 60 },
		{ .host = "light", .priority = 10, .weight = 20 },
		{ .host = "zero", .priority = 10, .weight = 0 },
	};

	rolled = 0;
	memset(rolls, 0, sizeof(rolls));
	srv_order(srv, 4, loaded_dice, NULL);
	assert_string_equal(srv[0].host, "zero");
	assert_string_equal(srv[3].host, "late");
	rolled = 0;
	rolls[0] = 80;		/* the last of the running sum */
	srv_order(srv, 4, loaded_dice, NULL);
	assert_true(strcmp(srv[0].host, "zero") != 0);
	assert_string_equal(srv[3].host, "late");
}

/* Of 10 and 90 the second comes first nine times in ten. */
static void
weights_count(void **state)
{
	struct srv	srv[2];
	int		i, heavy = 0;

	for (i = 0; i < 2000; i++) {
		memset(srv, 0, sizeof(srv));
		srv[0].weight = 10;
		srv[0].direct = true;
		srv[1].weight = 90;
		srv_order(srv, 2, srv_dice, NULL);
		heavy += !srv[0].direct;
	}
	assert_in_range(heavy, 1650, 1950);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srv_records_are_read),
		cmocka_unit_test(targets_that_are_no_host),
		cmocka_unit_test(srv_that_says_no),
		cmocka_unit_test(srv_cut_short_and_changed),
		cmocka_unit_test(by_priority_and_weight),
		cmocka_unit_test(weights_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
