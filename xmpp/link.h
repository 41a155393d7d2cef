/*
 * One try over one connected socket, and the stream when it succeeds:
 * STARTTLS or direct TLS (XEP-0368), always verified, SASL, resource binding,
 * stanzas in and out.  Nothing here blocks: one deadline holds over everything
 * until the login is done, and names the step that it ended.  What comes in
 * is bounded by xmlstream.h, what waits to go out by LINK_OUT_MAX.
 */
#ifndef XMPP_LINK_H
#define XMPP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/loop.h"
#include "xmpp/login.h"
#include "xmpp/trust.h"

/* What may wait for a server that does not read. */
#define LINK_OUT_MAX	(8u << 20)
/* A stanza out of bounds is passed over; one that has not ended after so many
 * octets ends the stream. */
#define LINK_ENDLESS	(2u << 20)

struct link;

struct link_config {			/* lent for the link's life */
	const char	*jid;		/* with the resource */
	const char	*password;	/* NULL: by our certificate */
	bool		 allow_plain;
	struct trust_config trust;
	int		 connect_ms;
	int		 dead_ms;	/* data that nobody acknowledges */
	int		 keepalive_s;	/* idle; see tcp(7) */
};

struct link_events {
	/* Logged in.  In this and on_stanza send and link_drop() are fine,
	 * close and open are not. */
	void	(*on_up)(void *arg);
	void	(*on_stanza)(void *arg, xmlNode *);
	/* A stanza out of bounds has passed, start is its start tag or NULL. */
	void	(*on_refused)(void *arg, xmlNode *start, const char *why);
	/* The try failed or the stream ended; all is cleaned up, and the next
	 * may be opened from here. */
	void	(*on_down)(void *arg, enum login_fault, const char *why);
};

struct link	*link_new(struct loop *, const struct link_config *,
		    const struct link_events *, void *arg);
void		 link_free(struct link *);	/* silent */
/* Takes the connected, non-blocking socket.  on_up or on_down follows, never
 * from within. */
void		 link_open(struct link *, int fd, bool direct);
/* Without a word to anyone, or after saying goodbye for at most ms. */
void		 link_close(struct link *, int ms);
/* on_down follows soon, never from within. */
void		 link_drop(struct link *, const char *why);
bool		 link_up(const struct link *);
/* Queues a stanza.  -1 when down or when too much is waiting already. */
int		 link_send(struct link *, const char *stanza, size_t len);
/* When the last stanza came in, monotonic. */
int64_t		 link_heard_ms(const struct link *);
/* Where LOGIN_ELSEWHERE points to; port 0: not said.  Lent for on_down. */
const char	*link_elsewhere(const struct link *, int *port);

#endif
