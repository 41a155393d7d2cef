/* The courier against a centre made of the same parts: handshakes, reports,
 * answers of every kind, and what the store knows afterwards.  Only the
 * connection below is made up. */
#include "kit.h"

#include <sqlite3.h>

#include "base/drop.h"
#include "xmpp/uplink.h"

#define uplink_new	made_up_new
#define uplink_free	made_up_free
#define uplink_start	made_up_start
#define uplink_stop	made_up_stop
#define uplink_state(u)	made_up_state(u)	/* not the enum */
#define uplink_sent_too_much	made_up_sent_too_much
#define uplink_ask	made_up_ask
#define uplink_refuse	made_up_refuse
#define drop_privileges	made_up_drop
static struct uplink	*made_up_new(struct loop *,
			    const struct uplink_config *,
			    const struct uplink_events *, void *);
static void		 made_up_free(struct uplink *);
static void		 made_up_start(struct uplink *);
static void		 made_up_stop(struct uplink *);
static enum uplink_state made_up_state(const struct uplink *);
static bool		 made_up_sent_too_much(const struct uplink *);
static int		 made_up_ask(struct uplink *, const char *, size_t, int,
			    uplink_answer_fn *, void *);
static void		 made_up_refuse(struct uplink *, const char *,
			    const char *, const char *);
static int		 made_up_drop(const char *);
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/session.c"
#include "agent/dispatch.c"
#include "agent/courier.c"

#define AGENT	"agent@example.com"
#define CENTRE	"platen.example.com"
#define ASKED	64

/* What the courier asked and nobody has answered yet, oldest first. */
static struct {
	xmlDoc			*doc;
	uplink_answer_fn	*fn;
	void			*arg;
} asked[ASKED];
static int asked_first, asked_len;
static enum uplink_state link_state;
static bool sent_too_much;
static char refused_condition[64];

static struct uplink *
made_up_new(struct loop *loop, const struct uplink_config *config,
    const struct uplink_events *events, void *arg)
{
	assert_string_equal(config->password, "geheim");
	return (struct uplink *)asked;
}

static bool
made_up_sent_too_much(const struct uplink *u)
{
	return sent_too_much;
}

static void
made_up_free(struct uplink *u)
{
}

static void
made_up_start(struct uplink *u)
{
}

static void
made_up_stop(struct uplink *u)
{
}

static enum uplink_state
made_up_state(const struct uplink *u)
{
	return link_state;
}

static int
made_up_ask(struct uplink *u, const char *payload, size_t len, int timeout_ms,
    uplink_answer_fn *fn, void *arg)
{
	int last = (asked_first + asked_len) % ASKED;
	char why[128];

	if (link_state != UPLINK_READY || asked_len == ASKED)
		return -1;
	asked[last].doc = xmltree_parse(payload, len, why, sizeof(why));
	assert_non_null(asked[last].doc);
	asked[last].fn = fn;
	asked[last].arg = arg;
	asked_len++;
	return 0;
}

static void
made_up_refuse(struct uplink *u, const char *id, const char *condition,
    const char *text)
{
	snprintf(refused_condition, sizeof(refused_condition), "%s",
	    condition);
}

static int
made_up_drop(const char *user)
{
	return 0;
}

/* --- the scene ----------------------------------------------------------- */

static struct courier c;
static struct key centre_key;
static struct seal *session;	/* the centre's end */
static int wake[2];

static char *
config_text(const char *more)
{
	char key[KEY_TEXT_MAX], *text, *password;

	password = kit_write("password", "geheim\n", 0600);
	key_format_public(centre_key.public, key);
	text = xasprintf("[agent]\nname = a\nstate_dir = %s\n[xmpp]\njid = "
	    AGENT "\ncentral = " CENTRE "\npassword_file = %s\n[crypto]\n"
	    "central_key = %s\n%s[discovery]\nhosts = d\n", kit_dir, password,
	    key, more);
	free(password);
	return text;
}

static void
begin_with(const char *more)
{
	char *text = config_text(more);
	char *path = kit_write("platen.ini", text, 0600);

	memset(&c, 0, sizeof(c));
	c.wake_fd = wake[1];
	assert_non_null(c.conf = config_read(path, CONFIG_UPLINK));
	assert_int_equal(start(&c), 0);
	free(path);
	free(text);
}

