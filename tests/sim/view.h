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

/* The same for position at of its walk. */
const struct value *view_at(const struct view *, size_t at);

/* A place in a view from which it is read on; it is of no use once the view
 * has changed. */
struct cursor {
	size_t	 base, own;	/* what comes next of the walk's values and
				 * of the view's own */
};
struct cursor	 view_seek(const struct view *, const uint32_t *sub,
		    size_t len);
struct cursor	 view_seek_at(const struct view *, size_t at);
/* The next value, or NULL at the end. */
const struct value *view_step(const struct view *, struct cursor *);

void	 view_set(struct view *, const uint32_t *sub, size_t len, uint8_t tag,
	    const void *body, size_t body_len);
/* The name has no value any more, whatever the walk says. */
void	 view_unset(struct view *, const uint32_t *sub, size_t len);
/* The same for all of a subtree; how many there were. */
size_t	 view_unset_tree(struct view *, const uint32_t *sub, size_t len);

#endif
