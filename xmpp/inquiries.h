/*
 * The iqs that a component has sent and that wait for their answer, found by
 * an id that nobody can guess and by who was asked: an answer from anyone
 * else is none.
 */
#ifndef XMPP_INQUIRIES_H
#define XMPP_INQUIRIES_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/loop.h"

#define INQUIRIES_ID_MAX	32

struct inquiries;

typedef void	 inquiries_fn(void *arg, bool result, const char *condition,
		    xmlNode *payload);

struct inquiries	*inquiries_new(struct loop *);
/* All must have been answered or failed. */
void		 inquiries_free(struct inquiries *);
/* Remembers one and makes its id.  When timeout_ms is over fn is called with
 * the condition remote-server-timeout. */
void		 inquiries_add(struct inquiries *, const char *to,
		    int timeout_ms, inquiries_fn *, void *arg,
		    char id[INQUIRIES_ID_MAX]);
/* An answer has come.  False when nobody waits for it. */
bool		 inquiries_answer(struct inquiries *, const char *from,
		    const char *id, bool result, const char *condition,
		    xmlNode *payload);
/* None will be answered any more. */
void		 inquiries_fail(struct inquiries *, const char *condition);
size_t		 inquiries_count(const struct inquiries *);

#endif
