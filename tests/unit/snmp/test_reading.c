/*
 * Readings of a toy printer: the same values whatever it does to the asking
 * (old version, small requests, silence, loops), the right verdict about what
 * is no printer, and nothing asked that is not in the plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "snmp/plan.h"
#include "snmp/printer.h"
#include "snmp/reading.h"
#include "tests/unit/snmp/toy.h"
#include "tests/unit/snmp/v3peer.h"

#define GENERAL	"1.3.6.1.2.1.43.5.1.1"
#define SUPPLY	"1.3.6.1.2.1.43.11.1.1"
#define ALERT	"1.3.6.1.2.1.43.18.1.1"

/* The third device of this one is the printer; its index says so. */
static const struct toy_value model[] = {
	{ "1.3.6.1.2.1.1.1.0", 4, 0, "Toybox TB-100 printer" },
	{ "1.3.6.1.2.1.1.2.0", 6, 0, "1.3.6.1.4.1.4294967295.7" },
	{ "1.3.6.1.2.1.1.3.0", 0x43, 50000, NULL },
	{ "1.3.6.1.2.1.1.4.0", 4, 0, "a person" },
	{ "1.3.6.1.2.1.1.5.0", 4, 0, "tb100" },
	{ "1.3.6.1.2.1.1.6.0", 4, 0, "Attic" },
	{ "1.3.6.1.2.1.2.2.1.6.1", 4, 0, "\x02\x11\x22\x33\x44\x55" },
	{ "1.3.6.1.2.1.4.20.1.2.127.0.0.1", 2, 1, NULL },
	{ "1.3.6.1.2.1.25.3.2.1.2.1", 6, 0, "1.3.6.1.2.1.25.3.1.3" },
	{ "1.3.6.1.2.1.25.3.2.1.2.2", 6, 0, "1.3.6.1.2.1.25.3.1.4" },
	{ "1.3.6.1.2.1.25.3.2.1.2.3", 6, 0, "1.3.6.1.2.1.25.3.1.5" },
	{ "1.3.6.1.2.1.25.3.2.1.3.1", 4, 0, "a processor" },
	{ "1.3.6.1.2.1.25.3.2.1.3.2", 4, 0, "a network" },
	{ "1.3.6.1.2.1.25.3.2.1.3.3", 4, 0, "Toybox TB-100" },
	{ "1.3.6.1.2.1.25.3.2.1.5.3", 2, 2, NULL },
	{ "1.3.6.1.2.1.25.3.5.1.1.3", 2, 3, NULL },
	{ "1.3.6.1.2.1.25.3.5.1.2.3", 4, 0, " " },
	{ GENERAL ".1.3", 0x41, 7, NULL },
	{ GENERAL ".17.3", 4, 0, "TB0012345" },
	{ GENERAL ".18.3", 0x41, 4, NULL },
	{ GENERAL ".19.3", 0x41, 9, NULL },
	{ "1.3.6.1.2.1.43.10.2.1.3.3.1", 2, 7, NULL },
	{ "1.3.6.1.2.1.43.10.2.1.4.3.1", 0x41, 12345, NULL },
	{ SUPPLY ".2.3.1", 2, 1, NULL },
	{ SUPPLY ".4.3.1", 2, 3, NULL },
	{ SUPPLY ".4.3.5", 2, 3, NULL },
	{ SUPPLY ".5.3.1", 2, 3, NULL },
	{ SUPPLY ".5.3.5", 2, 9, NULL },
	{ SUPPLY ".6.3.1", 4, 0, "Black Toner" },
	{ SUPPLY ".6.3.5", 4, 0, "Drum" },
	{ SUPPLY ".7.3.1", 2, 19, NULL },
	{ SUPPLY ".7.3.5", 2, 7, NULL },
	{ SUPPLY ".8.3.1", 2, 100, NULL },
	{ SUPPLY ".8.3.5", 2, 20000, NULL },
	{ SUPPLY ".9.3.1", 2, 42, NULL },
	{ SUPPLY ".9.3.5", 2, 15000, NULL },
	{ ALERT ".2.3.8", 2, 3, NULL },
	{ ALERT ".2.3.11", 2, 5, NULL },
	{ ALERT ".4.3.8", 2, 6, NULL },
	{ ALERT ".4.3.11", 2, 8, NULL },
	{ ALERT ".7.3.8", 2, 3, NULL },
	{ ALERT ".7.3.11", 2, 808, NULL },
	{ ALERT ".8.3.8", 4, 0, "Cover open" },
	{ ALERT ".8.3.11", 4, 0, "Tray empty" },
	{ 0 }
};
/* One value of these is nobody's to ask for: sysContact and column 2. */
#define MODEL_WANTED	(sizeof(model) / sizeof(model[0]) - 1 - 2)

/* How the toy behaves. */
struct manner {
	struct toy_value	 table[256];
	struct toy_value	 context[32];	/* of public@Jetdirect */
	bool		 v1_only, undecodable;
	size_t		 too_big;	/* more varbinds: tooBig; 0: any */
	size_t		 mute_over;	/* more varbinds: no answer */
	size_t		 error_over;	/* more varbinds: genErr */
	const char	*mute;		/* no answer when this is asked */
	const char	*loop;		/* this column starts again */
	const char	*endless;	/* this column never ends */
	int		 die_after;	/* requests; 0: never */
	bool		 others;	/* other OIDs than were asked for */
	enum bulk_manner {
		BULK_FINE, BULK_MUTE, BULK_ERROR, BULK_TOO_BIG, BULK_SHORT,
		BULK_REVERSED, BULK_COLUMNS, BULK_REPEATED, BULK_ENDLESS,
		BULK_OTHER, BULK_EMPTY, BULK_MANNERS
	}		 bulk;
	bool		 elsewhere;	/* from another port than was asked */
	uint32_t	 mangle;	/* a seed */
};

struct outcome {
	int			 calls;
	struct reading_result	 result;
	struct objid		*covered;
	char			 text[16384];	/* the bag, as snmprec */
};

static struct loop	*loop;
static struct asker	*asker;
static struct toy	 toy;
static struct manner	 manner;
static int		 bulks;		/* GETBULK requests */
static struct outcome	 got;
static struct device_memo memo;
static struct plan_private *private;	/* of the toy's maker */

