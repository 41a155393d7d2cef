/*
 * Asks devices over SNMP v1 and v2c, through net-snmp's single-session API
 * inside our loop, on transports of our own (a connected UDP socket each, so
 * that only the device itself can answer).  Never the traditional API.  One
 * request is outstanding per conversation; a request is sent again with
 * growing pauses until its retries are used up.
 */
#ifndef SNMP_ASKER_H
#define SNMP_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "base/loop.h"
#include "snmp/bag.h"
#include "snmp/objid.h"

struct asker;		/* the engine: one a process */
struct talk;		/* a conversation with one device */

/* Initialises net-snmp: no configuration files, no MIBs, no persistent
 * state.  max_open bounds the conversations that have a socket at once. */
struct asker	*asker_new(struct loop *, size_t max_open);
void		 asker_free(struct asker *);

struct talk_target {
	struct sockaddr_in	 addr;
	int			 version;	/* 1 or 2 (v2c) */
	const char		*community;	/* copied */
	int			 timeout_ms;	/* of the first try */
	int			 retries;
};

struct talk_traffic {
	int64_t	 requests;
	int64_t	 bytes_out, bytes_in;	/* UDP payload */
};

enum talk_status {
	TALK_OK,
	TALK_TIMEOUT,		/* nobody answered */
	TALK_REFUSED,		/* ICMP said that nobody listens */
	TALK_TOO_BIG,		/* tooBig: ask for less */
	TALK_ERROR		/* error_status says which */
};

/* An error_status of our own beside those of RFC 3416 section 3. */
#define TALK_UNDECODABLE	(-1)	/* answers came, and made no sense */
#define TALK_NO_SOCKET		(-2)	/* the system gave us none */

struct talk	*talk_new(struct asker *, const struct talk_target *);
/* Cancels what is outstanding, closes.  Fine inside a callback. */
void		 talk_free(struct talk *);
/* Up to date after each answer. */
const struct talk_traffic	*talk_traffic(const struct talk *);

enum talk_op { TALK_GET, TALK_GETNEXT };

/* One answered varbind; missing is noSuchObject, noSuchInstance,
 * endOfMibView, or a v1 noSuchName that was taken out and asked again. */
struct talk_varbind {
	struct objid		 id;
	struct bag_value	 value;		/* lent until the return */
	bool			 missing;
};

/* vb has one entry for each OID that was asked, in that order (fewer when
 * the device gave fewer), as the device gave it: whether it is what was asked
 * for is the caller's to see.  error_status is 0 but for TALK_ERROR. */
typedef void	 talk_fn(void *arg, enum talk_status, int error_status,
		    const struct talk_varbind *vb, size_t vb_len);

#define TALK_VARBINDS_MAX	32
/* Sends (ids are copied); the answer comes from the loop, never from inside
 * the call.  Only one at a time: another is our own broken promise.  A talk
 * takes its socket with its first request and keeps it; while max_open others
 * have theirs, it waits for its turn. */
void		 talk_ask(struct talk *, enum talk_op, const struct objid *ids,
		    size_t n, talk_fn *, void *arg);

#endif
