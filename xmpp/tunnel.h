/*
 * The conversation with a proxy over a connected socket, until the proxy
 * passes on what is written (proxy.h says the words).
 */
#ifndef XMPP_TUNNEL_H
#define XMPP_TUNNEL_H

#include "base/loop.h"
#include "xmpp/proxy.h"

struct tunnel;

/*
 * Once, from the loop and never from within a call; tunnel_free() is fine in
 * it.  PROXY_OPEN gives fd; otherwise it is closed (-1), and why is safe to
 * log.
 */
typedef void	 tunnel_fn(void *arg, enum proxy_step, int fd,
		    const char *why);

/* Takes fd (non-blocking); proxy and host are lent for the tunnel's life. */
struct tunnel	*tunnel_new(struct loop *, int fd, const struct proxy *,
		    const char *host, int port, int wait_ms, tunnel_fn *,
		    void *arg);
void		 tunnel_free(struct tunnel *);	/* NULL is fine */

#endif
