/* Notifications: which one came, what an inform is answered with, and that no
 * octets do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "snmp/trap.h"

static uint8_t		 message[2000], reply[2000], scratch[USM_MESSAGE_MAX];
static char		 why[160];
static struct trap	 trap;
static struct ber_out	 answer;

static enum trap_verdict
decode(const void *bytes, size_t len)
{
	struct trap_keys	 keys = { .scratch = scratch };

	memcpy(keys.local.id, "\x80\x00\x00\x00\x05platen", 11);
	keys.local.id_len = 11;
	keys.local.boots = 1;
	keys.local.start_ms = clock_mono_ms();
	ber_out_init(&answer, reply, sizeof(reply));
	return trap_decode(bytes, len, &keys, &trap, &answer, why,
	    sizeof(why));
}

static void
put_oid(struct ber_out *out, const char *text)
{
	struct objid	 id;

	assert_int_equal(objid_parse(text, &id), 0);
	ber_put_objid(out, id.sub, id.len);
}

/* A varbind list of sysUpTime.0 and snmpTrapOID.0, and more varbinds in front
 * if wanted. */
static void
put_varbinds(struct ber_out *out, const char *oid, int before)
{
	size_t	 list = ber_out_len(out), mark;

	if (oid != NULL) {
		mark = ber_out_len(out);
		put_oid(out, oid);
		put_oid(out, "1.3.6.1.6.3.1.1.4.1.0");
		ber_wrap(out, BER_SEQUENCE, mark);
	}
	while (before-- > 0) {
		mark = ber_out_len(out);
		ber_put_int(out, BAG_TICKS, 4711);
		put_oid(out, "1.3.6.1.2.1.1.3.0");
		ber_wrap(out, BER_SEQUENCE, mark);
	}
	ber_wrap(out, BER_SEQUENCE, list);
}

static void
put_v2c(struct ber_out *out, uint8_t type, int32_t id, const char *oid,
    int before)
{
	ber_out_init(out, message, sizeof(message));
	put_varbinds(out, oid, before);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, id);
	ber_wrap(out, type, 0);
	ber_put_message(out, 2, "somebody");
	assert_false(out->full);
}

static void
put_v1(struct ber_out *out, const char *enterprise, int64_t generic,
    int64_t specific)
{
	const uint8_t	 address[] = { 10, 0, 0, 1 };

	ber_out_init(out, message, sizeof(message));
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_TICKS, 4711);
	ber_put_int(out, BAG_INTEGER, specific);
	ber_put_int(out, BAG_INTEGER, generic);
	ber_put_octets(out, BAG_IPADDRESS, address, sizeof(address));
	put_oid(out, enterprise);
	ber_wrap(out, BER_TRAP_V1, 0);
	ber_put_message(out, 1, "public");
	assert_false(out->full);
}

#define DECODE(out)	decode((out).at, ber_out_len(&(out)))

static void
test_names(void **state)
{
	static const struct {
		const char	*oid, *name;
		enum trap_kind	 kind;
	} cases[] = {
		{ "1.3.6.1.2.1.43.18.2.0.1", "printerV2Alert", TRAP_ALERT },
		{ "1.3.6.1.6.3.1.1.5.1", "coldStart", TRAP_START },
		{ "1.3.6.1.6.3.1.1.5.2", "warmStart", TRAP_START },
		{ "1.3.6.1.6.3.1.1.5.4", "linkUp", TRAP_OTHER },
		{ "1.3.6.1.6.3.1.1.5.9", "1.3.6.1.6.3.1.1.5.9", TRAP_OTHER },
		{ "1.3.6.1.4.1.11.2.0.7", "1.3.6.1.4.1.11.2.0.7",
		    TRAP_OTHER },
	};
	struct ber_out	 out;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_v2c(&out, BER_TRAP, 1, cases[i].oid, 1);
		assert_int_equal(DECODE(out), TRAP_TAKEN);
		assert_int_equal(trap.version, 2);
		assert_false(trap.inform);
		assert_int_equal(trap.kind, cases[i].kind);
		assert_string_equal(trap_name(&trap), cases[i].name);
		assert_int_equal(ber_out_len(&answer), 0);
	}
}

