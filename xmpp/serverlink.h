/*
 * The stream between a component and its server (XEP-0114): connects, proves
 * that it knows the secret, notices when the server is gone, and tries again
 * for ever, with backoff and jitter.
 */
#ifndef XMPP_SERVERLINK_H
#define XMPP_SERVERLINK_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/loop.h"
#include "xmpp/component.h"

#define SERVERLINK_NS	"jabber:component:accept"

struct serverlink;

/* Any of these may stop or start the link. */
struct serverlink_events {
	void	(*on_ready)(void *arg);
	void	(*on_lost)(void *arg, const char *why);	/* after ready only */
	void	(*on_stanza)(void *arg, xmlNode *stanza);
	/* A stanza out of bounds; start is its empty start tag, or NULL. */
	void	(*on_refused)(void *arg, xmlNode *start, const char *why);
	/* No more stanzas for now; also before on_lost. */
	void	(*on_idle)(void *arg);
};

/* events is lent for life, config until the return. */
struct serverlink	*serverlink_new(struct loop *,
			    const struct component_config *,
			    const struct serverlink_events *, void *arg);
/* Another one to the same server, as the same component. */
struct serverlink	*serverlink_twin(const struct serverlink *,
			    const struct serverlink_events *, void *arg);
void			 serverlink_free(struct serverlink *);
void			 serverlink_start(struct serverlink *);
/* Says good bye; blocks for half a second at most. */
void			 serverlink_stop(struct serverlink *);
bool			 serverlink_ready(const struct serverlink *);
/* Whole stanzas only; dropped unless ready. */
void			 serverlink_put(struct serverlink *,
			    const void *bytes, size_t len);

#endif
