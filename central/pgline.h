/*
 * One connection to PostgreSQL, in libpq's pipeline mode.  It is made in
 * steps that do not wait, and made anew when it was lost; every wait on it
 * has an end: the server's own limits, and a deadline a little past them for
 * a server that says nothing.  Failures go to fleet_complain().
 */
#ifndef CENTRAL_PGLINE_H
#define CENTRAL_PGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "central/fleet.h"

#define PGLINE_QUEUE	64

struct pgline_sent {
	const char	*sql;
	unsigned	*prepared;	/* 0 when that failed, or NULL */
};

struct pgline {
	struct fleet		*fleet;
	enum fleet_mode		 mode;
	PGconn			*conn;		/* NULL: not connected */
	PGconn			*coming;	/* being connected */
	PostgresPollingStatusType waits_for;	/* coming does */
	int64_t			 coming_until, again_at;	/* monotonic */
	int64_t			 pause_ms;
	int			 patience_ms;
	struct pgline_sent	 sent[PGLINE_QUEUE];
	size_t			 sent_len;
	bool			 renewed;	/* may have missed NOTIFY */
};

/* Waits for the connection.  0, or -1, logged. */
int	 pgline_open(struct pgline *, struct fleet *, enum fleet_mode);
void	 pgline_close(struct pgline *);
/* 0 when connected; else a step on the way there, if no transaction is open,
 * of wait_ms at most, and -1 unless that was the last. */
int	 pgline_ready(struct pgline *, int wait_ms);
/* It cannot be used any more. */
void	 pgline_lose(struct pgline *, const char *why);

/* Call it before up to two PQsend...(): makes room for their results. */
int	 pgline_make_room(struct pgline *);
/* Call it after each: sql is lent until it has been collected, and
 * *prepared becomes 0 should it fail. */
void	 pgline_sent(struct pgline *, const char *sql, unsigned *prepared);
/* Waits for the results of all that was sent; last is that of the last one
 * (the caller's to clear), or NULL.  0, or -1 when any failed. */
int	 pgline_collect(struct pgline *, PGresult **last);
/* Several statements without parameters, when nothing is under way. */
int	 pgline_exec(struct pgline *, const char *sql);
/* Whether another process has told, or may have. */
bool	 pgline_told(struct pgline *);

/* For messages: where it is, with nothing that could be secret. */
char	*pgline_name(const char *url);

#endif
