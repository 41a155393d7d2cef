/*
 * Asks devices over SNMP v1, v2c and v3.  Messages are written and read by
 * ber.h and usm.h and travel over mux.h's few sockets; timers, retries with
 * backoff and jitter are here.  One request is outstanding per conversation,
 * and per device there is one conversation.
 */
#ifndef SNMP_ASKER_H
#define SNMP_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "base/loop.h"
#include "snmp/bag.h"
#include "snmp/credential.h"
#include "snmp/mux.h"
#include "snmp/objid.h"

struct asker;		/* the engine: one a process */
struct talk;		/* a conversation with one device */

/* max_open bounds the requests that are on their way at once, over all
 * devices; others wait for their turn. */
struct asker	*asker_new(struct loop *, size_t max_open);
void		 asker_free(struct asker *);
struct mux	*asker_mux(struct asker *);

struct talk_target {
	struct sockaddr_in	 addr;
	const struct credential	*credential;	/* lent until talk_free() */
	int			 version;	/* 1, 2 (v2c) or 3: the one of
						 * the credential's to use */
	const char		*context;	/* v3's, or for community@context;
						 * NULL: the credential's; lent */
	struct usm_engine	*engine;	/* v3: lent until talk_free(),
						 * NULL: the talk has its own */
	bool			 alone;		/* it answers from elsewhere */
	int			 timeout_ms;	/* of the first try */
	int			 retries;
};

struct talk_traffic {
	int64_t	 requests;		/* datagrams sent */
	int64_t	 bytes_out, bytes_in;	/* UDP payload */
};

enum talk_status {
	TALK_OK,
	TALK_TIMEOUT,		/* nobody answered */
	TALK_REFUSED,		/* ICMP said that nobody listens */
	TALK_TOO_BIG,		/* tooBig: ask for less */
	TALK_ERROR,		/* error_status says which */
	TALK_DENIED		/* v3: error_status is the enum usm_verdict */
};

/* An error_status of our own beside those of RFC 3416 section 3. */
#define TALK_UNDECODABLE	(-1)	/* answers came, and made no sense */
#define TALK_NO_SOCKET		(-2)	/* the system gave us none */

struct talk	*talk_new(struct asker *, const struct talk_target *);
/* Cancels what is outstanding, closes.  Fine inside a callback. */
void		 talk_free(struct talk *);
/* Up to date after each answer. */
const struct talk_traffic	*talk_traffic(const struct talk *);

enum talk_op { TALK_GET, TALK_GETNEXT, TALK_GETBULK };

#define TALK_VARBINDS_MAX	64	/* in a question */
#define TALK_ANSWER_MAX		256	/* varbinds; more are not looked at */

struct talk_question {
	enum talk_op		 op;
	const struct objid	*ids;		/* copied */
	size_t			 n;
	unsigned		 non_repeaters;	/* GETBULK's */
	unsigned		 repetitions;
};

/* One answered varbind; missing is noSuchObject, noSuchInstance,
 * endOfMibView, or a v1 noSuchName that was taken out and asked again. */
struct talk_varbind {
	struct objid		 id;
	struct bag_value	 value;		/* lent until the return */
	bool			 missing;
};

/* GET, GETNEXT: vb has one entry for each OID that was asked, in that order
 * (fewer when the device gave fewer); GETBULK: as RFC 3416 4.2.3 lays them
 * out.  As the device gave it: whether it is what was asked for is the
 * caller's to see.  error_status is 0 but for TALK_ERROR and TALK_DENIED. */
typedef void	 talk_fn(void *arg, enum talk_status, int error_status,
		    const struct talk_varbind *vb, size_t vb_len);

/* Sends; the answer comes from the loop, never from inside the call.  Only
 * one at a time: another is our own broken promise. */
void		 talk_ask(struct talk *, const struct talk_question *,
		    talk_fn *, void *arg);

/* "wrong authentication password or protocol" ...: for people, a literal. */
const char	*talk_why(enum talk_status, int error_status);

/* Everything that is asked and answered, for platen diagnose; NULL ends. */
struct talk_event {
	struct sockaddr_in		 addr;
	int				 version;
	const char			*context;	/* NULL: default */
	const struct talk_question	*question;
	enum talk_status		 status;
	int				 error_status;
	const struct talk_varbind	*vb;
	size_t				 vb_len;
	int				 tries;		/* from 1 */
	int64_t				 took_ms;
};
void		 asker_watch(struct asker *, void (*fn)(void *arg,
		    const struct talk_event *), void *arg);

#endif
