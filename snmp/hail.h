/*
 * Calls out to addresses whether an SNMP engine lives there: one small packet
 * each over one socket, without a conversation and without remembering whom:
 * the number that an answer must carry is computed from the address it comes
 * from, with a key of our own, so that nobody else can make one up.  What is
 * asked for is sysObjectID.0, which every engine has (RFC 3418) and which
 * says who made it; SNMPv3 is asked for its engine (RFC 3414 section 4).
 */
#ifndef SNMP_HAIL_H
#define SNMP_HAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "base/loop.h"

struct hail;

struct hail_answer {
	struct sockaddr_in	 addr;		/* that was called */
	int			 version;	/* 1, 2 (v2c) or 3 */
	bool			 elsewhere;	/* it came from another */
	uint32_t		 enterprise;	/* the maker's number (of
						 * sysObjectID, of the engine
						 * id); 0: not said */
};
/* Comes from the loop, again for each answer, however late. */
typedef void	 hail_fn(void *arg, const struct hail_answer *);

/* NULL when the system gives no socket, logged. */
struct hail	*hail_new(struct loop *, hail_fn *, void *arg);
void		 hail_free(struct hail *);	/* NULL is fine */

/* How many more can be sent now; 0 while the system takes none. */
size_t		 hail_room(const struct hail *);
/* Leaves at the end of the turn.  community is not for version 3.  False
 * when there is no room, or the community is too long. */
bool		 hail_send(struct hail *, const struct sockaddr_in *,
		    int version, const char *community);

struct hail_count {
	int64_t	 sent, bytes_out;	/* UDP payload */
	int64_t	 answers, bytes_in;
	int64_t	 strays;		/* that belong to no question */
};
void		 hail_count(const struct hail *, struct hail_count *);

#endif
