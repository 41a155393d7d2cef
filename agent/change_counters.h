/*
 * Counters that are worth telling (change.h).  A counter is a series: values
 * from one source that only grow.  What breaks the series begins a new epoch,
 * which is told at once with the value before it, so that nobody ever takes a
 * negative or an invented difference for pages (printers.md 6).
 */
#ifndef AGENT_CHANGE_COUNTERS_H
#define AGENT_CHANGE_COUNTERS_H

#include "agent/change.h"

enum counter_news {
	COUNTER_SAME,		/* or not to be told */
	COUNTER_MOVED,
	COUNTER_ANEW		/* another epoch, or past 2^32 */
};

/* Readings without the old source, until another is taken for good. */
#define CHANGE_PIN_READINGS	3

/*
 * Looks at all counters of now.  later gets those that moved, at_once those
 * that started anew (both NULL for none), told all of them.  due_ms is when
 * to look again although nothing changes, or 0.
 */
struct change_counters {
	struct asset	 at_once, later;	/* only their counters */
	int64_t		 due_ms;
};

/* before is what was told, NULL the first time.  Clear it afterwards. */
void	 change_counters_find(const struct asset *before,
	    const struct asset *now, struct change_suspects *,
	    const struct change_policy *, int64_t now_ms,
	    struct change_counters *out);
void	 change_counters_clear(struct change_counters *);
/* Puts from's counters in the place of their older selves. */
void	 change_counters_put(struct asset *to, const struct asset *from);

#endif
