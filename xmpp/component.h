/*
 * The centre's side: one XEP-0114 component stream to the server, on
 * libxml2's push parser, reconnected for ever.  Every stanza is bounded in
 * size, depth and number of elements while it is still arriving.
 */
#ifndef XMPP_COMPONENT_H
#define XMPP_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/loop.h"

#define COMPONENT_STANZA_MAX	(300 * 1024)

struct component;

struct component_config {
	const char	*jid;
	const char	*host;
	int		 port;
	const char	*secret;	/* copied, wiped at free */
	const char	*version;	/* for XEP-0092 */
};

struct component_events {
	void	(*on_ready)(void *arg);
	void	(*on_lost)(void *arg, const char *why);
	/* type is "available", "unavailable", "probe", "error", "subscribe".. */
	void	(*on_presence)(void *arg, const char *from, const char *type);
	/* An iq get or set that is not disco#info, ping or version (those are
	 * answered here).  payload is its first child element, lent.  The
	 * owner answers, now or later, with reply or error. */
	void	(*on_iq)(void *arg, const char *from, const char *id,
		    bool set, xmlNode *payload);
	/* All that had arrived has been handed over: commit and answer. */
	void	(*on_idle)(void *arg);
};

struct component	*component_new(struct loop *,
			    const struct component_config *,
			    const struct component_events *, void *arg);
void			 component_start(struct component *);
void			 component_stop(struct component *);
void			 component_free(struct component *);
bool			 component_ready(const struct component *);

/* type NULL is available. */
void	 component_presence(struct component *, const char *to,
	    const char *type);
void	 component_reply(struct component *, const char *to, const char *id,
	    const char *payload, size_t len);
/* An RFC 6120 error condition; text may be NULL. */
void	 component_error(struct component *, const char *to, const char *id,
	    const char *condition, const char *text);

typedef void	 component_answer_fn(void *arg, bool result,
		    const char *condition, xmlNode *payload);
/* An iq of the centre's own.  The callback comes once: answer, error, time
 * out (condition "remote-server-timeout") or loss of the stream. */
void	 component_ask(struct component *, const char *to, bool set,
	    const char *payload, size_t len, int timeout_ms,
	    component_answer_fn *, void *arg);

#endif
