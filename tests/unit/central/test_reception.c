/*
 * The events of a component, played by hand: what is sent when, what a full
 * disk does, who is called silent.  The component itself is replaced.
 */
#include "central/reception.c"

#include "schema/envelope.h"
#include "tests/unit/central/fixture.h"

#define AGENT	"site7@example.org"
#define FULL	AGENT "/platend"
#define CENTRE	"centre.example.org"

struct component {
	struct component_events	 events;
	void			*arg;
	char			 sent[64][96];	/* presences and errors */
	size_t			 sent_len;
	struct buf		 reply;		/* the last result's payload */
	component_answer_fn	*answer;	/* of the last question */
	void			*answer_arg;
};

static struct component	 recorder;
static int		 ready;

static void
note(const char *what, const char *to, const char *detail)
{
	assert_true(recorder.sent_len < 64);
	snprintf(recorder.sent[recorder.sent_len++], sizeof(recorder.sent[0]),
	    "%s %s %s", what, to, detail == NULL ? "" : detail);
}

struct component *
component_new(struct loop *loop, const struct component_config *config,
    const struct component_events *events, void *arg)
{
	recorder.events = *events;
	recorder.arg = arg;
	return &recorder;
}

void
component_start(struct component *c)
{
	ready = 1;
}

void
component_stop(struct component *c)
{
	ready = 0;
}

void
component_places(struct component *c, int n)
{
}

void
component_free(struct component *c)
{
	if (c->answer != NULL)
		c->answer(c->answer_arg, false, "remote-server-timeout", NULL);
	c->answer = NULL;
}

bool
component_ready(const struct component *c)
{
	return ready;
}

void
component_presence(struct component *c, const char *to, const char *type)
{
	note("presence", to, type);
}

void
component_reply(struct component *c, const char *to, const char *id,
    const char *payload, size_t len)
{
	note("result", to, id);
	buf_reset(&c->reply);
	buf_put(&c->reply, payload, len);
}

void
component_error(struct component *c, const char *to, const char *id,
    const char *condition, const char *text)
{
	note("error", to, condition);
}

void
component_ask(struct component *c, const char *to, bool set,
    const char *payload, size_t len, int timeout_ms, component_answer_fn *fn,
    void *arg)
{
	note("ask", to, NULL);
	assert_null(c->answer);
	c->answer = fn;
	c->answer_arg = arg;
}

/* The other end. */
static struct keyring	 centre;
static struct key	 agent_key;
static struct settings	 settings;
static struct loop	*loop;
static struct reception	*r;
static struct seal	*seal;

static const char *
last(void)
{
	return recorder.sent_len == 0 ? "" : recorder.sent[recorder.sent_len - 1];
}

static void
iq(const char *from, const char *payload)
{
	xmlDoc	*doc;
	char	 why[100];

	doc = xmltree_parse(payload, strlen(payload), why, sizeof(why));
	assert_non_null(doc);
	recorder.events.on_iq(recorder.arg, from, "7", true,
	    xmlDocGetRootElement(doc));
	recorder.events.on_idle(recorder.arg);
	xmlFreeDoc(doc);
}

/* The text inside the last result, which is one element. */
static char *
inside(void)
{
	char	*start, *end;

	start = strchr(recorder.reply.data, '>') + 1;
	end = strstr(start, "</");
	return xstrndup(start, (size_t)(end - start));
}

static void
shake(void)
{
	static const char	 hello[] = "<hello xmlns='" HANDSHAKE_NS "' "
	    "version='1' epoch='" EPOCH "'><lane name='urgent' acked='0' "
	    "first='1'/><lane name='bulk' acked='0' first='1'/></hello>";
	struct buf		 message = { 0 }, welcome = { 0 };
	char			*payload, *text;

	seal_free(seal);
	seal = seal_open(&agent_key, centre.key[0].public, AGENT, CENTRE, hello,
	    sizeof(hello) - 1, clock_mono_ms(), &message);
	payload = xasprintf("<handshake xmlns='" HANDSHAKE_NS
	    "'>%s</handshake>", message.data);
	iq(FULL, payload);
	assert_string_equal(last(), "result " FULL " 7");
	text = inside();
	assert_int_equal(seal_finish(seal, text, strlen(text), &welcome), 0);
	free(text);
	free(payload);
	buf_free(&message);
	buf_free(&welcome);
}

