#include "snmp/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/contrast.h"
#include "snmp/course.h"
#include "snmp/errand.h"
#include "snmp/mux.h"
#include "snmp/vendor.h"

#define VARBINDS_FIRST		10	/* what tools at large ask at once */
#define VARBINDS_MORE		5	/* after each that was answered */
#define VARBINDS_KNOWN		24	/* of objects that it has answered */
#define VARBINDS_MOST		32	/* after it has answered so many */
#define REQUESTS_MAX		400	/* of one reading */
#define TIMEOUTS_MAX		6	/* that a living device may cost */
#define CONTEXT			"Jetdirect"

struct reading {
	struct asker		*asker;
	struct loop		*loop;
	struct talk		*talk;
	struct talk_target	 target;
	bool			 version_fixed, version_changed;
	struct timer		 timer;		/* the start */
	struct course		 course;
	struct device_memo	 memo;
	uint8_t			 varbinds_given;	/* of memo */
	bool			 cut_short;	/* not all of it was read */
	bool			 alone_tried;
	uint64_t		 strays;	/* before it was asked */

	enum talk_op		 op;		/* of the last request */
	size_t			 asked;		/* in it */
	size_t			 window;	/* most in the next: it grows */
	size_t			 window_max;
	size_t			 narrow;	/* this many for now; 0: limit */
	int			 requests, timeouts;
	bool			 answered;
	int64_t			 asked_ms, rtt_ms;
	struct talk_traffic	 traffic;	/* of talks that have gone */
	char			 why[160];

	reading_fn		*fn;
	void			*arg;
};

static void	 step(struct reading *);

