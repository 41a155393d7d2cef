/*
 * What the files of the store share, and nobody else includes: the open
 * database and its prepared statements.
 */
#ifndef AGENT_STOREDB_H
#define AGENT_STOREDB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STOREDB_STATEMENTS	48

struct store {
	sqlite3		*db;
	struct {
		const char	*sql;
		sqlite3_stmt	*stmt;
	}		 cache[STOREDB_STATEMENTS];
	int64_t		 next_seq;	/* 0: not known, read the note */
	int64_t		 squeeze_max;	/* what the next two are about; 0 none */
	int64_t		 most_bytes;	/* the outbox has no more than this */
	int64_t		 squeeze_at;	/* count again from here on */
	bool		 open;		/* a transaction */
	bool		 hurries, hurried;	/* store_hurry(); just now */
	uint32_t	 said;		/* a sum over the last complaint */
	int64_t		 said_ms;	/* mono */
};

/* Logs what went wrong, the same not more often than once a minute; always
 * -1. */
int		 storedb_failed(struct store *, const char *what);
/* Runs statements that need nothing bound.  0 or -1, logged. */
int		 storedb_run(struct store *, const char *sql);
/*
 * A statement ready to bind, prepared at its first use and then kept: sql is
 * a constant, told apart by its address.  NULL when it fails, logged.
 */
sqlite3_stmt	*storedb_get(struct store *, const char *sql);
/* Binds a copy of the text, NULL as NULL. */
void		 storedb_text(sqlite3_stmt *, int column, const char *value);
/*
 * A report's XML to and from the disk; every body of every table goes this
 * way.  Put binds it, the caller's text is lent until the statement has run;
 * body gives a copy that the caller frees, NULL when it cannot be had.
 */
void		 storedb_put_body(struct store *, sqlite3_stmt *, int column,
		    const char *xml, size_t len);
char		*storedb_body(struct store *, sqlite3_stmt *, int column,
		    size_t *len);
/* Runs a statement that gives no rows, and finishes it.  0 or -1, logged. */
int		 storedb_done(struct store *, sqlite3_stmt *);
/* Makes it ready for the next use. */
void		 storedb_finish(sqlite3_stmt *);
/* A copy of the column's text, NULL for NULL; the caller frees. */
char		*storedb_copy(sqlite3_stmt *, int column);

#endif
