/* SNMPv3 keys against the examples of RFC 3414 A.3, ciphers against
 * themselves; whole messages are for net-snmp to judge (test_sim.py). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/sim/cipher.c"

static const uint8_t engine[12] = { [11] = 2 };

static void
check_keys(enum auth auth, const char *ku, const char *kul)
{
	uint8_t key[CIPHER_KEY_MAX], local[CIPHER_KEY_MAX];
	char text[2 * CIPHER_KEY_MAX + 1];
	size_t i;

	cipher_password(auth, "maplesyrup", 10, key);
	for (i = 0; i < cipher_key_len(auth); i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	assert_string_equal(text, ku);
	cipher_localise(auth, key, engine, sizeof(engine), local);
	for (i = 0; i < cipher_key_len(auth); i++)
		snprintf(text + 2 * i, 3, "%02x", local[i]);
	assert_string_equal(text, kul);
}

static void
test_keys_of_the_rfc(void **state)
{
	check_keys(AUTH_MD5, "9faf3283884e92834ebc9847d8edd963",
	    "526f5eed9fcce26f8964c2930787d82b");
	check_keys(AUTH_SHA1, "9fb5cc0381497b3793528939ff788d5d79145211",
	    "6695febc9288e36282235fc7151f128497b38f3f");
}

static void
test_hmac(void **state)
{
	static const uint8_t key[16] = { 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
	    0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b };
	/* RFC 2202 section 2, test case 1 */
	static const uint8_t want[12] = { 0x92, 0x94, 0x72, 0x7a, 0x36, 0x38,
	    0xbb, 0x1c, 0x13, 0xf4, 0x8e, 0xf8 };
	uint8_t mac[CIPHER_MAC_MAX];

	cipher_mac(AUTH_MD5, key, "Hi There", 8, mac);
	assert_memory_equal(mac, want, sizeof(want));
}

static void
test_round_trips(void **state)
{
	const char *text = "attack at dawn, and bring an umbrella";
	uint8_t key[CIPHER_KEY_MAX], other[CIPHER_KEY_MAX], closed[64],
	    opened[64];
	const uint8_t salt[CIPHER_SALT] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	enum priv p;
	long len, back;

	for (p = PRIV_DES; p <= PRIV_AES256C; p++) {
		cipher_password(AUTH_SHA1, "secret", 6, other);
		cipher_localise(AUTH_SHA1, other, engine, sizeof(engine), key);
		cipher_extend(AUTH_SHA1, p, engine, sizeof(engine), key);
		len = cipher_close(p, key, 3, 4, salt, text, strlen(text),
		    closed);
		assert_int_equal(len, p == PRIV_DES ? 40 : 37);
		assert_memory_not_equal(closed, text, 16);
		back = cipher_open(p, key, 3, 4, salt, closed, (size_t)len,
		    opened);
		assert_int_equal(back, len);
		assert_memory_equal(opened, text, strlen(text));
		if (p != PRIV_DES) {	/* the vector has boots and time */
			cipher_open(p, key, 3, 5, salt, closed, (size_t)len,
			    opened);
			assert_memory_not_equal(opened, text, 16);
		}
	}
	assert_int_equal(cipher_open(PRIV_DES, key, 3, 4, salt, closed, 37,
	    opened), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_the_rfc),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
