/*
 * What is read of a printer when (printers.md 14).  Pure: the time comes in,
 * and what its image says of the things that tell of change.
 *
 *	T0	heartbeat: one small request that says whether anything else
 *		is worth asking
 *	T1	alerts: the known rows while one stands, the table when the
 *		printer counted a new one
 *	T2	levels: every supplies interval, at once when a toner bit turns,
 *		and soon after pages were printed
 *	T3	counters: every counters interval, if pages were printed
 *	T4	everything: every assets interval, after a change of
 *		configuration, after a restart
 *
 * A printer that sleeps is left to sleep: heartbeats only, half as often.
 */
#ifndef AGENT_TIERS_H
#define AGENT_TIERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "snmp/bag.h"

/* What an image says of whether anything happened. */
struct tiers_signs {
	int64_t	 life;			/* pages so far, or ABSENT */
	uint32_t supply_bits;		/* of the error states */
	uint32_t state;			/* a sum over all that says how it is */
	bool	 asleep;
	bool	 alerts_counted;	/* no new alert without a new number */
	bool	 alerts_stand;		/* rows that will go again */
	bool	 alerts_listed;		/* rows of any kind */
	bool	 alertless;		/* no Printer MIB, so no table of them */
};

struct tiers {
	struct tiers_signs	 signs;
	int64_t	 counters_life;		/* pages when counters were read */
	int64_t	 levels_at, counters_at, assets_at;	/* mono: due */
	int64_t	 levels_ms, counters_ms, assets_ms;	/* mono: were read */
	bool	 all;			/* the next reading is of everything */
	bool	 edge;			/* a toner bit turned */
	bool	 blind;			/* it counts what is no page: scans */
};

void	 tiers_init(struct tiers *);
/* Of the printers at these rows. */
void	 tiers_look(const struct bag *image, const int64_t *rows, size_t n,
	    struct tiers_signs *out);

/* What the next visit begins with: READING_ bits. */
unsigned tiers_visit(const struct tiers *, int64_t now_ms);

/* What a reading has shown. */
struct tiers_news {
	unsigned	 what;			/* was read */
	bool		 restarted, alerts_moved, supplies_moved;
	struct tiers_signs	 signs;		/* after it */
};
/* Takes note of it, of a reading that came through.  Returns what is worth
 * reading now, in the same visit: READING_ bits, 0 nothing. */
unsigned tiers_news(struct tiers *, const struct tiers_news *,
	    const struct config *, int64_t now_ms);
/* Read the levels not later than that. */
void	 tiers_levels_at(struct tiers *, int64_t at_ms);

/* The pause until the next heartbeat. */
int64_t	 tiers_pause(const struct tiers *, const struct config *);
/* A tenth of jitter, so that a fleet does not beat in step. */
int64_t	 tiers_jitter(int64_t ms);

#define TIERS_LIFE_MS	(60 * 1000)	/* levels after pages: not sooner */
#define TIERS_DAY_MS	(INT64_C(24) * 3600 * 1000)
#define TIERS_ASLEEP	2		/* heartbeats from one look at a sleeping
					 * printer to the next */

#endif
