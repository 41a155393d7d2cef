#include "agent/sweep.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/findings.h"
#include "agent/handover.h"
#include "agent/hosts.h"
#include "agent/rounds.h"
#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/hail.h"

#define TICK_MS		10	/* packets leave in small groups */
#define QUIET_MS	500	/* while there is only progress to write */
#define LOOKS_MAX	20000	/* addresses stepped over in a tick */
#define READING_COST	8	/* packets of a first reading, about */
#define NOTE_MS		2000	/* how often progress is written */
#define KNOWN_FIRST_MS	40000	/* at most, for known printers to answer */

enum phase {
	IDLE,
	KNOWN_FIRST,		/* the patrol asks those that it knows */
	CALLING,		/* in a pass */
	LISTENING,		/* after a pass */
	THIRD			/* the scan is over; looks for v3 engines */
};

struct sweep {
	struct loop		*loop;
	const struct config	*conf;
	struct store		*store;
	struct patrol		*patrol;
	struct hail		*hail;
	struct hosts		*hosts;
	struct handover		*handover;
	struct findings		*findings;
	struct network_set	*allowed;	/* all but what is excluded */
	struct network_set	*set;		/* of this scan */
	struct rounds		*rounds;
	uint8_t			*answered;	/* a bit for each address */
	struct bucket		 bucket;

	enum phase		 phase;
	struct timer		 tick;		/* calls out, hands over */
	bool			 quiet;		/* nothing to send, then */
	struct timer		 turn;		/* to the next phase */
	struct timer		 again;		/* the next scan */
	int64_t			 new_ms;	/* mono */
	int64_t			 noted_ms;
	int64_t			 pass_ms;	/* mono: it began */
	int64_t			 begun_ms;	/* mono: for the time to go */
	uint64_t		 begun_steps;
	uint32_t		 near;		/* the /24 that was looked at */
	bool			 near_answers;
	struct progress		 progress;
};

static void	 on_tick(void *);
static void	 on_turn(void *);
static void	 begin_pass(struct sweep *, int, uint32_t);

/* --- what is looked at -------------------------------------------------------- */

static struct range *
parse_ranges(const struct ini_list *list, size_t *len)
{
	struct range *ranges;
	char why[128];
	size_t i;

	ranges = xcalloc(list->count + NETWORK_ATTACHED_MAX,
	    sizeof(*ranges));
	for (i = 0, *len = 0; i < list->count; i++)
		if (range_parse(list->item[i], &ranges[*len], why,
		    sizeof(why)) == 0)
			(*len)++;
	return ranges;
}

/* Everything but [discovery] exclude. */
static struct network_set *
make_allowed(const struct config *conf)
{
	static const struct range all = { .first = 0, .last = UINT32_MAX };
	struct network_set *set;
	struct range *exclude;
	size_t n;

	exclude = parse_ranges(&conf->exclude, &n);
	set = network_set_new(&all, 1, exclude, n);
	free(exclude);
	return set;
}

/* Without any networks and hosts it is the subnets that we stand in, as they
 * are now. */
static void
make_set(struct sweep *s)
{
	struct range *networks, *exclude;
	size_t networks_len, exclude_len;

	networks = parse_ranges(&s->conf->networks, &networks_len);
	exclude = parse_ranges(&s->conf->exclude, &exclude_len);
	if (s->conf->networks.count == 0 && s->conf->hosts.count == 0)
		networks_len = network_attached(networks);
	rounds_free(s->rounds);
	network_set_free(s->set);
	s->set = network_set_new(networks, networks_len, exclude,
	    exclude_len);
	s->rounds = rounds_new(s->conf, s->set);
	free(s->answered);
	s->answered = xcalloc(network_set_count(s->set) / 8 + 1, 1);
	free(networks);
	free(exclude);
}

static bool
has_answered(const struct sweep *s, size_t index)
{
	return (s->answered[index / 8] >> (index % 8) & 1) != 0;
}

/* True when it is news. */
static bool
note_answer(struct sweep *s, uint32_t address)
{
	size_t index = s->set == NULL ? SIZE_MAX :
	    network_set_index(s->set, address);

	if (index == SIZE_MAX || has_answered(s, index))
		return false;
	s->answered[index / 8] |= (uint8_t)(1u << (index % 8));
	return true;
}

/* --- progress ----------------------------------------------------------------- */

/* The longest that anybody is given for a first answer. */
static int64_t
patience_ms(const struct sweep *s)
{
	int64_t most = 0;
	size_t i;

	for (i = 0; i < s->conf->snmp_len; i++)
		if (s->conf->snmp[i].timeout_ms > most)
			most = s->conf->snmp[i].timeout_ms;
	return most;
}

