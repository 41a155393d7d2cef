/*
 * What the listings have in common: the filters, and rows that go out as a
 * table for people or as a JSON array.
 */
#ifndef CENTRAL_VIEW_H
#define CENTRAL_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/screen.h"
#include "central/fleet.h"
#include "schema/record.h"

struct view_filter {
	const char	*agent;		/* name or JID, or NULL */
	const char	*asset;		/* UUID or serial, or NULL */
	int64_t		 since;		/* received_at, or ABSENT */
	int64_t		 limit;		/* or ABSENT */
	bool		 all;
	bool		 json;
	int		 width;		/* columns; 0: the terminal's */
};

struct view {
	struct fleet			*fleet;
	const struct view_filter	*filter;
	FILE				*out;
	struct buf			 text;
	struct json			 json;
	struct screen_table		*table;
	int64_t				 now_ms;
	size_t				 rows;
	bool				 agents;	/* there are several */
};

/*
 * One snapshot of the store from start to end.  columns as for
 * screen_table_new(); the first, and the first cell of every row, is the
 * agent and is left out where there is only one, unless always.  0 or -1.
 */
int	 view_start(struct view *, struct fleet *,
	    const struct view_filter *, FILE *out, int64_t now_ms,
	    const char *const *columns, bool always);
/* nothing is what people see instead of an empty table.  rc is handed
 * through, -1 when the output failed. */
int	 view_end(struct view *, const char *nothing, int rc);

/*
 * SELECT columns FROM from WHERE what the filter says, joined with agent g
 * and asset a, then order, the filter's LIMIT, and rest.  where is a further
 * condition or NULL; received is what since is compared with.  NULL on
 * failure; fleet_drop() it.
 */
struct fleet_stmt	*view_query(struct view *, const char *columns,
		    const char *from, const char *where,
		    const char *received, const char *order,
		    const char *rest);

/* In JSON: an object around each row, written out at once. */
void	 view_row(struct view *);
void	 view_cells(struct view *, const char *const *cells);
void	 view_row_end(struct view *);
void	 view_json_time(struct view *, const char *key, int64_t wall_ms);
void	 view_json_int(struct view *, const char *key, int64_t value);

/* "12s" "3m" "5h" "9d" since then, "" when ABSENT. */
#define VIEW_AGE_MAX	24
char	*view_age(const struct view *, int64_t then, char out[VIEW_AGE_MAX]);
/* "2026-11-20 19:30:00" */
#define VIEW_TIME_MAX	32
char	*view_time(int64_t wall_ms, char out[VIEW_TIME_MAX]);
/* A number, or "" when ABSENT. */
#define VIEW_INT_MAX	24
char	*view_int(int64_t value, char out[VIEW_INT_MAX]);
/* "make model", model alone when it starts with the make; never NULL. */
char	*view_name(const char *make, const char *model);

/* The listings. 0 or -1. */
int	 view_agents(struct fleet *, const struct view_filter *, FILE *out,
	    int64_t now_ms);
int	 view_devices(struct fleet *, const struct view_filter *, FILE *out,
	    int64_t now_ms);
int	 view_consumables(struct fleet *, const struct view_filter *,
	    FILE *out, int64_t now_ms);
int	 view_alerts(struct fleet *, const struct view_filter *, FILE *out,
	    int64_t now_ms);
int	 view_history(struct fleet *, const struct view_filter *, FILE *out,
	    int64_t now_ms);

#endif
