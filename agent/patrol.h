/*
 * The devices of this network: when each is read, what is read, and what
 * becomes of it.  A device is an address that answered; which asset stands
 * there is the asset book's business.
 */
#ifndef AGENT_PATROL_H
#define AGENT_PATROL_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/config.h"
#include "agent/store.h"
#include "base/loop.h"
#include "schema/record.h"

struct patrol;

struct patrol_counts {
	int64_t	 online, asleep, unreachable;	/* printers */
	int64_t	 others;			/* answered, no printers */
	int64_t	 bytes_out, bytes_in;		/* SNMP since start */
};

/* written: reports were put into the outbox. */
struct patrol	*patrol_new(struct loop *, const struct config *,
		    struct store *, void (*written)(void *arg), void *arg);
void		 patrol_free(struct patrol *);
/* Takes up the devices that the store knows. */
void		 patrol_start(struct patrol *);
void		 patrol_count(const struct patrol *, struct patrol_counts *);
/* Tells everything once more. */
void		 patrol_whole(struct patrol *);
void		 patrol_tell_agent(struct patrol *, struct agent *);

/* Is this address a printer that is being polled anyway? */
bool		 patrol_has(const struct patrol *, const struct sockaddr_in *);

/* What a probe came to. */
enum patrol_find {
	PATROL_SILENT,		/* nothing answered */
	PATROL_PRINTER,		/* taken up, or it was already */
	PATROL_STRANGER,	/* no printer; kept with its reason */
	PATROL_UNREADABLE,	/* it answered, and made no sense or broke
				 * off */
	PATROL_DENIED		/* it answered that no credentials fit */
};

/*
 * Looks whether a printer stands at the address, trying the credentials that
 * are for it one after the other, and takes it up if so.  done is called once.
 */
void		 patrol_probe(struct patrol *, const struct sockaddr_in *,
		    const char *zone, void (*done)(void *arg,
		    enum patrol_find), void *arg);

/* Is that a printer, or has it answered a reading since that wall time? */
bool		 patrol_met(const struct patrol *, const struct sockaddr_in *,
		    int64_t since_ms);
/*
 * Discovery is through and has not met what stands there: forgets it, unless it
 * was met after all or is just being read.  False then.
 */
bool		 patrol_forget(struct patrol *, const struct sockaddr_in *,
		    int64_t since_ms);

/*
 * Something there wants to be looked at (a trap came): the printers at that
 * address are read at once, heartbeat and alerts.  However often it is
 * called, each is so read every PATROL_WAKE_MS at most, and once more after a
 * burst.  False when no printer is known there.
 */
bool		 patrol_wake(struct patrol *, struct in_addr from);
/* Is there a printer at that address, whatever its port? */
bool		 patrol_knows(const struct patrol *, struct in_addr);
#define PATROL_WAKE_MS	2000

/* The pause before a device that has not answered misses times is asked
 * again. */
int64_t		 patrol_backoff_ms(int misses, int64_t heartbeat_ms);

#endif
