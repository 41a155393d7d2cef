/*
 * The fleet database: one SQLite file (WAL, synchronous FULL, foreign keys)
 * that holds what the agents told.  `run` writes it, the listings read it at
 * the same time, `enrol` and `agents` write a row now and then.
 *
 * A failure of the store (disk full, locked, damaged) is logged once, until
 * something succeeds again, and makes the open transaction fail as a whole.
 */
#ifndef CENTRAL_FLEET_H
#define CENTRAL_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

enum fleet_mode {
	FLEET_READ,		/* the listings */
	FLEET_WRITE,		/* the file must be there */
	FLEET_CREATE		/* init */
};

struct fleet;

/* NULL on failure, which is logged with what to do. */
struct fleet	*fleet_open(const char *path, enum fleet_mode);
void		 fleet_close(struct fleet *);		/* NULL is fine */

/* Begins unless a transaction is open already.  0 or -1. */
int		 fleet_begin(struct fleet *);
/* 0 when everything since fleet_begin() is on the disk, or nothing was
 * begun; -1 when nothing of it is. */
int		 fleet_commit(struct fleet *);
void		 fleet_rollback(struct fleet *);
bool		 fleet_in_transaction(const struct fleet *);
/* True after a failure in the open transaction: only a rollback helps. */
bool		 fleet_failed(const struct fleet *);
/* True when another process has written since the last call. */
bool		 fleet_changed(struct fleet *);

/*
 * Statements are prepared once and found again by the address of sql, which
 * must stay.  types has a letter for each parameter: i is an int64_t (ABSENT
 * binds NULL), t a string (NULL is NULL), b a blob (pointer, int length).
 * What is bound is lent until the statement is reset.
 */
sqlite3_stmt	*fleet_bind(struct fleet *, const char *sql,
		    const char *types, ...);	/* NULL on failure */
/* 1 a row, 0 the end, -1 failure; after 0 and -1 it has been reset. */
int		 fleet_step(struct fleet *, sqlite3_stmt *);
/* Binds, runs to the end, resets.  0 or -1. */
int		 fleet_do(struct fleet *, const char *sql, const char *types,
		    ...);
/* The first column of the first row, ABSENT when there is none or it is
 * NULL.  0 or -1. */
int		 fleet_int(struct fleet *, int64_t *out, const char *sql,
		    const char *types, ...);
/* A statement of the caller's own, not kept: sqlite3_finalize() it.  NULL on
 * failure.  fleet_step() works on it too. */
sqlite3_stmt	*fleet_prepare(struct fleet *, const char *sql);
int64_t		 fleet_last_id(const struct fleet *);

/* A column as a number, ABSENT when NULL. */
int64_t		 fleet_number(sqlite3_stmt *, int column);

#endif
