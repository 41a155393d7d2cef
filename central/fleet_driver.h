/*
 * What the two kinds of store (fleet_sqlite.c, fleet_pg.c) are for fleet.c,
 * and what differs in their SQL.  Nobody else includes this, but layout.c,
 * centres.c and roster.c for that.
 */
#ifndef CENTRAL_FLEET_DRIVER_H
#define CENTRAL_FLEET_DRIVER_H

#include "central/fleet.h"

/* The first member of each kind's own. */
struct fleet_stmt {
	const struct fleet_driver	*driver;
	const char			*sql;	/* a key; NULL: used once */
};

/* In the statements of layout.c this word is called otherwise. */
struct fleet_word {
	const char	*ours, *theirs;
};

struct fleet_driver {
	/* 0, or -1, logged. */
	int	(*open)(struct fleet *, enum fleet_mode);
	void	(*close)(struct fleet *);

	/* As their namesakes in fleet.h; failures go to fleet_complain(). */
	struct fleet_stmt *(*prepare)(struct fleet *, const char *sql,
		    bool once);
	void	(*drop)(struct fleet_stmt *);
	int	(*step)(struct fleet *, struct fleet_stmt *);
	int	(*run)(struct fleet *, struct fleet_stmt *);
	void	(*reset)(struct fleet_stmt *);
	void	(*put_number)(struct fleet_stmt *, int, int64_t);
	void	(*put_text)(struct fleet_stmt *, int, const char *);
	void	(*put_blob)(struct fleet_stmt *, int, const void *, int);
	int64_t	(*number)(struct fleet_stmt *, int);
	const char *(*text)(struct fleet_stmt *, int);
	const void *(*blob)(struct fleet_stmt *, int, int *);
	int	(*exec)(struct fleet *, const char *sql);

	/* Whatever is open or under way in the store ends without effect. */
	void	(*abandon)(struct fleet *);
	bool	(*changed)(struct fleet *);

	bool	 shared;
	const char *begin, *begin_read;
	const char *tell;		/* NULL: others see it anyway */
	/* 0 nothing is there, 1 our tables, 2 something else. */
	const char *look;
	const char *mark;		/* makes what look finds */
	const char *column;		/* a row when table ?1 has column ?2 */
	const char *index;		/* a row when there is index ?1 */
	/* Holds the number ?1 for as long as the process is connected. */
	const char *claim;
	/* The numbers in the table centre, but ?1, that nobody holds. */
	const char *unclaimed;
	const struct fleet_word *words;	/* ends with NULL */
};

extern const struct fleet_driver	fleet_sqlite, fleet_pg;

#define FLEET_STATEMENTS	256	/* places; about 90 are used */

struct fleet {
	const struct fleet_driver	*driver;
	const struct fleet_source	*source;
	char				*name;	/* for the log */
	void				*own;	/* the driver's */
	struct fleet_stmt		*statement[FLEET_STATEMENTS];
	bool				 begun;
	bool				 failed;	/* what was begun is */
	bool				 complained;	/* and nothing worked */
	unsigned			 connections;
	int64_t				 held;	/* an agent; roster_hold() */
};

/* The transaction, if there is one, has failed; says so unless it did. */
void	 fleet_complain(struct fleet *, const char *what, const char *why);

#endif
