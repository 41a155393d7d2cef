/*
 * JIDs (RFC 7622) as far as we compare them.  The server has prepared what it
 * stamps on stanzas; a name that a person typed into an INI has not been, so
 * ASCII capitals in local part and domain count as small letters here.
 * Beyond ASCII nothing is mapped.
 */
#ifndef XMPP_JID_H
#define XMPP_JID_H

#include <stdbool.h>
#include <stddef.h>

#define JID_MAX		1024

/* The part before '/', in small letters, into out; -1 when it is empty or too
 * long (out is then "" if it has any room). */
int	 jid_bare(const char *jid, char *out, size_t out_size);
/* False for NULL, and for what has no bare part. */
bool	 jid_same_bare(const char *a, const char *b);
/* The same bare JID and exactly the same resource, or none on both. */
bool	 jid_same(const char *a, const char *b);
/* local@domain with neither blank nor slash, or just a domain. */
bool	 jid_valid_bare(const char *jid);

#endif