static void
on_reading(void *arg, struct reading_result *result)
{
	struct outcome *o = arg;
	FILE *file;

	o->calls++;
	o->result = *result;
	o->covered = malloc((result->covered_len + 1) *
	    sizeof(*result->covered));
	if (result->covered_len > 0)
		memcpy(o->covered, result->covered,
		    result->covered_len * sizeof(*result->covered));
	file = fmemopen(o->text, sizeof(o->text), "w");
	bag_write_snmprec(result->fresh, file);
	fclose(file);
	memo = result->memo;
}

static void
outcome_clear(void)
{
	bag_free(got.result.fresh);
	free(got.covered);
	memset(&got, 0, sizeof(got));
}

static const struct credential *
credential_of(int version)
{
	static struct credential c;

	c.version = version;
	c.community = (char *)(uintptr_t)"public";
	return &c;
}

static struct reading *
start(unsigned what, const struct bag *image, int version, int timeout_ms)
{
	struct reading_target target = { .addr = toy.addr,
	    .credential = credential_of(version),
	    .timeout_ms = timeout_ms, .retries = 0 };
	struct reading *reading;
	struct bag *kept = NULL;

	outcome_clear();
	toy.requests = 0;
	toy.most = toy.leap = 0;
	/* As the agent keeps it; and it is gone when the answers come. */
	if (image != NULL) {
		kept = bag_new();
		bag_merge(kept, image, NULL, 0);
	}
	reading = reading_start(asker, loop, &target, what, kept, &memo,
	    on_reading, &got);
	bag_free(kept);
	return reading;
}

static void
read_timed(unsigned what, const struct bag *image, int timeout_ms)
{
	int64_t until = clock_mono_ms() + 20000;

	start(what, image, 0, timeout_ms);
	assert_int_equal(got.calls, 0);
	while (got.calls == 0 && clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_int_equal(got.calls, 1);
}

static void
read_it(unsigned what, const struct bag *image)
{
	read_timed(what, image, 1000);
}

static const struct toy_value *
table_of(const struct toy_request *q)
{
	return strcmp(q->community, "public") == 0 ? manner.table :
	    strcmp(q->community, "public@Jetdirect") == 0 &&
	    manner.context[0].oid != NULL ? manner.context : NULL;
}

static bool
asks_within(const struct toy_request *q, const char *oid)
{
	struct objid column;
	size_t i;

	objid_parse(oid, &column);
	for (i = 0; i < q->n; i++)
		if (objid_within(&q->oid[i], &column))
			return true;
	return false;
}

/* Answers one varbind with the column's own row, for ever. */
static void
answer_row(struct toy *t, const struct toy_request *q, const char *column,
    bool endless)
{
	struct toy_bytes list = { .len = 0 }, out;
	struct toy_value text = { .tag = 4, .text = "again" };
	struct objid root, id;
	const struct toy_value *v;
	size_t i;

	objid_parse(column, &root);
	for (i = 0; i < q->n; i++) {
		if (objid_within(&q->oid[i], &root)) {
			id = q->oid[i];
			if (id.len == root.len || !endless) {
				id = root;
				objid_add(&id, 3);
				objid_add(&id, 1);
			} else
				id.sub[id.len - 1]++;
			toy_varbind(&list, &id, &text);
			continue;
		}
		v = toy_find(manner.table, &q->oid[i],
		    q->pdu != TOY_GET, &id);
		text.tag = TOY_END;
		toy_varbind(&list, &id, v != NULL ? v : &text);
		text.tag = 4;
	}
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0,
	    0, &list);
	toy_send(t, q, &out);
}

static uint32_t
random_next(void)
{
	manner.mangle ^= manner.mangle << 13;
	manner.mangle ^= manner.mangle >> 17;
	manner.mangle ^= manner.mangle << 5;
	return manner.mangle;
}

/* An honest answer with a few octets changed. */
static void
answer_mangled(struct toy *t, const struct toy_request *q)
{
	struct toy_bytes list = { .len = 0 }, out;
	struct toy_value end = { .tag = TOY_END };
	const struct toy_value *v;
	struct objid id;
	uint32_t n;
	size_t i;

	for (i = 0; i < q->n; i++) {
		v = toy_find(manner.table, &q->oid[i],
		    q->pdu != TOY_GET, &id);
		toy_varbind(&list, &id, v != NULL ? v : &end);
	}
	for (n = random_next() % 4; n > 0 && list.len > 0; n--)
		list.b[random_next() % list.len] = (uint8_t)random_next();
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0,
	    0, &list);
	for (n = random_next() % 8; n == 7; n = 0)
		out.b[random_next() % out.len] = (uint8_t)random_next();
	toy_send(t, q, &out);
}

/* Answers GETBULK in one of the wrong ways. */
static void
answer_bulk(struct toy *t, const struct toy_request *q,
    const struct toy_value *table)
{
	static const struct toy_value end = { .tag = TOY_END };
	struct toy_bytes list = { .len = 0 }, out;
	struct objid found[300], id;
	const struct toy_value *v[300];
	size_t n = 0, i, rows = (size_t)q->b, at, once = (size_t)q->a,
	    wide = q->n - once;

	if (manner.bulk == BULK_ENDLESS)
		rows += 5;
	for (i = 0; i < once + wide * rows && n < 300; i++, n++) {
		id = i < q->n ? q->oid[i] : found[i - wide];
		v[n] = toy_find(table, &id, true, &found[n]);
	}
	for (i = 0; i < n; i++) {
		at = i;
		if (manner.bulk == BULK_REVERSED)
			at = n - 1 - i;
		else if (manner.bulk == BULK_COLUMNS && i >= once)
			at = once + (i - once) / rows + (i - once) % rows *
			    wide;
		else if (manner.bulk == BULK_REPEATED && i >= q->n)
			at = once + (i - once) % wide;
		else if (manner.bulk == BULK_SHORT && i >= q->n + wide)
			break;
		else if (manner.bulk == BULK_EMPTY)
			break;
		else if (manner.bulk == BULK_OTHER) {
			objid_parse("1.3.6.1.2.1.1.4.0", &id);
			toy_varbind(&list, &id, &manner.table[0]);
			continue;
		}
		toy_varbind(&list, &found[at], v[at] != NULL ? v[at] : &end);
	}
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0, 0,
	    &list);
	toy_send(t, q, &out);
}

