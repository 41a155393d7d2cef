#include "tests/sim/cipher.h"

#include <string.h>
#include <strings.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/log.h"

#define PASSWORD_OCTETS	(1024 * 1024)

static const struct hash {
	const char	*word, *name;
	size_t		 key, mac;
} hashes[] = {
	[AUTH_NONE]	= { "none", NULL, 0, 0 },
	[AUTH_MD5]	= { "md5", "MD5", 16, 12 },
	[AUTH_SHA1]	= { "sha1", "SHA1", 20, 12 },
	[AUTH_SHA224]	= { "sha224", "SHA224", 28, 16 },
	[AUTH_SHA256]	= { "sha256", "SHA256", 32, 24 },
	[AUTH_SHA384]	= { "sha384", "SHA384", 48, 32 },
	[AUTH_SHA512]	= { "sha512", "SHA512", 64, 48 },
};

static const struct kind {
	const char	*word, *name;
	size_t		 key;
} kinds[] = {
	[PRIV_NONE]	= { "none", NULL, 0 },
	/* OpenSSL 3 keeps single DES apart; three times the same key is it */
	[PRIV_DES]	= { "des", "DES-EDE3-CBC", 16 },
	[PRIV_AES128]	= { "aes128", "AES-128-CFB", 16 },
	[PRIV_AES192]	= { "aes192", "AES-192-CFB", 24 },
	[PRIV_AES256]	= { "aes256", "AES-256-CFB", 32 },
	[PRIV_AES192C]	= { "aes192c", "AES-192-CFB", 24 },
	[PRIV_AES256C]	= { "aes256c", "AES-256-CFB", 32 },
};

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

int
cipher_auth(const char *word, enum auth *auth)
{
	size_t i;

	for (i = 0; i < COUNT(hashes); i++)
		if (strcasecmp(word, hashes[i].word) == 0) {
			*auth = (enum auth)i;
			return 0;
		}
	return -1;
}

int
cipher_priv(const char *word, enum priv *priv)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (strcasecmp(word, kinds[i].word) == 0) {
			*priv = (enum priv)i;
			return 0;
		}
	return -1;
}

size_t
cipher_key_len(enum auth auth)
{
	return hashes[auth].key;
}

size_t
cipher_mac_len(enum auth auth)
{
	return hashes[auth].mac;
}

/* Looking one up costs more than using it. */
static const EVP_MD *
digest(enum auth auth)
{
	static EVP_MD *known[COUNT(hashes)];

	if (known[auth] == NULL)
		known[auth] = EVP_MD_fetch(NULL, hashes[auth].name, NULL);
	if (known[auth] == NULL)
		fatalx("cipher", "no %s", hashes[auth].name);
	return known[auth];
}

static EVP_MD_CTX *
start(enum auth auth)
{
	static EVP_MD_CTX *ctx;

	if (ctx == NULL)
		ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex2(ctx, digest(auth), NULL) != 1)
		fatalx("cipher", "cannot hash");
	return ctx;
}

static void
finish(EVP_MD_CTX *ctx, uint8_t out[CIPHER_KEY_MAX])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		fatalx("cipher", "cannot hash");
}

void
cipher_password(enum auth auth, const void *password, size_t len,
    uint8_t key[CIPHER_KEY_MAX])
{
	EVP_MD_CTX *ctx = start(auth);
	const uint8_t *text = password;
	uint8_t part[4096];
	size_t at, i;

	for (at = 0; at < PASSWORD_OCTETS; at += sizeof(part)) {
		for (i = 0; i < sizeof(part); i++)
			part[i] = len > 0 ? text[(at + i) % len] : 0;
		EVP_DigestUpdate(ctx, part, sizeof(part));
	}
	finish(ctx, key);
}

void
cipher_localise(enum auth auth, const uint8_t *key, const void *engine,
    size_t engine_len, uint8_t out[CIPHER_KEY_MAX])
{
	EVP_MD_CTX *ctx = start(auth);

	EVP_DigestUpdate(ctx, key, hashes[auth].key);
	EVP_DigestUpdate(ctx, engine, engine_len);
	EVP_DigestUpdate(ctx, key, hashes[auth].key);
	finish(ctx, out);
}

