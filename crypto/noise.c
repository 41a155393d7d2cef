#include "crypto/noise.h"

#include <string.h>

#include <sodium.h>

#include "crypto/vault.h"

/* Exactly 32 octets, so it is h as it stands (section 5.2). */
static const char protocol[] = "Noise_IK_25519_ChaChaPoly_SHA256";
_Static_assert(sizeof(protocol) - 1 == crypto_hash_sha256_BYTES, "no hash");
_Static_assert(crypto_auth_hmacsha256_BYTES == NOISE_KEY_LEN, "HKDF");

struct pair {
	uint8_t	 secret[NOISE_KEY_LEN];
	uint8_t	 public[NOISE_KEY_LEN];
};

enum step {
	STEP_FIRST,		/* message 1 is next */
	STEP_SECOND,		/* message 2 is next */
	STEP_DONE,
	STEP_DEAD
};

/* HandshakeState, SymmetricState and CipherState in one (section 5). */
struct noise {
	struct noise_cipher	 cipher;
	struct pair		 s, e;
	uint8_t			 rs[NOISE_KEY_LEN];
	uint8_t			 re[NOISE_KEY_LEN];
	uint8_t			 ck[NOISE_KEY_LEN];
	uint8_t			 h[NOISE_KEY_LEN];
	enum step		 step;
	bool			 initiator;
};
_Static_assert(sizeof(struct noise) <= VAULT_CELL, "noise outgrew its cell");

static void
hmac(const uint8_t key[NOISE_KEY_LEN], const void *a, size_t a_len,
    const void *b, size_t b_len, uint8_t out[NOISE_KEY_LEN])
{
	crypto_auth_hmacsha256_state	 st;

	crypto_auth_hmacsha256_init(&st, key, NOISE_KEY_LEN);
	crypto_auth_hmacsha256_update(&st, a, a_len);
	if (b_len > 0)
		crypto_auth_hmacsha256_update(&st, b, b_len);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

/* HKDF with two outputs (section 4.3).  first may be ck. */
static void
hkdf(const uint8_t ck[NOISE_KEY_LEN], const void *input, size_t len,
    uint8_t first[NOISE_KEY_LEN], uint8_t second[NOISE_KEY_LEN])
{
	static const uint8_t	 one = 1, two = 2;
	uint8_t			 temp[NOISE_KEY_LEN];

	hmac(ck, input, len, NULL, 0, temp);
	hmac(temp, &one, 1, NULL, 0, first);
	hmac(temp, first, NOISE_KEY_LEN, &two, 1, second);
	sodium_memzero(temp, sizeof(temp));
}

static void
mix_hash(struct noise *n, const void *data, size_t len)
{
	crypto_hash_sha256_state	 st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, n->h, sizeof(n->h));
	if (len > 0)
		crypto_hash_sha256_update(&st, data, len);
	crypto_hash_sha256_final(&st, n->h);
}

/*
 * MixKey(DH(...)).  libsodium answers -1 for points of small order and for an
 * all-zero result: a peer who sends one would choose our key (section 12.1).
 */
static int
mix_dh(struct noise *n, const uint8_t secret[NOISE_KEY_LEN],
    const uint8_t public[NOISE_KEY_LEN])
{
	uint8_t	 shared[NOISE_KEY_LEN];
	int	 rc;

	rc = crypto_scalarmult_curve25519(shared, secret, public);
	if (rc == 0) {
		hkdf(n->ck, shared, sizeof(shared), n->ck, n->cipher.key);
		n->cipher.nonce = 0;
		n->cipher.keyed = true;
	}
	sodium_memzero(shared, sizeof(shared));
	return rc;
}

/* 32 zero bits, then the counter in little endian (section 12.3). */
static void
nonce_make(uint64_t n,
    uint8_t out[crypto_aead_chacha20poly1305_IETF_NPUBBYTES])
{
	int	 i;

	memset(out, 0, 4);
	for (i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(n >> (8 * i));
}

static int
aead_encrypt(struct noise_cipher *c, const void *ad, size_t ad_len,
    const void *plain, size_t len, uint8_t *out)
{
	uint8_t	 nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

	/* 2^64-1 is reserved (section 5.1). */
	if (!c->keyed || c->nonce == UINT64_MAX ||
	    len > NOISE_MESSAGE_MAX - NOISE_TAG_LEN)
		return -1;
	nonce_make(c->nonce, nonce);
	if (crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len,
	    ad, ad_len, NULL, nonce, c->key) != 0)
		return -1;
	c->nonce++;
	return 0;
}

