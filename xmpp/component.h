/*
 * The centre's side: one XEP-0114 component stream to the server (or several,
 * see component_places()), reconnected for ever.  Every stanza is bounded in
 * size, depth and number of elements while it is still arriving
 * (xmpp/xmlstream.h), what waits to go out is bounded by not reading
 * (xmpp/wire.h), and every step has a deadline.
 */
#ifndef XMPP_COMPONENT_H
#define XMPP_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/loop.h"
#include "xmpp/xmlstream.h"

#define COMPONENT_STANZA_MAX	XMLSTREAM_STANZA_MAX
#define COMPONENT_STATUS_MAX	256

struct component;

struct component_config {
	const char	*jid;
	const char	*host;
	int		 port;
	const char	*secret;	/* copied, wiped at free */
	const char	*version;	/* for XEP-0092; NULL: this program's */
	int		 step_ms;	/* deadline of each step; 0: 10000 */
	int		 ping_ms;	/* silence before a ping; 0: 60000 */
	int		 retry_min_ms;	/* backoff; 0: 1000 */
	int		 retry_max_ms;	/* 0: 60000 */
};

struct component_events {
	void	(*on_ready)(void *arg);
	/* Comes only after on_ready, and not for component_stop(). */
	void	(*on_lost)(void *arg, const char *why);
	/* type is "available", "unavailable", "probe", "error", "subscribe"..
	 * status is what the sender says of itself, at most
	 * COMPONENT_STATUS_MAX octets of UTF-8 that nobody has made fit for a
	 * log; NULL: nothing. */
	void	(*on_presence)(void *arg, const char *from, const char *type,
		    const char *status);
	/* An iq get or set that is not disco#info, ping or version (those are
	 * answered here).  payload is its one child element, lent.  The
	 * owner answers, now or later, with reply or error. */
	void	(*on_iq)(void *arg, const char *from, const char *id,
		    bool set, xmlNode *payload);
	/* All that had arrived has been handed over: commit and answer.  Also
	 * comes before on_lost when stanzas were handed over since the last
	 * one; answers are then dropped. */
	void	(*on_idle)(void *arg);
};

/* Any event may be NULL.  All but free may be called from any of them. */
struct component	*component_new(struct loop *,
			    const struct component_config *,
			    const struct component_events *, void *arg);
void			 component_start(struct component *);
/* Closes the stream properly: sends what is queued and waits for the server
 * to close too, half a second at most. */
void			 component_stop(struct component *);
void			 component_free(struct component *);
bool			 component_ready(const struct component *);
/*
 * A server that shares out what is for a component among several streams has
 * so many places, and drops what is for one that nobody has.  From now on
 * this component takes n of them (1 at first, COMPONENT_PLACES at most): what
 * comes through any is handed over alike, and on_ready comes for each;
 * on_lost is about the first one alone.  Not from an event.
 */
#define COMPONENT_PLACES	16
void			 component_places(struct component *, int n);

/* What is sent while not ready is dropped.  type NULL is available. */
void	 component_presence(struct component *, const char *to,
	    const char *type);
void	 component_reply(struct component *, const char *to, const char *id,
	    const char *payload, size_t len);
/* An RFC 6120 error condition; text may be NULL. */
void	 component_error(struct component *, const char *to, const char *id,
	    const char *condition, const char *text);

typedef void	 component_answer_fn(void *arg, bool result,
		    const char *condition, xmlNode *payload);
/* An iq of the centre's own.  The callback comes once and never from within
 * this call: answer, error, or condition "remote-server-timeout" when time is
 * over or the stream is gone. */
void	 component_ask(struct component *, const char *to, bool set,
	    const char *payload, size_t len, int timeout_ms,
	    component_answer_fn *, void *arg);

#endif
