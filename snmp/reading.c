#include "snmp/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "schema/record.h"
#include "snmp/plan.h"
#include "snmp/printer.h"
#include "snmp/vendor.h"
#include "snmp/errand.h"

#define VARBINDS_DEFAULT	10	/* what tools at large ask at once */
#define VARBINDS_KNOWN		24	/* of objects that it has answered */
#define REQUESTS_MAX		400	/* of one reading */
#define TIMEOUTS_MAX		6	/* that a living device may cost */
#define VENDOR_ROWS_MAX		128
#define CONTEXT			"@Jetdirect"

enum phase {
	PHASE_IDENTIFY,		/* the first row of the deciding columns */
	PHASE_TYPES,		/* hrDeviceType to its end */
	PHASE_STRANGER,		/* no printer, but a known maker: who is it */
	PHASE_STANDARD,		/* the other columns */
	PHASE_DEVICES,		/* what goes by device, of its printers */
	PHASE_VENDOR,
	PHASE_COUNTERS,
	PHASE_CONTEXT,		/* supplies again in community@Jetdirect */
	PHASE_KNOWN		/* what the image has, and nothing else */
};

struct reading {
	struct asker		*asker;
	struct loop		*loop;
	struct talk		*talk;
	struct talk_target	 target;	/* its community is ours */
	bool			 version_fixed, version_changed;
	unsigned		 what;
	enum phase		 phase;
	struct timer		 timer;		/* the start */

	struct errand		*errand;
	struct errand		*context_errand;	/* KNOWN: for that community */
	bool			 in_context;
	struct bag		*fresh;
	struct bag		*before;	/* counters that tell of change */
	struct device_memo	 memo;
	const struct vendor	*vendor;
	struct plan_private	*private;	/* what may be asked of it */

	size_t			 asked;		/* in the last request */
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
	char *community;

	talk_over(r);
	community = xasprintf("%s%s", r->target.community, context);
	target.community = community;
	r->talk = talk_new(r->asker, &target);
	secret_wipe(community, strlen(community));
	free(community);
}

static void
reading_free(struct reading *r)
{
	timer_clear(r->loop, &r->timer);
	talk_over(r);
	errand_free(r->errand);
	errand_free(r->context_errand);
	bag_free(r->fresh);
	bag_free(r->before);
	plan_private_free(r->private);
	secret_wipe((char *)(uintptr_t)r->target.community,
	    strlen(r->target.community));
	free((char *)(uintptr_t)r->target.community);
	free(r);
}

/*
 * The two gates through which everything goes that is ever asked of a
 * device, whoever came up with it.
 */
static void
must_be_allowed(const struct reading *r, const struct objid *id)
{
	char text[OBJID_TEXT_MAX];

	if (!plan_allows(id, r->private))
		fatalx("reading", "%s may not be asked",
		    objid_format(id, text));
}

static void
want_object(struct reading *r, struct errand *errand, const struct objid *id)
{
	must_be_allowed(r, id);
	errand_object(errand, id);
}

static void
want_column(struct reading *r, struct errand *errand, const struct objid *id,
    const char *name, unsigned rows_max)
{
	must_be_allowed(r, id);
	errand_column(errand, id, name, rows_max);
}

/* A scalar is walked too (one row), so that one GETNEXT takes them all. */
static void
want_item_column(struct reading *r, struct errand *errand,
    const struct plan_item *item)
{
	struct objid id = item->id;

	if (item->shape == STANDARD_SCALAR)
		id.len--;
	want_column(r, errand, &id, item->name, item->rows_max);
}

static void
want_columns(struct reading *r, struct errand *errand, unsigned when)
{
	const struct plan_item *item;
	size_t i, n;

	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].when & when)
			want_item_column(r, errand, &item[i]);
}

static bool
has_any(const struct bag *bag, const char *column)
{
	struct objid prefix, id;
	struct bag_value value;
	size_t cursor = 0;

	objid_parse(column, &prefix);
	return bag_next(bag, &prefix, &cursor, &id, &value);
}

/* sysUpTime that fell (a wrap after 497 days looks the same, and costs a
 * reading), or a configuration counter that moved. */
