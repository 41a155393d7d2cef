/*
 * What one record of a report does to the fleet: the current row, and the
 * history of what changed in it.
 */
#ifndef CENTRAL_UPDATE_H
#define CENTRAL_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "central/apply.h"
#include "central/fleet.h"
#include "central/journal.h"
#include "schema/record.h"

/* One report at work. */
struct update {
	struct fleet		*fleet;
	int64_t			 agent;
	struct journal		 journal;
	struct apply_answer	*answer;	/* same, refused */
	char			 reason[200];	/* of a refusal */
	bool			 want_whole;	/* it rests on what we lack */
	int64_t			*whole;		/* assets told whole that were
						 * in doubt; free() it */
	size_t			 whole_len;
};

#define UPDATE_FAILED	(-1)	/* the store */
#define UPDATE_DONE	0
#define UPDATE_REFUSED	1	/* reason says why */

/* Each returns UPDATE_*. */
int	 update_asset(struct update *, const struct asset *change);
int	 update_consumable(struct update *, const struct consumable *change);
int	 update_alert(struct update *, const struct alert *change);
int	 update_agent(struct update *, const struct agent *change);
/* Ends what was open in an asset that is told whole, and is not mentioned. */
int	 update_lapse(struct update *, int64_t asset);

#endif
