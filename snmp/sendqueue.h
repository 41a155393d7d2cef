/*
 * Datagrams that have not left yet, oldest first, in blocks that are freed as
 * they empty: a burst needs memory only while it lasts.
 */
#ifndef SNMP_SENDQUEUE_H
#define SNMP_SENDQUEUE_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>

#define SENDQUEUE_MAX	(4 * 1024 * 1024)	/* octets in one queue */

struct sendqueue {
	struct sendqueue_block	*first, *last, *spare;
	size_t			 len;		/* datagrams */
	size_t			 size;		/* octets of memory */
};

/* Zeroed is empty.  Copies; false when it has SENDQUEUE_MAX already. */
bool	 sendqueue_put(struct sendqueue *, const struct sockaddr_in *,
	    const void *, size_t len);
/* Lends the oldest, at most max, ready for sendmmsg().  Valid until
 * sendqueue_drop(). */
size_t	 sendqueue_peek(const struct sendqueue *, struct mmsghdr *,
	    struct iovec *, size_t max);
void	 sendqueue_drop(struct sendqueue *, size_t n);
void	 sendqueue_clear(struct sendqueue *);

#endif
