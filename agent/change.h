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
#include "snmp/printer.h"

struct change_policy {
	int64_t	 counters_ms;	/* at most once per ... */
	int64_t	 levels_ms;
	bool	 levels_read;	/* this time, not remembered */
};

/* A cartridge that looks new, until a second reading agrees. */
struct change_suspect {
	bool	 used;
	int64_t	 index;		/* prtMarkerSuppliesIndex */
};
#define CHANGE_SUSPECTS	8
struct change_suspects {
	struct change_suspect	 one[CHANGE_SUSPECTS];
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

/*
 * told is what known_told() gave (one asset or none).  now is complete: id,
 * key, ip, zone and state are set in now->asset; now's consumables and
 * alerts get their ids here.
 */
void	 change_find(const struct report *told, struct printer *now,
	    struct change_state *, const struct change_policy *,
	    int64_t now_ms, struct change *out);

/* The printer did not answer: only its state changes.  told as above. */
void	 change_unreachable(const struct report *told, int64_t now_ms,
	    struct change *out);

/* An event-like alert (unary, RFC 3805) is shown this long at most. */
#define CHANGE_UNARY_MS	(INT64_C(24) * 3600 * 1000)

#endif
