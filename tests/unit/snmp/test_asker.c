/*
 * The asker against a toy agent: both versions, every kind of bad answer,
 * silence, refusal, and what happens to requests that are given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "snmp/asker.h"
#include "tests/unit/snmp/toy.h"

#define NAME	"1.3.6.1.2.1.1.5.0"
#define UPTIME	"1.3.6.1.2.1.1.3.0"
#define NOTHING	"1.3.6.1.2.1.1.9.0"

static const struct toy_value table[] = {
	{ "1.3.6.1.2.1.1.1.0", 4, 0, "Toy 1" },
	{ "1.3.6.1.2.1.1.2.0", 6, 0, "1.3.6.1.4.1.4294967295.1" },
	{ UPTIME, 0x43, 4294967295, NULL },
	{ NAME, 4, 0, "toy" },
	{ "1.3.6.1.2.1.1.6.0", 2, -3, NULL },
	{ "1.3.6.1.2.1.1.7.0", 0x46, INT64_MAX, NULL },
	{ "1.3.6.1.2.1.1.8.0", 0x41, 4000000000, NULL },
	{ 0 }
};

struct answer {
	int		 calls;
	enum talk_status status;
	int		 error;
	size_t		 n;
	bool		 missing[TALK_VARBINDS_MAX];
	struct objid	 id[TALK_VARBINDS_MAX];
	int64_t		 number[TALK_VARBINDS_MAX];
	enum bag_type	 type[TALK_VARBINDS_MAX];
	char		 text[TALK_VARBINDS_MAX][64];
	struct talk	*free_me;
};

static struct loop	*loop;
static struct asker	*asker;
static struct toy	 toy;
static struct answer	 got;

static void
on_answer(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct answer *a = arg;
	char text[OBJID_TEXT_MAX];
	size_t i;

	a->calls++;
	a->status = status;
	a->error = error;
	a->n = n;
	for (i = 0; i < n; i++) {
		a->missing[i] = vb[i].missing;
		a->id[i] = vb[i].id;
		a->text[i][0] = '\0';
		if (vb[i].missing)
			continue;
		a->type[i] = vb[i].value.type;
		a->number[i] = vb[i].value.number;
		if (a->type[i] == BAG_OCTETS)
			snprintf(a->text[i], sizeof(a->text[i]), "%.*s",
			    (int)vb[i].value.octets_len,
			    (const char *)vb[i].value.octets);
		if (a->type[i] == BAG_OBJID)
			snprintf(a->text[i], sizeof(a->text[i]), "%s",
			    objid_format(&vb[i].value.objid, text));
	}
	talk_free(a->free_me);
	a->free_me = NULL;
}

static struct talk *
new_talk(int version, int timeout_ms, int retries)
{
	static const struct credential any = {
		.community = (char *)(uintptr_t)"public"
	};
	struct talk_target target = { .addr = toy.addr, .version = version,
	    .credential = &any, .timeout_ms = timeout_ms,
	    .retries = retries };

	return talk_new(asker, &target);
}

/* Asks for the OIDs named, comma by comma. */
static void
ask(struct talk *talk, enum talk_op op, const char *list)
{
	struct objid ids[TALK_VARBINDS_MAX];
	struct talk_question question = { .op = op, .ids = ids };
	char *copy = strdup(list), *part, *save = NULL;
	size_t n = 0;

	for (part = strtok_r(copy, ",", &save); part != NULL;
	    part = strtok_r(NULL, ",", &save))
		assert_int_equal(objid_parse(part, &ids[n++]), 0);
	free(copy);
	memset(&got, 0, sizeof(got));
	question.n = n;
	talk_ask(talk, &question, on_answer, &got);
	assert_int_equal(got.calls, 0);
}

static void
wait_answer(void)
{
	int64_t until = clock_mono_ms() + 5000;

	while (got.calls == 0 && clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_int_equal(got.calls, 1);
}

static void
spin(int ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until)
		loop_once(loop, 5);
}

static void
honest(struct toy *t, const struct toy_request *q)
{
	assert_string_equal(q->community, "public");
	toy_answer(t, q, table);
}

