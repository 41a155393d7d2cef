/*
 * The answers that wait for the commit.  All reports that had arrived
 * together are one transaction; nothing is acknowledged before it is on the
 * disk, and if it fails nothing is, and the sessions end so that the agents
 * send again.
 */
#ifndef CENTRAL_BATCH_H
#define CENTRAL_BATCH_H

#include <stddef.h>

#include "central/apply.h"
#include "central/fleet.h"
#include "central/peers.h"
#include "xmpp/component.h"

#define BATCH_MAX	256	/* then commit, whatever else has arrived */
#define BATCH_NS	"urn:platen:sealed:1"

struct batch;

/* jid is the component's; all three are lent. */
struct batch	*batch_new(struct fleet *, struct component *,
		    const char *jid);
void		 batch_free(struct batch *);		/* NULL is fine */

/* id is that of the iq, copied; what answer owns is taken over. */
void		 batch_add(struct batch *, struct session *, const char *id,
		    struct apply_answer *answer);
size_t		 batch_len(const struct batch *);
/* Commits (also what others began) and answers.  0, or -1: the agents were
 * told to wait, their sessions are marked ended. */
int		 batch_flush(struct batch *);

#endif
