/*
 * What the reports of a message do to the fleet: exactly once, each lane in
 * order, each report all or nothing.
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

#include <libxml/tree.h>

#include "base/uuid.h"
#include "central/fleet.h"
#include "schema/lane.h"

/* What stands around the reports of a message. */
struct apply_frame {
	char		 epoch[UUID_TEXT_MAX];
	enum lane	 lane;
	int64_t		 first, last;	/* numbers without a report are empty */
};
/*
 * Reads it from <reports/>: 0; -1 when it is none, or when its reports are not
 * numbered one after the other within it.  What they say is not looked at.
 */
int	 apply_frame_read(const xmlNode *reports, struct apply_frame *);

enum apply_verdict {
	APPLY_DONE,		/* takes effect with the next commit */
	APPLY_SEEN,		/* had been taken before, no effect */
	APPLY_AGAIN,		/* a gap: seq is the last one taken */
	APPLY_REKEY,		/* no reports: the agent's next key is known */
	APPLY_FAILED		/* the store failed: nothing in the open
				 * transaction will last */
};

/* The agent's asset id is one that we know under another. */
struct apply_same {
	char	 id[UUID_TEXT_MAX], known[UUID_TEXT_MAX];
};
/* Refused for good; its seq is consumed. */
struct apply_refused {
	int64_t	 seq;
	char	 reason[200];
};
/* So many go into one answer, whatever they say.  Of more assets the next
 * report tells; behind so many refusals the rest of a message is not taken. */
#define APPLY_SAME_MOST		256
#define APPLY_REFUSED_MOST	16

struct apply_answer {
	enum apply_verdict	 verdict;
	enum lane		 lane;
	int64_t			 seq;	/* all up to it is taken */
	struct apply_same	*same;
	size_t			 same_len;
	struct apply_refused	*refused;
	size_t			 refused_len;
};

/*
 * reports is what frame was read from.  Begins a transaction when none is
 * open; the caller commits.  answer is filled in whatever happens;
 * apply_answer_clear() frees what it owns.
 */
void	 apply_reports(struct fleet *, int64_t agent,
	    const struct apply_frame *, const xmlNode *reports,
	    int64_t now_ms, struct apply_answer *answer);
void	 apply_answer_clear(struct apply_answer *);

#endif