static int
setup(void **state)
{
	(void)state;
	loop = loop_new();
	asker = asker_new(loop, 8);
	toy_open(&toy, loop, honest, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	toy_close(&toy);
	asker_free(asker);
	loop_free(loop);
	return 0;
}

static void
test_types(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);

	(void)state;
	ask(talk, TALK_GET, NAME "," UPTIME ",1.3.6.1.2.1.1.2.0,"
	    "1.3.6.1.2.1.1.6.0,1.3.6.1.2.1.1.7.0,1.3.6.1.2.1.1.8.0," NOTHING);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.n, 7);
	assert_string_equal(got.text[0], "toy");
	assert_int_equal(got.type[1], BAG_TICKS);
	assert_int_equal(got.number[1], 4294967295);
	assert_string_equal(got.text[2], "1.3.6.1.4.1.4294967295.1");
	assert_int_equal(got.type[3], BAG_INTEGER);
	assert_int_equal(got.number[3], -3);
	assert_int_equal(got.type[4], BAG_COUNTER64);
	assert_int_equal(got.number[4], INT64_MAX);
	assert_int_equal(got.type[5], BAG_COUNTER);
	assert_int_equal(got.number[5], 4000000000);
	assert_true(got.missing[6]);
	assert_int_equal(talk_traffic(talk)->requests, 1);
	assert_true(talk_traffic(talk)->bytes_out > 100);
	assert_true(talk_traffic(talk)->bytes_in > 100);
	talk_free(talk);
}

/* RFC 1157: what is missing goes by noSuchName, one at a time; what comes
 * out is the same as with v2c. */
static void
test_v1_no_such_name(void **state)
{
	struct talk *talk = new_talk(1, 1000, 0);

	(void)state;
	ask(talk, TALK_GET, NOTHING "," NAME ",1.3.6.1.2.1.99.1.0," UPTIME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.n, 4);
	assert_true(got.missing[0]);
	assert_false(got.missing[1]);
	assert_string_equal(got.text[1], "toy");
	assert_true(got.missing[2]);
	assert_int_equal(got.number[3], 4294967295);
	assert_int_equal(toy.requests, 3);

	ask(talk, TALK_GET, NOTHING ",1.3.6.1.2.1.99.1.0");
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.n, 2);
	assert_true(got.missing[0] && got.missing[1]);

	/* The end of the MIB is the same thing for GETNEXT. */
	ask(talk, TALK_GETNEXT, "1.3.6.1.2.1.1.8.0,1.3.6.1.2.1.1.4");
	wait_answer();
	assert_int_equal(got.n, 2);
	assert_true(got.missing[0]);
	assert_string_equal(got.text[1], "toy");
	talk_free(talk);
}

static void
index_zero(struct toy *t, const struct toy_request *q)
{
	toy_error(t, q, 2, 0);
}

static void
test_no_such_name_without_index(void **state)
{
	struct talk *talk = new_talk(1, 1000, 0);

	(void)state;
	toy.script = index_zero;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_true(got.missing[0]);
	ask(talk, TALK_GET, NAME "," UPTIME);
	wait_answer();
	assert_int_equal(got.status, TALK_ERROR);
	assert_int_equal(got.error, 2);
	talk_free(talk);
}

static void
errors(struct toy *t, const struct toy_request *q)
{
	toy_error(t, q, q->n > 1 ? 1 : 5, 0);
}

static void
test_errors(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);

	(void)state;
	toy.script = errors;
	ask(talk, TALK_GET, NAME "," UPTIME);
	wait_answer();
	assert_int_equal(got.status, TALK_TOO_BIG);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_ERROR);
	assert_int_equal(got.error, 5);
	talk_free(talk);
}

