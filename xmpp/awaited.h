/*
 * The iqs that wait for their answer: each under an id that nobody can
 * guess, answered only by whom it was sent to, each callback exactly once.
 */
#ifndef XMPP_AWAITED_H
#define XMPP_AWAITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/loop.h"
#include "xmpp/uplink.h"

enum awaited_from {
	AWAITED_CENTRE,
	AWAITED_SERVER,
	AWAITED_ALL		/* for awaited_flush(), awaited_any() */
};

struct awaited;

/* Sends one stanza; 0 or -1. */
typedef int	 awaited_send_fn(void *arg, const char *stanza, size_t len);
/* Hears of every error (condition) and time out (UPLINK_LOST, condition "")
 * before the asker does; not of a flush. */
typedef void	 awaited_verdict_fn(void *arg, enum awaited_from,
		    enum uplink_answer, const char *condition,
		    int64_t asked_ms);

struct awaited	*awaited_new(struct loop *, const char *central,
		    const char *domain, awaited_send_fn *, awaited_verdict_fn *,
		    void *arg);		/* the names are lent */
void		 awaited_free(struct awaited *);	/* calls nobody */
/* type is "get" or "set".  -1 when it was not sent (no callback). */
int		 awaited_put(struct awaited *, enum awaited_from, const char *type,
		    const char *payload, size_t len, int timeout_ms,
		    uplink_answer_fn *, void *arg);
/* An iq of type result or error; one that we do not wait for is ignored. */
void		 awaited_answer(struct awaited *, const char *from,
		    const char *id, const xmlNode *);
/* UPLINK_LOST to all that ask to. */
void		 awaited_flush(struct awaited *, enum awaited_from);
bool		 awaited_any(const struct awaited *, enum awaited_from);
/* What an element says: all lent by it but the text, which is to be freed. */
void		 awaited_element(const xmlNode *, struct uplink_element *,
		    char **text);

#endif
