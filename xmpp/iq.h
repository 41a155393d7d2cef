/*
 * The text of the stanzas that the agent sends, and what it reads from those
 * that come.  Stanzas go out as text: libstrophe's xmpp_stanza_reply() drops
 * addresses, and our payloads are text already.
 */
#ifndef XMPP_IQ_H
#define XMPP_IQ_H

#include <stddef.h>

#include <strophe.h>

#include "base/buf.h"

#define IQ_CONDITION_MAX	64

/* <iq type=type id to>payload</iq>; to NULL is our own server. */
void		 iq_put(struct buf *, const char *type, const char *id,
		    const char *to, const char *payload, size_t len);
/* condition and text as for stanzaerror_put(). */
void		 iq_put_error(struct buf *, const char *id, const char *to,
		    const char *condition, const char *text);
/* type NULL is available; to NULL is everybody who may see us.  status is
 * what is wrong with us, or NULL. */
void		 iq_put_presence(struct buf *, const char *to,
		    const char *type, const char *status);

/* The condition in an error stanza; "undefined-condition" when it names
 * none. */
void		 iq_condition(xmpp_stanza_t *, char out[IQ_CONDITION_MAX]);
/* The first child that is an element, or NULL. */
xmpp_stanza_t	*iq_child(xmpp_stanza_t *);

#endif
