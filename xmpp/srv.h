/*
 * SRV records (RFC 2782) out of a DNS answer, and the order in which their
 * targets are to be tried.
 */
#ifndef XMPP_SRV_H
#define XMPP_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xmpp/endpoint.h"

#define SRV_MAX		64	/* of one answer */

struct srv {
	char	 host[ENDPOINT_HOST_MAX];
	int	 port, priority, weight;
	bool	 direct;	/* TLS at once, as _xmpps-client means it */
};

/* Reads a DNS answer from anyone.  The number of records in out (at most
 * max), 0 when there are none, -1 when the domain says that it has no such
 * service (the target ".").  A target that is no host name is left out. */
int	 srv_parse(const unsigned char *answer, size_t len, bool direct,
	    struct srv *out, int max);
/* RFC 2782: by priority, within it at random by weight; dice gives a number
 * in [0, below).  Records of both kinds are mixed as one set (XEP-0368). */
void	 srv_order(struct srv *, int count,
	    uint32_t (*dice)(void *arg, uint32_t below), void *arg);
/* Such dice. */
uint32_t srv_dice(void *arg, uint32_t below);

#endif
