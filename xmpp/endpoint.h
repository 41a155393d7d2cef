/*
 * Where an XMPP server can be reached, in the order of trying: the
 * configured host, or the SRV records of the domain (RFC 6120 section 3.2),
 * or the domain itself, with STARTTLS; then the same hosts on the fallback
 * port, direct TLS (XEP-0368) before STARTTLS.  Every address of every host
 * counts.  libstrophe would try one address and look SRV records up without a
 * limit in time, so it is given numbers only.
 */
#ifndef XMPP_ENDPOINT_H
#define XMPP_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

#define ENDPOINT_HOST_MAX	256
#define ENDPOINT_ADDRESS_MAX	64
#define ENDPOINT_HOSTS		8	/* SRV targets that count */
#define ENDPOINT_ADDRESSES	8	/* of one host */
#define ENDPOINT_MAX		48
#define ENDPOINT_NAME_MAX	(ENDPOINT_HOST_MAX + ENDPOINT_ADDRESS_MAX + 64)

struct endpoint {
	char	 host[ENDPOINT_HOST_MAX];	/* as configured or found */
	char	 address[ENDPOINT_ADDRESS_MAX];	/* numeric */
	int	 port;
	bool	 direct;			/* TLS at once, no STARTTLS */
	bool	 proxied;			/* address is the proxy's */
};

struct endpoint_list {
	struct endpoint	 at[ENDPOINT_MAX];
	int		 count;
	char		 why[320];	/* what could not be resolved, or "" */
};

/*
 * Fills the list.  host NULL means SRV, then domain; fallback_port 0 means
 * none.  Blocks for as long as the resolver takes: some 2 s a name server
 * that does not answer.  The list may end up empty; why then says it.
 */
void	 endpoint_resolve(struct endpoint_list *, const char *domain,
	    const char *host, int port, int fallback_port);
/* Moves the entry that equals known to the front, when there is one. */
void	 endpoint_prefer(struct endpoint_list *, const struct endpoint *known);
bool	 endpoint_same(const struct endpoint *, const struct endpoint *);
/* "xmpp.example.org (192.0.2.1) port 443, direct TLS"; returns out. */
char	*endpoint_name(const struct endpoint *, char out[ENDPOINT_NAME_MAX]);

/* Tests bring a name server of their own; NULL is the system's. */
void	 endpoint_ask(const struct sockaddr_in *nameserver);

#endif
