/* SNMPv3 towards devices: what is sent, and what is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/snmp/v3peer.h"

#define MSG_ID	4711

static uint8_t	 scratch[USM_MESSAGE_MAX];
static char	 why[200];

static struct usm_user *
user_new(const char *name, enum usm_auth a, enum usm_privacy p)
{
	struct usm_user	*user = usm_user_new(name, a, "auth password", p,
			    "privacy password", why, sizeof(why));

	assert_non_null(user);
	return user;
}

static enum usm_verdict
get(const struct ber_out *m, int32_t msg_id, struct usm_engine *engine,
    const struct usm_user *user, struct ber_in *pdu)
{
	/* Of its own size, so that sanitizers see who reads beyond it. */
	size_t			 len = ber_out_len(m);
	uint8_t			*copy = malloc(len);
	static uint8_t		 kept[V3_MESSAGE];
	enum usm_verdict	 verdict;

	memcpy(copy, m->at, len);
	verdict = usm_get_message(copy, len, msg_id, engine, user, scratch,
	    pdu);
	/* Plain PDUs lie in the message. */
	if (verdict == USM_OK && pdu->at >= copy && pdu->at < copy + len) {
		memcpy(kept, copy, len);
		ber_in_init(pdu, kept + (pdu->at - copy),
		    (size_t)(pdu->end - pdu->at));
	}
	free(copy);
	return verdict;
}

static uint8_t
level_of(const struct v3peer *p)
{
	return usmmsg_user_level(p->user);
}

/* An answer of the device with one number. */
static enum usm_verdict
answer_at(const struct v3peer *p, uint8_t level, struct usm_engine *engine,
    const struct usm_user *user)
{
	struct v3message	 m;
	struct ber_in		 pdu;
	struct ber_out		*out = v3message_start(&m);

	v3_put_pdu(out, BER_RESPONSE, MSG_ID, V3_UPTIME, 42);
	v3peer_wrap(p, out, MSG_ID, level);
	return get(out, MSG_ID, engine, user, &pdu);
}

static enum usm_verdict
answer(const struct v3peer *p, struct usm_engine *engine)
{
	return answer_at(p, level_of(p), engine, p->user);
}

static enum usm_verdict
report_at(const struct v3peer *p, uint8_t level, struct usm_engine *engine,
    const struct usm_user *user, const uint32_t *sub, size_t len)
{
	struct v3message	 m;
	struct ber_in		 pdu;
	struct ber_out		*out = v3message_start(&m);

	v3_put_pdu(out, BER_REPORT, 0, sub, len, 1);
	v3peer_wrap(p, out, MSG_ID, level);
	return get(out, MSG_ID, engine, user, &pdu);
}

/* usmStats */
static enum usm_verdict
report(const struct v3peer *p, uint8_t level, struct usm_engine *engine,
    uint32_t stat)
{
	const uint32_t	 sub[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1, stat, 0 };

	return report_at(p, level, engine, p->user, sub, 11);
}

#define TIME_WINDOW	2
#define UNKNOWN_ENGINE	4

/* The next message to the device, opened with the device's keys; lives until
 * the next. */
static struct usmmsg
ask(const struct v3peer *p, struct usm_engine *engine, const char *context)
{
	static struct v3message	 m;
	struct ber_out		*out = v3message_start(&m);
	const uint32_t		 ids[] = { 9, 1, 3, 6, 1, 2, 1, 1, 3, 0 };
	struct usmmsg		 got;

	ber_put_request(out, BER_GET, MSG_ID, 0, 0, ids, 1);
	usm_put_message(out, MSG_ID, engine, p->user, context);
	assert_false(out->full);
	assert_true(usmmsg_parse(&got, out->at, ber_out_len(out)));
	if (p->user->auth != USM_NOAUTH)
		assert_true(usmmsg_authentic(&got, p->user->auth,
		    p->keys.auth));
	assert_true(usmmsg_open(&got, p->user->privacy, &p->keys, scratch));
	return got;
}

