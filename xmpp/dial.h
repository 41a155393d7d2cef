/*
 * One connected TCP socket after the other to where an XMPP server may be,
 * the best first: nothing here blocks.  Without a proxy:
 *
 *   host given	host:port STARTTLS, host:fallback_port direct TLS, then
 *		STARTTLS there
 *   otherwise	the SRV records _xmpps-client (direct TLS, XEP-0368) and
 *		_xmpp-client (STARTTLS, RFC 6120 section 3.2) of the domain,
 *		mixed by priority and weight, then their hosts on
 *		fallback_port; without records the domain, as if it were host
 *
 * The addresses of one target are raced (RFC 8305).  Through a proxy
 * (proxy.h) the targets are the same, but it is the proxy that resolves
 * their names.
 *
 * Both callbacks come from the loop and never from within a call below; all
 * calls but dial_free() are fine in them.
 */
#ifndef XMPP_DIAL_H
#define XMPP_DIAL_H

#include <stdbool.h>

#include "base/loop.h"
#include "xmpp/endpoint.h"
#include "xmpp/proxy.h"

struct dial;

struct dial_config {			/* copied, secrets wiped at free */
	const char	*domain;
	const char	*host;		/* NULL: SRV of the domain, then it */
	int		 port;
	int		 fallback_port;	/* 0: none */
	const struct proxy *proxy;	/* NULL: none */
	int		 connect_ms;	/* for the last address of a target, or
					 * for the proxy's answer; 0: 10000 */
	int		 names_ms;	/* for the answers of name servers to
					 * one question; 0: 5000 */
};

struct dial_events {
	/* TCP stands, the proxy has agreed.  fd is non-blocking and close-on-
	 * exec, and is the receiver's; the endpoint is lent. */
	void	(*on_socket)(void *arg, int fd, const struct endpoint *);
	/* No more ways in this round.  why joins everything that failed;
	 * denied: the proxy refuses our user or password, which mends itself
	 * only by hand. */
	void	(*on_end)(void *arg, const char *why, bool denied);
};

struct dial	*dial_new(struct loop *, const struct dial_config *,
		    const struct dial_events *, void *arg);
void		 dial_free(struct dial *);	/* NULL is fine */
/* Begins a round; one that runs is forgotten.  Names are looked up anew.
 * worked (or NULL) is tried first when it is still among the ways. */
void		 dial_start(struct dial *, const struct endpoint *worked);
/* The socket given last did not lead to a login, why says how (it is put
 * behind the endpoint's name): go on with the round. */
void		 dial_next(struct dial *, const char *why);
/* Ends the round, silent: logged in, or no longer wanted. */
void		 dial_stop(struct dial *);

#endif