static int
aead_decrypt(const struct noise_cipher *c, uint64_t n, const void *ad,
    size_t ad_len, const uint8_t *sealed, size_t len, uint8_t *out)
{
	uint8_t	 nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

	if (len < NOISE_TAG_LEN || len > NOISE_MESSAGE_MAX)
		return -1;
	nonce_make(n, nonce);
	if (!c->keyed || n == UINT64_MAX ||
	    crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed,
	    len, ad, ad_len, nonce, c->key) != 0) {
		sodium_memzero(out, len - NOISE_TAG_LEN);
		return -1;
	}
	return 0;
}

static int
encrypt_and_hash(struct noise *n, const void *plain, size_t len, uint8_t *out)
{
	if (aead_encrypt(&n->cipher, n->h, sizeof(n->h), plain, len, out) != 0)
		return -1;
	mix_hash(n, out, len + NOISE_TAG_LEN);
	return 0;
}

static int
decrypt_and_hash(struct noise *n, const uint8_t *sealed, size_t len,
    uint8_t *out)
{
	if (aead_decrypt(&n->cipher, n->cipher.nonce, n->h, sizeof(n->h),
	    sealed, len, out) != 0)
		return -1;
	n->cipher.nonce++;
	mix_hash(n, sealed, len);
	return 0;
}

static int
pair_make(struct pair *p, const uint8_t *secret)
{
	if (secret != NULL)
		memcpy(p->secret, secret, sizeof(p->secret));
	else
		randombytes_buf(p->secret, sizeof(p->secret));
	return crypto_scalarmult_curve25519_base(p->public, p->secret);
}

/* rs is NULL for the responder, whose own key is the pre-message. */
static struct noise *
noise_new(const uint8_t *secret, const uint8_t *rs, const void *prologue,
    size_t prologue_len, const uint8_t *ephemeral_secret)
{
	struct noise	*n;

	n = vault_take(sizeof(*n));
	memcpy(n->h, protocol, sizeof(n->h));
	memcpy(n->ck, n->h, sizeof(n->ck));
	if (pair_make(&n->s, secret) != 0 ||
	    pair_make(&n->e, ephemeral_secret) != 0)
		n->step = STEP_DEAD;
	n->initiator = rs != NULL;
	if (rs != NULL)
		memcpy(n->rs, rs, sizeof(n->rs));
	mix_hash(n, prologue, prologue_len);
	mix_hash(n, rs != NULL ? n->rs : n->s.public, NOISE_KEY_LEN);
	return n;
}

struct noise *
noise_initiator(const uint8_t secret[NOISE_KEY_LEN],
    const uint8_t remote_public[NOISE_KEY_LEN], const void *prologue,
    size_t prologue_len, const uint8_t *ephemeral_secret)
{
	return noise_new(secret, remote_public, prologue, prologue_len,
	    ephemeral_secret);
}

struct noise *
noise_responder(const uint8_t secret[NOISE_KEY_LEN], const void *prologue,
    size_t prologue_len, const uint8_t *ephemeral_secret)
{
	return noise_new(secret, NULL, prologue, prologue_len,
	    ephemeral_secret);
}

void
noise_free(struct noise *n)
{
	vault_give(n);
}

/* Nothing of a handshake that failed is of use to anyone. */
static int
noise_die(struct noise *n)
{
	sodium_memzero(n, sizeof(*n));
	n->step = STEP_DEAD;
	return -1;
}

/* -> e, es, s, ss */
static int
write_first(struct noise *n, const void *payload, size_t len, uint8_t *out)
{
	memcpy(out, n->e.public, NOISE_KEY_LEN);
	mix_hash(n, out, NOISE_KEY_LEN);
	out += NOISE_KEY_LEN;
	if (mix_dh(n, n->e.secret, n->rs) != 0 ||
	    encrypt_and_hash(n, n->s.public, NOISE_KEY_LEN, out) != 0)
		return -1;
	out += NOISE_KEY_LEN + NOISE_TAG_LEN;
	if (mix_dh(n, n->s.secret, n->rs) != 0)
		return -1;
	return encrypt_and_hash(n, payload, len, out);
}

