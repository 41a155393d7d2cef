/*
 * A sealed stanza from an agent: opened under its session, its envelope
 * checked, the reports inside applied.
 */
#ifndef CENTRAL_INTAKE_H
#define CENTRAL_INTAKE_H

#include <libxml/tree.h>

#include "central/apply.h"
#include "central/fleet.h"
#include "central/peers.h"

struct intake {
	const char		*condition;	/* of the error, or NULL */
	char			 text[160];
	struct session		*session;	/* lent; where answer goes */
	struct apply_answer	 answer;
};

/* jid is the component's, from the full JID of the stanza. */
void	 intake_take(struct fleet *, struct peers *, struct peer *,
	    const char *jid, const char *from, const xmlNode *sealed,
	    struct intake *out);

#endif
