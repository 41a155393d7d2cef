/*
 * A report's effect on the fleet: exactly once, in order, all or nothing.
 *
 * What is told of an asset that we have never seen whole (because the report
 * that did was refused, or our store is younger than the agent's memory) is
 * taken as it is, and the next handshake asks the agent for everything.
 * Refusing it would lose a change for good that was told truly.
 */
#ifndef CENTRAL_APPLY_H
#define CENTRAL_APPLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "central/fleet.h"

enum apply_verdict {
	APPLY_DONE,		/* takes effect with the next commit */
	APPLY_SEEN,		/* had been taken before, no effect */
	APPLY_AGAIN,		/* a gap: seq is the last one taken */
	APPLY_REFUSED,		/* for good; its seq is consumed */
	APPLY_FAILED		/* the store failed: nothing in the open
				 * transaction will last */
};

/* The agent's asset id is one that we know under another. */
struct apply_same {
	char	 id[UUID_TEXT_MAX], known[UUID_TEXT_MAX];
};

struct apply_answer {
	enum apply_verdict	 verdict;
	int64_t			 seq;
	char			 reason[200];
	struct apply_same	*same;
	size_t			 same_len;
};

/*
 * xml is the report, epoch and seq are its attributes, read before.  Begins
 * a transaction when none is open; the caller commits.  answer is filled in
 * whatever happens; apply_answer_clear() frees what it owns.
 */
void	 apply_report(struct fleet *, int64_t agent, const char *epoch,
	    int64_t seq, const char *xml, size_t len, int64_t now_ms,
	    struct apply_answer *answer);
void	 apply_answer_clear(struct apply_answer *);

#endif