static struct usm_engine *
discovered(const struct v3peer *p)
{
	struct usm_engine	*engine = usm_engine_new();

	assert_int_equal(report(p, 0, engine, UNKNOWN_ENGINE),
	    USM_DISCOVERED);
	return engine;
}

/* The usual device, its clock known for sure. */
static struct usm_engine *
met(struct v3peer *p, struct usm_user *user)
{
	struct usm_engine	*engine;

	v3peer_init(p, "engine-one", user);
	engine = discovered(p);
	ask(p, engine, NULL);
	assert_int_equal(answer(p, engine), USM_OK);
	return engine;
}

/* --- words and users -------------------------------------------------------- */

static void
test_words(void **state)
{
	enum usm_auth		 a;
	enum usm_privacy	 p;

	for (a = USM_NOAUTH; a <= USM_SHA512; a++) {
		enum usm_auth	 b = USM_MD5;

		assert_true(usm_parse_auth(usm_auth_name(a), &b));
		assert_int_equal(a, b);
	}
	for (p = USM_NOPRIV; p <= USM_AES256C; p++) {
		enum usm_privacy q = USM_DES;

		assert_true(usm_parse_privacy(usm_privacy_name(p), &q));
		assert_int_equal(p, q);
	}
	assert_true(usm_parse_auth("SHA", &a) && a == USM_SHA1);
	assert_true(usm_parse_auth("SHA-512", &a) && a == USM_SHA512);
	assert_true(usm_parse_privacy("AES", &p) && p == USM_AES128);
	assert_true(usm_parse_privacy("AES-192-C", &p) && p == USM_AES192C);
	assert_false(usm_parse_auth("", &a));
	assert_false(usm_parse_auth("sha2", &a));
	assert_false(usm_parse_auth("sha-5123", &a));
	assert_false(usm_parse_privacy("3des", &p));
}

static void
check_refused(const char *name, enum usm_auth a, const char *auth_password,
    enum usm_privacy p, const char *privacy_password, const char *want)
{
	why[0] = '\0';
	assert_null(usm_user_new(name, a, auth_password, p, privacy_password,
	    why, sizeof(why)));
	assert_string_equal(why, want);
}

