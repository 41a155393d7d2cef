/* Stanza errors (RFC 6120 section 8.3), as text and as read. */
#ifndef XMPP_STANZAERROR_H
#define XMPP_STANZAERROR_H

#include <libxml/tree.h>

#include "base/buf.h"

#define STANZAERROR_NS	"urn:ietf:params:xml:ns:xmpp-stanzas"

/* Appends the <error/> element; its type follows from the condition, and an
 * unknown condition becomes undefined-condition.  text may be NULL. */
void		 stanzaerror_put(struct buf *, const char *condition,
		    const char *text);
/* The condition in a stanza of type error, one of the RFC's; a static
 * string, "undefined-condition" when it names none that we know. */
const char	*stanzaerror_condition(const xmlNode *stanza);

#endif
