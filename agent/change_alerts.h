/*
 * Alerts that are worth telling (change.h): raised and closed by evidence
 * (printers.md 7).  Which alert is which is decided by group, row, code and
 * the time since when it stands; neither by its index, which starts anew, nor
 * by its text, which follows the panel's language.
 */
#ifndef AGENT_CHANGE_ALERTS_H
#define AGENT_CHANGE_ALERTS_H

#include "agent/change.h"

/* now's alerts get their ids.  memory is from the comparison before. */
void	 change_alerts_find(const struct report *told, struct printer *now,
	    struct change_suspects *memory, const struct ignore *,
	    int64_t now_ms, struct change *out);

#endif