static void
finish(void)
{
	link_state = UPLINK_DOWN;
	on_state(&c, UPLINK_DOWN, "over");
	for (; asked_len > 0; asked_len--) {
		xmlFreeDoc(asked[asked_first].doc);
		asked[asked_first].fn(asked[asked_first].arg, UPLINK_LOST,
		    NULL, NULL);
		asked_first = (asked_first + 1) % ASKED;
	}
	timer_clear(c.loop, &c.retry);
	timer_clear(c.loop, &c.outbox_ack);
	timer_clear(c.loop, &c.hold);
	loop_free(c.loop);
	store_close(c.store);
	keyfiles_clear(&c.keys);
	config_free(c.conf);
	seal_free(session);
	session = NULL;
}

static int
set_up(void **state)
{
	assert_int_equal(key_library_init(), 0);
	assert_int_equal(pipe(wake), 0);
	key_make(&centre_key);
	kit_listen();
	return kit_dir_make(state);
}

static int
tear_down(void **state)
{
	kit_listen_no_more();
	close(wake[0]);
	close(wake[1]);
	return kit_dir_remove(state);
}

/* The collector's half: reports that wait in a lane. */
static void
collect_in(enum lane lane, int n)
{
	struct report r;
	int i;

	report_init(&r);
	report_asset(&r)->id = xstrdup(KIT_ASSET);
	assert_int_equal(store_begin(c.store), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(outbox_append(c.store, &r, lane, KIT_ASSET),
		    1);
	assert_int_equal(store_commit(c.store), 0);
	report_clear(&r);
}

static void
collect(int n)
{
	collect_in(LANE_URGENT, n);
}

static void
connect_now(void)
{
	link_state = UPLINK_READY;
	on_state(&c, UPLINK_READY, NULL);
}

/* Takes the oldest question off; its payload element must be that. */
static xmlDoc *
next_asked(const char *name, const char *ns, uplink_answer_fn **fn, void **arg)
{
	xmlDoc *doc;

	if (asked_len == 0)
		fail_msg("nothing was asked; said: %s", kit_log.data);
	doc = asked[asked_first].doc;
	*fn = asked[asked_first].fn;
	*arg = asked[asked_first].arg;
	asked_first = (asked_first + 1) % ASKED;
	asked_len--;
	if (!xmltree_is(xmlDocGetRootElement(doc), name, ns))
		fail_msg("asked: %s", xmlDocGetRootElement(doc)->name);
	return doc;
}

static void
refuse_next(const char *name, const char *ns, const char *condition)
{
	uplink_answer_fn *fn;
	void *arg;

	xmlFreeDoc(next_asked(name, ns, &fn, &arg));
	fn(arg, UPLINK_ERROR, condition, NULL);
}

/* Opens message 1 and answers with that welcome; hello is appended. */
static void
shake_hands(const char *welcome, struct buf *hello)
{
	struct uplink_element element = { "handshake", GREETING_NS, NULL, NULL };
	struct buf message = { 0 };
	uplink_answer_fn *fn;
	xmlDoc *doc;
	char *text;
	void *arg;

	doc = next_asked("handshake", GREETING_NS, &fn, &arg);
	text = xmltree_text(xmlDocGetRootElement(doc));
	seal_free(session);
	session = seal_accept(&centre_key, AGENT, CENTRE, text, strlen(text),
	    clock_mono_ms(), hello);
	assert_non_null(session);
	assert_int_equal(seal_answer(session, welcome, strlen(welcome),
	    &message), 0);
	element.text = message.data;
	fn(arg, UPLINK_RESULT, NULL, &element);
	buf_free(&message);
	free(text);
	xmlFreeDoc(doc);
}

#define TIME	"time='2026-11-20T19:30:00.000Z'"
#define WELCOME_BOTH(urgent, bulk, whole)				\
	"<welcome xmlns='urn:platen:session:1' version='1' " TIME		\
	" whole='" whole "'><lane name='urgent' seq='" urgent "'/>"	\
	"<lane name='bulk' seq='" bulk "'/></welcome>"
#define WELCOME(seq, whole)	WELCOME_BOTH(seq, "0", whole)

static void
welcome(const char *text)
{
	struct buf hello = { 0 };

	shake_hands(text, &hello);
	buf_free(&hello);
}

/* Opens the oldest sealed message: its last number; lane and how many reports
 * are noted. */
static enum lane taken_lane;
static int taken;

static int64_t
take_report(uplink_answer_fn **fn, void **arg)
{
	struct envelope envelope;
	struct buf plain = { 0 };
	char why[200], *text, *n, *name;
	xmlNode *report;
	int64_t last;
	xmlDoc *doc;

	doc = next_asked("sealed", SEALED_NS, fn, arg);
	text = xmltree_text(xmlDocGetRootElement(doc));
	n = xmltree_attr(xmlDocGetRootElement(doc), "n");
	assert_int_equal(seal_take(session, strtoull(n, NULL, 10), text,
	    strlen(text), &plain), 0);
	assert_int_equal(envelope_read(plain.data, plain.len, AGENT, CENTRE,
	    &envelope, why, sizeof(why)), 0);
	assert_int_equal(report_validate(envelope.content, why, sizeof(why)),
	    0);
	name = xmltree_attr(envelope.content, "lane");
	assert_int_equal(lane_parse(name, &taken_lane), 0);
	last = xmltree_number(envelope.content, "last");
	taken = 0;
	for (report = xmltree_child(envelope.content, NULL, NULL);
	    report != NULL; report = xmltree_next(report))
		taken++;
	envelope_clear(&envelope);
	buf_free(&plain);
	free(name);
	free(text);
	free(n);
	xmlFreeDoc(doc);
	return last;
}

static void
reply(uplink_answer_fn *fn, void *arg, const char *content)
{
	struct uplink_element element = { "sealed", SEALED_NS, NULL, NULL };
	struct buf plain = { 0 }, text = { 0 };
	char number[24];
	uint64_t n;

	envelope_write(&plain, content, strlen(content), CENTRE, AGENT,
	    clock_wall_ms());
	assert_int_equal(seal_put(session, plain.data, plain.len, &n, &text),
	    0);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
	element.n = number;
	element.text = text.data;
	fn(arg, UPLINK_RESULT, NULL, &element);
	buf_free(&plain);
	buf_free(&text);
}

/* The message that was taken last. */
static void
acknowledge(uplink_answer_fn *fn, void *arg, int64_t seq)
{
	char *ack = xasprintf("<ack xmlns='" REPORT_NS "' lane='%s' "
	    "seq='%lld'/>", lane_name(taken_lane), (long long)seq);

	reply(fn, arg, ack);
	free(ack);
	loop_once(c.loop, 0);
}

static int64_t
depth(void)
{
	struct outbox_count box;

	assert_int_equal(outbox_count(c.store, &box), 0);
	return box.depth;
}

/* --- tests --------------------------------------------------------------- */

static void
reports_go_out_and_are_acknowledged(void **state)
{
	struct buf hello = { 0 };
	char epoch[UUID_TEXT_MAX], *want;
	uplink_answer_fn *fn;
	void *arg;

	begin_with("token = one-time\n");
	collect(40);
	connect_now();
	shake_hands(WELCOME("0", "false"), &hello);
	store_epoch(c.store, epoch);
	want = xasprintf("<hello xmlns='urn:platen:session:1' version='1' "
	    "epoch='%s' token='one-time'><lane name='urgent' acked='0' "
	    "first='1'/><lane name='bulk' acked='0' first='1'/></hello>",
	    epoch);
	assert_string_equal(hello.data, want);
	free(want);
	buf_free(&hello);
	/* All of them in one message. */
	assert_int_equal(asked_len, 1);
	assert_int_equal(take_report(&fn, &arg), 40);
	assert_int_equal(taken, 40);
	/* Meanwhile one by one: so many are under way, and no more. */
	while (asked_len < c.conf->window - 1) {
		collect(1);
		dispatch_pump(&c);
	}
	collect(5);
	dispatch_pump(&c);
	assert_int_equal(asked_len, 15);
	acknowledge(fn, arg, 40);
	assert_int_equal(depth(), 15 + 5);
	assert_int_equal(take_report(&fn, &arg), 41);
	assert_int_equal(taken, 1);
	acknowledge(fn, arg, 41);
	while (asked_len > 0)
		acknowledge(fn, arg, take_report(&fn, &arg));
	assert_int_equal(depth(), 0);
	finish();
	/* After a restart it knows what was acknowledged. */
	begin_with("");
	connect_now();
	shake_hands(WELCOME("60", "false"), &hello);
	assert_non_null(strstr(hello.data, "acked='60' first='61'/>"));
	assert_int_equal(asked_len, 0);
	buf_free(&hello);
	finish();
}

#define NO_HOLD	"[outbox]\nhold = 0s\n"

static void
the_bulk_comes_last(void **state)
{
	struct outbox_count box;
	uplink_answer_fn *fn;
	void *arg;

	begin_with(NO_HOLD);
	collect_in(LANE_BULK, 5);
	collect(3);
	collect_in(LANE_BULK, 2);
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 3);
	assert_int_equal(taken_lane, LANE_URGENT);
	/* What was before the first of the urgent ones may go along. */
	assert_int_equal(asked_len, 1);
	acknowledge(fn, arg, 3);
	assert_int_equal(take_report(&fn, &arg), 5);
	assert_int_equal(taken_lane, LANE_BULK);
	collect(1);
	dispatch_pump(&c);
	acknowledge(fn, arg, 5);
	assert_int_equal(take_report(&fn, &arg), 7);
	assert_int_equal(taken_lane, LANE_BULK);
	acknowledge(fn, arg, 7);
	assert_int_equal(take_report(&fn, &arg), 4);
	assert_int_equal(taken_lane, LANE_URGENT);
	acknowledge(fn, arg, 4);
	assert_int_equal(outbox_count(c.store, &box), 0);
	assert_int_equal(box.depth, 0);
	assert_int_equal(box.lane[LANE_BULK].acked_seq, 7);
	assert_int_equal(box.lane[LANE_URGENT].acked_seq, 4);
	finish();
}

