/*
 * Keys of the User-based Security Model and what is done with them: RFC 3414
 * (MD5, SHA-1, DES), RFC 7860 (SHA-2), RFC 3826 (AES), and the two ways in
 * which devices make keys for AES-192 and AES-256 out of shorter hashes.
 * The primitives are libcrypto's, fetched once and used again: with SHA-1 and
 * AES-128 a message of 1,400 octets costs 3 microseconds.  For snmp/usm*.c.
 */
#ifndef SNMP_USMKEY_H
#define SNMP_USMKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/usm.h"

#define USMKEY_MAX	64		/* octets of SHA-512 */
#define USMKEY_MAC_MAX	48		/* RFC 7860 section 4.2.1 */
#define USMKEY_SALT	8		/* msgPrivacyParameters */
#define USMKEY_PASSWORD_MAX 1024

/* Keys Ku, from a user's passwords alone. */
struct usmkey {
	uint8_t	 auth[USMKEY_MAX];
	uint8_t	 privacy[USMKEY_MAX];
};
/* Keys Kul, for one engine. */
struct usmkey_local {
	uint8_t	 auth[USMKEY_MAX];
	uint8_t	 privacy[32];
};

/* Fetches what these protocols need.  False: this system's libcrypto has it
 * not, or its configuration forbids it. */
bool	 usmkey_prepare(enum usm_auth, enum usm_privacy);
/* Gives back everything, wiped. */
void	 usmkey_close(void);

/* Of msgAuthenticationParameters; 0 for none. */
size_t	 usmkey_mac_len(enum usm_auth);

/* RFC 3414 A.2: Ku from a password of up to USMKEY_PASSWORD_MAX octets. */
bool	 usmkey_from_password(enum usm_auth, const char *password,
	    uint8_t ku[USMKEY_MAX]);
bool	 usmkey_localise(enum usm_auth, enum usm_privacy,
	    const struct usmkey *, const uint8_t *engine, size_t engine_len,
	    struct usmkey_local *);

/* The truncated digest of message, in which the octets from mac_at on count
 * as zero (RFC 3414 section 6.3). */
bool	 usmkey_mac(enum usm_auth, const uint8_t *key, const uint8_t *message,
	    size_t len, size_t mac_at, uint8_t mac[USMKEY_MAX]);

/* A salt that was not used before. */
void	 usmkey_salt(uint8_t salt[USMKEY_SALT]);
/* out may be in.  For DES len is a multiple of 8. */
bool	 usmkey_encrypt(enum usm_privacy, const uint8_t *key, int32_t boots,
	    int32_t time, const uint8_t salt[USMKEY_SALT], const uint8_t *in,
	    size_t len, uint8_t *out);
bool	 usmkey_decrypt(enum usm_privacy, const uint8_t *key, int32_t boots,
	    int32_t time, const uint8_t salt[USMKEY_SALT], const uint8_t *in,
	    size_t len, uint8_t *out);

#endif
