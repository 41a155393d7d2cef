#include "agent/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#define MANY	8

static uint32_t
ip(const char *text)
{
	struct in_addr in;

	assert_int_equal(inet_pton(AF_INET, text, &in), 1);
	return ntohl(in.s_addr);
}

static void
ranges_are_what_they_say(void **state)
{
	static const struct {
		const char	*text, *first, *last;
	} table[] = {
		{ "192.0.2.9", "192.0.2.9", "192.0.2.9" },
		{ "192.0.2.9-20", "192.0.2.9", "192.0.2.20" },
		{ "192.0.2.9-9", "192.0.2.9", "192.0.2.9" },
		{ "192.0.2.9-192.0.3.1", "192.0.2.9", "192.0.3.1" },
		{ "192.0.2.0/24", "192.0.2.1", "192.0.2.254" },
		{ "192.0.2.77/24", "192.0.2.1", "192.0.2.254" },
		{ "192.0.2.8/29", "192.0.2.9", "192.0.2.14" },
		{ "192.0.2.8/30", "192.0.2.9", "192.0.2.10" },
		{ "192.0.2.8/31", "192.0.2.8", "192.0.2.9" },
		{ "192.0.2.8/32", "192.0.2.8", "192.0.2.8" },
		{ "10.1.16.0/20", "10.1.16.1", "10.1.31.254" },
		{ "10.1.16.0/16", "10.1.0.1", "10.1.255.254" },
	};
	static const char *const bad[] = { "", "x", "1.2.3", "1.2.3.4.5",
	    "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/15", "1.2.3.4/0", "1.2.3.4-",
	    "1.2.3.4-3", "1.2.3.4-256", "1.2.3.4-1.2.3", "1.2.3.4-1.2.3.3",
	    "10.0.0.0-10.1.0.0", "1.2.3.4-5-6", "1.2.3.0/24x", "1.2.3.4/-8",
	    "1.2.3.4- 9", "1.2.3.4-+9", "::1",
	    "0.0.0.0", "0.255.255.0-255", "224.0.0.1", "239.1.2.0/24",
	    "223.255.255.0-224.0.0.0", "255.255.255.255",
	    "1111111111111111111111111111111111111111111111111111111111111111"
	    "1111", NULL };
	struct range range;
	char why[128];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(range_parse(table[i].text, &range, why,
		    sizeof(why)), 0);
		assert_int_equal(range.first, ip(table[i].first));
		assert_int_equal(range.last, ip(table[i].last));
		assert_true(range_has(&range, range.first));
		assert_true(range_has(&range, range.last));
		assert_false(range_has(&range, range.first - 1));
		assert_false(range_has(&range, range.last + 1));
	}
	for (i = 0; bad[i] != NULL; i++) {
		why[0] = '\0';
		if (range_parse(bad[i], &range, why, sizeof(why)) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(why[0] != '\0');
	}
	/* The most there may be. */
	assert_int_equal(range_parse("10.0.0.0-10.0.255.255", &range, why,
	    sizeof(why)), 0);
	assert_int_equal(range.last - range.first + 1, RANGE_ADDRESSES_MAX);
}

/* --- sets --------------------------------------------------------------------- */

/* Of ranges as they stand in the INI; NULL ends. */
static struct network_set *
set_of(const char *const *in, const char *const *out)
{
	struct range wanted[MANY], not[MANY];
	size_t n, m;
	char why[128];

	for (n = 0; in[n] != NULL; n++)
		assert_int_equal(range_parse(in[n], &wanted[n], why,
		    sizeof(why)), 0);
	for (m = 0; out != NULL && out[m] != NULL; m++)
		assert_int_equal(range_parse(out[m], &not[m], why,
		    sizeof(why)), 0);
	return network_set_new(wanted, n, not, m);
}

/* The set has exactly these addresses: "a b c", with labels after a colon. */
static void
assert_walk(const struct network_set *set, const char *want)
{
	char got[1024] = "", one[128], text[INET_ADDRSTRLEN];
	const char *label;
	struct in_addr in;
	uint32_t address;
	size_t i;

	for (i = 0; i < network_set_count(set); i++) {
		address = network_set_address(set, i, &label);
		assert_int_equal(network_set_index(set, address), i);
		in.s_addr = htonl(address);
		inet_ntop(AF_INET, &in, text, sizeof(text));
		snprintf(one, sizeof(one), "%s%s:%s", i == 0 ? "" : " ", text,
		    label);
		strncat(got, one, sizeof(got) - strlen(got) - 1);
	}
	assert_string_equal(got, want);
}