/* Behind a window that is full of urgent ones nothing else goes. */
static void
no_bulk_while_urgent_ones_wait(void **state)
{
	uplink_answer_fn *fn;
	void *arg;

	begin_with(NO_HOLD "window = 4\n");
	connect_now();
	welcome(WELCOME("0", "false"));
	collect_in(LANE_BULK, 1);
	while (asked_len < c.conf->window) {
		collect(1);
		pump_lane(&c, LANE_URGENT);
	}
	collect(1);
	dispatch_pump(&c);
	assert_int_equal(asked_len, 4);
	assert_int_equal(c.way[LANE_BULK].messages, 0);
	assert_int_equal(take_report(&fn, &arg), 1);
	acknowledge(fn, arg, 1);
	assert_int_equal(c.way[LANE_BULK].messages, 0);
	assert_int_equal(take_report(&fn, &arg), 2);
	acknowledge(fn, arg, 2);
	assert_int_equal(c.way[LANE_BULK].messages, 1);
	finish();
}

static void
the_bulk_waits_for_company(void **state)
{
	uplink_answer_fn *fn;
	void *arg;
	int i;

	begin_with("");
	connect_now();
	welcome(WELCOME("0", "false"));
	collect_in(LANE_BULK, 2);
	dispatch_pump(&c);
	assert_int_equal(asked_len, 0);
	assert_true(timer_pending(&c.hold));
	collect(1);
	dispatch_pump(&c);
	assert_int_equal(take_report(&fn, &arg), 1);
	acknowledge(fn, arg, 1);
	assert_int_equal(asked_len, 0);
	on_hold(&c);
	assert_int_equal(take_report(&fn, &arg), 2);
	assert_int_equal(taken, 2);
	acknowledge(fn, arg, 2);
	/* The next ones wait again, until there are enough of them. */
	for (i = 0; i < OUTBOX_IN_FLIGHT_MAX - 1; i++)
		collect_in(LANE_BULK, 1);
	dispatch_pump(&c);
	assert_int_equal(asked_len, 0);
	collect_in(LANE_BULK, 1);
	dispatch_pump(&c);
	assert_true(asked_len > 0);
	while (asked_len > 0)
		acknowledge(fn, arg, take_report(&fn, &arg));
	assert_int_equal(depth(), 0);
	finish();
}