static void
test_users(void **state)
{
	char		 name[34], password[USMKEY_PASSWORD_MAX + 2];
	struct usm_user	*user;

	memset(name, 'n', 33);
	name[33] = '\0';
	memset(password, 'p', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	check_refused(NULL, USM_NOAUTH, NULL, USM_NOPRIV, NULL,
	    "the user's name is missing");
	check_refused("", USM_NOAUTH, NULL, USM_NOPRIV, NULL,
	    "the user's name is missing");
	check_refused(name, USM_NOAUTH, NULL, USM_NOPRIV, NULL,
	    "the user's name is longer than 32 octets");
	check_refused("u", USM_NOAUTH, NULL, USM_DES, "12345678",
	    "privacy needs authentication");
	check_refused("u", USM_MD5, NULL, USM_NOPRIV, NULL,
	    "the authentication password is missing");
	check_refused("u", USM_MD5, "1234567", USM_NOPRIV, NULL,
	    "the authentication password is shorter than 8 characters");
	check_refused("u", USM_MD5, "12345678", USM_DES, "1234567",
	    "the privacy password is shorter than 8 characters");
	check_refused("u", USM_MD5, password, USM_NOPRIV, NULL,
	    "the authentication password is longer than 1024 octets");
	user = usm_user_new(name + 1, USM_MD5, password + 1, USM_DES,
	    "12345678", why, sizeof(why));
	assert_non_null(user);
	usm_user_free(user);
	usm_user_free(NULL);
	usm_engine_free(NULL);
}

/* --- asking ----------------------------------------------------------------- */

static void
test_discovery(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_engine	*engine = usm_engine_new();
	struct v3message	 m;
	struct usmmsg		 got;
	struct ber_pdu		 pdu;
	struct v3peer		 p;
	size_t			 len;

	assert_false(usm_engine_known(engine));
	usm_put_message(v3message_start(&m), 1, engine, user, NULL);
	assert_true(m.out.full);
	assert_int_equal(usm_put_check(v3message_start(&m), 1, engine, user,
	    NULL), USM_OTHER);

	/* RFC 3414 section 4. */
	usm_put_discovery(v3message_start(&m), 12);
	assert_int_equal(ber_message_version(m.out.at, ber_out_len(&m.out)),
	    3);
	assert_true(usmmsg_parse(&got, m.out.at, ber_out_len(&m.out)));
	assert_int_equal(got.msg_id, 12);
	assert_int_equal(got.flags, USMMSG_REPORTABLE);
	assert_int_equal(got.engine.len + got.user.len + got.mac.len +
	    got.salt.len, 0);
	assert_int_equal(got.boots + got.time, 0);
	assert_true(usmmsg_open(&got, USM_NOPRIV, NULL, scratch));
	assert_true(ber_get_pdu(&got.pdu, &pdu));
	assert_int_equal(pdu.type, BER_GET);
	assert_ptr_equal(pdu.varbinds.at, pdu.varbinds.end);

	/* RFC 3411: an engine's id has 5 to 32 octets. */
	v3peer_init(&p, "1234", user);
	assert_int_equal(report(&p, 0, engine, UNKNOWN_ENGINE), USM_OTHER);
	assert_false(usm_engine_known(engine));
	v3peer_init(&p, "12345", user);
	assert_int_equal(report(&p, 0, engine, UNKNOWN_ENGINE),
	    USM_DISCOVERED);
	assert_memory_equal(usm_engine_id(engine, &len), "12345", 5);
	assert_int_equal(len, 5);
	usm_engine_forget(engine);
	v3peer_init(&p, "12345678901234567890123456789012", user);
	assert_int_equal(report(&p, 0, engine, UNKNOWN_ENGINE),
	    USM_DISCOVERED);

	/* The report's clock is a first guess that saves an exchange. */
	got = ask(&p, engine, NULL);
	assert_int_equal(got.boots, p.boots);
	assert_int_equal(got.time, p.time);
	usm_engine_forget(engine);
	assert_false(usm_engine_known(engine));
	usm_engine_free(engine);
	usm_user_free(user);
}

static void
check_pair(enum usm_auth a, enum usm_privacy priv)
{
	struct usm_user		*user = user_new("operator", a, priv);
	struct usm_engine	*engine;
	struct v3message	 m;
	struct usmmsg		 got;
	struct ber_in		 in;
	struct ber_pdu		 pdu;
	struct v3peer		 p;
	struct objid		 id;
	struct bag_value	 value;
	bool			 missing;

	engine = met(&p, user);
	got = ask(&p, engine, "Jetdirect");
	assert_int_equal(got.msg_id, MSG_ID);
	assert_int_equal(got.flags, usmmsg_user_level(user) |
	    USMMSG_REPORTABLE);
	assert_int_equal(got.mac.len, usmkey_mac_len(a));
	assert_int_equal(got.salt.len, priv == USM_NOPRIV ? 0 : 8);
	assert_true(usmmsg_same(got.context, "Jetdirect", 9));
	assert_true(usmmsg_same(got.context_engine, p.id, p.id_len));
	assert_true(ber_get_pdu(&got.pdu, &pdu));
	assert_int_equal(pdu.request_id, MSG_ID);

	v3_put_pdu(v3message_start(&m), BER_RESPONSE, MSG_ID, V3_UPTIME, 42);
	v3peer_wrap(&p, &m.out, MSG_ID, level_of(&p));
	assert_int_equal(get(&m.out, MSG_ID, engine, user, &in), USM_OK);
	assert_true(ber_get_pdu(&in, &pdu));
	assert_true(ber_get_varbind(&pdu.varbinds, &id, &value, &missing));
	assert_int_equal(value.number, 42);
	/* An answer to another message. */
	assert_int_equal(get(&m.out, MSG_ID + 1, engine, user, &in),
	    USM_OTHER);
	usm_engine_free(engine);
	usm_user_free(user);
}

static void
test_pairs(void **state)
{
	enum usm_auth		 a;
	enum usm_privacy	 p;

	check_pair(USM_NOAUTH, USM_NOPRIV);
	for (a = USM_MD5; a <= USM_SHA512; a++)
		for (p = USM_NOPRIV; p <= USM_AES256C; p++)
			check_pair(a, p);
}

/* DES pads to whole blocks, whatever is sent. */
static void
test_lengths(void **state)
{
	struct usm_user		*user = user_new("u", USM_MD5, USM_DES);
	struct usm_engine	*engine;
	struct v3peer		 p;
	struct usmmsg		 got;
	char			 context[20];
	size_t			 i;

	engine = met(&p, user);
	for (i = 0; i < sizeof(context) - 1; i++) {
		memset(context, 'c', i);
		context[i] = '\0';
		got = ask(&p, engine, context);
		assert_true(usmmsg_same(got.context, context, i));
	}
	usm_engine_free(engine);
	usm_user_free(user);
}

/* No buffer is too small to say that it is. */
static void
test_full(void **state)
{
	static const enum usm_privacy	 p[] = { USM_NOPRIV, USM_DES,
	    USM_AES128 };
	const uint32_t		 ids[] = { 9, 1, 3, 6, 1, 2, 1, 1, 3, 0 };
	struct usm_engine	*engine;
	struct usm_user		*user;
	struct v3peer		 peer;
	struct ber_out		 out;
	uint8_t			*small;
	size_t			 i, size;

	for (i = 0; i < 3; i++) {
		user = user_new("u", USM_SHA256, p[i]);
		engine = met(&peer, user);
		for (size = 0; size < 300; size++) {
			small = malloc(size + 1);
			ber_out_init(&out, small, size);
			ber_put_request(&out, BER_GET, 1, 0, 0, ids, 1);
			usm_put_message(&out, 1, engine, user, "context");
			free(small);
			if (!out.full)
				break;
		}
		assert_true(size > 100 && size < 250);
		usm_engine_free(engine);
		usm_user_free(user);
	}
}

/* Another user, or a new one with the same name: other keys. */
static void
test_other_user(void **state)
{
	struct usm_user		*a = user_new("u", USM_SHA1, USM_AES128);
	struct usm_user		*b = usm_user_new("u", USM_SHA1,
				    "other password", USM_DES,
				    "privacy password", why, sizeof(why));
	struct usm_engine	*engine;
	struct v3peer		 pa, pb;

	engine = met(&pa, a);
	v3peer_init(&pb, "engine-one", b);
	ask(&pb, engine, NULL);
	pb.time++;
	assert_int_equal(answer(&pb, engine), USM_OK);
	ask(&pa, engine, NULL);
	pa.time += 2;
	assert_int_equal(answer(&pa, engine), USM_OK);
	assert_int_equal(answer_at(&pb, level_of(&pb), engine, a),
	    USM_FORGED);
	usm_engine_free(engine);
	usm_user_free(a);
	usm_user_free(b);
}

/* --- what is believed ------------------------------------------------------- */

/* Every octet of an authentic answer counts. */
static void
test_forged(void **state)
{
	static const enum usm_privacy	 p[] = { USM_NOPRIV, USM_DES,
	    USM_AES128 };
	struct usm_engine	*engine;
	struct usm_user		*user;
	struct v3message	 m;
	struct v3peer		 peer;
	struct ber_in		 pdu;
	size_t			 i, at;

	for (i = 0; i < 3; i++) {
		user = user_new("u", USM_SHA1, p[i]);
		engine = met(&peer, user);
		ask(&peer, engine, NULL);
		v3_put_pdu(v3message_start(&m), BER_RESPONSE, MSG_ID,
		    V3_UPTIME, 42);
		v3peer_wrap(&peer, &m.out, MSG_ID, level_of(&peer));
		for (at = 0; at < ber_out_len(&m.out); at++) {
			m.out.at[at] ^= 0x10;
			assert_int_not_equal(get(&m.out, MSG_ID, engine, user,
			    &pdu), USM_OK);
			m.out.at[at] ^= 0x10;
		}
		m.out.at[ber_out_len(&m.out) - 1] ^= 1;
		assert_int_equal(get(&m.out, MSG_ID, engine, user, &pdu),
		    USM_FORGED);
		m.out.at[ber_out_len(&m.out) - 1] ^= 1;
		assert_int_equal(get(&m.out, MSG_ID, engine, user, &pdu),
		    USM_OK);
		usm_engine_free(engine);
		usm_user_free(user);
	}
}

/* RFC 3412 section 7.2, step 12: no answer below the question's level. */
static void
test_downgrade(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_user		*other = user_new("v", USM_SHA1, USM_AES128);
	struct usm_engine	*engine;
	struct v3peer		 p, q;

	engine = met(&p, user);
	ask(&p, engine, NULL);
	assert_int_equal(answer_at(&p, 0, engine, user), USM_FORGED);
	assert_int_equal(answer_at(&p, USMMSG_AUTH, engine, user),
	    USM_FORGED);
	assert_int_equal(answer_at(&p, USMMSG_PRIVACY, engine, user),
	    USM_OTHER);
	assert_int_equal(answer(&p, engine), USM_OK);
	/* Under another name, or of another engine. */
	v3peer_init(&q, "engine-one", other);
	q.keys = p.keys;
	assert_int_equal(answer_at(&q, level_of(&q), engine, user),
	    USM_OTHER);
	v3peer_init(&q, "engine-two", user);
	assert_int_equal(answer(&q, engine), USM_OTHER);
	usm_engine_free(engine);
	usm_user_free(user);
	usm_user_free(other);
}

static void
test_privacy_key(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_user		*des = user_new("u", USM_SHA1, USM_DES);
	struct usm_engine	*engine;
	struct v3message	 m;
	struct ber_in		 pdu;
	struct v3peer		 p, q;

	engine = met(&p, user);
	ask(&p, engine, NULL);
	p.keys.privacy[3] ^= 1;
	assert_int_equal(answer(&p, engine), USM_WRONG_PRIVACY);
	p.keys.privacy[3] ^= 1;
	assert_int_equal(answer(&p, engine), USM_OK);
	usm_engine_free(engine);

	/* What came from AES is no whole number of DES's blocks. */
	engine = met(&q, des);
	ask(&q, engine, NULL);
	v3_put_pdu(v3message_start(&m), BER_RESPONSE, MSG_ID, V3_UPTIME, 42);
	v3peer_wrap(&p, &m.out, MSG_ID, level_of(&p));
	assert_int_equal(get(&m.out, MSG_ID, engine, des, &pdu),
	    USM_WRONG_PRIVACY);
	usm_engine_free(engine);
	usm_user_free(user);
	usm_user_free(des);
}

/* RFC 3414 section 3.2, step 7 b. */
static void
test_window(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_NOPRIV);
	struct usm_engine	*engine;
	struct v3peer		 p;

	engine = met(&p, user);
	ask(&p, engine, NULL);
	p.time = 1000 - 149;
	assert_int_equal(answer(&p, engine), USM_OK);
	p.time = 1000 - 152;
	assert_int_equal(answer(&p, engine), USM_TIME_WINDOW);
	/* The clock moves ahead, as far as it likes; never back. */
	p.time = 5000;
	assert_int_equal(answer(&p, engine), USM_OK);
	assert_int_equal(ask(&p, engine, NULL).time, 5000);
	p.time = 4000;
	assert_int_equal(answer(&p, engine), USM_TIME_WINDOW);
	p.boots--;
	p.time = 6000;
	assert_int_equal(answer(&p, engine), USM_TIME_WINDOW);
	assert_int_equal(ask(&p, engine, NULL).boots, 7);
	p.boots = 8;
	p.time = 3;
	assert_int_equal(answer(&p, engine), USM_OK);
	assert_int_equal(ask(&p, engine, NULL).boots, 8);
	assert_int_equal(ask(&p, engine, NULL).time, 3);
	p.boots = USMMSG_BOOTS_MAX;
	assert_int_equal(answer(&p, engine), USM_TIME_WINDOW);
	usm_engine_free(engine);
	usm_user_free(user);
}

