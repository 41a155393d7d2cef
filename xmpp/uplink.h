/*
 * The agent's connection to its XMPP server: endpoints tried in order
 * (dial.h) with deadlines, STARTTLS or direct TLS always verified, SCRAM or a
 * certificate of our own (link.h), keepalive and ping, reconnect with backoff
 * and jitter, presence of the centre, several iqs in flight.  Knows no
 * printers and no crypto.  Never blocks but in uplink_stop(), and logs its
 * changes of state.
 */
#ifndef XMPP_UPLINK_H
#define XMPP_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "xmpp/proxy.h"

struct uplink;

struct uplink_config {
	const char	*jid;		/* bare; the resource is "platend" */
	const char	*password;	/* NULL: client_cert; copied, wiped at
					 * free */
	const char	*client_cert, *client_key; /* the text of PEM files,
					 * NULL: none; as the password */
	bool		 allow_plain;	/* PLAIN, where SCRAM is not offered */
	char *const	*pins;		/* "sha256/..."; one must match */
	size_t		 pin_count;	/* 0: none needed */
	const char	*host;		/* NULL: SRV of the domain, then it */
	int		 port;		/* first try, STARTTLS; 5222 */
	int		 fallback_port;	/* then direct TLS, then STARTTLS;
					 * 443; 0 is none */
	const struct proxy *proxy;	/* NULL: none; copied */
	const char	*ca_file;	/* NULL: the system's */
	const char	*central;	/* JID of the component */
	const char	*version;	/* for XEP-0092 */
	int		 connect_ms;	/* deadline of one try; 0: 10000 */
	int		 ping_ms;	/* 0: 300000 */
	int		 retry_min_ms;	/* backoff; 0: 1000 */
	int		 retry_max_ms;	/* 0: 300000 */
};

enum uplink_state {
	UPLINK_DOWN,		/* waiting to try again */
	UPLINK_CONNECTING,
	UPLINK_ONLINE,		/* logged in, the centre is not there */
	UPLINK_READY		/* and the centre is available */
};

enum uplink_answer {
	UPLINK_RESULT,
	UPLINK_ERROR,		/* the other side said no; condition */
	UPLINK_LOST		/* no answer in time, or the link went */
};

/* An element as far as our protocol needs it; lent until the return. */
struct uplink_element {
	const char	*name, *ns;
	const char	*n;		/* attribute, or NULL */
	const char	*text;		/* or NULL */
};

struct uplink_events {
	/* why is one line for the status, NULL when fine; logged already.
	 * READY may come again without another state in between: the centre
	 * announced itself, so it was started anew and knows nothing. */
	void	(*on_state)(void *arg, enum uplink_state, const char *why);
	/* An iq of type set from the centre that is not ours to answer; the
	 * owner calls uplink_reply() or uplink_refuse() with its id. */
	void	(*on_request)(void *arg, const char *id,
		    const struct uplink_element *);
};

/* NULL, logged, when jid is not user@domain or the certificate or a pin is
 * none.  None of these three may be
 * called from a callback of the uplink's; the rest may. */
struct uplink	*uplink_new(struct loop *, const struct uplink_config *,
		    const struct uplink_events *, void *arg);
/* Says unavailable, closes the stream, gives it half a second. */
void		 uplink_stop(struct uplink *);
void		 uplink_free(struct uplink *);
/* Starts connecting, and keeps on. */
void		 uplink_start(struct uplink *);
enum uplink_state uplink_state(const struct uplink *);
/* Whether the server ended the last stream because of what or how much was
 * sent (policy-violation): the same again would meet the same. */
bool		 uplink_sent_too_much(const struct uplink *);

typedef void	 uplink_answer_fn(void *arg, enum uplink_answer,
		    const char *condition, const struct uplink_element *);
/* Servers take stanzas of 256 KiB and end the stream at more. */
#define UPLINK_PAYLOAD_MAX	(200 * 1024)
/*
 * Sends an iq of type set with payload (one XML element as text) to the
 * centre.  The callback comes exactly once, also when the link or the centre
 * goes.  0, or -1 when not READY, when payload is too long or when several
 * megabytes wait already (no callback).
 */
int		 uplink_ask(struct uplink *, const char *payload,
		    size_t len, int timeout_ms, uplink_answer_fn *,
		    void *arg);
void		 uplink_reply(struct uplink *, const char *id,
		    const char *payload, size_t len);
/* condition is an RFC 6120 stanza error condition; the type follows. */
void		 uplink_refuse(struct uplink *, const char *id,
		    const char *condition, const char *text);
/* What is wrong here, for whoever looks at the centre: goes with our presence
 * to it, anew when it changes.  Copied, cut at UPLINK_STATUS_MAX octets; NULL
 * is nothing. */
#define UPLINK_STATUS_MAX	200
void		 uplink_status(struct uplink *, const char *text);
/* Drops the link now and starts over (after a failed session, say). */
void		 uplink_reset(struct uplink *, const char *why);

/* The pause before try number attempt (from 0): doubles from min to max;
 * random in [0,1) takes off up to a half. */
int64_t		 uplink_backoff_ms(int attempt, int64_t min_ms,
		    int64_t max_ms, double random);
/* Such a random number. */
double		 uplink_dice(void);

#endif
