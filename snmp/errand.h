/*
 * The book-keeping of a visit: which objects are still to be got, which
 * columns still to be walked and how far each has come.  Says what to ask
 * next, takes what was answered.  Knows no network, and trusts no answer.
 *
 * A column whose rows are known from before is walked in stretches, one from
 * each row to the next, all of them at once: that finds what changed, what
 * came between and what has gone in one round, and ends with what a walk from
 * the start would have found.
 */
#ifndef SNMP_ERRAND_H
#define SNMP_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/asker.h"
#include "snmp/bag.h"
#include "snmp/objid.h"

/* Sub-identifiers of an index; more is no table of ours. */
#define ERRAND_INDEX_MAX	16
#define ERRAND_WHY_MAX	160

struct errand;

struct errand	*errand_new(void);
void		 errand_free(struct errand *);

/* One with the same to do.  more: with room for what comes behind it. */
struct errand	*errand_copy(const struct errand *, bool more);

/* Each copies the OID, and takes it once.  name (may be NULL, is kept: a
 * literal) is what messages call it. */
void	 errand_object(struct errand *, const struct objid *);
void	 errand_column(struct errand *, const struct objid *, const char *name,
	    unsigned rows_max);
/* A row that the column added last is known to have; in order. */
void	 errand_row(struct errand *, const struct objid *);
/* With GETBULK it is enough to know how many they are, more or less. */
bool	 errand_counts_rows(const struct errand *);
void	 errand_rows(struct errand *, const struct objid *column, size_t n);
/* That was its last row, and what may be behind it is not asked for.  For
 * GETBULK only. */
void	 errand_row_last(struct errand *, const struct objid *);
/* All rows of what is to be walked are known, more or less. */
void	 errand_known(struct errand *);
/* Whether columns may be asked for with GETBULK.  Before they are added, and
 * false later, when it turns out not to work. */
void	 errand_bulk(struct errand *, bool);

/*
 * What to ask next, at most limit of them: objects first (GET), then columns
 * (GETNEXT, or GETBULK for some more varbinds in the answer), those first that
 * were not tried yet.  Fills all of the question; ids is where its OIDs go.
 * Returns their number, 0 when all is done.  Asked again without an answer in
 * between it says the same, or the first part of it for a smaller limit.
 */
size_t	 errand_next(struct errand *, size_t limit, struct talk_question *,
	    struct objid ids[TALK_VARBINDS_MAX]);

enum errand_take {
	ERRAND_TAKEN,
	ERRAND_FULL,		/* into has no room for more */
	ERRAND_BULK_ODD		/* a GETBULK answer that is none: nothing was
				 * taken from it */
};
/* Takes the answer to what errand_next() said last. */
enum errand_take	 errand_take(struct errand *,
			    const struct talk_varbind *, size_t n,
			    struct bag *into);
/* Gives up what was asked last: there is no answer to be had. */
void	 errand_skip(struct errand *, const char *reason);
/* Gives up everything that is still to do. */
void	 errand_stop(struct errand *);

/* Whether there was never anything to do. */
bool	 errand_idle(const struct errand *);
/* Whether a column has not been tried yet. */
bool	 errand_untried(const struct errand *);

/* What the answers speak for: columns that were read to the end and objects
 * that are not there.  Appends to *out (grown as needed). */
void	 errand_covered(const struct errand *, struct objid **out, size_t *len);

/* The first thing that did not make sense, "" when all did. */
const char	*errand_why(const struct errand *);

#endif