static void
say_in(const char *epoch, int64_t seq, const char *records)
{
	struct buf	 plain = { 0 }, text = { 0 };
	uint64_t	 n;
	char		*report, *payload;

	report = xasprintf("<reports xmlns='" REPORT_NS "' epoch='%s' "
	    "lane='urgent' first='%lld' last='%lld'><report seq='%lld' "
	    "turn='%lld'>%s</report></reports>", epoch, (long long)seq,
	    (long long)seq, (long long)seq, (long long)seq, records);
	envelope_write(&plain, report, strlen(report), AGENT, CENTRE,
	    clock_wall_ms());
	assert_int_equal(seal_put(seal, plain.data, plain.len, &n, &text), 0);
	payload = xasprintf("<sealed xmlns='" BATCH_NS "' n='%llu'>%s"
	    "</sealed>", (unsigned long long)n, text.data);
	iq(FULL, payload);
	free(report);
	free(payload);
	buf_free(&plain);
	buf_free(&text);
}

static void
say(int64_t seq, const char *records)
{
	say_in(EPOCH, seq, records);
}

static int
open_all(void **state)
{
	struct fixture	*f;
	char		 why[100];
	int64_t		 agent;

	set_up(state);
	f = *state;
	key_make(&centre.key[0]);
	centre.len = 1;
	key_make(&agent_key);
	/* Bind the key that the other end really has. */
	assert_int_equal(fleet_do(f->fleet, "UPDATE agent SET key = ? WHERE "
	    "id = ?", "bi", (const void *)agent_key.public, KEY_LEN,
	    f->agent), 0);
	assert_int_equal(roster_revoke(f->fleet, "site8@example.org", why,
	    sizeof(why)), 0);
	assert_int_equal(roster_admit(f->fleet, "walkin@example.org", key_b,
	    NULL, f->now, &agent, why, sizeof(why)), ROSTER_WAITS);
	assert_int_equal(fleet_commit(f->fleet), 0);
	settings.jid = xstrdup(CENTRE);
	settings.host = xstrdup("127.0.0.1");
	loop = loop_new();
	memset(&recorder, 0, sizeof(recorder));
	r = reception_new(loop, &settings, "secret", &centre, f->fleet);
	reception_start(r);
	return 0;
}

static int
close_all(void **state)
{
	reception_stop(r);
	reception_free(r);
	loop_free(loop);
	settings_clear(&settings);
	seal_free(seal);
	seal = NULL;
	keyring_clear(&centre);
	key_wipe(&agent_key);
	buf_free(&recorder.reply);
	return tear_down(state);
}

static void
greets(void **state)
{
	recorder.events.on_ready(recorder.arg);
	assert_int_equal(recorder.sent_len, 2);	/* not the revoked one */
	assert_string_equal(recorder.sent[0], "presence " AGENT " ");
	assert_string_equal(last(), "presence walkin@example.org ");
	/* In kind, and not for ever. */
	recorder.events.on_presence(recorder.arg, FULL, "available", NULL);
	assert_string_equal(last(), "presence " FULL " ");
	assert_int_equal(recorder.sent_len, 3);
	recorder.events.on_presence(recorder.arg, FULL, "available", NULL);
	recorder.events.on_presence(recorder.arg, FULL, "available", NULL);
	assert_int_equal(recorder.sent_len, 3);
	/* It went and came: that is news. */
	recorder.events.on_presence(recorder.arg, FULL, "unavailable",
	    NULL);
	recorder.events.on_presence(recorder.arg, FULL, "available", NULL);
	assert_int_equal(recorder.sent_len, 4);
	recorder.events.on_presence(recorder.arg, "x@y/z", "probe", NULL);
	assert_int_equal(recorder.sent_len, 5);
	recorder.events.on_presence(recorder.arg, "x@y/z", "error", NULL);
	recorder.events.on_presence(recorder.arg, "x@y/z", "subscribe",
	    NULL);
	assert_int_equal(recorder.sent_len, 5);
	recorder.events.on_idle(recorder.arg);
}