/* From how long the part that is done took; before there is one, from the
 * rate. */
static int64_t
seconds_left(const struct sweep *s, uint64_t steps_done, uint64_t steps_left)
{
	int64_t ms, took = clock_mono_ms() - s->begun_ms;

	if (s->phase == KNOWN_FIRST || steps_done - s->begun_steps < 100 ||
	    took < 1000)
		ms = (int64_t)(steps_left * 1000 / (uint64_t)s->conf->rate);
	else
		ms = (int64_t)((double)steps_left * (double)took /
		    (double)(steps_done - s->begun_steps));
	if (s->phase == CALLING)
		ms += patience_ms(s) * 2;
	return (ms + 999) / 1000;
}

static void
update_progress(struct sweep *s)
{
	struct progress *p = &s->progress;
	uint64_t done, left;

	if (!p->running)
		return;
	rounds_steps(s->rounds, &done, &left);
	p->pass = rounds_pass(s->rounds);
	p->done = (int64_t)rounds_done(s->rounds);
	p->left = (int64_t)rounds_count(s->rounds) - p->done;
	p->where = rounds_where(s->rounds);
	p->seconds_left = seconds_left(s, done, left);
}

/* A note that is lost costs a part of a pass after a restart, no more. */
static void
note_progress(struct sweep *s, bool now)
{
	int64_t mono = clock_mono_ms();

	if (!now && mono - s->noted_ms < NOTE_MS)
		return;
	s->noted_ms = mono;
	update_progress(s);
	(void)progress_write(s->store, &s->progress);
}

void
sweep_progress(const struct sweep *s, struct progress *out)
{
	*out = s->progress;
}

/* --- who answers -------------------------------------------------------------- */

static void
wake(struct sweep *s)
{
	if (!timer_pending(&s->tick) || s->quiet)
		timer_after(s->loop, &s->tick, 0, on_tick, s);
	s->quiet = false;
}

static void
on_reading(void *arg, const struct hand *hand, enum patrol_find find)
{
	struct sweep *s = arg;

	if (hand->host != NULL)
		hosts_answered(hand->host, find);
	else if (hand->tries == 1 && find == PATROL_PRINTER) {
		s->progress.found++;
		s->progress.fresh++;
	} else if (hand->tries == 1)
		s->progress.others++;
	else if (find == PATROL_PRINTER) {
		s->progress.found++;
		s->progress.fresh++;
		s->progress.others--;
	}
	findings_add(s->findings, hand, find);
	note_progress(s, false);
}

/*
 * An SNMPv3 engine that no user is configured for is not worth a reading: it
 * would only be silent.  In a pass it is none of ours either, but a late
 * answer to an earlier third look: v2c has its turn yet.
 */
static void
on_answer(void *arg, const struct hail_answer *a)
{
	struct sweep *s = arg;
	uint32_t address = ntohl(a->addr.sin_addr.s_addr);
	struct hand hand = { .addr = a->addr, .version = a->version,
	    .elsewhere = a->elsewhere, .enterprise = a->enterprise };
	bool known = s->rounds != NULL && (a->version != 3 ||
	    rounds_has_v3(s->rounds, address, ntohs(a->addr.sin_port)));
	size_t index;

	if ((!known && s->progress.running) || !note_answer(s, address) ||
	    patrol_has(s->patrol, &a->addr))
		return;
	index = network_set_index(s->set, address);
	(void)network_set_address(s->set, index, &hand.zone);
	if (!known) {
		s->progress.others++;
		findings_add(s->findings, &hand, PATROL_DENIED);
		return;
	}
	if (!handover_add(s->handover, &hand))
		s->answered[index / 8] &= (uint8_t)~(1u << (index % 8));
	wake(s);
}

static void
on_host(void *arg, void *host, const struct sockaddr_in *addr)
{
	struct sweep *s = arg;
	struct hand hand = { .addr = *addr, .host = host };

	if (network_set_index(s->allowed, ntohl(addr->sin_addr.s_addr)) ==
	    SIZE_MAX)
		return;
	(void)handover_add(s->handover, &hand);
	wake(s);
}

/* --- calling out -------------------------------------------------------------- */

/* Third looks are for networks where somebody answered: an address in one
 * that is not used at all is asked twice as it is. */
static bool
is_near_an_answer(struct sweep *s, const struct look *look)
{
	uint32_t address = look->address & ~UINT32_C(255), i;
	size_t index;

	if (s->near == address)
		return s->near_answers;
	s->near = address;
	s->near_answers = false;
	for (i = 0; i < 256 && !s->near_answers; i++) {
		index = network_set_index(s->set, address + i);
		s->near_answers = index != SIZE_MAX && has_answered(s, index);
	}
	return s->near_answers;
}

