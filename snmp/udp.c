#include "snmp/udp.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The largest UDP payload over IPv4. */
#define UDP_PAYLOAD_MAX	65507

/*
 * net-snmp asks "is your socket in this set" before it reads.  We read the
 * datagram ourselves first, so every transport says that its socket is this
 * one, and one small set will do however many sockets are open.
 */
#define UDP_TOKEN	0

struct udp {
	struct loop		*loop;
	int			 fd;
	bool			 refused;
	udp_event_fn		*on_event;
	void			*arg;
	char			*last;		/* what was sent last */
	size_t			 last_len;
	struct udp_traffic	 traffic;
};

/* The datagram between the socket and net-snmp; never two at a time. */
static struct {
	struct udp	*of;
	size_t		 len;
	char		 bytes[UDP_PAYLOAD_MAX + 1];
} incoming;

static const oid	udp_domain[] = { 1, 3, 6, 1, 6, 1, 1 };

static struct udp *
udp_of(const netsnmp_transport *transport)
{
	return transport->data;
}

/*
 * What does not leave (no buffers, no route for the moment) is a lost
 * datagram like any other: our timers send it again.
 */
static void
udp_send_last(struct udp *udp)
{
	ssize_t n;

	/* An ICMP error for an earlier datagram is reported here first. */
	n = send(udp->fd, udp->last, udp->last_len, MSG_DONTWAIT);
	if (n == -1 && errno == ECONNREFUSED)
		udp->refused = true;
	udp->traffic.datagrams_out++;
	udp->traffic.bytes_out += (int64_t)udp->last_len;
}

static int
udp_send(netsnmp_transport *transport, const void *bytes, int len,
    void **opaque, int *opaque_len)
{
	struct udp *udp = udp_of(transport);

	(void)opaque;
	(void)opaque_len;
	if (udp->last_len != (size_t)len) {
		udp->last = xrealloc(udp->last, (size_t)len);
		udp->last_len = (size_t)len;
	}
	memcpy(udp->last, bytes, (size_t)len);
	udp->refused = false;
	udp_send_last(udp);
	return len;
}

static int
udp_recv(netsnmp_transport *transport, void *bytes, int size, void **opaque,
    int *opaque_len)
{
	size_t len;

	*opaque = NULL;
	*opaque_len = 0;
	if (incoming.of != udp_of(transport)) {
		errno = EAGAIN;
		return -1;
	}
	incoming.of = NULL;
	len = incoming.len < (size_t)size ? incoming.len : (size_t)size;
	memcpy(bytes, incoming.bytes, len);
	return (int)len;
}

static int
udp_close(netsnmp_transport *transport)
{
	struct udp *udp = udp_of(transport);

	if (udp == NULL)
		return 0;
	if (incoming.of == udp)
		incoming.of = NULL;
	loop_watch(udp->loop, udp->fd, 0, NULL, NULL);
	close(udp->fd);
	free(udp->last);
	free(udp);
	transport->data = NULL;
	transport->sock = -1;
	return 0;
}

static void
on_readable(void *arg, int fd, unsigned events)
{
	struct udp *udp = arg;
	ssize_t n;

	(void)events;
	n = recv(fd, incoming.bytes, sizeof(incoming.bytes), MSG_DONTWAIT);
	if (n == -1) {
		/* Unreachable hosts and nets may come back: only a closed
		 * port is final. */
		if (errno == ECONNREFUSED)
			udp->on_event(udp->arg, UDP_REFUSED);
		return;
	}
	udp->traffic.bytes_in += n;
	incoming.of = udp;
	incoming.len = (size_t)n;
	udp->on_event(udp->arg, UDP_DATAGRAM);
	/* udp may be gone now. */
	incoming.of = NULL;
}

netsnmp_transport *
udp_open(struct loop *loop, const struct sockaddr_in *addr,
    udp_event_fn *on_event, void *arg)
{
	netsnmp_transport *transport;
	struct udp *udp;
	int fd, error;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return NULL;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	udp = xcalloc(1, sizeof(*udp));
	udp->loop = loop;
	udp->fd = fd;
	udp->on_event = on_event;
	udp->arg = arg;
	/* net-snmp frees this one, with free(). */
	transport = xcalloc(1, sizeof(*transport));
	transport->domain = udp_domain;
	transport->domain_length = OID_LENGTH(udp_domain);
	transport->sock = UDP_TOKEN;
	transport->data = udp;
	transport->data_length = (int)sizeof(*udp);
	transport->msgMaxSize = UDP_PAYLOAD_MAX;
	transport->f_recv = udp_recv;
	transport->f_send = udp_send;
	transport->f_close = udp_close;
	loop_watch(loop, fd, LOOP_READ, on_readable, udp);
	return transport;
}

bool
udp_resend(netsnmp_transport *transport)
{
	struct udp *udp = udp_of(transport);

	udp_send_last(udp);
	return !udp->refused;
}

bool
udp_refused(const netsnmp_transport *transport)
{
	return udp_of(transport)->refused;
}

const struct udp_traffic *
udp_traffic(const netsnmp_transport *transport)
{
	return &udp_of(transport)->traffic;
}

netsnmp_large_fd_set *
udp_ready(void)
{
	static netsnmp_large_fd_set set;
	static bool made;

	if (!made) {
		netsnmp_large_fd_set_init(&set, FD_SETSIZE);
		made = true;
	}
	/* Each reading clears it. */
	netsnmp_large_fd_setfd(UDP_TOKEN, &set);
	return &set;
}
