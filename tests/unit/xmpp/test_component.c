/*
 * The component against a server that the test plays itself, in the same
 * loop, word by word.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "schema/xmltree.h"
#include "xmpp/component.h"
#include "xmpp/wire.h"

#define JID	"platen.example.org"
#define SECRET	"hunter2"
/* printf stream-1hunter2 | sha1sum */
#define PROOF	"<handshake>2b06f49fcc1360611bf829cf3c0dcf79c9323ef7" \
		"</handshake>"
#define HEAD \
	"<?xml version='1.0'?><stream:stream xmlns:stream=" \
	"'http://etherx.jabber.org/streams' xmlns='jabber:component:accept'" \
	" from='" JID "' id='stream-1'>"
#define STREAM_ERROR(c, t) \
	"<stream:error><" c " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" \
	"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>" t "</text>" \
	"</stream:error></stream:stream>"
#define WAIT_MS	5000

static struct loop	*loop;
static struct component	*com;
static struct buf	 told;		/* the events, as text */
static struct buf	 logged;
static struct buf	 got;		/* what the server received */
static int		 listener = -1, peer = -1;
static int		 port, iqs, idles, readies, losts;
static bool		 reply_big, stop_at_iq;

/* ---- The component's owner. ---- */

static void
on_ready(void *arg)
{
	readies++;
}

static void
on_lost(void *arg, const char *why)
{
	losts++;
	buf_printf(&told, "lost %s;", why);
}

static void
on_presence(void *arg, const char *from, const char *type, const char *status)
{
	buf_printf(&told, "presence %s %s%s%s;", from, type,
	    status != NULL ? " " : "", status != NULL ? status : "");
}

static void
on_iq(void *arg, const char *from, const char *id, bool set, xmlNode *payload)
{
	static char	 big[64 * 1024];

	iqs++;
	buf_printf(&told, "%s %s %s ", set ? "set" : "get", from, id);
	xmltree_print(&told, payload);
	buf_puts(&told, ";");
	if (reply_big) {
		memset(big, 'x', sizeof(big));
		component_reply(com, from, id, big, sizeof(big));
		buf_reset(&told);
	}
	if (stop_at_iq)
		component_stop(com);
}

static void
on_idle(void *arg)
{
	idles++;
	buf_puts(&told, "idle;");
}

static const struct component_events	events = {
	on_ready, on_lost, on_presence, on_iq, on_idle
};

static void
hear(void *arg, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_DEBUG)
		return;
	buf_puts(&logged, line);
	buf_puts(&logged, "\n");
}

/* ---- The server. ---- */

static int
listen_on(int backlog)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(sin);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listener, backlog), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len),
	    0);
	port = ntohs(sin.sin_port);
	return port;
}

static void
server_close(void)
{
	if (peer != -1)
		close(peer);
	peer = -1;
}

/* One turn of the loop; takes in what has come. */
static void
turn(void)
{
	char	 piece[65536];
	ssize_t	 n;

	loop_once(loop, 5);
	if (peer == -1)
		return;
	while ((n = recv(peer, piece, sizeof(piece), MSG_DONTWAIT)) > 0)
		buf_put(&got, piece, (size_t)n);
}

static void
accept_one(void)
{
	int64_t	 end = clock_mono_ms() + WAIT_MS;

	server_close();
	buf_reset(&got);
	while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) == -1) {
		assert_true(clock_mono_ms() < end);
		loop_once(loop, 5);
	}
}

/* Turns until the server has received text, and forgets up to it. */
static void
expect(const char *text)
{
	int64_t		 end = clock_mono_ms() + WAIT_MS;
	const char	*at;

	while (got.data == NULL || (at = strstr(got.data, text)) == NULL) {
		if (clock_mono_ms() > end)
			fail_msg("waited for %s, have %s", text, got.data);
		turn();
	}
	buf_drop(&got, (size_t)(at - got.data) + strlen(text));
}

