#include "agent/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/collector.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/key.h"
#include "schema/xmltree.h"

#define RETRY_MIN_MS	1000		/* a refused handshake or session */
#define RETRY_MAX_MS	60000

static void
wake_collector(struct courier *c, char what)
{
	if (write(c->wake_fd, &what, 1) == -1 && errno != EAGAIN)
		log_debug("courier", "the collector cannot be woken");
}

/* The centre wants everything once more: the collector does that. */
void
session_want_whole(struct courier *c)
{
	if (store_set_note(c->store, "whole", "1") == 0)
		wake_collector(c, WAKE_WHOLE);
}

static void
on_retry(void *arg)
{
	session_begin(arg);
}

/* Ends the session; a new one is tried after a pause that grows. */
void
session_end(struct courier *c, const char *why)
{
	int64_t pause;
	int i;

	seal_free(c->seal);
	c->seal = NULL;
	c->up = c->asking = false;
	c->session++;
	for (i = 0; i < LANES; i++)
		c->way[i].messages = c->way[i].reports = 0;
	for (i = 0; i < LANES; i++)
		c->way[i].octets = 0;
	if (why == NULL || uplink_state(c->uplink) != UPLINK_READY)
		return;
	pause = uplink_backoff_ms(c->failures++, RETRY_MIN_MS, RETRY_MAX_MS,
	    (double)random() / ((double)RAND_MAX + 1));
	log_warnx("courier", "no session with the centre: %s; trying again "
	    "in %lld s", why, (long long)(pause + 999) / 1000);
	bulletin_state(c, "no session", why);
	timer_after(c->loop, &c->retry, pause, on_retry, c);
}

/* The centre has reports of this epoch that we do not know of: this store is
 * an old copy.  Never count on from it. */
static bool
is_old_copy(const struct outbox_lane *here, const struct greeting *welcome)
{
	int i;

	for (i = 0; i < LANES; i++) {
		if (welcome->lane[i].committed < here[i].next_seq)
			continue;
		log_warnx("courier", "the store is older than what the "
		    "centre has (%s report %lld, here %lld): beginning a new "
		    "epoch", lane_name((enum lane)i),
		    (long long)welcome->lane[i].committed,
		    (long long)here[i].next_seq - 1);
		return true;
	}
	return false;
}

/* What a line and a server bear is found anew with each session.  A message of
 * the bulk shall not keep an alert for more than two seconds; nothing urgent
 * shall wait until its answer counts as lost. */
static void
begin_pace(struct courier *c)
{
	pace_start(&c->way[LANE_BULK].pace, 2 * 1024, 16 * 1024, 512 * 1024,
	    1000, 2000);
	pace_start(&c->way[LANE_URGENT].pace, 8 * 1024, 64 * 1024, 512 * 1024,
	    4000, 8000);
}

static void
welcomed(struct courier *c, const struct greeting *welcome,
    int64_t asked_ms)
{
	int64_t skew = welcome->time_ms - clock_wall_ms();
	struct outbox_lane here[LANES];
	enum keyfiles_next next;
	int i;

	for (i = 0; i < LANES; i++)
		if (outbox_numbers(c->store, (enum lane)i, &here[i]) == -1) {
			session_end(c, "the store cannot be read");
			return;
		}
	if (skew > 60000 || skew < -60000)
		log_warnx("courier", "this clock and the centre's differ by "
		    "%lld s: check the time service", (long long)skew / 1000);
	if (is_old_copy(here, welcome)) {
		receipt_forget(c);
		if (outbox_new_epoch(c->store) == 0)
			session_want_whole(c);
		session_end(c, "a new epoch begins");
		return;
	}
	begin_pace(c);
	c->posted = 0;
	for (i = 0; i < LANES; i++) {
		if (receipt_refusals(c, (enum lane)i, &welcome->lane[i]) == -1) {
			session_end(c, "the store cannot be written");
			return;
		}
		c->way[i].sent = c->way[i].acked = welcome->lane[i].seq;
		pace_answer(&c->way[i].pace, 0, 0, asked_ms, clock_mono_ms());
	}
	/* Used up; the key is bound to the account now. */
	secret_wipe(c->token, sizeof(c->token));
	c->up = true;
	next = keyfiles_welcomed(&c->keys, welcome->has_key ? welcome->key :
	    NULL);
	bulletin_keys(c);
	if (next == KEYFILES_ANEW) {
		session_begin(c);
		return;
	}
	receipt_store(c);
	log_info("courier", "session with %s, which has everything up to "
	    "%lld urgent and %lld of the bulk", c->conf->central,
	    (long long)c->way[LANE_URGENT].acked,
	    (long long)c->way[LANE_BULK].acked);
	bulletin_state(c, "connected", NULL);
	for (i = 0; i < LANES; i++)
		here[i].acked_seq = c->way[i].acked;
	bulletin_catchup(c, here);
	if (welcome->whole)
		session_want_whole(c);
	if (next == KEYFILES_OFFER)
		session_offer_key(c);
	dispatch_pump(c);
}