/* Of the bulk never more is under way than squeeze_outbox() leaves alone, and
 * not more octets than the line bears. */
static void
the_bulk_is_paced(void **state)
{
	uplink_answer_fn *fn;
	void *arg;
	int64_t last = 0;
	size_t first;

	begin_with(NO_HOLD);
	collect_in(LANE_BULK, 400);
	connect_now();
	welcome(WELCOME("0", "false"));
	first = c.way[LANE_BULK].octets;
	assert_true(first > 0 && first < 17 * 1024);
	while (asked_len > 0) {
		assert_true(c.way[LANE_BULK].reports <= OUTBOX_IN_FLIGHT_MAX);
		assert_true(c.way[LANE_BULK].octets <=
		    c.way[LANE_BULK].pace.window + 1024);
		last = take_report(&fn, &arg);
		acknowledge(fn, arg, last);
	}
	assert_int_equal(last, 400);
	assert_int_equal(depth(), 0);
	finish();
}

/* A server that ends the stream for a stanza gets smaller ones, down to a least
 * size, and nothing is lost by it. */
static void
too_much_for_the_server(void **state)
{
	uplink_answer_fn *fn;
	void *arg;
	int64_t last = 0;
	int i;

	begin_with(NO_HOLD);
	c.batch_most = DELIVERY_BATCH_MOST;
	collect(30);
	sent_too_much = true;
	for (i = 0; i < 20; i++) {
		on_state(&c, UPLINK_DOWN, "policy-violation");
		assert_true(c.batch_most >= BATCH_LEAST);
	}
	sent_too_much = false;
	assert_true(c.batch_most < 2 * BATCH_LEAST);
	assert_said("octets of reports from now on");
	connect_now();
	welcome(WELCOME("0", "false"));
	while (asked_len > 0) {
		assert_true(c.way[LANE_URGENT].messages <= c.conf->window);
		last = take_report(&fn, &arg);
		acknowledge(fn, arg, last);
	}
	assert_int_equal(last, 30);
	assert_int_equal(depth(), 0);
	finish();
}

