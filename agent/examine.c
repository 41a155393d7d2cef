#include "agent/examine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "snmp/standard.h"

#define TIMES_MAX	1024	/* answers whose times are kept */

struct run {
	struct examine		*exam;
	struct loop		*loop;
	struct asker		*asker;
	struct sockaddr_in	 addr;
	int			 timeout_ms, retries;
	struct talk		*talk;
	int64_t			 asked_ms;
	struct examine_sum	*sum;		/* the reading under way */
	int			 times[TIMES_MAX];
	int			 times_len;
};

/* --- every credential once ------------------------------------------------------- */

static void
on_tried(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct run *run = arg;
	struct examine_try *try = &run->exam->tried[run->exam->tries - 1];

	switch (status) {
	case TALK_OK:
	case TALK_TOO_BIG:
		try->works = true;
		snprintf(try->outcome, sizeof(try->outcome),
		    "answers in %lld ms",
		    (long long)(clock_mono_ms() - run->asked_ms));
		break;
	case TALK_TIMEOUT:
		snprintf(try->outcome, sizeof(try->outcome), "no answer%s",
		    try->version == 3 ? "" : " (a wrong community gets "
		    "none)");
		break;
	case TALK_REFUSED:
		snprintf(try->outcome, sizeof(try->outcome), "refused: "
		    "nothing listens on UDP port %d",
		    ntohs(run->addr.sin_port));
		break;
	case TALK_ERROR:
	case TALK_DENIED:
		snprintf(try->outcome, sizeof(try->outcome), "%s",
		    talk_why(status, error));
		break;
	}
	loop_stop(run->loop);
}

static bool
try_one(struct run *run, const struct credential *credential, int version)
{
	struct talk_target target = { .addr = run->addr,
	    .credential = credential, .version = version,
	    .timeout_ms = run->timeout_ms, .retries = run->retries };
	struct examine_try *try = &run->exam->tried[run->exam->tries++];
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };

	try->name = credential->name;
	try->version = version;
	objid_parse(STD_SYS_OBJECT_ID, &id);
	run->asked_ms = clock_mono_ms();
	run->talk = talk_new(run->asker, &target);
	talk_ask(run->talk, &question, on_tried, run);
	loop_run(run->loop);
	talk_free(run->talk);
	run->talk = NULL;
	return try->works;
}

static void
try_all(struct run *run, const struct credential *const list[], size_t n)
{
	static const int versions[] = { 2, 1 };
	struct examine *v = run->exam;
	size_t i, k;
	bool works;

	for (i = 0; i < n && v->tries + 2 <= EXAMINE_TRIES_MAX; i++) {
		works = false;
		if (list[i]->version != 0)
			works = try_one(run, list[i], list[i]->version);
		for (k = 0; k < 2 && list[i]->version == 0; k++)
			works |= try_one(run, list[i], versions[k]);
		if (works && v->credential == NULL)
			v->credential = list[i];
	}
}

/* --- what is asked and answered ---------------------------------------------------- */

static struct bag *
recording_for(struct examine *v, const char *context)
{
	struct examine_recording *r;
	size_t i;

	if (context == NULL)
		context = "";
	for (i = 0; i < v->recordings; i++)
		if (strcmp(v->recording[i].context, context) == 0)
			return v->recording[i].bag;
	if (v->recordings == EXAMINE_RECORDINGS_MAX ||
	    strlen(context) >= sizeof(r->context))
		return NULL;
	r = &v->recording[v->recordings++];
	memcpy(r->context, context, strlen(context) + 1);
	r->bag = bag_new();
	return r->bag;
}

static void
note_fault(struct examine *v, const struct talk_event *e)
{
	static const char *const ops[] = { "GET", "GETNEXT", "GETBULK" };
	static const char *const outcomes[] = {
		[TALK_TIMEOUT] = "no answer",
		[TALK_REFUSED] = "refused",
		[TALK_TOO_BIG] = "tooBig",
	};
	char text[OBJID_TEXT_MAX], status[32];
	const char *why = status;

	if (v->faults == EXAMINE_FAULTS_MAX)
		return;
	if (e->status == TALK_ERROR && e->error_status > 0)
		snprintf(status, sizeof(status), "error status %d",
		    e->error_status);
	else if (e->status == TALK_ERROR || e->status == TALK_DENIED)
		why = talk_why(e->status, e->error_status);
	else
		why = outcomes[e->status];
	v->fault[v->faults++] = xasprintf("%s of %zu from %s%s%s: %s",
	    ops[e->question->op], e->question->n,
	    objid_format(&e->question->ids[0], text),
	    e->context == NULL ? "" : ", context ",
	    e->context == NULL ? "" : e->context, why);
}

