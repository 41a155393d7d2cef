/*
 * The keys that the uplink keeps in the state directory, and how they change
 * (platen-protocol(7), "Keys that change"):
 *
 *   agent.key       the agent's own
 *   agent.key.next  its successor, until a session stands on it
 *   central.pin     what the centre said that its key is now
 *
 * Each step is on the disk before the next is taken, so that a crash or a
 * power cut anywhere leaves a key that the centre knows.
 */
#ifndef AGENT_KEYFILES_H
#define AGENT_KEYFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/key.h"

struct keyfiles {
	char		*dir;
	struct key	 own;
	struct key	 next;			/* if has_next */
	bool		 has_next;
	uint8_t		 configured[KEY_LEN];	/* [crypto] central_key */
	uint8_t		 learned[KEY_LEN];	/* if has_learned */
	bool		 has_learned;
	bool		 proven;	/* a session has stood on learned: the
					 * configured one is not taken any more */

	/* Between handshakes, in memory only. */
	bool		 used_next, used_learned;
	bool		 next_unknown;	/* the centre refuses next (yet) */
	bool		 learned_unknown; /* nobody opens what is for learned */
	bool		 switched;	/* told another key right before */
};

/*
 * Loads what is there; makes agent.key if there is none.  What was learned
 * counts as long as configured is the key that it was learned under: who
 * writes another one into the file means it.  0, or -1, logged.
 */
int	 keyfiles_load(struct keyfiles *, const char *dir,
	    const uint8_t configured[KEY_LEN]);
void	 keyfiles_clear(struct keyfiles *);	/* wipes */

/* Makes next, unless there is one.  0, or -1, logged. */
int	 keyfiles_begin(struct keyfiles *);
/* A session stands on next: it is the agent's own from now on.  0 or -1. */
int	 keyfiles_settle(struct keyfiles *);

/* The centre said, under the seal, that its key is this one now.  0 or -1. */
int	 keyfiles_learn(struct keyfiles *, const uint8_t public[KEY_LEN]);
/* A session stands on it.  0 or -1. */
int	 keyfiles_prove(struct keyfiles *);

/*
 * Which keys a handshake goes by: these two say it, then one of the three
 * below is called.  Lent.
 */
const struct key	*keyfiles_own(struct keyfiles *);
const uint8_t		*keyfiles_central(struct keyfiles *);
/* It was refused with this stanza error's condition; "" is an answer that does
 * not open.  True when other keys are worth a try at once. */
bool	 keyfiles_refused(struct keyfiles *, const char *condition);
/* It succeeded; told is the key that the centre says is its own, or NULL when
 * it was used.  What to do with the session: */
enum keyfiles_next {
	KEYFILES_STAY,
	KEYFILES_ANEW,		/* a handshake by what was told */
	KEYFILES_OFFER		/* tell the centre of next; or, when that is
				 * the agent's own by now, that it is in use */
};
enum keyfiles_next	 keyfiles_welcomed(struct keyfiles *,
			    const uint8_t *told);
/* The centre knows next now: the next handshake is its. */
void	 keyfiles_offered(struct keyfiles *);

#endif
