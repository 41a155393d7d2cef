/*
 * One visit to one device: decides what to ask, asks it in few requests,
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
#include "snmp/memo.h"

/* What to read.  Parts other than ALL use rows that the image knows. */
#define READING_HEARTBEAT	1u	/* uptime, status, errors, change and
					 * alert counters, life count: one
					 * request, 410 octets with its answer
					 * and all headers */
#define READING_ALERTS		2u	/* the alert table */
#define READING_SUPPLIES	4u	/* levels of known rows */
#define READING_COUNTERS	8u	/* standard and vendor counters */
#define READING_ALL		16u	/* everything; with an image known
					 * rows cost little, and new ones are
					 * found all the same */
#define READING_KNOWN_ALERTS	32u	/* whether the known alert rows still
					 * stand */
#define READING_ANY_ALERTS	64u	/* whether an empty alert table still
					 * is: its codes alone */

struct reading_target {
	struct sockaddr_in	 addr;
	const struct credential	*credential;	/* lent while it lasts; its
						 * version 0: v2c, then v1 */
	struct usm_engine	*engine;	/* v3; lent; NULL: a new one */
	int			 timeout_ms;
	int			 retries;
	bool			 standard_only;	/* no maker's objects */
};

enum reading_status {
	READING_DONE,		/* fresh holds what was read */
	READING_SILENT,		/* no answer at all */
	READING_NO_PRINTER,	/* it answered; why says why it is none */
	READING_BROKEN,		/* it answered, but made no sense or broke
				 * off; fresh holds what came; why */
	READING_DENIED		/* it answered that the credentials are wrong;
				 * why says which part of them */
};

struct reading_result {
	enum reading_status	 status;
	char			 why[160];	/* with DONE: what was odd, or "" */
	struct bag		*fresh;		/* taken by the callback */
	struct objid		*covered;	/* for bag_merge(); lent.  After
						 * READING_ALL it is everything,
						 * unless that broke off or the
						 * printer sleeps: what is then
						 * missing may be there */
	size_t			 covered_len;
	bool			 restarted;	/* sysUpTime fell, or the
						 * configuration changed: read
						 * ALL next */
	bool			 alerts_moved;	/* alert counters moved, or
						 * there are none to go by */
	bool			 supplies_moved;/* life count moved, or a bit of
						 * lowToner, noToner or
						 * markerSupplyMissing turned:
						 * levels are worth a look */
	struct device_memo	 memo;
	struct talk_traffic	 traffic;
	int64_t			 rtt_ms;	/* of the first answer */
};

struct reading;

typedef void	 reading_fn(void *arg, struct reading_result *);

/*
 * Starts one.  image (lent for the call's duration only: what is needed is
 * copied) is what is known, NULL when nothing is.  The callback comes from
 * the loop, once, after which the reading is gone.
 */
struct reading	*reading_start(struct asker *, struct loop *,
		    const struct reading_target *, unsigned what,
		    const struct bag *image, const struct device_memo *,
		    reading_fn *, void *arg);
void		 reading_cancel(struct reading *);	/* no callback */

#endif
