/* SASL against the RFCs' own examples, and against servers that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "xmpp/sasl.c"

#define BIT(m)	(1u << (m))
#define ALL	(BIT(SASL_SCRAM_SHA_1) | BIT(SASL_SCRAM_SHA_256) | \
		 BIT(SASL_SCRAM_SHA_512))

static const struct sasl_account	pencil = { "user@example.org", "pencil",
					    false };
static const struct sasl_binding	unbound;
static struct sasl			*sasl;
static struct buf			 out;

static int
end(void **state)
{
	sasl_free(sasl);
	sasl = NULL;
	buf_free(&out);
	return 0;
}

/* What was said, decoded. */
static const char *
said(void)
{
	static char	text[4096];
	size_t		len;

	assert_int_equal(sodium_base642bin((unsigned char *)text,
	    sizeof(text) - 1, out.data, out.len, NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL), 0);
	text[len] = '\0';
	buf_reset(&out);
	return text;
}

static int
answer(const char *challenge)
{
	struct buf	b = { 0 };
	int		rc;

	put_base64(&b, challenge, strlen(challenge));
	rc = sasl_answer(sasl, b.data, &out);
	buf_free(&b);
	return rc;
}

static int
finish(const char *data)
{
	struct buf	b = { 0 };
	int		rc;

	put_base64(&b, data, strlen(data));
	rc = sasl_finish(sasl, b.data);
	buf_free(&b);
	return rc;
}

/* The nonce is the example's. */
static void
begin(enum sasl_mechanism mechanism, unsigned offered,
    const struct sasl_account *account, const struct sasl_binding *binding,
    const char *nonce)
{
	sasl_free(sasl);
	sasl = sasl_new(mechanism, offered, account, binding);
	if (nonce != NULL)
		snprintf(sasl->nonce, sizeof(sasl->nonce), "%s", nonce);
	buf_reset(&out);
	sasl_begin(sasl, &out);
}