static void
catching_up_is_shown(void **state)
{
	struct catchup catchup;
	uplink_answer_fn *fn;
	int64_t last = 0;
	char *note;
	void *arg;

	begin_with("");
	collect_in(LANE_BULK, 150);
	collect(20);
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_said("catching up: 20 urgent reports wait, 150 of the bulk");
	note = store_note(c.store, "catchup");
	assert_true(catchup_parse(note, &catchup));
	assert_int_equal(catchup.to[LANE_BULK], 150);
	free(note);
	/* And nothing of it waits for company. */
	while (asked_len > 0) {
		last = take_report(&fn, &arg);
		acknowledge(fn, arg, last);
	}
	assert_int_equal(last, 150);
	assert_said("caught up: the centre has all 170 reports that had "
	    "waited, in ");
	note = store_note(c.store, "catchup");
	assert_string_equal(note, "");
	free(note);
	finish();
}

static void
nothing_goes_out_without_a_session(void **state)
{
	begin_with("");
	collect(3);
	dispatch_pump(&c);
	on_state(&c, UPLINK_ONLINE, NULL);
	dispatch_pump(&c);
	assert_int_equal(asked_len, 0);
	connect_now();
	dispatch_pump(&c);
	assert_int_equal(asked_len, 1);		/* the handshake */
	finish();
}

/* The acknowledgement was lost: the welcome says it. */
static void
the_welcome_acknowledges(void **state)
{
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(5);
	connect_now();
	welcome(WELCOME("3", "false"));
	assert_int_equal(depth(), 2);
	assert_int_equal(take_report(&fn, &arg), 5);
	assert_int_equal(taken, 2);
	fn(arg, UPLINK_LOST, NULL, NULL);
	finish();
}

static void
a_refused_report_does_not_block(void **state)
{
	struct outbox_count box;
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(3);
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 3);
	reply(fn, arg, "<ack xmlns='" REPORT_NS "' lane='urgent' seq='3'>"
	    "<refused seq='1' reason='because'/>"
	    "<refused seq='3' reason='so'/></ack>");
	assert_said("refuses urgent report 1 for good: because");
	assert_said("refuses urgent report 3 for good: so");
	loop_once(c.loop, 0);
	collect(1);
	dispatch_pump(&c);
	assert_int_equal(take_report(&fn, &arg), 4);
	acknowledge(fn, arg, 4);
	assert_int_equal(outbox_count(c.store, &box), 0);
	assert_int_equal(box.refused, 2);
	assert_int_equal(box.depth, 0);
	finish();
}