/* RFC 3584 section 3.1 */
static void
test_v1(void **state)
{
	static const struct {
		const char	*enterprise;
		int64_t		 generic, specific;
		const char	*name;
	} cases[] = {
		{ "1.3.6.1.2.1.43.18.2", 6, 1, "printerV2Alert" },
		{ "1.3.6.1.4.1.11.2.3", 0, 0, "coldStart" },
		{ "1.3.6.1.4.1.11.2.3", 1, 7, "warmStart" },
		{ "1.3.6.1.4.1.11.2.3", 6, 42, "1.3.6.1.4.1.11.2.3.0.42" },
		{ "1.3.6.1.4.1.11.2.3", 7, 42, NULL },
		{ "1.3.6.1.4.1.11.2.3", -1, 42, NULL },
		{ "1.3.6.1.4.1.11.2.3", 6, -1, NULL },
	};
	struct ber_out	 out;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_v1(&out, cases[i].enterprise, cases[i].generic,
		    cases[i].specific);
		if (cases[i].name == NULL) {
			assert_int_equal(DECODE(out), TRAP_NONE);
			continue;
		}
		assert_int_equal(DECODE(out), TRAP_TAKEN);
		assert_int_equal(trap.version, 1);
		assert_string_equal(trap_name(&trap), cases[i].name);
	}
}

/* The answer has the same id, community and varbinds. */
static void
test_inform(void **state)
{
	const uint8_t	*community;
	size_t		 len;
	struct ber_out	 out;
	struct ber_in	 in;
	struct ber_pdu	 asked, got;
	int		 version;

	put_v2c(&out, BER_INFORM, 0x12345678, "1.3.6.1.2.1.43.18.2.0.1", 1);
	assert_int_equal(DECODE(out), TRAP_TAKEN);
	assert_true(trap.inform);
	assert_false(answer.full);
	assert_true(ber_get_message(answer.at, ber_out_len(&answer), &version,
	    &community, &len, &in));
	assert_int_equal(version, 2);
	assert_int_equal(len, 8);
	assert_memory_equal(community, "somebody", 8);
	assert_true(ber_get_pdu(&in, &got));
	assert_int_equal(got.type, BER_RESPONSE);
	assert_int_equal(got.request_id, 0x12345678);
	assert_int_equal(got.error_status, 0);
	assert_true(ber_get_message(out.at, ber_out_len(&out), &version,
	    &community, &len, &in));
	assert_true(ber_get_pdu(&in, &asked));
	assert_int_equal(asked.varbinds.end - asked.varbinds.at,
	    got.varbinds.end - got.varbinds.at);
	assert_memory_equal(asked.varbinds.at, got.varbinds.at,
	    (size_t)(got.varbinds.end - got.varbinds.at));
	/* Never longer than what came: nobody's amplifier. */
	assert_true(ber_out_len(&answer) <= ber_out_len(&out) + 2);
}

static void
test_none(void **state)
{
	struct ber_out	 out;

	/* No name, one too far behind, other PDUs. */
	put_v2c(&out, BER_TRAP, 1, NULL, 3);
	assert_int_equal(DECODE(out), TRAP_NONE);
	put_v2c(&out, BER_TRAP, 1, "1.3.6.1.2.1.43.18.2.0.1", 16);
	assert_int_equal(DECODE(out), TRAP_NONE);
	put_v2c(&out, BER_TRAP, 1, "1.3.6.1.2.1.43.18.2.0.1", 15);
	assert_int_equal(DECODE(out), TRAP_TAKEN);
	put_v2c(&out, BER_GET, 1, "1.3.6.1.2.1.43.18.2.0.1", 1);
	assert_int_equal(DECODE(out), TRAP_NONE);
	put_v2c(&out, BER_RESPONSE, 1, "1.3.6.1.2.1.43.18.2.0.1", 1);
	assert_int_equal(DECODE(out), TRAP_NONE);
	assert_int_equal(decode("", 0), TRAP_NONE);
	assert_string_equal(why, "no SNMP");
	/* v3 without a user that we know. */
	assert_int_equal(decode("\x30\x05\x02\x01\x03\x30\x00", 7), TRAP_NONE);
}

static void
hurt(struct ber_out *out)
{
	size_t	 len = ber_out_len(out), i;
	uint8_t	*copy;
	int	 n;

	for (i = 0; i < len; i++) {
		/* On the heap, so that a step too far is seen. */
		copy = malloc(i + 1);
		memcpy(copy, out->at, i);
		assert_int_equal(decode(copy, i), TRAP_NONE);
		free(copy);
	}
	srandom(3);
	for (n = 0; n < 20000; n++) {
		copy = malloc(len);
		memcpy(copy, out->at, len);
		for (i = 0; i < 1 + (size_t)random() % 4; i++)
			copy[(size_t)random() % len] = (uint8_t)random();
		if (decode(copy, len) == TRAP_TAKEN)
			assert_true(strlen(trap_name(&trap)) > 0);
		else
			assert_true(strlen(why) > 0);
		free(copy);
	}
}

static void
test_hostile(void **state)
{
	struct ber_out	 out;

	put_v2c(&out, BER_INFORM, 7, "1.3.6.1.2.1.43.18.2.0.1", 2);
	hurt(&out);
	put_v1(&out, "1.3.6.1.2.1.43.18.2", 6, 1);
	hurt(&out);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_inform),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