static void
on_event(void *arg, const struct talk_event *e)
{
	struct run *run = arg;
	struct bag *bag;
	size_t i;

	if (run->sum == NULL)
		return;
	run->sum->requests++;
	run->sum->varbinds += (int)e->question->n;
	if (e->status != TALK_OK) {
		note_fault(run->exam, e);
		return;
	}
	if (run->times_len < TIMES_MAX)
		run->times[run->times_len++] = (int)e->took_ms;
	bag = recording_for(run->exam, e->context);
	for (i = 0; i < e->vb_len; i++)
		if (e->vb[i].missing)
			run->sum->absent++;
		else if (bag != NULL)
			bag_put(bag, &e->vb[i].id, &e->vb[i].value);
}

static int
cmp_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void
sum_up(struct run *run)
{
	struct examine_sum *sum = run->sum;

	if (run->times_len > 0) {
		qsort(run->times, (size_t)run->times_len, sizeof(int),
		    cmp_int);
		sum->fastest_ms = run->times[0];
		sum->median_ms = run->times[run->times_len / 2];
		sum->slowest_ms = run->times[run->times_len - 1];
	}
	run->times_len = 0;
	run->sum = NULL;
}

/* --- the two readings ---------------------------------------------------------------- */

struct outcome {
	struct run		*run;
	struct reading_result	*into;
};

static void
on_reading(void *arg, struct reading_result *result)
{
	struct outcome *outcome = arg;

	*outcome->into = *result;
	outcome->into->covered = NULL;
	outcome->into->covered_len = 0;
	loop_stop(outcome->run->loop);
}

static void
read_part(struct run *run, unsigned what, const struct bag *image,
    const struct device_memo *memo, bool standard_only,
    struct examine_sum *sum, struct reading_result *into)
{
	struct reading_target target = { .addr = run->addr,
	    .credential = run->exam->credential,
	    .timeout_ms = run->timeout_ms, .retries = run->retries,
	    .standard_only = standard_only };
	struct outcome outcome = { run, into };
	int64_t start_ms = clock_mono_ms();

	run->sum = sum;
	reading_start(run->asker, run->loop, &target, what, image, memo,
	    on_reading, &outcome);
	loop_run(run->loop);
	sum->took_ms = clock_mono_ms() - start_ms;
	sum->traffic = into->traffic;
	sum_up(run);
}

void
examine_make(struct examine *v, const struct sockaddr_in *addr,
    const struct credential *const list[], size_t n, int timeout_ms,
    int retries, bool standard_only)
{
	static const struct device_memo unknown;
	struct reading_result beat = { 0 };
	struct run run = { .exam = v, .addr = *addr,
	    .timeout_ms = timeout_ms, .retries = retries };

	memset(v, 0, sizeof(*v));
	run.loop = loop_new();
	run.asker = asker_new(run.loop, 1);
	asker_watch(run.asker, on_event, &run);
	try_all(&run, list, n);
	if (v->credential != NULL)
		read_part(&run, READING_ALL, NULL, &unknown, standard_only,
		    &v->whole, &v->all);
	if (v->all.status == READING_DONE && v->all.fresh != NULL) {
		read_part(&run, READING_HEARTBEAT, v->all.fresh,
		    &v->all.memo, standard_only, &v->heartbeat, &beat);
		bag_free(beat.fresh);
	}
	asker_free(run.asker);
	loop_free(run.loop);
}

void
examine_clear(struct examine *v)
{
	size_t i;

	for (i = 0; i < v->recordings; i++)
		bag_free(v->recording[i].bag);
	for (i = 0; i < v->faults; i++)
		free(v->fault[i]);
	bag_free(v->all.fresh);
	memset(v, 0, sizeof(*v));
}
