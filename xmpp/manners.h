/*
 * What any XMPP entity owes to those that ask: ping (XEP-0199), disco#info
 * (XEP-0030), version (XEP-0092), and an error to everything else.  Only our
 * own server, our own account and the centre learn anything; a stranger gets
 * the answer that it would get if we were not there.
 */
#ifndef XMPP_MANNERS_H
#define XMPP_MANNERS_H

#include <stdint.h>

#include <libxml/tree.h>

#include "base/buf.h"

#define MANNERS_PING	"<ping xmlns='urn:xmpp:ping'/>"

struct manners {
	const char	*jid, *domain, *central, *version;	/* lent */
	/* Strangers, so that they neither fill the log nor the queue. */
	int64_t		 told_ms, second_ms;
	int		 untold, answered;
};

void	 manners_start(struct manners *, const char *jid, const char *domain,
	    const char *central, const char *version);
/* Puts the answer to an iq of type get or set, or nothing when a stranger
 * asks too often. */
void	 manners_answer(struct manners *, struct buf *, const char *from,
	    const char *id, const char *type, const xmlNode *child);

#endif
