/*
 * What SNMPv3's users encrypt and sign with: RFC 3414 (MD5, SHA-1, DES),
 * RFC 3826 (AES-128), RFC 7860 (SHA-2), AES-192 and AES-256 with both ways of
 * making a key longer.  On OpenSSL's primitives.
 */
#ifndef SIM_CIPHER_H
#define SIM_CIPHER_H

#include <stddef.h>
#include <stdint.h>

enum auth {
	AUTH_NONE, AUTH_MD5, AUTH_SHA1, AUTH_SHA224, AUTH_SHA256, AUTH_SHA384,
	AUTH_SHA512
};
enum priv {
	PRIV_NONE, PRIV_DES, PRIV_AES128,
	PRIV_AES192, PRIV_AES256,	/* draft-blumenthal-aes-usm-04 */
	PRIV_AES192C, PRIV_AES256C	/* draft-reeder-snmpv3-usm-3desede */
};

#define CIPHER_KEY_MAX	64
#define CIPHER_MAC_MAX	48
#define CIPHER_SALT	8

/* "sha256" ...; 0 or -1. */
int	 cipher_auth(const char *word, enum auth *);
int	 cipher_priv(const char *word, enum priv *);
/* Octets of a key and of a message's digest. */
size_t	 cipher_key_len(enum auth);
size_t	 cipher_mac_len(enum auth);

/* RFC 3414 A.2: a megabyte of the password, hashed. */
void	 cipher_password(enum auth, const void *password, size_t len,
	    uint8_t key[CIPHER_KEY_MAX]);
/* RFC 3414 2.6: that key for one engine. */
void	 cipher_localise(enum auth, const uint8_t *key, const void *engine,
	    size_t engine_len, uint8_t out[CIPHER_KEY_MAX]);
/* Makes a localised key long enough for its cipher, in place. */
void	 cipher_extend(enum auth, enum priv, const void *engine,
	    size_t engine_len, uint8_t key[CIPHER_KEY_MAX]);
void	 cipher_mac(enum auth, const uint8_t *key, const void *message,
	    size_t len, uint8_t mac[CIPHER_MAC_MAX]);

/* The octets that len becomes, and -1 when the cipher takes no such length
 * or fails.  out has room for eight more than len. */
long	 cipher_close(enum priv, const uint8_t *key, uint32_t boots,
	    uint32_t time, const uint8_t salt[CIPHER_SALT], const void *plain,
	    size_t len, uint8_t *out);
long	 cipher_open(enum priv, const uint8_t *key, uint32_t boots,
	    uint32_t time, const uint8_t salt[CIPHER_SALT], const void *bytes,
	    size_t len, uint8_t *out);

#endif
