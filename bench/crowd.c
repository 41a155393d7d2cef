/*
 * Many agents in one process, each with a connection, a session and printers
 * of its own that exist nowhere: what a centre sees of a thousand sites.
 *
 * usage: crowd PORT CA_FILE CENTRE CENTRE_KEY PRINTERS PING_MS AGENTS_FILE
 *
 * Each line of the file is "JID PASSWORD TOKEN NUMBER".  They log in a few at
 * a time and tell their printers whole.  Then, on stdin:
 *
 *	report SECONDS	each tells the counters of all its printers in one
 *			message, every so often, at moments of its own; 0 ends
 *	count		-> {"agents", "sessions", "sent", "acked", "refused"}
 *	quit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/greeting.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "bench/invent.h"
#include "crypto/key.h"
#include "crypto/seal.h"
#include "schema/envelope.h"
#include "schema/lane.h"
#include "schema/xmltree.h"
#include "xmpp/uplink.h"

#define SEALED_NS	"urn:platen:sealed:1"
#define ANSWER_MS	60000
#define RETRY_MS	1000
#define STEP_MS		20	/* between looks whether more may log in */
#define AT_ONCE		24	/* that log in */

struct member {
	struct uplink	*uplink;
	char		*jid;
	char		 token[64];
	char		 epoch[UUID_TEXT_MAX];
	struct key	 key;
	struct seal	*seal;
	bool		 started, up, told;
	unsigned	 session;	/* answers to older ones do not count */
	int64_t		 seq[LANES], acked[LANES], turn;
	struct invented	*printers;
	struct timer	 timer, retry;
};

struct question {
	struct member	*member;
	unsigned	 session;
	enum lane	 lane;
	int64_t		 last;
	int		 reports;
};

static struct loop	*loop;
static const char	*centre;
static uint8_t		 centre_key[KEY_LEN];
static struct member	*members;
static size_t		 count;
static int		 printers;
static int64_t		 every_ms;
static int64_t		 sent, acked, refused;
static struct timer	 starter;

static void	 shake(void *);

static void
end_session(struct member *m)
{
	seal_free(m->seal);
	m->seal = NULL;
	m->up = false;
	m->session++;
}

static void
failed(struct member *m, const char *what)
{
	refused++;
	log_warnx("crowd", "%s: %s", m->jid, what);
	end_session(m);
	timer_after(loop, &m->retry, RETRY_MS, shake, m);
}

static struct question *
question(struct member *m)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->member = m;
	q->session = m->session;
	return q;
}

/* --- reports ------------------------------------------------------------- */

static bool
take_ack(struct member *m, const struct question *q,
    const struct uplink_element *element)
{
	struct buf plain = { 0 };
	struct envelope envelope;
	char why[160];
	bool good = false;

	if (element == NULL || element->n == NULL || element->text == NULL ||
	    seal_take(m->seal, strtoull(element->n, NULL, 10), element->text,
	    strlen(element->text), &plain) == -1)
		goto out;
	if (envelope_read(plain.data, plain.len, centre, m->jid, &envelope,
	    why, sizeof(why)) == -1)
		goto out;
	good = xmltree_is(envelope.content, "ack", REPORT_NS) &&
	    xmltree_number(envelope.content, "seq") == q->last &&
	    xmltree_child(envelope.content, "refused", REPORT_NS) == NULL;
	envelope_clear(&envelope);
out:
	buf_free(&plain);
	return good;
}

static void
on_ack(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct question q = *(struct question *)arg;
	struct member *m = q.member;

	free(arg);
	if (q.session != m->session)
		return;
	if (answer != UPLINK_RESULT)
		failed(m, condition == NULL ? "no answer" : condition);
	else if (!take_ack(m, &q, element))
		failed(m, "the answer is no acknowledgement");
	else {
		m->acked[q.lane] = q.last;
		acked += q.reports;
	}
}

