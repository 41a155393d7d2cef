/*
 * What is asked of a device after what: the course of a reading, from "is
 * this a printer" to the maker's own counters, as objects and columns in an
 * errand.  It looks at what has come and decides what comes next; how it is
 * asked is the reading's.
 */
#ifndef SNMP_COURSE_H
#define SNMP_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"
#include "snmp/errand.h"
#include "snmp/plan.h"
#include "snmp/vendor.h"

enum course_phase {
	COURSE_IDENTIFY,	/* the first row of the deciding columns */
	COURSE_TYPES,		/* hrDeviceType to its end */
	COURSE_STRANGER,	/* no printer, but a known maker: who is it */
	COURSE_STANDARD,	/* the other columns */
	COURSE_DEVICES,		/* what goes by device, of its printers */
	COURSE_VENDOR,
	COURSE_COUNTERS,
	COURSE_CONTEXT,		/* supplies again in the other context */
	COURSE_KNOWN		/* what the image has, and nothing else */
};

struct course {
	unsigned		 what;		/* READING_ bits */
	enum course_phase	 phase;
	struct errand		*errand;	/* the one under way */
	struct errand		*other;		/* done before, or still to
						 * come: in_context tells */
	bool			 in_context;	/* errand is for the context
						 * "Jetdirect" */
	bool			 jetdirect;	/* supplies are to be had there */
	bool			 standard_only;	/* no maker's objects */
	struct bag		*fresh;
	struct bag		*before;	/* counters that tell of change */
	const struct vendor	*vendor;
	struct plan_private	*private;	/* what may be asked of it */
	char			 why[ERRAND_WHY_MAX];	/* it is no printer */
};

/* Starts with everything, or with what of an image is wanted (jetdirect and
 * standard_only set before). */
void	 course_start_all(struct course *);
void	 course_start_known(struct course *, unsigned what,
	    const struct bag *image);
void	 course_clear(struct course *);

/* Whether the present phase has all that it needs, even if its errand is not
 * done. */
bool	 course_ripe(const struct course *);

enum course_turn {
	COURSE_ON,		/* there may be more to ask */
	COURSE_ON_CONTEXT,	/* the same, in the other context */
	COURSE_DONE,
	COURSE_NO_PRINTER	/* why says why */
};
/* On to the next phase. */
enum course_turn	 course_advance(struct course *);

/* What fresh says against the image that it started from. */
bool	 course_restarted(const struct course *);
bool	 course_alerts_moved(const struct course *);

#endif
