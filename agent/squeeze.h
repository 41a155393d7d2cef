/* Keeps the outbox within its bound by folding the bulk into later reports. */
#ifndef AGENT_SQUEEZE_H
#define AGENT_SQUEEZE_H

#include <stdint.h>

#include "agent/store.h"

/*
 * Keeps the outbox below max_bytes: the oldest reports of the bulk give what
 * only they say to the next one of the same asset there, and their numbers
 * become empty; each counts as lost detail.  Cheap as long as
 * there is room; when there is none it makes some.  Returns how many, or -1.
 */
int		 squeeze_outbox(struct store *, int64_t max_bytes);

#endif
