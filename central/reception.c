#include "central/reception.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "central/batch.h"
#include "central/centres.h"
#include "central/handshake.h"
#include "central/intake.h"
#include "central/peers.h"
#include "central/roster.h"
#include "schema/xmltree.h"
#include "xmpp/component.h"
#include "xmpp/jid.h"

#define TICK_MS		1000
#define LOOK_TICKS	15		/* sessions' age, pings */
/* Then we ask whether it is there.  An agent pings us every 5 minutes, so that
 * on a good line nobody ever is asked. */
#define QUIET_MS	(330 * 1000)
#define PING_MS		20000
#define BROKEN_MS	2000		/* no handshakes after a failure */
#define GREET_MS	1000
#define LACK_TICKS	3	/* then we stand in for who is not there */
#define CALL_TICKS	4	/* an agent takes what comes within 2 s of
				 * its own presence for the answer to it */
#define ROOM_TICKS	5	/* for others to make room, at most */

struct reception {
	struct loop		*loop;
	const struct settings	*settings;
	const struct keyring	*ring;
	struct fleet		*fleet;
	struct component	*component;
	struct peers		*peers;
	struct batch		*batch;
	struct timer		 tick;
	unsigned		 ticks;
	int64_t			 centre;	/* our number */
	unsigned		 connections;	/* of the store, for it */
	bool			 news;		/* in the roster */
	bool			 started;	/* the component */
	int			 waited;	/* ticks, for a place */
	int			 lacking;	/* ticks with too few of them */
	int			 call_again;	/* in so many ticks */
	int64_t			 last_agent;	/* newest that was greeted */
	int64_t			 broken_ms;	/* monotonic */
};

struct ping {
	struct reception	*reception;
	char			*jid;
};

static void
flush(struct reception *r)
{
	if (batch_flush(r->batch) == 0)
		return;
	r->broken_ms = clock_mono_ms() + BROKEN_MS;
	peers_sweep(r->peers);
}

static void
heard(struct reception *r, struct peer *peer)
{
	peer->heard_ms = clock_mono_ms();
	if (!peer->silent)
		return;
	peer->silent = false;
	peers_say(r->peers, peer, LOG_LEVEL_INFO, "%s is back",
	    log_safe(peer->jid));
	roster_presence(r->fleet, r->centre, peer->jid, "available",
	    clock_wall_ms());
}

/* Its presence may have gone to another process, before the server shared out
 * the agents anew: who speaks is there. */
static void
appeared(struct reception *r, struct peer *peer, const char *from)
{
	if (peer->full != NULL && strcmp(peer->full, from) == 0)
		return;
	/* One that only changes its resource was there before. */
	if (peer->full == NULL ||
	    clock_mono_ms() - peer->greeted_ms >= GREET_MS)
		roster_presence(r->fleet, r->centre, peer->jid, "available",
		    clock_wall_ms());
	free(peer->full);
	peer->full = xstrdup(from);
	peers_say(r->peers, peer, LOG_LEVEL_INFO, "%s is available",
	    log_safe(from));
}

/*
 * An agent that answers every presence with presence would never end: the
 * same one is answered once a second.
 */
static void
came(struct reception *r, const char *jid, const char *from)
{
	struct peer	*peer;
	int64_t		 now = clock_mono_ms();
	bool		 news;

	if ((peer = peers_get(r->peers, jid, now)) == NULL)
		return;
	news = peer->full == NULL || strcmp(peer->full, from) != 0;
	appeared(r, peer, from);
	heard(r, peer);
	if (news || now - peer->greeted_ms >= GREET_MS) {
		component_presence(r->component, from, NULL);
		peer->greeted_ms = now;
	}
}

static void
went(struct reception *r, const char *jid, const char *from)
{
	struct peer	*peer;

	if ((peer = peers_find(r->peers, jid)) == NULL) {
		/* It may be an agent that waits and was forgotten here. */
		roster_presence(r->fleet, r->centre, jid, "unavailable",
		    clock_wall_ms());
		return;
	}
	peers_end(r->peers, peer, from);
	if (peer->full == NULL || strcmp(peer->full, from) != 0)
		return;
	free(peer->full);
	peer->full = NULL;
	peer->silent = false;
	peers_say(r->peers, peer, LOG_LEVEL_INFO, "%s is unavailable",
	    log_safe(from));
	roster_presence(r->fleet, r->centre, jid, "unavailable",
	    clock_wall_ms());
}

