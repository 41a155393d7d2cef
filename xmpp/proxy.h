/*
 * What is said to a proxy before it passes bytes on, and what it answers:
 * HTTP CONNECT (RFC 9110 section 9.3.6, Basic authentication RFC 7617) and
 * SOCKS version 5 (RFC 1928, user and password RFC 1929).  Pure functions
 * over bytes: nothing here reads or writes a socket.
 */
#ifndef XMPP_PROXY_H
#define XMPP_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PROXY_HOST_MAX		256
#define PROXY_SECRET_MAX	255	/* user or password, RFC 1929 */
#define PROXY_NAME_MAX		(PROXY_HOST_MAX + 24)
#define PROXY_WHY_MAX		256
/* An answer of HTTP, head and all; none of SOCKS is longer. */
#define PROXY_ANSWER_MAX	16384

enum proxy_kind {
	PROXY_HTTP,
	PROXY_SOCKS5
};

struct proxy {
	enum proxy_kind	 kind;
	char		 host[PROXY_HOST_MAX];
	int		 port;
	const char	*user, *password;	/* lent; NULL: none */
};

/* "http://HOST:PORT" or "socks5://HOST:PORT", HOST in brackets when it is
 * IPv6; user and password become NULL.  0, or -1 with why. */
int	 proxy_parse(const char *url, struct proxy *, char *why,
	    size_t why_size);
/* The same text again; returns out. */
char	*proxy_name(const struct proxy *, char out[PROXY_NAME_MAX]);

enum proxy_step {
	PROXY_MORE,		/* read on */
	PROXY_OPEN,		/* what follows is the target's */
	PROXY_REFUSED,		/* this target; another may be fine */
	PROXY_DENIED,		/* us: user and password */
	PROXY_BROKEN		/* this is no such proxy */
};

/* One conversation; zero it, then proxy_begin(). */
struct proxy_talk {
	const struct proxy	*proxy;
	const char		*host;		/* lent, the target's */
	int			 port;
	int			 stage;		/* of SOCKS */
	char			 why[PROXY_WHY_MAX];
};

/* Appends the first words to out. */
void		 proxy_begin(struct proxy_talk *, const struct proxy *,
		    const char *host, int port, struct buf *out);
/*
 * Looks at all that has come in since the last step that used some, takes
 * *used octets of it, and appends to out what is to be said next.  Octets
 * behind the last answer are BROKEN: the target never speaks first.  Call it
 * until it wants MORE and uses nothing.  why says what was refused; it is
 * safe to log and free of secrets.
 */
enum proxy_step	 proxy_hear(struct proxy_talk *, const unsigned char *in,
		    size_t len, size_t *used, struct buf *out);

#endif
