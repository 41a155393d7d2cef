/*
 * The memory that libstrophe works with.  Lending it ourselves gives what the
 * library has not: a count of what a stanza that never ends has grown to,
 * blocks wiped when they are returned (they hold the password and SASL data),
 * and everything back when a connection is over, whatever the library forgot
 * (0.12.2 leaks its SCRAM state when a server goes quiet in between).
 */
#ifndef XMPP_POOL_H
#define XMPP_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include <strophe.h>

struct pool;

struct pool	*pool_new(void);
/* Takes back everything that is still lent. */
void		 pool_free(struct pool *);
/* What xmpp_ctx_new() wants; lives as long as the pool. */
const xmpp_mem_t *pool_hooks(struct pool *);
/* What is lent now survives pool_sweep(). */
void		 pool_mark(struct pool *);
/* Wipes and takes back what was lent since the mark. */
void		 pool_sweep(struct pool *);
/* What is lent from now on waits to be sent, or came in (the default). */
void		 pool_outgoing(struct pool *, bool);
/* Bytes lent since the mark. */
size_t		 pool_in_bytes(const struct pool *);
size_t		 pool_out_bytes(const struct pool *);

#endif
