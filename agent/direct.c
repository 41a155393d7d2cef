#include "agent/direct.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/calls.h"
#include "agent/finding.h"
#include "agent/inspect.h"
#include "agent/ladder.h"
#include "agent/meter.h"
#include "agent/progress.h"
#include "agent/strangers.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/screen.h"
#include "snmp/asker.h"
#include "snmp/reading.h"
#include "snmp/vendor.h"

#define AT_ONCE		64	/* readings */
#define READING_COST	8	/* packets of one, about */
#define SHOW_MS		250

struct found {
	struct direct		*direct;
	struct hand		 hand;
	size_t			 rung;		/* of the ladder, next to try */
	int			 weight;	/* of the finding */
	char			 name[INET_ADDRSTRLEN + 8];
	struct finding		 finding;
};

struct direct {
	const struct config	*conf;
	struct ladder		*ladder;
	struct loop		*loop;
	struct calls		*calls;
	struct asker		*asker;
	struct found		**found;
	size_t			 len, room;
	size_t			 next;		/* to be read */
	size_t			 reading;
	struct meter		 meter;
	struct timer		 show;
	int64_t			 begun_ms;
	struct progress		 progress;
};

/* --- who answers -------------------------------------------------------------- */

static bool
on_known(void *arg, const struct sockaddr_in *addr)
{
	return false;
}

static struct found *
found_add(struct direct *d, const struct hand *hand)
{
	struct found *f = xcalloc(1, sizeof(*f));
	char ip[INET_ADDRSTRLEN];

	if (d->len == d->room) {
		d->room = d->room == 0 ? 64 : d->room * 2;
		d->found = xreallocarray(d->found, d->room,
		    sizeof(*d->found));
	}
	d->found[d->len++] = f;
	f->direct = d;
	f->hand = *hand;
	inet_ntop(AF_INET, &hand->addr.sin_addr, ip, sizeof(ip));
	snprintf(f->name, sizeof(f->name), "%s:%u", ip,
	    (unsigned)ntohs(hand->addr.sin_port));
	return f;
}

static bool
on_answer(void *arg, const struct hand *hand, bool fits)
{
	struct direct *d = arg;
	char why[STRANGERS_WHY_MAX];
	struct found *f;

	f = found_add(d, hand);
	if (fits)
		calls_wake(d->calls);
	else {
		/* Nothing to ask with: it is never read. */
		finding_none(&f->finding, f->name, strangers_why(hand,
		    PATROL_DENIED, why));
		d->progress.others++;
	}
	return true;
}

/* --- readings ----------------------------------------------------------------- */

static void	 on_reading(void *, struct reading_result *);

/* False when there are no more credentials. */
static bool
try_next(struct found *f)
{
	static const struct device_memo nothing_known;
	struct direct *d = f->direct;
	struct reading_target target = { .addr = f->hand.addr };
	const struct config_snmp *snmp;

	snmp = ladder_rung(d->ladder, ntohl(f->hand.addr.sin_addr.s_addr),
	    f->rung++);
	if (snmp == NULL)
		return false;
	target.credential = &snmp->credential;
	target.timeout_ms = (int)snmp->timeout_ms;
	target.retries = (int)snmp->retries;
	target.standard_only = !snmp->private;
	(void)reading_start(d->asker, d->loop, &target, READING_ALL, NULL,
	    &nothing_known, on_reading, f);
	return true;
}

/* Anything but a printer leaves it to the next credentials, as in the agent
 * (visit.c); what says most is kept. */
static void
on_reading(void *arg, struct reading_result *r)
{
	struct found *f = arg;
	struct direct *d = f->direct;
	static const int weights[] = { [READING_SILENT] = 0,
	    [READING_BROKEN] = 1, [READING_DENIED] = 2,
	    [READING_NO_PRINTER] = 3, [READING_DONE] = 4 };
	int weight = weights[r->status];
	char ip[INET_ADDRSTRLEN], why[STRANGERS_WHY_MAX];

	inet_ntop(AF_INET, &f->hand.addr.sin_addr, ip, sizeof(ip));
	if (weight > f->weight) {
		f->weight = weight;
		finding_clear(&f->finding);
		finding_make(&f->finding, f->name, ip, r, clock_wall_ms());
	}
	bag_free(r->fresh);
	if (r->status != READING_DONE && try_next(f))
		return;
	if (f->finding.host == NULL)
		finding_none(&f->finding, f->name, strangers_why(&f->hand,
		    PATROL_SILENT, why));
	if (f->finding.printer)
		d->progress.found++;
	else
		d->progress.others++;
	d->reading--;
	calls_wake(d->calls);
}

static int64_t
on_spend(void *arg, int64_t tokens, bool *more)
{
	struct direct *d = arg;
	struct found *f;
	int64_t spent = 0;

	while (d->next < d->len && d->reading < AT_ONCE && spent < tokens) {
		f = d->found[d->next++];
		if (f->finding.host != NULL)
			continue;
		d->reading++;
		(void)try_next(f);
		spent += READING_COST;
	}
	*more = d->next < d->len;
	return spent;
}

