#include "agent/rounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define MANY	8

static struct config conf;
static struct config_snmp snmp[MANY];
static char *ranges[MANY];

/* A section: version 0 is one without. */
static void
section(int version, const char *community, int64_t port, const char *network)
{
	struct config_snmp *s = &snmp[conf.snmp_len++];

	memset(s, 0, sizeof(*s));
	s->credential.name = (char *)(uintptr_t)community;
	s->credential.version = version;
	s->credential.community = version == 3 ? NULL :
	    (char *)(uintptr_t)community;
	s->port = port;
	if (network != NULL) {
		ranges[conf.snmp_len - 1] = (char *)(uintptr_t)network;
		s->networks.item = &ranges[conf.snmp_len - 1];
		s->networks.count = 1;
	}
}

static void
start(int64_t rate)
{
	memset(&conf, 0, sizeof(conf));
	conf.snmp = snmp;
	conf.rate = rate;
}

static struct network_set *
set_of(const char *text)
{
	struct range range;
	char why[128];

	assert_int_equal(range_parse(text, &range, why, sizeof(why)), 0);
	return network_set_new(&range, 1, NULL, 0);
}

/* The pass in words: "1/2c public:161 ..." with the address's last octet. */
static char *
pass(struct rounds *r, char *out, size_t size)
{
	struct look look;
	size_t at = 0;

	out[0] = '\0';
	while (rounds_next(r, &look))
		if (look.version != 0 && at < size)
			at += (size_t)snprintf(out + at, size - at,
			    "%s%u/%d%s%s:%u", at == 0 ? "" : " ",
			    (unsigned)(look.address & 255), look.version,
			    look.version == 3 ? "" : " ",
			    look.version == 3 ? "" : look.community,
			    (unsigned)look.port);
	return out;
}

static void
order_is_v3_v2c_v1(void **state)
{
	struct network_set *set = set_of("10.0.0.1-2");
	struct rounds *r;
	char text[1024];

	start(50);
	section(1, "old", 161, NULL);
	section(0, "any", 161, NULL);
	section(3, "user", 161, NULL);
	section(2, "new", 161, NULL);
	r = rounds_new(&conf, set);
	assert_string_equal(pass(r, text, sizeof(text)),
	    "1/3:161 2/3:161 1/2 any:161 2/2 any:161 1/2 new:161 2/2 new:161 "
	    "1/1 old:161 2/1 old:161");
	/* v1 for a section without version comes in the second. */
	rounds_go(r, 2, 0);
	assert_string_equal(pass(r, text, sizeof(text)),
	    "1/3:161 2/3:161 1/2 any:161 2/2 any:161 1/2 new:161 2/2 new:161 "
	    "1/1 old:161 2/1 old:161 1/1 any:161 2/1 any:161");
	/* Who has SNMPv3 credentials has been asked. */
	rounds_go(r, ROUNDS_THIRD, 0);
	assert_string_equal(pass(r, text, sizeof(text)), "");
	rounds_free(r);
	network_set_free(set);
}

static void
credentials_are_for_their_networks(void **state)
{
	struct network_set *set = set_of("10.0.0.1-3");
	struct rounds *r;
	char text[1024];

	start(50);
	section(2, "one", 161, "10.0.0.1");
	section(3, "user", 161, "10.0.0.2-3");
	section(2, "all", 1161, NULL);
	r = rounds_new(&conf, set);
	assert_string_equal(pass(r, text, sizeof(text)),
	    "2/3:161 3/3:161 1/2 one:161 1/2 all:1161 2/2 all:1161 "
	    "3/2 all:1161");
	assert_true(rounds_has_v3(r, 0x0a000002, 161));
	assert_false(rounds_has_v3(r, 0x0a000001, 161));
	assert_false(rounds_has_v3(r, 0x0a000002, 1161));
	/* Engines are looked for wherever there is no user to ask with. */
	rounds_go(r, ROUNDS_THIRD, 0);
	assert_string_equal(pass(r, text, sizeof(text)),
	    "1/3:161 1/3:1161 2/3:1161 3/3:1161");
	rounds_free(r);
	network_set_free(set);
}

static void
nothing_is_asked_twice_in_a_pass(void **state)
{
	struct network_set *set = set_of("10.0.0.1-2");
	struct rounds *r;
	char text[1024];

	start(50);
	section(2, "same", 161, "10.0.0.1");
	section(0, "same", 161, NULL);
	section(3, "user", 161, NULL);
	section(3, "another", 161, NULL);
	r = rounds_new(&conf, set);
	assert_string_equal(pass(r, text, sizeof(text)),
	    "1/3:161 2/3:161 1/2 same:161 2/2 same:161");
	rounds_free(r);
	network_set_free(set);
}