/* Answers that must be passed over before the right one. */
static void
wrong_then_right(struct toy *t, const struct toy_request *q)
{
	struct toy_bytes list = { .len = 0 }, out;
	struct toy_value liar = { NAME, 4, 0, "liar" };

	toy_varbind(&list, &q->oid[0], &liar);
	toy_message(&out, 1, "public", TOY_RESPONSE, q->id + 1, 0, 0, &list);
	toy_send(t, q, &out);
	toy_message(&out, 1, "private", TOY_RESPONSE, q->id, 0, 0, &list);
	toy_send(t, q, &out);
	toy_message(&out, 0, "public", TOY_RESPONSE, q->id, 0, 0, &list);
	toy_send(t, q, &out);
	toy_message(&out, 3, "public", TOY_RESPONSE, q->id, 0, 0, &list);
	toy_send(t, q, &out);
	toy_message(&out, 1, "public", TOY_REPORT, q->id, 0, 0, &list);
	toy_send(t, q, &out);
	toy_message(&out, 1, "public", TOY_GET, q->id, 0, 0, &list);
	toy_send(t, q, &out);
	/* A good one, but from another port. */
	toy_message(&out, 1, "public", TOY_RESPONSE, q->id, 0, 0, &list);
	sendto(t->other_fd, out.b, out.len, 0,
	    (const struct sockaddr *)&q->from, sizeof(q->from));
	/* Cut short, and garbage. */
	out.len -= 3;
	toy_send(t, q, &out);
	out.len = 1;
	toy_send(t, q, &out);
	out.len = 0;
	toy_send(t, q, &out);
	memset(out.b, 0x30, 200);
	out.len = 200;
	toy_send(t, q, &out);
	if (t->state == NULL)
		toy_answer(t, q, table);
}

static void
test_wrong_answers(void **state)
{
	struct talk *talk = new_talk(2, 200, 0);

	(void)state;
	toy.script = wrong_then_right;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_string_equal(got.text[0], "toy");
	/* And when the right one never comes: it was not silence. */
	toy.state = &toy;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_ERROR);
	assert_int_equal(got.error, TALK_UNDECODABLE);
	talk_free(talk);
}

static void
twice(struct toy *t, const struct toy_request *q)
{
	toy_answer(t, q, table);
	toy_answer(t, q, table);
}

static void
test_duplicates(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);

	(void)state;
	toy.script = twice;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	spin(20);
	assert_int_equal(got.calls, 1);
	/* The second copy does not answer the next question. */
	ask(talk, TALK_GET, UPTIME);
	wait_answer();
	assert_int_equal(got.type[0], BAG_TICKS);
	talk_free(talk);
}

static struct toy_request	held;

static void
hold(struct toy *t, const struct toy_request *q)
{
	(void)t;
	held = *q;
}

static void
silent(struct toy *t, const struct toy_request *q)
{
	(void)t;
	(void)q;
}

static void
test_silence_and_retries(void **state)
{
	struct talk *talk = new_talk(2, 40, 2);
	int64_t start = clock_mono_ms(), took;

	(void)state;
	toy.script = silent;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	took = clock_mono_ms() - start;
	assert_int_equal(got.status, TALK_TIMEOUT);
	assert_int_equal(toy.requests, 3);
	assert_int_equal(talk_traffic(talk)->requests, 3);
	/* 40 + 68 + 116 ms, a tenth more at most, and the loop's rounding. */
	assert_in_range(took, 215, 1500);
	talk_free(talk);
}

static void
test_late_answer(void **state)
{
	struct talk *talk = new_talk(2, 30, 0);

	(void)state;
	toy.script = hold;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_TIMEOUT);
	toy_answer(&toy, &held, table);
	spin(20);
	assert_int_equal(got.calls, 1);
	/* Nor is it taken for the answer to the next. */
	ask(talk, TALK_GET, UPTIME);
	toy_answer(&toy, &held, table);
	spin(20);
	assert_int_equal(got.calls, 0);
	toy_answer(&toy, &held, table);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.type[0], BAG_TICKS);
	talk_free(talk);
}

/* An answer to the first try that comes after the second was sent is fine. */
static void
second_only(struct toy *t, const struct toy_request *q)
{
	if (t->requests == 1)
		held = *q;
	else
		toy_answer(t, &held, table);
}

static void
test_answer_to_first_try(void **state)
{
	struct talk *talk = new_talk(2, 30, 1);

	(void)state;
	toy.script = second_only;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	talk_free(talk);
}

