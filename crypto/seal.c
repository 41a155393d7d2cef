#include "crypto/seal.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "crypto/base64.h"
#include "crypto/noise.h"
#include "crypto/vault.h"

struct seal {
	struct noise		*noise;		/* until both messages passed */
	struct noise_cipher	 send, receive;
	uint8_t			 remote[KEY_LEN];
	int64_t			 start_ms;
	uint64_t		 next;	/* the lowest n we would still open */
	bool			 up;		/* the ciphers are there */
	bool			 proven;
};
_Static_assert(sizeof(struct seal) <= VAULT_CELL, "seal outgrew its cell");

/* The bytes of text; NULL when it is none or too long.  The caller frees. */
static uint8_t *
text_get(const char *text, size_t len, size_t *out_len)
{
	uint8_t	*bytes;
	size_t	 size = len / 4 * 3;

	if (len == 0 || len > SEAL_TEXT_MAX)
		return NULL;
	bytes = xmalloc(size + 1);
	if (base64_decode(text, len, bytes, size, out_len) == 0 &&
	    *out_len <= NOISE_MESSAGE_MAX)
		return bytes;
	free(bytes);
	return NULL;
}

static void
scratch_free(uint8_t *bytes, size_t len)
{
	if (bytes == NULL)
		return;
	sodium_memzero(bytes, len);
	free(bytes);
}

static void
prologue_put(struct buf *b, const char *agent, const char *centre)
{
	buf_put(b, "platen/1", sizeof("platen/1"));
	buf_put(b, agent, strlen(agent) + 1);
	buf_puts(b, centre);
}

static struct seal *
seal_new(const struct key *own, const uint8_t *centre_public,
    const char *agent, const char *centre, int64_t mono_ms)
{
	struct buf	 prologue = { 0 };
	struct seal	*s;

	s = vault_take(sizeof(*s));
	s->start_ms = mono_ms;
	prologue_put(&prologue, agent, centre);
	if (centre_public != NULL) {
		memcpy(s->remote, centre_public, KEY_LEN);
		s->noise = noise_initiator(own->secret, centre_public,
		    prologue.data, prologue.len, NULL);
	} else
		s->noise = noise_responder(own->secret, prologue.data,
		    prologue.len, NULL);
	buf_free(&prologue);
	return s;
}

/* The next handshake message around payload, as text. */
static int
handshake_put(struct seal *s, const void *payload, size_t len,
    struct buf *message)
{
	size_t	 size, out_len;
	uint8_t	*out;
	int	 rc = -1;

	if (s->noise == NULL || len > NOISE_MESSAGE_MAX)
		return -1;
	size = len + NOISE_IK_1_OVERHEAD;
	out = xmalloc(size);
	if (noise_write(s->noise, payload, len, out, size, &out_len) == 0) {
		base64_encode(message, out, out_len);
		rc = 0;
	}
	free(out);
	return rc;
}

static int
handshake_take(struct seal *s, const char *message, size_t len,
    struct buf *payload)
{
	size_t	 size, plain_len;
	uint8_t	*bytes, *plain;
	int	 rc = -1;

	if (s->noise == NULL ||
	    (bytes = text_get(message, len, &size)) == NULL)
		return -1;
	plain = xmalloc(size);
	if (noise_read(s->noise, bytes, size, plain, size, &plain_len) == 0) {
		buf_put(payload, plain, plain_len);
		rc = 0;
	}
	scratch_free(plain, size);
	free(bytes);
	return rc;
}

static int
seal_up(struct seal *s)
{
	if (noise_split(s->noise, &s->send, &s->receive) == -1)
		return -1;
	noise_free(s->noise);
	s->noise = NULL;
	s->up = true;
	return 0;
}

struct seal *
seal_open(const struct key *own, const uint8_t centre_public[KEY_LEN],
    const char *agent, const char *centre, const void *payload,
    size_t payload_len, int64_t mono_ms, struct buf *message)
{
	struct seal	*s;

	s = seal_new(own, centre_public, agent, centre, mono_ms);
	if (handshake_put(s, payload, payload_len, message) == -1) {
		seal_free(s);
		return NULL;
	}
	return s;
}

int
seal_finish(struct seal *s, const char *message, size_t len,
    struct buf *payload)
{
	if (handshake_take(s, message, len, payload) == -1 ||
	    seal_up(s) == -1)
		return -1;
	s->proven = true;
	return 0;
}

struct seal *
seal_accept(const struct key *own, const char *agent, const char *centre,
    const char *message, size_t len, int64_t mono_ms, struct buf *payload)
{
	struct seal	*s;

	s = seal_new(own, NULL, agent, centre, mono_ms);
	if (handshake_take(s, message, len, payload) == -1) {
		seal_free(s);
		return NULL;
	}
	memcpy(s->remote, noise_remote(s->noise), KEY_LEN);
	return s;
}

const uint8_t *
seal_remote(const struct seal *s)
{
	return s->remote;
}

int
seal_answer(struct seal *s, const void *payload, size_t len,
    struct buf *message)
{
	if (handshake_put(s, payload, len, message) == -1)
		return -1;
	return seal_up(s);
}

bool
seal_alive(const struct seal *s, int64_t mono_ms)
{
	return s->up && s->send.nonce < SEAL_MESSAGES &&
	    s->next < SEAL_MESSAGES && mono_ms - s->start_ms < SEAL_AGE_MS;
}

bool
seal_proven(const struct seal *s)
{
	return s->proven;
}

int
seal_put(struct seal *s, const void *plain, size_t len, uint64_t *n,
    struct buf *text)
{
	uint8_t	*out;
	int	 rc = -1;

	if (!s->up || s->send.nonce >= SEAL_MESSAGES ||
	    len > NOISE_MESSAGE_MAX - NOISE_TAG_LEN)
		return -1;
	out = xmalloc(len + NOISE_TAG_LEN);
	*n = s->send.nonce;
	if (noise_encrypt(&s->send, plain, len, out) == 0) {
		base64_encode(text, out, len + NOISE_TAG_LEN);
		rc = 0;
	}
	free(out);
	return rc;
}

/*
 * The cheap checks come first: a stranger's message costs no decryption.  The
 * plaintext replaces the ciphertext in place; the tag is checked before the
 * first octet of it is written.
 */
int
seal_take(struct seal *s, uint64_t n, const char *text, size_t len,
    struct buf *plain)
{
	size_t	 size;
	uint8_t	*bytes;
	int	 rc = -1;

	if (!s->up || n < s->next || n >= SEAL_MESSAGES ||
	    (bytes = text_get(text, len, &size)) == NULL)
		return -1;
	if (noise_decrypt(&s->receive, n, bytes, size, bytes) == 0) {
		buf_put(plain, bytes, size - NOISE_TAG_LEN);
		s->next = n + 1;
		s->proven = true;
		rc = 0;
	}
	scratch_free(bytes, size);
	return rc;
}

void
seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	noise_free(s->noise);
	vault_give(s);
}
