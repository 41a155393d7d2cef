/*
 * The printers that [discovery] hosts names one by one: names are looked up
 * without anything having to wait for it, and whoever is not being polled is
 * handed over again and again.
 */
#ifndef AGENT_HOSTS_H
#define AGENT_HOSTS_H

#include <netinet/in.h>

#include "agent/config.h"
#include "agent/patrol.h"
#include "base/loop.h"

struct hosts;

/* Comes from the loop when a host should be read; host is for
 * hosts_answered(). */
typedef void	 hosts_fn(void *arg, void *host, const struct sockaddr_in *);

struct hosts	*hosts_new(struct loop *, const struct config *,
		    struct patrol *, hosts_fn *, void *arg);
void		 hosts_free(struct hosts *);	/* NULL is fine */
/* Begins, or looks up all names anew (the old addresses stay until then). */
void		 hosts_start(struct hosts *);
/* What came of it: silence of a host that was named is said. */
void		 hosts_answered(void *host, enum patrol_find);

#endif