static void
disk(const char *text)
{
	char *path = xasprintf("%s/store.db", kit_dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

/* A disk that takes nothing ends no session: acknowledgements and refusals
 * wait until it does. */
static void
what_cannot_be_stored_waits(void **state)
{
	struct outbox_count box;
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(3);
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 3);
	disk("CREATE TRIGGER full BEFORE DELETE ON outbox BEGIN"
	    " SELECT RAISE(ABORT, 'disk full'); END;");
	reply(fn, arg, "<ack xmlns='" REPORT_NS "' lane='urgent' seq='3'>"
	    "<refused seq='2' reason='because'/></ack>");
	loop_once(c.loop, 0);
	assert_true(c.up);
	assert_int_equal(depth(), 3);
	collect(1);
	dispatch_pump(&c);
	assert_int_equal(take_report(&fn, &arg), 4);
	acknowledge(fn, arg, 4);
	assert_true(c.up);
	assert_int_equal(depth(), 4);
	/* And none with the next one, which hears it all again. */
	on_state(&c, UPLINK_ONLINE, NULL);
	connect_now();
	welcome("<welcome xmlns='urn:platen:session:1' version='1' "
	    TIME " whole='false'><lane name='bulk' seq='0'/><lane "
	    "name='urgent' seq='4'><refused seq='2' reason='because'/></lane>"
	    "</welcome>");
	assert_true(c.up);
	assert_int_equal(c.refusals, 1);
	assert_true(timer_pending(&c.outbox_ack));
	disk("DROP TRIGGER full");
	receipt_store(&c);
	assert_int_equal(depth(), 0);
	assert_int_equal(outbox_count(c.store, &box), 0);
	assert_int_equal(box.refused, 1);
	finish();
}

/* The answer that refused it was lost: the welcome says it, and it is aside
 * before the rest counts as taken. */
static void
the_welcome_refuses(void **state)
{
	struct outbox_count box;
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(4);
	connect_now();
	collect_in(LANE_BULK, 2);
	welcome("<welcome xmlns='urn:platen:session:1' version='1' "
	    TIME " whole='false'><lane name='bulk' seq='1'><refused seq='1' "
	    "reason='so'/></lane><lane name='urgent' seq='3'><refused seq='2' "
	    "reason='because'/></lane></welcome>");
	assert_said("refuses urgent report 2 for good: because");
	assert_said("refuses bulk report 1 for good: so");
	assert_int_equal(outbox_count(c.store, &box), 0);
	assert_int_equal(box.refused, 2);
	assert_int_equal(box.depth, 2);
	assert_int_equal(take_report(&fn, &arg), 4);
	fn(arg, UPLINK_LOST, NULL, NULL);
	finish();
}

static void
a_gap_is_mended_by_a_new_session(void **state)
{
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(2);
	connect_now();
	welcome(WELCOME("0", "false"));
	collect(1);
	dispatch_pump(&c);
	assert_int_equal(take_report(&fn, &arg), 2);
	reply(fn, arg, "<again xmlns='" REPORT_NS "' lane='urgent' seq='0'/>");
	assert_said("a report got lost on the way");
	/* What is under way of the old session no longer counts. */
	xmlFreeDoc(next_asked("sealed", SEALED_NS, &fn, &arg));
	fn(arg, UPLINK_ERROR, "item-not-found", NULL);
	assert_int_equal(asked_len, 0);
	on_retry(&c);
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 3);
	/* A part is taken: the rest comes in a new session. */
	acknowledge(fn, arg, 1);
	assert_said("the centre took a part only");
	assert_int_equal(depth(), 2);
	on_retry(&c);
	welcome(WELCOME("1", "false"));
	assert_int_equal(take_report(&fn, &arg), 3);
	assert_int_equal(taken, 2);
	acknowledge(fn, arg, 3);
	assert_int_equal(depth(), 0);
	finish();
}

static void
an_old_store_begins_a_new_epoch(void **state)
{
	char before[UUID_TEXT_MAX], after[UUID_TEXT_MAX], byte;
	struct buf hello = { 0 };
	uplink_answer_fn *fn;
	void *arg;

	begin_with("");
	collect(2);
	store_epoch(c.store, before);
	connect_now();
	welcome(WELCOME("3", "false"));
	assert_said("beginning a new epoch");
	store_epoch(c.store, after);
	assert_string_not_equal(before, after);
	assert_int_equal(store_note_int(c.store, "whole", 0), 1);
	assert_int_equal(read(wake[0], &byte, 1), 1);
	assert_int_equal(byte, WAKE_WHOLE);
	on_retry(&c);
	shake_hands(WELCOME("0", "false"), &hello);
	assert_non_null(strstr(hello.data, after));
	assert_non_null(strstr(hello.data, "acked='0' first='1'"));
	buf_free(&hello);
	assert_int_equal(take_report(&fn, &arg), 2);
	fn(arg, UPLINK_LOST, NULL, NULL);
	finish();
}

/* It shows in either lane. */
static void
an_old_store_with_an_old_bulk(void **state)
{
	char before[UUID_TEXT_MAX], after[UUID_TEXT_MAX];

	begin_with("");
	collect(2);
	store_epoch(c.store, before);
	connect_now();
	welcome(WELCOME_BOTH("2", "1", "false"));
	assert_said("bulk report 1, here 0");
	store_epoch(c.store, after);
	assert_string_not_equal(before, after);
	finish();
}

static void
everything_is_told_again_on_demand(void **state)
{
	char byte = 0;

	begin_with("");
	connect_now();
	welcome(WELCOME("0", "true"));
	assert_int_equal(store_note_int(c.store, "whole", 0), 1);
	assert_int_equal(read(wake[0], &byte, 1), 1);
	assert_int_equal(byte, WAKE_WHOLE);
	finish();
}