static void
ask(struct member *m, enum lane lane, const struct buf *content)
{
	struct buf plain = { 0 }, text = { 0 }, xml = { 0 };
	struct question *q;
	uint64_t n;

	envelope_write(&plain, content->data, content->len, m->jid, centre,
	    clock_wall_ms());
	if (seal_put(m->seal, plain.data, plain.len, &n, &text) == -1)
		fatalx("crowd", "cannot seal");
	buf_printf(&xml, "<sealed xmlns='" SEALED_NS "' n='%llu'>",
	    (unsigned long long)n);
	buf_put(&xml, text.data, text.len);
	buf_puts(&xml, "</sealed>");
	q = question(m);
	q->lane = lane;
	q->last = m->seq[lane];
	q->reports = printers;
	if (uplink_ask(m->uplink, xml.data, xml.len, ANSWER_MS, on_ack,
	    q) == -1) {
		free(q);
		failed(m, "nothing can be sent");
	} else
		sent += printers;
	buf_free(&plain);
	buf_free(&text);
	buf_free(&xml);
}

/* One report of each printer, in one message. */
static void
tell(struct member *m, enum lane lane)
{
	struct buf xml = { 0 };
	struct report r;
	int i;

	buf_printf(&xml, "<reports xmlns='" REPORT_NS "' epoch='%s' lane='%s' "
	    "first='%lld' last='%lld'>", m->epoch, lane_name(lane),
	    (long long)m->seq[lane] + 1, (long long)m->seq[lane] + printers);
	for (i = 0; i < printers; i++) {
		report_init(&r);
		r.seq = ++m->seq[lane];
		r.turn = ++m->turn;
		m->printers[i].pages += 1 + random() % 20;
		if (lane == LANE_URGENT)
			invent_whole(&m->printers[i], &r);
		else
			invent_counters(&m->printers[i], &r);
		report_write(&r, &xml);
		report_clear(&r);
	}
	buf_puts(&xml, "</reports>");
	ask(m, lane, &xml);
	buf_free(&xml);
}

static void
on_time(void *arg)
{
	struct member *m = arg;

	if (every_ms == 0)
		return;
	if (m->up && m->told)
		tell(m, LANE_BULK);
	timer_after(loop, &m->timer, every_ms, on_time, m);
}

/* --- sessions ------------------------------------------------------------ */

static void
on_welcome(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct question q = *(struct question *)arg;
	struct member *m = q.member;
	struct buf payload = { 0 };
	struct greeting welcome;
	int i;

	free(arg);
	if (q.session != m->session)
		return;
	if (answer != UPLINK_RESULT || element == NULL ||
	    element->text == NULL || seal_finish(m->seal, element->text,
	    strlen(element->text), &payload) == -1 ||
	    greeting_welcome(&payload, &welcome) == -1)
		failed(m, condition == NULL ? "no session" : condition);
	else {
		for (i = 0; i < LANES; i++)
			m->seq[i] = m->acked[i] = welcome.lane[i].committed;
		greeting_clear(&welcome);
		m->up = true;
		/* A session counts when something came through it. */
		tell(m, m->told ? LANE_BULK : LANE_URGENT);
		m->told = true;
	}
	buf_free(&payload);
}

static void
shake(void *arg)
{
	struct member *m = arg;
	struct buf hello = { 0 }, message = { 0 }, xml = { 0 };
	struct question *q;

	if (uplink_state(m->uplink) != UPLINK_READY)
		return;
	timer_clear(loop, &m->retry);
	end_session(m);
	greeting_hello(&hello, m->epoch, m->acked, m->token);
	m->seal = seal_open(&m->key, centre_key, m->jid, centre, hello.data,
	    hello.len, clock_mono_ms(), &message);
	if (m->seal == NULL)
		fatalx("crowd", "no handshake can be made");
	buf_puts(&xml, "<handshake xmlns='" GREETING_NS "'>");
	buf_put(&xml, message.data, message.len);
	buf_puts(&xml, "</handshake>");
	q = question(m);
	if (uplink_ask(m->uplink, xml.data, xml.len, ANSWER_MS, on_welcome,
	    q) == -1) {
		free(q);
		failed(m, "nothing can be sent");
	}
	buf_free(&hello);
	buf_free(&message);
	buf_free(&xml);
}

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	struct member *m = arg;

	if (state == UPLINK_READY)
		shake(m);
	else
		end_session(m);
}

