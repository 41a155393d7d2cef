#include "agent/sweep.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/calls.h"
#include "agent/handover.h"
#include "agent/hosts.h"
#include "agent/rounds.h"
#include "agent/strangers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define READING_COST	8	/* packets of a first reading, about */
#define NOTE_MS		2000	/* how often progress is written */
#define KNOWN_FIRST_MS	40000	/* at most, for known printers to answer */

struct sweep {
	struct loop		*loop;
	const struct config	*conf;
	struct store		*store;
	struct patrol		*patrol;
	struct calls		*calls;
	struct hosts		*hosts;
	struct handover		*handover;
	struct strangers	*strangers;
	struct network_set	*allowed;	/* all but what is excluded */

	struct timer		 begin;		/* the scan's first pass */
	struct timer		 again;		/* the next scan */
	struct timer		 note;
	bool			 begun;		/* passes, that is */
	int64_t			 new_ms;	/* mono */
	int64_t			 begun_ms;	/* mono: for the time to go */
	uint64_t		 begun_steps;
	struct progress		 progress;
};

/* --- what is looked at -------------------------------------------------------- */

/* Without any networks and hosts it is the subnets that we stand in, as they
 * are now. */
static void
set_networks(struct sweep *s)
{
	struct range *networks, *exclude;
	size_t networks_len, exclude_len;

	networks = range_parse_list(&s->conf->networks,
	    NETWORK_ATTACHED_MAX, &networks_len);
	exclude = range_parse_list(&s->conf->exclude, 0, &exclude_len);
	if (s->conf->networks.count == 0 && s->conf->hosts.count == 0)
		networks_len = network_attached(networks);
	calls_set(s->calls, network_set_new(networks, networks_len, exclude,
	    exclude_len));
	free(networks);
	free(exclude);
}

/* --- progress ----------------------------------------------------------------- */

/* From how long the part that is done took; before there is one, from the
 * rate. */
static int64_t
seconds_left(const struct sweep *s)
{
	int64_t ms, took = clock_mono_ms() - s->begun_ms;
	uint64_t done, left;

	rounds_steps(calls_rounds(s->calls), &done, &left);
	if (!s->begun || done - s->begun_steps < 100 || took < 1000)
		ms = (int64_t)(left * 1000 / (uint64_t)s->conf->rate);
	else
		ms = (int64_t)((double)left * (double)took /
		    (double)(done - s->begun_steps));
	if (left > 0)
		ms += calls_listen_ms(s->calls);
	return (ms + 999) / 1000;
}

/* A note that is lost costs a part of a pass after a restart, no more. */
static void
note_progress(struct sweep *s)
{
	const struct rounds *rounds = calls_rounds(s->calls);
	struct progress *p = &s->progress;

	if (s->begun) {
		p->pass = rounds_pass(rounds);
		p->where = rounds_where(rounds);
		p->done = (int64_t)rounds_done(rounds);
		p->left = (int64_t)rounds_count(rounds) - p->done;
	}
	if (p->running)
		p->seconds_left = seconds_left(s);
	(void)progress_write(s->store, p);
}

static void
on_note(void *arg)
{
	struct sweep *s = arg;

	note_progress(s);
	if (s->progress.running)
		timer_after(s->loop, &s->note, NOTE_MS, on_note, s);
}

/* Soon, when there is no scan whose next note has it anyway. */
static void
note_soon(struct sweep *s)
{
	if (!timer_pending(&s->note))
		timer_after(s->loop, &s->note, NOTE_MS, on_note, s);
}

void
sweep_progress(const struct sweep *s, struct progress *out)
{
	*out = s->progress;
}

/* --- who answers -------------------------------------------------------------- */

static bool
on_known(void *arg, const struct sockaddr_in *addr)
{
	struct sweep *s = arg;

	if (!patrol_has(s->patrol, addr))
		return false;
	s->progress.found += s->progress.running;
	return true;
}

/* An SNMPv3 engine that no user is configured for is not worth a reading: it
 * would only be silent. */
static bool
on_answer(void *arg, const struct hand *hand, bool fits)
{
	struct sweep *s = arg;

	if (fits) {
		if (!handover_add(s->handover, hand))
			return false;
		calls_wake(s->calls);
	} else {
		s->progress.others++;
		strangers_add(s->strangers, hand, PATROL_DENIED);
		note_soon(s);
	}
	return true;
}

static int64_t
on_spend(void *arg, int64_t tokens, bool *more)
{
	struct sweep *s = arg;
	size_t n;

	n = handover_start(s->handover,
	    (size_t)(tokens + READING_COST - 1) / READING_COST);
	*more = handover_waiting(s->handover) > 0;
	return READING_COST * (int64_t)n;
}

static void
on_reading(void *arg, const struct hand *hand, enum patrol_find find)
{
	struct sweep *s = arg;

	strangers_add(s->strangers, hand, find);
	calls_wake(s->calls);
	if (hand->host != NULL) {
		hosts_answered(hand->host, find);
		return;
	}
	if (find == PATROL_PRINTER) {
		s->progress.found++;
		s->progress.fresh++;
		s->progress.others -= hand->tries > 1;
	} else if (hand->tries == 1)
		s->progress.others++;
	note_soon(s);
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
	calls_wake(s->calls);
}

