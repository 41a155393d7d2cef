/*
 * The octets of SNMP: by hand from X.690 and RFC 3416, there and back, cut at
 * every place, changed at every place, and against net-snmp in both
 * directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "snmp/ber.h"

static const uint32_t sys_name[] = { 9, 1, 3, 6, 1, 2, 1, 1, 5, 0 };

/* GET sysName.0, community public, request id 0x2a, v2c. */
static const uint8_t get_by_hand[] = {
	0x30, 0x26,
	0x02, 0x01, 0x01,
	0x04, 0x06, 'p', 'u', 'b', 'l', 'i', 'c',
	0xa0, 0x19,
	0x02, 0x01, 0x2a,
	0x02, 0x01, 0x00,
	0x02, 0x01, 0x00,
	0x30, 0x0e,
	0x30, 0x0c,
	0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x05, 0x00,
	0x05, 0x00
};

/* Its answer with one of each type, some as firmware writes them. */
static const uint8_t answer_by_hand[] = {
	0x30, 0x82, 0x00, 0xad,
	0x02, 0x01, 0x00,
	0x04, 0x06, 'p', 'u', 'b', 'l', 'i', 'c',
	0xa2, 0x81, 0x9f,
	0x02, 0x04, 0x7f, 0xff, 0xff, 0xff,
	0x02, 0x01, 0x00,
	0x02, 0x02, 0x00, 0x00,
	0x30, 0x84, 0x00, 0x00, 0x00, 0x8c,
	0x30, 0x09, 0x06, 0x02, 0x2b, 0x06, 0x02, 0x03, 0xff, 0x7f, 0xff,
	0x30, 0x09, 0x06, 0x02, 0x2b, 0x07, 0x04, 0x03, 't', 'o', 'y',
	0x30, 0x0a, 0x06, 0x02, 0x2b, 0x08, 0x40, 0x04, 10, 0, 0, 1,
	0x30, 0x0b, 0x06, 0x02, 0x2b, 0x09, 0x41, 0x05,
	    0x00, 0xff, 0xff, 0xff, 0xfe,
	0x30, 0x0a, 0x06, 0x02, 0x2b, 0x0a, 0x42, 0x04,
	    0xff, 0xff, 0xff, 0xfd,
	0x30, 0x07, 0x06, 0x02, 0x2b, 0x0b, 0x43, 0x01, 0x7f,
	0x30, 0x0f, 0x06, 0x02, 0x2b, 0x0c, 0x46, 0x09,
	    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x30, 0x0a, 0x06, 0x02, 0x2b, 0x0d, 0x06, 0x04,
	    0x88, 0x37, 0x83, 0x01,
	0x30, 0x09, 0x06, 0x02, 0x2b, 0x0e, 0x44, 0x03, 0x9f, 0x78, 0x00,
	0x30, 0x06, 0x06, 0x02, 0x2b, 0x0f, 0x80, 0x00,
	0x30, 0x06, 0x06, 0x02, 0x2b, 0x10, 0x81, 0x00,
	0x30, 0x06, 0x06, 0x02, 0x2b, 0x11, 0x82, 0x00,
	0x30, 0x06, 0x06, 0x02, 0x2b, 0x12, 0x02, 0x00,
};

static void
test_request_by_hand(void **state)
{
	uint8_t bytes[128];
	struct ber_out out;

	(void)state;
	ber_out_init(&out, bytes, sizeof(bytes));
	ber_put_request(&out, BER_GET, 0x2a, 0, 0, sys_name, 1);
	ber_put_message(&out, 2, "public");
	assert_false(out.full);
	assert_int_equal(ber_out_len(&out), sizeof(get_by_hand));
	assert_memory_equal(out.at, get_by_hand, sizeof(get_by_hand));
}

static void
expect_number(struct ber_in *in, enum bag_type type, int64_t number)
{
	struct objid id;
	struct bag_value value;
	bool missing;

	assert_true(ber_get_varbind(in, &id, &value, &missing));
	assert_false(missing);
	assert_int_equal(value.type, type);
	assert_int_equal(value.number, number);
	assert_int_equal(value.octets_len, 0);
	assert_int_equal(value.objid.len, 0);
}

static void
expect_octets(struct ber_in *in, enum bag_type type, const char *octets,
    size_t len)
{
	struct objid id;
	struct bag_value value;
	bool missing;

	assert_true(ber_get_varbind(in, &id, &value, &missing));
	assert_false(missing);
	assert_int_equal(value.type, type);
	assert_int_equal(value.octets_len, len);
	assert_memory_equal(value.octets, octets, len);
}