static bool
has_restarted(const struct reading *r)
{
	struct objid prefix, id;
	struct bag_value was, is;
	size_t cursor = 0;

	objid_parse(STD_SYS_UPTIME, &id);
	if (bag_get(r->before, &id, &was) && bag_get(r->fresh, &id, &is) &&
	    is.number < was.number)
		return true;
	objid_parse(STD_CONFIG_CHANGES, &prefix);
	while (bag_next(r->before, &prefix, &cursor, &id, &was))
		if (bag_get(r->fresh, &id, &is) && is.number != was.number)
			return true;
	return false;
}

static bool
have_alerts_moved(const struct reading *r)
{
	static const char *const columns[] = {
		STD_CRITICAL_EVENTS, STD_ALL_EVENTS
	};
	struct objid prefix, id;
	struct bag_value was, is;
	size_t i, cursor;
	bool any = false;

	for (i = 0; i < 2; i++) {
		objid_parse(columns[i], &prefix);
		cursor = 0;
		while (bag_next(r->before, &prefix, &cursor, &id, &was)) {
			any = true;
			if (!bag_get(r->fresh, &id, &is) ||
			    is.number != was.number)
				return true;
		}
	}
	return !any;
}

static void
finish(struct reading *r, enum reading_status status)
{
	static const struct objid everything = { 4, { 1, 3, 6, 1 } };
	struct reading_result result = { .status = status };
	reading_fn *fn = r->fn;
	void *arg = r->arg;

	if (errand_why(r->errand)[0] != '\0')
		say(r, "%s", errand_why(r->errand));
	if (r->context_errand != NULL && errand_why(r->context_errand)[0] != '\0')
		say(r, "%s", errand_why(r->context_errand));
	memcpy(result.why, r->why, sizeof(result.why));
	if ((r->what & READING_ALL) && status == READING_DONE) {
		result.covered = xmalloc(sizeof(everything));
		*result.covered = everything;
		result.covered_len = 1;
	} else if (status == READING_DONE || status == READING_BROKEN) {
		errand_covered(r->errand, &result.covered, &result.covered_len);
		if (r->context_errand != NULL)
			errand_covered(r->context_errand, &result.covered,
			    &result.covered_len);
	}
	if ((r->what & (READING_ALL | READING_COUNTERS)) &&
	    status == READING_DONE)
		vendor_sample(r->fresh);
	if (!(r->what & READING_ALL) && status == READING_DONE) {
		result.restarted = has_restarted(r);
		result.alerts_moved = (r->what & READING_HEARTBEAT) &&
		    (result.restarted || have_alerts_moved(r));
	}
	result.fresh = r->fresh;
	r->fresh = NULL;
	result.memo = r->memo;
	talk_over(r);
	result.traffic = r->traffic;
	result.rtt_ms = r->answered ? r->rtt_ms : -1;
	reading_free(r);
	fn(arg, &result);
	free(result.covered);
}

/* --- What comes after what --- */

static void
start_identify(struct reading *r)
{
	r->phase = PHASE_IDENTIFY;
	want_columns(r, r->errand, STANDARD_IDENTIFY);
}

/* It is a printer: all other columns, and those begun to their ends. */
static void
start_standard(struct reading *r)
{
	const struct plan_item *item;
	size_t i, n;

	r->phase = PHASE_STANDARD;
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (item[i].shape != STANDARD_BY_DEVICE)
			want_item_column(r, r->errand, &item[i]);
}

/* Now its printers are known (a print server has several), and the many
 * other devices that a server may have are none of our business. */
static void
start_devices(struct reading *r)
{
	int64_t row[PRINTER_ROWS_MAX];
	const struct plan_item *item;
	struct objid id;
	char why[sizeof(r->why)];
	size_t i, j, n, rows;

	r->phase = PHASE_DEVICES;
	rows = printer_rows(r->fresh, row, why, sizeof(why));
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if (item[i].shape != STANDARD_BY_DEVICE ||
		    (item[i].when & STANDARD_IDENTIFY))
			continue;
		for (j = 0; j < rows; j++) {
			id = item[i].id;
			objid_add(&id, (uint32_t)row[j]);
			want_object(r, r->errand, &id);
		}
	}
}

static void
want_vendor_objects(struct reading *r)
{
	struct objid list[PLAN_VENDOR_OBJECTS];
	size_t i, n;

	n = vendor_objects(r->vendor, list, PLAN_VENDOR_OBJECTS);
	for (i = 0; i < n; i++)
		want_object(r, r->errand, &list[i]);
}

static void
open_private(struct reading *r, const struct bag *bag)
{
	plan_private_free(r->private);
	r->private = plan_private_new(r->vendor, bag);
}