static void
on_presence(void *arg, const char *from, const char *type, const char *status)
{
	struct reception	*r = arg;
	char			 jid[JID_MAX];

	if (jid_bare(from, jid, sizeof(jid)) != 0)
		return;
	if (strcmp(type, "available") == 0) {
		came(r, jid, from);
		roster_status(r->fleet, jid, status);
	} else if (strcmp(type, "unavailable") == 0)
		went(r, jid, from);
	else if (strcmp(type, "probe") == 0)
		component_presence(r->component, from, NULL);
}

static void
refuse(struct reception *r, struct peer *peer, const char *from,
    const char *id, const char *condition, const char *text)
{
	/* An agent that waits for approval tries for days: one line. */
	if (strncmp(peer->said, text, sizeof(peer->said) - 1) != 0) {
		snprintf(peer->said, sizeof(peer->said), "%s", text);
		peers_say(r->peers, peer, LOG_LEVEL_WARN, "%s refused: %s",
		    log_safe(from), text);
	}
	component_error(r->component, from, id, condition, text);
}

static void
take_handshake(struct reception *r, struct peer *peer, const char *from,
    const char *id, xmlNode *payload)
{
	struct handshake	 h;
	int64_t			 now = clock_mono_ms();
	char			*text;

	/* Before anything costs, others' commits too. */
	if (!peers_may_try(r->peers, peer, now)) {
		refuse(r, peer, from, id, "resource-constraint",
		    "too many handshakes");
		return;
	}
	/* What the welcome says must be on the disk. */
	flush(r);
	if (now < r->broken_ms) {
		refuse(r, peer, from, id, "resource-constraint",
		    "the store failed");
		return;
	}
	text = xmltree_text(payload);
	handshake_take(r->fleet, r->ring, r->settings->jid, from,
	    text == NULL ? "" : text, clock_wall_ms(), now, &h);
	free(text);
	if (h.session == NULL) {
		refuse(r, peer, from, id, h.condition, h.text);
		return;
	}
	if (peers_offer(r->peers, peer, h.session) != 0)
		refuse(r, peer, from, id, "resource-constraint",
		    "too many sessions");
	else {
		peer->said[0] = '\0';
		component_reply(r->component, from, id, h.reply.data,
		    h.reply.len);
		appeared(r, peer, from);
	}
	buf_free(&h.reply);
}

static void
on_iq(void *arg, const char *from, const char *id, bool set,
    xmlNode *payload)
{
	struct reception	*r = arg;
	struct intake		 intake;
	struct peer		*peer;
	char			 jid[JID_MAX];

	if (jid_bare(from, jid, sizeof(jid)) != 0)
		return;
	if (!set || payload == NULL || (!xmltree_is(payload, "handshake",
	    HANDSHAKE_NS) && !xmltree_is(payload, "sealed", BATCH_NS))) {
		component_error(r->component, from, id,
		    "service-unavailable", NULL);
		return;
	}
	if ((peer = peers_get(r->peers, jid, clock_mono_ms())) == NULL) {
		component_error(r->component, from, id,
		    "resource-constraint", "too many agents");
		return;
	}
	heard(r, peer);
	if (xmltree_is(payload, "handshake", HANDSHAKE_NS)) {
		take_handshake(r, peer, from, id, payload);
		return;
	}
	intake_take(r->fleet, r->peers, peer, r->settings->jid, from, payload,
	    &intake);
	if (intake.condition != NULL) {
		log_debug("agent", "%s: %s", log_safe(from), intake.text);
		component_error(r->component, from, id, intake.condition,
		    intake.text);
		return;
	}
	batch_add(r->batch, intake.session, id, &intake.answer);
	if (batch_len(r->batch) == BATCH_MAX || fleet_failed(r->fleet))
		flush(r);
}

static void
on_idle(void *arg)
{
	flush(arg);
}

/* One that is there at another process has been greeted. */
static void
greet_agent(void *arg, const struct roster_agent *agent)
{
	struct reception	*r = arg;

	r->last_agent = agent->id;
	if (!agent->revoked && !agent->there)
		component_presence(r->component, agent->jid, NULL);
}

