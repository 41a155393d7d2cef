/*
 * Turns a host name into addresses without stopping the loop.  The system's
 * resolver blocks (10 s and more when its servers are gone), so a name is
 * looked up by a child process; a numeric address needs none.
 */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/loop.h"

#define RESOLVE_MAX	8

struct resolve_address {
	struct sockaddr_storage	 addr;
	socklen_t		 len;
};

struct resolve;

/* addresses are lent; count 0 is failure, why says which. */
typedef void	 resolve_fn(void *arg, const struct resolve_address *,
		    size_t count, const char *why);

/*
 * Calls back once, from the loop and never from here; family is AF_UNSPEC
 * for any.  Free the handle in the callback or before it to give up: after a
 * minute the child does.
 */
struct resolve	*resolve_start(struct loop *, const char *host, int port,
		    int family, resolve_fn *, void *arg);
void		 resolve_free(struct resolve *);	/* NULL is fine */

#endif