static bool
start_stranger(struct reading *r)
{
	errand_stop(r->errand);
	r->vendor = vendor_match(r->fresh);
	if (r->vendor == NULL)
		return false;
	r->phase = PHASE_STRANGER;
	open_private(r, r->fresh);
	want_vendor_objects(r);
	return true;
}

static void
start_vendor(struct reading *r)
{
	struct objid list[PLAN_VENDOR_TABLES];
	size_t i, n;

	r->phase = PHASE_VENDOR;
	r->vendor = vendor_match(r->fresh);
	open_private(r, r->fresh);
	want_vendor_objects(r);		/* nobody's, too: many answer them */
	n = vendor_tables(r->vendor, list, PLAN_VENDOR_TABLES);
	for (i = 0; i < n; i++)
		want_column(r, r->errand, &list[i], NULL, VENDOR_ROWS_MAX);
}

static void
start_counters(struct reading *r)
{
	struct objid list[PLAN_VENDOR_OBJECTS];
	struct bag_value value;
	size_t i, n;

	r->phase = PHASE_COUNTERS;
	open_private(r, r->fresh);	/* its tables name more */
	n = vendor_counter_objects(r->vendor, r->fresh, list,
	    PLAN_VENDOR_OBJECTS);
	for (i = 0; i < n; i++)
		if (!bag_get(r->fresh, &list[i], &value))
			want_object(r, r->errand, &list[i]);
}

/*
 * Some HP cards show only the supplies' types by default; the rest lives in
 * the SNMPv3 context "Jetdirect", which v1 and v2c reach through the
 * community's name.
 */
static bool
start_context(struct reading *r)
{
	static const struct objid hp = { 7, { 1, 3, 6, 1, 4, 1, 11 } };
	struct objid id;
	struct bag_value value;
	const struct plan_item *item;
	struct objid supplies, colorants;
	size_t i, n;

	objid_parse(STD_SYS_OBJECT_ID, &id);
	if (!bag_get(r->fresh, &id, &value) || value.type != BAG_OBJID ||
	    !objid_within(&value.objid, &hp) ||
	    !has_any(r->fresh, STD_SUPPLY_TYPE) ||
	    (has_any(r->fresh, STD_SUPPLY_DESCR) &&
	    has_any(r->fresh, STD_SUPPLY_LEVEL)))
		return false;
	r->phase = PHASE_CONTEXT;
	r->in_context = true;
	r->context_errand = errand_new();
	objid_parse("1.3.6.1.2.1.43.11", &supplies);
	objid_parse("1.3.6.1.2.1.43.12", &colorants);
	item = plan_items(&n);
	for (i = 0; i < n; i++)
		if (objid_within(&item[i].id, &supplies) ||
		    objid_within(&item[i].id, &colorants))
			want_item_column(r, r->context_errand, &item[i]);
	talk_start(r, CONTEXT);
	return true;
}

static void
end_context(struct reading *r)
{
	r->memo.jetdirect = has_any(r->fresh, STD_SUPPLY_DESCR) &&
	    has_any(r->fresh, STD_SUPPLY_LEVEL);
}

/*
 * Is it a printer?  The first row of each deciding column tells, unless it
 * is one of those label printers that have but a row in hrDeviceTable: for a
 * known maker that table is read to its end.  False when it was told off.
 */
static bool
decide(struct reading *r, bool types_read)
{
	int64_t row[PRINTER_ROWS_MAX];
	char why[sizeof(r->why)] = "";

	if (printer_rows(r->fresh, row, why, sizeof(why)) > 0) {
		start_standard(r);
		return true;
	}
	if (!types_read && vendor_match(r->fresh) != NULL) {
		r->phase = PHASE_TYPES;
		return true;
	}
	/* More than any oddity on the way it matters what it is. */
	memcpy(r->why, why, sizeof(why));
	if (start_stranger(r))
		return true;
	finish(r, READING_NO_PRINTER);
	return false;
}

/* One phase is done.  False when that was all, and r is gone. */
static bool
advance(struct reading *r)
{
	switch (r->phase) {
	case PHASE_IDENTIFY:
		return decide(r, false);
	case PHASE_TYPES:
		return decide(r, true);
	case PHASE_STRANGER:
		finish(r, READING_NO_PRINTER);
		return false;
	case PHASE_STANDARD:
		start_devices(r);
		return true;
	case PHASE_DEVICES:
		start_vendor(r);
		return true;
	case PHASE_VENDOR:
		start_counters(r);
		return true;
	case PHASE_COUNTERS:
		if (start_context(r))
			return true;
		break;
	case PHASE_CONTEXT:
		end_context(r);
		break;
	case PHASE_KNOWN:
		if (r->context_errand != NULL && !r->in_context) {
			r->in_context = true;
			talk_start(r, CONTEXT);
			return true;
		}
		break;
	}
	finish(r, READING_DONE);
	return false;
}

