/*
 * The text of the stanzas that the agent sends, and what it reads from those
 * that come.  Stanzas go out as text, because our payloads are text already.
 */
#ifndef XMPP_IQ_H
#define XMPP_IQ_H

#include <stddef.h>

#include <libxml/tree.h>

#include "base/buf.h"

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

/* Lends the value of an attribute without a namespace, or NULL. */
const char	*iq_attr(const xmlNode *, const char *name);

#endif