static void
until(const int *count, int value)
{
	int64_t	 end = clock_mono_ms() + WAIT_MS;

	while (*count < value) {
		if (clock_mono_ms() > end)
			fail_msg("have %d of %d; log: %s", *count, value,
			    logged.data);
		turn();
	}
}

static void
until_told(struct buf *b, const char *text)
{
	int64_t	 end = clock_mono_ms() + WAIT_MS;

	while (b->data == NULL || strstr(b->data, text) == NULL) {
		if (clock_mono_ms() > end)
			fail_msg("waited for %s, have %s", text, b->data);
		turn();
	}
}

static void
say(const char *text)
{
	size_t	 len = strlen(text), at = 0;
	ssize_t	 n;

	while (at < len) {
		n = send(peer, text + at, len - at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			at += (size_t)n;
		else
			turn();
	}
}

static void
greet(void)
{
	accept_one();
	expect("<?xml version='1.0'?><stream:stream "
	    "xmlns='jabber:component:accept' "
	    "xmlns:stream='http://etherx.jabber.org/streams' to='" JID "'>");
	say(HEAD);
	expect(PROOF);
}

static void
login(void)
{
	int	 before = readies;

	greet();
	say("<handshake/>");
	until(&readies, before + 1);
	assert_true(component_ready(com));
	buf_reset(&logged);
	buf_reset(&told);
}

/* ---- Around each test. ---- */

static void
com_new(const char *host, int step_ms, int ping_ms)
{
	struct component_config	 config = {
		.jid = JID, .host = host, .port = port, .secret = SECRET,
		.version = "1.2 <3>", .step_ms = step_ms, .ping_ms = ping_ms,
		.retry_min_ms = 20, .retry_max_ms = 40
	};

	com = component_new(loop, &config, &events, NULL);
	component_start(com);
}

static int
setup(void **state)
{
	loop = loop_new();
	log_hook(hear, NULL);
	iqs = idles = readies = losts = 0;
	reply_big = stop_at_iq = false;
	buf_reset(&told);
	buf_reset(&logged);
	buf_puts(&told, "");
	buf_puts(&logged, "");
	listen_on(16);
	com_new("127.0.0.1", 1000, 60000);
	return 0;
}

static int
teardown(void **state)
{
	server_close();
	component_free(com);
	com = NULL;
	close(listener);
	loop_free(loop);
	buf_free(&got);
	buf_free(&told);
	buf_free(&logged);
	return 0;
}

static void
again(const char *host, int step_ms, int ping_ms)
{
	int	 fd;

	component_free(com);
	/* The connections that it had begun. */
	while ((fd = accept(listener, NULL, NULL)) != -1)
		close(fd);
	com_new(host, step_ms, ping_ms);
}

/* ---- Logging in. ---- */

static void
test_login(void **state)
{
	int	 i;

	login();
	component_presence(com, "a@b/<c>", NULL);
	expect("<presence from='" JID "' to='a@b/&lt;c&gt;'></presence>");
	component_presence(com, "a@b", "unavailable");
	expect("<presence type='unavailable' from='" JID "' to='a@b'>");
	component_stop(com);
	assert_false(component_ready(com));
	expect("</stream:stream>");
	assert_int_equal(losts, 0);
	/* Stopped is stopped. */
	component_presence(com, "a@b", NULL);
	for (i = 0; i < 20; i++)
		turn();
	assert_int_equal(accept(listener, NULL, NULL), -1);
	component_start(com);
	login();
}

static void
test_name(void **state)
{
	again("localhost", 1000, 60000);
	login();
}

static void
test_byte_by_byte(void **state)
{
	static const char	 text[] = HEAD "<handshake></handshake>"
	    "<iq from='a@b/c' to='" JID "' id='1' type='set'>"
	    "<q xmlns='u'>t</q></iq>";
	char			 one[2] = "";
	size_t			 i;

	accept_one();
	for (i = 0; i < sizeof(text) - 1; i++) {
		one[0] = text[i];
		say(one);
		turn();
	}
	until(&iqs, 1);
	until_told(&told, "set a@b/c 1 <q xmlns='u'>t</q>;idle;");
}

static void
test_two_in_one(void **state)
{
	login();
	say("<iq from='a@b/c' to='" JID "' id='1' type='set'><q xmlns='u'/>"
	    "</iq><presence from='a@b/c' to='" JID "'/>"
	    "<presence from='a@b/c' to='" JID "/x' type='unavailable'/>"
	    "<iq from='d@e' to='" JID "' id='&lt;&apos;' type='get'>"
	    "<r xmlns='v'/></iq>");
	until(&idles, 1);
	assert_string_equal(told.data, "set a@b/c 1 <q xmlns='u'/>;"
	    "presence a@b/c available;presence a@b/c unavailable;"
	    "get d@e <' <r xmlns='v'/>;idle;");
	component_reply(com, "a@b/c", "1", "<ok/>", 5);
	component_error(com, "d@e", "<'", "forbidden", "no & no");
	expect("<iq type='result' from='" JID "' to='a@b/c' id='1'><ok/>"
	    "</iq><iq type='error' from='" JID "' to='d@e' "
	    "id='&lt;&apos;'><error type='auth'><forbidden xmlns="
	    "'urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns="
	    "'urn:ietf:params:xml:ns:xmpp-stanzas'>no &amp; no</text>"
	    "</error></iq>");
	say(" \n ");
	turn();
	turn();
	assert_int_equal(idles, 1);
}

static int
times(const struct buf *b, const char *text)
{
	const char	*p = b->data;
	int		 n = 0;

	while (p != NULL && (p = strstr(p, text)) != NULL) {
		p += strlen(text);
		n++;
	}
	return n;
}

/* Refused five times, said once, then let in. */
static void
test_refused(void **state)
{
	int	 i;

	for (i = 0; i < 5; i++) {
		greet();
		say(STREAM_ERROR("not-authorized", "wrong \x7f token"));
		server_close();
	}
	assert_int_equal(times(&logged, "\n"), 1);
	assert_non_null(strstr(logged.data, "not-authorized: the secret is "
	    "not the one in the server's configuration (wrong ? token)"));
	assert_null(strstr(logged.data, SECRET));
	for (i = 0; i < 3; i++) {
		greet();
		say(STREAM_ERROR("conflict", "there is one"));
		server_close();
	}
	until_told(&logged, "another component is connected under this name");
	assert_int_equal(times(&logged, "\n"), 2);
	assert_int_equal(losts, 0);
	login();
	assert_int_equal(readies, 1);
}

static void
test_strange_answers(void **state)
{
	static const char *const	 text[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"<stream:stream>",
		"<html>",
		"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y 'z'>]>",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/"
		    "streams' xmlns='jabber:component:accept'>",
		HEAD "<success/>",
		HEAD "<handshake xmlns='other'/>",
		HEAD "<iq from='a@b' to='" JID "' type='get' id='1'><q/></iq>",
		HEAD "</stream:stream>",
		HEAD STREAM_ERROR("host-unknown", ""),
	};
	size_t				 i;

	for (i = 0; i < sizeof(text) / sizeof(*text); i++) {
		accept_one();
		say(text[i]);
	}
	login();
	assert_int_equal(losts, 0);
	assert_int_equal(iqs, 0);
}

static void
took(int64_t start, int64_t least, int64_t most)
{
	int64_t	 ms = clock_mono_ms() - start;

	if (ms < least || ms > most)
		fail_msg("took %lld ms", (long long)ms);
}

/* The component comes back although we hold the connection open. */
static void
left_by_itself(void)
{
	int64_t	 start = clock_mono_ms();
	int	 held = peer;

	peer = -1;
	accept_one();
	took(start, 100, 1500);
	close(held);
}

/* Silence at each step ends by its deadline. */
static void
test_silence(void **state)
{
	again("127.0.0.1", 150, 60000);
	accept_one();
	left_by_itself();
	until_told(&logged, "is it the component port?");
	say("<?xml version='1.0'?><stream:stream xmlns='jab");
	left_by_itself();
	say(HEAD);
	left_by_itself();
	until_told(&logged, "no answer to the handshake");
	say(HEAD "<hand");
	left_by_itself();
}

/* A host that drops our packets: its queue is full. */
static void
test_blackhole(void **state)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 fill[4], i;

	component_stop(com);
	close(listener);
	listen_on(0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	for (i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fill[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	again("127.0.0.1", 150, 60000);
	until_told(&logged, "cannot connect: no answer");
	for (i = 0; i < 4; i++)
		close(fill[i]);
}

static void
test_refused_port(void **state)
{
	component_stop(com);
	close(listener);
	again("127.0.0.1", 150, 60000);
	until_told(&logged, "cannot connect: Connection refused");
	listener = -1;
}

/* The next ping comes in that name; its id. */
static void
expect_ping(const char *name, char id[64])
{
	char	 text[128];

	expect("<iq type='get' id='ping-");
	until_told(&got, "'");
	snprintf(id, 64, "ping-%.*s", (int)strcspn(got.data, "'"), got.data);
	snprintf(text, sizeof(text), "' from='%s" JID "' to='" JID "'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>", name);
	expect(text);
}

/* A ping of ours as the server brings it back. */
static void
say_echo(const char *name, const char *id)
{
	char	 text[256];

	snprintf(text, sizeof(text), "<iq type='get' id='%s' from='%s" JID "' "
	    "to='" JID "'><ping xmlns='urn:xmpp:ping'/></iq>", id, name);
	say(text);
}

/* A server that was fine and then says nothing more is pinged, and left. */
static void
test_dead(void **state)
{
	int64_t	 start;
	char	 id[64], text[256];

	again("127.0.0.1", 200, 200);
	login();
	start = clock_mono_ms();
	expect_ping("", id);
	snprintf(text, sizeof(text), "<iq type='result' id='%s' from='" JID "' "
	    "to='" JID "'/>", id);
	say(text);
	expect("to='" JID "'><ping");
	expect("to='example.org'><ping");
	until(&losts, 1);
	took(start, 500, 3000);
	assert_non_null(strstr(told.data, "lost the server has fallen "
	    "silent"));
	login();
}

/* A line that is dead on the way out only: what comes in is no proof, nor is
 * another one's ping. */
static void
test_deaf(void **state)
{
	int64_t	 end;

	again("127.0.0.1", 200, 200);
	login();
	end = clock_mono_ms() + WAIT_MS;
	while (losts == 0 && clock_mono_ms() < end) {
		say("<presence from='a@b/c' to='" JID "'/>");
		say_echo("", "ping-0");
		turn();
	}
	assert_int_equal(losts, 1);
	assert_non_null(strstr(told.data, "lost the server sends, but answers "
	    "to nothing"));
	login();
}

/* Nor is it lost while its pings come back, however much else there is. */
static void
test_pinged_when_busy(void **state)
{
	char	 id[64];
	int	 i;

	again("127.0.0.1", 200, 200);
	login();
	for (i = 0; i < 4; i++) {
		say("<presence from='a@b/c' to='" JID "'/>");
		expect_ping("", id);
		say("<presence from='a@b/c' to='" JID "'/>");
		say_echo("", id);
		expect("' id='ping-");
	}
	assert_int_equal(losts, 0);
}

/* One of several with its name hears only what the server gives to it, and
 * finds a name for its pings that does. */
static void
test_shared(void **state)
{
	char	 id[64];

	again("127.0.0.1", 2000, 200);
	login();
	expect_ping("", id);
	expect_ping("7@", id);
	expect("from='32@" JID "'");
	say_echo("7@", id);
	expect("to='7@" JID "' id='ping-");
	expect_ping("7@", id);
	/* That one is gone, and all of the next round are others'. */
	expect_ping("1@", id);
	expect_ping("33@", id);
	expect("from='64@" JID "'");
	say_echo("40@", id);
	expect("to='40@" JID "' id='ping-");
	expect_ping("40@", id);
	assert_int_equal(losts, 0);
}

/* A second place at the server: what comes through it is handed over alike
 * and answered there, and its loss is not the component's. */
static void
test_places(void **state)
{
	int	 first, before;

	again("127.0.0.1", 2000, 60000);
	login();
	first = peer;
	peer = -1;
	component_places(com, 2);
	login();
	before = losts;
	say("<iq from='a@b/c' to='" JID "' id='1' type='set'><q xmlns='u'/>"
	    "</iq>");
	until_told(&told, "set a@b/c 1 <q xmlns='u'/>;idle;");
	say("<iq from='a@b/c' to='" JID "' id='2' type='get'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>");
	expect("<iq type='result' from='" JID "' to='a@b/c' id='2'>");
	/* It comes back by itself. */
	server_close();
	login();
	assert_int_equal(losts, before);
	component_places(com, 1);
	expect("</stream:stream>");
	server_close();
	peer = first;
	component_presence(com, "a@b", NULL);
	expect("<presence from='" JID "' to='a@b'>");
	assert_int_equal(losts, before);
}

static void
test_close(void **state)
{
	login();
	say("<iq from='a@b/c' to='" JID "' id='1' type='set'><q xmlns='u'/>"
	    "</iq></stream:stream>");
	until(&losts, 1);
	/* What was handed over is committed, although nobody hears. */
	assert_non_null(strstr(told.data, ";idle;lost the server closed"));
	login();
	server_close();
	until(&losts, 2);
	login();
	say(STREAM_ERROR("system-shutdown", ""));
	until(&losts, 3);
	assert_non_null(strstr(told.data, "going down"));
	login();
	assert_int_equal(readies, 4);
	assert_int_equal(idles, 1);
}

/* ---- Strangers. ---- */

static void
test_hostile_stanzas(void **state)
{
	struct buf	 b = { 0 };
	int		 i;

	login();
	buf_puts(&b, "<iq from='evil@x/y' to='" JID "' id='big' type='set'>"
	    "<q>");
	for (i = 0; i < COMPONENT_STANZA_MAX / 8; i++)
		buf_puts(&b, "12345678");
	buf_puts(&b, "</q></iq>");
	say(b.data);
	expect("<iq type='error' from='" JID "' to='evil@x/y' id='big'>"
	    "<error type='modify'><policy-violation ");
	buf_reset(&b);
	buf_puts(&b, "<iq from='evil@x/y' to='" JID "' id='deep' type='get'>");
	for (i = 0; i < 50000; i++)
		buf_puts(&b, "<q>");
	for (i = 0; i < 50000; i++)
		buf_puts(&b, "</q>");
	buf_puts(&b, "</iq><message from='evil@x/y' to='" JID "'>");
	for (i = 0; i < 2000; i++)
		buf_puts(&b, "<q/>");
	buf_puts(&b, "</message><iq from='a@b' to='" JID "' id='1' "
	    "type='set'><q xmlns='u'/></iq>");
	say(b.data);
	expect("to='evil@x/y' id='deep'><error type='modify'>"
	    "<policy-violation ");
	until(&iqs, 1);
	/* Said once, not once for each. */
	assert_int_equal(times(&logged, "refused a stanza"), 1);
	assert_null(strstr(got.data, "message"));
	assert_int_equal(losts, 0);
	buf_free(&b);
}

static void
test_hostile_server(void **state)
{
	static const struct {
		const char	*text, *condition;
	} bad[] = {
		{ "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 "
		  "'&lol;&lol;&lol;'>]><iq>&lol2;</iq>", "restricted-xml" },
		{ "<iq><q>&lol;</q></iq>", "not-well-formed" },
		{ "<iq><!-- x --></iq>", "restricted-xml" },
		{ "<?xml-stylesheet href='file:///etc/passwd'?>",
		  "restricted-xml" },
		{ "<iq from='a@\xff'/>", "not-well-formed" },
		{ "<iq><q></iq></q>", "not-well-formed" },
		{ "hello", "invalid-xml" },
	};
	char		 text[128];
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		login();
		say(bad[i].text);
		snprintf(text, sizeof(text), "<stream:error><%s xmlns="
		    "'urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
		    "</stream:stream>", bad[i].condition);
		expect(text);
		until(&losts, (int)i + 1);
	}
	login();
	assert_int_equal(iqs, 0);
}

static void
test_ignored(void **state)
{
	login();
	say("<iq to='" JID "' id='1' type='set'><q xmlns='u'/></iq>"
	    "<iq from='a@b' id='1' type='set'><q xmlns='u'/></iq>"
	    "<iq from='/r' to='" JID "' id='1' type='set'><q/></iq>"
	    "<iq from='a@b' to='" JID "' type='set'><q xmlns='u'/></iq>"
	    "<iq from='a@b' to='" JID "' id='1'><q xmlns='u'/></iq>"
	    "<iq from='a@b' to='" JID "' id='1' type='x'><q/></iq>"
	    "<iq from='a@b' to='" JID "' id='1' type='result'/>"
	    "<iq from='a@b' to='" JID "' id='1' type='error'/>"
	    "<iq xmlns='jabber:client' from='a@b' to='" JID "' id='1' "
	    "type='set'><q xmlns='u'/></iq>"
	    "<message from='a@b' to='" JID "'><body>hi</body></message>"
	    "<presence from='a@b' to='other.example.org'/>"
	    "<presence from='a@b' to='x@" JID "'/>"
	    "<iq from='a@b' to='" JID "' id='none' type='set'/>"
	    "<iq from='a@b' to='" JID "' id='two' type='set'><q/><q/></iq>"
	    "<iq from='a@b' to='x@" JID "' id='who' type='get'><q/></iq>"
	    "<iq from='a@b' to='" JID "/r' id='res' type='get'><q/></iq>"
	    "<presence from='a@b' to='" JID "' type='probe'/>");
	until_told(&told, "probe");
	assert_string_equal(told.data, "presence a@b probe;idle;");
	expect("id='res'");
	expect("service-unavailable");
	assert_int_equal(iqs, 0);
	assert_int_equal(losts, 0);
}

static void
test_status(void **state)
{
	struct buf	b = { 0 };
	int		 i;

	login();
	buf_puts(&b, "<presence from='a@b' to='" JID "'><show>dnd</show>"
	    "<status>disk &lt;full&gt;</status></presence>"
	    "<presence from='a@b' to='" JID "'><status/></presence>"
	    "<presence from='a@b' to='" JID "'>"
	    "<status xmlns='other'>x</status></presence>"
	    "<presence from='a@b' to='" JID "'><status>x");
	for (i = 0; i < COMPONENT_STATUS_MAX; i++)
		buf_puts(&b, "\xc3\xa9");
	buf_puts(&b, "</status></presence>");
	say(b.data);
	until_told(&told, "idle");
	buf_reset(&b);
	/* Cut between two letters. */
	buf_puts(&b, "presence a@b available disk <full>;"
	    "presence a@b available;presence a@b available;"
	    "presence a@b available x");
	for (i = 0; i < COMPONENT_STATUS_MAX / 2 - 1; i++)
		buf_puts(&b, "\xc3\xa9");
	buf_puts(&b, ";idle;");
	assert_string_equal(told.data, b.data);
	buf_free(&b);
}

static void
test_errors_answered(void **state)
{
	login();
	say("<iq from='a@b' to='" JID "' id='none' type='set'/>"
	    "<iq from='a@b' to='" JID "' id='two' type='set'><q/><q/></iq>"
	    "<iq from='a@b' to='x@" JID "' id='who' type='get'><q/></iq>");
	expect("id='none'><error type='modify'><bad-request ");
	expect("id='two'><error type='modify'><bad-request ");
	expect("<iq type='error' from='x@" JID "' to='a@b' id='who'>"
	    "<error type='cancel'><service-unavailable ");
}

static void
test_manners(void **state)
{
	login();
	say("<iq from='a@b/c' to='" JID "' id='i' type='get'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
	    "<iq from='a@b/c' to='" JID "' id='n' type='get'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>"
	    "</iq>"
	    "<iq from='a@b/c' to='" JID "' id='p' type='get'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>"
	    "<iq from='a@b/c' to='" JID "' id='v' type='get'>"
	    "<query xmlns='jabber:iq:version'/></iq>");
	expect("<iq type='result' from='" JID "' to='a@b/c' id='i'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info'>"
	    "<identity category='component' type='generic' name='Platen'/>"
	    "<feature var='http://jabber.org/protocol/disco#info'/>"
	    "<feature var='urn:xmpp:ping'/>"
	    "<feature var='jabber:iq:version'/></query></iq>");
	expect("id='n'><error type='cancel'><item-not-found ");
	expect("<iq type='result' from='" JID "' to='a@b/c' id='p'></iq>");
	expect("id='v'><query xmlns='jabber:iq:version'><name>Platen</name>"
	    "<version>1.2 &lt;3&gt;</version></query></iq>");
	assert_int_equal(iqs, 0);
}

/* ---- Asking. ---- */

static struct buf	answers;
static int		answered;

static void
on_answer(void *arg, bool result, const char *condition, xmlNode *payload)
{
	answered++;
	buf_printf(&answers, "%s %s %s;", (const char *)arg,
	    result ? "result" : "error",
	    result ? payload != NULL ? (const char *)payload->name : "empty" :
	    condition);
}

/* Asks, and gives back the id that the server saw. */
static void
ask(const char *to, const char *name, int timeout_ms, char id[64])
{
	component_ask(com, to, true, "<c xmlns='u'/>", 14, timeout_ms,
	    on_answer, (void *)(uintptr_t)name);
	expect("<iq type='set' from='" JID "' to='");
	expect("id='");
	until_told(&got, "'>");
	snprintf(id, 64, "%.*s", (int)strcspn(got.data, "'"), got.data);
	expect("<c xmlns='u'/></iq>");
}

static void
test_ask(void **state)
{
	char	 one[64], two[64], three[64], text[1024];

	answered = 0;
	buf_reset(&answers);
	component_ask(com, "a@b", true, "<c/>", 4, 1000, on_answer,
	    (void *)(uintptr_t)"early");
	assert_int_equal(answered, 0);
	until(&answered, 1);
	login();
	ask("A@b/c", "one", WAIT_MS, one);
	ask("a@b", "two", WAIT_MS, two);
	ask("d@e", "three", 50, three);
	assert_string_not_equal(one, two);
	assert_true(strlen(one) >= 24);
	/* Others, other resources, other ids: no answers. */
	snprintf(text, sizeof(text),
	    "<iq from='x@y' to='" JID "' type='result' id='%s'/>"
	    "<iq from='a@b/d' to='" JID "' type='result' id='%s'/>"
	    "<iq from='a@b/c' to='" JID "' type='result' id='%s'/>"
	    "<iq from='a@b/c' to='" JID "' type='result' id='%.25s'/>"
	    "<iq from='a@b/c' to='" JID "' type='get' id='%s'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>", one, one, two, one, one);
	say(text);
	expect("type='result'");
	assert_int_equal(answered, 1);
	snprintf(text, sizeof(text), "<iq from='a@b/c' to='" JID "' "
	    "type='result' id='%s'><ok xmlns='u'/></iq>"
	    "<iq from='a@b' to='" JID "' type='error' id='%s'><c xmlns='u'/>"
	    "<error type='wait'><text xmlns='urn:ietf:params:xml:ns:xmpp-"
	    "stanzas'>x</text><recipient-unavailable xmlns='urn:ietf:params:"
	    "xml:ns:xmpp-stanzas'/></error></iq>", one, two);
	say(text);
	until(&answered, 4);
	/* Each once only. */
	say(text);
	snprintf(text, sizeof(text), "<iq from='d@e' to='" JID "' "
	    "type='result' id='%s'/>", three);
	say(text);
	ask("f@g", "four", WAIT_MS, one);
	server_close();
	until(&answered, 5);
	until(&losts, 1);
	login();
	ask("f@g", "five", WAIT_MS, one);
	component_stop(com);
	assert_int_equal(answered, 6);
	assert_non_null(strstr(answers.data, "early error remote-server-"
	    "timeout;"));
	assert_non_null(strstr(answers.data, "one result ok;"));
	assert_non_null(strstr(answers.data, "two error recipient-"
	    "unavailable;"));
	assert_non_null(strstr(answers.data, "three error remote-server-"
	    "timeout;"));
	assert_non_null(strstr(answers.data, "four error"));
	assert_non_null(strstr(answers.data, "five error"));
	buf_free(&answers);
}

/* ---- Flow. ---- */

static void
test_stop_within(void **state)
{
	login();
	stop_at_iq = true;
	say("<iq from='a@b' to='" JID "' id='1' type='set'><q xmlns='u'/></iq>"
	    "<iq from='a@b' to='" JID "' id='2' type='set'><q xmlns='u'/>"
	    "</iq>");
	until(&iqs, 1);
	turn();
	assert_int_equal(iqs, 1);
	assert_int_equal(losts, 0);
	assert_int_equal(idles, 1);
	stop_at_iq = false;
	component_start(com);
	login();
}

/* A server that sends and does not read: we stop reading, hold no more than
 * we said, and go on when it reads again. */
static void
test_back_pressure(void **state)
{
	struct buf	 iq = { 0 };
	int		 sent = 0, quiet = 0, last = 0, most;
	ssize_t		 n;

	buf_puts(&iq, "<iq from='a@b' to='" JID "' id='1' type='set'>"
	    "<q xmlns='u'>");
	while (iq.len < 4096)
		buf_puts(&iq, "some text ");
	buf_puts(&iq, "</q></iq>");
	login();
	reply_big = true;
	/* 64 KB for each: 4 MB are full after some 64 and what the kernel
	 * takes. */
	while (quiet < 100 && sent < 20000) {
		n = send(peer, iq.data, iq.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0 && n < (ssize_t)iq.len)
			say(iq.data + n);
		if (n > 0)
			sent++;
		loop_once(loop, 0);
		quiet = iqs == last ? quiet + 1 : 0;
		last = iqs;
	}
	most = iqs;
	assert_true(sent > most);
	/* One read's worth beyond the mark, and the kernel's buffers. */
	assert_true((int64_t)most * 65536 < WIRE_HIGH + 10 * 65536 +
	    16 * 1024 * 1024);
	until(&iqs, sent);
	assert_int_equal(losts, 0);
	buf_free(&iq);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest	 tests[] = {
		TEST(test_login),
		TEST(test_name),
		TEST(test_byte_by_byte),
		TEST(test_two_in_one),
		TEST(test_refused),
		TEST(test_strange_answers),
		TEST(test_silence),
		TEST(test_blackhole),
		TEST(test_refused_port),
		TEST(test_dead), TEST(test_deaf),
		TEST(test_pinged_when_busy), TEST(test_shared), TEST(test_places),
		TEST(test_close),
		TEST(test_hostile_stanzas),
		TEST(test_hostile_server),
		TEST(test_ignored),
		TEST(test_status),
		TEST(test_errors_answered),
		TEST(test_manners),
		TEST(test_ask),
		TEST(test_stop_within),
		TEST(test_back_pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