static void
on_ready(void *arg)
{
	struct reception	*r = arg;

	log_info("component", "%s is connected to %s:%d", r->settings->jid,
	    r->settings->host, (int)r->settings->port);
	roster_each(r->fleet, greet_agent, r);
	/* What they say to it may be for a place that nobody has yet. */
	if (r->settings->processes > 1)
		r->call_again = CALL_TICKS;
}

static void
forget_presence(void *arg, struct peer *peer)
{
	free(peer->full);
	peer->full = NULL;
	peer->silent = false;
}

/* Sessions stay: an agent that did not notice goes on with its own. */
static void
on_lost(void *arg, const char *why)
{
	struct reception	*r = arg;

	log_debug("component", "lost: %s", log_safe(why));
	peers_each(r->peers, forget_presence, r);
	roster_presence_reset(r->fleet, r->centre);
	flush(r);
}

/* Unless it is only that the server has given it to another process. */
static void
fell_silent(struct reception *r, struct peer *peer, const char *condition)
{
	if (roster_presence(r->fleet, r->centre, peer->jid, "silent",
	    clock_wall_ms()) == 1) {
		log_debug("agent", "%s is not here", log_safe(peer->full));
		peers_end(r->peers, peer, NULL);
		forget_presence(r, peer);
		return;
	}
	peer->silent = true;
	peers_say(r->peers, peer, LOG_LEVEL_WARN, "%s is silent: %s",
	    log_safe(peer->full), condition == NULL ? "no answer" : log_safe(condition));
}

static void
pinged(void *arg, bool result, const char *condition, xmlNode *payload)
{
	struct ping		*ping = arg;
	struct reception	*r = ping->reception;
	struct peer		*peer;

	peer = peers_find(r->peers, ping->jid);
	free(ping->jid);
	free(ping);
	if (peer == NULL)
		return;
	peer->asked = false;
	if (peer->full == NULL)
		return;
	/* One that knows no pings is there as well. */
	if (result || (condition != NULL &&
	    (strcmp(condition, "feature-not-implemented") == 0 ||
	    strcmp(condition, "service-unavailable") == 0)))
		heard(r, peer);
	else if (!peer->silent)
		fell_silent(r, peer, condition);
	flush(r);
}

static void
look_after(void *arg, struct peer *peer)
{
	static const char	 payload[] = "<ping xmlns='urn:xmpp:ping'/>";
	struct reception	*r = arg;
	struct ping		*ping;
	int64_t			 now = clock_mono_ms();

	if (peer->live != NULL && !seal_alive(peer->live->seal, now))
		peer->live->ended = true;
	if (peer->fresh != NULL && !seal_alive(peer->fresh->seal, now))
		peer->fresh->ended = true;
	if (peer->full == NULL || peer->asked ||
	    now - peer->heard_ms < QUIET_MS)
		return;
	ping = xcalloc(1, sizeof(*ping));
	ping->reception = r;
	ping->jid = xstrdup(peer->jid);
	peer->asked = true;
	component_ask(r->component, peer->full, false, payload,
	    sizeof(payload) - 1, PING_MS, pinged, ping);
}

/* Another process enrolled, approved or revoked. */
static void
look_again(void *arg, const struct roster_agent *agent)
{
	struct reception	*r = arg;
	struct peer		*peer;

	peer = peers_find(r->peers, agent->jid);
	if (peer != NULL && agent->revoked && !peer->revoked) {
		peer->revoked = true;
		peers_end(r->peers, peer, NULL);
		component_presence(r->component, agent->jid, "unavailable");
		log_info("agent", "%s is revoked", log_safe(agent->jid));
	}
	if (agent->revoked)
		return;
	if (agent->id > r->last_agent ? !agent->there :
	    peer != NULL && peer->revoked)
		component_presence(r->component, agent->jid, NULL);
	if (peer != NULL)
		peer->revoked = false;
	if (agent->id > r->last_agent)
		r->last_agent = agent->id;
}

static void
tell_presence(void *arg, struct peer *peer)
{
	struct reception	*r = arg;

	if (peer->full != NULL)
		roster_presence(r->fleet, r->centre, peer->jid, "available",
		    clock_wall_ms());
}