static void
behave(struct toy *t, const struct toy_request *q)
{
	static const struct toy_value odd[] = {
		{ "1.3.6.1.2.1.1.4.0", 4, 0, "not asked" }, { 0 }
	};
	struct toy_request other = *q;
	struct toy aside = *t;
	size_t i;

	bulks += q->pdu == TOY_GETBULK;
	/* Whatever else: only what may be asked. */
	for (i = 0; i < q->n; i++)
		assert_true(plan_allows(&q->oid[i], private));
	assert_true(q->pdu == TOY_GET || q->pdu == TOY_GETNEXT ||
	    (q->pdu == TOY_GETBULK && q->version != 0));

	if (table_of(q) == NULL || (manner.v1_only && q->version != 0) ||
	    (manner.mute_over != 0 && q->n > manner.mute_over) ||
	    (manner.mute != NULL && asks_within(q, manner.mute)) ||
	    (manner.die_after != 0 && t->requests > manner.die_after) ||
	    (manner.bulk == BULK_MUTE && q->pdu == TOY_GETBULK))
		return;
	aside.fd = t->other_fd;
	if (manner.elsewhere)
		t = &aside;
	if (manner.undecodable) {
		struct toy_bytes junk = { .b = { 0x30, 2, 1, 1 }, .len = 4 };

		toy_send(t, q, &junk);
	} else if (manner.too_big != 0 && q->n > manner.too_big)
		toy_error(t, q, 1, 0);
	else if (manner.error_over != 0 && q->n > manner.error_over)
		toy_error(t, q, 5, 0);
	else if (manner.loop != NULL && asks_within(q, manner.loop))
		answer_row(t, q, manner.loop, false);
	else if (manner.endless != NULL && asks_within(q, manner.endless))
		answer_row(t, q, manner.endless, true);
	else if (manner.mangle != 0)
		answer_mangled(t, q);
	else if (manner.bulk == BULK_ERROR && q->pdu == TOY_GETBULK)
		toy_error(t, q, 5, 0);
	else if (manner.bulk == BULK_TOO_BIG && q->pdu == TOY_GETBULK)
		toy_error(t, q, 1, 0);
	else if (manner.bulk != BULK_FINE && q->pdu == TOY_GETBULK)
		answer_bulk(t, q, table_of(q));
	else if (manner.others && q->pdu == TOY_GET) {
		other.n = 1;
		objid_parse(odd[0].oid, &other.oid[0]);
		toy_answer(t, &other, odd);
	} else
		toy_answer(t, q, table_of(q));
}

static int
setup(void **state)
{
	bulks = 0;
	(void)state;
	memset(&manner, 0, sizeof(manner));
	memcpy(manner.table, model, sizeof(model));
	memset(&memo, 0, sizeof(memo));
	private = plan_private_new(NULL, NULL);
	loop = loop_new();
	asker = asker_new(loop, 8);
	toy_open(&toy, loop, behave, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	outcome_clear();
	plan_private_free(private);
	toy_close(&toy);
	asker_free(asker);
	loop_free(loop);
	return 0;
}

static struct toy_value *
row(const char *oid)
{
	struct toy_value *v;

	for (v = manner.table; v->oid != NULL; v++)
		if (strcmp(v->oid, oid) == 0)
			return v;
	fail_msg("no %s", oid);
	return NULL;
}

static void
remove_row(const char *oid)
{
	struct toy_value *v = row(oid);

	do
		v[0] = v[1];
	while ((v++)->oid != NULL);
}

/* The image that a full reading of the well-behaved toy gives; *text is what
 * it says. */
static struct bag *
whole(char **text)
{
	struct bag *image;

	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_DONE);
	if (text != NULL)
		*text = strdup(got.text);
	image = got.result.fresh;
	got.result.fresh = NULL;
	return image;
}

static char *
text_of(const struct bag *bag)
{
	static char text[32768];
	FILE *file = fmemopen(text, sizeof(text), "w");

	bag_write_snmprec(bag, file);
	fclose(file);
	return text;
}

static void
test_all(void **state)
{
	struct bag_value value;
	struct objid id;

	(void)state;
	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_DONE);
	assert_string_equal(got.result.why, "");
	/* What was wanted, and the reader's note of the life count. */
	assert_int_equal(bag_count(got.result.fresh), MODEL_WANTED + 1);
	assert_int_equal(got.result.memo.version, 2);
	assert_int_equal(got.result.traffic.requests, toy.requests);
	/* It starts with few, and asks for more only after an answer. */
	assert_true(toy.most <= 24);
	assert_true(toy.leap <= 5);
	assert_true(got.result.rtt_ms >= 0);
	assert_int_equal(got.result.covered_len, 1);
	objid_parse("1.3.6.1.2.1.1.4.0", &id);
	assert_false(bag_get(got.result.fresh, &id, &value));
}

/* All of these end with the same values. */
static void
test_same_whatever(void **state)
{
	char *want;
	struct bag *image = whole(&want);

	(void)state;
	bag_free(image);

	memset(&memo, 0, sizeof(memo));
	manner.v1_only = true;
	read_timed(READING_ALL, NULL, 150);
	assert_string_equal(got.text, want);
	assert_int_equal(memo.version, 1);
	/* It is remembered: no more v2c. */
	image = got.result.fresh;
	got.result.fresh = NULL;
	read_timed(READING_HEARTBEAT, image, 1000);
	assert_int_equal(toy.requests, 1);
	bag_free(image);
	manner.v1_only = false;

	memset(&memo, 0, sizeof(memo));
	manner.too_big = 3;
	read_it(READING_ALL, NULL);
	assert_string_equal(got.text, want);
	assert_int_equal(memo.varbinds, 2);
	read_it(READING_ALL, NULL);
	assert_int_equal(toy.most, 2);
	manner.too_big = 0;

	memset(&memo, 0, sizeof(memo));
	manner.mute_over = 5;
	read_timed(READING_ALL, NULL, 150);
	assert_string_equal(got.text, want);
	assert_int_equal(memo.varbinds, 4);
	manner.mute_over = 0;

	memset(&memo, 0, sizeof(memo));
	manner.error_over = 4;
	read_it(READING_ALL, NULL);
	assert_string_equal(got.text, want);
	assert_int_equal(memo.varbinds, 0);
	free(want);
}

static void
test_loop(void **state)
{
	(void)state;
	manner.loop = SUPPLY ".6";
	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_DONE);
	assert_string_equal(got.result.why,
	    "walk of prtMarkerSuppliesDescription loops at row 3.1");
	/* One description of two is lost, nothing else. */
	assert_int_equal(bag_count(got.result.fresh), MODEL_WANTED);
}

static void
test_endless(void **state)
{
	(void)state;
	manner.endless = SUPPLY ".9";
	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_DONE);
	assert_string_equal(got.result.why,
	    "walk of prtMarkerSuppliesLevel finds too many rows at row 3.64");
	assert_true(toy.requests < 120);
}