static void
test_refused(void **state)
{
	struct talk *talk;
	struct toy gone;
	int64_t start = clock_mono_ms();

	(void)state;
	toy_open(&gone, loop, honest, NULL);
	toy_close(&gone);
	toy.addr = gone.addr;
	talk = new_talk(2, 2000, 3);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_REFUSED);
	assert_true(clock_mono_ms() - start < 500);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_REFUSED);
	talk_free(talk);
}

static void
test_cancel(void **state)
{
	struct talk *talk = new_talk(2, 1000, 3);

	(void)state;
	toy.script = hold;
	ask(talk, TALK_GET, NAME);
	spin(10);
	talk_free(talk);
	toy_answer(&toy, &held, table);
	spin(20);
	assert_int_equal(got.calls, 0);
	/* Inside the callback, and before anything was sent. */
	toy.script = honest;
	talk = new_talk(2, 1000, 3);
	ask(talk, TALK_GET, NAME);
	got.free_me = talk;
	wait_answer();
	talk = new_talk(2, 1000, 3);
	ask(talk, TALK_GET, NAME);
	talk_free(talk);
	spin(10);
	assert_int_equal(got.calls, 0);
}

static void
count(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	(void)error;
	(void)vb;
	(void)n;
	assert_int_equal(status, TALK_OK);
	++*(int *)arg;
}

/* Two at once: others wait, those that have begun go on before them, and
 * who gives up makes room. */
static void
hold_all(struct toy *t, const struct toy_request *q)
{
	((struct toy_request *)t->state)[t->requests - 1] = *q;
}

static void
test_queue(void **state)
{
	struct toy_request asked[16];
	struct talk *talk[6];
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };
	int i, done = 0;

	(void)state;
	asker_free(asker);
	asker = asker_new(loop, 2);
	toy.script = hold_all;
	toy.state = asked;
	objid_parse(NAME, &id);
	for (i = 0; i < 6; i++) {
		talk[i] = new_talk(2, 5000, 0);
		talk_ask(talk[i], &question, count, &done);
	}
	spin(20);
	assert_int_equal(toy.requests, 2);
	/* The next in line comes up when one is answered. */
	toy_answer(&toy, &asked[0], table);
	spin(10);
	assert_int_equal(done, 1);
	assert_int_equal(toy.requests, 3);
	/* One that waits goes, and one that is under way. */
	talk_free(talk[3]);
	talk_free(talk[1]);
	spin(10);
	assert_int_equal(toy.requests, 4);
	toy_answer(&toy, &asked[1], table);
	toy_answer(&toy, &asked[2], table);
	toy_answer(&toy, &asked[3], table);
	spin(10);
	assert_int_equal(done, 3);
	assert_int_equal(toy.requests, 5);
	toy_answer(&toy, &asked[4], table);
	spin(10);
	assert_int_equal(done, 4);
	assert_int_equal(toy.requests, 5);
	talk_free(talk[0]);
	talk_free(talk[2]);
	talk_free(talk[4]);
	talk_free(talk[5]);
}

/* A visit of three questions, each from inside the last one's callback. */
struct visit {
	struct talk	*talk;
	int		 asked;
	int		*over, *open, *most;
};

static void	 on_visit(void *, enum talk_status, int,
		    const struct talk_varbind *, size_t);

static void
visit_ask(struct visit *visit)
{
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };

	objid_parse(visit->asked % 2 == 0 ? NAME : UPTIME, &id);
	visit->asked++;
	talk_ask(visit->talk, &question, on_visit, visit);
}