/* --- Asking --- */

static struct errand *
errand_now(const struct reading *r)
{
	return r->in_context ? r->context_errand : r->errand;
}

static size_t
varbinds_now(const struct reading *r)
{
	size_t n = r->phase == PHASE_KNOWN ? VARBINDS_KNOWN :
	    VARBINDS_DEFAULT;

	/* Nobody has refused a single one yet. */
	if (r->memo.version == 0 && !r->answered)
		return 1;
	if (r->memo.varbinds != 0 && r->memo.varbinds < n)
		n = r->memo.varbinds;
	return r->narrow != 0 && r->narrow < n ? r->narrow : n;
}

static void
remember_limit(struct reading *r)
{
	size_t n = r->asked / 2;

	r->memo.varbinds = (uint8_t)(n > 0 ? n : 1);
}

/* Another error than tooBig: find out which object it is about. */
static void
narrow_down(struct reading *r, const char *reason)
{
	if (r->asked > 1)
		r->narrow = r->asked / 2;
	else
		errand_skip(errand_now(r), reason);
}

static void
version_other(struct reading *r)
{
	r->version_changed = true;
	r->target.version = r->target.version == 1 ? 2 : 1;
	talk_start(r, "");
	step(r);
}

/* No word at all: the other version, if that is still open. */
static void
on_nothing(struct reading *r, bool undecodable)
{
	bool both;

	if (!r->version_fixed && !r->version_changed &&
	    (r->memo.version == 0 || (r->what & READING_ALL))) {
		version_other(r);
		return;
	}
	if (undecodable) {
		say(r, "answers cannot be decoded");
		finish(r, READING_BROKEN);
		return;
	}
	both = r->version_changed;
	say(r, "no answer to SNMP %s", both ? "v2c or v1" :
	    r->target.version == 1 ? "v1" : "v2c");
	finish(r, READING_SILENT);
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
		if (r->in_context) {
			errand_stop(r->context_errand);
			step(r);
			return;
		}
		say(r, "stopped answering after %d requests", r->requests);
		finish(r, READING_BROKEN);
		return;
	}
	if (r->asked > 1)
		remember_limit(r);
	else
		errand_skip(errand_now(r), "gets no answer");
	step(r);
}

static void
ask_alive(struct reading *r)
{
	struct objid id;

	objid_parse(STD_SYS_UPTIME, &id);
	r->requests++;
	talk_ask(r->talk, TALK_GET, &id, 1, on_alive, r);
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
	narrow_down(r, error == TALK_UNDECODABLE ?
	    "is answered with what cannot be decoded" : "ends in an error");
	step(r);
}

static void
take(struct reading *r, const struct talk_varbind *vb, size_t n)
{
	if (!r->answered) {
		r->answered = true;
		r->rtt_ms = clock_mono_ms() - r->asked_ms;
		r->memo.version = (uint8_t)r->target.version;
	}
	if (r->narrow != 0)
		r->narrow *= 2;
	if (r->narrow >= VARBINDS_DEFAULT)
		r->narrow = 0;
	if (!errand_take(errand_now(r), vb, n, r->fresh)) {
		finish(r, READING_DONE);
		return;
	}
	if (r->phase == PHASE_IDENTIFY && !errand_untried(r->errand) &&
	    !advance(r))
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
		if (!r->answered) {
			r->answered = true;
			r->rtt_ms = clock_mono_ms() - r->asked_ms;
			r->memo.version = (uint8_t)r->target.version;
		}
		if (r->asked > 1)
			remember_limit(r);
		else
			errand_skip(errand_now(r), "is too big an answer");
		step(r);
		return;
	case TALK_ERROR:
		on_error(r, error);
		return;
	}
}