static void
test_mute_object(void **state)
{
	(void)state;
	manner.mute = "1.3.6.1.2.1.43.9";
	read_timed(READING_ALL, NULL, 150);
	assert_int_equal(got.result.status, READING_DONE);
	assert_string_equal(got.result.why,
	    "walk of prtOutputName gets no answer");
	assert_int_equal(bag_count(got.result.fresh), MODEL_WANTED + 1);
	/* The object was it, not the size. */
	assert_int_equal(memo.varbinds, 0);
}

static void
test_dies_midway(void **state)
{
	(void)state;
	manner.die_after = 4;
	read_timed(READING_ALL, NULL, 150);
	assert_int_equal(got.result.status, READING_BROKEN);
	assert_non_null(strstr(got.result.why, "stopped answering"));
	assert_true(bag_count(got.result.fresh) > 4);
}

static void
test_other_objects(void **state)
{
	struct bag *image = whole(NULL);
	char *before;

	(void)state;
	manner.others = true;
	read_it(READING_HEARTBEAT, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(bag_count(got.result.fresh), 0);
	before = strstr(got.result.why, "something else");
	assert_non_null(before);
	bag_free(image);
}

static void
test_silent(void **state)
{
	(void)state;
	manner.mute_over = 1;
	manner.mute = "1.3.6.1.2.1.1";
	read_timed(READING_ALL, NULL, 20);
	assert_int_equal(got.result.status, READING_SILENT);
	assert_string_equal(got.result.why,
	    "no answer to SNMP v2c or v1");
	assert_int_equal(toy.requests, 2);
	assert_int_equal(got.result.traffic.requests, 2);
	assert_int_equal(got.result.rtt_ms, -1);

	/* A fixed version is not left. */
	start(READING_ALL, NULL, 1, 20);
	while (got.calls == 0)
		loop_once(loop, 100);
	assert_int_equal(got.result.status, READING_SILENT);
	assert_string_equal(got.result.why, "no answer to SNMP v1");
	assert_int_equal(toy.requests, 1);
}

static void
test_undecodable(void **state)
{
	(void)state;
	manner.undecodable = true;
	read_timed(READING_ALL, NULL, 20);
	assert_int_equal(got.result.status, READING_BROKEN);
	assert_string_equal(got.result.why, "answers cannot be decoded");
}

static void
test_refused(void **state)
{
	struct toy gone;

	(void)state;
	toy_open(&gone, loop, behave, NULL);
	toy_close(&gone);
	toy.addr = gone.addr;
	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_SILENT);
	assert_non_null(strstr(got.result.why, "refused"));
}

/* Printer rows without a Printer MIB: a server with print queues.  It is
 * found out with a few requests and then left alone. */
static void
test_no_printer(void **state)
{
	struct toy_value *v;

	(void)state;
	for (v = manner.table; v->oid != NULL; )
		if (strncmp(v->oid, "1.3.6.1.2.1.43", 14) == 0)
			remove_row(v->oid);
		else
			v++;
	read_it(READING_ALL, NULL);
	assert_int_equal(got.result.status, READING_NO_PRINTER);
	assert_true(got.result.why[0] != '\0');
	assert_int_equal(got.result.covered_len, 0);
	assert_true(bag_count(got.result.fresh) >= 5);
	assert_true(toy.requests <= 3);
}

static void
test_heartbeat(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	row("1.3.6.1.2.1.1.3.0")->number = 60000;
	row("1.3.6.1.2.1.43.10.2.1.4.3.1")->number = 12346;
	read_it(READING_HEARTBEAT, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(toy.requests, 1);
	assert_int_equal(toy.most, 8);
	assert_int_equal(bag_count(got.result.fresh), 8);
	assert_false(got.result.restarted);
	assert_false(got.result.alerts_moved);
	assert_true(bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len));
	assert_int_equal(bag_count(image), MODEL_WANTED + 1);

	row(GENERAL ".19.3")->number = 10;
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.alerts_moved);
	assert_false(got.result.restarted);
	row(GENERAL ".19.3")->number = 9;

	row("1.3.6.1.2.1.1.3.0")->number = 100;
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.restarted);
	row("1.3.6.1.2.1.1.3.0")->number = 70000;

	row(GENERAL ".1.3")->number = 8;
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.restarted);
	row(GENERAL ".1.3")->number = 7;

	/* One of two counters is enough to go by; without any, always. */
	remove_row(GENERAL ".18.3");
	remove_row(GENERAL ".19.3");
	bag_free(image);
	image = whole(NULL);
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.alerts_moved);
	assert_int_equal(toy.most, 6);

	bag_free(image);
}

/* The counters count what comes; what goes is seen by its row. */
static void
test_alert_goes(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	read_it(READING_HEARTBEAT | READING_KNOWN_ALERTS, image);
	assert_false(got.result.alerts_moved);
	/* One request, with whether the two still stand. */
	assert_int_equal(toy.requests, 1);
	assert_int_equal(toy.most, 8 + 2);
	remove_row(ALERT ".7.3.8");
	read_it(READING_HEARTBEAT, image);
	assert_false(got.result.alerts_moved);
	read_it(READING_HEARTBEAT | READING_KNOWN_ALERTS, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_true(got.result.alerts_moved);
	bag_free(image);
}

static void
test_supplies(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	row(SUPPLY ".9.3.1")->number = 41;
	remove_row(SUPPLY ".9.3.5");
	read_it(READING_SUPPLIES, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(toy.requests, 1);
	assert_int_equal(toy.most, 6);
	/* What was there and is not any more is told. */
	assert_int_equal(got.result.covered_len, 1);
	assert_true(bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len));
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 1), 41);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 5), ABSENT);
	bag_free(image);
}

static void
test_alerts(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	remove_row(ALERT ".2.3.8");
	remove_row(ALERT ".4.3.8");
	remove_row(ALERT ".7.3.8");
	remove_row(ALERT ".8.3.8");
	read_it(READING_ALERTS, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_in_range(toy.requests, 1, 2);
	assert_true(bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len));
	assert_int_equal(bag_number(image, ALERT ".7", 2, 3, 8), ABSENT);
	assert_int_equal(bag_number(image, ALERT ".7", 2, 3, 11), 808);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 1), 42);
	bag_free(image);
}

