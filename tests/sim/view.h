/*
 * A walk as one device shows it: the shared values with the device's own over
 * them.  Only what differs takes memory.
 */
#ifndef SIM_VIEW_H
#define SIM_VIEW_H

#include "tests/sim/walk.h"

struct view {
	const struct walk	*walk;
	struct value		*own;		/* in OID order */
	size_t			 len, room;
};

void	 view_clear(struct view *);

/* Lend a value until the view changes; NULL when there is none. */
const struct value *view_get(const struct view *, const uint32_t *sub,
	    size_t len);
const struct value *view_next(const struct view *, const uint32_t *sub,
	    size_t len);

void	 view_set(struct view *, const uint32_t *sub, size_t len, uint8_t tag,
	    const void *body, size_t body_len);
/* The name has no value any more, whatever the walk says. */
void	 view_unset(struct view *, const uint32_t *sub, size_t len);
/* The same for all of a subtree; how many there were. */
size_t	 view_unset_tree(struct view *, const uint32_t *sub, size_t len);

#endif
