/*
 * Keys, digests and ciphers of SNMPv3: published vectors, and for what nobody
 * published agreement with net-snmp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* First, because net-snmp defines USM_TIME_WINDOW. */
#include "snmp/usmkey.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/keytools.h>
#include <net-snmp/library/scapi.h>

#define AUTH(a)	for (a = USM_MD5; a <= USM_SHA512; a++)
#define PRIVACY(p) for (p = USM_DES; p <= USM_AES256C; p++)

/* RFC 3414 A.3. */
static const uint8_t	 engine[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 };

static const size_t	 digest_len[] = { 0, 16, 20, 28, 32, 48, 64 };
static const size_t	 mac_len[] = { 0, 12, 12, 16, 24, 32, 48 };
static const size_t	 key_len[] = { 0, 16, 16, 24, 32, 24, 32 };

static oid	*
peer_auth(enum usm_auth a, size_t *len)
{
	static const int types[] = { 0, NETSNMP_USMAUTH_HMACMD5,
	    NETSNMP_USMAUTH_HMACSHA1, NETSNMP_USMAUTH_HMAC128SHA224,
	    NETSNMP_USMAUTH_HMAC192SHA256, NETSNMP_USMAUTH_HMAC256SHA384,
	    NETSNMP_USMAUTH_HMAC384SHA512 };

	return sc_get_auth_oid(types[a], len);
}

static int
peer_privacy_type(enum usm_privacy p)
{
	static const int types[] = { 0, USM_CREATE_USER_PRIV_DES,
	    USM_CREATE_USER_PRIV_AES, USM_CREATE_USER_PRIV_AES192,
	    USM_CREATE_USER_PRIV_AES256, USM_CREATE_USER_PRIV_AES192_CISCO,
	    USM_CREATE_USER_PRIV_AES256_CISCO };

	return types[p];
}

static void
assert_hex(const uint8_t *got, size_t len, const char *want)
{
	char	 text[2 * USMKEY_MAX + 1];
	size_t	 i;

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", got[i]);
	assert_string_equal(text, want);
}

/* Key and localised key of "maplesyrup". */
static void
check_vector(enum usm_auth a, const char *ku, const char *kul)
{
	struct usmkey		 key;
	struct usmkey_local	 local;

	assert_true(usmkey_prepare(a, USM_NOPRIV));
	assert_true(usmkey_from_password(a, "maplesyrup", key.auth));
	assert_hex(key.auth, digest_len[a], ku);
	assert_true(usmkey_localise(a, USM_NOPRIV, &key, engine,
	    sizeof(engine), &local));
	assert_hex(local.auth, digest_len[a], kul);
}

static void
test_rfc3414(void **state)
{
	/* A.3.1 and A.3.2. */
	check_vector(USM_MD5, "9faf3283884e92834ebc9847d8edd963",
	    "526f5eed9fcce26f8964c2930787d82b");
	check_vector(USM_SHA1, "9fb5cc0381497b3793528939ff788d5d79145211",
	    "6695febc9288e36282235fc7151f128497b38f3f");
}

static void
check_extended(enum usm_auth a, enum usm_privacy p, const char *want)
{
	struct usmkey		 key;
	struct usmkey_local	 local;

	assert_true(usmkey_prepare(a, p));
	assert_true(usmkey_from_password(a, "maplesyrup", key.auth));
	memcpy(key.privacy, key.auth, sizeof(key.privacy));
	assert_true(usmkey_localise(a, p, &key, engine, sizeof(engine),
	    &local));
	assert_hex(local.privacy, key_len[p], want);
}

/* draft-reeder-snmpv3-usm-3desede-00, B.1 and B.2: the first 32 octets. */
static void
test_reeder(void **state)
{
	check_extended(USM_MD5, USM_AES256C, "526f5eed9fcce26f8964c2930787d82b"
	    "79eff44a90650ee0a3a40abfac5acc12");
	check_extended(USM_SHA1, USM_AES256C,
	    "6695febc9288e36282235fc7151f128497b38f3f"
	    "9b8b6d78936ba6e7d19dfd9c");
	check_extended(USM_SHA1, USM_AES192C,
	    "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78");
}

static void
compare_localised(enum usm_auth a, enum usm_privacy p)
{
	struct usmkey		 key;
	struct usmkey_local	 local;
	size_t			 type_len, len = USMKEY_MAX;
	oid			*type = peer_auth(a, &type_len);
	u_char			 ku[USMKEY_MAX], *kul = calloc(1, 200);
	size_t			 kul_len = 200;

	assert_true(usmkey_prepare(a, p));
	assert_true(usmkey_from_password(a, "a password", key.auth));
	assert_true(usmkey_from_password(a, "another one", key.privacy));
	assert_true(usmkey_localise(a, p, &key, engine, sizeof(engine),
	    &local));

	assert_int_equal(generate_Ku(type, (u_int)type_len,
	    (const u_char *)"another one", 11, ku, &len), SNMPERR_SUCCESS);
	assert_memory_equal(ku, key.privacy, digest_len[a]);
	assert_int_equal(generate_kul(type, (u_int)type_len, engine,
	    sizeof(engine), ku, len, kul, &kul_len), SNMPERR_SUCCESS);
	if (kul_len < key_len[p])
		assert_int_equal(netsnmp_extend_kul((u_int)key_len[p], type,
		    (u_int)type_len, peer_privacy_type(p), (u_char *)engine,
		    sizeof(engine), &kul, &kul_len, 200), SNMPERR_SUCCESS);
	assert_memory_equal(kul, local.privacy, key_len[p]);
	free(kul);
}