static void
test_answer_by_hand(void **state)
{
	static const uint32_t microsoft[] = { 2, 999, 385 };
	const uint8_t *community;
	size_t len;
	int version, i;
	struct ber_in in;
	struct ber_pdu pdu;
	struct objid id;
	struct bag_value value;
	bool missing;

	(void)state;
	assert_true(ber_get_message(answer_by_hand, sizeof(answer_by_hand),
	    &version, &community, &len, &in));
	assert_int_equal(version, 1);
	assert_int_equal(len, 6);
	assert_memory_equal(community, "public", 6);
	assert_true(ber_get_pdu(&in, &pdu));
	assert_int_equal(pdu.type, BER_RESPONSE);
	assert_int_equal(pdu.request_id, INT32_MAX);
	assert_int_equal(pdu.error_status, 0);
	assert_int_equal(pdu.error_index, 0);
	in = pdu.varbinds;
	expect_number(&in, BAG_INTEGER, -32769);
	expect_octets(&in, BAG_OCTETS, "toy", 3);
	expect_octets(&in, BAG_IPADDRESS, "\x0a\0\0\x01", 4);
	expect_number(&in, BAG_COUNTER, 4294967294);
	expect_number(&in, BAG_GAUGE, 4294967293);
	expect_number(&in, BAG_TICKS, 127);
	expect_number(&in, BAG_COUNTER64, INT64_MAX);
	assert_true(ber_get_varbind(&in, &id, &value, &missing));
	assert_false(missing);
	assert_int_equal(value.type, BAG_OBJID);
	assert_int_equal(value.objid.len, 3);
	assert_memory_equal(value.objid.sub, microsoft, sizeof(microsoft));
	expect_octets(&in, BAG_OCTETS, "\x9f\x78\0", 3);
	for (i = 0; i < 4; i++) {
		assert_true(ber_get_varbind(&in, &id, &value, &missing));
		assert_true(missing);
		assert_int_equal(id.len, 3);
		assert_int_equal(id.sub[2], 15 + i);
	}
	assert_ptr_equal(in.at, in.end);
	assert_false(ber_get_varbind(&in, &id, &value, &missing));
}

static void
test_numbers(void **state)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
		int64_t		 value;
		bool		 good;
	} cases[] = {
		{ "\x02\x00", 2, 0, false },
		{ "\x02\x01\x80", 3, -128, true },
		{ "\x02\x05\x00\x80\0\0\0", 7, 2147483648, true },
		{ "\x02\x08\x80\0\0\0\0\0\0\0", 10, INT64_MIN, true },
		{ "\x02\x09\0\xff\0\0\0\0\0\0\0", 11, INT64_MAX, true },
		{ "\x02\x09\xff\0\0\0\0\0\0\0\0", 11, INT64_MIN, true },
		{ "\x02\x09\x01\0\0\0\0\0\0\0\0", 11, 0, false },
		{ "\x02\x0a\0\0\0\0\0\0\0\0\0\0", 12, 0, false },
		{ "\x02\x81\x01\x05", 4, 5, true },
		{ "\x02\x82\x00\x01\x05", 5, 5, true },
		{ "\x02\x84\0\0\0\x01\x05", 7, 5, true },
		{ "\x02\x85\0\0\0\0\x01\x05", 8, 0, false },
		{ "\x02\x80\x05\0\0", 5, 0, false },
		{ "\x02\x02\x05", 3, 0, false },
		{ "\x02\x84\xff\xff\xff\xff\x05", 7, 0, false },
		{ "\x02", 1, 0, false },
		{ "\x04\x01\x05", 3, 0, false },
		{ "", 0, 0, false },
		/* Wrongly signed, and more than 32 bits, are what they say. */
		{ "\x41\x04\x80\0\0\0", 6, 2147483648, true },
		{ "\x41\x01\xff", 3, UINT32_MAX, true },
		{ "\x41\x05\x01\0\0\0\0", 7, 4294967296, true },
		{ "\x46\x08\xff\0\0\0\0\0\0\0", 10, INT64_MAX, true },
		{ "\x46\x08\x7f\xff\xff\xff\xff\xff\xff\xff", 10, INT64_MAX,
		    true },
		{ "\x46\x01\x07", 3, 7, true },
	};
	size_t i;
	int64_t value;
	struct ber_in in;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ber_in_init(&in, cases[i].bytes, cases[i].len);
		assert_int_equal(ber_get_int(&in, i < 18 ? 2 :
		    (uint8_t)cases[i].bytes[0], &value), cases[i].good);
		if (cases[i].good)
			assert_int_equal(value, cases[i].value);
	}
}

