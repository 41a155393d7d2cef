/*
 * One outgoing TCP connection in the loop: name to addresses, addresses tried
 * in turn with a deadline each, bytes in, bytes out.  What is sent within one
 * turn of the loop leaves in one write.  When the other side does not read,
 * we stop reading: what waits to go out is bounded.
 */
#ifndef XMPP_WIRE_H
#define XMPP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

#define WIRE_HIGH	(4 * 1024 * 1024)	/* no reading above this */
#define WIRE_MAX	(64 * 1024 * 1024)	/* closed above this */

struct wire;

/* Any of these may call wire_close(). */
struct wire_events {
	void	(*on_up)(void *arg);
	void	(*on_bytes)(void *arg, const char *bytes, size_t len);
	/* What had arrived has been handed over. */
	void	(*on_turn)(void *arg);
	/* Closed, and not by wire_close(). */
	void	(*on_down)(void *arg, const char *why);
};

struct wire	*wire_new(struct loop *, const struct wire_events *,
		    void *arg);
/* Not from one of its callbacks.  NULL is fine. */
void		 wire_free(struct wire *);
/* Each address gets deadline_ms, and so does the name. */
void		 wire_open(struct wire *, const char *host, int port,
		    int deadline_ms);
/* At once; what was not written is lost. */
void		 wire_close(struct wire *);
/* Writes what is left, says so, waits for the other side's close, at most
 * wait_ms in all, then closes.  For the end of the program: this blocks. */
void		 wire_finish(struct wire *, int wait_ms);
/* Dropped unless up. */
void		 wire_put(struct wire *, const void *bytes, size_t len);
/* Octets that wait to be written. */
size_t		 wire_queued(const struct wire *);
/* When the other side last showed life, monotonic: sent something, or took
 * something while we were not reading. */
int64_t		 wire_heard_ms(const struct wire *);
/* When something was last put. */
int64_t		 wire_put_ms(const struct wire *);

#endif