static void
test_counters(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	read_it(READING_COUNTERS, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(toy.requests, 1);
	/* Life count, unit, uptime, and the note of the moment. */
	assert_int_equal(bag_count(got.result.fresh), 4);
	/* Everything at once is still few requests. */
	read_it(READING_HEARTBEAT | READING_COUNTERS | READING_SUPPLIES |
	    READING_ALERTS, image);
	assert_true(toy.requests <= 6);
	bag_free(image);
}

/* Wrong types where numbers are compared, in the image and after it. */
static void
test_wrong_types(void **state)
{
	struct bag *image, *odd;
	struct toy_value text = { NULL, 4, 0, "seven" };
	static const char *const which[] = { "1.3.6.1.2.1.1.3.0",
		GENERAL ".1.3", GENERAL ".18.3", GENERAL ".19.3" };
	size_t i;

	(void)state;
	image = whole(NULL);
	for (i = 0; i < 4; i++) {
		text.oid = which[i];
		*row(which[i]) = text;
	}
	read_it(READING_HEARTBEAT, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_false(got.result.restarted);
	odd = whole(NULL);
	read_it(15, odd);
	assert_int_equal(got.result.status, READING_DONE);
	assert_true(got.result.alerts_moved);
	bag_free(image);
	bag_free(odd);
}

/* The wire costs of what is asked most often: IP and UDP headers are 28. */
static void
test_heartbeat_size(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	read_it(READING_HEARTBEAT, image);
	assert_int_equal(toy.requests, 1);
	assert_int_equal(toy.most, 8);
	assert_true(got.result.traffic.bytes_out + 28 <= 205);
	bag_free(image);
}

static void
test_supplies_moved(void **state)
{
	struct bag *image = whole(NULL);
	struct toy_value *life = row("1.3.6.1.2.1.43.10.2.1.4.3.1");
	struct toy_value *errors = row("1.3.6.1.2.1.25.3.5.1.2.3");

	(void)state;
	read_it(READING_HEARTBEAT, image);
	assert_false(got.result.supplies_moved);
	life->number++;
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.supplies_moved);
	life->number--;
	/* " " is lowToner; noPaper is of no interest here, and a second octet
	 * may come or go. */
	errors->text = "\x60\x01";
	read_it(READING_HEARTBEAT, image);
	assert_false(got.result.supplies_moved);
	errors->text = "";
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.supplies_moved);
	errors->text = " \x20";	/* markerSupplyMissing */
	read_it(READING_HEARTBEAT, image);
	assert_true(got.result.supplies_moved);
	bag_free(image);
}

/* A sleeping printer hides what it likes; nothing of it is gone. */
static void
test_asleep(void **state)
{
	struct bag *image = whole(NULL);

	(void)state;
	row("1.3.6.1.2.1.25.3.5.1.1.3")->number = 1;
	read_it(READING_HEARTBEAT | READING_KNOWN_ALERTS, image);
	assert_false(got.result.alerts_moved);
	remove_row(SUPPLY ".9.3.5");
	remove_row(SUPPLY ".6.3.5");
	remove_row(GENERAL ".17.3");
	read_it(READING_ALL, image);
	assert_int_equal(got.result.status, READING_DONE);
	bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 5), 15000);
	assert_int_equal(bag_number(image, "1.3.6.1.2.1.25.3.5.1.1", 1, 3),
	    1);
	assert_int_equal(bag_count(image), MODEL_WANTED + 1);
	read_it(READING_SUPPLIES, image);
	assert_int_equal(got.result.covered_len, 0);

	/* It counts its alerts, so they are what it says. */
	remove_row(ALERT ".7.3.8");
	read_it(READING_HEARTBEAT | READING_KNOWN_ALERTS, image);
	assert_true(got.result.alerts_moved);
	read_it(READING_ALERTS | READING_HEARTBEAT, image);
	bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len);
	assert_int_equal(bag_number(image, ALERT ".7", 2, 3, 8), ABSENT);
	/* It does not any more, so nothing is known. */
	remove_row(GENERAL ".18.3");
	remove_row(GENERAL ".19.3");
	remove_row(ALERT ".7.3.11");
	read_it(READING_HEARTBEAT | READING_KNOWN_ALERTS, image);
	assert_false(got.result.alerts_moved);
	assert_int_equal(got.result.covered_len, 0);
	bag_free(image);
}

/* --- a known device read again ------------------------------------------- */

static char	arena[256][64];		/* OIDs of a table made at random */
static size_t	arena_len;

static uint32_t
draw(uint32_t below)
{
	return random_next() % below;
}

/* A value whose kind goes by the column; some have the wrong one. */
static struct toy_value
odd_value(const struct plan_item *item)
{
	static const char *const texts[] = { "", "a", "some words", "Drum" };
	static const char *const types[] = { "1.3.6.1.2.1.25.3.1.5",
	    "1.3.6.1.2.1.25.3.1.3", "1.3.6.1.4.1.4294967295.9" };
	struct toy_value v = { .number = draw(3) == 0 ? draw(4) :
	    random_next() >> draw(31) };
	char text[OBJID_TEXT_MAX];
	uint32_t kind = draw(12);

	objid_format(&item->id, text);
	if (strcmp(text, "1.3.6.1.2.1.25.3.2.1.2") == 0 || kind == 0) {
		v.tag = 6;
		v.text = types[draw(3)];
	} else if (kind < 4) {
		v.tag = 4;
		v.text = texts[draw(4)];
	} else
		v.tag = kind < 8 ? 2 : 0x41;
	if (v.tag == 2)
		v.number = (int32_t)v.number;
	return v;
}

static void
add_value(const struct plan_item *item, const uint32_t *index, size_t n)
{
	struct objid id = item->id;
	char text[OBJID_TEXT_MAX];
	size_t i;

	for (i = 0; i < n; i++)
		objid_add(&id, index[i]);
	objid_format(&id, text);
	if (arena_len + 1 == sizeof(arena) / sizeof(arena[0]))
		return;
	memcpy(arena[arena_len], text, strlen(text) + 1);
	manner.table[arena_len] = odd_value(item);
	manner.table[arena_len].oid = arena[arena_len];
	manner.table[++arena_len] = (struct toy_value){ 0 };
}

/*
 * A printer made at random: in each table some rows, most of them in each
 * column.  With change at 0 the rows and values are as last time; else about
 * one in change of them is drawn anew.
 */
