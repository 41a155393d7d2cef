/*
 * Whom we speak to: TLS 1.2 at least, the server's certificate always
 * verified, for the domain of our JID (RFC 6125) and, when pins are given,
 * against those; our own certificate when there is one.  And why not, in
 * words for whoever has to mend it.
 */
#ifndef XMPP_TRUST_H
#define XMPP_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "xmpp/pin.h"
#include "xmpp/sasl.h"

#define TRUST_WHY_MAX	512

struct trust_config {			/* lent */
	const char	 *domain;
	const char	 *ca_file;	/* NULL: the system's */
	const char	 *cert, *key;	/* ours, the text of PEM files; NULL:
					 * none */
	const struct pin *pins;
	size_t		  pin_count;	/* 0: none needed */
};

/* Whether cert and key are a pair that can be used.  0, or -1 with why. */
int	 trust_check_own(const char *cert, const char *key, char *why,
	    size_t why_size);

/* For one connection; the files are read anew each time. */
struct trust;

struct trust	*trust_new(const struct trust_config *, char *why,
		    size_t why_size);	/* NULL with why */
void		 trust_free(struct trust *);	/* after its SSL */
/* Not yet connected to anything; direct: say "xmpp-client" (ALPN).  NULL when
 * OpenSSL fails. */
SSL		*trust_ssl(struct trust *, bool direct);
/* The handshake is done: 0, or -1 with why when it is not enough. */
int		 trust_accept(struct trust *, SSL *, char *why,
		    size_t why_size);
/* The handshake failed: says why if it was for the certificate.  Returns
 * whether it was. */
bool		 trust_blame(const struct trust *, char *why, size_t why_size);
/* What ties a login to this connection, of a type that the server knows too:
 * listed are the types that it names (XEP-0440), comma separated; NULL is for
 * the type that we would like best. */
void		 trust_binding(SSL *, const char *listed,
		    struct sasl_binding *);

#endif