static void
later(void *arg)
{
}

static void
count_line(void *arg, enum log_level level, const char *line)
{
	if (level < LOG_LEVEL_DEBUG)
		++*(unsigned *)arg;
}

/* One account with resources without end. */
static void
resources(void **state)
{
	struct fixture	*f = *state;
	unsigned	 said = 0;
	char		*from;
	int		 i;

	log_hook(count_line, &said);
	for (i = 0; i < 2000; i++) {
		from = xasprintf(AGENT "/%d", i);
		recorder.sent_len = 0;
		recorder.events.on_presence(recorder.arg, from, "available", NULL);
		recorder.events.on_presence(recorder.arg, from, "unavailable", NULL);
		recorder.events.on_idle(recorder.arg);
		free(from);
	}
	log_hook(quiet, NULL);
	assert_in_range(said, 1, 100);
	assert_null(peers_find(r->peers, AGENT)->full);
	assert_get(f, "SELECT presence FROM agent WHERE jid = '" AGENT "'",
	    "unavailable");
}

/* Nothing is taken under a session but what its hello named. */
static void
another_epoch(void **state)
{
	struct fixture	*f = *state;

	shake();
	say(1, WHOLE(LASER, "L1"));
	say_in(EPOCH2, 1, WHOLE(INKJET, "I1"));
	assert_string_equal(last(), "error " FULL " bad-request");
	recorder.events.on_idle(recorder.arg);
	assert_get(f, "SELECT CAST(count(*) AS TEXT) || CAST("
	    "sum(doubt) AS TEXT) FROM asset", "10");
	assert_get(f, "SELECT count(*) FROM epoch", "1");
	say(2, "");
	assert_string_equal(last(), "result " FULL " 7");
}

/* Handshakes beyond the bounds do not make the others' commits small. */
static void
flood_of_handshakes(void **state)
{
	struct fixture	*f = *state;
	int		 i;

	shake();
	recorder.events.on_idle = later;
	for (i = 0; i < 30; i++) {
		recorder.sent_len = 0;
		iq("x@y/z", "<handshake xmlns='" HANDSHAKE_NS
		    "'>AAAA</handshake>");
	}
	assert_string_equal(last(), "error x@y/z resource-constraint");
	say(1, "");
	assert_true(fleet_in_transaction(f->fleet));
	iq("x@y/z", "<handshake xmlns='" HANDSHAKE_NS "'>AAAA</handshake>");
	assert_true(fleet_in_transaction(f->fleet));
	on_idle(recorder.arg);
	assert_string_equal(last(), "result " FULL " 7");
}

#define PRESENCE	"SELECT presence FROM agent WHERE jid = '" AGENT "'"

static void
silence(void **state)
{
	struct fixture	*f = *state;
	struct peer	*peer;

	recorder.events.on_presence(recorder.arg, FULL, "available", NULL);
	recorder.events.on_idle(recorder.arg);
	assert_get(f, PRESENCE, "available");
	peer = peers_find(r->peers, AGENT);
	look_after(r, peer);
	assert_null(recorder.answer);		/* heard a moment ago */
	peer->heard_ms -= QUIET_MS;
	look_after(r, peer);
	assert_string_equal(last(), "ask " FULL " ");
	look_after(r, peer);			/* asked already */
	recorder.answer(recorder.answer_arg, false, "remote-server-timeout", NULL);
	recorder.answer = NULL;
	assert_get(f, PRESENCE, "silent");
	look_after(r, peer);
	assert_non_null(recorder.answer);
	recorder.answer(recorder.answer_arg, true, NULL, NULL);
	recorder.answer = NULL;
	assert_get(f, PRESENCE, "available");
	/* One that has no idea of pings is there as well. */
	peer->heard_ms -= QUIET_MS;
	look_after(r, peer);
	recorder.answer(recorder.answer_arg, false, "service-unavailable", NULL);
	recorder.answer = NULL;
	assert_get(f, PRESENCE, "available");
	/* The stream goes: nobody's presence is known. */
	recorder.events.on_lost(recorder.arg, "gone");
	assert_get(f, PRESENCE, "unavailable");
}