static void
make_device(uint32_t seed, uint32_t change, uint32_t change_seed)
{
	const struct plan_item *item;
	uint32_t index[4], kept = manner.mangle, value;
	size_t i, n, row;
	bool there;

	arena_len = 0;
	item = plan_items(&n);
	for (i = 0; i < n; i++) {
		for (row = 0; row < 5; row++) {
			manner.mangle = seed ^ (uint32_t)(i * 977 + row * 31);
			random_next();
			if (change != 0) {
				value = manner.mangle;
				manner.mangle = change_seed ^
				    (uint32_t)(i * 1471 + row * 77);
				random_next();
				if (draw(change) != 0)
					manner.mangle = value;
			}
			there = draw(5) != 0;
			index[0] = 1;
			index[1] = (uint32_t)(row * row * row + 1);
			if (item[i].shape == STANDARD_SCALAR && row == 0)
				there ? add_value(&item[i], NULL, 0) : (void)0;
			else if (item[i].shape == STANDARD_BY_DEVICE &&
			    (row < 2 || draw(3) == 0)) {
				index[0] = index[1];
				/* Device 1 is always a printer. */
				if (there || row == 0)
					add_value(&item[i], index, 1);
			} else if (item[i].shape == STANDARD_BY_ROW && there)
				add_value(&item[i], index, draw(20) ? 2 : 1);
			else if (item[i].shape == STANDARD_COLUMN && there)
				add_value(&item[i], index + 1, 1);
		}
	}
	manner.mangle = kept;
}

/* Its rows are in order, whatever their index has been given. */
static int
value_cmp(const void *a, const void *b)
{
	struct objid x, y;

	objid_parse(((const struct toy_value *)a)->oid, &x);
	objid_parse(((const struct toy_value *)b)->oid, &y);
	return objid_cmp(&x, &y);
}

static void
make_table(uint32_t seed, uint32_t change, uint32_t change_seed)
{
	size_t i, kept = 0;

	make_device(seed, change, change_seed);
	qsort(manner.table, arena_len, sizeof(manner.table[0]), value_cmp);
	for (i = 0; i < arena_len; i++)
		if (kept == 0 || value_cmp(&manner.table[kept - 1],
		    &manner.table[i]) != 0)
			manner.table[kept++] = manner.table[i];
	manner.table[kept] = (struct toy_value){ 0 };
}

/* Whatever has become of a device: to read it again with what is known of it
 * ends with the same values as to read it from nothing. */
static void
test_again(void **state)
{
	struct device_memo was;
	struct bag *image;
	uint32_t seed, kept;
	char *want;
	int cost, asleep = 0;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		memset(&memo, 0, sizeof(memo));
		manner.v1_only = seed % 5 == 0;
		memo.version = manner.v1_only ? 1 : 2;
		kept = manner.mangle = seed * 2654435761u;
		make_table(seed, 0, 0);
		manner.mangle = 0;
		read_it(READING_ALL, NULL);
		if (got.result.status != READING_DONE)
			continue;
		image = got.result.fresh;
		got.result.fresh = NULL;
		was = memo;

		/* Nothing, little, and nearly all of it has changed. */
		manner.mangle = kept;
		make_table(seed, (uint32_t[]){ 0, 40, 2 }[seed % 3], seed + 1);
		manner.mangle = 0;
		read_it(READING_ALL, NULL);
		assert_int_equal(got.result.status, READING_DONE);
		want = strdup(got.text);
		cost = toy.requests;
		memo = was;
		read_it(READING_ALL, image);
		assert_int_equal(got.result.status, READING_DONE);
		assert_string_equal(got.text, want);
		if (seed % 3 != 2)
			assert_true(toy.requests <= cost + 2);
		bag_merge(image, got.result.fresh, got.covered,
		    got.result.covered_len);
		/* Asleep nothing leaves. */
		if (got.result.covered_len == 1 && got.covered[0].len == 0)
			assert_string_equal(text_of(image), want);
		else
			asleep++;
		free(want);
		bag_free(image);
	}
	assert_true(asleep < 60);
}

/* Another printer at the same address, of another make. */
static void
test_another(void **state)
{
	struct bag *image = whole(NULL), *other;
	struct objid id, value;
	char *want;

	(void)state;
	row("1.3.6.1.2.1.1.2.0")->text = "1.3.6.1.4.1.2435.2.3.9.1";
	other = bag_new();
	objid_parse("1.3.6.1.2.1.1.2.0", &id);
	objid_parse("1.3.6.1.4.1.2435.2.3.9.1", &value);
	bag_put_objid(other, &id, &value);
	plan_private_free(private);
	private = plan_private_new(vendor_match(other), NULL);
	bag_free(other);
	bag_free(whole(&want));
	read_it(READING_ALL, image);
	assert_string_equal(got.text, want);
	free(want);
	bag_free(image);
}

/* Supplies enough for GETBULK to be worth it. */
static void
many_supplies(void)
{
	static const char *const columns[] = { ".4", ".5", ".6", ".7", ".8",
		".9" };
	size_t i, row, n;

	n = sizeof(model) / sizeof(model[0]) - 1;
	for (i = 0; i < 6; i++)
		for (row = 10; row < 20; row++) {
			snprintf(arena[n], sizeof(arena[0]), SUPPLY
			    "%s.3.%zu", columns[i], row);
			manner.table[n].oid = arena[n];
			manner.table[n].tag = i == 2 ? 4 : 2;
			manner.table[n].number = (int64_t)row;
			manner.table[n++].text = "Some supply";
		}
	qsort(manner.table, n, sizeof(manner.table[0]), value_cmp);
	manner.table[n].oid = NULL;
}

/* GETBULK is tried once; where it works everything comes out the same. */
static void
test_bulk(void **state)
{
	struct bag *image;
	char *want;
	int plain;

	(void)state;
	many_supplies();
	memo.bulk = MEMO_BULK_NO;
	bag_free(whole(&want));
	assert_int_equal(bulks, 0);
	plain = toy.requests;

	memset(&memo, 0, sizeof(memo));
	image = whole(NULL);
	assert_string_equal(text_of(image), want);
	assert_int_equal(memo.bulk, MEMO_BULK_YES);
	assert_int_equal(bulks, 1);
	read_it(READING_ALL, NULL);
	assert_string_equal(got.text, want);
	assert_true(toy.requests < plain);
	read_it(READING_ALL, image);
	assert_string_equal(got.text, want);
	assert_true(toy.requests < plain / 2);
	assert_int_equal(memo.bulk, MEMO_BULK_YES);

	/* Three columns, twelve rows: and what goes is seen. */
	bulks = 0;
	remove_row(SUPPLY ".9.3.15");
	row(SUPPLY ".9.3.16")->number = 1;
	read_it(READING_SUPPLIES, image);
	assert_true(bulks > 0);
	assert_true(toy.requests <= 3);
	assert_int_equal(bag_count(got.result.fresh), 12 * 3 - 1);
	bag_merge(image, got.result.fresh, got.covered,
	    got.result.covered_len);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 15), ABSENT);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 16), 1);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 19), 19);

	/* Not with v1. */
	bulks = 0;
	manner.v1_only = true;
	memo.version = 1;
	read_it(READING_SUPPLIES, image);
	assert_int_equal(bulks, 0);
	free(want);
	bag_free(image);
}