static void
start_more(void *arg)
{
	size_t i, busy = 0;

	for (i = 0; i < count && busy < AT_ONCE; i++) {
		if (members[i].started &&
		    uplink_state(members[i].uplink) < UPLINK_ONLINE)
			busy++;
		else if (!members[i].started) {
			members[i].started = true;
			uplink_start(members[i].uplink);
			busy++;
		}
	}
	if (i < count || busy > 0)
		timer_after(loop, &starter, STEP_MS, start_more, NULL);
}

/* --- from outside -------------------------------------------------------- */

static void
say_count(void)
{
	size_t i, sessions = 0;

	for (i = 0; i < count; i++)
		sessions += members[i].up && members[i].told;
	printf("{\"agents\": %zu, \"sessions\": %zu, \"sent\": %lld, "
	    "\"acked\": %lld, \"refused\": %lld}\n", count, sessions,
	    (long long)sent, (long long)acked, (long long)refused);
}

static void
report_every(int64_t ms)
{
	size_t i;

	every_ms = ms;
	for (i = 0; i < count; i++)
		if (ms == 0)
			timer_clear(loop, &members[i].timer);
		else
			timer_after(loop, &members[i].timer, random() % ms,
			    on_time, &members[i]);
}

/* Whoever asks waits for the answer, so that a line comes at a time. */
static void
on_input(void *arg, int fd, unsigned events)
{
	char line[256];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	if (strncmp(line, "count", 5) == 0)
		say_count();
	else if (strncmp(line, "report ", 7) == 0) {
		report_every((int64_t)(atof(line + 7) * 1000));
		say_count();
	} else
		loop_stop(loop);
}

static void
add_member(const char *line, struct uplink_config *config)
{
	static const struct uplink_events events = { on_state, NULL };
	struct member *m = &members[count];
	char jid[128], password[128], token[64];
	long long number;
	int i;

	if (sscanf(line, "%127s %127s %63s %lld", jid, password, token,
	    &number) != 4)
		fatalx("crowd", "not JID PASSWORD TOKEN NUMBER");
	m->jid = xstrdup(jid);
	snprintf(m->token, sizeof(m->token), "%s", token);
	uuid_make(m->epoch);
	key_make(&m->key);
	m->printers = xcalloc((size_t)printers, sizeof(*m->printers));
	for (i = 0; i < printers; i++)
		invent_printer(&m->printers[i], number * printers + i);
	config->jid = m->jid;
	config->password = password;
	if ((m->uplink = uplink_new(loop, config, &events, m)) == NULL)
		fatalx("crowd", "%s: no uplink", jid);
	count++;
}

static void
read_members(const char *path, struct uplink_config *config)
{
	FILE *f = fopen(path, "r");
	char line[512];
	size_t room = 0;

	if (f == NULL)
		fatal("crowd", "%s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		room++;
	members = xcalloc(room, sizeof(*members));
	rewind(f);
	while (count < room && fgets(line, sizeof(line), f) != NULL)
		add_member(line, config);
	fclose(f);
}

int
main(int argc, char *argv[])
{
	struct uplink_config config = { .host = "127.0.0.1" };
	size_t i;

	if (argc != 8)
		return 2;
	log_init("crowd", true, false);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (key_library_init() == -1 ||
	    key_parse_public(argv[4], centre_key) == -1)
		return 2;
	config.port = atoi(argv[1]);
	config.ca_file = argv[2];
	config.central = centre = argv[3];
	printers = atoi(argv[5]);
	config.ping_ms = atoi(argv[6]);
	if (printers < 1)
		return 2;
	report_schema_load();
	loop = loop_new();
	read_members(argv[7], &config);
	loop_watch(loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
	start_more(NULL);
	loop_run(loop);
	report_every(0);
	timer_clear(loop, &starter);
	for (i = 0; i < count; i++) {
		end_session(&members[i]);
		timer_clear(loop, &members[i].retry);
		uplink_free(members[i].uplink);
		key_wipe(&members[i].key);
		free(members[i].jid);
		free(members[i].printers);
	}
	free(members);
	loop_free(loop);
	return 0;
}
