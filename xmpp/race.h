/*
 * A TCP connection to one host and port, over whichever of its addresses
 * stands first (RFC 8305): families in turn with IPv6 first, the next try
 * 250 ms after the last or as soon as one fails, what is not the first is
 * closed.
 *
 * Callbacks come from the loop, never from within a call; all calls are fine
 * in them, but race_free() not in on_failed.
 */
#ifndef XMPP_RACE_H
#define XMPP_RACE_H

#include "base/loop.h"
#include "xmpp/names.h"

struct race;

struct race_config {			/* strings are copied */
	const char	*host;		/* a name or an address */
	int		 port;
	const char	*first;		/* an address to try first, when it is
					 * one of the host's; or NULL */
	int		 connect_ms;	/* for one address */
	int		 names_ms;
};

struct race_events {
	/* Connected; fd is the receiver's, address numeric and lent. */
	void	(*on_first)(void *arg, int fd, const char *address);
	/* One address failed; NULL stands for the name.  More may follow. */
	void	(*on_failed)(void *arg, const char *address, const char *why);
	/* No more addresses. */
	void	(*on_over)(void *arg);
};

/* names is lent for the race's life. */
struct race	*race_new(struct loop *, struct names *,
		    const struct race_config *, const struct race_events *,
		    void *arg);
void		 race_free(struct race *);	/* NULL is fine */
/* After on_first: goes on with the addresses that are left. */
void		 race_next(struct race *);

#endif