static void
test_objids(void **state)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
		const char	*text;
	} cases[] = {
		{ "\x06\x00", 2, "0.0" },
		{ "\x06\x01\x00", 3, "0.0" },
		{ "\x06\x01\x27", 3, "0.39" },
		{ "\x06\x01\x28", 3, "1.0" },
		{ "\x06\x01\x4f", 3, "1.39" },
		{ "\x06\x01\x50", 3, "2.0" },
		{ "\x06\x05\x90\x80\x80\x80\x4f", 7, "2.4294967295" },
		{ "\x06\x05\x90\x80\x80\x80\x50", 7, NULL },
		{ "\x06\x06\x2b\x8f\xff\xff\xff\x7f", 8, "1.3.4294967295" },
		{ "\x06\x06\x2b\x90\x80\x80\x80\x00", 8, NULL },
		{ "\x06\x03\x2b\x80\x01", 5, "1.3.1" },
		{ "\x06\x02\x2b\x81", 4, NULL },
		{ "\x06\x01\x81", 3, NULL },
		{ "\x06\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 13,
		    NULL },
	};
	char text[OBJID_TEXT_MAX];
	uint8_t bytes[1024];
	size_t i;
	struct objid id, back;
	struct ber_in in;
	struct ber_out out;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ber_in_init(&in, cases[i].bytes, cases[i].len);
		assert_int_equal(ber_get_objid(&in, &id),
		    cases[i].text != NULL);
		if (cases[i].text == NULL)
			continue;
		assert_string_equal(objid_format(&id, text), cases[i].text);
		ber_out_init(&out, bytes, sizeof(bytes));
		ber_put_objid(&out, id.sub, id.len);
		ber_in_init(&in, out.at, ber_out_len(&out));
		assert_true(ber_get_objid(&in, &back));
		assert_int_equal(objid_cmp(&id, &back), 0);
	}
	/* The longest, and one more than that. */
	id.len = OBJID_MAX;
	id.sub[0] = 1;
	id.sub[1] = 3;
	for (i = 2; i < OBJID_MAX; i++)
		id.sub[i] = UINT32_MAX;
	ber_out_init(&out, bytes, sizeof(bytes));
	ber_put_objid(&out, id.sub, id.len);
	ber_in_init(&in, out.at, ber_out_len(&out));
	assert_true(ber_get_objid(&in, &back));
	assert_int_equal(objid_cmp(&id, &back), 0);
	memset(bytes, 1, 2 + OBJID_MAX);
	bytes[0] = 6;
	bytes[1] = 0x7f;
	ber_in_init(&in, bytes, 2 + 0x7f);
	assert_true(ber_get_objid(&in, &back));
	assert_int_equal(back.len, OBJID_MAX);
	bytes[1] = 0x81;
	bytes[2] = 0x80;
	memset(bytes + 3, 1, 0x80);
	ber_in_init(&in, bytes, 3 + 0x80);
	assert_false(ber_get_objid(&in, &back));
	/* Nonsense of our own does not fit either. */
	ber_out_init(&out, bytes, sizeof(bytes));
	ber_put_objid(&out, id.sub, OBJID_MAX + 1);
	assert_true(out.full);
	id.sub[0] = UINT32_MAX;
	ber_out_init(&out, bytes, sizeof(bytes));
	ber_put_objid(&out, id.sub, 4);
	assert_true(out.full);
}

/* Whatever is written into too little room says so, and stays inside. */
static void
test_full(void **state)
{
	size_t room;
	uint8_t *bytes;
	struct ber_out out;

	(void)state;
	for (room = 0; room <= sizeof(get_by_hand); room++) {
		bytes = malloc(room + 1);
		ber_out_init(&out, bytes, room);
		ber_put_request(&out, BER_GET, 0x2a, 0, 0, sys_name, 1);
		ber_put_message(&out, 2, "public");
		assert_int_equal(out.full, room < sizeof(get_by_hand));
		assert_true(out.at >= bytes);
		free(bytes);
	}
	ber_out_init(&out, (uint8_t[64]){ 0 }, 64);
	ber_put_request(&out, BER_GET, 1, 0, 0, sys_name, BER_REQUEST_MAX + 1);
	assert_true(out.full);
}

