#include "agent/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/envelope.h"
#include "schema/xmltree.h"

#define SEALED_NS	"urn:platen:sealed:1"
#define BATCH_LEAST	1024		/* one report may be longer */
#define BATCH_SMALL_MS	(60 * 60 * 1000)	/* then more is tried again */
#define BATCH_REPORTS	512
#define BULK_FULL	(16 * 1024)	/* that wait: a message worth sending */

struct ticket *
dispatch_ticket(struct courier *c)
{
	struct ticket *ticket;

	ticket = xcalloc(1, sizeof(*ticket));
	ticket->courier = c;
	ticket->session = c->session;
	ticket->sent_ms = clock_mono_ms();
	return ticket;
}

/* NULL when the session that asked has ended. */
struct courier *
dispatch_ended(struct ticket *ticket)
{
	struct courier *c = ticket->courier;
	bool stale = ticket->session != c->session;

	free(ticket);
	return stale ? NULL : c;
}

bool
dispatch_is(const struct uplink_element *element, const char *name,
    const char *ns)
{
	return element != NULL && element->text != NULL &&
	    strcmp(element->name, name) == 0 && element->ns != NULL &&
	    strcmp(element->ns, ns) == 0;
}

static int
parse_n(const char *text, uint64_t *n)
{
	if (*text == '\0' || strlen(text) > 10 ||
	    strspn(text, "0123456789") != strlen(text))
		return -1;
	*n = strtoull(text, NULL, 10);
	return 0;
}

static void
open_answer(struct courier *c, const struct ticket *ticket,
    const struct uplink_element *element)
{
	struct envelope envelope;
	struct buf plain = { 0 };
	char why[160];
	uint64_t n;

	if (!dispatch_is(element, "sealed", SEALED_NS) || element->n == NULL) {
		session_end(c, "the centre's answer is not sealed");
		return;
	}
	if (parse_n(element->n, &n) == -1 ||
	    seal_take(c->seal, n, element->text, strlen(element->text),
	    &plain) == -1)
		session_end(c, "the centre's answer does not open");
	else if (envelope_read(plain.data, plain.len, c->conf->central,
	    c->conf->jid, &envelope, why, sizeof(why)) == -1)
		session_end(c, why);
	else {
		if (ticket->rekey)
			session_offered(c, envelope.content);
		else
			receipt_take(c, ticket, envelope.content);
		envelope_clear(&envelope);
	}
	buf_free(&plain);
}

/* A server's limit for a stanza is not known beforehand: after each stream
 * that it ended for too much, messages have half of what they had. */
void
dispatch_less(struct courier *c)
{
	if (c->batch_most / 2 < BATCH_LEAST)
		return;
	c->batch_most /= 2;
	c->batch_ms = clock_mono_ms();
	log_info("courier", "the server does not bear what is sent: messages "
	    "of at most %zu octets of reports from now on", c->batch_most);
}

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	const struct ticket ticket = *(struct ticket *)arg;
	struct courier *c;
	struct way *way;

	if ((c = dispatch_ended(arg)) == NULL)
		return;
	way = &c->way[ticket.lane];
	if (answer == UPLINK_RESULT)
		pace_answer(&way->pace, ticket.octets, way->octets,
		    ticket.sent_ms, clock_mono_ms());
	way->messages--;
	way->reports -= ticket.reports;
	way->octets -= ticket.octets;
	if (answer == UPLINK_RESULT)
		open_answer(c, &ticket, element);
	else
		session_end(c, greeting_refusal(answer == UPLINK_ERROR ? condition :
		    NULL));
	dispatch_pump(c);
}

/* Seals content and asks; the ticket is freed when that fails.  0 or -1. */
int
dispatch_sealed(struct courier *c, const char *content, size_t len,
    struct ticket *ticket)
{
	struct buf plain = { 0 }, sealed = { 0 }, xml = { 0 };
	uint64_t n;
	int rc = -1;

