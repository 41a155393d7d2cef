#include "agent/courier.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/catchup.h"
#include "agent/collector.h"
#include "agent/greeting.h"
#include "agent/keeper.h"
#include "agent/keyfiles.h"
#include "agent/known.h"
#include "agent/loginconf.h"
#include "agent/outbox.h"
#include "agent/pace.h"
#include "agent/proxyconf.h"
#include "agent/store.h"
#include "agent/storekey.h"
#include "agent/supervisor.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/drop.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypto/key.h"
#include "crypto/seal.h"
#include "schema/envelope.h"
#include "schema/report.h"
#include "schema/xmltree.h"
#include "xmpp/uplink.h"

#define SEALED_NS	"urn:platen:sealed:1"
#define BATCH_MOST	(32 * 1024)	/* octets of reports in a message */
#define BATCH_LEAST	1024		/* one report may be longer */
#define BATCH_SMALL_MS	(60 * 60 * 1000)	/* then more is tried again */
#define BATCH_REPORTS	512
#define BULK_FULL	(16 * 1024)	/* that wait: a message worth sending */
#define ANSWER_MS	30000
#define RETRY_MIN_MS	1000		/* a refused handshake or session */
#define RETRY_MAX_MS	60000
#define POLL_MS		5000		/* in case a wake was lost */
#define STORE_NEWS_MS	20000		/* the collector says it again sooner */
#define LOSS_MS		(INT64_C(24) * 3600 * 1000)	/* told for so long */
#define REQUEST_MS	60000		/* one line in the log */
#define REFUSALS_MOST	64		/* that wait to be put aside */

/* Goes along with each question; the answer frees it.  An answer to an
 * earlier session's question is told by its number. */
struct ticket {
	struct courier	*courier;
	unsigned	 session;
	bool		 rekey;		/* the agent's key, no reports */
	int64_t		 sent_ms;	/* mono */
	/* Of reports: */
	enum lane	 lane;
	int64_t		 last;
	int		 reports;
	size_t		 octets;
};

/* Octets are those of the reports, before they are squashed. */
struct way {
	int64_t		 sent;		/* the last seq that was sent */
	int64_t		 acked;		/* the centre's word, not stored yet */
	int		 messages;	/* under way, and what is in them */
	int		 reports;
	size_t		 octets;
	struct pace	 pace;
};

struct courier {
	struct config	*conf;
	struct loop	*loop;
	struct store	*store;
	struct uplink	*uplink;
	struct keyfiles	 keys;
	char		 token[SECRET_MAX];
	int		 wake_fd;

	struct seal	*seal;
	unsigned	 session;	/* counts sessions */
	bool		 up;		/* the handshake is done */
	bool		 asking;	/* a handshake is under way */
	int		 failures;	/* in a row */
	int64_t		 asked_ms;	/* a request, last said */
	struct timer	 retry;
	struct timer	 poll;
	struct timer	 news;		/* of the store's state */

	struct way	 way[LANES];
	size_t		 batch_most;	/* BATCH_MOST, or what the server bears */
	int64_t		 batch_ms;	/* mono: since then */
	struct timer	 outbox_ack;
	struct timer	 hold;		/* the bulk waits for more of it */
	bool		 draining;	/* until it is all sent */
	struct catchup	 catchup;
	int64_t		 posted;	/* messages in this session */
	bool		 damaged;	/* the store could not be opened for it */

	/* What platen status says of the uplink. */
	struct {
		char	 state[24], why[256];
		int64_t	 since_ms;	/* wall */
		bool	 unwritten;
	}		 seen;

	/* The store: as it is here, and as the collector sees it. */
	struct audit	*audit;
	enum store_state store_here, store_there;
	int64_t		 there_ms;	/* mono: it said so */
	int64_t		 lost_ms;	/* wall: the last one was damaged */
	char		 shown[UPLINK_STATUS_MAX];	/* uplink_status() */
	struct {
		enum lane lane;
		int64_t	 seq;
		char	*reason;
	}		 refusal[REFUSALS_MOST];
	size_t		 refusals;
};

static void	 handshake(struct courier *);
static void	 offer_key(struct courier *);
static void	 pump(struct courier *);