static void
test_lengths_written(void **state)
{
	static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 65535,
	    65536, 70000 };
	uint8_t *bytes = malloc(80000), *blob = calloc(1, 70000);
	const uint8_t *got;
	size_t i, len;
	struct ber_out out;
	struct ber_in in;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ber_out_init(&out, bytes, 80000);
		ber_put_octets(&out, 4, blob, lens[i]);
		len = lens[i] < 128 ? 2 : lens[i] < 256 ? 3 :
		    lens[i] < 65536 ? 4 : 5;
		assert_int_equal(ber_out_len(&out), lens[i] + len);
		ber_in_init(&in, out.at, ber_out_len(&out));
		assert_true(ber_get_octets(&in, 4, &got, &len));
		assert_int_equal(len, lens[i]);
		assert_ptr_equal(in.at, in.end);
	}
	free(blob);
	free(bytes);
}

static void
test_versions(void **state)
{
	uint8_t copy[sizeof(get_by_hand)];
	const uint8_t *community;
	size_t len;
	int version;
	struct ber_in in;

	(void)state;
	memcpy(copy, get_by_hand, sizeof(copy));
	for (copy[4] = 0; copy[4] < 6; copy[4]++) {
		version = copy[4] < 2 ? copy[4] + 1 : copy[4] == 3 ? 3 : 0;
		assert_int_equal(ber_message_version(copy, sizeof(copy)),
		    version);
		assert_int_equal(ber_get_message(copy, sizeof(copy), &version,
		    &community, &len, &in), copy[4] < 2);
	}
	assert_int_equal(ber_message_version("", 0), 0);
	/* What firmware appends to a message is nobody's business. */
	{
		uint8_t more[sizeof(get_by_hand) + 3] = { 0 };

		memcpy(more, get_by_hand, sizeof(get_by_hand));
		assert_true(ber_get_message(more, sizeof(more), &version,
		    &community, &len, &in));
	}
}

/* Reads all there is in a message; true when it was all sound. */
static bool
read_all(const uint8_t *bytes, size_t len)
{
	const uint8_t *community;
	size_t community_len, n = 0, i;
	int version;
	struct ber_in in;
	struct ber_pdu pdu;
	struct objid id;
	struct bag_value value;
	bool missing;
	uint8_t touch = 0;

	ber_message_version(bytes, len);
	if (!ber_get_message(bytes, len, &version, &community,
	    &community_len, &in) || !ber_get_pdu(&in, &pdu))
		return false;
	while (pdu.varbinds.at < pdu.varbinds.end) {
		if (!ber_get_varbind(&pdu.varbinds, &id, &value, &missing))
			return false;
		assert_in_range(id.len, 2, OBJID_MAX);
		for (i = 0; !missing && i < value.octets_len; i++)
			touch ^= value.octets[i];
		assert_in_range(++n, 1, len);
	}
	/* Every octet that is lent was looked at. */
	assert_in_range(touch, 0, UINT8_MAX);
	return true;
}

/* In a block of exactly that size, so that a step outside shows. */
static bool
read_exactly(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool sound;

	memcpy(copy, bytes, len);
	sound = read_all(copy, len);
	free(copy);
	return sound;
}

static void
test_cut(void **state)
{
	size_t len;

	(void)state;
	assert_true(read_exactly(get_by_hand, sizeof(get_by_hand)));
	assert_true(read_exactly(answer_by_hand, sizeof(answer_by_hand)));
	for (len = 0; len < sizeof(get_by_hand); len++)
		assert_false(read_exactly(get_by_hand, len));
	for (len = 0; len < sizeof(answer_by_hand); len++)
		assert_false(read_exactly(answer_by_hand, len));
}

static void
test_changed(void **state)
{
	uint8_t copy[sizeof(answer_by_hand)];
	size_t i;
	unsigned to;

	(void)state;
	for (i = 0; i < sizeof(get_by_hand); i++)
		for (to = 0; to < 256; to++) {
			memcpy(copy, get_by_hand, sizeof(get_by_hand));
			copy[i] = (uint8_t)to;
			read_exactly(copy, sizeof(get_by_hand));
		}
	for (i = 0; i < sizeof(answer_by_hand); i++)
		for (to = 0; to < 256; to++) {
			memcpy(copy, answer_by_hand, sizeof(copy));
			copy[i] = (uint8_t)to;
			read_exactly(copy, sizeof(copy));
		}
}

/* --- against net-snmp --------------------------------------------------------- */

