/*
 * The end-to-end session between an agent and the centre (design.md 6): a
 * Noise IK handshake in two messages, then numbered sealed messages in both
 * directions.  All messages are BASE64 text, ready for a stanza.
 *
 * A session is dead after SEAL_MESSAGES messages either way, or SEAL_AGE_MS;
 * seal_alive() says so and the owner makes a new one.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/key.h"

#define SEAL_MESSAGES	(UINT64_C(1) << 32)
#define SEAL_AGE_MS	(INT64_C(24) * 3600 * 1000)
#define SEAL_TEXT_MAX	(96 * 1024)	/* BASE64 longer than this is refused */

struct seal;

/* "platen/1" NUL agent NUL centre: both bare JIDs, into the hash. */

/* The agent's side.  message is message 1 with payload inside, appended. */
struct seal	*seal_open(const struct key *own,
		    const uint8_t centre_public[KEY_LEN], const char *agent,
		    const char *centre, const void *payload,
		    size_t payload_len, int64_t mono_ms, struct buf *message);
/* Message 2 came: payload 2 is appended.  0, or -1: free the session. */
int		 seal_finish(struct seal *, const char *message, size_t len,
		    struct buf *payload);

/*
 * The centre's side: message 1 came.  Gives payload 1 and the agent's key;
 * then the owner decides, and either frees the session or answers.
 */
struct seal	*seal_accept(const struct key *own, const char *agent,
		    const char *centre, const char *message, size_t len,
		    int64_t mono_ms, struct buf *payload);
const uint8_t	*seal_remote(const struct seal *);
int		 seal_answer(struct seal *, const void *payload, size_t len,
		    struct buf *message);

bool		 seal_alive(const struct seal *, int64_t mono_ms);
/* True once a message from the other side opened under this session: until
 * then it must not replace an older one (a replayed message 1). */
bool		 seal_proven(const struct seal *);

/* Seals plain: *n is its number, text is appended.  0 or -1. */
int		 seal_put(struct seal *, const void *plain, size_t len,
		    uint64_t *n, struct buf *text);
/*
 * Opens text numbered n, which must be greater than any n opened before.
 * The plaintext is appended.  0; -1 when it does not open or n is old, and
 * then nothing has changed.
 */
int		 seal_take(struct seal *, uint64_t n, const char *text,
		    size_t len, struct buf *plain);
void		 seal_free(struct seal *);	/* wipes; NULL is fine */

#endif