/* --- what the operator sees ------------------------------------------------- */

static void
write_seen(struct courier *c)
{
	c->seen.unwritten = true;
	if (store_begin(c->store) == -1)
		return;
	if (store_set_note(c->store, "uplink_state", c->seen.state) == -1 ||
	    store_set_note(c->store, "uplink_why", c->seen.why) == -1 ||
	    store_set_note_int(c->store, "uplink_since",
	    c->seen.since_ms) == -1)
		store_rollback(c->store);
	else if (store_commit(c->store) == 0)
		c->seen.unwritten = false;
}

/* A disk that takes it not is asked again, by on_poll(). */
static void
note_state(struct courier *c, const char *state, const char *why)
{
	if (why == NULL)
		why = "";
	if (strcmp(c->seen.state, state) == 0 &&
	    strncmp(c->seen.why, why, sizeof(c->seen.why) - 1) == 0)
		return;
	snprintf(c->seen.state, sizeof(c->seen.state), "%s", state);
	snprintf(c->seen.why, sizeof(c->seen.why), "%s", why);
	c->seen.since_ms = clock_wall_ms();
	write_seen(c);
}

/* --- how far catching up is -------------------------------------------------- */

static void
note_catchup(struct courier *c)
{
	char text[CATCHUP_TEXT_MAX];

	/* Only for the eye: it is no matter if it is not stored. */
	(void)store_set_note(c->store, "catchup", c->catchup.since_ms == 0 ?
	    NULL : catchup_format(&c->catchup, text));
}

static void
begin_catchup(struct courier *c, const struct outbox_lane *lane)
{
	bool before = c->catchup.since_ms != 0;
	char *note;

	catchup_begin(&c->catchup, lane, clock_wall_ms());
	note = store_note(c->store, "catchup");
	if (c->catchup.since_ms != 0) {
		c->draining = true;
		log_info("courier", "catching up: %lld urgent reports wait, "
		    "%lld of the bulk",
		    (long long)(c->catchup.to[LANE_URGENT] -
		    c->catchup.from[LANE_URGENT]),
		    (long long)(c->catchup.to[LANE_BULK] -
		    c->catchup.from[LANE_BULK]));
	}
	if (c->catchup.since_ms != 0 || before || *note != '\0')
		note_catchup(c);
	free(note);
}

static void
go_on_catchup(struct courier *c)
{
	const int64_t acked[LANES] = {
		[LANE_BULK] = c->way[LANE_BULK].acked,
		[LANE_URGENT] = c->way[LANE_URGENT].acked };
	int64_t done, total;

	if (c->catchup.since_ms == 0)
		return;
	catchup_progress(&c->catchup, acked, &done, &total);
	if (done < total)
		return;
	log_info("courier", "caught up: the centre has all %lld reports that "
	    "had waited, in %lld messages", (long long)total,
	    (long long)c->posted);
	c->catchup.since_ms = 0;
	note_catchup(c);
}

/* --- the store's state, and what it could not take yet ------------------------ */

/* What is to be told of it: the worse of both. */
static enum store_state
worst_store(const struct courier *c)
{
	enum store_state there = c->store_there;

	if (clock_mono_ms() - c->there_ms > STORE_NEWS_MS)
		there = STORE_FINE;
	return there > c->store_here ? there : c->store_here;
}

/* In our presence: what is wrong now, else for a day that a store was lost. */
static void
show_store(struct courier *c)
{
	enum store_state state = worst_store(c);
	struct keeper_loss loss;
	char text[UPLINK_STATUS_MAX], when[CLOCK_TEXT_MAX];

	if (state == STORE_DAMAGED)
		return;
	text[0] = '\0';
	if (state != STORE_FINE)
		snprintf(text, sizeof(text), "%s", store_state_text(state));
	else if (c->lost_ms != 0 && clock_wall_ms() - c->lost_ms < LOSS_MS) {
		keeper_loss(c->store, &loss);
		snprintf(text, sizeof(text), "the store was damaged and began "
		    "anew at %s, %lld reports saved",
		    clock_format(loss.at_ms, when), (long long)loss.saved);
		keeper_loss_clear(&loss);
	}
	if (strcmp(text, c->shown) == 0)
		return;
	memcpy(c->shown, text, sizeof(text));
	uplink_status(c->uplink, text[0] == '\0' ? NULL : text);
}