/* The first thing that was odd is what is told. */
static void __attribute__((format(printf, 2, 3)))
say(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	if (r->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

static void
talk_over(struct reading *r)
{
	const struct talk_traffic *traffic;

	if (r->talk == NULL)
		return;
	traffic = talk_traffic(r->talk);
	r->traffic.requests += traffic->requests;
	r->traffic.bytes_out += traffic->bytes_out;
	r->traffic.bytes_in += traffic->bytes_in;
	talk_free(r->talk);
	r->talk = NULL;
}

static void
talk_start(struct reading *r, const char *context)
{
	struct talk_target target = r->target;

	talk_over(r);
	target.context = context;
	r->talk = talk_new(r->asker, &target);
}

static void
reading_free(struct reading *r)
{
	timer_clear(r->loop, &r->timer);
	talk_over(r);
	course_clear(&r->course);
	free(r);
}

/* What the image may forget: everything after a whole reading, else what
 * was read to its end.  Of a printer that sleeps next to nothing. */
static void
fill_covered(struct reading *r, struct reading_result *result)
{
	static const struct objid everything;	/* our own notes as well */

	if (result->status != READING_DONE || r->cut_short ||
	    !(r->course.what & READING_ALL) ||
	    contrast_asleep(r->course.before, r->course.fresh)) {
		course_covered(&r->course, &result->covered,
		    &result->covered_len);
		return;
	}
	result->covered = xmalloc(sizeof(everything));
	*result->covered = everything;
	result->covered_len = 1;
}

static void
fill_moved(const struct course *c, struct reading_result *result)
{
	if (c->what & READING_ALL)
		return;
	result->restarted = contrast_restarted(c->before, c->fresh);
	if (!(c->what & (READING_HEARTBEAT | READING_KNOWN_ALERTS)))
		return;
	result->alerts_moved = result->restarted ||
	    contrast_alerts_moved(c->before, c->fresh);
	result->supplies_moved = contrast_supplies_moved(c->before, c->fresh);
}

static void
fill_result(struct reading *r, struct reading_result *result)
{
	struct course *c = &r->course;

	if (result->status == READING_NO_PRINTER)
		snprintf(r->why, sizeof(r->why), "%s", c->why);
	say(r, "%s", course_why(c));
	memcpy(result->why, r->why, sizeof(result->why));
	if (result->status == READING_DONE ||
	    result->status == READING_BROKEN)
		fill_covered(r, result);
	if (result->status == READING_DONE) {
		if (c->what & (READING_ALL | READING_COUNTERS))
			vendor_sample(c->fresh);
		fill_moved(c, result);
	}
	result->fresh = c->fresh;
	c->fresh = NULL;
	if (vendor_no_bulk(c->vendor))
		r->memo.bulk = MEMO_BULK_NO;
	result->memo = r->memo;
	result->memo.jetdirect = c->jetdirect;
	talk_over(r);
	result->traffic = r->traffic;
	result->rtt_ms = r->answered ? r->rtt_ms : -1;
}

static void
finish(struct reading *r, enum reading_status status)
{
	struct reading_result result = { .status = status };
	reading_fn *fn = r->fn;
	void *arg = r->arg;

	fill_result(r, &result);
	reading_free(r);
	fn(arg, &result);
	free(result.covered);
}

/* On to the next phase.  False when there was none, and r is gone. */
static bool
advance(struct reading *r)
{
	switch (course_advance(&r->course)) {
	case COURSE_ON:
		return true;
	case COURSE_ON_CONTEXT:
		talk_start(r, CONTEXT);
		return true;
	case COURSE_DONE:
		finish(r, READING_DONE);
		return false;
	case COURSE_NO_PRINTER:
		finish(r, READING_NO_PRINTER);
		return false;
	}
	return false;
}

static size_t
varbinds_now(const struct reading *r)
{
	size_t n = r->window;

	/* Nobody has refused a single one yet. */
	if (r->memo.version == 0 && !r->answered)
		return 1;
	if (r->memo.varbinds != 0 && r->memo.varbinds < n)
		n = r->memo.varbinds;
	return r->narrow != 0 && r->narrow < n ? r->narrow : n;
}

/* GETBULK does not work after all: on without it, and never again. */
static void
no_bulk(struct reading *r)
{
	r->memo.bulk = MEMO_BULK_NO;
	course_set_bulk(&r->course, false);
}

static void
remember_limit(struct reading *r)
{
	size_t n = r->asked > VARBINDS_KNOWN ? VARBINDS_KNOWN : r->asked / 2;

	r->memo.varbinds = (uint8_t)(n > 0 ? n : 1);
}

/* Another error than tooBig: find out which object it is about. */
static void
narrow_down(struct reading *r, const char *reason)
{
	if (r->asked > 1)
		r->narrow = r->asked / 2;
	else
		errand_skip(r->course.errand, reason);
}

static void
version_other(struct reading *r)
{
	r->version_changed = true;
	r->target.version = r->target.version == 1 ? 2 : 1;
	course_set_bulk(&r->course, false);
	/* v1 has no GETBULK. */
	course_set_bulk(&r->course, r->memo.bulk == MEMO_BULK_YES &&
	    r->target.version >= 2);
	talk_start(r, NULL);
	step(r);
}

/* Answers came from where nobody was asked while this one did not answer:
 * they may be its own. */
static bool
retry_alone(struct reading *r)
{
	if (r->alone_tried || r->target.alone || r->memo.version != 0 ||
	    mux_strays(asker_mux(r->asker)) == r->strays)
		return false;
	r->alone_tried = true;
	r->target.alone = true;
	talk_start(r, NULL);
	step(r);
	return true;
}

static const char *
version_name(int version)
{
	return version == 1 ? "v1" : version == 2 ? "v2c" : "v3";
}

/* No word at all: a socket of its own, or the other version, if that is still
 * open. */
static void
on_nothing(struct reading *r, bool undecodable)
{
	if (!undecodable && retry_alone(r))
		return;
	r->target.alone = r->memo.alone;
	if (!r->version_fixed && !r->version_changed &&
	    (r->memo.version == 0 || (r->course.what & READING_ALL))) {
		version_other(r);
		return;
	}
	if (undecodable) {
		say(r, "answers cannot be decoded");
		finish(r, READING_BROKEN);
		return;
	}
	say(r, "no answer to SNMP %s", r->version_changed ? "v2c or v1" :
	    version_name(r->target.version));
	finish(r, READING_SILENT);
}

/*
 * It lives, but that request is not answered: a smaller one, and remember
 * that.  When it is down to one object, the size was innocent.
 */
static void
ask_less(struct reading *r)
{
	if (r->asked > 1) {
		remember_limit(r);
		return;
	}
	errand_skip(r->course.errand, "gets no answer");
	r->memo.varbinds = r->varbinds_given;
}

/* It does not know that context. */
static void
leave_context(struct reading *r)
{
	errand_stop(r->course.errand);
	r->cut_short = true;
	step(r);
}

/*
 * A request that got no answer from a device which had answered before: it
 * was too much for it, or there is an object that it chokes on, or it has
 * gone.  One small question tells.
 */
static void
on_alive(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct reading *r = arg;

	(void)error;
	(void)vb;
	(void)n;
	if (status == TALK_TIMEOUT || status == TALK_REFUSED) {
		if (r->course.in_context) {
			leave_context(r);
			return;
		}
		say(r, "stopped answering after %d requests", r->requests);
		finish(r, READING_BROKEN);
		return;
	}
	/* The first time it may just have been bad luck: again. */
	if (r->op == TALK_GETBULK)
		no_bulk(r);
	else if (r->timeouts > 1)
		ask_less(r);
	step(r);
}

static void
ask_alive(struct reading *r)
{
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };

	objid_parse(STD_SYS_UPTIME, &id);
	r->requests++;
	talk_ask(r->talk, &question, on_alive, r);
}

static void
on_timeout(struct reading *r)
{
	if (!r->answered) {
		on_nothing(r, false);
		return;
	}
	if (++r->timeouts > TIMEOUTS_MAX) {
		say(r, "left %d requests unanswered", r->timeouts);
		finish(r, READING_BROKEN);
		return;
	}
	ask_alive(r);
}

static void
on_error(struct reading *r, int error)
{
	if (error == TALK_NO_SOCKET) {
		say(r, "there is no socket to ask with");
		finish(r, READING_BROKEN);
		return;
	}
	if (error == TALK_UNDECODABLE && !r->answered) {
		on_nothing(r, true);
		return;
	}
	r->answered = true;
	if (r->op == TALK_GETBULK)
		no_bulk(r);
	else
		narrow_down(r, error == TALK_UNDECODABLE ?
		    "is answered with what cannot be decoded" :
		    "ends in an error");
	step(r);
}

static void
note_answer(struct reading *r)
{
	if (r->answered)
		return;
	r->answered = true;
	r->rtt_ms = clock_mono_ms() - r->asked_ms;
	r->memo.version = (uint8_t)r->target.version;
	r->memo.alone = r->target.alone;
}

static void
widen(struct reading *r)
{
	if (r->narrow != 0)
		r->narrow *= 2;
	else if (r->asked == r->window && r->window < r->window_max)
		r->window += VARBINDS_MORE;
	if (r->narrow >= VARBINDS_FIRST)
		r->narrow = 0;
}

static void
take(struct reading *r, const struct talk_varbind *vb, size_t n)
{
	note_answer(r);
	widen(r);
	switch (errand_take(r->course.errand, vb, n, r->course.fresh)) {
	case ERRAND_TAKEN:
		break;
	case ERRAND_FULL:
		r->cut_short = true;
		finish(r, READING_DONE);
		return;
	case ERRAND_BULK_ODD:
		no_bulk(r);
		break;
	}
	if (course_ripe(&r->course) && !advance(r))
		return;
	step(r);
}

static void
on_answer(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct reading *r = arg;

	switch (status) {
	case TALK_OK:
		take(r, vb, n);
		return;
	case TALK_TIMEOUT:
		on_timeout(r);
		return;
	case TALK_REFUSED:
		if (r->answered)
			say(r, "its SNMP agent went away");
		else
			say(r, "refused: nothing listens on UDP port %d",
			    ntohs(r->target.addr.sin_port));
		finish(r, r->answered ? READING_BROKEN : READING_SILENT);
		return;
	case TALK_TOO_BIG:
		note_answer(r);
		/* RFC 3416 4.2.3 lets GETBULK give less, but never that. */
		if (r->op == TALK_GETBULK)
			no_bulk(r);
		else if (r->asked > 1)
			remember_limit(r);
		else
			errand_skip(r->course.errand, "is too big an answer");
		step(r);
		return;
	case TALK_ERROR:
		on_error(r, error);
		return;
	case TALK_DENIED:
		if (r->course.in_context && r->answered) {
			leave_context(r);
			return;
		}
		say(r, "%s", talk_why(status, error));
		finish(r, READING_DENIED);
		return;
	}
}

/*
 * Whether GETBULK works is tried once, on rows that GETNEXT has just given:
 * some agents drop it, some send nonsense (printers.md 1).
 */
static bool
bulk_untried(const struct reading *r)
{
	return r->memo.bulk == MEMO_BULK_UNKNOWN && r->target.version >= 2 &&
	    r->course.phase == COURSE_STANDARD &&
	    !vendor_no_bulk(vendor_match(r->course.fresh));
}

static void
on_bulk(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct objid ids[COURSE_TRIAL_IDS], expect[COURSE_TRIAL_MAX];
	struct talk_question question;
	struct reading *r = arg;
	size_t i, len;

	(void)error;
	if (status == TALK_REFUSED) {
		say(r, "its SNMP agent went away");
		finish(r, READING_BROKEN);
		return;
	}
	len = course_trial(&r->course, &question, ids, expect);
	for (i = 0; status == TALK_OK && i < n && i < len && !vb[i].missing &&
	    objid_cmp(&vb[i].id, &expect[i]) == 0; i++)
		;
	/* An answer may be cut short, but not to less than two rows. */
	r->memo.bulk = status == TALK_OK && i >= 2 * question.n - 1 &&
	    (i == n || i == len) ? MEMO_BULK_YES : MEMO_BULK_NO;
	course_set_bulk(&r->course, r->memo.bulk == MEMO_BULK_YES);
	step(r);
}

static bool
try_bulk(struct reading *r)
{
	struct objid ids[COURSE_TRIAL_IDS], expect[COURSE_TRIAL_MAX];
	struct talk_question question;

	if (course_bulk_harms(&r->course))
		r->memo.bulk = MEMO_BULK_NO;
	if (r->memo.bulk == MEMO_BULK_NO ||
	    course_trial(&r->course, &question, ids, expect) == 0)
		return false;
	r->requests++;
	talk_ask(r->talk, &question, on_bulk, r);
	return true;
}

static void
step(struct reading *r)
{
	struct objid ids[TALK_VARBINDS_MAX];
	struct talk_question question;

	/* If the first request is not answered that shall not be for its
	 * being a GETBULK. */
	errand_bulk(r->course.errand, r->course.bulk && r->answered);
	while ((r->asked = errand_next(r->course.errand, varbinds_now(r),
	    &question, ids)) == 0) {
		if (bulk_untried(r) && try_bulk(r))
			return;
		if (!advance(r))
			return;
	}
	r->op = question.op;
	if (r->requests++ >= REQUESTS_MAX) {
		say(r, "not all read with %d requests", REQUESTS_MAX);
		r->cut_short = true;
		finish(r, READING_DONE);
		return;
	}
	if (!r->answered)
		r->asked_ms = clock_mono_ms();
	talk_ask(r->talk, &question, on_answer, r);
}

static void
on_start(void *arg)
{
	step(arg);
}

static void
start_course(struct reading *r, unsigned what, const struct bag *image)
{
	if (image != NULL && bag_count(image) == 0 && (what & READING_ALL))
		image = NULL;
	if (image == NULL || (what & READING_ALL))
		course_start_all(&r->course, image);
	else
		course_start_known(&r->course, what, image);
	/* What it has answered before it will answer at once again. */
	r->window = image != NULL ? VARBINDS_KNOWN : VARBINDS_FIRST;
	r->window_max = image != NULL ? VARBINDS_MOST : VARBINDS_KNOWN;
}

struct reading *
reading_start(struct asker *asker, struct loop *loop,
    const struct reading_target *target, unsigned what,
    const struct bag *image, const struct device_memo *memo, reading_fn *fn,
    void *arg)
{
	struct reading *r;

	r = xmalloc(sizeof(*r));	/* calloc() takes long */
	memset(r, 0, sizeof(*r));
	r->asker = asker;
	r->loop = loop;
	r->memo = *memo;
	r->varbinds_given = memo->varbinds;
	r->version_fixed = target->credential->version != 0;
	r->target.addr = target->addr;
	r->target.credential = target->credential;
	r->target.engine = target->engine;
	r->target.timeout_ms = target->timeout_ms;
	r->target.retries = target->retries;
	r->target.version = r->version_fixed ? target->credential->version :
	    memo->version != 0 ? memo->version : 2;
	r->target.alone = memo->alone;
	r->strays = mux_strays(asker_mux(asker));
	r->fn = fn;
	r->arg = arg;
	r->course.jetdirect = memo->jetdirect;
	r->course.standard_only = target->standard_only;
	r->course.bulk = memo->bulk == MEMO_BULK_YES && r->target.version >= 2;
	start_course(r, what, image);
	talk_start(r, NULL);
	/* The callback comes from the loop, even if nothing is asked. */
	if (errand_idle(r->course.errand))
		timer_after(loop, &r->timer, 0, on_start, r);
	else
		step(r);
	return r;
}

void
reading_cancel(struct reading *r)
{
	if (r != NULL)
		reading_free(r);
}
