#include "xmpp/vigil.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "xmpp/iq.h"
#include "xmpp/manners.h"
#include "xmpp/stanzaerror.h"

/* While an answer is awaited, or the centre, silence is looked into after
 * this. */
#define BUSY_MS			60000
#define PROBE_MIN_MS		5000
#define PROBE_MAX_MS		60000
/* A presence of the centre's within this after ours is the answer to it; a
 * later one is taken for news, and answered with ours.  So it must be longer
 * than any line's way there and back, or that never ends. */
#define PRESENCE_ANSWER_MS	10000
/* Each presence of the centre's may cost a handshake, a line in the log and a
 * write to the disk: so many at once, and then one every so often. */
#define NEWS_MS			10000
#define NEWS_MOST_MS		(20 * NEWS_MS)
/* Stanzas that come prove that the line works in one direction.  On a slow one
 * an answer may be late, but not so many in a row. */
#define MISSED_MOST		3

static void
send_presence(struct vigil *v, const char *to)
{
	struct buf	b = { 0 };

	iq_put_presence(&b, to, NULL, to != NULL ? v->status : NULL);
	link_send(v->link, b.data, b.len);
	buf_free(&b);
}

/* To the centre, which does not see the one to everybody. */
static void
ask_presence(struct vigil *v)
{
	v->presence_sent_ms = clock_mono_ms();
	send_presence(v, v->central);
}

static int	quiet_ms(const struct vigil *);
static void	ping_server(struct vigil *);
static void	on_ping_due(void *);

static void
on_probe(void *arg)
{
	struct vigil	*v = arg;
	int64_t		 least;

	if (v->here || !link_up(v->link))
		return;
	if (v->probes++ > 0) {
		/* Neither the centre nor the server for it: not even that
		 * may have got there. */
		if (v->presence_sent_ms != 0 && v->probes > 2)
			ping_server(v);
		ask_presence(v);
	}
	least = v->ping_ms < PROBE_MIN_MS ? v->ping_ms : PROBE_MIN_MS;
	timer_after(v->loop, &v->probe, uplink_backoff_ms(v->probes - 1, least,
	    PROBE_MAX_MS, uplink_dice()), on_probe, v);
}

static void
centre_gone(struct vigil *v, const char *why)
{
	char	text[256];

	if (!v->here)
		return;
	snprintf(text, sizeof(text), "the centre %s is not there: %s",
	    v->central, why);
	log_warnx("uplink", "%s", text);
	v->here = false;
	awaited_flush(v->awaited, AWAITED_CENTRE);
	/* A callback may have lost us the link. */
	if (!link_up(v->link))
		return;
	v->probes = 0;
	on_probe(v);
	vigil_asked(v);
	v->fn(v->arg, false, text);
}

static void
centre_here(struct vigil *v)
{
	bool	answer = v->presence_sent_ms != 0 && clock_mono_ms() -
		    v->presence_sent_ms < PRESENCE_ANSWER_MS;

	v->presence_sent_ms = 0;
	/* Unasked, it has just started and does not know of us. */
	if (!answer)
		ask_presence(v);
	if (!v->here) {
		v->here = true;
		timer_clear(v->loop, &v->probe);
		timer_after(v->loop, &v->ping, quiet_ms(v), on_ping_due, v);
		log_info("uplink", "the centre %s is there", v->central);
		v->fn(v->arg, true, NULL);
	} else if (!answer) {
		log_info("uplink", "the centre %s announced itself",
		    v->central);
		awaited_flush(v->awaited, AWAITED_CENTRE);
		if (v->here)
			v->fn(v->arg, true, "the centre announced itself");
	}
}

static void
on_server_pong(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct vigil	*v = arg;

	v->server_asked = false;
	if (answer != UPLINK_LOST) {
		v->server_missed = 0;
		return;
	}
	v->server_missed++;
	if (!link_up(v->link))
		return;
	if (link_heard_ms(v->link) < v->server_pinged_ms)
		link_drop(v->link, "no sign of life from the server");
	else if (v->server_missed >= MISSED_MOST)
		link_drop(v->link, "the server sends, but answers to nothing: "
		    "the line may be dead in one direction");
}

static int
patience_ms(const struct vigil *v)
{
	int	ms = v->ping_ms / 2;

	/* At the 3,000 bytes a second that ejabberd allows by default a
	 * report of 64 KB ahead of the ping takes 22 s. */
	return ms < 500 ? 500 : ms > 30000 ? 30000 : ms;
}

static void
ping_server(struct vigil *v)
{
	if (v->server_asked)
		return;
	v->server_asked = true;
	v->server_pinged_ms = clock_mono_ms();
	if (awaited_put(v->awaited, AWAITED_SERVER, "get", MANNERS_PING,
	    strlen(MANNERS_PING), patience_ms(v), on_server_pong, v) == -1)
		v->server_asked = false;
}