static void
acknowledges(void **state)
{
	struct fixture	*f = *state;
	struct envelope	 envelope;
	struct buf	 plain = { 0 };
	char		*text, why[200];

	shake();
	say(1, WHOLE(LASER, "L1"));
	assert_string_equal(last(), "result " FULL " 7");
	text = inside();
	assert_int_equal(seal_take(seal, 0, text, strlen(text), &plain), 0);
	assert_int_equal(envelope_read(plain.data, plain.len, CENTRE, AGENT,
	    &envelope, why, sizeof(why)), 0);
	assert_true(xmltree_is(envelope.content, "ack", REPORT_NS));
	assert_int_equal(xmltree_number(envelope.content, "seq"), 1);
	assert_int_equal(report_validate(envelope.content, why, sizeof(why)),
	    0);
	envelope_clear(&envelope);
	assert_get(f, "SELECT serial FROM asset", "L1");
	free(text);
	buf_free(&plain);
}

/* Nothing is acknowledged that did not reach the disk. */
static void
disk_full(void **state)
{
	struct fixture	*f = *state;
	char		*records;
	int		 i;

	shake();
	say(1, WHOLE(LASER, "L1"));
	break_store(f);
	for (i = 2; i < 3000; i++) {
		records = xasprintf("<asset id='" LASER "'><location>place "
		    "%d</location></asset>", i);
		recorder.sent_len = 0;
		say(i, records);
		free(records);
		if (strncmp(last(), "result", 6) != 0)
			break;
	}
	assert_string_equal(last(), "error " FULL " resource-constraint");
	records = xasprintf("%d", i - 1);
	assert_get(f, "SELECT last_seq FROM epoch", records);
	free(records);
	/* The session is over, and for a moment there is no other. */
	say(i, "");
	assert_string_equal(last(), "error " FULL " item-not-found");
	iq(FULL, "<handshake xmlns='" HANDSHAKE_NS "'>AAAA</handshake>");
	assert_string_equal(last(), "error " FULL " resource-constraint");
	mend_store(f);
	r->broken_ms = 0;
	shake();
	say(i, "<asset id='" LASER "'><location>Barn</location></asset>");
	assert_string_equal(last(), "result " FULL " 7");
	assert_get(f, "SELECT location FROM asset", "Barn");
}

/* Several in one turn of the loop: one transaction, answers after it. */
static void
one_commit(void **state)
{
	struct fixture	*f = *state;
	size_t		 before;
	int		 i;

	shake();
	before = recorder.sent_len;
	recorder.events.on_idle = later;
	for (i = 1; i <= 5; i++)
		say(i, "");
	assert_int_equal(recorder.sent_len, before);
	assert_true(fleet_in_transaction(f->fleet));
	on_idle(recorder.arg);
	assert_int_equal(recorder.sent_len, before + 5);
	assert_false(fleet_in_transaction(f->fleet));
	assert_get(f, "SELECT last_seq FROM epoch", "5");
}

/* What another process wrote is seen at a tick, if not at the first. */
static void
tick_until(const char *expected)
{
	int	i;

	for (i = 0; i < 500 && strcmp(last(), expected) != 0; i++) {
		on_tick(r);
		usleep(10000);
	}
	assert_string_equal(last(), expected);
}

static void
revoked(void **state)
{
	struct fixture	*f = *state;

	recorder.events.on_ready(recorder.arg);
	shake();
	say(1, "");
	beside(f, "UPDATE agent SET state = 'revoked' WHERE jid = '" AGENT
	    "'");
	tick_until("presence " AGENT " unavailable");
	say(2, "");
	assert_string_equal(last(), "error " FULL " item-not-found");
	beside(f, "UPDATE agent SET state = 'active' WHERE jid = '" AGENT
	    "'");
	tick_until("presence " AGENT " ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_all, close_all)
		TEST(greets), TEST(resources), TEST(another_epoch),
		TEST(flood_of_handshakes), TEST(silence), TEST(acknowledges),
		TEST(disk_full), TEST(one_commit), TEST(revoked),
	};
	int	rc;

	rc = cmocka_run_group_tests(tests, NULL, NULL);
	report_schema_free();
	return rc;
}