static void
step(struct reading *r)
{
	struct objid ids[TALK_VARBINDS_MAX];
	enum talk_op op;

	while ((r->asked = errand_next(errand_now(r), varbinds_now(r), &op,
	    ids)) == 0)
		if (!advance(r))
			return;
	if (r->requests++ >= REQUESTS_MAX) {
		say(r, "not all read with %d requests", REQUESTS_MAX);
		finish(r, READING_DONE);
		return;
	}
	if (!r->answered)
		r->asked_ms = clock_mono_ms();
	talk_ask(r->talk, op, ids, r->asked, on_answer, r);
}

/* --- What an image knows --- */

static void
keep_before(struct reading *r, const struct bag *image)
{
	static const char *const kept[] = { STD_SYS_UPTIME,
		STD_CONFIG_CHANGES, STD_CRITICAL_EVENTS, STD_ALL_EVENTS };
	struct objid prefix, id;
	struct bag_value value;
	size_t i, cursor;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		objid_parse(kept[i], &prefix);
		cursor = 0;
		while (bag_next(image, &prefix, &cursor, &id, &value))
			bag_put_number(r->before, &id, value.type,
			    value.number);
	}
}

static void
want_known(struct reading *r, struct errand *errand, const struct objid *column,
    const struct bag *image)
{
	struct objid id;
	struct bag_value value;
	size_t cursor = 0;

	while (bag_next(image, column, &cursor, &id, &value))
		want_object(r, errand, &id);
}

static void
want_known_counters(struct reading *r, const struct bag *image)
{
	struct objid list[PLAN_VENDOR_OBJECTS], id;
	size_t i, n;

	objid_parse(STD_MARKER_UNIT, &id);
	want_known(r, r->errand, &id, image);
	if (!(r->what & READING_HEARTBEAT)) {
		objid_parse(STD_SYS_UPTIME, &id);
		want_object(r, r->errand, &id);
		objid_parse(STD_MARKER_LIFE, &id);
		want_known(r, r->errand, &id, image);
	}
	n = vendor_counter_objects(r->vendor, image, list,
	    PLAN_VENDOR_OBJECTS);
	for (i = 0; i < n; i++)
		want_object(r, r->errand, &list[i]);
}

static void
start_known(struct reading *r, const struct bag *image)
{
	const struct plan_item *item;
	struct errand *supplies = r->errand;
	size_t i, n;

	r->phase = PHASE_KNOWN;
	if ((r->what & READING_SUPPLIES) && r->memo.jetdirect)
		supplies = r->context_errand = errand_new();
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		if ((r->what & READING_HEARTBEAT) &&
		    (item[i].when & STANDARD_HEARTBEAT)) {
			if (item[i].shape == STANDARD_SCALAR)
				want_object(r, r->errand, &item[i].id);
			else
				want_known(r, r->errand, &item[i].id, image);
		} else if ((r->what & READING_ALERTS) &&
		    (item[i].when & STANDARD_ALERTS))
			want_item_column(r, r->errand, &item[i]);
		if ((r->what & READING_SUPPLIES) &&
		    (item[i].when & STANDARD_SUPPLIES))
			want_known(r, supplies, &item[i].id, image);
	}
	if (r->what & READING_COUNTERS) {
		r->vendor = vendor_match(image);
		open_private(r, image);
		want_known_counters(r, image);
	}
}

static void
on_start(void *arg)
{
	step(arg);
}

struct reading *
reading_start(struct asker *asker, struct loop *loop,
    const struct reading_target *target, unsigned what,
    const struct bag *image, const struct device_memo *memo, reading_fn *fn,
    void *arg)
{
	struct reading *r;

	r = xcalloc(1, sizeof(*r));
	r->asker = asker;
	r->loop = loop;
	r->what = image == NULL ? READING_ALL : what;
	r->memo = *memo;
	r->version_fixed = target->version != 0;
	r->target.addr = target->addr;
	r->target.community = xstrdup(target->community);
	r->target.timeout_ms = target->timeout_ms;
	r->target.retries = target->retries;
	r->target.version = target->version != 0 ? target->version :
	    memo->version != 0 ? memo->version : 2;
	r->fn = fn;
	r->arg = arg;
	r->errand = errand_new();
	r->fresh = bag_new();
	r->before = bag_new();
	if (r->what & READING_ALL) {
		r->memo.jetdirect = false;
		start_identify(r);
	} else {
		keep_before(r, image);
		start_known(r, image);
	}
	talk_start(r, "");
	/* Even with nothing to ask the callback comes from the loop. */
	timer_after(loop, &r->timer, 0, on_start, r);
	return r;
}

void
reading_cancel(struct reading *r)
{
	if (r != NULL)
		reading_free(r);
}