static bool
is_worth_a_call(struct sweep *s, const struct look *look,
    const struct sockaddr_in *addr)
{
	if (look->version == 0 || has_answered(s, look->index))
		return false;
	if (patrol_has(s->patrol, addr)) {
		(void)note_answer(s, look->address);
		s->progress.found++;
		return false;
	}
	return s->phase != THIRD || is_near_an_answer(s, look);
}

/* As much as the bucket allows; false when the pass is over. */
static bool
call_out(struct sweep *s, int64_t tokens)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct look look;
	int n;

	for (n = 0; n < LOOKS_MAX && tokens > 0 && hail_room(s->hail) > 0;
	    n++) {
		if (!rounds_next(s->rounds, &look))
			return false;
		addr.sin_addr.s_addr = htonl(look.address);
		addr.sin_port = htons(look.port);
		if (!is_worth_a_call(s, &look, &addr))
			continue;
		if (hail_send(s->hail, &addr, look.version, look.community)) {
			bucket_take(&s->bucket, 1);
			tokens--;
		}
	}
	return true;
}

/*
 * Between the first call and the second an address is given time to answer,
 * and twice that after the second.  The second pass comes to each address in
 * the same order and at the same pace, so what the first took is time given.
 */
static int64_t
listen_ms(const struct sweep *s)
{
	int64_t patience = patience_ms(s), took;

	if (network_set_count(s->set) == 0)
		return 0;
	if (s->progress.pass == ROUNDS_PASSES)
		return 2 * patience;
	took = clock_mono_ms() - s->pass_ms;
	return took < patience ? patience - took : 0;
}

static void
pass_over(struct sweep *s)
{

	if (s->phase == THIRD) {
		s->phase = IDLE;
		note_progress(s, true);
		return;
	}
	s->phase = LISTENING;
	timer_after(s->loop, &s->turn, listen_ms(s), on_turn, s);
}

static bool
is_calling(const struct sweep *s)
{
	return s->phase == CALLING || s->phase == THIRD;
}

static void
on_tick(void *arg)
{
	struct sweep *s = arg;
	int64_t now = clock_mono_ms(), tokens, wait;

	tokens = bucket_look(&s->bucket, now);
	if (tokens > 0 && handover_waiting(s->handover) > 0) {
		bucket_take(&s->bucket, READING_COST * (int64_t)
		    handover_start(s->handover,
		    (size_t)(tokens + READING_COST - 1) / READING_COST));
		tokens = bucket_look(&s->bucket, now);
	}
	if (is_calling(s) && tokens > 0 && !call_out(s, tokens))
		pass_over(s);
	if (s->progress.running)
		note_progress(s, false);
	if (is_calling(s) || handover_waiting(s->handover) > 0) {
		wait = bucket_wait_ms(&s->bucket, 1);
		timer_after(s->loop, &s->tick, wait > TICK_MS ? wait :
		    TICK_MS, on_tick, s);
		s->quiet = false;
	} else if (s->progress.running) {
		timer_after(s->loop, &s->tick, QUIET_MS, on_tick, s);
		s->quiet = true;
	}
}

/* --- from phase to phase ------------------------------------------------------ */

static void
finish(struct sweep *s)
{
	struct progress *p = &s->progress;

	p->done += p->left;
	p->left = 0;
	p->running = false;
	p->finished_ms = clock_wall_ms();
	p->seconds_left = 0;
	findings_forget(s->findings, s->set, p->started_ms);
	note_progress(s, true);
	if (network_set_count(s->set) > 0)
		log_info("sweep", "%lld addresses looked at: %lld printers, "
		    "%lld of them new, %lld others", (long long)p->done,
		    (long long)p->found, (long long)p->fresh,
		    (long long)p->others);
	rounds_go(s->rounds, ROUNDS_THIRD, 0);
	s->phase = THIRD;
	s->near = 0;
	wake(s);
}

static void
on_turn(void *arg)
{
	struct sweep *s = arg;

	if (s->phase == KNOWN_FIRST)
		begin_pass(s, s->progress.pass, s->progress.where);
	else if (s->progress.pass < ROUNDS_PASSES)
		begin_pass(s, s->progress.pass + 1, 0);
	else if (handover_waiting(s->handover) +
	    handover_reading(s->handover) > 0)
		timer_after(s->loop, &s->turn, TICK_MS, on_turn, s);
	else
		finish(s);
}

static void
begin_pass(struct sweep *s, int pass, uint32_t where)
{
	uint64_t left;

	rounds_go(s->rounds, pass, where);
	if (s->phase == KNOWN_FIRST) {
		s->begun_ms = clock_mono_ms();
		rounds_steps(s->rounds, &s->begun_steps, &left);
	}
	s->phase = CALLING;
	s->pass_ms = clock_mono_ms();
	s->progress.pass = pass;
	note_progress(s, true);
	wake(s);
}

