#include "crypto/key.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/base64.h"

static const char tag[] = "platen-key-1 ";

_Static_assert(BASE64_SIZE(KEY_LEN) <= KEY_TEXT_MAX, "KEY_TEXT_MAX");

int
key_library_init(void)
{
	if (sodium_init() == -1) {
		log_warnx("key", "libsodium does not start");
		return -1;
	}
	return 0;
}

void
key_make(struct key *k)
{
	/* No lock (RLIMIT_MEMLOCK) is no reason to have no key. */
	(void)sodium_mlock(k, sizeof(*k));
	do
		randombytes_buf(k->secret, sizeof(k->secret));
	while (crypto_scalarmult_curve25519_base(k->public, k->secret) != 0);
}

void
key_wipe(struct key *k)
{
	sodium_memzero(k, sizeof(*k));
	(void)sodium_munlock(k, sizeof(*k));
}

static int
key_decode(const char *text, uint8_t out[KEY_LEN])
{
	size_t	 len;

	if (base64_decode(text, strlen(text), out, KEY_LEN, &len) == 0 &&
	    len == KEY_LEN)
		return 0;
	sodium_memzero(out, KEY_LEN);
	return -1;
}

int
key_load(const char *path, struct key *k)
{
	char	 line[SECRET_MAX];
	int	 rc = -1;

	(void)sodium_mlock(k, sizeof(*k));
	if (secret_read(path, "key file", line, sizeof(line)) == -1)
		goto out;
	if (strncmp(line, tag, sizeof(tag) - 1) != 0) {
		log_warnx("key", "%s: not a key file (it must start with "
		    "\"%.*s\"); make a new one with keygen or init",
		    path, (int)sizeof(tag) - 2, tag);
		goto out;
	}
	if (key_decode(line + sizeof(tag) - 1, k->secret) == -1 ||
	    crypto_scalarmult_curve25519_base(k->public, k->secret) != 0) {
		log_warnx("key", "%s: the key is damaged (not %d octets of "
		    "base64); restore it from a copy or make a new one",
		    path, KEY_LEN);
		goto out;
	}
	rc = 0;
out:
	sodium_memzero(line, sizeof(line));
	if (rc != 0)
		key_wipe(k);
	return rc;
}

int
key_save(const char *path, const struct key *k)
{
	char	 line[sizeof(tag) + KEY_TEXT_MAX];
	char	*body = line + sizeof(tag) - 1;
	int	 rc;

	memcpy(line, tag, sizeof(tag));
	sodium_bin2base64(body, KEY_TEXT_MAX, k->secret, KEY_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
	rc = secret_write(path, line);
	sodium_memzero(line, sizeof(line));
	return rc;
}

void
key_format_public(const uint8_t public[KEY_LEN], char out[KEY_TEXT_MAX])
{
	sodium_bin2base64(out, KEY_TEXT_MAX, public, KEY_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
}

/*
 * Points of small order are no keys: every clamped scalar takes them to zero,
 * and libsodium says so.  Better here, with the file's name at hand, than in
 * the first handshake.
 */
int
key_parse_public(const char *text, uint8_t public[KEY_LEN])
{
	static const uint8_t	 any[KEY_LEN] = { 8 };
	uint8_t			 shared[KEY_LEN];

	if (text == NULL || key_decode(text, public) == -1)
		return -1;
	if (crypto_scalarmult_curve25519(shared, any, public) != 0) {
		sodium_memzero(public, KEY_LEN);
		return -1;
	}
	return 0;
}

void
key_fingerprint(const uint8_t public[KEY_LEN], char out[48])
{
	uint8_t	 hash[crypto_hash_sha256_BYTES];
	int	 i;

	crypto_hash_sha256(hash, public, KEY_LEN);
	for (i = 0; i < 8; i++)
		snprintf(out + i * 5, 6, "%02x%02x%s", hash[2 * i],
		    hash[2 * i + 1], i < 7 ? " " : "");
}
