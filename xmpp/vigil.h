/*
 * Whether the centre is there, and whether anybody is: its presence, pings
 * when nothing was heard, and what the answers to the agent's own iqs tell.
 * A component that dies says nothing and the server says nothing for it, so
 * presence alone is not enough.  Lines may be dear: while all is idle one
 * ping to the centre proves the server as well, and only while the centre is
 * not there, or something is asked and nothing heard, the server is pinged.
 */
#ifndef XMPP_VIGIL_H
#define XMPP_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/loop.h"
#include "xmpp/awaited.h"
#include "xmpp/link.h"

/* here again while it was here: it announced itself, so it is a new one.
 * What was asked of the old one has been lost by then. */
typedef void	 vigil_fn(void *arg, bool here, const char *why);

struct vigil {
	/* Given. */
	struct loop	*loop;
	struct link	*link;
	struct awaited	*awaited;
	const char	*central;		/* lent */
	const char	*status;		/* lent; what is wrong with us */
	int		 ping_ms;
	vigil_fn	*fn;
	void		*arg;

	bool		 here;
	struct timer	 ping;
	int64_t		 server_pinged_ms, centre_heard_ms;
	bool		 server_asked, centre_asked;
	int		 server_missed;		/* pings, since it answered */
	struct timer	 probe;
	int		 probes;
	int64_t		 presence_sent_ms;	/* 0: answered */
	int64_t		 news_ms;	/* its presences: a leaky bucket */
};

/* Logged in: says that we are there, to everybody and to the centre. */
void	 vigil_begin(struct vigil *);
/* What is wrong with us (lent, NULL: nothing) has changed. */
void	 vigil_status(struct vigil *, const char *status);
/* The stream is over. */
void	 vigil_end(struct vigil *);
/* Something was asked of the centre: silence counts from now on. */
void	 vigil_asked(struct vigil *);
/* A stanza came from the centre. */
void	 vigil_heard(struct vigil *);
/* And it is presence; type NULL is available. */
void	 vigil_presence(struct vigil *, const xmlNode *,
		    const char *type);
/* As awaited_verdict_fn has it. */
void	 vigil_verdict(struct vigil *, enum awaited_from, enum uplink_answer,
	    const char *condition, int64_t asked_ms);

#endif
