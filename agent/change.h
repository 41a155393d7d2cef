/*
 * What is worth telling: compares what a printer says now with what was last
 * told of it (design.md 5).  Pure: time and the told state come in, the
 * report and the new told state go out.
 *
 * Identifiers, states and alerts are told at once and only when they
 * changed.  Counters and levels are told when they changed, at most once per
 * interval; what is held back is told by a later call.
 */
#ifndef AGENT_CHANGE_H
#define AGENT_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/report.h"
#include "snmp/ignore.h"
#include "snmp/printer.h"

struct change_policy {
	int64_t	 counters_ms;	/* at most once per ... */
	int64_t	 levels_ms;
	bool	 levels_read;	/* this time, not remembered */
	const struct ignore	*ignore;	/* alerts not told; or NULL */
};

/* What is kept in memory between two comparisons of a printer: losing it
 * costs a delay, never a wrong telling.  Zero it for a new one. */
struct change_suspect {
	bool	 used;
	bool	 looks_new;	/* until a second reading agrees */
	int64_t	 index;		/* prtMarkerSuppliesIndex */
	int64_t	 level, percent;	/* the last before "some" (-3) */
};
#define CHANGE_SUSPECTS	8
/* What a sleeping printer shows of its alerts. */
enum change_sleep { SLEEP_NOT, SLEEP_SHOWS, SLEEP_HIDES, SLEEP_WAKES };
struct change_suspects {
	struct change_suspect	 one[CHANGE_SUSPECTS];
	char			 asset[UUID_TEXT_MAX];	/* whose it is */
	int64_t			 look_ms;	/* wall: the comparison before;
						 * 0: none */
	int64_t			 uptime;	/* ticks, then */
	uint8_t			 rows, bits;	/* enum change_sleep */
	bool			 doubted;	/* a level was not believed */
	int64_t			 doubt_pages;	/* when that began, or ABSENT;
						 * else 0 */
	int64_t			 gone_ms;	/* wall: since when a supply's
						 * row is missing; 0 none is */
	bool			 alerts;	/* some stand */
	int64_t			 pin_ms;	/* wall: when the pins were
						 * counted; 0 never */
	uint8_t			 pins[RECORD_COUNTERS_MAX]; /* readings without
						 * a counter's old source */
};

struct change_state {
	int64_t	 counters_ms;	/* wall: when last told */
	int64_t	 levels_ms;
	struct change_suspects	*suspects;
};

struct change {
	struct report	 event;		/* to be told at once, never lost */
	struct report	 detail;	/* counters and levels */
	struct report	 told;		/* records as they are told now:
					 * only those that changed */
	char		**forget;	/* ids of told records that are gone */
	size_t		 forget_len;
	int64_t		 due_ms;	/* wall: something is held back until
					 * then; 0 nothing is */
	bool		 again;		/* read supplies again soon */
};

void	 change_init(struct change *);
void	 change_clear(struct change *);
bool	 change_any(const struct change *);
/* Something is held back until then. */
void	 change_hold_back(struct change *, int64_t due_ms);
/* When a reading of this kind may be told again. */
bool	 change_may_tell(int64_t last_ms, int64_t interval_ms,
	    int64_t now_ms);
/* The told record of that id has gone. */
void	 change_forget(struct change *, const char *id);

/*
 * told is what known_told() gave (one asset or none).  now is complete: id,
 * key, ip, zone and state are set in now->asset; now's consumables and
 * alerts get their ids here.
 */
void	 change_find(const struct report *told, struct printer *now,
	    struct change_state *, const struct change_policy *,
	    int64_t now_ms, struct change *out);

/* The printer did not answer: only its state changes, and nothing is closed
 * for want of evidence.  told as above. */
void	 change_unreachable(const struct report *told, int64_t now_ms,
	    struct change *out);

/* The classes of fields that are told at once, for record_diff(). */
#define CHANGE_AT_ONCE	(1u << FIELD_KEY | 1u << FIELD_IDENTITY | \
			 1u << FIELD_STATE)

/* An event-like alert (unary, RFC 3805) is shown this long at most. */
#define CHANGE_UNARY_MS	(INT64_C(24) * 3600 * 1000)

#endif
