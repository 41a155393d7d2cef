/* SNMPv3 notifications: traps under the sender's engine, informs under ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/snmp/v3peer.h"

#define MSG_ID	815

static uint8_t		 scratch[USM_MESSAGE_MAX];
static char		 why[200];
static struct usm_local	 local = { .id = "our-engine", .id_len = 10,
	.boots = 12 };

static struct usm_user *
user_new(const char *name, enum usm_auth a, const char *auth_password,
    enum usm_privacy p, const char *privacy_password)
{
	struct usm_user	*user = usm_user_new(name, a, auth_password, p,
			    privacy_password, why, sizeof(why));

	assert_non_null(user);
	return user;
}

/* The PDU lives until the next call; the answer is in back. */
static enum usm_notice
take(const void *bytes, size_t len, struct usm_user *const users[], size_t n,
    struct ber_pdu *pdu, struct v3message *back)
{
	static uint8_t	*copy;
	struct ber_in	 in;
	enum usm_notice	 notice;

	free(copy);
	copy = malloc(len);
	memcpy(copy, bytes, len);
	notice = usm_get_notice(copy, len, users, n, &local, scratch, &in,
	    v3message_start(back), why, sizeof(why));
	if (notice == USM_NOTICE_TRAP || notice == USM_NOTICE_INFORM)
		assert_true(ber_get_pdu(&in, pdu));
	return notice;
}

static enum usm_notice
trap(const struct v3peer *p, uint8_t flags, struct usm_user *const users[],
    size_t n, struct ber_pdu *pdu, struct v3message *back)
{
	struct v3message	 m;

	v3_put_pdu(v3message_start(&m), BER_TRAP, 55, V3_UPTIME, 42);
	v3peer_wrap(p, &m.out, MSG_ID, flags);
	return take(m.out.at, ber_out_len(&m.out), users, n, pdu, back);
}

static void
check_trap(enum usm_auth a, enum usm_privacy p)
{
	struct usm_user		*user = user_new("u", a, "auth password", p,
				    "privacy password");
	struct v3peer		 peer;
	struct v3message	 back;
	struct ber_pdu		 pdu;

	v3peer_init(&peer, "printer", user);
	assert_int_equal(trap(&peer, usmmsg_user_level(user), &user, 1, &pdu,
	    &back), USM_NOTICE_TRAP);
	assert_string_equal(why, "");
	assert_int_equal(pdu.request_id, 55);
	assert_int_equal(ber_out_len(&back.out), 0);
	usm_user_free(user);
}

static void
test_traps(void **state)
{
	enum usm_auth		 a;
	enum usm_privacy	 p;

	check_trap(USM_NOAUTH, USM_NOPRIV);
	for (a = USM_MD5; a <= USM_SHA512; a++)
		for (p = USM_NOPRIV; p <= USM_AES256C; p++)
			check_trap(a, p);
}

static void
refuse_trap(const struct v3peer *p, uint8_t flags,
    struct usm_user *const users[], size_t n, const char *want)
{
	struct v3message	 back;
	struct ber_pdu		 pdu;

	assert_int_equal(trap(p, flags, users, n, &pdu, &back),
	    USM_NOTICE_NONE);
	assert_string_equal(why, want);
	assert_int_equal(ber_out_len(&back.out), 0);
}

static void
test_refused_traps(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, "authpassword",
				    USM_AES128, "privpassword");
	struct usm_user		*other = user_new("v", USM_SHA1,
				    "authpassword", USM_AES128,
				    "privpassword");
	struct v3peer		 p, short_id, ours;
	struct v3message	 back;
	struct ber_pdu		 pdu;

	v3peer_init(&p, "printer", user);
	refuse_trap(&p, USMMSG_LEVEL, &other, 1, "unknown user");
	refuse_trap(&p, USMMSG_LEVEL, NULL, 0, "unknown user");
	refuse_trap(&p, 0, &user, 1, "another security level");
	/* Whether it is private is the sender's business. */
	assert_int_equal(trap(&p, USMMSG_AUTH, &user, 1, &pdu, &back),
	    USM_NOTICE_TRAP);
	p.keys.auth[0] ^= 1;
	refuse_trap(&p, USMMSG_LEVEL, &user, 1,
	    "wrong authentication password or protocol");
	p.keys.auth[0] ^= 1;
	p.keys.privacy[0] ^= 1;
	refuse_trap(&p, USMMSG_LEVEL, &user, 1,
	    "wrong privacy password or protocol");
	v3peer_init(&short_id, "1234", user);
	refuse_trap(&short_id, USMMSG_LEVEL, &user, 1,
	    "a trap without engine");
	/* Under our engine nobody sends traps. */
	v3peer_init(&ours, "our-engine", user);
	ours.boots = (int32_t)local.boots;
	ours.time = 0;
	local.start_ms = clock_mono_ms();
	refuse_trap(&ours, USMMSG_LEVEL, &user, 1, "no notification");
	ours.time = 200;
	refuse_trap(&ours, USMMSG_LEVEL, &user, 1,
	    "outside the time window");
	usm_user_free(user);
	usm_user_free(other);
}

