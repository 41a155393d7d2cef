#include "crypto/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypto/base64.h"
#include "crypto/key.h"
#include "crypto/vault.h"

#define NONCE_LEN	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN		crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SECRET_LEN	crypto_kdf_KEYBYTES

/* Of the one key that is in the file. */
enum { SEAL = 1, MARK };
static const char context[crypto_kdf_CONTEXTBYTES] = "platenst";

static const char tag[] = "platen-store-1 ";

struct lock {
	uint8_t	 seal[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	uint8_t	 mark[crypto_generichash_KEYBYTES];
};

_Static_assert(LOCK_MORE == NONCE_LEN + TAG_LEN, "LOCK_MORE");
_Static_assert(LOCK_MARK_LEN >= crypto_generichash_BYTES_MIN, "LOCK_MARK_LEN");
_Static_assert(BASE64_SIZE(SECRET_LEN) <= KEY_TEXT_MAX, "KEY_TEXT_MAX");

static struct lock *
lock_new(const uint8_t secret[SECRET_LEN])
{
	struct lock	*lock = vault_take(sizeof(*lock));

	crypto_kdf_derive_from_key(lock->seal, sizeof(lock->seal), SEAL,
	    context, secret);
	crypto_kdf_derive_from_key(lock->mark, sizeof(lock->mark), MARK,
	    context, secret);
	return lock;
}

/* Under a name of its own first: who sees the file sees all of it. */
static int
write_whole(const char *path, const char *line)
{
	char	*own = xasprintf("%s.%d", path, (int)getpid());
	int	 rc = -1;

	(void)unlink(own);		/* of one that died here */
	if (secret_write(own, line) == 0) {
		rc = link(own, path) == -1 && errno != EEXIST ? -1 : 0;
		if (rc == -1)
			log_warn("lock", "%s", log_safe(path));
		(void)unlink(own);
	}
	free(own);
	return rc;
}

struct lock *
lock_make(const char *path)
{
	char	 line[sizeof(tag) + KEY_TEXT_MAX];
	uint8_t	 secret[SECRET_LEN];
	int	 rc;

	if (key_library_init() == -1)
		return NULL;
	crypto_kdf_keygen(secret);
	memcpy(line, tag, sizeof(tag));
	sodium_bin2base64(line + sizeof(tag) - 1, KEY_TEXT_MAX, secret,
	    sizeof(secret), sodium_base64_VARIANT_ORIGINAL);
	rc = write_whole(path, line);
	sodium_memzero(line, sizeof(line));
	sodium_memzero(secret, sizeof(secret));
	return rc == 0 ? lock_load(path, "the store's key") : NULL;
}

struct lock *
lock_load(const char *path, const char *purpose)
{
	struct lock	*lock = NULL;
	char		 line[SECRET_MAX];
	const char	*text = line + sizeof(tag) - 1;
	uint8_t		 secret[SECRET_LEN];
	size_t		 len;

	if (key_library_init() == -1)
		return NULL;
	if (secret_read(path, purpose, line, sizeof(line)) == -1)
		return NULL;
	if (strncmp(line, tag, sizeof(tag) - 1) != 0)
		log_warnx("lock", "%s: %s is no key of a store (it must start "
		    "with \"%.*s\")", purpose, log_safe(path),
		    (int)sizeof(tag) - 2, tag);
	else if (base64_decode(text, strlen(text), secret, sizeof(secret),
	    &len) == -1 || len != sizeof(secret))
		log_warnx("lock", "%s: the key in %s is damaged (not %d "
		    "octets of base64); restore it from a copy, or remove the "
		    "file and a new store begins", purpose, log_safe(path),
		    (int)sizeof(secret));
	else
		lock = lock_new(secret);
	sodium_memzero(line, sizeof(line));
	sodium_memzero(secret, sizeof(secret));
	return lock;
}

struct lock *
lock_copy(const struct lock *lock)
{
	struct lock	*copy = vault_take(sizeof(*copy));

	*copy = *lock;
	return copy;
}

void
lock_free(struct lock *lock)
{
	vault_give(lock);
}

void
lock_put(const struct lock *lock, const char *name, const void *plain,
    size_t len, uint8_t *out)
{
	randombytes_buf(out, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_LEN, NULL,
	    plain, len, (const uint8_t *)name, strlen(name), NULL, out,
	    lock->seal);
}

int
lock_take(const struct lock *lock, const char *name, const void *locked,
    size_t len, void *out)
{
	const uint8_t	*nonce = locked;

	if (len < LOCK_MORE)
		return -1;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
	    nonce + NONCE_LEN, len - NONCE_LEN, (const uint8_t *)name,
	    strlen(name), nonce, lock->seal);
}

void
lock_mark(const struct lock *lock, const char *text,
    uint8_t out[LOCK_MARK_LEN])
{
	crypto_generichash(out, LOCK_MARK_LEN, (const uint8_t *)text,
	    strlen(text), lock->mark, sizeof(lock->mark));
}
