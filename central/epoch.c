#include "central/epoch.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "central/roster.h"
#include "central/tables.h"
#include "schema/record.h"
#include "schema/xmltree.h"

/* Reasons kept for each lane of an epoch; older ones are forgotten. */
#define REFUSED_MAX	1000

struct extra {
	int64_t	last_bulk;
};

const struct field	epoch_extra[] = {
	{ .name = "last_bulk", .kind = FIELD_INT,
	    .offset = offsetof(struct extra, last_bulk) },
	{ .name = NULL }
};

int
epoch_find(struct fleet *fleet, int64_t agent, const char *uuid,
    struct epoch *epoch)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	memset(epoch, 0, sizeof(*epoch));
	stmt = fleet_bind(fleet, "SELECT id, last_seq, coalesce(last_bulk, 0) "
	    "FROM epoch WHERE agent = ? AND uuid = ?", "it", agent, uuid);
	if (stmt == NULL)
		return -1;
	if ((rc = fleet_step(fleet, stmt)) != 1)
		return rc;
	epoch->id = fleet_number(stmt, 0);
	epoch->last[LANE_URGENT] = fleet_number(stmt, 1);
	epoch->last[LANE_BULK] = fleet_number(stmt, 2);
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
epoch_advance(struct fleet *fleet, const struct epoch *epoch, enum lane lane,
    int64_t seq, int64_t now_ms)
{
	if (lane == LANE_URGENT)
		return fleet_do(fleet, "UPDATE epoch SET last_seq = ?, "
		    "last_at = ? WHERE id = ?", "iii", seq, now_ms,
		    epoch->id);
	return fleet_do(fleet, "UPDATE epoch SET last_bulk = ?, last_at = ? "
	    "WHERE id = ?", "iii", seq, now_ms, epoch->id);
}

/* How many reports are gone. */
static int64_t
gap_of(const struct epoch *epoch, const int64_t first[LANES])
{
	int64_t	gap = 0;
	int	i;

	for (i = 0; i < LANES; i++)
		if (first[i] - 1 > epoch->last[i])
			gap += first[i] - 1 - epoch->last[i];
	return gap;
}

int
epoch_greet(struct fleet *fleet, int64_t agent, const char *uuid,
    const int64_t first[LANES], int64_t seq[LANES], bool *whole)
{
	struct epoch	epoch;
	int64_t		want;

	if (epoch_find(fleet, agent, uuid, &epoch) != 0 ||
	    fleet_int(fleet, &want, "SELECT want_whole FROM agent "
	    "WHERE id = ?", "i", agent) != 0)
		return -1;
	memcpy(seq, epoch.last, sizeof(epoch.last));
	*whole = want == 1 || gap_of(&epoch, first) > 0;
	return 0;
}

int
epoch_resume(struct fleet *fleet, int64_t agent, const char *uuid,
    const int64_t first[LANES], bool whole, int64_t now_ms, int64_t *gap)
{
	struct epoch	epoch;
	int		i;

	*gap = 0;
	if (epoch_enter(fleet, agent, uuid, &epoch, now_ms) != 0)
		return -1;
	if (whole && (put_in_doubt(fleet, agent) != 0 || fleet_do(fleet,
	    "UPDATE agent SET want_whole = 0 WHERE id = ?", "i", agent) != 0))
		return -1;
	if ((*gap = gap_of(&epoch, first)) == 0)
		return 0;
	for (i = 0; i < LANES; i++)
		if (first[i] - 1 > epoch.last[i] && epoch_advance(fleet,
		    &epoch, (enum lane)i, first[i] - 1, now_ms) != 0)
			return -1;
	return fleet_do(fleet, "UPDATE epoch SET gaps = gaps + 1 "
	    "WHERE id = ?", "i", epoch.id);
}

int
epoch_want_whole(struct fleet *fleet, int64_t agent)
{
	return fleet_do(fleet, "UPDATE agent SET want_whole = 1 "
	    "WHERE id = ? AND want_whole = 0", "i", agent);
}

int
epoch_refuse(struct fleet *fleet, const struct epoch *epoch, enum lane lane,
    int64_t seq, const char *reason, int64_t now_ms)
{
	if (fleet_do(fleet, "INSERT INTO refused (epoch, lane, seq, reason, "
	    "received_at) VALUES (?, ?, ?, ?, ?)", "iiiti", epoch->id,
	    (int64_t)lane, seq, reason, now_ms) != 0)
		return -1;
	if (fleet_do(fleet, "DELETE FROM refused WHERE epoch = ? AND lane = ? "
	    "AND seq <= (SELECT seq FROM refused WHERE epoch = ? AND lane = ? "
	    "ORDER BY seq DESC LIMIT 1 OFFSET ?)", "iiiii", epoch->id,
	    (int64_t)lane, epoch->id, (int64_t)lane,
	    (int64_t)REFUSED_MAX) != 0)
		return -1;
	return fleet_do(fleet, "UPDATE epoch SET refused = refused + 1 "
	    "WHERE id = ?", "i", epoch->id);
}

int
epoch_refused(struct fleet *fleet, const struct epoch *epoch, enum lane lane,
    int64_t first, int64_t last, size_t most, void (*fn)(void *, int64_t,
    const char *), void *arg)
{
	struct fleet_stmt	*stmt;
	int			 rc;

	stmt = fleet_bind(fleet, "SELECT seq, reason FROM refused WHERE "
	    "epoch = ? AND lane = ? AND seq >= ? AND seq <= ? ORDER BY seq "
	    "LIMIT ?", "iiiii", epoch->id, (int64_t)lane, first, last,
	    (int64_t)most);
	if (stmt == NULL)
		return -1;
	while ((rc = fleet_step(fleet, stmt)) == 1)
		fn(arg, fleet_number(stmt, 0),
		    fleet_text(stmt, 1));
	return rc;
}

static void
put_refused(void *arg, int64_t seq, const char *reason)
{
	struct buf	*out = arg;

	buf_printf(out, "<refused seq='%lld' reason='", (long long)seq);
	xmltree_escape(out, reason);
	buf_puts(out, "'/>");
}

int
epoch_list_refused(struct fleet *fleet, int64_t agent, const char *uuid,
    enum lane lane, int64_t acked, struct buf *out)
{
	struct epoch	epoch;

	if (epoch_find(fleet, agent, uuid, &epoch) != 0)
		return -1;
	return epoch_refused(fleet, &epoch, lane, acked + 1,
	    epoch.last[lane], EPOCH_REFUSED_MOST, put_refused, out);
}