static void
random_objid(oid *theirs, struct objid *ours)
{
	size_t i;

	ours->len = 2 + (size_t)random() % 30;
	for (i = 0; i < ours->len; i++)
		ours->sub[i] = i == 0 ? 1 : i == 1 ? 3 :
		    (uint32_t)random() * 2u >> (random() % 32);
	for (i = 0; i < ours->len; i++)
		theirs[i] = ours->sub[i];
}

static int64_t
random_number(void)
{
	return (int64_t)((uint64_t)random() << 33 ^ (uint64_t)random() << 16 ^
	    (uint64_t)random()) >> (random() % 63);
}

/* Adds a varbind to theirs, and what must come out of it to value. */
static void
add_random(netsnmp_pdu *pdu, struct objid *id, struct bag_value *value,
    bool *missing, uint8_t *octets)
{
	static const u_char types[] = { ASN_INTEGER, ASN_OCTET_STR,
	    ASN_OBJECT_ID, ASN_IPADDRESS, ASN_COUNTER, ASN_GAUGE,
	    ASN_TIMETICKS, ASN_COUNTER64, ASN_OPAQUE, SNMP_NOSUCHOBJECT,
	    SNMP_NOSUCHINSTANCE, SNMP_ENDOFMIBVIEW, ASN_NULL };
	u_char type = types[(size_t)random() % sizeof(types)];
	oid name[OBJID_MAX], other[OBJID_MAX];
	struct counter64 big;
	long number;
	size_t i;

	random_objid(name, id);
	memset(value, 0, sizeof(*value));
	value->type = (enum bag_type)type;
	*missing = false;
	switch (type) {
	case ASN_INTEGER:
		value->number = number = (int32_t)random_number();
		snmp_pdu_add_variable(pdu, name, id->len, type, &number,
		    sizeof(number));
		break;
	case ASN_COUNTER:
	case ASN_GAUGE:
	case ASN_TIMETICKS:
		value->number = number = (long)(uint32_t)random_number();
		snmp_pdu_add_variable(pdu, name, id->len, type, &number,
		    sizeof(number));
		break;
	case ASN_COUNTER64:
		value->number = random_number();
		big.high = (uint64_t)value->number >> 32;
		big.low = (uint64_t)value->number & UINT32_MAX;
		if (value->number < 0)
			value->number = INT64_MAX;
		snmp_pdu_add_variable(pdu, name, id->len, type, &big,
		    sizeof(big));
		break;
	case ASN_OBJECT_ID:
		random_objid(other, &value->objid);
		snmp_pdu_add_variable(pdu, name, id->len, type, other,
		    value->objid.len * sizeof(oid));
		break;
	case ASN_OCTET_STR:
	case ASN_OPAQUE:
	case ASN_IPADDRESS:
		value->octets_len = type == ASN_IPADDRESS ? 4 :
		    (size_t)random() % 300;
		for (i = 0; i < value->octets_len; i++)
			octets[i] = (uint8_t)random();
		value->octets = octets;
		if (type == ASN_OPAQUE)
			value->type = BAG_OCTETS;
		snmp_pdu_add_variable(pdu, name, id->len, type, octets,
		    value->octets_len);
		break;
	default:
		*missing = true;
		snmp_pdu_add_variable(pdu, name, id->len, type, NULL, 0);
	}
}

#define RANDOM_MAX	40