static void
on_visit(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct visit *visit = arg;

	(void)error;
	assert_int_equal(status, TALK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(vb[0].value.type, visit->asked % 2 == 1 ?
	    BAG_OCTETS : BAG_TICKS);
	if (visit->asked == 1 && ++*visit->open > *visit->most)
		*visit->most = *visit->open;
	if (visit->asked < 3) {
		visit_ask(visit);
		return;
	}
	talk_free(visit->talk);
	--*visit->open;
	++*visit->over;
}

static void
test_thousand(void **state)
{
	enum { N = 1000, AT_ONCE = 50 };
	static struct visit visit[N];
	int i, over = 0, open = 0, most = 0;
	int64_t until = clock_mono_ms() + 20000;

	(void)state;
	asker_free(asker);
	asker = asker_new(loop, AT_ONCE);
	for (i = 0; i < N; i++) {
		visit[i].talk = new_talk(2, 3000, 2);
		visit[i].asked = 0;
		visit[i].over = &over;
		visit[i].open = &open;
		visit[i].most = &most;
		visit_ask(&visit[i]);
	}
	while (over < N && clock_mono_ms() < until)
		loop_once(loop, 50);
	assert_int_equal(over, N);
	/* All are to one address, and each line hears the others' answers:
	 * the ids tell them apart. */
	assert_in_range(toy.requests, 3 * N, 3 * N + N / 10);
	/* Those that have begun come to their end first. */
	assert_in_range(most, 1, AT_ONCE);
}

static void
test_bulk(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);
	struct objid ids[3];
	struct talk_question question = { .op = TALK_GETBULK, .ids = ids,
	    .n = 3, .non_repeaters = 1, .repetitions = 3 };

	(void)state;
	objid_parse("1.3.6.1.2.1.1.3", &ids[0]);
	objid_parse("1.3.6.1.2.1.1.1", &ids[1]);
	objid_parse("1.3.6.1.2.1.1.7", &ids[2]);
	memset(&got, 0, sizeof(got));
	talk_ask(talk, &question, on_answer, &got);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.n, 7);
	assert_int_equal(got.type[0], BAG_TICKS);
	assert_string_equal(got.text[1], "Toy 1");
	assert_int_equal(got.type[2], BAG_COUNTER64);
	assert_int_equal(got.type[3], BAG_OBJID);
	assert_int_equal(got.type[4], BAG_COUNTER);
	assert_int_equal(got.type[5], BAG_TICKS);
	assert_true(got.missing[6]);
	talk_free(talk);
}

/* What is more than TALK_ANSWER_MAX is not looked at. */
static size_t	flood_n;

static void
on_flood(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	(void)error;
	(void)vb;
	assert_int_equal(status, TALK_OK);
	flood_n = n;
	++*(int *)arg;
}

static void
flood(struct toy *t, const struct toy_request *q)
{
	struct toy_bytes list = { .len = 0 }, out;
	int i;

	for (i = 0; i < 300; i++)
		toy_varbind(&list, &q->oid[0], &table[4]);
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0, 0,
	    &list);
	toy_send(t, q, &out);
}

static void
test_flood(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);
	struct objid id;
	struct talk_question question = { .op = TALK_GETBULK, .ids = &id,
	    .n = 1, .repetitions = 10 };
	int done = 0;

	(void)state;
	toy.script = flood;
	objid_parse(NAME, &id);
	talk_ask(talk, &question, on_flood, &done);
	while (done == 0)
		loop_once(loop, 100);
	assert_int_equal(flood_n, TALK_ANSWER_MAX);
	question.op = TALK_GET;
	talk_ask(talk, &question, on_flood, &done);
	while (done == 1)
		loop_once(loop, 100);
	assert_int_equal(flood_n, 1);
	talk_free(talk);
}

/* A device that answers from another address than was asked. */
static void
from_elsewhere(struct toy *t, const struct toy_request *q)
{
	struct sockaddr_in other = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), was = t->fd;

	assert_int_equal(bind(fd, (struct sockaddr *)&other, sizeof(other)),
	    0);
	t->fd = fd;
	toy_answer(t, q, table);
	t->fd = was;
	close(fd);
}

static void
test_alone(void **state)
{
	static const struct credential any = {
		.community = (char *)(uintptr_t)"public"
	};
	struct talk_target target = { .addr = toy.addr, .version = 2,
	    .credential = &any, .timeout_ms = 100 };
	struct talk *talk;

	(void)state;
	toy.script = from_elsewhere;
	talk = talk_new(asker, &target);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_TIMEOUT);
	assert_int_equal(mux_strays(asker_mux(asker)), 1);
	talk_free(talk);
	target.alone = true;
	target.timeout_ms = 2000;
	talk = talk_new(asker, &target);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_string_equal(got.text[0], "toy");
	/* Id and community count all the same. */
	toy.script = wrong_then_right;
	ask(talk, TALK_GET, UPTIME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	talk_free(talk);
}

