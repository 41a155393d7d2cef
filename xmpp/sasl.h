/*
 * The client's side of SASL (RFC 4422) without any input or output:
 * SCRAM-SHA-512, -256 and -1 (RFC 5802, 7677), each with channel binding
 * where both sides have it, EXTERNAL (XEP-0178), and PLAIN where it is
 * allowed.  What comes in and goes out is the base64 text of RFC 6120
 * section 6.4.
 *
 * The server is not trusted: it must prove that it knows the password, take
 * up our nonce, and may neither name so few rounds that the proof gives the
 * password away nor so many that we compute for minutes.  If somebody took
 * the -PLUS mechanisms out of the server's offer, the server will notice (the
 * gs2 flag "y").
 */
#ifndef XMPP_SASL_H
#define XMPP_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SASL_ROUNDS_MIN		4096	/* RFC 7677 section 4 */
#define SASL_ROUNDS_MAX		600000	/* half a second */
#define SASL_BINDING_MAX	64

/* The better, the later: to be tied to this very TLS connection is worth
 * more than a longer hash. */
enum sasl_mechanism {
	SASL_NONE,
	SASL_PLAIN,
	SASL_SCRAM_SHA_1,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_512,
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_512_PLUS,
	SASL_EXTERNAL,
	SASL_MECHANISMS
};

struct sasl_account {			/* lent */
	const char	*jid;		/* bare; its local part is the user */
	const char	*password;	/* NULL: EXTERNAL */
	bool		 allow_plain;
};

struct sasl_binding {			/* RFC 5056 */
	const char	*type;		/* "tls-exporter"; NULL: we have none */
	unsigned char	 data[SASL_BINDING_MAX];
	size_t		 len;
};

/* Mechanisms by name; SASL_NONE for those that we do not know. */
enum sasl_mechanism	 sasl_mechanism(const char *name);
const char		*sasl_name(enum sasl_mechanism);
bool			 sasl_binds(unsigned offered);	/* any -PLUS */
/* The best of what is offered (bits, 1u << mechanism), or SASL_NONE. */
enum sasl_mechanism	 sasl_choose(unsigned offered,
			    const struct sasl_account *,
			    const struct sasl_binding *);
/* Whether a user name or password can be used: SASLprep (RFC 4013) changes
 * nothing in printable ASCII, and beyond it needs tables that we lack. */
bool			 sasl_fit(const char *text);

struct sasl;

/* One attempt; offered as above, all that the server offers. */
struct sasl	*sasl_new(enum sasl_mechanism, unsigned offered,
		    const struct sasl_account *, const struct sasl_binding *);
void		 sasl_free(struct sasl *);	/* wipes; NULL is fine */
/* Appends the initial response. */
void		 sasl_begin(struct sasl *, struct buf *out);
/* Answers a challenge.  0, or -1 when it is not to be answered: sasl_why(). */
int		 sasl_answer(struct sasl *, const char *challenge,
		    struct buf *out);
/* The server says success, with data or "".  0, or -1 when it has not proved
 * that it may say so: sasl_why(). */
int		 sasl_finish(struct sasl *, const char *data);
/* Fit for a log, without any secret. */
const char	*sasl_why(const struct sasl *);

#endif