/* --- from beginning to end ---------------------------------------------------- */

static void
on_show(void *arg)
{
	struct direct *d = arg;
	const struct rounds *rounds = calls_rounds(d->calls);
	struct progress *p = &d->progress;
	int64_t took = clock_mono_ms() - d->begun_ms;
	uint64_t done, left;

	rounds_steps(rounds, &done, &left);
	p->pass = rounds_pass(rounds) > ROUNDS_PASSES ? ROUNDS_PASSES :
	    rounds_pass(rounds);
	p->done = (int64_t)rounds_done(rounds);
	p->left = (int64_t)rounds_count(rounds) - p->done;
	p->seconds_left = (done == 0 ?
	    (int64_t)(left * 1000 / (uint64_t)d->conf->rate) :
	    (int64_t)((double)left * (double)took / (double)done)) / 1000;
	meter_show(&d->meter, p);
	timer_after(d->loop, &d->show, SHOW_MS, on_show, d);
}

static bool
on_over(void *arg)
{
	struct direct *d = arg;

	return d->next == d->len && d->reading == 0;
}

static void
on_end(void *arg)
{
	struct direct *d = arg;

	loop_stop(d->loop);
}

/* The last look's answers may be on their way. */
static void
on_done(void *arg)
{
	struct direct *d = arg;

	timer_after(d->loop, &d->show, d->len > 0 ?
	    calls_listen_ms(d->calls) : 0, on_end, d);
}

static int
by_address(const void *a, const void *b)
{
	const struct found *one = *(struct found *const *)a,
	    *other = *(struct found *const *)b;
	uint32_t x = ntohl(one->hand.addr.sin_addr.s_addr),
	    y = ntohl(other->hand.addr.sin_addr.s_addr);

	return x < y ? -1 : x > y;
}

static void
print_json(const struct direct *d)
{
	struct buf out = { 0 };
	struct json js;
	size_t i;

	json_start(&js, &out);
	json_object(&js, NULL);
	progress_json(&d->progress, false, &js, "scan");
	json_array(&js, "devices");
	for (i = 0; i < d->len; i++)
		finding_json(&js, &d->found[i]->finding);
	json_array_end(&js);
	json_object_end(&js);
	fwrite(out.data, 1, out.len, stdout);
	putchar('\n');
	buf_free(&out);
}

static void
print_tables(const struct direct *d)
{
	struct screen_table *printers = inspect_printers_new(),
	    *others = inspect_others_new();
	const struct finding *f;
	char text[PROGRESS_TEXT_MAX];
	size_t i, j;

	for (i = 0; i < d->len; i++) {
		f = &d->found[i]->finding;
		for (j = 0; f->printer && j < f->printers_len; j++)
			inspect_printers_row(printers, &f->printers[j].asset);
		if (!f->printer)
			inspect_others_row(others, d->found[i]->name,
			    f->reason);
	}
	printf("%s\n\n", progress_text(&d->progress, false, text));
	screen_table_print(printers, stdout, 0);
	if (d->progress.others > 0) {
		putchar('\n');
		screen_table_print(others, stdout, 0);
	}
	screen_table_free(printers);
	screen_table_free(others);
}

int
direct_run(const struct config *conf, struct network_set *set, bool json)
{
	static const struct calls_events events = { .known = on_known,
	    .answer = on_answer, .spend = on_spend, .over = on_over,
	    .done = on_done };
	struct direct d = { .conf = conf, .progress = { .running = true,
	    .fresh = -1, .started_ms = clock_wall_ms() } };
	size_t i;
	int rc = 1;

	d.loop = loop_new();
	d.asker = asker_new(d.loop, AT_ONCE);
	d.ladder = ladder_new(conf);
	if ((d.calls = calls_new(d.loop, conf, &events, &d)) == NULL) {
		network_set_free(set);
		goto out;
	}
	meter_start(&d.meter, json);
	calls_set(d.calls, set);
	d.begun_ms = clock_mono_ms();
	calls_begin(d.calls, 1, 0);
	on_show(&d);
	loop_run(d.loop);
	meter_stop(&d.meter);
	d.progress.running = false;
	d.progress.done += d.progress.left;
	d.progress.left = 0;
	d.progress.finished_ms = clock_wall_ms();
	if (d.len > 0)
		qsort(d.found, d.len, sizeof(*d.found), by_address);
	if (json)
		print_json(&d);
	else
		print_tables(&d);
	rc = ferror(stdout) || fflush(stdout) != 0;
out:
	timer_clear(d.loop, &d.show);
	calls_free(d.calls);
	asker_free(d.asker);
	ladder_free(d.ladder);
	for (i = 0; i < d.len; i++) {
		finding_clear(&d.found[i]->finding);
		free(d.found[i]);
	}
	free(d.found);
	loop_free(d.loop);
	return rc;
}
