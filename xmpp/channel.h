/*
 * One connected socket in the loop: plain at first, TLS from when it is told.
 * Never blocks; what waits to go out is counted, and what is put within one
 * turn of the loop leaves in one write.
 */
#ifndef XMPP_CHANNEL_H
#define XMPP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "base/loop.h"

struct channel;

enum channel_end {
	CHANNEL_CLOSED,		/* properly, by the other side */
	CHANNEL_LOST,		/* reset, dead, or cut */
	CHANNEL_NO_TLS		/* the handshake failed, or what came later */
};

/* None of these may free the channel; channel_mute() is fine. */
struct channel_events {
	void	(*on_secure)(void *arg);	/* the handshake is done */
	void	(*on_bytes)(void *arg, const char *bytes, size_t len);
	/* The last event.  why is the system's or OpenSSL's word for it. */
	void	(*on_end)(void *arg, enum channel_end, const char *why);
};

/* Takes the socket, which is non-blocking.  events is lent for life. */
struct channel	*channel_new(struct loop *, int fd,
		    const struct channel_events *, void *arg);
void		 channel_free(struct channel *);	/* NULL is fine */
/* No more events. */
void		 channel_mute(struct channel *);
/* TLS begins, the SSL is taken; what came in before and was not yet handed
 * over is lost, and so is what still waits to go out. */
void		 channel_secure(struct channel *, SSL *);
/* NULL while plain. */
SSL		*channel_ssl(const struct channel *);
void		 channel_put(struct channel *, const void *bytes, size_t len);
/* Octets that wait. */
size_t		 channel_queued(const struct channel *);
/* The first octets that came in, since TLS began if it did, as text. */
const char	*channel_head(const struct channel *);
/* Writes at once what can be written. */
void		 channel_flush(struct channel *);
/* Says goodbye: writes what waits and waits for the other side's close, ms at
 * most.  Blocks; for the end. */
void		 channel_finish(struct channel *, int ms);

#endif