static void
chunks_keep_an_address_s_turns_together(void **state)
{
	struct network_set *set = set_of("10.0.0.0/16");
	size_t count = 65534, n = 0, last = 0, farthest = 0;
	uint64_t done, left;
	struct rounds *r;
	struct look look;

	start(5000);
	section(2, "a", 161, NULL);
	section(2, "b", 161, NULL);
	r = rounds_new(&conf, set);
	assert_int_equal(rounds_count(r), count);
	rounds_steps(r, &done, &left);
	assert_int_equal(done, 0);
	assert_int_equal(left, 4 * count);
	while (rounds_next(r, &look)) {
		if (look.index < last && last - look.index > farthest)
			farthest = last - look.index;
		last = look.index;
		n++;
	}
	assert_int_equal(n, 2 * count);
	assert_int_equal(farthest, 2500 - 1);
	rounds_steps(r, &done, &left);
	assert_int_equal(done, 2 * count);
	assert_int_equal(rounds_done(r), count / 2);
	rounds_go(r, 2, 0);
	while (rounds_next(r, &look))
		continue;
	assert_int_equal(rounds_done(r), count);
	rounds_free(r);
	network_set_free(set);
}

/* What was asked before where is not asked again, what comes after is. */
static void
a_pass_can_be_gone_on_with(void **state)
{
	struct network_set *set = set_of("10.0.0.0/22");
	struct rounds *r, *again;
	uint32_t where;
	struct look look;
	size_t i, n;

	start(50);
	section(2, "a", 161, NULL);
	section(2, "b", 161, NULL);
	r = rounds_new(&conf, set);
	assert_int_equal(rounds_where(r), 0);
	for (i = 0; i < 2 * 256 + 300; i++)
		assert_true(rounds_next(r, &look));
	where = rounds_where(r);
	assert_int_equal(where, network_set_address(set, 256, NULL));
	again = rounds_new(&conf, set);
	assert_int_equal(rounds_fingerprint(again), rounds_fingerprint(r));
	rounds_go(again, 1, where);
	assert_true(rounds_next(again, &look));
	assert_int_equal(look.address, where);
	for (n = 1; rounds_next(again, &look); n++)
		assert_true(look.address >= where);
	assert_int_equal(n, 2 * (1022 - 256));
	/* At the end of a pass there is nothing left of it. */
	where = rounds_where(again);
	rounds_go(r, 1, where);
	assert_false(rounds_next(r, &look));
	rounds_free(r);
	rounds_free(again);
	network_set_free(set);
}

static void
changes_change_the_fingerprint(void **state)
{
	struct network_set *set = set_of("10.0.0.0/24");
	struct network_set *other = set_of("10.0.0.0/25");
	struct rounds *r;
	uint64_t print;

	start(50);
	section(2, "a", 161, NULL);
	r = rounds_new(&conf, set);
	print = rounds_fingerprint(r);
	snmp[0].port = 1161;
	assert_int_not_equal(rounds_fingerprint(r), print);
	snmp[0].port = 161;
	assert_int_equal(rounds_fingerprint(r), print);
	rounds_free(r);
	r = rounds_new(&conf, other);
	assert_int_not_equal(rounds_fingerprint(r), print);
	rounds_free(r);
	network_set_free(set);
	network_set_free(other);
}

static void
nothing_to_look_at_is_over_at_once(void **state)
{
	struct network_set *none = network_set_new(NULL, 0, NULL, 0);
	struct network_set *set = set_of("10.0.0.1");
	struct rounds *r;
	struct look look;

	start(50);
	section(2, "a", 161, NULL);
	r = rounds_new(&conf, none);
	assert_false(rounds_next(r, &look));
	assert_false(rounds_next(r, &look));
	assert_int_equal(rounds_done(r), 0);
	rounds_go(r, 2, 0x0a000001);
	assert_false(rounds_next(r, &look));
	rounds_free(r);
	start(50);
	r = rounds_new(&conf, set);
	assert_false(rounds_next(r, &look));
	rounds_free(r);
	network_set_free(none);
	network_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_v3_v2c_v1),
		cmocka_unit_test(credentials_are_for_their_networks),
		cmocka_unit_test(nothing_is_asked_twice_in_a_pass),
		cmocka_unit_test(chunks_keep_an_address_s_turns_together),
		cmocka_unit_test(a_pass_can_be_gone_on_with),
		cmocka_unit_test(changes_change_the_fingerprint),
		cmocka_unit_test(nothing_to_look_at_is_over_at_once),
	};

	return cmocka_run_group_tests_name("rounds", tests, NULL, NULL);
}
