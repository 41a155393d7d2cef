/*
 * The datagram side of a conversation: one connected UDP socket of ours
 * behind a netsnmp_transport.  Connected, so that the kernel lets through
 * only what comes from the device's own address and port, and ICMP errors
 * come back to us.  Everything about sockets is in this file: a later
 * transport (many devices on one socket, sendmmsg) changes nothing outside.
 */
#ifndef SNMP_UDP_H
#define SNMP_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include "base/loop.h"

struct udp_traffic {
	int64_t	 datagrams_out, bytes_out, bytes_in;
};

enum udp_event {
	UDP_DATAGRAM,		/* one waits: snmp_sess_read2(, udp_ready())
				 * takes it; what is not taken is dropped */
	UDP_REFUSED		/* nobody listens there */
};
/* Last thing that happens in a turn of the loop: may close everything. */
typedef void	 udp_event_fn(void *arg, enum udp_event);

/*
 * Opens a socket; on_event comes from the loop.  The transport belongs to
 * the session it is given to (snmp_sess_add() frees it, even on failure)
 * and goes when that is closed.  NULL with errno when there is no socket.
 */
netsnmp_transport	*udp_open(struct loop *, const struct sockaddr_in *,
			    udp_event_fn *, void *arg);

/*
 * The last datagram once more, as it was (the request id too, so that an
 * answer to either is good).  False when it was refused.
 */
bool	 udp_resend(netsnmp_transport *);
/* True when the last send brought the news that nobody listens. */
bool	 udp_refused(const netsnmp_transport *);
const struct udp_traffic	*udp_traffic(const netsnmp_transport *);

/* The set to pass to snmp_sess_read2(). */
netsnmp_large_fd_set	*udp_ready(void);

#endif