static void
on_news(void *arg)
{
	show_store(arg);
}

static void
on_store(void *arg, enum store_state state, const char *why)
{
	struct courier *c = arg;

	c->store_here = state;
	if (state == STORE_DAMAGED)
		loop_stop(c->loop);
	else	/* the store is not to be asked here */
		timer_after(c->loop, &c->news, 0, on_news, c);
}

/* Single bytes; see collector.h. */
static void
take_store_news(struct courier *c, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] >= WAKE_STORE &&
		    bytes[i] < WAKE_STORE + (int)STORE_DAMAGED) {
			c->store_there = (enum store_state)(bytes[i] -
			    WAKE_STORE);
			c->there_ms = clock_mono_ms();
		}
	show_store(c);
}

/* The keys, for `platen status` and `platen rekey`. */
static void
note_keys(struct courier *c)
{
	char print[48], *old = store_note(c->store, "key");

	key_fingerprint(c->keys.own.public, print);
	if (strcmp(old, print) != 0)
		(void)store_set_note(c->store, "key", print);
	free(old);
}

/* --- the session ------------------------------------------------------------- */

static void
wake_collector(struct courier *c, char what)
{
	if (write(c->wake_fd, &what, 1) == -1 && errno != EAGAIN)
		log_debug("courier", "the collector cannot be woken");
}

static void
on_retry(void *arg)
{
	handshake(arg);
}

/* Ends the session; a new one is tried after a pause that grows. */
static void
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
	note_state(c, "no session", why);
	timer_after(c->loop, &c->retry, pause, on_retry, c);
}

/* The centre wants everything once more: the collector does that. */
static void
want_whole(struct courier *c)
{
	if (store_set_note(c->store, "whole", "1") == 0)
		wake_collector(c, WAKE_WHOLE);
}

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
	if (c->refusals == REFUSALS_MOST)
		return -1;
	c->refusal[c->refusals].lane = lane;
	c->refusal[c->refusals].seq = seq;
	c->refusal[c->refusals++].reason = xstrdup_null(reason);
	return 0;
}

static void
forget_refusals(struct courier *c)
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
static void
on_store_ack(void *arg)
{
	struct courier *c = arg;

	go_on_catchup(c);
	if (put_held_aside(c) == 0 && store_acks(c) == 0)
		return;
	log_debug("courier", "acknowledgements wait");
	timer_after(c->loop, &c->outbox_ack, POLL_MS, on_store_ack, c);
}

/* Refusals whose answers were lost: before the rest counts as taken. */
static int
put_aside(struct courier *c, enum lane lane, const struct greeting_lane *told)
{
	size_t i;

	for (i = 0; i < told->refused_len; i++)
		if (refused_for_good(c, lane, told->refused[i].seq,
		    told->refused[i].reason) == -1)
			return -1;
	return 0;
}

