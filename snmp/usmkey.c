#include "snmp/usmkey.h"

#include <sys/random.h>

#include <errno.h>
#include <string.h>

/* Single DES lives in libcrypto's legacy provider, which a system need not
 * have, or in these calls, which are deprecated; triple DES with one key
 * thrice would do, at 46 microseconds for 1,400 octets instead of 18. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/des.h>
#include <openssl/evp.h>

#include "base/log.h"
#include "base/secret.h"

#define MEGABYTE	1048576		/* RFC 3414 A.2 */
#define BLOCK_MAX	128

static const struct auth_kind {
	const char	*name;		/* libcrypto's */
	size_t		 len;		/* of a digest, and so of a key */
	size_t		 block;
	size_t		 mac;		/* what is left of a digest */
} auths[] = {
	[USM_NOAUTH] = { NULL, 0, 0, 0 },
	[USM_MD5] = { "MD5", 16, 64, 12 },
	[USM_SHA1] = { "SHA1", 20, 64, 12 },
	[USM_SHA224] = { "SHA2-224", 28, 64, 16 },
	[USM_SHA256] = { "SHA2-256", 32, 64, 24 },
	[USM_SHA384] = { "SHA2-384", 48, 128, 32 },
	[USM_SHA512] = { "SHA2-512", 64, 128, 48 }
};

enum width { AES_NONE, AES_128, AES_192, AES_256, AES_WIDTHS };

static const char *const aes_names[AES_WIDTHS] = {
	NULL, "AES-128-CFB", "AES-192-CFB", "AES-256-CFB"
};

enum extension { FITS, BLUMENTHAL, REEDER };

static const struct privacy_kind {
	enum width	 width;
	size_t		 key;
	enum extension	 extension;
} privacies[] = {
	[USM_NOPRIV] = { AES_NONE, 0, FITS },
	[USM_DES] = { AES_NONE, 16, FITS },	/* key and pre-IV */
	[USM_AES128] = { AES_128, 16, FITS },
	[USM_AES192] = { AES_192, 24, BLUMENTHAL },
	[USM_AES256] = { AES_256, 32, BLUMENTHAL },
	[USM_AES192C] = { AES_192, 24, REEDER },
	[USM_AES256C] = { AES_256, 32, REEDER }
};

/* One process, one thread: contexts are made once. */
static EVP_MD		*digests[USM_SHA512 + 1];
static EVP_MD_CTX	*hashing;
static EVP_CIPHER_CTX	*encrypting[AES_WIDTHS], *decrypting[AES_WIDTHS];
static uint64_t		 salt_next;
static bool		 salted;