static void
in_context(struct toy *t, const struct toy_request *q)
{
	assert_string_equal(q->community, "secret@Jetdirect");
	toy_answer(t, q, table);
}

static void
test_context(void **state)
{
	static const struct credential some = {
		.community = (char *)(uintptr_t)"secret"
	};
	struct talk_target target = { .addr = toy.addr, .version = 2,
	    .credential = &some, .context = "Jetdirect", .timeout_ms = 1000 };
	struct talk *talk = talk_new(asker, &target);

	(void)state;
	toy.script = in_context;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_string_equal(got.text[0], "toy");
	talk_free(talk);
}

/* Ids of two conversations do not follow from one another. */
static void
test_ids(void **state)
{
	struct toy_request asked[16];
	struct talk *talk;
	int i, j;

	(void)state;
	toy.script = hold_all;
	toy.state = asked;
	for (i = 0; i < 8; i++) {
		talk = new_talk(2, 1000, 0);
		ask(talk, TALK_GET, NAME);
		while (toy.requests == i)
			loop_once(loop, 50);
		talk_free(talk);
		assert_in_range(asked[i].id, 1, INT32_MAX);
		for (j = 0; j < i; j++)
			assert_true(llabs(asked[i].id - asked[j].id) > 8);
	}
}

/* The retries are the same octets. */
static void
test_same_octets(void **state)
{
	struct toy_request asked[16];
	struct talk *talk = new_talk(2, 30, 2);

	(void)state;
	toy.script = hold_all;
	toy.state = asked;
	ask(talk, TALK_GET, NAME "," UPTIME);
	wait_answer();
	assert_int_equal(toy.requests, 3);
	assert_int_equal(asked[0].id, asked[1].id);
	assert_int_equal(asked[0].id, asked[2].id);
	assert_int_equal(talk_traffic(talk)->bytes_out % 3, 0);
	talk_free(talk);
}

struct seen {
	int			 calls;
	struct talk_event	 event;
	struct objid		 last;
};

static void
on_seen(void *arg, const struct talk_event *event)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->event = *event;
	seen->last = event->question->ids[event->question->n - 1];
	assert_int_equal(event->vb_len, event->status == TALK_OK ? 2 : 0);
	if (event->status == TALK_OK)
		assert_int_equal(event->vb[1].value.type, BAG_TICKS);
}

static void
test_watch(void **state)
{
	struct talk *talk = new_talk(2, 30, 1);
	struct seen seen = { .calls = 0 };
	char text[OBJID_TEXT_MAX];

	(void)state;
	asker_watch(asker, on_seen, &seen);
	ask(talk, TALK_GET, NAME "," UPTIME);
	wait_answer();
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.event.status, TALK_OK);
	assert_int_equal(seen.event.version, 2);
	assert_int_equal(seen.event.tries, 1);
	assert_null(seen.event.context);
	assert_int_equal(seen.event.addr.sin_port, toy.addr.sin_port);
	assert_string_equal(objid_format(&seen.last, text), UPTIME);
	toy.script = silent;
	ask(talk, TALK_GETNEXT, NAME);
	wait_answer();
	assert_int_equal(seen.calls, 2);
	assert_int_equal(seen.event.status, TALK_TIMEOUT);
	assert_int_equal(seen.event.tries, 2);
	assert_in_range(seen.event.took_ms, 80, 2000);
	asker_watch(asker, NULL, NULL);
	toy.script = honest;
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(seen.calls, 2);
	talk_free(talk);
}

/* The asker itself, too, may go inside a callback. */
static void
on_last(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	(void)error;
	(void)vb;
	(void)n;
	assert_int_equal(status, TALK_OK);
	talk_free(arg);
	asker_free(asker);
	asker = NULL;
}

