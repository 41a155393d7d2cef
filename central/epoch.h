/*
 * How far the centre has come with each agent: (agent, epoch, last seq of each
 * lane).  An epoch is the life of an agent's store; within one, the reports of
 * a lane are taken strictly in order.
 */
#ifndef CENTRAL_EPOCH_H
#define CENTRAL_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#include "central/fleet.h"
#include "schema/field.h"
#include "schema/lane.h"

struct epoch {
	int64_t	 id;		/* 0: nothing of it was ever taken */
	int64_t	 last[LANES];	/* 0 then */
};

/* Columns of epoch that came later. */
extern const struct field	epoch_extra[];

int	 epoch_find(struct fleet *, int64_t agent, const char *uuid,
	    struct epoch *);
/*
 * Makes sure that the epoch has a row and is the agent's current one.  When
 * it becomes that, all that was open before is put in doubt: the agent
 * tells everything again.
 */
int	 epoch_enter(struct fleet *, int64_t agent, const char *uuid,
	    struct epoch *, int64_t now_ms);
int	 epoch_advance(struct fleet *, const struct epoch *, enum lane,
	    int64_t seq, int64_t now_ms);

/*
 * What to tell in a handshake.  seq is the last one taken of each lane; whole
 * when the reports up to first of one are gone, or when something that came
 * rested on what we never had.
 */
int	 epoch_greet(struct fleet *, int64_t agent, const char *uuid,
	    const int64_t first[LANES], int64_t seq[LANES], bool *whole);
/* The session of that handshake is proven: what was promised holds.  gap is
 * how many reports are gone. */
int	 epoch_resume(struct fleet *, int64_t agent, const char *uuid,
	    const int64_t first[LANES], bool whole, int64_t now_ms,
	    int64_t *gap);
/* The next handshake will ask for everything. */
int	 epoch_want_whole(struct fleet *, int64_t agent);

/* A report refused for good. */
int	 epoch_refuse(struct fleet *, const struct epoch *, enum lane,
	    int64_t seq, const char *reason, int64_t now_ms);
/* Calls fn for those of a lane from first to last, in order, most at the
 * most.  0 or -1. */
int	 epoch_refused(struct fleet *, const struct epoch *, enum lane,
	    int64_t first, int64_t last, size_t most, void (*fn)(void *arg,
	    int64_t seq, const char *reason), void *arg);
/* Appends a <refused seq='' reason=''/> for each of the lane that is greater
 * than acked, in order, EPOCH_REFUSED_MOST at most: an answer that said so may
 * have been lost.  0 or -1. */
#define EPOCH_REFUSED_MOST	32
int	 epoch_list_refused(struct fleet *, int64_t agent, const char *uuid,
	    enum lane, int64_t acked, struct buf *out);

#endif
