/*
 * How far discovery is: one note in the store, written by the collector now
 * and then, read by platen(1) and by the next collector, which goes on from
 * there.
 */
#ifndef AGENT_PROGRESS_H
#define AGENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store.h"
#include "base/json.h"

struct progress {
	bool		 running;
	int		 pass;			/* 1 or 2 */
	int64_t		 done, left;		/* addresses */
	int64_t		 found;			/* printers, known ones too */
	int64_t		 fresh;			/* of those, new ones; -1:
						 * nothing to compare with */
	int64_t		 others;		/* answered, no printers */
	int64_t		 started_ms;		/* wall; 0 never */
	int64_t		 finished_ms;		/* wall: the last whole one */
	int64_t		 seconds_left;
	/* For going on. */
	uint32_t	 where;
	uint64_t	 fingerprint;
};

/* 0 or -1.  Within the transaction that is open, or in one of its own. */
int	 progress_write(struct store *, const struct progress *);
/* All zero when there is none. */
void	 progress_read(struct store *, struct progress *);

/* {"running": ..., "done": ...}; key as for json_object().  live: whether
 * there is an agent that could be at it. */
void	 progress_json(const struct progress *, bool live, struct json *,
	    const char *key);
#define PROGRESS_TEXT_MAX	160
/* "pass 1 of 2, 1203 of 4094 addresses, 12 printers (3 new), 4 others, 1 min
 * to go": the last part only while it runs. */
char	*progress_text(const struct progress *, bool live,
	    char out[PROGRESS_TEXT_MAX]);

#endif
