/*
 * The fleet database: what the agents told.  It is a SQLite file (WAL,
 * synchronous FULL, foreign keys), or tables in a PostgreSQL database, which
 * several `run` processes may share.  `run` writes it, the listings read it
 * at the same time, `enrol` and `agents` write a row now and then.
 *
 * A failure of the store (disk full, locked, damaged, not to be reached) is
 * logged once, until something succeeds again, and makes the open transaction
 * fail as a whole.
 *
 * One text of SQL serves both: parameters are ? or ?1 and so on; see
 * fleet_driver.h for the words that differ.
 */
#ifndef CENTRAL_FLEET_H
#define CENTRAL_FLEET_H

#include <stdbool.h>
#include <stdint.h>

enum fleet_mode {
	FLEET_READ,		/* the listings */
	FLEET_WRITE,		/* the store must be there */
	FLEET_CREATE		/* init */
};

/* Where it is. */
struct fleet_source {
	const char	*path;		/* of the file, unless there is url */
	const char	*url;		/* postgresql://... without password */
	const char	*password;	/* or NULL: .pgpass and so on */
};

struct fleet;
/* A statement, what is bound to it, and the row that it is at. */
struct fleet_stmt;

/* source is lent until the end.  NULL on failure, which is logged with what
 * to do. */
struct fleet	*fleet_open(const struct fleet_source *source,
		    enum fleet_mode);
void		 fleet_close(struct fleet *);		/* NULL is fine */

/* Begins unless a transaction is open already.  0 or -1. */
int		 fleet_begin(struct fleet *);
/* One snapshot for several queries, which write nothing: ends with
 * fleet_rollback(). */
int		 fleet_begin_read(struct fleet *);
/* 0 when everything since fleet_begin() is on the disk, or nothing was
 * begun; -1 when nothing of it is, or when the answer to COMMIT was lost and
 * nobody knows. */
int		 fleet_commit(struct fleet *);
void		 fleet_rollback(struct fleet *);
bool		 fleet_in_transaction(const struct fleet *);
/* True after a failure in the open transaction: only a rollback helps. */
bool		 fleet_failed(const struct fleet *);

/*
 * Other processes.  With the commit of the open transaction they are told to
 * look; true when another one has written (SQLite) or told (PostgreSQL)
 * since the last call.  Where it is lost, the connection is made anew here
 * and in fleet_begin(), without waiting for it.
 */
int		 fleet_tell(struct fleet *);
bool		 fleet_changed(struct fleet *);
/* Whether several `run` processes may share this store. */
bool		 fleet_shared(const struct fleet *);
/* How often it was connected: what hung on a connection is to be made again
 * when this is another number. */
unsigned	 fleet_connections(const struct fleet *);

/*
 * Statements are prepared once and found again by the address of sql, which
 * must stay.  types has a letter for each parameter: i is an int64_t (ABSENT
 * binds NULL), t a string (NULL is NULL), b a blob (pointer, int length).
 * What is bound is lent until the statement is reset.
 */
struct fleet_stmt *fleet_bind(struct fleet *, const char *sql,
		    const char *types, ...);	/* NULL on failure */
/* 1 a row, 0 the end, -1 failure; after 0 and -1 it has been reset. */
int		 fleet_step(struct fleet *, struct fleet_stmt *);
void		 fleet_reset(struct fleet_stmt *);
/* Binds, runs to the end, resets.  0 or -1; in a transaction a failure may
 * come to light only with a later statement, at the commit at last. */
int		 fleet_do(struct fleet *, const char *sql, const char *types,
		    ...);
/* The same for a statement that is bound already. */
int		 fleet_run(struct fleet *, struct fleet_stmt *);
/* The first column of the first row, ABSENT when there is none or it is
 * NULL.  0 or -1. */
int		 fleet_int(struct fleet *, int64_t *out, const char *sql,
		    const char *types, ...);
/* A statement of the caller's own, not kept: fleet_drop() it.  NULL on
 * failure. */
struct fleet_stmt *fleet_query(struct fleet *, const char *sql);
void		 fleet_drop(struct fleet_stmt *);	/* NULL is fine */
/* Several statements without parameters or rows.  0, or -1, logged. */
int		 fleet_exec(struct fleet *, const char *sql);

/* Parameters are counted from 1, columns from 0. */
void		 fleet_put_number(struct fleet_stmt *, int at, int64_t value);
void		 fleet_put_text(struct fleet_stmt *, int at,
		    const char *text);
/* A column as a number, ABSENT when NULL; true is 1. */
int64_t		 fleet_number(struct fleet_stmt *, int column);
/* NULL when NULL; lent until the next step, as all the following. */
const char	*fleet_text(struct fleet_stmt *, int column);
const void	*fleet_blob(struct fleet_stmt *, int column, int *len);

/*
 * After a SELECT of one row by its key: nobody else changes it until the
 * transaction ends.  SQLite's transactions exclude each other anyway, so for
 * it this is a remark.
 */
#define FLEET_LOCK	" /*! FOR UPDATE */"

#endif