/* notInTimeWindows: what the device says under its digest is believed. */
static void
test_time_report(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_engine	*engine;
	struct v3peer		 p;

	engine = met(&p, user);
	/* It restarted. */
	ask(&p, engine, NULL);
	p.boots = 8;
	p.time = 20;
	assert_int_equal(report(&p, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_AGAIN);
	assert_int_equal(ask(&p, engine, NULL).boots, 8);
	assert_int_equal(ask(&p, engine, NULL).time, 20);
	/* We were right, and yet it says so. */
	assert_int_equal(report(&p, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_TIME_WINDOW);
	/* Nobody signed this. */
	p.boots = 9;
	assert_int_equal(report(&p, 0, engine, TIME_WINDOW),
	    USM_TIME_WINDOW);
	assert_int_equal(ask(&p, engine, NULL).boots, 8);
	/* A device that lost its boots. */
	p.boots = 1;
	p.time = 5;
	assert_int_equal(report(&p, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_AGAIN);
	assert_int_equal(ask(&p, engine, NULL).boots, 1);
	assert_int_equal(answer(&p, engine), USM_OK);
	/* One whose clock jumped, and one that counts no more. */
	p.time = 500;
	assert_int_equal(report(&p, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_AGAIN);
	p.boots = USMMSG_BOOTS_MAX;
	assert_int_equal(report(&p, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_TIME_WINDOW);
	usm_engine_free(engine);

	/* While the clock is a guess, another guess is as good: devices
	 * whose discovery says 0. */
	v3peer_init(&p, "engine-one", user);
	p.boots = p.time = 0;
	engine = discovered(&p);
	p.boots = 3;
	p.time = 77;
	assert_int_equal(report(&p, 0, engine, TIME_WINDOW), USM_AGAIN);
	assert_int_equal(ask(&p, engine, NULL).boots, 3);
	/* And one that was too high binds nobody. */
	p.boots = 2;
	assert_int_equal(answer(&p, engine), USM_OK);
	assert_int_equal(ask(&p, engine, NULL).boots, 2);
	usm_engine_free(engine);
	usm_user_free(user);
}

static void
test_engine_change(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_engine	*engine;
	struct v3peer		 p, q;
	size_t			 len;

	engine = met(&p, user);
	v3peer_init(&q, "engine-two", user);
	ask(&p, engine, NULL);
	/* The same id: it cannot mean it. */
	assert_int_equal(report(&p, 0, engine, UNKNOWN_ENGINE), USM_OTHER);
	/* Another one with any other report is somebody else. */
	assert_int_equal(report(&q, 0, engine, 3), USM_OTHER);
	assert_int_equal(report(&q, USMMSG_AUTH, engine, TIME_WINDOW),
	    USM_OTHER);
	assert_memory_equal(usm_engine_id(engine, &len), "engine-one", 10);
	/* A replaced device. */
	q.boots = 1;
	assert_int_equal(report(&q, 0, engine, UNKNOWN_ENGINE),
	    USM_DISCOVERED);
	assert_memory_equal(usm_engine_id(engine, &len), "engine-two", 10);
	assert_int_equal(ask(&q, engine, NULL).boots, 1);
	assert_int_equal(answer(&q, engine), USM_OK);
	usm_engine_free(engine);
	usm_user_free(user);
}

static void
test_reports(void **state)
{
	static const struct {
		uint32_t		 sub[12];
		size_t			 len;
		enum usm_verdict	 verdict;
	} cases[] = {
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0 }, 11, USM_WRONG_LEVEL },
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0 }, 11, USM_UNKNOWN_USER },
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0 }, 11, USM_WRONG_AUTH },
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 5 }, 10, USM_WRONG_AUTH },
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0 }, 11,
		    USM_WRONG_PRIVACY },
		{ { 1, 3, 6, 1, 6, 3, 11, 2, 1, 1, 0 }, 11, USM_WRONG_LEVEL },
		{ { 1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0 }, 11,
		    USM_UNKNOWN_CONTEXT },
		{ { 1, 3, 6, 1, 6, 3, 12, 1, 4, 0 }, 10,
		    USM_UNKNOWN_CONTEXT },
		{ { 1, 3, 6, 1, 6, 3, 12, 1, 5, 0 }, 10,
		    USM_UNKNOWN_CONTEXT },
		{ { 1, 3, 6, 1, 6, 3, 15, 1, 1, 7, 0 }, 11, USM_OTHER },
		{ { 1, 3, 6, 1, 6, 3, 15 }, 7, USM_OTHER },
		{ { 1, 3, 6, 1, 2, 1, 1, 3, 0 }, 9, USM_OTHER },
		{ { 1, 3 }, 2, USM_OTHER }
	};
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_engine	*engine;
	struct v3peer		 p;
	size_t			 i;
	uint8_t			 level;

	engine = met(&p, user);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (level = 0; level <= USMMSG_LEVEL; level++)
			if (level != USMMSG_PRIVACY)
				assert_int_equal(report_at(&p, level, engine,
				    user, cases[i].sub, cases[i].len),
				    cases[i].verdict);
	/* A report moves no clock unless it is signed. */
	p.boots = 99;
	assert_int_equal(report(&p, 0, engine, 3), USM_UNKNOWN_USER);
	assert_int_equal(ask(&p, engine, NULL).boots, 7);
	usm_engine_free(engine);
	usm_user_free(user);
}

