/*
 * One try to reach one endpoint, and the stream when it succeeds: libstrophe
 * fitted to our loop.  A fresh connection object each time, a deadline over
 * everything until the login is done (also while the library blocks), bounds
 * on what comes in and what waits to go out.  One a process, because two of
 * the library's callbacks carry no argument.
 */
#ifndef XMPP_LINK_H
#define XMPP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strophe.h>

#include "base/loop.h"
#include "xmpp/endpoint.h"
#include "xmpp/login.h"

/* Bytes of one stanza; servers take 256 KiB.  The library's time for text
 * grows with the square of its length where it is all line breaks. */
#define LINK_STANZA_MAX	(384u << 10)
/* What the library may hold of it: far more than the largest honest one
 * takes, and too little for a tree so deep that walking it would use up the
 * stack. */
#define LINK_IN_MAX	(4u << 20)
/* What may wait for a server that does not read. */
#define LINK_OUT_MAX	(8u << 20)

struct link;

struct link_config {			/* lent for the link's life */
	const char	*jid;		/* with the resource */
	const char	*password;
	const char	*ca_file;	/* NULL: the system's */
	int		 connect_ms;
	int		 dead_ms;	/* unanswered data, keepalive */
};

struct link_events {
	/* Logged in.  Comes from within the library, as on_stanza does: send
	 * and link_drop() are fine there, close and open are not. */
	void	(*on_up)(void *arg);
	void	(*on_stanza)(void *arg, xmpp_stanza_t *);
	/* The try failed or the stream ended; all is cleaned up, and the next
	 * may be opened from here. */
	void	(*on_down)(void *arg, enum login_fault, const char *why);
};

struct link	*link_new(struct loop *, const struct link_config *,
		    const struct link_events *, void *arg);
void		 link_free(struct link *);	/* silent */
/* on_up or on_down follows. */
void		 link_open(struct link *, const struct endpoint *);
/* Without a word to anyone, or after saying goodbye for at most ms. */
void		 link_close(struct link *, int ms);
/* on_down follows soon, never from within. */
void		 link_drop(struct link *, const char *why);
bool		 link_up(const struct link *);
/* Queues a stanza.  -1 when down or when too much is waiting already. */
int		 link_send(struct link *, const char *stanza, size_t len);
/* Answers are awaited: look every 20 ms even when poll() says nothing. */
void		 link_hurry(struct link *, bool);
/* When the last stanza came in, monotonic. */
int64_t		 link_heard_ms(const struct link *);
xmpp_ctx_t	*link_context(const struct link *);

#endif
