#include "xmpp/link.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "schema/xmltree.h"
#include "xmpp/channel.h"
#include "xmpp/xmlstream.h"

/* A login is some nine steps of one way and back.  Each has connect_ms; all
 * together have so many times that, whatever the server says in between. */
#define LOGIN_STEPS		6

#define KEEPALIVE_PROBE_S	10
#define KEEPALIVE_PROBES	3

struct link {
	struct loop		*loop;
	struct link_config	 config;
	struct link_events	 events;
	void			*arg;
	struct xmlstream	*xml;
	struct trust		*trust;		/* NULL between tries, and */
	struct channel		*channel;	/* this */
	struct login		 login;
	bool			 up;
	bool			 begun;		/* a stream header came in */
	bool			 inside;	/* a callback is running */
	bool			 closing;
	int64_t			 heard_ms;
	size_t			 unfinished;	/* octets of a stanza */
	struct timer		 deadline;
	int64_t			 opened_ms;
	const char		*step;		/* the deadline's */
	struct later		 finish;
	char			 elsewhere[LOGIN_HOST_MAX];
	int			 elsewhere_port;
};

static void	 on_finish(void *);

static void
teardown(struct link *l)
{
	timer_clear(l->loop, &l->deadline);
	later_clear(l->loop, &l->finish);
	channel_free(l->channel);
	l->channel = NULL;
	trust_free(l->trust);
	l->trust = NULL;
	login_end(&l->login);
	xmlstream_reset(l->xml);
	l->up = l->closing = false;
}

static void
say(struct link *l)
{
	struct buf	*out = &l->login.out;

	if (out->len == 0)
		return;
	channel_put(l->channel, out->data, out->len);
	/* It may hold a password in base64. */
	secret_wipe(out->data, out->len);
	buf_reset(out);
}

/* All failures end here; on_down comes when nobody of the link's is on the
 * stack. */
static void
settle(struct link *l)
{
	if (!l->login.over)
		return;
	/* A last word that is ready may still be said. */
	if (l->channel != NULL && l->login.out.len > 0) {
		say(l);
		channel_flush(l->channel);
	}
	timer_clear(l->loop, &l->deadline);
	loop_later(l->loop, &l->finish, on_finish, l);
}

static void
fail(struct link *l, const char *why)
{
	login_fail(&l->login, LOGIN_FAILED, "%s", why);
	settle(l);
}

static void
on_finish(void *arg)
{
	struct link		*l = arg;
	char			 why[LOGIN_WHY_MAX];
	enum login_fault	 fault = l->login.fault;

	memcpy(why, l->login.why, sizeof(why));
	memcpy(l->elsewhere, l->login.host, sizeof(l->elsewhere));
	l->elsewhere_port = l->login.port;
	teardown(l);
	l->events.on_down(l->arg, fault, why);
}

static void
on_deadline(void *arg)
{
	struct link	*l = arg;

	login_fail(&l->login, LOGIN_FAILED, "no answer within %d ms (we "
	    "waited for %s)", l->config.connect_ms, l->login.waiting);
	settle(l);
}

/* When the login has come a step further. */
static void
set_deadline(struct link *l)
{
	int64_t	at, last = l->opened_ms +
		    (int64_t)LOGIN_STEPS * l->config.connect_ms;

	if (l->up || l->login.over || l->step == l->login.waiting)
		return;
	l->step = l->login.waiting;
	at = clock_mono_ms() + l->config.connect_ms;
	timer_set(l->loop, &l->deadline, at < last ? at : last, on_deadline,
	    l);
}

/*
 * The login
 */

static void
on_binding(void *arg, const char *listed, struct sasl_binding *binding)
{
	struct link	*l = arg;

	trust_binding(channel_ssl(l->channel), listed, binding);
}

static void
begin_tls(struct link *l)
{
	SSL	*ssl = trust_ssl(l->trust, l->login.direct);

	if (ssl == NULL)
		fail(l, "OpenSSL makes no connection");
	else
		channel_secure(l->channel, ssl);
}

