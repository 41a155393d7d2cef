/*
 * What keeps octets on a disk from whoever has the disk: XChaCha20-Poly1305
 * with a random nonce, under a key that stands in a file of its own, one line
 * "platen-store-1 BASE64", mode 0600.
 */
#ifndef CRYPTO_LOCK_H
#define CRYPTO_LOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nonce and tag: so much longer are octets that were locked. */
#define LOCK_MORE	40
#define LOCK_MARK_LEN	16

struct lock;

/* Makes a key and writes it to path, whole or not at all, also when several
 * do so at once: then all have the same.  NULL on failure, logged. */
struct lock	*lock_make(const char *path);
/* purpose names the file in messages ("[agent] store_key_file").  NULL on
 * failure, logged with what to do. */
struct lock	*lock_load(const char *path, const char *purpose);
struct lock	*lock_copy(const struct lock *);
void		 lock_free(struct lock *);		/* NULL is fine */

/*
 * Locks len octets into out, which has len + LOCK_MORE.  name says what they
 * are, and nothing opens them under another name, so that nobody can exchange
 * them for each other.
 */
void		 lock_put(const struct lock *, const char *name,
		    const void *plain, size_t len, uint8_t *out);
/* The reverse: out has len - LOCK_MORE.  0, or -1 when it was not locked with
 * this key under that name, or is shorter than LOCK_MORE; not logged. */
int		 lock_take(const struct lock *, const char *name,
		    const void *locked, size_t len, void *out);
/* The same text has the same mark, which says nothing without the key
 * (BLAKE2b, keyed): for looking up what is locked. */
void		 lock_mark(const struct lock *, const char *text,
		    uint8_t out[LOCK_MARK_LEN]);

#endif