static void
rfc5802_sha1(void **state)
{
	begin(SASL_SCRAM_SHA_1, BIT(SASL_SCRAM_SHA_1), &pencil, &unbound,
	    "fyko+d2lbbFgONRv9qkxdawL");
	assert_string_equal(said(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
	assert_int_equal(answer("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096"), 0);
	assert_string_equal(said(), "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJ"
	    "Y1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
	assert_int_equal(finish("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), 0);
}

static void
rfc7677_sha256(void **state)
{
	begin(SASL_SCRAM_SHA_256, BIT(SASL_SCRAM_SHA_256), &pencil, &unbound,
	    "rOprNGfwEbeRWgbNEkqO");
	assert_string_equal(said(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
	assert_int_equal(answer("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj"
	    ")hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), 0);
	assert_string_equal(said(), "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2Ra"
	    "TCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ"
	    "=");
	assert_int_equal(finish("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4"
	    "="), 0);
}

/* draft-melnikov-scram-sha-512 has none; computed with Python's hashlib and
 * hmac from the values of RFC 7677. */
static void
sha512(void **state)
{
	begin(SASL_SCRAM_SHA_512, BIT(SASL_SCRAM_SHA_512), &pencil, &unbound,
	    "rOprNGfwEbeRWgbNEkqO");
	said();
	assert_int_equal(answer("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj"
	    ")hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), 0);
	assert_string_equal(said(), "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2Ra"
	    "TCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xn"
	    "oOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==");
	/* The proof may also come in a challenge of its own. */
	assert_int_equal(answer("v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYc"
	    "Mg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(sasl_finish(sasl, ""), 0);
}

static void
bound_to_the_connection(void **state)
{
	struct sasl_binding	b = { "tls-exporter", "\x01\x02\x03", 3 };
	unsigned		offered = ALL | BIT(SASL_SCRAM_SHA_1_PLUS);

	assert_int_equal(sasl_choose(offered, &pencil, &b),
	    SASL_SCRAM_SHA_1_PLUS);
	begin(SASL_SCRAM_SHA_1_PLUS, offered, &pencil, &b, "abc");
	assert_string_equal(said(), "p=tls-exporter,,n=user,r=abc");
	assert_int_equal(answer("r=abcdef,s=QSXCR+Q6sek8bf92,i=4096"), 0);
	/* base64("p=tls-exporter,,\1\2\3") */
	assert_memory_equal(said(), "c=cD10bHMtZXhwb3J0ZXIsLAECAw==,r=abcdef,"
	    "p=", 42);
	/* Without -PLUS in the offer: we could have, and the server shall
	 * notice if it could, too. */
	assert_int_equal(sasl_choose(ALL, &pencil, &b), SASL_SCRAM_SHA_512);
	begin(SASL_SCRAM_SHA_512, ALL, &pencil, &b, "abc");
	assert_string_equal(said(), "y,,n=user,r=abc");
	assert_int_equal(answer("r=abcdef,s=QSXCR+Q6sek8bf92,i=4096"), 0);
	assert_memory_equal(said(), "c=eSws,r=abcdef,p=", 18);
	/* The server's kind of binding is not ours. */
	assert_int_equal(sasl_choose(offered, &pencil, &unbound),
	    SASL_SCRAM_SHA_512);
	begin(SASL_SCRAM_SHA_512, offered, &pencil, &unbound, "abc");
	assert_string_equal(said(), "n,,n=user,r=abc");
}

static void
the_best_is_chosen(void **state)
{
	struct sasl_account	plain = pencil, cert = pencil;
	unsigned		weak = BIT(SASL_NONE) | BIT(SASL_PLAIN);

	plain.allow_plain = true;
	cert.password = NULL;
	assert_int_equal(sasl_choose(ALL, &pencil, &unbound),
	    SASL_SCRAM_SHA_512);
	assert_int_equal(sasl_choose(weak, &pencil, &unbound), SASL_NONE);
	assert_int_equal(sasl_choose(weak, &plain, &unbound), SASL_PLAIN);
	assert_int_equal(sasl_choose(weak | ALL, &plain, &unbound),
	    SASL_SCRAM_SHA_512);
	/* A password is never traded for a certificate, nor the reverse. */
	assert_int_equal(sasl_choose(ALL | weak, &cert, &unbound), SASL_NONE);
	assert_int_equal(sasl_choose(ALL | BIT(SASL_EXTERNAL), &cert,
	    &unbound), SASL_EXTERNAL);
	assert_int_equal(sasl_choose(BIT(SASL_EXTERNAL), &pencil, &unbound),
	    SASL_NONE);
	assert_int_equal(sasl_mechanism("SCRAM-SHA-256-PLUS"),
	    SASL_SCRAM_SHA_256_PLUS);
	assert_int_equal(sasl_mechanism("scram-sha-1"), SASL_NONE);
	assert_int_equal(sasl_mechanism(""), SASL_NONE);
	assert_int_equal(sasl_mechanism("none"), SASL_NONE);
}

static void
plain_and_external(void **state)
{
	struct sasl_account	account = { "u=,x@example.org", "p w", true };

	begin(SASL_PLAIN, BIT(SASL_PLAIN), &account, &unbound, NULL);
	assert_string_equal(out.data, "AHU9LHgAcCB3");
	assert_int_equal(answer("r=1"), -1);
	assert_int_equal(sasl_finish(sasl, ""), 0);
	account.password = NULL;
	begin(SASL_EXTERNAL, BIT(SASL_EXTERNAL), &account, &unbound, NULL);
	assert_string_equal(said(), "u=,x@example.org");
	assert_int_equal(sasl_finish(sasl, ""), 0);
	/* RFC 5802 section 5.1: what separates is written otherwise. */
	begin(SASL_SCRAM_SHA_1, ALL, &account, &unbound, "abc");
	assert_string_equal(said(), "n,,n=u=3D=2Cx,r=abc");
}

static void
text_beyond_ascii(void **state)
{
	assert_true(sasl_fit(""));
	assert_true(sasl_fit("correct horse ~!\"\\"));
	assert_false(sasl_fit("na\xc3\xafve"));
	assert_false(sasl_fit("a\tb"));
	assert_false(sasl_fit("a\x7f"));
}

static void
refused(const char *challenge, const char *why)
{
	begin(SASL_SCRAM_SHA_1, ALL, &pencil, &unbound, "abc");
	buf_reset(&out);
	assert_int_equal(answer(challenge), -1);
	assert_int_equal(out.len, 0);
	if (strstr(sasl_why(sasl), why) == NULL)
		fail_msg("%s: %s", challenge, sasl_why(sasl));
	/* And that is not mended by saying success. */
	assert_int_equal(sasl_finish(sasl, ""), -1);
}

static void
hostile_challenges(void **state)
{
	char	long_nonce[NONCE_MAX + 40];

	refused("", "not of SCRAM");
	refused("r=abcd", "not of SCRAM");
	refused("r=abcd,s=AAAA", "not of SCRAM");
	refused("r=abcd,i=4096,s=AAAA", "not of SCRAM");
	refused("s=AAAA,r=abcd,i=4096", "not of SCRAM");
	refused("r=abcd,s=,i=4096", "not of SCRAM");
	refused("r=abcd,s=A,i=4096", "not of SCRAM");
	refused("r=abcd,s=AAAA,i=", "not of SCRAM");
	refused("r=abcd,s=AAAA,i=-4096", "not of SCRAM");
	refused("r=abcd,s=AAAA,i=4096x", "not of SCRAM");
	refused("r=abcd,s=AAAA,i= 4096", "not of SCRAM");
	refused("m=new,r=abcd,s=AAAA,i=4096", "extension");
	refused("r=abc,s=AAAA,i=4096", "wrong nonce");
	refused("r=,s=AAAA,i=4096", "wrong nonce");
	refused("r=xabcd,s=AAAA,i=4096", "wrong nonce");
	refused("r=abc\xff,s=AAAA,i=4096", "wrong nonce");
	memset(long_nonce, 'x', sizeof(long_nonce));
	memcpy(long_nonce, "r=abc", 5);
	snprintf(long_nonce + NONCE_MAX + 10, 30, ",s=AAAA,i=4096");
	refused(long_nonce, "wrong nonce");
	refused("r=abcd,s=AAAA,i=600001", "wants 600001 rounds");
	refused("r=abcd,s=AAAA,i=99999999999999999999", "rounds");
	refused("r=abcd,s=AAAA,i=4095", "only 4095 rounds");
	refused("r=abcd,s=AAAA,i=1", "only 1 rounds");
}

static void
no_base64(void **state)
{
	struct buf	huge = { 0 };
	int		i;

	begin(SASL_SCRAM_SHA_1, ALL, &pencil, &unbound, "abc");
	assert_int_equal(sasl_answer(sasl, "!!", &out), -1);
	assert_int_equal(sasl_answer(sasl, "cj0", &out), -1);
	/* A NUL in the middle. */
	assert_int_equal(sasl_answer(sasl, "cj0AYWJj", &out), -1);
	for (i = 0; i < 3000; i++)
		buf_puts(&huge, "AAAA");
	assert_int_equal(sasl_answer(sasl, huge.data, &out), -1);
	buf_free(&huge);
}

static void
a_server_must_prove_itself(void **state)
{
	static const char *const bad[] = { "", "v=", "v=AAAA",
	    "v=smF9pqV8S7suAoZWja4dJRkFsKQ=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ",
	    "x=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "e=other-error",
	    "e=invalid-proof,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" };
	size_t	i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(SASL_SCRAM_SHA_1, BIT(SASL_SCRAM_SHA_1), &pencil,
		    &unbound, "fyko+d2lbbFgONRv9qkxdawL");
		/* Nor may it leave everything out. */
		assert_int_equal(finish(bad[i]), -1);
		assert_int_equal(answer("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1Z"
		    "VvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"), 0);
		assert_int_equal(finish(bad[i]), -1);
		assert_int_equal(answer(bad[i]), -1);
		assert_true(strstr(sasl_why(sasl), "prove") != NULL ||
		    strstr(sasl_why(sasl), "ends SCRAM with") != NULL);
	}
}

static void
nonces_differ(void **state)
{
	char	first[64];

	begin(SASL_SCRAM_SHA_1, ALL, &pencil, &unbound, NULL);
	snprintf(first, sizeof(first), "%s", said());
	assert_int_equal(strlen(first), strlen("n,,n=user,r=") + 32);
	begin(SASL_SCRAM_SHA_1, ALL, &pencil, &unbound, NULL);
	assert_string_not_equal(said(), first);
	sasl_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define	T(f)	cmocka_unit_test_teardown(f, end)
		T(rfc5802_sha1),
		T(rfc7677_sha256),
		T(sha512),
		T(bound_to_the_connection),
		T(the_best_is_chosen),
		T(plain_and_external),
		T(text_beyond_ascii),
		T(hostile_challenges),
		T(no_base64),
		T(a_server_must_prove_itself),
		T(nonces_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
