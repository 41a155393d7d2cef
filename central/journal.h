/*
 * The fleet's history: one row for each thing that changed, in the order in
 * which it became known, with the report that told it.
 */
#ifndef CENTRAL_JOURNAL_H
#define CENTRAL_JOURNAL_H

#include <stdint.h>

#include "central/fleet.h"
#include "schema/field.h"
#include "schema/lane.h"

enum journal_record {
	JOURNAL_COUNTER = 1,	/* field: its name */
	JOURNAL_LEVEL,		/* of a consumable, with all that says it */
	JOURNAL_ALERT,		/* field: raised changed cleared lapsed
				 * reopened */
	JOURNAL_STATE,		/* field: state, errors ... */
	JOURNAL_ASSET,		/* field: serial, location ... */
	JOURNAL_CONSUMABLE,	/* field: description, serial, removed ... */
	JOURNAL_REPLACEMENT	/* value: the new one's serial, if it has */
};
extern const struct keyword	journal_words[];

/* Columns of history that came later: of a counter its epoch, and where one
 * began or 2^32 was passed the value before; the report's lane and turn. */
extern const struct field	journal_extra[];

/* What is the same for all rows of a report. */
struct journal {
	struct fleet	*fleet;
	enum lane	 lane;
	int64_t		 epoch, seq, turn, received_at;
};

/* time is the agent's clock; ABSENT takes ours.  All return 0 or -1. */
/* before is NULL, or what the counter was until now. */
int	 journal_counter(const struct journal *, int64_t asset,
	    const struct counter *, const struct counter *before,
	    int64_t time);
int	 journal_level(const struct journal *, int64_t asset, int64_t thing,
	    const struct consumable *);
int	 journal_replacement(const struct journal *, int64_t asset,
	    int64_t thing, const struct consumable *);
int	 journal_alert(const struct journal *, int64_t asset, int64_t thing,
	    const char *event, const struct alert *, int64_t time);
/* The value of one field of any record. */
int	 journal_field(const struct journal *, enum journal_record,
	    int64_t asset, int64_t thing, const struct field *,
	    const void *record, int64_t time);

#endif
