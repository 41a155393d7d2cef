/*
 * The system's names without waiting for them: /etc/hosts and the name
 * servers of /etc/resolv.conf through c-ares, each question with a deadline
 * of ours.  What is known lives as long as the object: one round of tries.
 *
 * Callbacks come from the loop, once for each question and never from within
 * a call; names_free() may be called in them, and none comes after it.
 */
#ifndef XMPP_NAMES_H
#define XMPP_NAMES_H

#include <netinet/in.h>

#include "base/loop.h"
#include "xmpp/srv.h"

#define NAMES_ADDRESSES	8	/* of one host and family that count */

struct names;

enum names_found {
	NAMES_SOME,
	NAMES_NONE,		/* there is no such name or no such record */
	NAMES_NO_SERVICE,	/* SRV: the domain says that it has none */
	NAMES_UNKNOWN		/* nobody has answered; why says who */
};

struct names	*names_new(struct loop *);
void		 names_free(struct names *);	/* NULL is fine */

/* All is lent until the return; why is safe to log. */
typedef void	 names_host_fn(void *arg, enum names_found,
		    const struct sockaddr_storage *, int count,
		    const char *why);
/* The addresses (port 0) of one family, AF_INET or AF_INET6. */
void		 names_host(struct names *, const char *host, int family,
		    int wait_ms, names_host_fn *, void *arg);

typedef void	 names_srv_fn(void *arg, enum names_found,
		    const struct srv *, int count, const char *why);
/* The records of "_xmpps-client._tcp.DOMAIN" (direct) or "_xmpp-client.
 * _tcp.DOMAIN" as they came; search domains do not apply. */
void		 names_srv(struct names *, const char *domain, bool direct,
		    int wait_ms, names_srv_fn *, void *arg);

/* Nobody waits for the answers to arg's questions any more. */
void		 names_forget(struct names *, const void *arg);

/* Tests bring a name server of their own; NULL is the system's. */
void		 names_ask(const struct sockaddr_in *server);

#endif
