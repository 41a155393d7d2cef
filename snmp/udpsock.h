/* A UDP socket over IPv4 that is not connected, and its error queue. */
#ifndef SNMP_UDPSOCK_H
#define SNMP_UDPSOCK_H

#include <netinet/in.h>

/* Non-blocking, with buffers as large as the system allows.  -1 with errno. */
int	 udpsock_open(void);

enum udpsock_news {
	UDPSOCK_NONE,
	UDPSOCK_REFUSED,	/* ICMP: nobody listens at *to */
	UDPSOCK_OTHER		/* may go away by itself */
};
/* The next thing that the kernel has to say about what was sent earlier.
 * While there is any, epoll calls the socket ready, and the next call on it
 * may fail once for it. */
enum udpsock_news	 udpsock_news(int fd, struct sockaddr_in *to);

#endif
