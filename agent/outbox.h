/*
 * Reports that the centre has not acknowledged yet, in the store so that they
 * outlive a crash or a dead link.  The collector appends, the uplink sends
 * each lane in order and takes out what was acknowledged.  Delivery is at
 * least once.
 *
 * A report has a seq in its lane, and a turn among all reports of the epoch
 * whatever their lane.  A seq without a report is an empty one: it was folded
 * into a later one.
 */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store.h"
#include "base/buf.h"
#include "schema/lane.h"
#include "schema/report.h"

/* The uplink never has more of the bulk's reports under way: those with the
 * lowest numbers, which squeeze_outbox() leaves alone. */
#define OUTBOX_IN_FLIGHT_MAX	64
/* A centre that refuses everything must not fill the disk. */
#define OUTBOX_REFUSED_MAX	1000

/*
 * Appends a report (inside the caller's transaction): validates its XML and
 * gives it the lane's next seq, and a turn.  Splits it when it is too long for
 * one message.  asset may be NULL: an agent's record, which supersedes the one
 * that waits.  Returns how many reports it became, or -1.
 */
int		 outbox_append(struct store *, const struct report *,
		    enum lane, const char *asset);

/* One message. */
struct outbox_batch {
	/* What is wished: */
	enum lane	 lane;
	int64_t		 after;		/* reports behind this number */
	int64_t		 urgent_acked;	/* of the other lane, for the bulk */
	size_t		 most_bytes;	/* one report may be longer */
	int		 most;		/* reports */
	/* What is in it, seq by seq, and how many are no empty ones: */
	int64_t		 first, last;
	int		 reports;
};
/*
 * What follows as <reports/>, appended to xml.  1, 0 when there is nothing,
 * -1.  Of the bulk only what has no turn behind that of an urgent one which is
 * not acknowledged: the centre never hears of a level before the asset that it
 * is of.
 */
int		 outbox_batch(struct store *, struct outbox_batch *,
		    struct buf *xml);
/* Reports behind after, most at the most, and their octets.  0 or -1. */
int		 outbox_ready(struct store *, enum lane, int64_t after,
		    int most, int *reports, int64_t *bytes);
/* The centre has committed everything of the lane up to seq. */
int		 outbox_ack(struct store *, enum lane, int64_t seq);
/* The centre will never take seq: aside with it; all before it is
 * acknowledged.  The newest OUTBOX_REFUSED_MAX are kept. */
int		 outbox_refuse(struct store *, enum lane, int64_t seq,
		    const char *why);

struct outbox_lane {
	int64_t		 next_seq;	/* the next to be given */
	int64_t		 acked_seq;
	int64_t		 depth;		/* reports that wait */
	int64_t		 bytes;
};
struct outbox_count {
	struct outbox_lane lane[LANES];
	int64_t		 depth;		/* both */
	int64_t		 bytes;
	int64_t		 refused;
	int64_t		 lost_detail;	/* merged away so far */
};
int		 outbox_count(struct store *, struct outbox_count *);
/* Only next_seq and acked_seq, which costs nothing.  -1 when they cannot be
 * read. */
int		 outbox_numbers(struct store *, enum lane,
		    struct outbox_lane *);

struct outbox_report {
	enum lane	 lane;
	int64_t		 seq;
	int64_t		 created_ms;
	const char	*asset;		/* or NULL */
	const char	*body;		/* XML without seq and turn */
	const char	*why;		/* refused ones */
};
/* Those that wait, in the order of their turns; or those refused. */
int		 outbox_each(struct store *, bool refused,
		    void (*fn)(void *arg, const struct outbox_report *),
		    void *arg);

/* A new epoch: what waits keeps its lanes and its order, and is numbered from
 * 1 without a gap. */
int		 outbox_new_epoch(struct store *);

#endif