static void
test_localise_peer(void **state)
{
	enum usm_auth		 a;
	enum usm_privacy	 p;

	AUTH(a)
		PRIVACY(p)
			compare_localised(a, p);
}

static void
test_mac_peer(void **state)
{
	uint8_t		 key[USMKEY_MAX], text[700], mac[USMKEY_MAX];
	u_char		 want[USMKEY_MAX];
	enum usm_auth	 a;
	size_t		 len, type_len, i;
	oid		*type;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7);
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 5 + 1);
	AUTH(a) {
		assert_true(usmkey_prepare(a, USM_NOPRIV));
		assert_int_equal(usmkey_mac_len(a), mac_len[a]);
		/* Whatever stands in the digest's place counts as zero. */
		memset(text + 100, 0x55, mac_len[a]);
		assert_true(usmkey_mac(a, key, text, sizeof(text), 100, mac));
		memset(text + 100, 0, mac_len[a]);
		type = peer_auth(a, &type_len);
		len = mac_len[a];
		assert_int_equal(sc_generate_keyed_hash(type, type_len, key,
		    (u_int)digest_len[a], text, sizeof(text), want, &len),
		    SNMPERR_SUCCESS);
		assert_memory_equal(mac, want, mac_len[a]);
		assert_false(usmkey_mac(a, key, text, 100, 99, mac));
		assert_false(usmkey_mac(a, key, text, 100, 101, mac));
	}
}

static void
compare_cipher(enum usm_privacy p)
{
	uint8_t	 key[32], plain[96], ours[96], back[96], salt[USMKEY_SALT];
	u_char	 iv[16], want[128], *k = key;
	size_t	 i, oid_len, len, want_len = sizeof(want);
	oid	*type = sc_get_priv_oid(peer_privacy_type(p), &oid_len);

	assert_true(usmkey_prepare(USM_NOAUTH, p));
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 3 + (unsigned)p);
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)i;
	usmkey_salt(salt);
	if (p == USM_DES) {
		for (i = 0; i < 8; i++)
			iv[i] = key[8 + i] ^ salt[i];
	} else {
		memcpy(iv, "\0\0\1\2\0\3\4\5", 8);
		memcpy(iv + 8, salt, 8);
	}
	len = p == USM_DES ? 96 : 93;
	assert_true(usmkey_encrypt(p, key, 0x102, 0x30405, salt, plain, len,
	    ours));
	assert_int_equal(sc_encrypt(type, oid_len, k,
	    p == USM_DES ? 8 : (u_int)key_len[p], iv, p == USM_DES ? 8 : 16,
	    plain, (u_int)len, want, &want_len), SNMPERR_SUCCESS);
	assert_memory_equal(ours, want, len);
	assert_true(usmkey_decrypt(p, key, 0x102, 0x30405, salt, ours, len,
	    back));
	assert_memory_equal(back, plain, len);
	/* In place; and again, so that nothing of the last one is left. */
	assert_true(usmkey_encrypt(p, key, 0x102, 0x30405, salt, back, len,
	    back));
	assert_memory_equal(back, ours, len);
	if (p == USM_DES)
		assert_false(usmkey_decrypt(p, key, 0, 0, salt, ours, 95,
		    back));
}

static void
test_cipher_peer(void **state)
{
	enum usm_privacy	 p;

	PRIVACY(p)
		compare_cipher(p);
}

static void
test_salt(void **state)
{
	uint8_t	 a[USMKEY_SALT], b[USMKEY_SALT];

	usmkey_salt(a);
	usmkey_salt(b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Without usmkey_prepare(), and after usmkey_close(), nothing works and
 * nothing breaks. */
static void
test_closed(void **state)
{
	uint8_t	 key[USMKEY_MAX] = { 0 }, bytes[64] = { 0 };

	usmkey_close();
	assert_false(usmkey_from_password(USM_SHA1, "maplesyrup", key));
	assert_false(usmkey_mac(USM_SHA1, key, bytes, 64, 10, key));
	assert_false(usmkey_encrypt(USM_AES128, key, 0, 0, key, bytes, 64,
	    bytes));
	usmkey_close();
	assert_true(usmkey_prepare(USM_SHA1, USM_AES128));
	assert_true(usmkey_encrypt(USM_AES128, key, 0, 0, key, bytes, 64,
	    bytes));
	assert_false(usmkey_from_password(USM_SHA1, "", key));
}

static int
close_all(void **state)
{
	usmkey_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3414),
		cmocka_unit_test(test_reeder),
		cmocka_unit_test(test_localise_peer),
		cmocka_unit_test(test_mac_peer),
		cmocka_unit_test(test_cipher_peer),
		cmocka_unit_test(test_salt),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
