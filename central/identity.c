#include "central/identity.h"

#include <stdio.h>

#include "base/log.h"

/* By its own UUID, else by what that is an alias of. */
static int
find_known(struct fleet *fleet, enum tables_thing kind, int64_t agent,
    const char *uuid, struct tables_row *row, void *record)
{
	char			 known[UUID_TEXT_MAX];
	struct fleet_stmt	*stmt;
	int			 rc;

	if (tables_find(fleet, kind, uuid, row, record) != 0)
		return -1;
	if (row->id != 0)
		return 0;
	stmt = fleet_bind(fleet, "SELECT known FROM alias WHERE agent = ? "
	    "AND uuid = ?", "it", agent, uuid);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	snprintf(known, sizeof(known), "%s",
	    fleet_text(stmt, 0));
	fleet_reset(stmt);
	return tables_find(fleet, kind, known, row, record);
}

/*
 * id is what a search by properties found, or ABSENT.  An agent that gives
 * things of two kinds one UUID gets no second alias by it; the store must not
 * fail of that.
 */
static int
adopt(struct fleet *fleet, enum tables_thing kind, int64_t agent,
    const char *uuid, int64_t id, struct tables_row *row, void *record)
{
	if (id == ABSENT)
		return 0;
	if (tables_load(fleet, kind, id, row, record) != 0 || fleet_do(fleet,
	    "INSERT INTO alias (agent, uuid, known) VALUES (?, ?, ?) "
	    "ON CONFLICT DO NOTHING", "itt",
	    agent, uuid, row->uuid) != 0)
		return -1;
	return 0;
}

int
identity_asset(struct fleet *fleet, int64_t agent, const char *uuid,
    const struct asset *change, struct tables_row *row, struct asset *record)
{
	int64_t	id;

	if (find_known(fleet, TABLES_ASSET, agent, uuid, row, record) != 0)
		return -1;
	if (row->id != 0 || change == NULL || change->key == NULL ||
	    change->key[0] == '\0' || (change->strength != KEY_SERIAL &&
	    change->strength != KEY_MAC))
		return 0;
	if (fleet_int(fleet, &id, "SELECT id FROM asset WHERE agent = ? "
	    "AND key = ? ORDER BY id LIMIT 1", "it", agent, change->key) != 0 ||
	    adopt(fleet, TABLES_ASSET, agent, uuid, id, row, record) != 0)
		return -1;
	if (row->id != 0)
		log_debug("apply", "asset %s is known as %s", uuid, row->uuid);
	return 0;
}

int
identity_consumable(struct fleet *fleet, int64_t agent, int64_t asset,
    const struct consumable *change, struct tables_row *row,
    struct consumable *record)
{
	int64_t	id;

	if (find_known(fleet, TABLES_CONSUMABLE, agent, change->id, row,
	    record) != 0)
		return -1;
	if (row->id != 0 || change->index == ABSENT || change->kind == ABSENT)
		return 0;
	if (fleet_int(fleet, &id, "SELECT id FROM consumable WHERE asset = ? "
	    "AND \"index\" = ? AND kind = ? AND doubt <> 0 "
	    "ORDER BY id DESC LIMIT 1", "iii", asset, change->index,
	    change->kind) != 0)
		return -1;
	return adopt(fleet, TABLES_CONSUMABLE, agent, change->id, id, row,
	    record);
}

int
identity_alert(struct fleet *fleet, int64_t agent, int64_t asset,
    const struct alert *change, struct tables_row *row, struct alert *record)
{
	int64_t	id;

	if (find_known(fleet, TABLES_ALERT, agent, change->id, row,
	    record) != 0)
		return -1;
	if (row->id != 0 || change->code == ABSENT ||
	    (change->index == ABSENT && change->source != ALERT_ERROR_BITS))
		return 0;
	/* An error bit has no index, and is there once. */
	if (fleet_int(fleet, &id, "SELECT id FROM alert WHERE asset = ? "
	    "AND \"index\" IS NOT DISTINCT FROM ? AND code = ? AND doubt <> 0 "
	    "ORDER BY id DESC LIMIT 1", "iii", asset, change->index,
	    change->code) != 0)
		return -1;
	return adopt(fleet, TABLES_ALERT, agent, change->id, id, row, record);
}