	envelope_write(&plain, content, len, c->conf->jid, c->conf->central,
	    clock_wall_ms());
	if (seal_put(c->seal, plain.data, plain.len, &n, &sealed) == -1) {
		session_end(c, "a report cannot be sealed");
		goto out;
	}
	buf_printf(&xml, "<sealed xmlns='" SEALED_NS "' n='%llu'>",
	    (unsigned long long)n);
	buf_put(&xml, sealed.data, sealed.len);
	buf_puts(&xml, "</sealed>");
	rc = uplink_ask(c->uplink, xml.data, xml.len, DELIVERY_ANSWER_MS, on_answer,
	    ticket);
out:
	if (rc == -1)
		free(ticket);
	else {
		c->way[ticket->lane].messages++;
		c->posted++;
	}
	buf_free(&plain);
	buf_free(&sealed);
	buf_free(&xml);
	return rc;
}

static int
send_batch(struct courier *c, const struct outbox_batch *batch,
    const struct buf *reports)
{
	struct way *way = &c->way[batch->lane];
	struct ticket *ticket = dispatch_ticket(c);

	ticket->lane = batch->lane;
	ticket->last = batch->last;
	ticket->reports = batch->reports;
	ticket->octets = reports->len;
	if (dispatch_sealed(c, reports->data, reports->len, ticket) == -1)
		return -1;
	way->reports += batch->reports;
	way->octets += reports->len;
	way->sent = batch->last;
	return 0;
}

/* Sends what may be sent of a lane.  True when nothing of it waits unsent. */
static bool
pump_lane(struct courier *c, enum lane lane)
{
	struct way *way = &c->way[lane];
	struct buf reports = { 0 };
	struct outbox_batch batch = { .lane = lane };
	size_t room;
	int rc = 1;

	if (c->batch_most < DELIVERY_BATCH_MOST &&
	    clock_mono_ms() - c->batch_ms > BATCH_SMALL_MS)
		c->batch_most = DELIVERY_BATCH_MOST;
	while (rc == 1 && c->up) {
		room = pace_room(&way->pace, way->octets);
		batch.after = way->sent;
		batch.urgent_acked = c->way[LANE_URGENT].acked;
		batch.most_bytes = room > c->batch_most ? c->batch_most :
		    room;
		batch.most = lane == LANE_URGENT ? BATCH_REPORTS :
		    OUTBOX_IN_FLIGHT_MAX - way->reports;
		if (way->messages >= c->conf->window || room == 0 ||
		    batch.most <= 0)
			break;
		buf_reset(&reports);
		rc = outbox_batch(c->store, &batch, &reports);
		if (rc == 1 && send_batch(c, &batch, &reports) == -1)
			rc = -1;
	}
	buf_free(&reports);
	return rc == 0;
}

static void
on_hold(void *arg)
{
	struct courier *c = arg;

	c->draining = true;
	dispatch_pump(c);
}

/*
 * Whether the bulk may go: many reports in one message cost little more than
 * one, so they wait for each other, but not for ever.  Once it goes, all of it
 * goes.
 */
static bool
bulk_may_go(struct courier *c)
{
	int64_t octets;
	int n;

	if (outbox_ready(c->store, LANE_BULK, c->way[LANE_BULK].sent,
	    c->draining ? 1 : OUTBOX_IN_FLIGHT_MAX, &n, &octets) == -1)
		return false;
	if (n == 0) {
		c->draining = false;
		timer_clear(c->loop, &c->hold);
	} else if (c->conf->hold_ms == 0 || octets >= BULK_FULL ||
	    n == OUTBOX_IN_FLIGHT_MAX)
		c->draining = true;
	else if (!c->draining && !timer_pending(&c->hold))
		timer_after(c->loop, &c->hold, c->conf->hold_ms, on_hold, c);
	return c->draining;
}

void
dispatch_pump(struct courier *c)
{
	if (!c->up)
		return;
	if (!seal_alive(c->seal, clock_mono_ms())) {
		if (c->way[LANE_URGENT].messages == 0 &&
		    c->way[LANE_BULK].messages == 0)
			session_begin(c);
		return;
	}
	if (pump_lane(c, LANE_URGENT) && c->up && bulk_may_go(c))
		(void)pump_lane(c, LANE_BULK);
}