/* Where it does not work that is found out, and harms nothing: at the trial,
 * and from a device that did it once. */
static void
test_bulk_odd(void **state)
{
	struct bag *image;
	char *want;
	int trial, asked;

	(void)state;
	many_supplies();
	image = whole(&want);
	for (manner.bulk = BULK_MUTE; manner.bulk < BULK_MANNERS;
	    manner.bulk++)
		for (trial = 0; trial < 2; trial++) {
			memset(&memo, 0, sizeof(memo));
			memo.version = 2;
			memo.bulk = trial ? MEMO_BULK_UNKNOWN : MEMO_BULK_YES;
			bulks = 0;
			read_timed(READING_ALL, image,
			    manner.bulk == BULK_MUTE ? 50 : 1000);
			assert_int_equal(got.result.status, READING_DONE);
			assert_string_equal(got.result.why, "");
			assert_string_equal(got.text, want);
			assert_true(bulks > 0);
			assert_true(!trial || bulks == 1);
			/* An answer cut short, or longer than was asked, is
			 * good for what it has. */
			assert_int_equal(memo.bulk, manner.bulk == BULK_SHORT ||
			    manner.bulk == BULK_ENDLESS ? MEMO_BULK_YES :
			    MEMO_BULK_NO);
			if (memo.bulk == MEMO_BULK_YES)
				continue;
			asked = bulks;
			read_it(READING_ALL, image);
			assert_int_equal(bulks, asked);
			assert_string_equal(got.text, want);
		}
	free(want);
	bag_free(image);
}

/* Some answer from another address: after silence, when strays have come, it
 * is tried to listen to anybody. */
static void
test_alone(void **state)
{
	(void)state;
	manner.elsewhere = true;
	read_timed(READING_ALL, NULL, 100);
	assert_int_equal(got.result.status, READING_DONE);
	assert_true(memo.alone);
	assert_int_equal(memo.version, 2);
	assert_int_equal(bag_count(got.result.fresh), MODEL_WANTED + 1);
	read_timed(READING_ALL, NULL, 100);
	assert_int_equal(got.result.status, READING_DONE);

	/* A device that is only silent is not asked for it. */
	memset(&memo, 0, sizeof(memo));
	manner.elsewhere = false;
	manner.mute = "1.3.6.1";
	read_timed(READING_ALL, NULL, 20);
	assert_int_equal(got.result.status, READING_SILENT);
	assert_int_equal(toy.requests, 2);
	assert_false(memo.alone);
}

/* An SNMPv3 device that does not know us: discovered, then refused. */
static void
on_v3(void *arg, int fd, unsigned events)
{
	static const uint32_t unknown_user[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1,
		3, 0 };
	static const uint32_t unknown_engine[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1,
		4, 0 };
	const struct v3peer *peer = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct v3message message;
	struct usmmsg m;
	uint8_t bytes[2048];
	ssize_t n;

	(void)events;
	n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
	    &from_len);
	assert_true(n > 0);
	assert_true(usmmsg_parse(&m, bytes, (size_t)n));
	v3_put_pdu(v3message_start(&message), BER_REPORT, 0,
	    m.engine.len > 0 ? unknown_user : unknown_engine, 11, 1);
	v3peer_wrap(peer, &message.out, m.msg_id, 0);
	sendto(fd, message.out.at, ber_out_len(&message.out), 0,
	    (struct sockaddr *)&from, from_len);
}

static void
test_denied(void **state)
{
	struct credential credential = { .version = 3 };
	struct reading_target target = { .credential = &credential,
	    .timeout_ms = 1000 };
	struct v3peer peer;
	char why[160];
	int fd;

	(void)state;
	credential.user = usm_user_new("someone", USM_SHA1, "a password",
	    USM_NOPRIV, NULL, why, sizeof(why));
	assert_non_null(credential.user);
	v3peer_init(&peer, "\x80\x01\x1f\x88\x04toys", credential.user);
	fd = toy_socket(&target.addr);
	loop_watch(loop, fd, LOOP_READ, on_v3, &peer);
	outcome_clear();
	reading_start(asker, loop, &target, READING_ALL, NULL, &memo,
	    on_reading, &got);
	while (got.calls == 0)
		loop_once(loop, 100);
	/* The word is the engine's; there is no falling back to v2c. */
	assert_int_equal(got.result.status, READING_DENIED);
	assert_string_equal(got.result.why,
	    talk_why(TALK_DENIED, USM_UNKNOWN_USER));
	assert_int_equal(got.result.memo.version, 0);
	loop_watch(loop, fd, 0, NULL, NULL);
	close(fd);
	usm_user_free(credential.user);
}

static void
test_memo(void **state)
{
	static const struct device_memo memos[] = {
		{ 0 }, { .version = 1 }, { 2, 24, MEMO_BULK_YES, true, true },
		{ 3, 255, MEMO_BULK_NO, false, true }, { .jetdirect = true },
	};
	static const char *const odd[] = { "", " ", "v4", "varbinds=",
		"varbinds=256", "varbinds=-1", "varbinds=1x", "bulkhead",
		"  nonsense\n", "varbinds=999999999999999999999999" };
	struct device_memo back, none = { 0 };
	char text[MEMO_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(memos) / sizeof(memos[0]); i++) {
		memo_parse(memo_format(&memos[i], text), &back);
		assert_memory_equal(&back, &memos[i], sizeof(back));
	}
	memo_format(&memos[2], text);
	assert_string_equal(text, "v2c varbinds=24 bulk jetdirect alone");
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		memo_parse(odd[i], &back);
		assert_memory_equal(&back, &none, sizeof(back));
	}
	memo_parse("later-invention v1  alone", &back);
	assert_int_equal(back.version, 1);
	assert_true(back.alone);
}