/* Two sections, one user name, different keys. */
static void
test_same_name(void **state)
{
	struct usm_user		*users[3];
	struct v3peer		 p;
	struct v3message	 back;
	struct ber_pdu		 pdu;
	size_t			 i;

	users[0] = user_new("u", USM_SHA1, "password one", USM_NOPRIV, NULL);
	users[1] = user_new("u", USM_MD5, "password two", USM_DES,
	    "privacy two");
	users[2] = user_new("u", USM_SHA1, "password three", USM_AES128,
	    "privacy three");
	for (i = 0; i < 3; i++) {
		v3peer_init(&p, "printer", users[i]);
		assert_int_equal(trap(&p, usmmsg_user_level(users[i]), users,
		    3, &pdu, &back), USM_NOTICE_TRAP);
	}
	for (i = 0; i < 3; i++)
		usm_user_free(users[i]);
}

/* What so many forged traps cost with that privacy. */
static clock_t
forgeries(enum usm_privacy privacy)
{
	struct usm_user		*user = user_new("u", USM_SHA1, "authpassword",
				    privacy, "privpassword");
	struct v3peer		 p;
	clock_t			 before;
	int			 i;

	v3peer_init(&p, "printer", user);
	p.keys.auth[0] ^= 1;
	before = clock();
	for (i = 0; i < 200; i++)
		refuse_trap(&p, USMMSG_LEVEL, &user, 1,
		    "wrong authentication password or protocol");
	before = clock() - before;
	usm_user_free(user);
	return before;
}

/* The megabyte of Reeder's keys is nothing that a stranger can ask for. */
static void
test_forged_is_cheap(void **state)
{
	assert_true(forgeries(USM_AES256C) <
	    20 * forgeries(USM_AES256) + CLOCKS_PER_SEC / 20);
}

/* --- informs: the sender is our own other half ------------------------------- */

struct sender {
	struct usm_engine	*engine;
	struct usm_user		*user;
	int32_t			 msg_id;
	struct v3message	 m;
};

static struct ber_out *
inform(struct sender *s)
{
	s->msg_id++;
	if (!usm_engine_known(s->engine)) {
		usm_put_discovery(v3message_start(&s->m), s->msg_id);
	} else {
		v3_put_pdu(v3message_start(&s->m), BER_INFORM, 77, V3_UPTIME,
		    42);
		usm_put_message(&s->m.out, s->msg_id, s->engine, s->user,
		    "context");
	}
	assert_false(s->m.out.full);
	return &s->m.out;
}

static enum usm_verdict
verdict(struct sender *s, const struct v3message *back, struct ber_in *pdu)
{
	static uint8_t	 opened[USM_MESSAGE_MAX];

	return usm_get_message(back->out.at, ber_out_len(&back->out),
	    s->msg_id, s->engine, s->user, opened, pdu);
}

