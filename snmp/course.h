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
	COURSE_STANDARD,	/* all columns; those of a known device by the
				 * rows that it had */
	COURSE_TABLES,		/* the maker's */
	COURSE_OBJECTS,		/* what goes by device, and the maker's */
	COURSE_CONTEXT,		/* supplies again in the other context */
	COURSE_KNOWN		/* what the image has, and nothing else */
};

#define COURSE_PAST_MAX	4

struct course {
	unsigned		 what;		/* READING_ bits */
	enum course_phase	 phase;
	struct errand		*errand;	/* the one under way */
	struct errand		*past[COURSE_PAST_MAX];
	size_t			 past_len;
	struct errand		*tables;	/* to come, if the maker is: */
	const struct vendor	*tables_of;
	struct errand		*context;	/* to come, in "Jetdirect" */
	bool			 in_context;	/* errand is for that */
	bool			 jetdirect;	/* supplies are to be had there */
	bool			 standard_only;	/* no maker's objects */
	bool			 bulk;		/* GETBULK may be used */
	struct bag		*fresh;
	struct bag		*before;	/* contrast_keep()'s */
	const struct vendor	*vendor;
	struct plan_private	*private;	/* what may be asked of it */
	char			 why[ERRAND_WHY_MAX];	/* it is no printer */
};

/* Starts with everything, or with what of an image is wanted (jetdirect,
 * standard_only and bulk set before).  Everything with an image ends with what
 * everything without one would end with, and takes fewer requests. */
void	 course_start_all(struct course *, const struct bag *image);
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

/* Whether GETBULK may be used from here on. */
void	 course_set_bulk(struct course *, bool);
/* Whether the makers' files keep from trying it. */
bool	 course_bulk_harms(const struct course *);
/*
 * A question to try GETBULK with, about rows that have come already: its OIDs
 * go to ids, and to expect what an honest answer has, in that order.  Returns
 * how many these are, 0 when there are no rows to try it on.
 */
#define COURSE_TRIAL_IDS	3
#define COURSE_TRIAL_MAX	9
size_t	 course_trial(const struct course *, struct talk_question *,
	    struct objid ids[COURSE_TRIAL_IDS],
	    struct objid expect[COURSE_TRIAL_MAX]);

/* What the answers speak for, and the first thing that made no sense. */
void	 course_covered(const struct course *, struct objid **, size_t *len);
const char	*course_why(const struct course *);

#endif
