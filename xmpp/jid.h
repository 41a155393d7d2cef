/* JIDs (RFC 7622) as far as we compare them; no stringprep. */
#ifndef XMPP_JID_H
#define XMPP_JID_H

#include <stdbool.h>
#include <stddef.h>

#define JID_MAX		1024

/* The part before '/', into out; -1 when it is empty or too long. */
int	 jid_bare(const char *jid, char *out, size_t out_size);
bool	 jid_same_bare(const char *a, const char *b);
/* local@domain with neither blank nor slash, or just a domain. */
bool	 jid_valid_bare(const char *jid);

#endif