static void
check_inform(enum usm_auth a, enum usm_privacy p)
{
	struct sender		 s = { .engine = usm_engine_new() };
	struct v3message	 back;
	struct ber_pdu		 pdu, confirmed;
	struct ber_in		 in;
	struct ber_out		*out;

	s.user = user_new("u", a, "auth password", p, "privacy password");
	out = inform(&s);
	assert_int_equal(take(out->at, ber_out_len(out), &s.user, 1, &pdu,
	    &back), USM_NOTICE_REPORT);
	assert_string_equal(why, "");
	assert_int_equal(verdict(&s, &back, &in), USM_DISCOVERED);

	out = inform(&s);
	assert_int_equal(take(out->at, ber_out_len(out), &s.user, 1, &pdu,
	    &back), USM_NOTICE_INFORM);
	assert_int_equal(pdu.request_id, 77);
	assert_int_equal(verdict(&s, &back, &in), USM_OK);
	assert_true(ber_get_pdu(&in, &confirmed));
	assert_int_equal(confirmed.type, BER_RESPONSE);
	assert_int_equal(confirmed.request_id, 77);
	assert_int_equal(confirmed.varbinds.end - confirmed.varbinds.at,
	    pdu.varbinds.end - pdu.varbinds.at);
	assert_memory_equal(confirmed.varbinds.at, pdu.varbinds.at,
	    (size_t)(pdu.varbinds.end - pdu.varbinds.at));
	usm_engine_free(s.engine);
	usm_user_free(s.user);
}

static void
test_informs(void **state)
{
	enum usm_auth		 a;
	enum usm_privacy	 p;

	local.start_ms = clock_mono_ms() - 5000;
	check_inform(USM_NOAUTH, USM_NOPRIV);
	for (a = USM_MD5; a <= USM_SHA512; a++)
		for (p = USM_NOPRIV; p <= USM_AES256C; p++)
			check_inform(a, p);
}

/* We restarted; then our clock is not the sender's any more. */
static void
test_inform_time(void **state)
{
	struct sender		 s = { .engine = usm_engine_new() };
	struct v3message	 back;
	struct ber_pdu		 pdu;
	struct ber_in		 in;
	struct ber_out		*out;
	int			 i;

	s.user = user_new("u", USM_SHA256, "auth password", USM_AES128,
	    "privacy password");
	local.start_ms = clock_mono_ms() - 500000;
	out = inform(&s);
	take(out->at, ber_out_len(out), &s.user, 1, &pdu, &back);
	assert_int_equal(verdict(&s, &back, &in), USM_DISCOVERED);
	for (i = 0; i < 2; i++) {
		if (i == 0)
			local.boots++;
		local.start_ms = clock_mono_ms() - (i == 0 ? 0 : 200000);
		out = inform(&s);
		assert_int_equal(take(out->at, ber_out_len(out), &s.user, 1,
		    &pdu, &back), USM_NOTICE_REPORT);
		assert_int_equal(verdict(&s, &back, &in), USM_AGAIN);
		out = inform(&s);
		assert_int_equal(take(out->at, ber_out_len(out), &s.user, 1,
		    &pdu, &back), USM_NOTICE_INFORM);
		assert_int_equal(verdict(&s, &back, &in), USM_OK);
	}
	usm_engine_free(s.engine);
	usm_user_free(s.user);
}

/* Who sends an inform is told what is wrong with it. */
static void
test_inform_refused(void **state)
{
	struct sender		 s = { .engine = usm_engine_new() };
	struct usm_user		*users[4];
	static const enum usm_verdict want[] = { USM_UNKNOWN_USER,
	    USM_WRONG_AUTH, USM_WRONG_PRIVACY, USM_WRONG_LEVEL };
	struct v3message	 back;
	struct ber_pdu		 pdu;
	struct ber_in		 in;
	struct ber_out		*out;
	size_t			 i;

	local.start_ms = clock_mono_ms();
	s.user = user_new("u", USM_SHA1, "auth password", USM_AES128,
	    "privacy password");
	users[0] = user_new("v", USM_SHA1, "auth password", USM_AES128,
	    "privacy password");
	users[1] = user_new("u", USM_SHA1, "auth passwort", USM_AES128,
	    "privacy password");
	users[2] = user_new("u", USM_SHA1, "auth password", USM_AES128,
	    "privacy passwort");
	users[3] = user_new("u", USM_NOAUTH, NULL, USM_NOPRIV, NULL);
	out = inform(&s);
	take(out->at, ber_out_len(out), NULL, 0, &pdu, &back);
	assert_int_equal(verdict(&s, &back, &in), USM_DISCOVERED);
	for (i = 0; i < 4; i++) {
		out = inform(&s);
		assert_int_equal(take(out->at, ber_out_len(out), &users[i], 1,
		    &pdu, &back), USM_NOTICE_REPORT);
		assert_string_not_equal(why, "");
		assert_int_equal(verdict(&s, &back, &in), want[i]);
		usm_user_free(users[i]);
	}
	usm_engine_free(s.engine);
	usm_user_free(s.user);
}

