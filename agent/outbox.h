/*
 * Reports that the centre has not acknowledged yet, in the store so that they
 * outlive a crash or a dead link.  The collector appends, the uplink sends in
 * order and takes out what was acknowledged.  Delivery is at least once.
 */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store.h"
#include "base/buf.h"
#include "schema/report.h"

/* The uplink never has more reports under way: those with the lowest
 * numbers, which squeeze_outbox() leaves alone. */
#define OUTBOX_IN_FLIGHT_MAX	64
/* A centre that refuses everything must not fill the disk. */
#define OUTBOX_REFUSED_MAX	1000

enum outbox_lane {
	OUTBOX_DETAIL,		/* counters and levels: may be merged */
	OUTBOX_EVENT		/* never dropped, never merged */
};
/*
 * Appends a report (inside the caller's transaction): validates its XML and
 * gives it the next seq.  Splits it when it is too long for one message.
 * asset may be NULL.  Returns how many reports it became, or -1.
 */
int		 outbox_append(struct store *, const struct report *,
		    enum outbox_lane, const char *asset);
/* The oldest report with a seq greater than after.  1 when there is one (xml
 * complete with epoch and seq, appended), 0, -1. */
int		 outbox_next(struct store *, int64_t after, int64_t *seq,
		    struct buf *xml);
/* The centre has committed everything up to seq. */
int		 outbox_ack(struct store *, int64_t seq);
/* The centre will never take seq: aside with it.  The newest
 * OUTBOX_REFUSED_MAX are kept. */
int		 outbox_refuse(struct store *, int64_t seq, const char *why);

struct outbox_count {
	int64_t		 first_seq;	/* next_seq when empty */
	int64_t		 next_seq;
	int64_t		 acked_seq;
	int64_t		 depth;
	int64_t		 bytes;
	int64_t		 refused;
	int64_t		 lost_detail;	/* merged away so far */
};
int		 outbox_count(struct store *, struct outbox_count *);

struct outbox_report {
	int64_t		 seq;
	int64_t		 created_ms;
	enum outbox_lane	 lane;
	const char	*asset;		/* or NULL */
	const char	*body;		/* XML without epoch and seq */
	const char	*why;		/* refused ones */
};
int		 outbox_each(struct store *, bool refused,
		    void (*fn)(void *arg, const struct outbox_report *),
		    void *arg);

/* A new epoch: what waits keeps its order and is numbered from 1. */
int		 outbox_new_epoch(struct store *);

#endif