/* --- the handshake ------------------------------------------------------------- */

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
session_begin(struct courier *c, const struct greeting *welcome,
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
		forget_refusals(c);
		if (outbox_new_epoch(c->store) == 0)
			want_whole(c);
		session_end(c, "a new epoch begins");
		return;
	}
	begin_pace(c);
	c->posted = 0;
	for (i = 0; i < LANES; i++) {
		if (put_aside(c, (enum lane)i, &welcome->lane[i]) == -1) {
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
	note_keys(c);
	if (next == KEYFILES_ANEW) {
		handshake(c);
		return;
	}
	on_store_ack(c);
	log_info("courier", "session with %s, which has everything up to "
	    "%lld urgent and %lld of the bulk", c->conf->central,
	    (long long)c->way[LANE_URGENT].acked,
	    (long long)c->way[LANE_BULK].acked);
	note_state(c, "connected", NULL);
	for (i = 0; i < LANES; i++)
		here[i].acked_seq = c->way[i].acked;
	begin_catchup(c, here);
	if (welcome->whole)
		want_whole(c);
	if (next == KEYFILES_OFFER)
		offer_key(c);
	pump(c);
}

static struct ticket *
ticket_new(struct courier *c)
{
	struct ticket *ticket;

	ticket = xcalloc(1, sizeof(*ticket));
	ticket->courier = c;
	ticket->session = c->session;
	ticket->sent_ms = clock_mono_ms();
	return ticket;
}

/* NULL when the session that asked has ended. */
static struct courier *
take_ticket(struct ticket *ticket)
{
	struct courier *c = ticket->courier;
	bool stale = ticket->session != c->session;

	free(ticket);
	return stale ? NULL : c;
}

static bool
is_element(const struct uplink_element *element, const char *name,
    const char *ns)
{
	return element != NULL && element->text != NULL &&
	    strcmp(element->name, name) == 0 && element->ns != NULL &&
	    strcmp(element->ns, ns) == 0;
}

static void
on_handshake(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct buf payload = { 0 };
	struct greeting welcome;
	const struct ticket ticket = *(struct ticket *)arg;
	struct courier *c;

	if ((c = take_ticket(arg)) == NULL)
		return;
	c->asking = false;
	if (answer == UPLINK_ERROR && keyfiles_refused(&c->keys, condition)) {
		handshake(c);
		return;
	}
	if (answer != UPLINK_RESULT) {
		session_end(c, greeting_refusal(answer == UPLINK_ERROR ? condition :
		    NULL));
		return;
	}
	if (!is_element(element, "handshake", GREETING_NS) ||
	    seal_finish(c->seal, element->text, strlen(element->text),
	    &payload) == -1) {
		if (keyfiles_refused(&c->keys, ""))
			handshake(c);
		else
			session_end(c, "the centre's answer does not open: is "
			    "[crypto] central_key the centre's key?");
	}
	else if (greeting_welcome(&payload, &welcome) == -1)
		session_end(c, "the centre's welcome makes no sense to this "
		    "version");
	else {
		session_begin(c, &welcome, ticket.sent_ms);
		greeting_clear(&welcome);
	}
	buf_free(&payload);
}

static void
handshake(struct courier *c)
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
	    keyfiles_central(&c->keys), c->conf->jid, c->conf->central, hello.data, hello.len, clock_mono_ms(),
	    &message);
	if (c->seal == NULL) {
		session_end(c, "the handshake cannot be made");
		goto out;
	}
	buf_puts(&xml, "<handshake xmlns='" GREETING_NS "'>");
	buf_put(&xml, message.data, message.len);
	buf_puts(&xml, "</handshake>");
	ticket = ticket_new(c);
	c->asking = true;
	if (uplink_ask(c->uplink, xml.data, xml.len, ANSWER_MS,
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

/* --- reports out, acknowledgements in ------------------------------------------ */

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
		    store_pause_ms(c->store), on_store_ack, c);
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
		timer_after(c->loop, &c->outbox_ack, POLL_MS, on_store_ack, c);
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

/* The centre knows the key: the one in use, or the next. */
static void
take_rekey(struct courier *c, const xmlNode *content)
{
	if (!xmltree_is(content, "rekey", GREETING_NS))
		session_end(c, "the centre does not take the agent's new key");
	else if (c->keys.has_next) {
		keyfiles_offered(&c->keys);
		handshake(c);
	}
}

static void
take_answer(struct courier *c, const struct ticket *ticket, xmlNode *content)
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

	if (!is_element(element, "sealed", SEALED_NS) || element->n == NULL) {
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
			take_rekey(c, envelope.content);
		else
			take_answer(c, ticket, envelope.content);
		envelope_clear(&envelope);
	}
	buf_free(&plain);
}

/* A server's limit for a stanza is not known beforehand: after each stream
 * that it ended for too much, messages have half of what they had. */
static void
smaller_batches(struct courier *c)
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

	if ((c = take_ticket(arg)) == NULL)
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
	pump(c);
}

