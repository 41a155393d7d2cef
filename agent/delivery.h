/*
 * What the files of the courier share, and nobody else includes: courier.c is
 * the process, session.c the session with the centre, dispatch.c what goes out,
 * receipt.c what the centre took of it, bulletin.c what people are shown.  All
 * of it is one process, and all times are milliseconds.
 */
#ifndef AGENT_DELIVERY_H
#define AGENT_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "agent/catchup.h"
#include "agent/config.h"
#include "agent/greeting.h"
#include "agent/keyfiles.h"
#include "agent/outbox.h"
#include "agent/pace.h"
#include "agent/store.h"
#include "base/loop.h"
#include "base/secret.h"
#include "crypto/seal.h"
#include "schema/lane.h"
#include "xmpp/uplink.h"

#define DELIVERY_BATCH_MOST	(32 * 1024)	/* octets of reports in a message */
#define DELIVERY_ANSWER_MS	30000
#define DELIVERY_POLL_MS	5000	/* in case a wake was lost */
#define DELIVERY_REFUSALS	64	/* that wait to be put aside */

struct audit;

/* Goes along with each question; the answer frees it.  An answer to an
 * earlier session's question is told by its number. */
struct ticket {
	struct courier	*courier;
	unsigned	 session;
	bool		 rekey;		/* the agent's key, no reports */
	int64_t		 sent_ms;	/* mono */
	/* Of reports: */
	enum lane	 lane;
	int64_t		 last;
	int		 reports;
	size_t		 octets;
};

/* Octets are those of the reports, before they are squashed. */
struct way {
	int64_t		 sent;		/* the last seq that was sent */
	int64_t		 acked;		/* the centre's word, not stored yet */
	int		 messages;	/* under way, and what is in them */
	int		 reports;
	size_t		 octets;
	struct pace	 pace;
};

struct courier {
	struct config	*conf;
	struct loop	*loop;
	struct store	*store;
	struct uplink	*uplink;
	struct keyfiles	 keys;
	char		 token[SECRET_MAX];
	int		 wake_fd;

	struct seal	*seal;
	unsigned	 session;	/* counts sessions */
	bool		 up;		/* the handshake is done */
	bool		 asking;	/* a handshake is under way */
	int		 failures;	/* in a row */
	int64_t		 asked_ms;	/* a request, last said */
	struct timer	 retry;
	struct timer	 poll;
	struct timer	 news;		/* of the store's state */

	struct way	 way[LANES];
	size_t		 batch_most;	/* DELIVERY_BATCH_MOST, or what the server bears */
	int64_t		 batch_ms;	/* mono: since then */
	struct timer	 outbox_ack;
	struct timer	 hold;		/* the bulk waits for more of it */
	bool		 draining;	/* until it is all sent */
	struct catchup	 catchup;
	int64_t		 posted;	/* messages in this session */
	bool		 damaged;	/* the store could not be opened for it */

	/* What platen status says of the uplink. */
	struct {
		char	 state[24], why[256];
		int64_t	 since_ms;	/* wall */
		bool	 unwritten;
	}		 seen;

	/* The store: as it is here, and as the collector sees it. */
	struct audit	*audit;
	enum store_state store_here, store_there;
	int64_t		 there_ms;	/* mono: it said so */
	int64_t		 lost_ms;	/* wall: the last one was damaged */
	char		 shown[UPLINK_STATUS_MAX];	/* uplink_status() */
	struct {
		enum lane lane;
		int64_t	 seq;
		char	*reason;
	}		 refusal[DELIVERY_REFUSALS];
	size_t		 refusals;
};

/* --- session.c ------------------------------------------------------------ */

/* Makes one, instead of the one that there is; nothing while the centre is not
 * there or was asked already. */
void		 session_begin(struct courier *);
/* why: what went wrong, said and shown, and a new one is tried after a pause
 * that grows.  NULL: it just ends. */
void		 session_end(struct courier *, const char *why);
/* The centre wants everything once more: the collector does that. */
void		 session_want_whole(struct courier *);
/* Tells the centre of the agent's next key, and takes its answer. */
void		 session_offer_key(struct courier *);
void		 session_offered(struct courier *, const xmlNode *content);

/* --- dispatch.c ----------------------------------------------------------- */

/* Sends what may be sent; may end the session. */
void		 dispatch_pump(struct courier *);
/* A question of this session; whoever takes its answer gives it back. */
struct ticket	*dispatch_ticket(struct courier *);
/* Frees it.  NULL when the session that asked has ended. */
struct courier	*dispatch_ended(struct ticket *);
/* Seals content and asks; the ticket is freed when that fails.  0 or -1. */
int		 dispatch_sealed(struct courier *, const char *content,
		    size_t len, struct ticket *);
/* The server does not bear messages of this size. */
void		 dispatch_less(struct courier *);
/* Whether an answer is that element, and has a text. */
bool		 dispatch_is(const struct uplink_element *, const char *name,
		    const char *ns);

/* --- receipt.c ------------------------------------------------------------ */

/* What the centre says of the reports that it was sent: may end the session. */
void		 receipt_take(struct courier *, const struct ticket *,
		    xmlNode *content);
/* Refusals whose answers were lost: before the rest counts as taken.  -1 when
 * the store does not take them. */
int		 receipt_refusals(struct courier *, enum lane,
		    const struct greeting_lane *told);
/* Writes down what was taken, now or as soon as the store takes it; a timer's
 * function: arg is the courier. */
void		 receipt_store(void *arg);
/* Frees the refusals that wait. */
void		 receipt_forget(struct courier *);

/* --- bulletin.c ----------------------------------------------------------- */

/* The uplink's state in platen status: why may be NULL. */
void		 bulletin_state(struct courier *, const char *state,
		    const char *why);
/* The same again, which the store did not take. */
void		 bulletin_write(struct courier *);
/* Whether there is something to catch up with, and whether that is done. */
void		 bulletin_catchup(struct courier *, const struct outbox_lane *);
void		 bulletin_caught_up(struct courier *);
/* The keys, for platen status and platen rekey. */
void		 bulletin_keys(struct courier *);
/* The store's state in our presence; as store_watch() wants it; and as the
 * collector tells it, in single bytes (collector.h). */
void		 bulletin_store(struct courier *);
void		 bulletin_on_store(void *arg, enum store_state, const char *why);
void		 bulletin_store_news(struct courier *, const char *bytes,
		    size_t len);

#endif