static void
an_asset_is_renamed(void **state)
{
	struct report told;
	uplink_answer_fn *fn;
	struct asset a;
	void *arg;

	begin_with("");
	kit_asset(&a, KIT_ASSET);
	assert_int_equal(known_tell_asset(c.store, &a), 0);
	collect(1);
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 1);
	reply(fn, arg, "<ack xmlns='" REPORT_NS "' lane='urgent' seq='1'><same asset='"
	    KIT_ASSET "' known='" KIT_OTHER "'/></ack>");
	report_init(&told);
	assert_int_equal(known_told(c.store, KIT_OTHER, &told), 0);
	assert_int_equal(told.assets_len, 1);
	report_clear(&told);
	asset_clear(&a);
	finish();
}

/* Answers that no centre gives end the session and change nothing. */
static void
nonsense_changes_nothing(void **state)
{
	static const char *const bad[] = {
#define U "xmlns='" REPORT_NS "' lane='urgent' "
	    "<ack " U "/>",
	    "<ack " U "seq=''/>",
	    "<ack " U "seq='1x'/>",
	    "<ack " U "seq='-1'/>",
	    "<ack " U "seq='99'/>",
	    "<ack " U "seq='9223372036854775808'/>",
	    "<ack " U "seq='1'><other/></ack>",
	    "<ack " U "seq='1'><same asset='" KIT_ASSET
		"' known='x'/></ack>",
	    "<ack xmlns='" REPORT_NS "' seq='1'/>",
	    "<ack xmlns='" REPORT_NS "' lane='bulk' seq='1'/>",
	    "<ack xmlns='" REPORT_NS "' lane='bulk' seq='0'/>",
	    "<ack xmlns='urn:other' lane='urgent' seq='1'/>",
	    "<ack " U "seq='1'><refused seq='2' reason='x'/></ack>",
	    "<ack " U "seq='1'><refused seq='1' reason='x'/>"
		"<refused seq='1' reason='x'/></ack>",
	    "<refused " U "seq='1' reason='x'/>",
	    "<report xmlns='" REPORT_NS "' seq='1'/>",
	    "<nack " U "seq='1'/>",
	    NULL
	};
	uplink_answer_fn *fn;
	void *arg;
	size_t i;

	begin_with("");
	collect(1);
	for (i = 0; bad[i] != NULL; i++) {
		connect_now();
		welcome(WELCOME("0", "false"));
		assert_int_equal(take_report(&fn, &arg), 1);
		reply(fn, arg, bad[i]);
		loop_once(c.loop, 0);
		if (c.up || depth() != 1)
			fail_msg("taken: %s", bad[i]);
	}
	finish();
}

static void
what_does_not_open_changes_nothing(void **state)
{
	struct uplink_element element = { "sealed", SEALED_NS, "0", "AAAA" };
	static const char *const numbers[] = { "", "x", "-1", "0", "1 ",
	    "99999999999999999999", NULL };
	uplink_answer_fn *fn;
	void *arg;
	size_t i;

	begin_with("");
	collect(1);
	for (i = 0; numbers[i] != NULL; i++) {
		connect_now();
		welcome(WELCOME("0", "false"));
		assert_int_equal(take_report(&fn, &arg), 1);
		element.n = numbers[i];
		fn(arg, UPLINK_RESULT, NULL, &element);
		assert_false(c.up);
		assert_int_equal(depth(), 1);
	}
	connect_now();
	welcome(WELCOME("0", "false"));
	assert_int_equal(take_report(&fn, &arg), 1);
	fn(arg, UPLINK_RESULT, NULL, NULL);
	assert_false(c.up);
	assert_said("not sealed");
	finish();
}

