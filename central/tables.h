/* Records in and out of the tables of central/layout.h. */
#ifndef CENTRAL_TABLES_H
#define CENTRAL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "central/fleet.h"
#include "schema/field.h"

/*
 * The three tables whose rows are things with a UUID: id (a small number
 * that the other tables refer to), owner (agent of an asset, asset of the
 * others), uuid, doubt, received_at, told_epoch, told_turn, and a column for
 * each field.
 */
enum tables_thing { TABLES_ASSET, TABLES_CONSUMABLE, TABLES_ALERT };

/*
 * After a gap or in a new epoch nobody knows whether what was open still is.
 * Such rows are in doubt until the agent mentions them; those that a whole
 * asset no longer mentions have lapsed: closed by the centre, and opened
 * again should the agent mention them after all.
 */
enum tables_doubt { DOUBT_NONE, DOUBT_OPEN, DOUBT_LAPSED };

/* The report that told what it reads (of an asset: that told it) last. */
struct tables_told {
	int64_t		  epoch, turn;	/* ABSENT: not known */
};
extern const struct field	tables_told[];	/* its columns */

struct tables_row {
	int64_t		  id;		/* 0: there is none */
	int64_t		  owner;
	char		  uuid[UUID_TEXT_MAX];
	enum tables_doubt doubt;
	int64_t		  received_at;
	struct tables_told told;
};

/* Reads the row with that UUID; record is initialised and gets the fields
 * (its UUIDs stay as they are).  0 (row->id is 0 when there is none), -1. */
int	 tables_find(struct fleet *, enum tables_thing, const char *uuid,
	    struct tables_row *row, void *record);
/* The same by its number. */
int	 tables_load(struct fleet *, enum tables_thing, int64_t id,
	    struct tables_row *row, void *record);
/* row->owner, uuid, doubt, received_at, told are given, row->id is set. */
int	 tables_insert(struct fleet *, enum tables_thing,
	    struct tables_row *row, const void *record);
int	 tables_update(struct fleet *, enum tables_thing,
	    const struct tables_row *row, const void *record);

/* Which fields have a column. */
bool	 tables_has(const struct field *);
/* ", PREFIX"name", PREFIX"name" ..." of all that have one, allocated. */
char	*tables_names(const struct field *, const char *prefix);
/* Binds the fields from parameter at on, or reads them from column at on;
 * both return the next free place. */
int	 tables_put(struct fleet_stmt *, int at, const struct field *,
	    const void *record);
int	 tables_get(struct fleet_stmt *, int at, const struct field *,
	    void *record);

/* Counters of an asset, and what an agent says of itself. */
int	 tables_counter_find(struct fleet *, int64_t asset, const char *name,
	    struct counter *, struct tables_told *, bool *found);
int	 tables_counter_put(struct fleet *, int64_t asset,
	    const struct counter *, const struct tables_told *, int64_t time,
	    int64_t received_at);
int	 tables_agent_find(struct fleet *, int64_t agent, struct agent *);
int	 tables_agent_put(struct fleet *, int64_t agent,
	    const struct agent *, int64_t received_at);

#endif
