/*
 * Many conversations over few UDP sockets.  What is sent within a turn of the
 * loop leaves with one sendmmsg() at its end; what has arrived is taken with
 * recvmmsg() and handed to the line of the address that it came from.  What
 * comes from an address without a line is counted and dropped, but for lines
 * with a socket of their own: some devices answer from another address than
 * was asked (printers.md 1), and there whatever reaches that port is handed
 * over.  IPv4.
 */
#ifndef SNMP_MUX_H
#define SNMP_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "base/loop.h"

/* The largest UDP payload over IPv4. */
#define MUX_PAYLOAD_MAX	65507

struct mux;
struct line;		/* to one device */

enum line_event {
	LINE_DATAGRAM,
	LINE_REFUSED		/* ICMP: nobody listens there; no bytes */
};
/* Comes from the loop; bytes are lent until the return.  May close any line,
 * its own included. */
typedef void	 line_fn(void *arg, enum line_event, const uint8_t *bytes,
		    size_t len);

/* Sockets are opened when the first line needs one, and keep a loop running
 * only as long as there are lines. */
struct mux	*mux_new(struct loop *);
void		 mux_free(struct mux *);	/* after its lines; fine inside
						 * a line's callback */
/* Datagrams that came from an address that nobody had asked, since start. */
uint64_t	 mux_strays(const struct mux *);

/*
 * alone: a socket of its own, and answers are good from any address.  Several
 * lines may go to one address: each is handed what comes from it.  NULL with
 * errno when there is no socket.
 */
struct line	*line_open(struct mux *, const struct sockaddr_in *,
		    bool alone, line_fn *, void *arg);
void		 line_close(struct line *);	/* NULL is fine */
/* Copies; leaves at the end of the turn.  What the system does not take is a
 * lost datagram like any other. */
void		 line_send(struct line *, const void *, size_t len);

#endif