/* --- silence ---------------------------------------------------------------- */

struct silence {
	bool		 privacy, context, level;	/* is answered */
	const char	*in;
	enum usm_verdict verdict;
	int		 puts;
};

/* A device that answers some of the checks. */
static void
check_silence(struct usm_user *user, const struct silence *s)
{
	struct usm_engine	*engine;
	struct v3message	 m;
	struct usmmsg		 got;
	struct v3peer		 p;
	enum usm_verdict	 verdict;
	int			 puts = 0;
	bool			 answers;

	engine = met(&p, user);
	ask(&p, engine, s->in);
	for (;;) {
		verdict = usm_put_check(v3message_start(&m), MSG_ID, engine,
		    user, s->in);
		if (verdict != USM_CHECK)
			break;
		puts++;
		assert_true(usmmsg_parse(&got, m.out.at,
		    ber_out_len(&m.out)));
		answers = (got.flags & USMMSG_LEVEL) !=
		    usmmsg_user_level(user) ? s->privacy : false;
		if ((got.flags & USMMSG_LEVEL) == usmmsg_user_level(user)) {
			assert_true(usmmsg_open(&got, user->privacy, &p.keys,
			    scratch));
			answers = got.context.len > 0 ? s->context : s->level;
		}
		p.time++;
		if (answers)
			assert_int_equal(answer_at(&p, got.flags &
			    USMMSG_LEVEL, engine, user), USM_CHECK);
	}
	assert_int_equal(verdict, s->verdict);
	assert_int_equal(puts, s->puts);
	/* The next message is an ordinary one. */
	ask(&p, engine, s->in);
	assert_int_equal(answer(&p, engine), USM_OK);
	usm_engine_free(engine);
}