static void
test_their_answers(void **state)
{
	static struct objid id[RANDOM_MAX], found;
	static struct bag_value value[RANDOM_MAX], was;
	static bool missing[RANDOM_MAX], none;
	static uint8_t octets[RANDOM_MAX][300];
	int round, version;
	size_t n, i, len, offset, community_len;
	const uint8_t *community;
	u_char *bytes;
	netsnmp_session session;
	netsnmp_pdu *theirs;
	struct ber_in in;
	struct ber_pdu pdu;

	(void)state;
	srandom(20);
	snmp_sess_init(&session);
	for (round = 0; round < 2000; round++) {
		theirs = snmp_pdu_create(SNMP_MSG_RESPONSE);
		session.version = theirs->version = SNMP_VERSION_2c;
		theirs->community = (u_char *)strdup("a community");
		theirs->community_len = 11;
		theirs->reqid = random();
		theirs->errstat = random() % 19;
		theirs->errindex = random() % 300;
		n = (size_t)random() % RANDOM_MAX;
		for (i = 0; i < n; i++)
			add_random(theirs, &id[i], &value[i], &missing[i],
			    octets[i]);
		len = 32768;
		bytes = malloc(len);
		offset = 0;
		assert_int_equal(snmp_build(&bytes, &len, &offset, &session,
		    theirs), 0);
		assert_true(netsnmp_ds_get_boolean(NETSNMP_DS_LIBRARY_ID,
		    NETSNMP_DS_LIB_REVERSE_ENCODE));
		assert_true(ber_get_message(bytes + len - offset, offset,
		    &version, &community, &community_len, &in));
		assert_int_equal(version, 2);
		assert_int_equal(community_len, 11);
		assert_memory_equal(community, "a community", 11);
		assert_true(ber_get_pdu(&in, &pdu));
		assert_int_equal(pdu.type, BER_RESPONSE);
		assert_int_equal(pdu.request_id, theirs->reqid);
		assert_int_equal(pdu.error_status, theirs->errstat);
		assert_int_equal(pdu.error_index, theirs->errindex);
		for (i = 0; i < n; i++) {
			assert_true(ber_get_varbind(&pdu.varbinds, &found,
			    &was, &none));
			assert_int_equal(objid_cmp(&found, &id[i]), 0);
			assert_int_equal(none, missing[i]);
			if (none)
				continue;
			assert_int_equal(was.type, value[i].type);
			assert_int_equal(was.number, value[i].number);
			assert_int_equal(was.octets_len, value[i].octets_len);
			if (was.octets_len > 0)
				assert_memory_equal(was.octets,
				    value[i].octets, was.octets_len);
			assert_int_equal(objid_cmp(&was.objid,
			    &value[i].objid), 0);
		}
		assert_ptr_equal(pdu.varbinds.at, pdu.varbinds.end);
		/* And what strangers may do to it on its way. */
		for (i = 0; i < 20; i++) {
			bytes[len - offset + (size_t)random() % offset] =
			    (u_char)random();
			read_exactly(bytes + len - offset, offset -
			    (size_t)random() % 3);
		}
		free(bytes);
		snmp_free_pdu(theirs);
	}
}

static void
test_our_requests(void **state)
{
	static const enum ber_pdu_type types[] = { BER_GET, BER_GETNEXT,
	    BER_GETBULK };
	static uint32_t ids[64 * (OBJID_MAX + 1)];
	static struct objid id[64];
	oid name[OBJID_MAX];
	uint8_t buffer[16384];
	int round;
	size_t n, i, at;
	uint32_t a, b;
	int32_t request;
	netsnmp_session session;
	netsnmp_pdu *theirs;
	netsnmp_variable_list *var;
	struct ber_out out;
	enum ber_pdu_type type;

	(void)state;
	srandom(21);
	snmp_sess_init(&session);
	for (round = 0; round < 2000; round++) {
		type = types[random() % 3];
		request = (int32_t)random();
		n = (size_t)random() % 64;
		a = type == BER_GETBULK ? (uint32_t)random() % 64 : 0;
		b = type == BER_GETBULK ? (uint32_t)random() % 1000 : 0;
		for (i = 0, at = 0; i < n; i++) {
			random_objid(name, &id[i]);
			ids[at++] = (uint32_t)id[i].len;
			memcpy(ids + at, id[i].sub,
			    id[i].len * sizeof(ids[0]));
			at += id[i].len;
		}
		ber_out_init(&out, buffer, sizeof(buffer));
		ber_put_request(&out, type, request, (int32_t)a, (int32_t)b,
		    ids, n);
		ber_put_message(&out, 2, "secret");
		assert_false(out.full);
		theirs = calloc(1, sizeof(*theirs));
		assert_int_equal(snmp_parse(NULL, &session, theirs, out.at,
		    ber_out_len(&out)), 0);
		assert_int_equal(theirs->version, SNMP_VERSION_2c);
		assert_int_equal(theirs->community_len, 6);
		assert_memory_equal(theirs->community, "secret", 6);
		assert_int_equal(theirs->command, type);
		assert_int_equal(theirs->reqid, request);
		assert_int_equal(theirs->errstat, a);
		assert_int_equal(theirs->errindex, b);
		var = theirs->variables;
		for (i = 0; i < n; i++, var = var->next_variable) {
			assert_non_null(var);
			assert_int_equal(var->type, ASN_NULL);
			assert_int_equal(var->name_length, id[i].len);
			for (at = 0; at < id[i].len; at++)
				assert_int_equal(var->name[at],
				    id[i].sub[at]);
		}
		assert_null(var);
		snmp_free_pdu(theirs);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_by_hand),
		cmocka_unit_test(test_answer_by_hand),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_objids),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_lengths_written),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_their_answers),
		cmocka_unit_test(test_our_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
