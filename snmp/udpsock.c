#include "snmp/udpsock.h"

#include <sys/socket.h>

#include <errno.h>
#include <linux/errqueue.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"

#define BUFFER_WANTED	(4 * 1024 * 1024)

int
udpsock_open(void)
{
	static const int size = BUFFER_WANTED, on = 1;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Above the system's limit only with privilege. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	/* Without it a socket that is not connected never hears of closed
	 * ports. */
	if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == -1)
		log_warn("udpsock", "no news of closed ports");
	return fd;
}

/* Only a closed port is final: hosts and networks come back. */
static enum udpsock_news
judge(struct msghdr *msg)
{
	struct sock_extended_err error;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		if (error.ee_origin == SO_EE_ORIGIN_ICMP &&
		    error.ee_errno == ECONNREFUSED)
			return UDPSOCK_REFUSED;
	}
	return UDPSOCK_OTHER;
}

enum udpsock_news
udpsock_news(int fd, struct sockaddr_in *to)
{
	union {
		struct cmsghdr	 align;
		uint8_t		 bytes[512];
	} control;
	uint8_t unused[1];
	struct iovec iov = { unused, sizeof(unused) };
	struct msghdr msg = { .msg_name = to, .msg_namelen = sizeof(*to),
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = sizeof(control) };

	memset(to, 0, sizeof(*to));
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
		return UDPSOCK_NONE;
	return judge(&msg);
}