static int
read_first(struct noise *n, const uint8_t *message, size_t len,
    uint8_t *payload)
{
	memcpy(n->re, message, NOISE_KEY_LEN);
	mix_hash(n, n->re, NOISE_KEY_LEN);
	message += NOISE_KEY_LEN;
	if (mix_dh(n, n->s.secret, n->re) != 0 ||
	    decrypt_and_hash(n, message, NOISE_KEY_LEN + NOISE_TAG_LEN,
	    n->rs) != 0)
		return -1;
	message += NOISE_KEY_LEN + NOISE_TAG_LEN;
	if (mix_dh(n, n->s.secret, n->rs) != 0)
		return -1;
	return decrypt_and_hash(n, message,
	    len - (NOISE_IK_1_OVERHEAD - NOISE_TAG_LEN), payload);
}

/* <- e, ee, se */
static int
write_second(struct noise *n, const void *payload, size_t len, uint8_t *out)
{
	memcpy(out, n->e.public, NOISE_KEY_LEN);
	mix_hash(n, out, NOISE_KEY_LEN);
	if (mix_dh(n, n->e.secret, n->re) != 0 ||
	    mix_dh(n, n->e.secret, n->rs) != 0)
		return -1;
	return encrypt_and_hash(n, payload, len, out + NOISE_KEY_LEN);
}

static int
read_second(struct noise *n, const uint8_t *message, size_t len,
    uint8_t *payload)
{
	memcpy(n->re, message, NOISE_KEY_LEN);
	mix_hash(n, n->re, NOISE_KEY_LEN);
	if (mix_dh(n, n->e.secret, n->re) != 0 ||
	    mix_dh(n, n->s.secret, n->re) != 0)
		return -1;
	return decrypt_and_hash(n, message + NOISE_KEY_LEN,
	    len - NOISE_KEY_LEN, payload);
}

/* What the message that comes next adds to its payload; 0 when it is not
 * this side's turn. */
static size_t
turn(const struct noise *n, bool writing)
{
	if (n->step == STEP_FIRST && n->initiator == writing)
		return NOISE_IK_1_OVERHEAD;
	if (n->step == STEP_SECOND && n->initiator != writing)
		return NOISE_IK_2_OVERHEAD;
	return 0;
}

int
noise_write(struct noise *n, const void *payload, size_t payload_len,
    uint8_t *out, size_t out_size, size_t *out_len)
{
	size_t	 more = turn(n, true);
	int	 rc;

	if (more == 0 || payload_len > NOISE_MESSAGE_MAX - more ||
	    payload_len + more > out_size)
		return noise_die(n);
	if (n->step == STEP_FIRST)
		rc = write_first(n, payload, payload_len, out);
	else
		rc = write_second(n, payload, payload_len, out);
	if (rc != 0) {
		sodium_memzero(out, payload_len + more);
		return noise_die(n);
	}
	n->step++;
	*out_len = payload_len + more;
	return 0;
}

int
noise_read(struct noise *n, const uint8_t *message, size_t len,
    uint8_t *payload, size_t payload_size, size_t *payload_len)
{
	size_t	 more = turn(n, false);
	int	 rc;

	if (more == 0 || len < more || len > NOISE_MESSAGE_MAX ||
	    len - more > payload_size)
		return noise_die(n);
	if (n->step == STEP_FIRST)
		rc = read_first(n, message, len, payload);
	else
		rc = read_second(n, message, len, payload);
	if (rc != 0) {
		sodium_memzero(payload, len - more);
		return noise_die(n);
	}
	n->step++;
	*payload_len = len - more;
	return 0;
}

bool
noise_done(const struct noise *n)
{
	return n->step == STEP_DONE;
}

const uint8_t *
noise_remote(const struct noise *n)
{
	return n->rs;
}

const uint8_t *
noise_hash(const struct noise *n)
{
	return n->h;
}

int
noise_split(struct noise *n, struct noise_cipher *send,
    struct noise_cipher *receive)
{
	struct noise_cipher	*first = n->initiator ? send : receive;
	struct noise_cipher	*second = n->initiator ? receive : send;

	if (n->step != STEP_DONE)
		return noise_die(n);
	hkdf(n->ck, NULL, 0, first->key, second->key);
	first->nonce = second->nonce = 0;
	first->keyed = second->keyed = true;
	return 0;
}

int
noise_encrypt(struct noise_cipher *c, const void *plain, size_t len,
    uint8_t *out)
{
	if (aead_encrypt(c, NULL, 0, plain, len, out) == 0)
		return 0;
	if (len <= NOISE_MESSAGE_MAX - NOISE_TAG_LEN)
		sodium_memzero(out, len + NOISE_TAG_LEN);
	return -1;
}

int
noise_decrypt(const struct noise_cipher *c, uint64_t n, const uint8_t *sealed,
    size_t len, uint8_t *out)
{
	return aead_decrypt(c, n, NULL, 0, sealed, len, out);
}