/*
 * Printers that are known are asked first, where they were: one that has
 * moved is then known to have left, and comes out as moved and not as
 * another.  The patrol does that by itself within half a heartbeat.
 */
static int64_t
known_first_ms(const struct sweep *s)
{
	struct patrol_counts counts;
	int64_t until;

	patrol_count(s->patrol, &counts);
	if (counts.online + counts.asleep + counts.unreachable == 0)
		return 0;
	until = s->conf->heartbeat_ms / 2 + patience_ms(s);
	until = s->new_ms + (until < KNOWN_FIRST_MS ? until :
	    KNOWN_FIRST_MS) - clock_mono_ms();
	return until > 0 ? until : 0;
}

static void
on_again(void *arg)
{
	sweep_scan(arg);
}

static void
wait_for_next(struct sweep *s, int64_t after)
{
	timer_after(s->loop, &s->again, after, on_again, s);
}

static void
begin_scan(struct sweep *s)
{
	hosts_start(s->hosts);
	s->phase = KNOWN_FIRST;
	s->progress.running = true;
	wait_for_next(s, s->conf->interval_ms);
	timer_after(s->loop, &s->turn, known_first_ms(s), on_turn, s);
}

void
sweep_scan(struct sweep *s)
{
	struct progress *p = &s->progress;
	int64_t finished = p->finished_ms;

	if (p->running || s->hail == NULL) {
		hosts_start(s->hosts);
		wait_for_next(s, s->conf->interval_ms);
		return;
	}
	make_set(s);
	memset(p, 0, sizeof(*p));
	p->pass = 1;
	p->left = (int64_t)network_set_count(s->set);
	p->started_ms = clock_wall_ms();
	p->finished_ms = finished;
	p->fingerprint = rounds_fingerprint(s->rounds);
	begin_scan(s);
	note_progress(s, true);
}

/*
 * What has answered since the scan began is not asked again.  Printers that
 * were met already are counted again here, the others when they are met.
 */
static void
on_known(void *arg, uint32_t address, bool printer)
{
	struct sweep *s = arg;

	if (printer && s->progress.pass == 1 &&
	    address >= s->progress.where)
		return;
	if (!note_answer(s, address))
		return;
	if (printer)
		s->progress.found++;
	else
		s->progress.others++;
}

/* False when there is nothing to go on with. */
static bool
go_on(struct sweep *s)
{
	struct progress *p = &s->progress;

	if (!p->running || p->pass < 1 || p->pass > ROUNDS_PASSES)
		return false;
	make_set(s);
	if (p->fingerprint != rounds_fingerprint(s->rounds))
		return false;
	log_info("sweep", "going on with the scan that was interrupted");
	p->found = p->others = 0;
	findings_each(s->findings, p->started_ms, on_known, s);
	begin_scan(s);
	return true;
}

void
sweep_start(struct sweep *s)
{
	struct progress *p = &s->progress;
	int64_t now = clock_wall_ms(), due;

	progress_read(s->store, p);
	if (s->hail != NULL && go_on(s))
		return;
	due = p->started_ms + s->conf->interval_ms;
	if (p->running || due <= now || p->started_ms > now) {
		p->running = false;
		sweep_scan(s);
	} else {
		hosts_start(s->hosts);
		wait_for_next(s, due - now);
	}
}

struct sweep *
sweep_new(struct loop *loop, const struct config *conf, struct store *store,
    struct patrol *patrol)
{
	struct sweep *s;

	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->conf = conf;
	s->store = store;
	s->patrol = patrol;
	s->new_ms = clock_mono_ms();
	s->hail = hail_new(loop, on_answer, s);
	s->hosts = hosts_new(loop, conf, patrol, on_host, s);
	s->handover = handover_new(loop, patrol, on_reading, s);
	s->findings = findings_new(loop, store);
	s->allowed = make_allowed(conf);
	bucket_init(&s->bucket, conf->rate, conf->rate / 20, s->new_ms);
	return s;
}

void
sweep_free(struct sweep *s)
{
	if (s == NULL)
		return;
	timer_clear(s->loop, &s->tick);
	timer_clear(s->loop, &s->turn);
	timer_clear(s->loop, &s->again);
	if (s->progress.running)
		note_progress(s, true);
	hosts_free(s->hosts);
	handover_free(s->handover);
	findings_free(s->findings);
	hail_free(s->hail);
	rounds_free(s->rounds);
	network_set_free(s->set);
	network_set_free(s->allowed);
	free(s->answered);
	free(s);
}