static void
test_end(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };

	(void)state;
	objid_parse(NAME, &id);
	talk_ask(talk, &question, on_last, talk);
	while (asker != NULL)
		loop_once(loop, 100);
	spin(5);
}

static void
test_why(void **state)
{
	static const int errors[] = { TALK_UNDECODABLE, TALK_NO_SOCKET, 1, 2,
	    5, 6, 16, 300 };
	enum talk_status status;
	size_t i;

	(void)state;
	for (status = TALK_OK; status <= TALK_DENIED; status++)
		for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
			assert_true(strlen(talk_why(status, errors[i])) > 8);
	assert_string_equal(talk_why(TALK_DENIED, USM_UNKNOWN_USER),
	    "the user is not known to the device");
	assert_string_equal(talk_why(TALK_DENIED, USM_WRONG_PRIVACY),
	    "wrong privacy password or protocol");
}

static void
fewer(struct toy *t, const struct toy_request *q)
{
	struct toy_request part = *q;

	part.n = 1;
	toy_answer(t, &part, table);
}

static void
test_fewer(void **state)
{
	struct talk *talk = new_talk(2, 1000, 0);

	(void)state;
	toy.script = fewer;
	ask(talk, TALK_GET, NAME "," UPTIME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.text[0], "toy");
	talk_free(talk);
}

/* Every octet of a good answer changed in turn: nothing but a verdict. */
static void
test_mangled(void **state)
{
	struct talk *talk;
	struct toy_bytes list, out;
	size_t i, len = 1;
	unsigned value;

	(void)state;
	toy.script = hold;
	for (i = 0; i < len; i++) {
		for (value = 0; value < 256; value += 51) {
			talk = new_talk(2, 20, 0);
			ask(talk, TALK_GET, NAME);
			held.n = 0;
			while (held.n == 0)
				loop_once(loop, 5);
			list.len = 0;
			toy_varbind(&list, &held.oid[0], &table[3]);
			toy_message(&out, 1, "public", TOY_RESPONSE, held.id,
			    0, 0, &list);
			len = out.len;
			out.b[i] = (uint8_t)value;
			toy_send(&toy, &held, &out);
			loop_once(loop, 5);
			talk_free(talk);
		}
	}
	toy.script = honest;
	talk = new_talk(2, 1000, 0);
	ask(talk, TALK_GET, NAME);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	talk_free(talk);
}

static struct timer	 stall, thirty_ms;

static void
on_thirty_ms(void *arg)
{
	honest(&toy, arg);
}

static void
after_thirty_ms(struct toy *t, const struct toy_request *q)
{
	held = *q;
	timer_after(loop, &thirty_ms, 30, on_thirty_ms, &held);
}

static void
on_ask_and_stall(void *arg)
{
	ask(arg, TALK_GET, NAME);
	usleep(300 * 1000);
}

/* We were busy with something else, a slow disk say: neither did the question
 * leave in time nor could its answer be heard. */
static void
test_our_stall(void **state)
{
	struct talk *talk = new_talk(2, 100, 0);

	(void)state;
	toy.script = after_thirty_ms;
	timer_after(loop, &stall, 0, on_ask_and_stall, talk);
	loop_once(loop, 100);
	wait_answer();
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(talk_traffic(talk)->requests, 1);
	/* But silence is silence. */
	toy.script = silent;
	timer_after(loop, &stall, 0, on_ask_and_stall, talk);
	loop_once(loop, 100);
	wait_answer();
	assert_int_equal(got.status, TALK_TIMEOUT);
	talk_free(talk);
}

#define T(name)	cmocka_unit_test_setup_teardown(test_ ## name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(types),
		T(v1_no_such_name),
		T(no_such_name_without_index),
		T(errors),
		T(wrong_answers),
		T(duplicates),
		T(silence_and_retries),
		T(late_answer),
		T(answer_to_first_try),
		T(refused),
		T(cancel),
		T(queue),
		T(thousand),
		T(bulk),
		T(flood),
		T(alone),
		T(context),
		T(ids),
		T(same_octets),
		T(watch),
		T(end),
		T(why),
		T(fewer),
		T(mangled),
		T(our_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
