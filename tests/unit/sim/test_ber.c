/* The simulator's BER: what it writes it reads, and what lies about its
 * length is refused without a look past the end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/sim/ber.c"
#include "tests/sim/oid.c"

static struct ber_out
writer(uint8_t *room, size_t len)
{
	return (struct ber_out){ room, 0, len, false };
}

static void
test_int_bytes(void **state)
{
	/* X.690 8.3.2: as few octets as possible, two's complement */
	static const struct { int64_t n; size_t len; uint8_t bytes[9]; } t[] = {
		{ 0, 1, { 0 } }, { 127, 1, { 0x7f } }, { 128, 2, { 0, 0x80 } },
		{ -1, 1, { 0xff } }, { -128, 1, { 0x80 } },
		{ -129, 2, { 0xff, 0x7f } }, { 256, 2, { 1, 0 } },
		{ INT32_MAX, 4, { 0x7f, 0xff, 0xff, 0xff } },
		{ INT32_MIN, 4, { 0x80, 0, 0, 0 } },
		{ UINT32_MAX, 5, { 0, 0xff, 0xff, 0xff, 0xff } },
	};
	uint8_t out[BER_INT_MAX];
	struct ber body;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(ber_make_signed(t[i].n, out), t[i].len);
		assert_memory_equal(out, t[i].bytes, t[i].len);
		body = (struct ber){ out, t[i].len };
		assert_int_equal(ber_signed(body, &n), 0);
		assert_int_equal(n, t[i].n);
	}
}

static void
test_unsigned(void **state)
{
	static const uint64_t t[] = { 0, 1, 127, 128, UINT32_MAX, INT64_MAX,
	    (uint64_t)INT64_MAX + 1, UINT64_MAX };
	uint8_t out[BER_INT_MAX];
	uint64_t n;
	size_t i, len;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		len = ber_make_unsigned(t[i], out);
		assert_true(len <= BER_INT_MAX && (out[0] & 0x80) == 0);
		assert_int_equal(ber_unsigned((struct ber){ out, len }, &n),
		    0);
		assert_true(n == t[i]);
	}
	assert_int_equal(ber_unsigned((struct ber){ out, 0 }, &n), -1);
	memset(out, 0xff, sizeof(out));
	assert_int_equal(ber_unsigned((struct ber){ out, 9 }, &n), -1);
}

static void
test_oid_bytes(void **state)
{
	static const uint8_t snmp[] = { 0x2b, 6, 1, 2, 1 };
	static const uint8_t big[] = { 0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f };
	uint8_t out[BER_OID_MAX];
	uint32_t sub[OID_MAX];
	struct oid id;

	assert_int_equal(oid_parse(".1.3.6.1.2.1", &id), 0);
	assert_int_equal(ber_make_oid(id.sub, id.len, out), sizeof(snmp));
	assert_memory_equal(out, snmp, sizeof(snmp));
	assert_int_equal(oid_parse("1.3.4294967295", &id), 0);
	assert_int_equal(ber_make_oid(id.sub, id.len, out), sizeof(big));
	assert_memory_equal(out, big, sizeof(big));
	assert_int_equal(ber_oid((struct ber){ big, sizeof(big) }, sub,
	    OID_MAX), 3);
	assert_true(sub[2] == UINT32_MAX);
}

static void
test_oid_round_trip(void **state)
{
	uint8_t out[BER_OID_MAX];
	uint32_t sub[OID_MAX], back[OID_MAX];
	size_t len, n, i, turn;

	srandom(1);
	for (turn = 0; turn < 5000; turn++) {
		n = 2 + (size_t)random() % (OID_MAX - 1);
		sub[0] = (uint32_t)random() % 3;
		for (i = 1; i < n; i++)
			sub[i] = (uint32_t)random() >> random() % 32 << 1;
		if (sub[0] < 2)
			sub[1] %= 40;
		len = ber_make_oid(sub, n, out);
		assert_int_equal(ber_oid((struct ber){ out, len }, back,
		    OID_MAX), n);
		assert_memory_equal(sub, back, n * sizeof(*sub));
		/* one sub-identifier too many for the room */
		assert_int_equal(ber_oid((struct ber){ out, len }, back,
		    n - 1), -1);
	}
}

static void
test_bad_oids(void **state)
{
	static const uint8_t open[] = { 0x2b, 6, 0x81 };
	static const uint8_t wide[] = { 0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f };
	uint32_t sub[OID_MAX];

	assert_int_equal(ber_oid((struct ber){ open, 3 }, sub, OID_MAX), -1);
	assert_int_equal(ber_oid((struct ber){ wide, 6 }, sub, OID_MAX), -1);
	assert_int_equal(ber_oid((struct ber){ open, 0 }, sub, OID_MAX), 2);
}

