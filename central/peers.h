/*
 * Who is there: by bare JID, presence, the end-to-end session and how often
 * it may try a handshake.  Bounded: strangers without a session are
 * forgotten first.
 */
#ifndef CENTRAL_PEERS_H
#define CENTRAL_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/uuid.h"
#include "crypto/seal.h"
#include "schema/lane.h"

#define PEERS_MAX		20000	/* known at a time */
#define PEERS_SESSIONS_MAX	10000

/* A session, kept by its peer and by the answers that wait for a commit. */
struct session {
	int		 refs;
	bool		 ended;
	struct seal	*seal;
	char		*full;		/* the full JID that it belongs to */
	int64_t		 agent;		/* roster number */
	char		 epoch[UUID_TEXT_MAX];	/* from the hello */
	int64_t		 first[LANES];
	bool		 whole;		/* the welcome asked for everything */
};

struct session	*session_new(struct seal *, const char *full);
struct session	*session_keep(struct session *);
void		 session_drop(struct session *);	/* NULL is fine */

struct peer {
	struct peer	*next;		/* in its bucket */
	char		*jid;		/* bare */
	char		*full;		/* available there, or NULL */
	bool		 silent;	/* did not answer our ping */
	bool		 asked;		/* a ping is under way */
	bool		 revoked;	/* and was told unavailable */
	bool		 known;		/* had a proven session */
	char		 said[120];	/* the refusal that was logged last */
	int64_t		 heard_ms;	/* monotonic, all the following */
	int64_t		 greeted_ms;	/* our last presence to it */
	int64_t		 tries_ms;	/* handshakes: a leaky bucket */
	int64_t		 lines_ms;	/* lines in the log: another */
	unsigned	 unsaid;	/* that were left out since */
	struct session	*live;
	struct session	*fresh;		/* answered, not yet proven */
};

struct peers;

struct peers	*peers_new(void);
void		 peers_free(struct peers *);		/* NULL is fine */
struct peer	*peers_find(struct peers *, const char *jid);
/* Makes it when there is none; NULL when there are too many. */
struct peer	*peers_get(struct peers *, const char *jid, int64_t mono_ms);
/* fn may end sessions, and no more. */
void		 peers_each(struct peers *, void (*fn)(void *arg,
		    struct peer *), void *arg);
/* Forgets those that have no session and are not there; of those who never
 * had one, what was not heard of for a minute. */
void		 peers_purge(struct peers *, int64_t mono_ms);

/* May this peer try a handshake now (each, and all together)? */
bool		 peers_may_try(struct peers *, struct peer *,
		    int64_t mono_ms);
/*
 * A line in the log about this peer, whose text names it.  So many at once
 * and then one every so often, each peer and all strangers together; a line
 * says how many were left out before it.
 */
void		 peers_say(struct peers *, struct peer *, enum log_level,
		    const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
/* An answered handshake.  Takes the session; -1 (and it is dropped) when
 * there are too many. */
int		 peers_offer(struct peers *, struct peer *, struct session *);
/* fresh has been proven: it replaces live. */
void		 peers_promote(struct peers *, struct peer *);
/* Ends both, or those of one full JID. Returns whether there was one. */
bool		 peers_end(struct peers *, struct peer *, const char *full);

/* Ends every session that has been marked ended. */
void		 peers_sweep(struct peers *);

#endif