static void
do_act(struct link *l, enum login_act act)
{
	switch (act) {
	case LOGIN_ON:
		say(l);
		break;
	case LOGIN_SECURE:
		xmlstream_reset(l->xml);
		l->begun = false;
		begin_tls(l);
		break;
	case LOGIN_RESTART:
		xmlstream_reset(l->xml);
		l->begun = false;
		say(l);
		break;
	case LOGIN_DONE:
		timer_clear(l->loop, &l->deadline);
		l->up = true;
		l->heard_ms = clock_mono_ms();
		l->events.on_up(l->arg);
		break;
	case LOGIN_OVER:
		settle(l);
		break;
	}
}

/*
 * What the stream brings
 */

static void
on_header(void *arg, xmlNode *header)
{
	struct link	*l = arg;

	l->begun = true;
	if (login_header(&l->login, header) == LOGIN_OVER)
		settle(l);
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	struct link	*l = arg;

	l->heard_ms = clock_mono_ms();
	l->unfinished = 0;
	if (l->login.over || l->closing)
		return;
	/* Only the name is ever logged: stanzas carry SASL data before the
	 * login and sealed reports after it. */
	log_debug("uplink", "received <%s>",
	    log_safe((const char *)stanza->name));
	if (!l->up)
		do_act(l, login_stanza(&l->login, stanza));
	else if (xmltree_is(stanza, "error", LOGIN_NS_STREAM)) {
		login_stream_error(&l->login, stanza);
		settle(l);
	} else
		l->events.on_stanza(l->arg, stanza);
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	struct link	*l = arg;

	l->heard_ms = clock_mono_ms();
	l->unfinished = 0;
	if (l->login.over)
		return;
	if (!l->up)
		fail(l, "the server sent a stanza out of all bounds");
	else
		l->events.on_refused(l->arg, start, why);
}

static void
on_close(void *arg)
{
	struct link	*l = arg;

	if (l->up)
		login_fail(&l->login, LOGIN_FAILED,
		    "the server closed the stream");
	else
		login_fail(&l->login, LOGIN_FAILED, "the server closed the "
		    "stream (we waited for %s)", l->login.waiting);
	settle(l);
}

/*
 * What the socket brings
 */

static void
on_secure(void *arg)
{
	struct link	*l = arg;
	char		 why[TRUST_WHY_MAX];

	if (trust_accept(l->trust, channel_ssl(l->channel), why,
	    sizeof(why)) == -1) {
		fail(l, why);
		return;
	}
	login_secured(&l->login);
	say(l);
	set_deadline(l);
}

static bool
is_http(const struct link *l)
{
	return strncmp(channel_head(l->channel), "HTTP/", 5) == 0 ||
	    strncasecmp(channel_head(l->channel), "<!doctyp", 8) == 0 ||
	    strncasecmp(channel_head(l->channel), "<html", 5) == 0;
}

#define HTTP_ANSWERS	"an HTTP server answers; a captive portal or proxy?"

static void
on_bytes(void *arg, const char *bytes, size_t len)
{
	struct link	*l = arg;
	const char	*condition;
	int		 rc;

	if (l->login.over)
		return;
	l->unfinished += len;
	l->inside = true;
	rc = xmlstream_feed(l->xml, bytes, len, &condition);
	l->inside = false;
	if (l->login.over)
		channel_mute(l->channel);
	else if (rc == -1)
		fail(l, !l->begun && is_http(l) ? HTTP_ANSWERS :
		    "what the server sent is not XMPP");
	else if (l->unfinished > LINK_ENDLESS)
		fail(l, "the server sent a stanza without end");
	else
		set_deadline(l);
}

static void
no_tls(struct link *l, const char *openssl)
{
	char		 why[TRUST_WHY_MAX];
	const char	*head = channel_head(l->channel);

	if (trust_blame(l->trust, why, sizeof(why)))
		fail(l, why);
	else if (is_http(l))
		fail(l, HTTP_ANSWERS);
	/* The types of records, RFC 8446 section 5.1. */
	else if (head[0] != '\0' && (head[0] < 20 || head[0] > 23))
		fail(l, "what answers does not speak TLS");
	else {
		snprintf(why, sizeof(why), "TLS failed: %s", openssl);
		fail(l, why);
	}
}