/* Seals content and asks; the ticket is freed when that fails.  0 or -1. */
static int
send_sealed(struct courier *c, const char *content, size_t len,
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
	rc = uplink_ask(c->uplink, xml.data, xml.len, ANSWER_MS, on_answer,
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
	struct ticket *ticket = ticket_new(c);

	ticket->lane = batch->lane;
	ticket->last = batch->last;
	ticket->reports = batch->reports;
	ticket->octets = reports->len;
	if (send_sealed(c, reports->data, reports->len, ticket) == -1)
		return -1;
	way->reports += batch->reports;
	way->octets += reports->len;
	way->sent = batch->last;
	return 0;
}

/*
 * Tells the centre of the agent's next key under its present one; or, under
 * the next one, that it is in use, which makes the other worthless.
 */
static void
offer_key(struct courier *c)
{
	char public[KEY_TEXT_MAX];
	struct ticket *ticket = ticket_new(c);
	struct buf xml = { 0 };

	key_format_public(c->keys.has_next ? c->keys.next.public :
	    c->keys.own.public, public);
	buf_printf(&xml, "<rekey xmlns='" GREETING_NS "' key='%s'/>", public);
	ticket->lane = LANE_URGENT;
	ticket->rekey = true;
	(void)send_sealed(c, xml.data, xml.len, ticket);
	buf_free(&xml);
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

	if (c->batch_most < BATCH_MOST &&
	    clock_mono_ms() - c->batch_ms > BATCH_SMALL_MS)
		c->batch_most = BATCH_MOST;
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
	pump(c);
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

static void
pump(struct courier *c)
{
	if (!c->up)
		return;
	if (!seal_alive(c->seal, clock_mono_ms())) {
		if (c->way[LANE_URGENT].messages == 0 &&
		    c->way[LANE_BULK].messages == 0)
			handshake(c);
		return;
	}
	if (pump_lane(c, LANE_URGENT) && c->up && bulk_may_go(c))
		(void)pump_lane(c, LANE_BULK);
}

/* --- events ------------------------------------------------------------------- */

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	struct courier *c = arg;

	switch (state) {
	case UPLINK_READY:
		/* Also when the centre announces itself anew. */
		c->asking = false;
		c->failures = 0;
		handshake(c);
		break;
	case UPLINK_ONLINE:
		session_end(c, NULL);
		note_state(c, "centre absent", why);
		break;
	case UPLINK_CONNECTING:
		session_end(c, NULL);
		break;
	case UPLINK_DOWN:
		session_end(c, NULL);
		if (uplink_sent_too_much(c->uplink))
			smaller_batches(c);
		note_state(c, "not connected", why);
		break;
	}
}

/* This version takes no commands. */
static void
on_request(void *arg, const char *id, const struct uplink_element *element)
{
	struct courier *c = arg;

	if (c->asked_ms == 0 || clock_mono_ms() - c->asked_ms >= REQUEST_MS) {
		log_warnx("courier", "a request from the centre is refused: "
		    "this version takes no commands");
		c->asked_ms = clock_mono_ms();
	}
	uplink_refuse(c->uplink, id, "feature-not-implemented", NULL);
}

static void
on_wake(void *arg, int fd, unsigned events)
{
	struct courier *c = arg;
	char bytes[64];
	ssize_t n;

	if ((n = read(fd, bytes, sizeof(bytes))) <= 0)
		return;
	take_store_news(c, bytes, (size_t)n);
	if (memchr(bytes, WAKE_REKEY, (size_t)n) != NULL &&
	    keyfiles_begin(&c->keys) == 0 && c->up)
		offer_key(c);
	pump(c);
}

static void
on_poll(void *arg)
{
	struct courier *c = arg;

	if (c->store_here != STORE_FINE)
		store_try(c->store);
	if (c->seen.unwritten)
		write_seen(c);
	show_store(c);
	pump(c);
	timer_after(c->loop, &c->poll, POLL_MS, on_poll, c);
}

static void
on_signal(void *arg, int signo)
{
	struct courier *c = arg;

	loop_stop(c->loop);
}

/* --- start -------------------------------------------------------------------- */

/*
 * Read while we may.  It is told at every start, for as long as it is there:
 * the centre goes by the key that it knows, and a new token counts when the
 * agent has been enrolled anew.
 */
static int
load_token(struct courier *c)
{
	const char *path = c->conf->token_file;

	if (c->conf->token != NULL)
		snprintf(c->token, sizeof(c->token), "%s", c->conf->token);
	else if (path != NULL && access(path, F_OK) == -1 && errno == ENOENT)
		log_info("courier", "%s is not there any more: going on "
		    "without a token", path);
	else if (path != NULL)
		return secret_read(path, "[crypto] token_file", c->token,
		    sizeof(c->token));
	return 0;
}

static int
start(struct courier *c)
{
	struct uplink_config uc = { 0 };
	static const struct uplink_events events = { on_state, on_request };
	char proxy_password[PROXY_SECRET_MAX + 1];
	struct loginconf login = { 0 };
	struct proxy proxy;
	struct lock *early = NULL;
	uint8_t configured[KEY_LEN];
	int rc = -1, proxied;

	if (key_library_init() == -1 ||
	    key_parse_public(c->conf->central_key, configured) == -1)
		return -1;
	if (loginconf_load(c->conf, &login) == -1 || load_token(c) == -1 ||
	    (proxied = proxyconf_load(c->conf, &proxy,
	    proxy_password)) == -1)
		goto out;
	if (storekey_is_early(c->conf))
		early = storekey_load(c->conf);
	if (drop_privileges(c->conf->user) == -1 || supervisor_follow(0) == -1)
		goto out;
	report_schema_load();
	c->store = storekey_open(c->conf, early, &c->damaged);
	early = NULL;
	if (c->store == NULL || keyfiles_load(&c->keys, c->conf->state_dir,
	    configured) == -1)
		goto out;
	note_keys(c);
	c->loop = loop_new();
	uc.jid = c->conf->jid;
	uc.password = login.password;
	uc.client_cert = login.cert;
	uc.client_key = login.key;
	uc.allow_plain = c->conf->allow_plain;
	uc.pins = c->conf->pins.item;
	uc.pin_count = c->conf->pins.count;
	uc.host = c->conf->host;
	uc.port = (int)c->conf->port;
	uc.fallback_port = (int)c->conf->fallback_port;
	uc.proxy = proxied ? &proxy : NULL;
	uc.ca_file = c->conf->ca_file;
	uc.central = c->conf->central;
	uc.version = PLATEN_VERSION;
	c->uplink = uplink_new(c->loop, &uc, &events, c);
	rc = c->uplink == NULL ? -1 : 0;
out:
	loginconf_free(&login);
	secret_wipe(proxy_password, sizeof(proxy_password));
	lock_free(early);
	return rc;
}

int
courier_run(const char *config_path, int wake_fd)
{
	struct courier c = { .wake_fd = wake_fd, .batch_most = BATCH_MOST };
	int rc = 1;

	log_role("uplink");
	if ((c.conf = config_read(config_path, CONFIG_UPLINK)) == NULL)
		return 1;
	srandom((unsigned)(clock_wall_ms() ^ getpid()));
	if (start(&c) == 0) {
		c.audit = audit_new(c.loop, c.store);
		c.lost_ms = store_note_int(c.store, "damaged_at", 0);
		show_store(&c);
		store_watch(c.store, on_store, &c);
		loop_signal(c.loop, SIGTERM, on_signal, &c);
		loop_signal(c.loop, SIGINT, on_signal, &c);
		loop_watch(c.loop, wake_fd, LOOP_READ, on_wake, &c);
		timer_after(c.loop, &c.poll, POLL_MS, on_poll, &c);
		uplink_start(c.uplink);
		loop_run(c.loop);
		uplink_stop(c.uplink);
		note_state(&c, "stopped", NULL);
		c.damaged = store_state(c.store) == STORE_DAMAGED;
		store_watch(c.store, NULL, NULL);
		rc = 0;
	}
	session_end(&c, NULL);
	if (c.loop != NULL) {
		timer_clear(c.loop, &c.retry);
		timer_clear(c.loop, &c.poll);
		timer_clear(c.loop, &c.outbox_ack);
		timer_clear(c.loop, &c.news);
		timer_clear(c.loop, &c.hold);
		loop_watch(c.loop, wake_fd, 0, NULL, NULL);
	}
	uplink_free(c.uplink);
	audit_free(c.audit);
	forget_refusals(&c);
	loop_free(c.loop);
	store_close(c.store);
	secret_wipe(c.token, sizeof(c.token));
	keyfiles_clear(&c.keys);
	config_free(c.conf);
	return c.damaged ? SUPERVISOR_DAMAGED : rc;
}
