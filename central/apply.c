#include "central/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/epoch.h"
#include "central/roster.h"
#include "central/update.h"
#include "schema/report.h"
#include "schema/xmltree.h"

static int
apply_records(struct update *u, const struct report *report)
{
	size_t	i;
	int	rc = UPDATE_DONE;

	for (i = 0; i < report->assets_len && rc == UPDATE_DONE; i++)
		rc = update_asset(u, &report->assets[i]);
	for (i = 0; i < report->consumables_len && rc == UPDATE_DONE; i++)
		rc = update_consumable(u, &report->consumables[i]);
	for (i = 0; i < report->alerts_len && rc == UPDATE_DONE; i++)
		rc = update_alert(u, &report->alerts[i]);
	for (i = 0; i < report->agents_len && rc == UPDATE_DONE; i++)
		rc = update_agent(u, &report->agents[i]);
	for (i = 0; i < u->whole_len && rc == UPDATE_DONE; i++)
		rc = update_lapse(u, u->whole[i]);
	return rc;
}

static void
note_refused(void *arg, int64_t seq, const char *reason)
{
	struct apply_answer	*answer = arg;
	struct apply_refused	*refused;

	answer->refused = xreallocarray(answer->refused,
	    answer->refused_len + 1, sizeof(*answer->refused));
	refused = &answer->refused[answer->refused_len++];
	refused->seq = seq;
	snprintf(refused->reason, sizeof(refused->reason), "%s", reason);
}

/* No more can be said in one answer: it ends with the last refusal. */
static bool
is_full(struct apply_answer *answer)
{
	if (answer->refused_len < APPLY_REFUSED_MOST)
		return false;
	answer->seq = answer->refused[answer->refused_len - 1].seq;
	return true;
}

/*
 * The savepoint holds what the records do, so that a bad report leaves its
 * neighbours in the transaction alone; the seq is consumed either way.
 */
static int
take(struct update *u, const struct epoch *epoch, xmlNode *node)
{
	struct report	report;
	int		rc;

	if (fleet_do(u->fleet, "SAVEPOINT report", "") != 0)
		return -1;
	report_init(&report);
	if (report_read_node(node, &report, u->reason,
	    sizeof(u->reason)) == 0) {
		u->journal.turn = report.turn;
		rc = apply_records(u, &report);
	} else
		rc = UPDATE_REFUSED;
	report_clear(&report);
	if (rc == UPDATE_FAILED)
		return -1;
	if (rc == UPDATE_REFUSED) {
		/* It may quote the report: well-formed again, however it was
		 * cut. */
		note_refused(u->answer, u->journal.seq, log_safe(u->reason));
		if (fleet_do(u->fleet, "ROLLBACK TO report", "") != 0 ||
		    epoch_refuse(u->fleet, epoch, u->journal.lane,
		    u->journal.seq, u->answer->refused[
		    u->answer->refused_len - 1].reason,
		    u->journal.received_at) != 0)
			return -1;
	}
	if (u->want_whole && epoch_want_whole(u->fleet, u->agent) != 0)
		return -1;
	return fleet_do(u->fleet, "RELEASE report", "");
}

int
apply_frame_read(const xmlNode *reports, struct apply_frame *frame)
{
	char		*epoch, *lane;
	const xmlNode	*node;
	int64_t		 seq, turn, last, last_turn = 0;
	int		 rc = -1;

	memset(frame, 0, sizeof(*frame));
	epoch = xmltree_attr(reports, "epoch");
	lane = xmltree_attr(reports, "lane");
	frame->first = xmltree_number(reports, "first");
	frame->last = xmltree_number(reports, "last");
	if (!xmltree_is(reports, "reports", REPORT_NS) || epoch == NULL ||
	    !uuid_valid(epoch) || lane == NULL ||
	    lane_parse(lane, &frame->lane) != 0 || frame->first < 1 ||
	    frame->last < frame->first)
		goto out;
	snprintf(frame->epoch, sizeof(frame->epoch), "%s", epoch);
	last = frame->first - 1;
	for (node = xmltree_child(reports, NULL, NULL); node != NULL;
	    node = xmltree_next(node)) {
		seq = xmltree_number(node, "seq");
		turn = xmltree_number(node, "turn");
		if (!xmltree_is(node, "report", REPORT_NS) || seq <= last ||
		    seq > frame->last || turn <= last_turn)
			goto out;
		last = seq;
		last_turn = turn;
	}
	rc = 0;
out:
	free(epoch);
	free(lane);
	return rc;
}

/* Those that are new, one by one. */
static int
take_new(struct update *u, const struct epoch *epoch, const xmlNode *reports)
{
	xmlNode	*node;
	int	 rc = 0;

	for (node = xmltree_child(reports, "report", REPORT_NS);
	    node != NULL && rc == 0 && !is_full(u->answer);
	    node = xmltree_next(node)) {
		u->journal.seq = xmltree_number(node, "seq");
		if (u->journal.seq <= epoch->last[u->journal.lane])
			continue;
		u->want_whole = false;
		u->whole_len = 0;
		rc = take(u, epoch, node);
	}
	(void)is_full(u->answer);
	return rc;
}

void
apply_reports(struct fleet *fleet, int64_t agent,
    const struct apply_frame *frame, const xmlNode *reports, int64_t now_ms,
    struct apply_answer *answer)
{
	struct update	u = { .fleet = fleet, .agent = agent,
			    .answer = answer };
	struct epoch	epoch;
	int64_t		last;

	memset(answer, 0, sizeof(*answer));
	answer->lane = frame->lane;
	answer->seq = frame->last;
	answer->verdict = APPLY_FAILED;
	if (roster_hold(fleet, agent) != 0 ||
	    epoch_find(fleet, agent, frame->epoch, &epoch) != 0)
		return;
	last = epoch.last[frame->lane];
	if (frame->first > last + 1) {
		answer->verdict = APPLY_AGAIN;
		answer->seq = last;
		return;
	}
	if (epoch_refused(fleet, &epoch, frame->lane, frame->first,
	    frame->last, APPLY_REFUSED_MOST, note_refused, answer) != 0) {
		apply_answer_clear(answer);
		return;
	}
	if (is_full(answer) || frame->last <= last) {
		answer->verdict = APPLY_SEEN;
		return;
	}
	u.journal = (struct journal){ .fleet = fleet, .lane = frame->lane,
	    .received_at = now_ms };
	if (epoch_enter(fleet, agent, frame->epoch, &epoch, now_ms) == 0) {
		u.journal.epoch = epoch.id;
		if (take_new(&u, &epoch, reports) == 0 && epoch_advance(fleet,
		    &epoch, frame->lane, answer->seq, now_ms) == 0)
			answer->verdict = APPLY_DONE;
	}
	if (answer->verdict != APPLY_DONE)
		apply_answer_clear(answer);
	free(u.whole);
}

void
apply_answer_clear(struct apply_answer *answer)
{
	free(answer->same);
	free(answer->refused);
	answer->same = NULL;
	answer->refused = NULL;
	answer->same_len = answer->refused_len = 0;
}
