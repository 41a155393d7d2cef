/*
 * From the first stream header to the bound resource (RFC 6120 sections 4 to
 * 7): what the client says to each thing that a server says.  Moves no bytes;
 * the link does what login_...() returns.  No word of a server's is taken for
 * granted: nothing but STARTTLS before TLS, no mechanism below SCRAM unless
 * allowed, and no success without the server's proof.
 */
#ifndef XMPP_LOGIN_H
#define XMPP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/buf.h"
#include "xmpp/sasl.h"

#define LOGIN_NS	"jabber:client"
#define LOGIN_NS_STREAM	"http://etherx.jabber.org/streams"
#define LOGIN_HOST_MAX	256
#define LOGIN_WHY_MAX	600

enum login_fault {
	LOGIN_FAILED,		/* another endpoint, or later, may do better */
	LOGIN_REFUSED,		/* the account or its password is wrong */
	LOGIN_CONFLICT,		/* the account is used elsewhere */
	LOGIN_ELSEWHERE,	/* the server names another host */
	LOGIN_TOO_MUCH		/* it does not like what or how much we sent */
};

enum login_act {
	LOGIN_ON,		/* send what is in out, go on reading */
	LOGIN_SECURE,		/* begin TLS; then login_secured() */
	LOGIN_RESTART,		/* send out, which begins a new stream */
	LOGIN_DONE,		/* logged in */
	LOGIN_OVER		/* it failed; fault and why say how */
};

enum login_step {
	LOGIN_HEADER_STEP,	/* any features may come next */
	LOGIN_PROCEED_STEP,
	LOGIN_SASL_STEP,
	LOGIN_BIND_STEP,
	LOGIN_BOUND_STEP
};

/* Asks for the binding to the TLS connection, see trust_binding(). */
typedef void	 login_binding_fn(void *arg, const char *listed,
		    struct sasl_binding *);

struct login {
	/* Given. */
	const char		*jid;		/* with the resource; lent */
	const char		*password;	/* NULL: by certificate */
	bool			 allow_plain;
	bool			 direct;	/* TLS comes first */
	login_binding_fn	*binding;
	void			*arg;

	const char		*waiting;	/* what for; never NULL */
	bool			 over;		/* no use to go on */
	enum login_fault	 fault;
	char			 why[LOGIN_WHY_MAX];
	char			 host[LOGIN_HOST_MAX];	/* LOGIN_ELSEWHERE */
	int			 port;			/* 0: not said */
	struct buf		 out;

	/* Its own. */
	enum login_step		 step;
	bool			 secured, authenticated;
	unsigned		 offered, refused;	/* mechanisms */
	struct sasl_binding	 bound_to;
	enum sasl_mechanism	 mechanism;
	struct sasl		*sasl;
	char			 bare[1024], id[40];
};

/* With what is given; all else is zero.  Puts the first header into out,
 * unless TLS comes first. */
void		 login_start(struct login *);
void		 login_end(struct login *);	/* frees; again is fine */
void		 login_fail(struct login *, enum login_fault, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));
/* TLS stands and the certificate is right: puts a header into out. */
void		 login_secured(struct login *);
enum login_act	 login_header(struct login *, const xmlNode *header);
enum login_act	 login_stanza(struct login *, xmlNode *);
/* A <stream:error/>, at any time. */
void		 login_stream_error(struct login *, const xmlNode *);

#endif