static void
on_handshake(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct buf payload = { 0 };
	struct greeting welcome;
	const struct ticket ticket = *(struct ticket *)arg;
	struct courier *c;

	if ((c = dispatch_ended(arg)) == NULL)
		return;
	c->asking = false;
	if (answer == UPLINK_ERROR && keyfiles_refused(&c->keys, condition)) {
		session_begin(c);
		return;
	}
	if (answer != UPLINK_RESULT) {
		session_end(c, greeting_refusal(answer == UPLINK_ERROR ? condition :
		    NULL));
		return;
	}
	if (!dispatch_is(element, "handshake", GREETING_NS) ||
	    seal_finish(c->seal, element->text, strlen(element->text),
	    &payload) == -1) {
		if (keyfiles_refused(&c->keys, ""))
			session_begin(c);
		else
			session_end(c, "the centre's answer does not open: is "
			    "[crypto] central_key the centre's key?");
	}
	else if (greeting_welcome(&payload, &welcome) == -1)
		session_end(c, "the centre's welcome makes no sense to this "
		    "version");
	else {
		welcomed(c, &welcome, ticket.sent_ms);
		greeting_clear(&welcome);
	}
	buf_free(&payload);
}

void
session_begin(struct courier *c)
{
	struct buf hello = { 0 }, message = { 0 }, xml = { 0 };
	struct outbox_lane lane;
	char epoch[UUID_TEXT_MAX];
	int64_t acked[LANES];
	struct ticket *ticket;
	int i, read;

	if (uplink_state(c->uplink) != UPLINK_READY || c->asking)
		return;
	timer_clear(c->loop, &c->retry);
	session_end(c, NULL);
	for (i = read = 0; i < LANES; i++) {
		read |= outbox_numbers(c->store, (enum lane)i, &lane);
		acked[i] = lane.acked_seq;
	}
	if (read == -1 || store_epoch(c->store, epoch) == -1) {
		session_end(c, "the store cannot be read");
		goto out;
	}
	greeting_hello(&hello, epoch, acked, c->token);
	c->seal = seal_open(keyfiles_own(&c->keys),
	    keyfiles_central(&c->keys), c->conf->jid, c->conf->central,
	    hello.data, hello.len, clock_mono_ms(), &message);
	if (c->seal == NULL) {
		session_end(c, "the handshake cannot be made");
		goto out;
	}
	buf_puts(&xml, "<handshake xmlns='" GREETING_NS "'>");
	buf_put(&xml, message.data, message.len);
	buf_puts(&xml, "</handshake>");
	ticket = dispatch_ticket(c);
	c->asking = true;
	if (uplink_ask(c->uplink, xml.data, xml.len, DELIVERY_ANSWER_MS,
	    on_handshake, ticket) == -1) {
		free(ticket);
		c->asking = false;
		session_end(c, "not connected");
	}
out:
	if (hello.data != NULL)
		secret_wipe(hello.data, hello.len);
	buf_free(&hello);
	buf_free(&message);
	buf_free(&xml);
}

/*
 * Tells the centre of the agent's next key under its present one; or, under
 * the next one, that it is in use, which makes the other worthless.
 */
void
session_offer_key(struct courier *c)
{
	char public[KEY_TEXT_MAX];
	struct ticket *ticket = dispatch_ticket(c);
	struct buf xml = { 0 };

	key_format_public(c->keys.has_next ? c->keys.next.public :
	    c->keys.own.public, public);
	buf_printf(&xml, "<rekey xmlns='" GREETING_NS "' key='%s'/>", public);
	ticket->lane = LANE_URGENT;
	ticket->rekey = true;
	(void)dispatch_sealed(c, xml.data, xml.len, ticket);
	buf_free(&xml);
}

/* The centre knows the key: the one in use, or the next. */
void
session_offered(struct courier *c, const xmlNode *content)
{
	if (!xmltree_is(content, "rekey", GREETING_NS))
		session_end(c, "the centre does not take the agent's new key");
	else if (c->keys.has_next) {
		keyfiles_offered(&c->keys);
		session_begin(c);
	}
}