static void
on_end(void *arg, enum channel_end how, const char *why)
{
	struct link	*l = arg;

	if (how == CHANNEL_NO_TLS)
		no_tls(l, why);
	else if (l->up)
		login_fail(&l->login, LOGIN_FAILED, "the connection was lost"
		    "%s%s", strcmp(why, "closed") != 0 ? ": " : "",
		    strcmp(why, "closed") != 0 ? why : "");
	else if (strcmp(why, "closed") == 0)
		login_fail(&l->login, LOGIN_FAILED, "the server closed the "
		    "connection (we waited for %s)", l->login.waiting);
	else
		login_fail(&l->login, LOGIN_FAILED, "the connection was lost: "
		    "%s (we waited for %s)", why, l->login.waiting);
	settle(l);
}

/*
 * The interface
 */

struct link *
link_new(struct loop *loop, const struct link_config *config,
    const struct link_events *events, void *arg)
{
	static const struct xmlstream_events	 xml_events = { on_header,
						    on_stanza, on_refused,
						    on_close };
	struct link				*l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->config = *config;
	l->events = *events;
	l->arg = arg;
	l->xml = xmlstream_new(&xml_events, l);
	return l;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_close(l, 0);
	xmlstream_free(l->xml);
	free(l);
}

static void
set_options(const struct link *l, int fd)
{
	const struct {
		int	level, name, value;
	} want[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, l->config.keepalive_s },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PROBE_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, l->config.dead_ms },
	};
	size_t	i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (setsockopt(fd, want[i].level, want[i].name,
		    &want[i].value, sizeof(want[i].value)) == -1)
			log_warn("uplink", "socket option %d", want[i].name);
}

static void
begin_login(struct link *l, bool direct)
{
	memset(&l->login, 0, sizeof(l->login));
	l->login.jid = l->config.jid;
	l->login.password = l->config.password;
	l->login.allow_plain = l->config.allow_plain;
	l->login.direct = direct;
	l->login.binding = on_binding;
	l->login.arg = l;
	login_start(&l->login);
}

void
link_open(struct link *l, int fd, bool direct)
{
	static const struct channel_events	events = { on_secure, on_bytes,
						    on_end };
	char					why[TRUST_WHY_MAX];

	link_close(l, 0);
	set_options(l, fd);
	l->begun = false;
	l->unfinished = 0;
	begin_login(l, direct);
	l->channel = channel_new(l->loop, fd, &events, l);
	l->opened_ms = clock_mono_ms();
	l->step = NULL;
	set_deadline(l);
	l->trust = trust_new(&l->config.trust, why, sizeof(why));
	if (l->trust == NULL) {
		buf_reset(&l->login.out);
		channel_mute(l->channel);
		fail(l, why);
	} else if (direct)
		begin_tls(l);
	else
		say(l);
}

static void
say_goodbye(struct link *l, int ms)
{
	static const char	end[] = "</stream:stream>";

	channel_put(l->channel, end, sizeof(end) - 1);
	l->closing = true;
	channel_finish(l->channel, ms);
}

void
link_close(struct link *l, int ms)
{
	if (l->inside)
		fatalx("uplink", "closed from one of its own callbacks");
	if (l->channel == NULL)
		return;
	if (ms > 0 && link_up(l))
		say_goodbye(l, ms);
	teardown(l);
}

void
link_drop(struct link *l, const char *why)
{
	if (l->channel != NULL)
		fail(l, why);
}

bool
link_up(const struct link *l)
{
	return l->up && !l->login.over;
}

int
link_send(struct link *l, const char *stanza, size_t len)
{
	if (!link_up(l) || l->closing ||
	    channel_queued(l->channel) + len > LINK_OUT_MAX)
		return -1;
	channel_put(l->channel, stanza, len);
	return 0;
}

int64_t
link_heard_ms(const struct link *l)
{
	return l->heard_ms;
}

const char *
link_elsewhere(const struct link *l, int *port)
{
	*port = l->elsewhere_port;
	return l->elsewhere;
}
