/* The part of change.h that is about consumables: what is worth telling of
 * them, and when one was replaced (printers.md 5). */
#ifndef AGENT_CHANGE_SUPPLIES_H
#define AGENT_CHANGE_SUPPLIES_H

#include "agent/change.h"

/* As change_find(), whose other parameters these are. */
void	 change_supplies_find(const struct report *told, struct printer *now,
	    struct change_state *, const struct change_policy *,
	    int64_t now_ms, struct change *out);

#endif