/* --- a scan ------------------------------------------------------------------- */

/* Both passes are over; the scan is when those that answered are read. */
static bool
on_over(void *arg)
{
	struct sweep *s = arg;
	struct progress *p = &s->progress;

	if (handover_waiting(s->handover) + handover_reading(s->handover) > 0)
		return false;
	note_progress(s);
	s->begun = false;
	p->running = false;
	p->finished_ms = clock_wall_ms();
	p->seconds_left = 0;
	strangers_forget(s->strangers, calls_network(s->calls), p->started_ms);
	note_progress(s);
	if (p->done > 0)
		log_info("sweep", "%lld addresses looked at: %lld printers, "
		    "%lld of them new, %lld others", (long long)p->done,
		    (long long)p->found, (long long)p->fresh,
		    (long long)p->others);
	return true;
}

static void
on_done(void *arg)
{
	note_progress(arg);
}

static void
on_begin(void *arg)
{
	struct sweep *s = arg;
	uint64_t left;

	calls_begin(s->calls, s->progress.pass, s->progress.where);
	rounds_steps(calls_rounds(s->calls), &s->begun_steps, &left);
	s->begun_ms = clock_mono_ms();
	s->begun = true;
	on_note(s);
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
	until = s->conf->heartbeat_ms / 2 + calls_listen_ms(s->calls);
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
begin_scan(struct sweep *s)
{
	hosts_start(s->hosts);
	s->begun = false;
	s->progress.running = true;
	note_progress(s);
	timer_after(s->loop, &s->again, s->conf->interval_ms, on_again, s);
	timer_after(s->loop, &s->begin, known_first_ms(s), on_begin, s);
}

void
sweep_scan(struct sweep *s)
{
	struct progress *p = &s->progress;
	int64_t finished = p->finished_ms;

	if (p->running) {
		timer_after(s->loop, &s->again, s->conf->interval_ms,
		    on_again, s);
		return;
	}
	set_networks(s);
	memset(p, 0, sizeof(*p));
	p->pass = 1;
	p->left = (int64_t)rounds_count(calls_rounds(s->calls));
	p->started_ms = clock_wall_ms();
	p->finished_ms = finished;
	p->fingerprint = rounds_fingerprint(calls_rounds(s->calls));
	begin_scan(s);
}

/*
 * What has answered since the scan began is not asked again.  Printers that
 * were met already are counted again here, the others when they are met.
 */
static void
on_met(void *arg, uint32_t address, bool printer)
{
	struct sweep *s = arg;

	if (printer && s->progress.pass == 1 &&
	    address >= s->progress.where)
		return;
	if (!calls_spare(s->calls, address))
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
	set_networks(s);
	if (p->fingerprint != rounds_fingerprint(calls_rounds(s->calls)))
		return false;
	log_info("sweep", "going on with the scan that was interrupted");
	p->found = p->others = 0;
	strangers_each(s->strangers, p->started_ms, on_met, s);
	begin_scan(s);
	return true;
}

void
sweep_start(struct sweep *s)
{
	struct progress *p = &s->progress;
	int64_t now = clock_wall_ms(), due;

	progress_read(s->store, p);
	if (go_on(s))
		return;
	due = p->started_ms + s->conf->interval_ms;
	if (p->running || due <= now || p->started_ms > now) {
		p->running = false;
		sweep_scan(s);
	} else {
		hosts_start(s->hosts);
		timer_after(s->loop, &s->again, due - now, on_again, s);
	}
}

/* --- exports ------------------------------------------------------------------ */

struct sweep *
sweep_new(struct loop *loop, const struct config *conf, struct store *store,
    struct patrol *patrol)
{
	static const struct calls_events events = { .known = on_known,
	    .answer = on_answer, .spend = on_spend, .over = on_over,
	    .done = on_done };
	struct sweep *s;

	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->conf = conf;
	s->store = store;
	s->patrol = patrol;
	s->new_ms = clock_mono_ms();
	if ((s->calls = calls_new(loop, conf, &events, s)) == NULL)
		fatalx("sweep", "no printers can be looked for");
	s->hosts = hosts_new(loop, conf, patrol, on_host, s);
	s->handover = handover_new(loop, patrol, on_reading, s);
	s->strangers = strangers_new(loop, store, patrol);
	s->allowed = network_set_all_but(&conf->exclude);
	return s;
}

void
sweep_free(struct sweep *s)
{
	if (s == NULL)
		return;
	timer_clear(s->loop, &s->begin);
	timer_clear(s->loop, &s->again);
	timer_clear(s->loop, &s->note);
	if (s->progress.running)
		note_progress(s);
	hosts_free(s->hosts);
	handover_free(s->handover);
	strangers_free(s->strangers);
	calls_free(s->calls);
	network_set_free(s->allowed);
	free(s);
}
