#include "central/epoch.h"

#include <stdio.h>

#include "central/roster.h"
#include "central/tables.h"
#include "schema/record.h"
#include "schema/xmltree.h"

/* Reasons kept for each epoch; older ones are forgotten. */
#define REFUSED_MAX	1000

int
epoch_find(struct fleet *fleet, int64_t agent, const char *uuid,
    struct epoch *epoch)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	epoch->id = 0;
	epoch->last_seq = 0;
	stmt = fleet_bind(fleet, "SELECT id, last_seq FROM epoch "
	    "WHERE agent = ? AND uuid = ?", "it", agent, uuid);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	epoch->id = fleet_number(stmt, 0);
	epoch->last_seq = fleet_number(stmt, 1);
	fleet_reset(stmt);
	return 0;
}

static int
put_in_doubt(struct fleet *fleet, int64_t agent)
{
	if (fleet_do(fleet, "UPDATE asset SET doubt = ? WHERE agent = ?",
	    "ii", (int64_t)DOUBT_OPEN, agent) != 0)
		return -1;
	if (fleet_do(fleet, "UPDATE consumable SET doubt = ? WHERE asset IN "
	    "(SELECT id FROM asset WHERE agent = ?) AND removed IS NULL",
	    "ii", (int64_t)DOUBT_OPEN, agent) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE alert SET doubt = ? WHERE asset IN "
	    "(SELECT id FROM asset WHERE agent = ?) AND cleared IS NULL",
	    "ii", (int64_t)DOUBT_OPEN, agent);
}

int
epoch_enter(struct fleet *fleet, int64_t agent, const char *uuid,
    struct epoch *epoch, int64_t now_ms)
{
	int64_t	current;

	if (roster_hold(fleet, agent) != 0 ||
	    epoch_find(fleet, agent, uuid, epoch) != 0)
		return -1;
	if (epoch->id == 0) {
		if (fleet_int(fleet, &epoch->id, "INSERT INTO epoch (agent, "
		    "uuid, last_seq, started_at, last_at) VALUES (?, ?, 0, "
		    "?, ?) RETURNING id", "itii", agent, uuid, now_ms,
		    now_ms) != 0)
			return -1;
	}
	if (fleet_int(fleet, &current, "SELECT epoch FROM agent "
	    "WHERE id = ?", "i", agent) != 0)
		return -1;
	if (current == epoch->id)
		return 0;
	if (fleet_do(fleet, "UPDATE agent SET epoch = ? WHERE id = ?", "ii",
	    epoch->id, agent) != 0)
		return -1;
	return current == ABSENT ? 0 : put_in_doubt(fleet, agent);
}

int
epoch_advance(struct fleet *fleet, const struct epoch *epoch, int64_t seq,
    int64_t now_ms)
{
	return fleet_do(fleet, "UPDATE epoch SET last_seq = ?, last_at = ? "
	    "WHERE id = ?", "iii", seq, now_ms, epoch->id);
}

int
epoch_greet(struct fleet *fleet, int64_t agent, const char *uuid,
    int64_t first, int64_t *seq, bool *whole)
{
	struct epoch	epoch;
	int64_t		want;

	if (epoch_find(fleet, agent, uuid, &epoch) != 0 ||
	    fleet_int(fleet, &want, "SELECT want_whole FROM agent "
	    "WHERE id = ?", "i", agent) != 0)
		return -1;
	*seq = epoch.last_seq;
	*whole = want == 1 || first - 1 > epoch.last_seq;
	return 0;
}

int
epoch_resume(struct fleet *fleet, int64_t agent, const char *uuid,
    int64_t first, bool whole, int64_t now_ms, int64_t *gap)
{
	struct epoch	epoch;

	*gap = 0;
	if (epoch_enter(fleet, agent, uuid, &epoch, now_ms) != 0)
		return -1;
	if (whole && (put_in_doubt(fleet, agent) != 0 || fleet_do(fleet,
	    "UPDATE agent SET want_whole = 0 WHERE id = ?", "i", agent) != 0))
		return -1;
	if (first - 1 <= epoch.last_seq)
		return 0;
	*gap = first - 1 - epoch.last_seq;
	return fleet_do(fleet, "UPDATE epoch SET last_seq = ?, "
	    "gaps = gaps + 1 WHERE id = ?", "ii", first - 1, epoch.id);
}

int
epoch_want_whole(struct fleet *fleet, int64_t agent)
{
	return fleet_do(fleet, "UPDATE agent SET want_whole = 1 "
	    "WHERE id = ? AND want_whole = 0", "i", agent);
}

int
epoch_refuse(struct fleet *fleet, const struct epoch *epoch, int64_t seq,
    const char *reason, int64_t now_ms)
{
	if (fleet_do(fleet, "INSERT INTO refused (epoch, seq, reason, "
	    "received_at) VALUES (?, ?, ?, ?)", "iiti", epoch->id, seq,
	    reason, now_ms) != 0)
		return -1;
	if (fleet_do(fleet, "DELETE FROM refused WHERE epoch = ?1 AND seq <= "
	    "(SELECT seq FROM refused WHERE epoch = ?1 ORDER BY seq DESC "
	    "LIMIT 1 OFFSET ?2)", "ii", epoch->id, (int64_t)REFUSED_MAX) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE epoch SET refused = refused + 1 "
	    "WHERE id = ?", "i", epoch->id);
}

int
epoch_refused(struct fleet *fleet, const struct epoch *epoch, int64_t seq,
    char *reason, size_t size)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	reason[0] = '\0';
	stmt = fleet_bind(fleet, "SELECT reason FROM refused "
	    "WHERE epoch = ? AND seq = ?", "ii", epoch->id, seq);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	snprintf(reason, size, "%s",
	    fleet_text(stmt, 0));
	fleet_reset(stmt);
	return 0;
}

int
epoch_list_refused(struct fleet *fleet, int64_t agent, const char *uuid,
    int64_t acked, struct buf *out)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	stmt = fleet_bind(fleet, "SELECT r.seq, r.reason FROM refused r "
	    "JOIN epoch e ON e.id = r.epoch WHERE e.agent = ? AND e.uuid = ? "
	    "AND r.seq > ? ORDER BY r.seq LIMIT ?", "itii", agent, uuid,
	    acked, (int64_t)EPOCH_REFUSED_MOST);
	if (stmt == NULL)
		return -1;
	while ((rc = fleet_step(fleet, stmt)) == 1) {
		buf_printf(out, "<refused seq='%lld' reason='",
		    (long long)fleet_number(stmt, 0));
		xmltree_escape(out, fleet_text(stmt, 1));
		buf_puts(out, "'/>");
	}
	return rc;
}
