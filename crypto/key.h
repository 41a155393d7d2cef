/*
 * Curve25519 key pairs and their files: one line, "platen-key-1 BASE64", mode
 * 0600.  Public keys travel as BASE64 alone (RFC 4648 section 4, padded).
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <stdint.h>

#define KEY_LEN		32
#define KEY_TEXT_MAX	48	/* BASE64 of a key, and a NUL */

struct key {
	uint8_t	 secret[KEY_LEN];
	uint8_t	 public[KEY_LEN];
};

/* Must have succeeded before anything else in crypto/: 0 or -1. */
int	 key_library_init(void);
void	 key_make(struct key *);
void	 key_wipe(struct key *);
/* 0, or -1, logged with what to do (mode, missing, not a key). */
int	 key_load(const char *path, struct key *);
/* Refuses to replace a file.  0, or -1, logged. */
int	 key_save(const char *path, const struct key *);
void	 key_format_public(const uint8_t public[KEY_LEN],
	    char out[KEY_TEXT_MAX]);
/* 0, or -1 when text is no key. */
int	 key_parse_public(const char *text, uint8_t public[KEY_LEN]);
/* First 8 groups of 4 hex digits of its SHA-256: for people to compare. */
void	 key_fingerprint(const uint8_t public[KEY_LEN], char out[48]);

#endif