/* Requests are nothing to us, and no answer is larger than its buffer. */
static void
test_others(void **state)
{
	struct sender		 s = { .engine = usm_engine_new() };
	struct v3message	 back;
	struct ber_pdu		 pdu;
	struct ber_in		 in;
	struct ber_out		*out, answer;
	uint8_t			*small;
	size_t			 size;
	enum usm_notice		 notice = USM_NOTICE_NONE;

	local.start_ms = clock_mono_ms();
	s.user = user_new("u", USM_SHA1, "auth password", USM_DES,
	    "privacy password");
	out = inform(&s);
	take(out->at, ber_out_len(out), &s.user, 1, &pdu, &back);
	assert_int_equal(verdict(&s, &back, &in), USM_DISCOVERED);
	v3_put_pdu(v3message_start(&s.m), BER_GET, 77, V3_UPTIME, 42);
	usm_put_message(&s.m.out, 5, s.engine, s.user, NULL);
	assert_int_equal(take(s.m.out.at, ber_out_len(&s.m.out), &s.user, 1,
	    &pdu, &back), USM_NOTICE_NONE);
	assert_string_equal(why, "no notification");
	out = inform(&s);
	for (size = 0; size < 400 && notice != USM_NOTICE_INFORM; size++) {
		small = malloc(size + 1);
		ber_out_init(&answer, small, size);
		notice = usm_get_notice(out->at, ber_out_len(out), &s.user, 1,
		    &local, scratch, &in, &answer, why, sizeof(why));
		free(small);
	}
	assert_true(size > 100 && size < 250);
	usm_engine_free(s.engine);
	usm_user_free(s.user);
}

static uint32_t	 seed = 1;

static uint32_t
chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
mutate(const uint8_t *bytes, size_t len, struct usm_user *user)
{
	struct v3message	 back;
	struct ber_pdu		 pdu;
	uint8_t			 copy[V3_MESSAGE];
	enum usm_notice		 notice;
	size_t			 n;
	uint32_t		 i, flips;

	for (n = 0; n < len; n++)
		assert_int_equal(take(bytes, n, &user, 1, &pdu, &back),
		    USM_NOTICE_NONE);
	for (n = 0; n < 5000; n++) {
		memcpy(copy, bytes, len);
		flips = 1 + chance(3);
		for (i = 0; i < flips; i++)
			copy[chance((uint32_t)len)] = (uint8_t)chance(256);
		notice = take(copy, len, &user, 1, &pdu, &back);
		if (memcmp(copy, bytes, len) != 0)
			assert_true(notice == USM_NOTICE_NONE ||
			    notice == USM_NOTICE_REPORT);
	}
}

static void
test_mutations(void **state)
{
	struct sender		 s = { .engine = usm_engine_new() };
	struct v3message	 m;
	struct ber_pdu		 pdu;
	struct ber_in		 in;
	struct ber_out		*out;
	struct v3peer		 p;

	local.start_ms = clock_mono_ms();
	s.user = user_new("u", USM_SHA1, "auth password", USM_DES,
	    "privacy password");
	v3peer_init(&p, "printer", s.user);
	v3_put_pdu(v3message_start(&m), BER_TRAP, 55, V3_UPTIME, 42);
	v3peer_wrap(&p, &m.out, MSG_ID, USMMSG_LEVEL);
	mutate(m.out.at, ber_out_len(&m.out), s.user);
	out = inform(&s);
	take(out->at, ber_out_len(out), &s.user, 1, &pdu, &m);
	assert_int_equal(verdict(&s, &m, &in), USM_DISCOVERED);
	out = inform(&s);
	mutate(out->at, ber_out_len(out), s.user);
	usm_engine_free(s.engine);
	usm_user_free(s.user);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traps),
		cmocka_unit_test(test_refused_traps),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_forged_is_cheap),
		cmocka_unit_test(test_informs),
		cmocka_unit_test(test_inform_time),
		cmocka_unit_test(test_inform_refused),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
