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
	int64_t	was;

	if (from == 0)
		return 0;
	if (fleet_int(fleet, &was, "DELETE FROM centre WHERE id = ? "
	    "RETURNING id", "i", from) != 0)
		return -1;
	*moved = was == ABSENT;
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
centres_leave(struct fleet *fleet, int64_t centre)
{
	if (roster_presence_reset(fleet, centre) != 0)
		return end(fleet, -1);
	return end(fleet, fleet_do(fleet, "DELETE FROM centre WHERE id = ?",
	    "i", centre));
}