static void
test_silence(void **state)
{
	static const struct silence	 private[] = {
		{ false, false, false, NULL, USM_OTHER, 1 },	/* is off */
		{ true, false, false, NULL, USM_WRONG_PRIVACY, 2 },
		{ true, false, false, "c", USM_WRONG_PRIVACY, 3 },
		{ true, false, true, "c", USM_UNKNOWN_CONTEXT, 3 },
		/* The question itself is what it does not like. */
		{ true, false, true, NULL, USM_OTHER, 2 },
		{ true, true, true, "c", USM_OTHER, 2 },
		{ true, false, true, "", USM_OTHER, 2 }
	}, open[] = {
		{ false, false, false, NULL, USM_OTHER, 0 },
		{ false, false, false, "c", USM_OTHER, 2 },
		{ false, false, true, "c", USM_UNKNOWN_CONTEXT, 2 },
		{ false, true, true, "c", USM_OTHER, 1 }
	};
	struct usm_user		*user;
	size_t			 i;

	user = user_new("u", USM_SHA1, USM_AES128);
	for (i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		check_silence(user, &private[i]);
	usm_user_free(user);
	user = user_new("u", USM_SHA1, USM_NOPRIV);
	for (i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		check_silence(user, &open[i]);
	usm_user_free(user);
	user = user_new("u", USM_NOAUTH, USM_NOPRIV);
	for (i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		check_silence(user, &open[i]);
	usm_user_free(user);
}

/* It answers the check without privacy with a refusal: it is there. */
static void
test_silence_refused(void **state)
{
	struct usm_user		*user = user_new("u", USM_SHA1, USM_AES128);
	struct usm_engine	*engine;
	struct v3message	 m;
	struct v3peer		 p;

	engine = met(&p, user);
	ask(&p, engine, NULL);
	assert_int_equal(usm_put_check(v3message_start(&m), MSG_ID, engine,
	    user, NULL), USM_CHECK);
	assert_int_equal(report(&p, 0, engine, 1), USM_CHECK);
	assert_int_equal(usm_put_check(v3message_start(&m), MSG_ID, engine,
	    user, NULL), USM_CHECK);
	assert_int_equal(usm_put_check(v3message_start(&m), MSG_ID, engine,
	    user, NULL), USM_WRONG_PRIVACY);
	usm_engine_free(engine);
	usm_user_free(user);
}

/* --- hostile ---------------------------------------------------------------- */

static uint32_t	 seed = 1;

static uint32_t
chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Cut and changed messages of every kind: anything may be said of them, but
 * nothing breaks, and what has a digest is never taken. */
static void
mutate(const struct v3peer *p, struct usm_engine *engine, uint8_t type,
    uint8_t level)
{
	struct v3message	 m;
	struct ber_in		 pdu;
	uint8_t			*copy;
	size_t			 len, cut, n;
	enum usm_verdict	 verdict;

	v3_put_pdu(v3message_start(&m), type, MSG_ID, V3_UPTIME, 42);
	v3peer_wrap(p, &m.out, MSG_ID, level);
	len = ber_out_len(&m.out);
	for (cut = 0; cut < len; cut++) {
		copy = malloc(cut + 1);
		memcpy(copy, m.out.at, cut);
		assert_int_equal(usm_get_message(copy, cut, MSG_ID, engine,
		    p->user, scratch, &pdu), USM_OTHER);
		free(copy);
	}
	for (n = 0; n < 3000; n++) {
		struct usm_engine	*fresh = usm_engine_new();
		uint32_t		 i, flips = 1 + chance(3);

		copy = malloc(len);
		memcpy(copy, m.out.at, len);
		for (i = 0; i < flips; i++)
			copy[chance((uint32_t)len)] = (uint8_t)chance(256);
		verdict = usm_get_message(copy, len, MSG_ID, engine, p->user,
		    scratch, &pdu);
		if ((level & USMMSG_AUTH) && memcmp(copy, m.out.at, len) != 0)
			assert_int_not_equal(verdict, USM_OK);
		usm_get_message(copy, len, MSG_ID, fresh, p->user, scratch,
		    &pdu);
		usm_engine_free(fresh);
		free(copy);
	}
}

static void
test_mutations(void **state)
{
	static const uint8_t	 types[] = { BER_RESPONSE, BER_REPORT,
	    BER_GET };
	static const struct {
		enum usm_auth		 auth;
		enum usm_privacy	 privacy;
	} pairs[] = {
		{ USM_NOAUTH, USM_NOPRIV }, { USM_SHA1, USM_NOPRIV },
		{ USM_MD5, USM_DES }, { USM_SHA512, USM_AES256 }
	};
	struct usm_engine	*engine;
	struct usm_user		*user;
	struct v3peer		 p;
	size_t			 i, j;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		user = user_new("u", pairs[i].auth, pairs[i].privacy);
		for (j = 0; j < sizeof(types); j++) {
			engine = met(&p, user);
			mutate(&p, engine, types[j], level_of(&p));
			usm_engine_free(engine);
		}
		usm_user_free(user);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_other_user),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_privacy_key),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_time_report),
		cmocka_unit_test(test_engine_change),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_silence_refused),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