static void
on_centre_pong(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *element)
{
	struct vigil	*v = arg;

	v->centre_asked = false;
	/* One that knows no ping lives, too. */
	if (answer == UPLINK_ERROR &&
	    strcmp(condition, "feature-not-implemented") != 0)
		centre_gone(v, condition);
}

static void
ping_centre(struct vigil *v)
{
	/* What it has been asked already tells as much, and a ping behind it
	 * would only wait for its turn. */
	if (v->centre_asked || !v->here ||
	    awaited_any(v->awaited, AWAITED_CENTRE))
		return;
	v->centre_asked = true;
	if (awaited_put(v->awaited, AWAITED_CENTRE, "get", MANNERS_PING,
	    strlen(MANNERS_PING), patience_ms(v), on_centre_pong, v) == -1)
		v->centre_asked = false;
}

/* How long silence means nothing.  When a centre that is not there is asked
 * for its presence the server answers for it. */
static int
quiet_ms(const struct vigil *v)
{
	bool	busy = !v->here || awaited_any(v->awaited, AWAITED_ALL);

	return busy && v->ping_ms > BUSY_MS ? BUSY_MS : v->ping_ms;
}

static void
on_ping_due(void *arg)
{
	struct vigil	*v = arg;
	int64_t		 now = clock_mono_ms(), due;
	bool		 busy = awaited_any(v->awaited, AWAITED_ALL), silent;

	if (!link_up(v->link))
		return;
	silent = now >= link_heard_ms(v->link) + quiet_ms(v);
	/* Others may be heard while the centre is not. */
	due = (v->here ? v->centre_heard_ms : link_heard_ms(v->link)) +
	    quiet_ms(v);
	if (now >= due) {
		if (silent && (busy || !v->here))
			ping_server(v);
		ping_centre(v);
		due = now + quiet_ms(v);
	}
	timer_set(v->loop, &v->ping, due, on_ping_due, v);
}

void
vigil_begin(struct vigil *v)
{
	v->here = v->server_asked = v->centre_asked = false;
	v->centre_heard_ms = clock_mono_ms();
	v->probes = v->server_missed = 0;
	v->news_ms = 0;
	send_presence(v, NULL);
	ask_presence(v);
	on_probe(v);
	timer_after(v->loop, &v->ping, quiet_ms(v), on_ping_due, v);
}

void
vigil_status(struct vigil *v, const char *status)
{
	v->status = status;
	if (link_up(v->link))
		ask_presence(v);
}

void
vigil_end(struct vigil *v)
{
	v->here = false;
	timer_clear(v->loop, &v->ping);
	timer_clear(v->loop, &v->probe);
	v->presence_sent_ms = 0;
}

void
vigil_asked(struct vigil *v)
{
	int64_t	due = clock_mono_ms() + quiet_ms(v);

	if (link_up(v->link) && due < v->ping.at_ms)
		timer_set(v->loop, &v->ping, due, on_ping_due, v);
}

void
vigil_heard(struct vigil *v)
{
	v->centre_heard_ms = clock_mono_ms();
}

static bool
too_much_news(struct vigil *v)
{
	int64_t	now = clock_mono_ms();

	if (v->news_ms < now)
		v->news_ms = now;
	v->news_ms += NEWS_MS;
	return v->news_ms - now > NEWS_MOST_MS;
}

void
vigil_presence(struct vigil *v, const xmlNode *stanza, const char *type)
{
	if (type != NULL && strcmp(type, "unavailable") != 0 &&
	    strcmp(type, "error") != 0)
		return;
	if (too_much_news(v)) {
		link_drop(v->link, "the server has the centre come and go "
		    "without end");
		return;
	}
	if (type == NULL)
		centre_here(v);
	else if (strcmp(type, "unavailable") == 0)
		centre_gone(v, "it said so");
	else {
		v->presence_sent_ms = 0;
		centre_gone(v, stanzaerror_condition(stanza));
	}
}

void
vigil_verdict(struct vigil *v, enum awaited_from from,
    enum uplink_answer answer, const char *condition, int64_t asked_ms)
{
	/* What this tells about the centre, before the asker hears of it. */
	static const char *const gone[] = { "remote-server-not-found",
	    "remote-server-timeout", "service-unavailable",
	    "recipient-unavailable" };
	size_t	i;

	if (from != AWAITED_CENTRE)
		return;
	if (answer == UPLINK_LOST) {
		if (link_heard_ms(v->link) < asked_ms)
			ping_server(v);
		centre_gone(v, "no answer in time");
		return;
	}
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (strcmp(condition, gone[i]) == 0)
			centre_gone(v, condition);
	/* ejabberd says this for a component that is not connected, and the
	 * centre to an agent that it does not want; a ping tells. */
	if (strcmp(condition, "forbidden") == 0)
		ping_centre(v);
}