static void
a_welcome_that_makes_no_sense(void **state)
{
	static const char *const bad[] = { "", "<welcome/>", "hello",
#define W "<welcome xmlns='urn:platen:session:1' version='1' "
#define LU "<lane name='urgent' seq='0'/>"
#define LB "<lane name='bulk' seq='0'/>"
	    W ">" LU LB "</welcome>",
	    "<welcome xmlns='urn:platen:session:1' " TIME ">" LU LB
		"</welcome>",
	    "<welcome xmlns='urn:platen:session:1' version='2' " TIME ">" LU
		LB "</welcome>",
	    W "seq='0' " TIME "/>",
	    W TIME ">" LU "</welcome>",
	    W TIME ">" LB LB "</welcome>",
	    W TIME ">" LB LU LU "</welcome>",
	    W TIME ">" LB LU "<lane name='third' seq='0'/></welcome>",
	    W TIME ">" LB "<lane name='urgent' seq=''/></welcome>",
	    W TIME ">" LB "<lane name='urgent' seq='1e3'/></welcome>",
	    /* Refused: no number, ahead of what is committed, not in order. */
	    W TIME ">" LB "<lane name='urgent' seq='0'><refused reason='x'/>"
		"</lane></welcome>",
	    W TIME ">" LB "<lane name='urgent' seq='0'><refused seq='1'/>"
		"</lane></welcome>",
	    W TIME ">" LB "<lane name='urgent' seq='9'><refused seq='2'/>"
		"<refused seq='2'/></lane></welcome>",
	    NULL };
	size_t i;

	begin_with("");
	collect(1);
	for (i = 0; bad[i] != NULL; i++) {
		connect_now();
		welcome(bad[i]);
		if (c.up)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(depth(), 1);
	}
	assert_said("makes no sense to this version");
	finish();
}

static void
refusals_are_explained(void **state)
{
	static const struct { const char *condition, *text; } table[] = {
		{ "registration-required", "platen-central agents --approve" },
		{ "not-authorized", "refuses the key or token" },
		{ "forbidden", "has revoked this agent" },
		{ "bad-request", "cannot open the handshake" },
		{ "service-unavailable", "service-unavailable" },
	};
	char *note;
	size_t i;

	begin_with("");
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		connect_now();
		refuse_next("handshake", GREETING_NS, table[i].condition);
		assert_said(table[i].text);
		assert_true(timer_pending(&c.retry));
		note = store_note(c.store, "uplink_state");
		assert_string_equal(note, "no session");
		free(note);
	}
	finish();
}

/* A token is told until it was of use; a new one counts after the agent has
 * been enrolled anew with the same centre. */
static void
a_new_token_is_told_again(void **state)
{
	struct buf hello = { 0 };

	begin_with("token = first\n");
	connect_now();
	welcome(WELCOME("0", "false"));
	connect_now();
	shake_hands(WELCOME("0", "false"), &hello);
	assert_null(strstr(hello.data, "token="));
	buf_reset(&hello);
	finish();
	begin_with("token = second\n");
	connect_now();
	shake_hands(WELCOME("0", "false"), &hello);
	assert_non_null(strstr(hello.data, "token='second'"));
	buf_free(&hello);
	finish();
}

static void
a_token_file_may_be_deleted(void **state)
{
	char *token = kit_write("token", "from-file\n", 0600), *more;
	struct buf hello = { 0 };

	more = xasprintf("token_file = %s\n", token);
	begin_with(more);
	connect_now();
	shake_hands(WELCOME("0", "false"), &hello);
	assert_non_null(strstr(hello.data, "token='from-file'"));
	buf_reset(&hello);
	finish();
	unlink(token);
	begin_with(more);
	connect_now();
	shake_hands(WELCOME("0", "false"), &hello);
	assert_null(strstr(hello.data, "token="));
	buf_free(&hello);
	finish();
	free(more);
	free(token);
}

static void
requests_are_refused(void **state)
{
	struct uplink_element element = { "sealed", SEALED_NS, "0", "AAAA" };

	begin_with("");
	on_request(&c, "id", &element);
	assert_string_equal(refused_condition, "feature-not-implemented");
	finish();
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reports_go_out_and_are_acknowledged),
		TEST(the_bulk_comes_last),
		TEST(no_bulk_while_urgent_ones_wait),
		TEST(the_bulk_waits_for_company),
		TEST(the_bulk_is_paced),
		TEST(too_much_for_the_server),
		TEST(catching_up_is_shown),
		TEST(nothing_goes_out_without_a_session),
		TEST(the_welcome_acknowledges),
		TEST(a_refused_report_does_not_block),
		TEST(what_cannot_be_stored_waits),
		TEST(the_welcome_refuses),
		TEST(a_gap_is_mended_by_a_new_session),
		TEST(an_old_store_begins_a_new_epoch),
		TEST(an_old_store_with_an_old_bulk),
		TEST(everything_is_told_again_on_demand),
		TEST(an_asset_is_renamed),
		TEST(nonsense_changes_nothing),
		TEST(what_does_not_open_changes_nothing),
		TEST(a_welcome_that_makes_no_sense),
		TEST(refusals_are_explained),
		TEST(a_new_token_is_told_again),
		TEST(a_token_file_may_be_deleted),
		TEST(requests_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