/* Nothing to ask is a reading, too. */
static void
test_nothing(void **state)
{
	struct bag *image = bag_new();

	(void)state;
	read_it(READING_SUPPLIES, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(toy.requests, 0);
	bag_free(image);
}

/* HP: types in one community, the rest in another. */
static void
test_jetdirect(void **state)
{
	struct bag *image;
	const struct vendor *vendor;
	struct toy_value *v;
	size_t n = 0;

	(void)state;
	row("1.3.6.1.2.1.1.2.0")->text = "1.3.6.1.4.1.11.2.3.9.1";
	for (v = manner.table; v->oid != NULL; v++)
		if (strncmp(v->oid, SUPPLY, strlen(SUPPLY)) == 0)
			manner.context[n++] = *v;
	for (v = manner.table; v->oid != NULL; )
		if (strncmp(v->oid, SUPPLY, strlen(SUPPLY)) == 0 &&
		    strncmp(v->oid, SUPPLY ".5", strlen(SUPPLY ".5")) != 0)
			remove_row(v->oid);
		else
			v++;
	for (n = 0; (vendor = vendor_nth(n)) != NULL; n++)
		if (strcmp(vendor_name(vendor), "hp") == 0)
			break;
	assert_non_null(vendor);
	plan_private_free(private);
	private = plan_private_new(vendor, NULL);
	image = whole(NULL);
	assert_true(memo.jetdirect);
	/* HP's file forbids GETBULK: it is not even tried. */
	assert_int_equal(bulks, 0);
	assert_int_equal(memo.bulk, MEMO_BULK_NO);
	assert_int_equal(bag_number(image, SUPPLY ".9", 2, 3, 5), 15000);
	for (v = manner.context; v->oid != NULL; v++)
		if (strcmp(v->oid, SUPPLY ".9.3.5") == 0)
			v->number = 14000;
	read_it(READING_SUPPLIES | READING_HEARTBEAT, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_int_equal(bag_number(got.result.fresh, SUPPLY ".9", 2, 3, 5),
	    14000);

	/* Everything with what is known is everything again. */
	bag_free(image);
	image = whole(NULL);
	read_it(READING_ALL, image);
	assert_int_equal(got.result.status, READING_DONE);
	assert_true(memo.jetdirect);
	assert_string_equal(got.text, text_of(image));
	bag_free(image);

	/* Silence in that context does no harm. */
	memset(manner.context, 0, sizeof(manner.context));
	memset(&memo, 0, sizeof(memo));
	read_timed(READING_ALL, NULL, 150);
	assert_int_equal(got.result.status, READING_DONE);
	assert_false(memo.jetdirect);
}

static void
test_cancel(void **state)
{
	struct reading *r;
	int64_t until;

	(void)state;
	r = start(READING_ALL, NULL, 0, 100);
	reading_cancel(r);
	r = start(READING_ALL, NULL, 0, 100);
	loop_once(loop, 10);
	loop_once(loop, 10);
	reading_cancel(r);
	for (until = clock_mono_ms() + 30; clock_mono_ms() < until; )
		loop_once(loop, 5);
	assert_int_equal(got.calls, 0);
	reading_cancel(NULL);
}

/* Whatever comes: an end, within bounds. */
static void
test_mangled(void **state)
{
	uint32_t seed;

	(void)state;
	for (seed = 1; seed <= 80; seed++) {
		memset(&memo, 0, sizeof(memo));
		manner.mangle = seed * 2654435761u;
		read_timed(READING_ALL, NULL, 2);
		assert_true(toy.requests <= 450);
	}
}

static void
test_plan(void **state)
{
	static const struct {
		const char	*oid;
		bool		 allowed;
	} cases[] = {
		{ "1.3.6.1.2.1.1.1", true },
		{ "1.3.6.1.2.1.1.1.0", true },
		{ "1.3.6.1.2.1.1.1.0.1", false },
		{ "1.3.6.1.2.1.1", false },
		{ "1.3.6.1.2.1.1.4.0", false },	/* sysContact: a person */
		{ SUPPLY ".9", true },
		{ SUPPLY ".9.1.1", true },
		{ SUPPLY ".10.1.1", false },
		{ "1.3.6.1.2.1.43.16.5.1.2.1.1", false },
		{ "1.3.6.1.2.1.43", false },
		{ "1.3.6.1.4.1", false },
		{ "1.3.6.1.4.1.1248.1.2.2.44.1.1.2.1", false },
		{ "1.3.6.1.4.1.236.11.5.11.81.10.1.5.0", false },
		{ "1.3.6.1.2.1.43.5.1.1.3.1", false },	/* a reset */
		{ "0.0", false },
		{ "2.999", false },
	};
	struct objid list[PLAN_VENDOR_OBJECTS], id;
	const struct vendor *v;
	struct plan_private *own;
	const struct plan_item *item;
	size_t i, j, n, count;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		objid_parse(cases[i].oid, &id);
		if (plan_allows(&id, private) != cases[i].allowed)
			fail_msg("%s", cases[i].oid);
	}
	/* The vendors' own are allowed with that vendor alone, and every
	 * standard object has a name for messages. */
	for (i = 0; (v = vendor_nth(i)) != NULL; i++) {
		own = plan_private_new(v, NULL);
		n = vendor_objects(v, list, PLAN_VENDOR_OBJECTS);
		assert_true(n < PLAN_VENDOR_OBJECTS);
		for (j = 0; j < n; j++)
			assert_true(plan_allows(&list[j], own));
		n = vendor_tables(v, list, PLAN_VENDOR_TABLES);
		assert_true(n < PLAN_VENDOR_TABLES);
		for (j = 0; j < n; j++) {
			assert_true(plan_allows(&list[j], own));
			assert_false(plan_allows(&list[j], private));
		}
		plan_private_free(own);
	}
	item = plan_items(&count);
	for (i = 0; i < count; i++) {
		assert_true(item[i].name[0] > '9');
		assert_true(i == 0 ||
		    objid_cmp(&item[i - 1].id, &item[i].id) < 0);
	}
}

#define T(name)	cmocka_unit_test_setup_teardown(test_ ## name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(all),
		T(same_whatever),
		T(loop),
		T(endless),
		T(mute_object),
		T(dies_midway),
		T(other_objects),
		T(silent),
		T(undecodable),
		T(refused),
		T(no_printer),
		T(heartbeat),
		T(alert_goes),
		T(supplies),
		T(alerts),
		T(counters),
		T(wrong_types),
		T(heartbeat_size),
		T(supplies_moved),
		T(asleep),
		T(bulk),
		T(bulk_odd),
		T(alone),
		T(denied),
		T(memo),
		T(again),
		T(another),
		T(nothing),
		T(jetdirect),
		T(cancel),
		T(mangled),
		T(plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
