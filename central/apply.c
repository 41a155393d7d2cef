#include "central/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "central/epoch.h"
#include "central/roster.h"
#include "central/update.h"
#include "schema/report.h"

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

/*
 * The savepoint holds what the records do, so that a bad report leaves its
 * neighbours in the transaction alone; the seq is consumed either way.
 */
static int
take(struct update *u, const struct epoch *epoch, const char *xml, size_t len)
{
	struct report	report;
	int64_t		seq = u->answer->seq, now = u->journal.received_at;
	int		rc;

	if (fleet_do(u->fleet, "SAVEPOINT report", "") != 0)
		return -1;
	report_init(&report);
	if (report_read(xml, len, &report, u->answer->reason,
	    sizeof(u->answer->reason)) == 0)
		rc = apply_records(u, &report);
	else
		rc = UPDATE_REFUSED;
	report_clear(&report);
	if (rc == UPDATE_FAILED)
		return -1;
	/* It may quote the report: well-formed again, however it was cut. */
	if (rc == UPDATE_REFUSED)
		snprintf(u->answer->reason, sizeof(u->answer->reason), "%s",
		    log_safe(u->answer->reason));
	if (rc == UPDATE_REFUSED && (fleet_do(u->fleet, "ROLLBACK TO report",
	    "") != 0 || epoch_refuse(u->fleet, epoch, seq, u->answer->reason,
	    now) != 0))
		return -1;
	if (u->want_whole && epoch_want_whole(u->fleet, u->agent) != 0)
		return -1;
	if (epoch_advance(u->fleet, epoch, seq, now) != 0 ||
	    fleet_do(u->fleet, "RELEASE report", "") != 0)
		return -1;
	u->answer->verdict = rc == UPDATE_DONE ? APPLY_DONE : APPLY_REFUSED;
	return 0;
}

static int
seen(struct fleet *fleet, const struct epoch *epoch, int64_t seq,
    struct apply_answer *answer)
{
	if (epoch_refused(fleet, epoch, seq, answer->reason,
	    sizeof(answer->reason)) != 0)
		return -1;
	answer->verdict = answer->reason[0] == '\0' ? APPLY_SEEN :
	    APPLY_REFUSED;
	return 0;
}

void
apply_report(struct fleet *fleet, int64_t agent, const char *uuid,
    int64_t seq, const char *xml, size_t len, int64_t now_ms,
    struct apply_answer *answer)
{
	struct update	u = { .fleet = fleet, .agent = agent,
			    .answer = answer };
	struct epoch	epoch;

	memset(answer, 0, sizeof(*answer));
	answer->seq = seq;
	answer->verdict = APPLY_FAILED;
	if (roster_hold(fleet, agent) != 0 ||
	    epoch_find(fleet, agent, uuid, &epoch) != 0)
		return;
	if (seq <= epoch.last_seq) {
		if (seen(fleet, &epoch, seq, answer) != 0)
			answer->verdict = APPLY_FAILED;
		return;
	}
	if (seq > epoch.last_seq + 1) {
		answer->verdict = APPLY_AGAIN;
		answer->seq = epoch.last_seq;
		return;
	}
	if (epoch_enter(fleet, agent, uuid, &epoch, now_ms) != 0)
		return;
	u.journal = (struct journal){ .fleet = fleet, .epoch = epoch.id,
	    .seq = seq, .received_at = now_ms };
	if (take(&u, &epoch, xml, len) != 0)
		answer->verdict = APPLY_FAILED;
	if (answer->verdict != APPLY_DONE)
		apply_answer_clear(answer);
	free(u.whole);
}

void
apply_answer_clear(struct apply_answer *answer)
{
	free(answer->same);
	answer->same = NULL;
	answer->same_len = 0;
}
