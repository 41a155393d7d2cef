/*
 * What asker.c (whose turn it is) and talk.c (a conversation) share, and
 * nobody else includes.
 */
#ifndef SNMP_TALK_H
#define SNMP_TALK_H

#include "snmp/asker.h"
#include "snmp/question.h"
#include "snmp/usm.h"

struct asker {
	struct loop	*loop;
	struct mux	*mux;
	size_t		 under_way, max_open;
	struct talk	*first, *last;	/* who waits for his turn */
	struct later	 turn;
	uint32_t	 random[64];
	size_t		 random_left;
	void		(*watch)(void *, const struct talk_event *);
	void		*watch_arg;
	struct objid	*watch_ids;
	uint8_t		*scratch;	/* for what was encrypted */
	struct talk_varbind	 answer[TALK_ANSWER_MAX];
	uint8_t		 message[MUX_PAYLOAD_MAX];
};

struct talk {
	struct asker		*asker;
	struct talk		*next, *before;	/* in the queue */
	struct line		*line;		/* NULL: not needed yet */
	struct sockaddr_in	 addr;
	bool			 alone, waiting, own_engine;
	int			 version;
	const struct credential	*credential;
	const char		*context;
	const char		*community;	/* the credential's, or our_ */
	char			*our_community;
	struct usm_engine	*engine;
	int			 timeout_ms, retries;
	struct talk_traffic	 traffic;

	/* The request that is outstanding. */
	talk_fn			*fn;		/* NULL: none */
	void			*arg;
	struct question		 question;
	bool			 under_way;	/* it was sent */
	bool			 undecodable, forged;	/* answers were */
	int			 tries;
	int			 rounds;	/* v3: sent anew when told so */
	bool			 forgotten;	/* its engine was, for that */
	int32_t			 request_id;
	int32_t			 first_id, last_id;	/* v3's messages */
	int64_t			 asked_ms;
	int64_t			 stalled_ms;	/* the loop's, when it was sent */
	struct timer		 timer;
	enum talk_status	 verdict;	/* for on_verdict() */
	int			 verdict_error;
};

uint32_t	 asker_random(struct asker *);
/* Calls talk_begin() now, or when it is its turn. */
void		 asker_join(struct talk *);
/* It was sent: counts until asker_leave(). */
void		 asker_count(struct talk *);
/* Neither waits nor counts any more. */
void		 asker_leave(struct talk *);
/* Shows it to asker_watch()'s function. */
void		 asker_show(struct talk *, enum talk_status, int error_status,
		    const struct talk_varbind *, size_t);
void		 talk_begin(struct talk *);

#endif