static void
overlaps_are_walked_once(void **state)
{
	static const char *const in[] = { "10.0.0.4-7", "10.0.0.0/29",
	    "10.0.0.1", "9.0.0.9", NULL };
	struct network_set *set = set_of(in, NULL);

	assert_walk(set, "9.0.0.9:9.0.0.9 10.0.0.1:10.0.0.0/29 "
	    "10.0.0.2:10.0.0.0/29 10.0.0.3:10.0.0.0/29 10.0.0.4:10.0.0.4-7 "
	    "10.0.0.5:10.0.0.4-7 10.0.0.6:10.0.0.4-7 10.0.0.7:10.0.0.4-7");
	assert_int_equal(network_set_index(set, ip("10.0.0.8")), SIZE_MAX);
	assert_int_equal(network_set_index(set, ip("10.0.0.0")), SIZE_MAX);
	assert_int_equal(network_set_index(set, 0), SIZE_MAX);
	assert_int_equal(network_set_index(set, UINT32_MAX), SIZE_MAX);
	network_set_free(set);
}

static void
excluded_addresses_are_out(void **state)
{
	static const char *const in[] = { "10.0.0.1-10", NULL };
	static const char *const out[] = { "10.0.0.3", "10.0.0.3-4",
	    "10.0.0.9-20", "10.0.0.1", NULL };
	struct network_set *set = set_of(in, out);

	assert_walk(set, "10.0.0.2:10.0.0.1-10 10.0.0.5:10.0.0.1-10 "
	    "10.0.0.6:10.0.0.1-10 10.0.0.7:10.0.0.1-10 "
	    "10.0.0.8:10.0.0.1-10");
	network_set_free(set);
}

/* 10.0.5.255 is nobody's broadcast address in a /16, and out all the same. */
static void
excluded_networks_go_with_their_ends(void **state)
{
	static const char *const in[] = { "10.0.0.0/16", NULL };
	static const char *const out[] = { "10.0.5.0/24", NULL };
	struct network_set *set = set_of(in, out);

	assert_int_equal(network_set_count(set), 65534 - 256);
	assert_int_equal(network_set_index(set, ip("10.0.5.0")), SIZE_MAX);
	assert_int_equal(network_set_index(set, ip("10.0.5.255")), SIZE_MAX);
	assert_int_not_equal(network_set_index(set, ip("10.0.4.255")),
	    SIZE_MAX);
	assert_int_not_equal(network_set_index(set, ip("10.0.6.0")),
	    SIZE_MAX);
	network_set_free(set);
}

static void
sets_may_be_empty_or_at_the_edge(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const in[] = { "1.0.0.0-1",
	    "223.255.255.254-255", NULL };
	static const char *const out[] = { "1.0.0.0",
	    "223.255.255.255", NULL };
	struct network_set *set = set_of(none, in);

	assert_int_equal(network_set_count(set), 0);
	assert_int_equal(network_set_index(set, 1), SIZE_MAX);
	network_set_free(set);
	set = set_of(in, out);
	assert_walk(set, "1.0.0.1:1.0.0.0-1 "
	    "223.255.255.254:223.255.255.254-255");
	network_set_free(set);
	set = set_of(in, in);
	assert_int_equal(network_set_count(set), 0);
	network_set_free(set);
}

/* --- the own subnets ---------------------------------------------------------- */

static void
own_subnets_are_cut_to_a_size(void **state)
{
	struct range r;
	bool cut;

	network_around(ip("192.168.7.20"), ip("255.255.255.0"), &r, &cut);
	assert_false(cut);
	assert_int_equal(r.first, ip("192.168.7.1"));
	assert_int_equal(r.last, ip("192.168.7.254"));
	assert_string_equal(r.label, "192.168.7.0/24");
	network_around(ip("10.3.20.9"), ip("255.0.0.0"), &r, &cut);
	assert_true(cut);
	assert_int_equal(r.first, ip("10.3.16.1"));
	assert_int_equal(r.last, ip("10.3.31.254"));
	assert_string_equal(r.label, "10.3.16.0/20");
	network_around(ip("10.3.20.9"), ip("255.255.255.255"), &r, &cut);
	assert_false(cut);
	assert_int_equal(r.first, r.last);
	network_around(ip("10.3.20.9"), 0, &r, &cut);
	assert_true(cut);
	assert_string_equal(r.label, "10.3.16.0/20");
}

static void
loopback_is_no_subnet(void **state)
{
	struct range r[NETWORK_ATTACHED_MAX];
	size_t i, n = network_attached(r);

	assert_in_range(n, 0, NETWORK_ATTACHED_MAX);
	for (i = 0; i < n; i++) {
		assert_true(r[i].first <= r[i].last);
		assert_int_not_equal(r[i].first >> 24, 127);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_what_they_say),
		cmocka_unit_test(overlaps_are_walked_once),
		cmocka_unit_test(excluded_addresses_are_out),
		cmocka_unit_test(excluded_networks_go_with_their_ends),
		cmocka_unit_test(sets_may_be_empty_or_at_the_edge),
		cmocka_unit_test(own_subnets_are_cut_to_a_size),
		cmocka_unit_test(loopback_is_no_subnet),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
