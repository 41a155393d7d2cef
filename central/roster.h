/*
 * Who may report: agents by bare JID, the key bound to each, one-time tokens.
 *
 *   enrolled  named by the operator, no key yet: its token binds one
 *   pending   came without a valid token; its key waits for approval
 *   active    a key is bound
 *   revoked   nothing of it is taken until it is enrolled again
 *
 * Every function that changes something begins a transaction when none is
 * open and leaves the commit to the caller.
 */
#ifndef CENTRAL_ROSTER_H
#define CENTRAL_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "central/fleet.h"
#include "crypto/key.h"
#include "schema/field.h"

#define ROSTER_TOKEN_MAX	44	/* 256 bits in base64url, and a NUL */
#define ROSTER_NAME_MAX		64
#define ROSTER_PENDING_MAX	1000
#define ROSTER_VALID_MS		(INT64_C(7) * 24 * 3600 * 1000)

/* Columns that its table has got since (central/layout.c). */
extern const struct field	roster_extra[];

/* 1 to 64 octets that stand in an INI line and a table as they are. */
bool	 roster_name_valid(const char *name);
/* ASCII letters of a bare JID to lower case, as servers do. -1: no such. */
int	 roster_jid(const char *text, char *out, size_t out_size);

/*
 * Makes the agent known, or renames it, and gives it a new token; what it
 * had is void.  An active agent goes on with its key until the token binds
 * another; a revoked one starts anew.  0, or -1 with why.
 */
int	 roster_enrol(struct fleet *, const char *name, const char *jid,
	    const char *customer, int64_t valid_ms, int64_t now_ms,
	    char token[ROSTER_TOKEN_MAX], char *why, size_t why_size);

enum roster_verdict {
	ROSTER_ADMITTED,
	ROSTER_WAITS,		/* registration-required */
	ROSTER_WRONG,		/* not-authorized: token, or another key */
	ROSTER_FORBIDDEN,	/* revoked */
	ROSTER_BUSY		/* the store failed */
};

/*
 * An agent proved that it holds the secret of key (the first handshake
 * message opens only with it) and showed token, or NULL.  agent is its
 * number when admitted; why says the rest, for the log and the agent.
 */
enum roster_verdict	 roster_admit(struct fleet *, const char *jid,
			    const uint8_t key[KEY_LEN], const char *token,
			    int64_t now_ms, int64_t *agent, char *why,
			    size_t why_size);

/* Binds the key that waits; it is copied to key.  0, or -1 with why. */
int	 roster_approve(struct fleet *, const char *jid,
	    uint8_t key[KEY_LEN], char *why, size_t why_size);
/*
 * The key that an agent says, under its session, will be its next one: it is
 * admitted too from now on, and takes the other's place once a session has
 * stood on it.  One at a time: a later one replaces it.
 */
int	 roster_offer(struct fleet *, int64_t agent,
	    const uint8_t key[KEY_LEN]);
/* A session of that key has been proven. */
int	 roster_settle(struct fleet *, int64_t agent,
	    const uint8_t key[KEY_LEN]);
int	 roster_revoke(struct fleet *, const char *jid, char *why,
	    size_t why_size);

/*
 * presence is "available", "silent" or "unavailable", as seen by the process
 * with that number (central/centres.h).  0, -1, or 1 when nothing was
 * changed, because the JID is not known or the agent is there at another
 * process: of that only "available" takes it away.  Before we have a number
 * nothing is noted.
 */
int	 roster_presence(struct fleet *, int64_t centre, const char *jid,
	    const char *presence, int64_t now_ms);
/* What the agent says of itself in its presence; NULL: nothing. */
int	 roster_status(struct fleet *, const char *jid, const char *status);
/* Nobody is there any more at that process. */
int	 roster_presence_reset(struct fleet *, int64_t centre);

/*
 * From here to the end of the transaction, which is begun, nobody else
 * takes reports of the agent, and it is not revoked.  0, or -1 also when it
 * has been.
 */
int	 roster_hold(struct fleet *, int64_t agent);

/* Calls fn for every agent; it must not change the roster. */
struct roster_agent {
	int64_t		 id;
	const char	*jid;
	bool		 revoked;
	bool		 there;		/* at one of the processes */
};
int	 roster_each(struct fleet *, void (*fn)(void *arg,
	    const struct roster_agent *), void *arg);

#endif
