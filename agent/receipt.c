#include "agent/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "agent/known.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "schema/report.h"
#include "schema/xmltree.h"

/* Is it to be put aside already, when the store takes it? */
static bool
is_held(const struct courier *c, enum lane lane, int64_t seq)
{
	size_t i;

	for (i = 0; i < c->refusals; i++)
		if (c->refusal[i].lane == lane && c->refusal[i].seq == seq)
			return true;
	return false;
}

/* Put aside now, or as soon as the store takes it; -1 when too many wait. */
static int
refused_for_good(struct courier *c, enum lane lane, int64_t seq,
    const char *reason)
{
	if (is_held(c, lane, seq))
		return 0;
	log_warnx("courier", "the centre refuses %s report %lld for good: %s; "
	    "see platen outbox --refused", lane_name(lane), (long long)seq,
	    reason == NULL ? "-" : log_safe(reason));
	if (c->refusals == 0 && outbox_refuse(c->store, lane, seq,
	    reason) == 0)
		return 0;
	if (c->refusals == DELIVERY_REFUSALS)
		return -1;
	c->refusal[c->refusals].lane = lane;
	c->refusal[c->refusals].seq = seq;
	c->refusal[c->refusals++].reason = xstrdup_null(reason);
	return 0;
}

void
receipt_forget(struct courier *c)
{
	while (c->refusals > 0)
		free(c->refusal[--c->refusals].reason);
}

/* Those that the store could not take: 0 when all are aside now. */
static int
put_held_aside(struct courier *c)
{
	size_t i, n = c->refusals;

	for (i = 0; i < n; i++) {
		if (outbox_refuse(c->store, c->refusal[i].lane,
		    c->refusal[i].seq, c->refusal[i].reason) == -1)
			break;
		free(c->refusal[i].reason);
	}
	memmove(&c->refusal[0], &c->refusal[i],
	    (n - i) * sizeof(c->refusal[0]));
	c->refusals = n - i;
	return c->refusals == 0 ? 0 : -1;
}

static int
store_acks(struct courier *c)
{
	int i, rc;

	if (store_begin(c->store) == -1)
		return -1;
	for (i = rc = 0; i < LANES && rc == 0; i++)
		rc = outbox_ack(c->store, (enum lane)i, c->way[i].acked);
	if (rc == 0)
		return store_commit(c->store);
	store_rollback(c->store);
	return -1;
}

/* In this order: what was refused is gone when the rest counts as taken.  Not
 * stored means sent again: the centre knows it by its number. */
void
receipt_store(void *arg)
{
	struct courier *c = arg;

	bulletin_caught_up(c);
	if (put_held_aside(c) == 0 && store_acks(c) == 0)
		return;
	log_debug("courier", "acknowledgements wait");
	timer_after(c->loop, &c->outbox_ack, DELIVERY_POLL_MS, receipt_store, c);
}

/* Refusals whose answers were lost: before the rest counts as taken. */
int
receipt_refusals(struct courier *c, enum lane lane,
    const struct greeting_lane *told)
{
	size_t i;

	for (i = 0; i < told->refused_len; i++)
		if (refused_for_good(c, lane, told->refused[i].seq,
		    told->refused[i].reason) == -1)
			return -1;
	return 0;
}

/* Several acknowledgements of one turn are one transaction, and of more turns
 * when the disk is slow. */
static void
take_ack(struct courier *c, enum lane lane, int64_t seq)
{
	if (seq <= c->way[lane].acked)
		return;
	/* Not before: a session may begin and carry nothing, each time. */
	c->failures = 0;
	c->way[lane].acked = seq;
	if (!timer_pending(&c->outbox_ack) ||
	    store_state(c->store) == STORE_FINE)
		timer_after(c->loop, &c->outbox_ack,
		    store_pause_ms(c->store), receipt_store, c);
}

static void
take_same(struct courier *c, const xmlNode *ack)
{
	char *from, *to;
	xmlNode *same;

	for (same = xmltree_child(ack, "same", REPORT_NS); same != NULL;
	    same = xmltree_next(same)) {
		from = xmltree_attr(same, "asset");
		to = xmltree_attr(same, "known");
		if (from != NULL && to != NULL && uuid_valid(from) &&
		    uuid_valid(to) && strcmp(from, to) != 0 &&
		    store_begin(c->store) == 0) {
			if (known_rename_asset(c->store, from, to) == -1 ||
			    store_commit(c->store) == -1)
				store_rollback(c->store);
			else
				log_info("courier", "the centre knows asset "
				    "%s as %s", from, to);
		}
		free(from);
		free(to);
	}
}

static int
take_refused(struct courier *c, enum lane lane, const xmlNode *ack)
{
	xmlNode *node;
	char *reason;
	int rc = 0;

	for (node = xmltree_child(ack, "refused", REPORT_NS);
	    node != NULL && rc == 0; node = xmltree_next(node)) {
		reason = xmltree_attr(node, "reason");
		rc = refused_for_good(c, lane, xmltree_number(node, "seq"),
		    reason);
		free(reason);
	}
	if (c->refusals > 0)
		timer_after(c->loop, &c->outbox_ack, DELIVERY_POLL_MS, receipt_store, c);
	return rc;
}

/* Of what the acknowledgement names nothing may lie behind it. */
static bool
is_plausible(const struct courier *c, const xmlNode *ack, enum lane lane,
    int64_t seq)
{
	int64_t last = 0, refused;
	xmlNode *node;

	if (seq > c->way[lane].sent)
		return false;
	for (node = xmltree_child(ack, "refused", REPORT_NS); node != NULL;
	    node = xmltree_next(node)) {
		refused = xmltree_number(node, "seq");
		if (refused <= last || refused > seq)
			return false;
		last = refused;
	}
	return true;
}

void
receipt_take(struct courier *c, const struct ticket *ticket, xmlNode *content)
{
	int64_t seq = xmltree_number(content, "seq");
	char *lane = xmltree_attr(content, "lane"), why[160];

	if (report_validate(content, why, sizeof(why)) == -1 || seq == -1 ||
	    lane == NULL || strcmp(lane, lane_name(ticket->lane)) != 0)
		session_end(c, "the centre's answer makes no sense");
	else if (xmltree_is(content, "again", REPORT_NS))
		session_end(c, "a report got lost on the way");
	else if (!xmltree_is(content, "ack", REPORT_NS))
		session_end(c, "the centre's answer is none that is known");
	else if (!is_plausible(c, content, ticket->lane, seq))
		session_end(c, "the centre acknowledged what was never sent");
	else {
		take_same(c, content);
		if (take_refused(c, ticket->lane, content) == -1)
			session_end(c, "a refused report cannot be put aside");
		else {
			take_ack(c, ticket->lane, seq);
			if (seq < ticket->last)
				session_end(c, "the centre took a part only");
		}
	}
	free(lane);
}
