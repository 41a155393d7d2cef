/*
 * What can be seen of a login while libstrophe does it.  The library calls no
 * handler of ours before it is over and gives no reason when it fails, but it
 * logs each stanza before acting on it; this reads that log.  It serves three
 * ends: the reason is told, a step that hangs is named, and the password is
 * handed over only when the server, inside TLS, has offered SCRAM.  Left
 * alone 0.12.2 would answer an offer of PLAIN or DIGEST-MD5, and has no
 * setting against it.  Should a later version log otherwise, no password is
 * handed over and no login succeeds: it fails closed.
 *
 * The library does not check the server's SCRAM signature; that it talks to
 * the right server rests on the certificate.
 */
#ifndef XMPP_LOGIN_H
#define XMPP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include <strophe.h>

enum login_fault {
	LOGIN_FAILED,		/* another endpoint, or later, may do better */
	LOGIN_REFUSED,		/* the account or its password is wrong */
	LOGIN_CONFLICT		/* the account is used elsewhere */
};

struct login {
	xmpp_ctx_t	*ctx;
	xmpp_conn_t	*conn;
	const char	*password;	/* lent */
	bool		 direct;	/* TLS comes first */
	const char	*waiting;	/* what for; never NULL */
	bool		 connected;	/* TCP stands */
	bool		 over;		/* no use to go on; why says it */
	enum login_fault fault;
	char		 why[256];
	int		 scram_left;	/* mechanisms not refused yet */
	char		 tls_reason[128]; /* OpenSSL's last complaint */
	char		 bad_cert[256];
};

void	 login_start(struct login *, xmpp_ctx_t *, xmpp_conn_t *,
	    const char *password, bool direct);
/* One line of the library's log. */
void	 login_saw(struct login *, const char *area, const char *msg);
/* The library does not accept a certificate. */
void	 login_bad_cert(struct login *, const xmpp_tlscert_t *,
	    const char *reason);
/* Ends it, unless something more precise has ended it before. */
void	 login_fail(struct login *, enum login_fault, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The condition of a <stream:error/>, with its text; also serves later. */
void	 login_stream_error(struct login *, xmpp_stanza_t *);
/* The element that "RECV: <..." or "SENT: <..." is about, into out: the name
 * without prefix; false when msg is no such line. */
bool	 login_element(const char *msg, const char *word, char *out,
	    size_t out_size);

#endif
