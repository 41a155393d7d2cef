/*
 * What is inside the handshake (platen-protocol(7)): the agent's <hello/>, the
 * centre's <welcome/>, and what its refusals mean to the operator.
 */
#ifndef AGENT_GREETING_H
#define AGENT_GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/buf.h"

#define GREETING_NS	"urn:platen:session:1"

/* Payload 1, appended.  acked is the last number that the centre is known to
 * have, first the lowest that can still be sent; token "" is none. */
void		 greeting_hello(struct buf *out, const char *epoch,
		    int64_t acked, int64_t first, const char *token);

#define GREETING_REFUSED_MOST	64

struct greeting {
	int64_t	 seq;		/* the last that the centre has committed */
	int64_t	 time_ms;	/* its clock */
	bool	 whole;		/* it wants everything once more */
	struct {
		int64_t	 seq;
		char	*reason;	/* NULL when it gave none */
	}	 refused[GREETING_REFUSED_MOST];	/* for good, in order */
	size_t	 refused_len;
};
/* Payload 2.  0 (clear it afterwards), or -1 when it is no welcome. */
int		 greeting_welcome(const struct buf *payload,
		    struct greeting *out);
void		 greeting_clear(struct greeting *);

/* A stanza error's condition in words that say what to do; NULL is silence. */
const char	*greeting_refusal(const char *condition);

/* An attribute that is a number not below 0; -1 when it is none. */
int64_t		 greeting_number(const xmlNode *, const char *name);

#endif
