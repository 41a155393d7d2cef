/*
 * Noise_IK_25519_ChaChaPoly_SHA256 (the Noise Protocol Framework, revision
 * 34), built on libsodium's primitives.  A pure state machine: no files, no
 * clock, no network.  Whatever fails leaves the state unusable and every
 * later call fails too.
 */
#ifndef CRYPTO_NOISE_H
#define CRYPTO_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_KEY_LEN		32
#define NOISE_TAG_LEN		16
#define NOISE_MESSAGE_MAX	65535
/* What a message is longer than its payload. */
#define NOISE_IK_1_OVERHEAD	96	/* e, encrypted s, two tags */
#define NOISE_IK_2_OVERHEAD	48	/* e, a tag */

struct noise_cipher {
	uint8_t		 key[NOISE_KEY_LEN];
	uint64_t	 nonce;
	bool		 keyed;
};

struct noise;

/* The two ends.  Everything is copied.  ephemeral is NULL (random) except in
 * tests with published vectors. */
struct noise	*noise_initiator(const uint8_t secret[NOISE_KEY_LEN],
		    const uint8_t remote_public[NOISE_KEY_LEN],
		    const void *prologue, size_t prologue_len,
		    const uint8_t *ephemeral_secret);
struct noise	*noise_responder(const uint8_t secret[NOISE_KEY_LEN],
		    const void *prologue, size_t prologue_len,
		    const uint8_t *ephemeral_secret);
void		 noise_free(struct noise *);	/* wipes; NULL is fine */

/*
 * Writes the next handshake message.  out has room for payload_len plus the
 * overhead; *out_len is set.  0 or -1 (not our turn, too long, a bad key).
 */
int	 noise_write(struct noise *, const void *payload, size_t payload_len,
	    uint8_t *out, size_t out_size, size_t *out_len);
/* Reads the peer's; payload has room for len.  0 or -1. */
int	 noise_read(struct noise *, const uint8_t *message, size_t len,
	    uint8_t *payload, size_t payload_size, size_t *payload_len);
/* True when both messages have passed. */
bool	 noise_done(const struct noise *);
/* The peer's static public key: for a responder known after message 1. */
const uint8_t	*noise_remote(const struct noise *);
/* h at the end of the handshake, 32 octets (channel binding). */
const uint8_t	*noise_hash(const struct noise *);
/* After noise_done(): the ciphers to send and to receive with. */
int	 noise_split(struct noise *, struct noise_cipher *send,
	    struct noise_cipher *receive);

/*
 * Transport.  encrypt uses and increments cipher->nonce; decrypt takes n from
 * the caller (SetNonce), who decides whether n is acceptable.  out has room
 * for len + NOISE_TAG_LEN, or len - NOISE_TAG_LEN.  0 or -1; on -1 out holds
 * zeros.
 */
int	 noise_encrypt(struct noise_cipher *, const void *plain, size_t len,
	    uint8_t *out);
int	 noise_decrypt(const struct noise_cipher *, uint64_t n,
	    const uint8_t *sealed, size_t len, uint8_t *out);

#endif
