/*
 * What is inside the handshake (platen-protocol(7)): the agent's <hello/>, the
 * centre's <welcome/>, and what its refusals mean to the operator.
 */
#ifndef AGENT_GREETING_H
#define AGENT_GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "schema/lane.h"

#define GREETING_NS	"urn:platen:session:1"

/* Payload 1, appended.  acked is the last number of each lane that the centre
 * is known to have: what comes behind it can still be sent.  token "" is
 * none. */
void		 greeting_hello(struct buf *out, const char *epoch,
		    const int64_t acked[LANES], const char *token);

/* So many of a lane; when there are more, the later ones are told later. */
#define GREETING_REFUSED_MOST	32

struct greeting_lane {
	int64_t	 seq;		/* the last that the centre has committed, as
				 * far as refused tells all */
	int64_t	 committed;	/* the last, whatever was refused */
	struct {
		int64_t	 seq;
		char	*reason;	/* NULL when it gave none */
	}	 refused[GREETING_REFUSED_MOST];	/* for good, in order */
	size_t	 refused_len;
};
struct greeting {
	int64_t	 time_ms;	/* the centre's clock */
	bool	 whole;		/* it wants everything once more */
	bool	 has_key;	/* its key is another one now: */
	uint8_t	 key[KEY_LEN];
	struct greeting_lane	 lane[LANES];
};
/* Payload 2.  0 (clear it afterwards), or -1 when it is no welcome. */
int		 greeting_welcome(const struct buf *payload,
		    struct greeting *out);
void		 greeting_clear(struct greeting *);

/* A stanza error's condition in words that say what to do; NULL is silence. */
const char	*greeting_refusal(const char *condition);

#endif
