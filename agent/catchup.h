/*
 * Catching up after an outage: how much waited in each lane when it began, and
 * how far it is.  The uplink notes it in the store as one line of text, for
 * `platen status`.
 */
#ifndef AGENT_CATCHUP_H
#define AGENT_CATCHUP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/outbox.h"

/* Fewer that wait are nothing to speak of. */
#define CATCHUP_FROM	100

struct catchup {
	int64_t	 since_ms;		/* wall; 0: there is none */
	int64_t	 from[LANES];		/* acknowledged when it began */
	int64_t	 to[LANES];		/* the last number that waited */
};

/* Begins one if there is enough that waits in these lanes. */
void	 catchup_begin(struct catchup *, const struct outbox_lane *,
	    int64_t wall_ms);
/* Numbers done and numbers in all, in both lanes; done is total at the end. */
void	 catchup_progress(const struct catchup *, const int64_t acked[LANES],
	    int64_t *done, int64_t *total);
/* How long it will go on as it went so far; -1: nobody knows yet. */
int64_t	 catchup_left_ms(const struct catchup *, int64_t done, int64_t total,
	    int64_t wall_ms);

#define CATCHUP_TEXT_MAX	128
char	*catchup_format(const struct catchup *, char out[CATCHUP_TEXT_MAX]);
/* False, and none, when it is no such text ("" is none). */
bool	 catchup_parse(const char *text, struct catchup *);

#endif
