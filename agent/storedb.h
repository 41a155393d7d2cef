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

#include "agent/store.h"
#include "crypto/lock.h"
#include "schema/lane.h"

#define STOREDB_STATEMENTS	64

struct store {
	sqlite3		*db;
	struct lock	*lock;		/* what bodies are sealed with */
	char		*dir;
	struct {
		const char	*sql;
		sqlite3_stmt	*stmt;
	}		 cache[STOREDB_STATEMENTS];
	int64_t		 next_seq[LANES];	/* 0: read the note */
	int64_t		 next_turn;	/* likewise */
	int64_t		 squeeze_max;	/* what the next two are about; 0 none */
	int64_t		 most_bytes;	/* the outbox has no more than this */
	int64_t		 squeeze_at;	/* count again from here on */
	bool		 open;		/* a transaction */
	bool		 copied;	/* db is a copy in memory: the disk's one
					 * cannot be written, and nothing is
					 * committed */
	bool		 hurries, hurried;	/* store_hurry(); just now */
	uint32_t	 said;		/* a sum over the last complaint */
	int64_t		 said_ms;	/* mono */
	enum store_state state;
	char		 why[160];
	int64_t		 failed_ms;	/* mono: of the last that failed */
	int64_t		 slow_ms;	/* mono: of the last that was slow */
	int		 changes;	/* when the transaction began */
	int64_t		 pause_ms;	/* store_pause_ms() */
	void		(*on_state)(void *, enum store_state, const char *);
	void		*on_state_arg;
};

/* Logs what went wrong, the same not more often than once a minute, and notes
 * what it says about the store's state; always -1. */
int		 storedb_failed(struct store *, const char *what);
/* What is in there is not what we wrote; always -1. */
int		 storedb_damaged(struct store *, const char *why);
/* The state has changed, or not. */
void		 storedb_state(struct store *, enum store_state,
		    const char *why);
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
 * Text to and from the disk, sealed (crypto/lock.h): whatever was read from a
 * printer.  name says what it is and where it belongs; under another it does
 * not open.  Put binds a sealed copy, NULL as NULL; open gives a copy that the
 * caller frees, NULL for NULL and for what does not open (the store is damaged
 * then).  len may be NULL.
 */
void		 storedb_put_sealed(struct store *, sqlite3_stmt *,
		    int column, const char *name, const char *text,
		    size_t len);
char		*storedb_open_sealed(struct store *, sqlite3_stmt *,
		    int column, const char *name, size_t *len);
/* The same for a report in the outbox or refused, which may get another
 * number. */
void		 storedb_put_body(struct store *, sqlite3_stmt *, int column,
		    const char *xml, size_t len);
char		*storedb_body(struct store *, sqlite3_stmt *, int column,
		    size_t *len);
/* So much longer is a body than its XML. */
#define STOREDB_BODY_MORE	LOCK_MORE
#define STOREDB_BODY_NAME	"report"
#define STOREDB_WHY_NAME	"why"
/* "told ASSET ID", "asset ID", "note KEY"; one or two words follow. */
#define STOREDB_NAME_MAX	128
char		*storedb_name(char out[STOREDB_NAME_MAX], const char *what,
		    const char *first, const char *second);
/* Runs a statement that gives no rows, and finishes it.  0 or -1, logged. */
int		 storedb_done(struct store *, sqlite3_stmt *);
/* Makes it ready for the next use. */
void		 storedb_finish(sqlite3_stmt *);
/* A copy of the column's text, NULL for NULL; the caller frees. */
char		*storedb_copy(sqlite3_stmt *, int column);

#endif