static void
test_lengths(void **state)
{
	static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 65535,
	    65536, 70000 };
	uint8_t *room = calloc(1, 80000), *body = calloc(1, 70000), tag;
	struct ber_out out;
	struct ber in, got;
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		out = writer(room, 80000);
		ber_put(&out, BER_OCTETS, body, lens[i]);
		assert_false(out.full);
		assert_int_equal(out.len, ber_size(lens[i]));
		in = (struct ber){ room, out.len };
		assert_int_equal(ber_take(&in, &tag, &got), 0);
		assert_int_equal(tag, BER_OCTETS);
		assert_int_equal(got.left, lens[i]);
		assert_int_equal(in.left, 0);
		/* cut anywhere it is refused */
		if (lens[i] > 0) {
			in = (struct ber){ room, out.len - 1 };
			assert_int_equal(ber_take(&in, &tag, &got), -1);
		}
		/* no room, nothing written */
		out = writer(room, ber_size(lens[i]) - 1);
		ber_put(&out, BER_OCTETS, body, lens[i]);
		assert_true(out.full && out.len == 0);
	}
	free(room);
	free(body);
}

static void
test_hostile_lengths(void **state)
{
	static const struct { size_t len; uint8_t bytes[8]; } t[] = {
		{ 0, { 0 } },
		{ 1, { 0x30 } },
		{ 2, { 0x30, 0x01 } },
		{ 2, { 0x30, 0x80 } },			/* indefinite */
		{ 2, { 0x30, 0x84 } },			/* length cut */
		{ 5, { 0x30, 0x84, 0xff, 0xff, 0xff } },
		{ 6, { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff } },
		{ 8, { 0x30, 0x85, 0, 0, 0, 0, 1, 0 } },	/* 5 octets */
		{ 8, { 0x30, 0xff, 0, 0, 0, 0, 0, 0 } },
		{ 4, { 0x1f, 0x81, 0x01, 0x00 } },	/* long tag */
	};
	struct ber in, body;
	uint8_t tag, *copy;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		/* exactly as long as it says, so that ASan sees a step over */
		copy = malloc(t[i].len + (t[i].len == 0));
		memcpy(copy, t[i].bytes, t[i].len);
		in = (struct ber){ copy, t[i].len };
		assert_int_equal(ber_take(&in, &tag, &body), -1);
		free(copy);
	}
}

static void
test_noise(void **state)
{
	struct ber in, body;
	uint8_t bytes[64], *copy, tag;
	uint32_t sub[OID_MAX];
	int64_t n;
	size_t len, i;
	int turn;

	srandom(2);
	for (turn = 0; turn < 200000; turn++) {
		len = (size_t)random() % sizeof(bytes);
		for (i = 0; i < len; i++)
			bytes[i] = (uint8_t)(random() % 4 == 0 ? random() :
			    random() % 8);
		copy = malloc(len + 1);
		memcpy(copy, bytes, len);
		in = (struct ber){ copy, len };
		while (ber_take(&in, &tag, &body) == 0) {
			assert_true(body.at >= copy &&
			    body.at + body.left <= copy + len);
			ber_oid(body, sub, OID_MAX);
			ber_signed(body, &n);
		}
		free(copy);
	}
}

static void
test_oid_text(void **state)
{
	static const char *const bad[] = { "", ".", "1.", "1..3", "a", "1.3a",
	    "1.4294967296", "-1", " 1", "1.3 " };
	char text[OID_TEXT_MAX];
	struct oid id, other;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(oid_parse(bad[i], &id), -1);
	assert_int_equal(oid_parse("1.3.6.0.4294967295", &id), 0);
	assert_string_equal(oid_format(id.sub, id.len, text),
	    "1.3.6.0.4294967295");
	assert_int_equal(oid_parse("1.3.6", &other), 0);
	assert_int_equal(oid_cmp(other.sub, 3, id.sub, 5), -1);
	assert_int_equal(oid_cmp(id.sub, 5, other.sub, 3), 1);
	assert_true(oid_within(id.sub, 5, other.sub, 3));
	assert_false(oid_within(other.sub, 3, id.sub, 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int_bytes),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_oid_bytes),
		cmocka_unit_test(test_oid_round_trip),
		cmocka_unit_test(test_bad_oids),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_oid_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