/* At start, and when the store was connected anew. */
static void
join(struct reception *r)
{
	bool	moved;

	if (r->connections == fleet_connections(r->fleet))
		return;
	flush(r);
	if (centres_join(r->fleet, &r->centre, &moved, clock_wall_ms()) != 0)
		return;
	r->connections = fleet_connections(r->fleet);
	if (moved)
		peers_each(r->peers, tell_presence, r);
	flush(r);
}

/*
 * Places at the server that nobody has are taken by those who live, until
 * there is a process for each again.  A new one starts when there is room.
 */
static void
mind_places(struct reception *r)
{
	int	wanted = (int)r->settings->processes, ours = 1, all = 1;

	if (wanted > 1 && centres_places(r->fleet, r->centre, wanted,
	    r->started && r->lacking >= LACK_TICKS, &ours, &all) == 0) {
		r->lacking = all < wanted ? r->lacking + 1 : 0;
		if (ours > 0)
			component_places(r->component, ours);
	}
	if (r->started || (all > wanted && r->waited++ < ROOM_TICKS))
		return;
	r->started = true;
	component_start(r->component);
}

/* Those that were there at a process that died are called: the server may
 * have given them to us. */
static void
mind_others(struct reception *r)
{
	int	dead;

	flush(r);
	if (centres_bury(r->fleet, r->centre, &dead) != 0 || dead == 0)
		return;
	log_info("run", "another process is gone; calls the agents");
	roster_each(r->fleet, greet_agent, r);
}

static void
on_tick(void *arg)
{
	struct reception	*r = arg;

	timer_after(r->loop, &r->tick, TICK_MS, on_tick, r);
	if (fleet_changed(r->fleet))
		r->news = true;
	join(r);
	if (fleet_shared(r->fleet))
		mind_places(r);
	if (!component_ready(r->component))
		return;
	if (r->news && roster_each(r->fleet, look_again, r) == 0)
		r->news = false;
	if (fleet_shared(r->fleet))
		mind_others(r);
	if (r->call_again > 0 && --r->call_again == 0)
		roster_each(r->fleet, greet_agent, r);
	if (++r->ticks % LOOK_TICKS == 0) {
		peers_each(r->peers, look_after, r);
		peers_sweep(r->peers);
		peers_purge(r->peers, clock_mono_ms());
	}
	flush(r);
}

struct reception *
reception_new(struct loop *loop, const struct settings *settings,
    const char *secret, const struct keyring *ring, struct fleet *fleet)
{
	static const struct component_events	 events = {
		.on_ready = on_ready, .on_lost = on_lost,
		.on_presence = on_presence, .on_iq = on_iq,
		.on_idle = on_idle
	};
	struct component_config			 config;
	struct reception			*r;

	memset(&config, 0, sizeof(config));
	config.jid = settings->jid;
	config.host = settings->host;
	config.port = (int)settings->port;
	config.secret = secret;
	config.version = PLATEN_VERSION;
	r = xcalloc(1, sizeof(*r));
	r->loop = loop;
	r->settings = settings;
	r->ring = ring;
	r->fleet = fleet;
	r->peers = peers_new();
	r->component = component_new(loop, &config, &events, r);
	r->batch = batch_new(fleet, r->component, settings->jid);
	return r;
}

void
reception_start(struct reception *r)
{
	join(r);
	if (r->settings->processes > 1)
		mind_places(r);
	else {
		r->started = true;
		component_start(r->component);
	}
	timer_after(r->loop, &r->tick, TICK_MS, on_tick, r);
}

static void
say_goodbye(void *arg, struct peer *peer)
{
	struct reception	*r = arg;

	if (peer->full != NULL)
		component_presence(r->component, peer->full, "unavailable");
}

void
reception_stop(struct reception *r)
{
	bool	others;

	timer_clear(r->loop, &r->tick);
	flush(r);
	if (centres_leave(r->fleet, r->centre, &others) != 0)
		log_warnx("run", "cannot say in the store that it stops");
	/* Where others stand in, the centre is not gone. */
	if ((!others || r->settings->processes == 1) &&
	    component_ready(r->component))
		peers_each(r->peers, say_goodbye, r);
	component_stop(r->component);
}

void
reception_free(struct reception *r)
{
	if (r == NULL)
		return;
	timer_clear(r->loop, &r->tick);
	component_free(r->component);	/* its callbacks need the rest */
	batch_free(r->batch);
	peers_free(r->peers);
	free(r);
}
