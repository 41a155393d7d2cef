#include "central/centres.h"

#include "central/fleet_driver.h"
#include "central/roster.h"
#include "schema/record.h"

#define DEAD_MAX	64	/* at a time */

static int
end(struct fleet *fleet, int rc)
{
	if (rc == 0)
		return fleet_commit(fleet);
	fleet_rollback(fleet);
	return -1;
}

static int
take_over(struct fleet *fleet, int64_t from, int64_t to, bool *moved)
{
	int64_t	places;

	if (from == 0)
		return 0;
	if (fleet_int(fleet, &places, "DELETE FROM centre WHERE id = ? "
	    "RETURNING places", "i", from) != 0)
		return -1;
	*moved = places == ABSENT;
	if (*moved)
		return 0;
	if (fleet_do(fleet, "UPDATE centre SET places = ? WHERE id = ?", "ii",
	    places, to) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE agent SET centre = ? WHERE centre = ?",
	    "ii", to, from);
}

int
centres_join(struct fleet *fleet, int64_t *centre, bool *moved,
    int64_t now_ms)
{
	int64_t	id;
	int	dead;

	*moved = *centre == 0;
	if (fleet_begin(fleet) != 0 || fleet_int(fleet, &id, "INSERT INTO "
	    "centre (started_at) VALUES (?) RETURNING id", "i", now_ms) != 0 ||
	    fleet_do(fleet, fleet->driver->claim, "i", id) != 0 ||
	    take_over(fleet, *centre, id, moved) != 0)
		return end(fleet, -1);
	if (end(fleet, 0) != 0)
		return -1;
	*centre = id;
	return centres_bury(fleet, id, &dead);
}

static int
find_dead(struct fleet *fleet, int64_t centre, int64_t *dead, int *len)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	*len = 0;
	stmt = fleet_bind(fleet, fleet->driver->unclaimed, "i", centre);
	if (stmt == NULL)
		return -1;
	while ((rc = fleet_step(fleet, stmt)) == 1 && *len < DEAD_MAX)
		dead[(*len)++] = fleet_number(stmt, 0);
	fleet_reset(stmt);
	return rc == -1 ? -1 : 0;
}

/* First a look, which costs no transaction.  In one, what was found is held,
 * so that no other process buries it as well. */
int
centres_bury(struct fleet *fleet, int64_t centre, int *dead)
{
	int64_t	id[DEAD_MAX];
	int	i, rc;

	if (find_dead(fleet, centre, id, dead) != 0)
		return -1;
	if (*dead == 0)
		return 0;
	if (fleet_begin(fleet) != 0 ||
	    find_dead(fleet, centre, id, dead) != 0)
		return end(fleet, -1);
	for (i = 0, rc = 0; i < *dead && rc == 0; i++) {
		rc = roster_presence_reset(fleet, id[i]);
		if (rc == 0)
			rc = fleet_do(fleet, "DELETE FROM centre WHERE "
			    "id = ?", "i", id[i]);
	}
	return end(fleet, rc);
}

int
centres_leave(struct fleet *fleet, int64_t centre, bool *others)
{
	int64_t	other;
	int	dead;

	*others = false;
	if (centres_bury(fleet, centre, &dead) != 0)
		return -1;
	if (roster_presence_reset(fleet, centre) != 0 || fleet_do(fleet,
	    "DELETE FROM centre WHERE id = ?", "i", centre) != 0 ||
	    fleet_int(fleet, &other, "SELECT min(id) FROM centre", "") != 0)
		return end(fleet, -1);
	*others = other != ABSENT;
	return end(fleet, 0);
}

static int
count_places(struct fleet *fleet, int64_t centre, int *ours, int *all)
{
	struct fleet_stmt	*stmt;

	stmt = fleet_bind(fleet, "SELECT CAST(coalesce(sum(places), 0) AS "
	    "BIGINT), coalesce(max(CASE WHEN id = ? THEN places END), 0) "
	    "FROM centre", "i", centre);
	if (stmt == NULL || fleet_step(fleet, stmt) != 1)
		return -1;
	*all = (int)fleet_number(stmt, 0);
	*ours = (int)fleet_number(stmt, 1);
	fleet_reset(stmt);
	return 0;
}

static int
change_of(int wanted, bool more, int ours, int all)
{
	if (all > wanted && ours > 1)
		return -(all - wanted < ours ? all - wanted : ours - 1);
	return more && all < wanted && ours > 0 ? wanted - all : 0;
}

/* A look, and only if something is to be changed again, one at a time. */
int
centres_places(struct fleet *fleet, int64_t centre, int wanted, bool more,
    int *ours, int *all)
{
	int64_t	version;
	int	change;

	if (count_places(fleet, centre, ours, all) != 0)
		return -1;
	if (change_of(wanted, more, *ours, *all) == 0)
		return 0;
	if (fleet_begin(fleet) != 0 || fleet_int(fleet, &version, "SELECT "
	    "version FROM schema_version" FLEET_LOCK, "") != 0 ||
	    count_places(fleet, centre, ours, all) != 0)
		return end(fleet, -1);
	change = change_of(wanted, more, *ours, *all);
	*ours += change;
	*all += change;
	return end(fleet, fleet_do(fleet, "UPDATE centre SET places = ? "
	    "WHERE id = ?", "ii", (int64_t)*ours, centre));
}
