/*
 * Reads the whole store again and again while the agent runs, a few rows at a
 * time and from the disk, so that damage is met before it is needed.
 */
#ifndef AGENT_AUDIT_H
#define AGENT_AUDIT_H

#include <stdint.h>

#include "agent/store.h"
#include "base/loop.h"

struct audit;

/* What it finds becomes the state of the store (store_watch()). */
struct audit	*audit_new(struct loop *, struct store *);
void		 audit_free(struct audit *);	/* NULL is fine; before the
						 * store is closed */
/* Rounds that were finished: every table and index was read. */
int64_t		 audit_rounds(const struct audit *);
/* Begins a round now. */
void		 audit_now(struct audit *);

#endif