void
cipher_extend(enum auth auth, enum priv priv, const void *engine,
    size_t engine_len, uint8_t key[CIPHER_KEY_MAX])
{
	size_t have = hashes[auth].key, want = kinds[priv].key;
	uint8_t more[CIPHER_KEY_MAX], other[CIPHER_KEY_MAX];
	EVP_MD_CTX *ctx;

	while (have < want) {
		if (priv == PRIV_AES192C || priv == PRIV_AES256C) {
			/* the last key serves as another password */
			cipher_password(auth, key + have - hashes[auth].key,
			    hashes[auth].key, other);
			cipher_localise(auth, other, engine, engine_len,
			    more);
		} else {
			ctx = start(auth);
			EVP_DigestUpdate(ctx, key, have);
			finish(ctx, more);
		}
		memcpy(key + have, more, hashes[auth].key <
		    CIPHER_KEY_MAX - have ? hashes[auth].key :
		    CIPHER_KEY_MAX - have);
		have += hashes[auth].key;
	}
}

void
cipher_mac(enum auth auth, const uint8_t *key, const void *message,
    size_t len, uint8_t mac[CIPHER_MAC_MAX])
{
	uint8_t pad[128] = { 0 }, inner[CIPHER_KEY_MAX], full[CIPHER_KEY_MAX];
	/* SHA-384 and SHA-512 work on blocks of 128 octets */
	size_t block = hashes[auth].key > 32 ? 128 : 64, i;
	EVP_MD_CTX *ctx;

	/* RFC 2104, by hand: EVP_MAC costs as much again in parameters */
	memcpy(pad, key, hashes[auth].key);
	for (i = 0; i < block; i++)
		pad[i] ^= 0x36;
	ctx = start(auth);
	EVP_DigestUpdate(ctx, pad, block);
	EVP_DigestUpdate(ctx, message, len);
	finish(ctx, inner);
	for (i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	ctx = start(auth);
	EVP_DigestUpdate(ctx, pad, block);
	EVP_DigestUpdate(ctx, inner, hashes[auth].key);
	finish(ctx, full);
	memcpy(mac, full, hashes[auth].mac);
}

static void
put32(uint8_t *out, uint32_t n)
{
	int i;

	for (i = 0; i < 4; i++)
		out[i] = (uint8_t)(n >> 8 * (3 - i));
}

/* RFC 3414 8.1.1.1 and RFC 3826 3.1.2.1. */
static void
initial_vector(enum priv priv, const uint8_t *key, uint32_t boots,
    uint32_t time, const uint8_t salt[CIPHER_SALT], uint8_t iv[16])
{
	int i;

	if (priv == PRIV_DES) {
		for (i = 0; i < 8; i++)
			iv[i] = key[8 + i] ^ salt[i];
		return;
	}
	put32(iv, boots);
	put32(iv + 4, time);
	memcpy(iv + 8, salt, CIPHER_SALT);
}

static long
crypt(enum priv priv, const uint8_t *key, const uint8_t iv[16],
    const void *in, size_t len, uint8_t *out, int encrypt)
{
	static EVP_CIPHER *known[COUNT(kinds)];
	static EVP_CIPHER_CTX *ctx;
	uint8_t triple[24];
	int done = 0, i;

	if (known[priv] == NULL)
		known[priv] = EVP_CIPHER_fetch(NULL, kinds[priv].name, NULL);
	if (ctx == NULL)
		ctx = EVP_CIPHER_CTX_new();
	if (known[priv] == NULL || ctx == NULL)
		fatalx("cipher", "no %s", kinds[priv].name);
	if (priv == PRIV_DES) {
		for (i = 0; i < 3; i++)
			memcpy(triple + 8 * i, key, 8);
		key = triple;
	}
	if (EVP_CipherInit_ex2(ctx, known[priv], key, iv, encrypt,
	    NULL) != 1 || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
	    EVP_CipherUpdate(ctx, out, &done, in, (int)len) != 1)
		return -1;
	return done == (int)len ? done : -1;
}

long
cipher_close(enum priv priv, const uint8_t *key, uint32_t boots,
    uint32_t time, const uint8_t salt[CIPHER_SALT], const void *plain,
    size_t len, uint8_t *out)
{
	uint8_t iv[16];
	size_t padded = priv == PRIV_DES ? (len + 7) & ~(size_t)7 : len;

	initial_vector(priv, key, boots, time, salt, iv);
	memcpy(out, plain, len);
	memset(out + len, 0, padded - len);
	return crypt(priv, key, iv, out, padded, out, 1);
}

long
cipher_open(enum priv priv, const uint8_t *key, uint32_t boots,
    uint32_t time, const uint8_t salt[CIPHER_SALT], const void *bytes,
    size_t len, uint8_t *out)
{
	uint8_t iv[16];

	if (len == 0 || (priv == PRIV_DES && len % 8 != 0))
		return -1;
	initial_vector(priv, key, boots, time, salt, iv);
	return crypt(priv, key, iv, bytes, len, out, 0);
}