static EVP_CIPHER_CTX *
cipher_context(EVP_CIPHER *cipher, bool encrypt)
{
	static const uint8_t zero[32];
	EVP_CIPHER_CTX	*ctx = EVP_CIPHER_CTX_new();

	if (ctx != NULL &&
	    EVP_CipherInit_ex2(ctx, cipher, zero, zero, encrypt, NULL) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static bool
prepare_aes(enum width width)
{
	EVP_CIPHER	*cipher;

	if (encrypting[width] != NULL && decrypting[width] != NULL)
		return true;
	cipher = EVP_CIPHER_fetch(NULL, aes_names[width], NULL);
	if (cipher == NULL)
		return false;
	if (encrypting[width] == NULL)
		encrypting[width] = cipher_context(cipher, true);
	if (decrypting[width] == NULL)
		decrypting[width] = cipher_context(cipher, false);
	EVP_CIPHER_free(cipher);	/* the contexts hold it */
	return encrypting[width] != NULL && decrypting[width] != NULL;
}

bool
usmkey_prepare(enum usm_auth auth, enum usm_privacy privacy)
{
	enum width	 width = privacies[privacy].width;

	if (hashing == NULL && (hashing = EVP_MD_CTX_new()) == NULL)
		return false;
	if (auth != USM_NOAUTH && digests[auth] == NULL)
		digests[auth] = EVP_MD_fetch(NULL, auths[auth].name, NULL);
	return (auth == USM_NOAUTH || digests[auth] != NULL) &&
	    (width == AES_NONE || prepare_aes(width));
}

void
usmkey_close(void)
{
	size_t	 i;

	for (i = 0; i <= USM_SHA512; i++) {
		EVP_MD_free(digests[i]);
		digests[i] = NULL;
	}
	for (i = 0; i < AES_WIDTHS; i++) {
		EVP_CIPHER_CTX_free(encrypting[i]);
		EVP_CIPHER_CTX_free(decrypting[i]);
		encrypting[i] = decrypting[i] = NULL;
	}
	EVP_MD_CTX_free(hashing);
	hashing = NULL;
}

size_t
usmkey_mac_len(enum usm_auth auth)
{
	return auths[auth].mac;
}

/* --- keys ------------------------------------------------------------------- */

static bool
hash_start(enum usm_auth auth)
{
	return hashing != NULL && digests[auth] != NULL &&
	    EVP_DigestInit_ex2(hashing, digests[auth], NULL) == 1;
}

static bool
hash_add(const void *bytes, size_t len)
{
	return EVP_DigestUpdate(hashing, bytes, len) == 1;
}

static bool
hash_end(uint8_t *out)
{
	return EVP_DigestFinal_ex(hashing, out, NULL) == 1;
}

/* What a password repeated to a megabyte hashes to (RFC 3414 A.2.1). */
static bool
stretch(enum usm_auth auth, const void *password, size_t len, uint8_t *ku)
{
	uint8_t	 many[4 * USMKEY_PASSWORD_MAX];
	size_t	 many_len, left, n;
	bool	 ok;

	if (len == 0 || len > USMKEY_PASSWORD_MAX)
		return false;
	for (many_len = 0; many_len + len <= sizeof(many); many_len += len)
		memcpy(many + many_len, password, len);
	ok = hash_start(auth);
	for (left = MEGABYTE; ok && left > 0; left -= n) {
		n = left < many_len ? left : many_len;
		ok = hash_add(many, n);
	}
	secret_wipe(many, sizeof(many));
	return ok && hash_end(ku);
}

bool
usmkey_from_password(enum usm_auth auth, const char *password,
    uint8_t ku[USMKEY_MAX])
{
	memset(ku, 0, USMKEY_MAX);
	return stretch(auth, password, strlen(password), ku);
}

/* RFC 3414 A.2.1, step c: Kul = H(Ku, engine, Ku). */
static bool
localise(enum usm_auth auth, const uint8_t *ku, const uint8_t *engine,
    size_t engine_len, uint8_t *kul)
{
	size_t	 len = auths[auth].len;

	return hash_start(auth) && hash_add(ku, len) &&
	    hash_add(engine, engine_len) && hash_add(ku, len) &&
	    hash_end(kul);
}

/* draft-blumenthal-aes-usm-04, section 3.1.2.1: what is there is hashed and
 * put behind. */
static bool
extend_blumenthal(enum usm_auth auth, uint8_t *key, size_t have)
{
	return hash_start(auth) && hash_add(key, have) && hash_end(key + have);
}

/* draft-reeder-snmpv3-usm-3desede, section 2.1: the last piece is taken for a
 * password, with the megabyte and all: milliseconds for each engine. */
static bool
extend_reeder(enum usm_auth auth, const uint8_t *engine, size_t engine_len,
    uint8_t *key, size_t have)
{
	size_t	 len = auths[auth].len;
	uint8_t	 ku[USMKEY_MAX];
	bool	 ok;

	ok = stretch(auth, key + have - len, len, ku) &&
	    localise(auth, ku, engine, engine_len, key + have);
	secret_wipe(ku, sizeof(ku));
	return ok;
}

static bool
localise_privacy(enum usm_auth auth, const struct privacy_kind *kind,
    const uint8_t *ku, const uint8_t *engine, size_t engine_len,
    uint8_t *out)
{
	uint8_t	 key[2 * USMKEY_MAX];
	size_t	 have = auths[auth].len;
	bool	 ok;

	ok = localise(auth, ku, engine, engine_len, key);
	for (; ok && have < kind->key; have += auths[auth].len)
		ok = kind->extension == REEDER ?
		    extend_reeder(auth, engine, engine_len, key, have) :
		    extend_blumenthal(auth, key, have);
	if (ok)
		memcpy(out, key, kind->key);
	secret_wipe(key, sizeof(key));
	return ok;
}

bool
usmkey_localise(enum usm_auth auth, enum usm_privacy privacy,
    const struct usmkey *key, const uint8_t *engine, size_t engine_len,
    struct usmkey_local *out)
{
	return (auth == USM_NOAUTH ||
	    localise(auth, key->auth, engine, engine_len, out->auth)) &&
	    (privacy == USM_NOPRIV || localise_privacy(auth,
	    &privacies[privacy], key->privacy, engine, engine_len,
	    out->privacy));
}

/* --- digests ---------------------------------------------------------------- */

static bool
message_add(const uint8_t *message, size_t len, size_t mac_at, size_t mac_len)
{
	static const uint8_t zero[USMKEY_MAC_MAX];

	if (mac_at > len || mac_len > len - mac_at)
		return false;
	return hash_add(message, mac_at) && hash_add(zero, mac_len) &&
	    hash_add(message + mac_at + mac_len, len - mac_at - mac_len);
}

/* HMAC (RFC 2104) by hand: libcrypto's own costs half a microsecond more,
 * because it makes three contexts ready for each message. */
bool
usmkey_mac(enum usm_auth auth, const uint8_t *key, const uint8_t *message,
    size_t len, size_t mac_at, uint8_t mac[USMKEY_MAX])
{
	const struct auth_kind	*kind = &auths[auth];
	uint8_t			 inner[BLOCK_MAX], outer[BLOCK_MAX];
	size_t			 i;
	bool			 ok;

	for (i = 0; i < kind->block; i++) {
		inner[i] = (i < kind->len ? key[i] : 0) ^ 0x36;
		outer[i] = inner[i] ^ 0x36 ^ 0x5c;
	}
	ok = hash_start(auth) && hash_add(inner, kind->block) &&
	    message_add(message, len, mac_at, kind->mac) && hash_end(mac) &&
	    hash_start(auth) && hash_add(outer, kind->block) &&
	    hash_add(mac, kind->len) && hash_end(mac);
	secret_wipe(inner, sizeof(inner));
	secret_wipe(outer, sizeof(outer));
	return ok;
}

/* --- ciphers ---------------------------------------------------------------- */

static void
put_u32(uint8_t *out, uint32_t n)
{
	out[0] = (uint8_t)(n >> 24);
	out[1] = (uint8_t)(n >> 16);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
}

/* A counter from a random start (RFC 3826 section 3.1.2.1), for DES as well:
 * RFC 3414 section 8.1.1.1 asks for what does not repeat, and our boots are
 * not counted. */
void
usmkey_salt(uint8_t salt[USMKEY_SALT])
{
	while (!salted) {
		if (getrandom(&salt_next, sizeof(salt_next), 0) ==
		    (ssize_t)sizeof(salt_next))
			salted = true;
		else if (errno != EINTR)
			fatal("usm", "no random numbers");
	}
	put_u32(salt, (uint32_t)(salt_next >> 32));
	put_u32(salt + 4, (uint32_t)salt_next);
	salt_next++;
}

/* RFC 3414 section 8.1.1: the key's second half, mixed with the salt, is the
 * initialisation vector. */
static bool
des(bool encrypt, const uint8_t *key, const uint8_t *salt, const uint8_t *in,
    size_t len, uint8_t *out)
{
	DES_cblock		 des_key, iv;
	DES_key_schedule	 schedule;
	size_t			 i;

	if (len % 8 != 0)
		return false;
	memcpy(des_key, key, sizeof(des_key));
	for (i = 0; i < sizeof(iv); i++)
		iv[i] = key[8 + i] ^ salt[i];
	DES_set_key_unchecked(&des_key, &schedule);
	DES_ncbc_encrypt(in, out, (long)len, &schedule, &iv, encrypt);
	secret_wipe(&schedule, sizeof(schedule));
	secret_wipe(des_key, sizeof(des_key));
	return true;
}

/* RFC 3826 section 3.1.2.1. */
static bool
aes(EVP_CIPHER_CTX *ctx, const uint8_t *key, int32_t boots, int32_t time,
    const uint8_t *salt, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t	 iv[16];
	int	 done;

	put_u32(iv, (uint32_t)boots);
	put_u32(iv + 4, (uint32_t)time);
	memcpy(iv + 8, salt, USMKEY_SALT);
	return ctx != NULL && len <= USM_MESSAGE_MAX &&
	    EVP_CipherInit_ex2(ctx, NULL, key, iv, -1, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, out, &done, in, (int)len) == 1 &&
	    (size_t)done == len;
}

bool
usmkey_encrypt(enum usm_privacy privacy, const uint8_t *key, int32_t boots,
    int32_t time, const uint8_t salt[USMKEY_SALT], const uint8_t *in,
    size_t len, uint8_t *out)
{
	if (privacy == USM_DES)
		return des(true, key, salt, in, len, out);
	return aes(encrypting[privacies[privacy].width], key, boots, time,
	    salt, in, len, out);
}

bool
usmkey_decrypt(enum usm_privacy privacy, const uint8_t *key, int32_t boots,
    int32_t time, const uint8_t salt[USMKEY_SALT], const uint8_t *in,
    size_t len, uint8_t *out)
{
	if (privacy == USM_DES)
		return des(false, key, salt, in, len, out);
	return aes(decrypting[privacies[privacy].width], key, boots, time,
	    salt, in, len, out);
}
