/*
 * Puts the store in order before the children open it: makes its key and the
 * store, brings an older one up to date, checks it; one that is damaged is set
 * aside, and a new one begins with what could be saved.  A process of its own,
 * which the supervisor starts first and again when a child met damage.
 */
#ifndef AGENT_KEEPER_H
#define AGENT_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store.h"

/* So many damaged stores are kept, the newest. */
#define KEEPER_KEPT	3

/* damaged: a child said so.  The exit status: 0 when the children can start. */
int	 keeper_run(const char *config_path, bool damaged);

/*
 * The work itself, in dir and with that key, which stays the caller's.
 * damaged: why it is, NULL to have a look.  0, or -1, logged: nothing was
 * done.
 */
int	 keeper_prepare(const char *dir, const struct lock *,
		    const char *damaged);

/* What became of the last store that was damaged, for those who ask. */
struct keeper_loss {
	int64_t	 at_ms;			/* wall; 0: none was */
	int64_t	 saved, lost;		/* reports; lost -1: not known */
	char	*why;
};
void	 keeper_loss(struct store *, struct keeper_loss *);
void	 keeper_loss_clear(struct keeper_loss *);

#endif
