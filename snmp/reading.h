/*
 * One visit to one device: decides what to ask, asks it in few varbinds,
 * survives loops, holes, tooBig and versions, and hands over the values.  It
 * never asks for an object that neither the standard's list nor the vendor
 * table names, and walks no private tree.
 */
#ifndef SNMP_READING_H
#define SNMP_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "snmp/asker.h"
#include "snmp/bag.h"

/* What to read.  Parts other than ALL use rows that the image knows. */
#define READING_HEARTBEAT	1u	/* uptime, status, errors, change and
					 * alert counters, life count */
#define READING_ALERTS		2u	/* the alert table */
#define READING_SUPPLIES	4u	/* levels of known rows */
#define READING_COUNTERS	8u	/* standard and vendor counters */
#define READING_ALL		16u	/* everything, from nothing */

/* What is learnt about a device and remembered by the caller between
 * readings.  Zero it for an unknown device. */
struct device_memo {
	uint8_t	 version;		/* what answered: 1, 2; 0 not known */
	uint8_t	 varbinds;		/* most that it takes in one request;
					 * 0: no limit was met */
	bool	 jetdirect;		/* supplies live in community@Jetdirect */
};

struct reading_target {
	struct sockaddr_in	 addr;
	int			 version;	/* 0: v2c, then v1; else fixed */
	const char		*community;	/* copied */
	int			 timeout_ms;
	int			 retries;
	bool			 standard_only;	/* no maker's objects */
};

enum reading_status {
	READING_DONE,		/* fresh holds what was read */
	READING_SILENT,		/* no answer at all */
	READING_NO_PRINTER,	/* it answered; why says why it is none */
	READING_BROKEN		/* it answered, but made no sense or broke
				 * off; fresh holds what came; why */
};

struct reading_result {
	enum reading_status	 status;
	char			 why[160];	/* with DONE: what was odd, or "" */
	struct bag		*fresh;		/* taken by the callback */
	struct objid		*covered;	/* for bag_merge(); lent.  After
						 * READING_ALL it is everything,
						 * unless that broke off */
	size_t			 covered_len;
	bool			 restarted;	/* sysUpTime fell, or the
						 * configuration changed: read
						 * ALL next */
	bool			 alerts_moved;	/* alert counters moved, or
						 * there are none to go by */
	struct device_memo	 memo;
	struct talk_traffic	 traffic;
	int64_t			 rtt_ms;	/* of the first answer */
};

struct reading;

typedef void	 reading_fn(void *arg, struct reading_result *);

/*
 * Starts one.  image (lent for the call's duration only: what is needed is
 * copied) is what is known, NULL for READING_ALL.  The callback comes from
 * the loop, once, after which the reading is gone.
 */
struct reading	*reading_start(struct asker *, struct loop *,
		    const struct reading_target *, unsigned what,
		    const struct bag *image, const struct device_memo *,
		    reading_fn *, void *arg);
void		 reading_cancel(struct reading *);	/* no callback */

#endif
