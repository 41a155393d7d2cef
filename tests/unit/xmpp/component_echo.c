/*
 * A component that answers: for tests/system/test_component.py.
 * usage: component_echo JID PORT SECRET_FILE [PING_MS]
 *
 * Presence is answered in kind; an iq whose payload is <echo xmlns='urn:echo'/>
 * comes back when all that arrived has been read (as the centre commits), and
 * anything else is refused.  A presence of type "probe" makes it ask the
 * sender's bare JID for a version.  Events go to stdout, a line each.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "schema/xmltree.h"
#include "xmpp/component.h"

struct waiting {
	char	*from, *id, *body;
};

static struct component	*com;
static struct loop	*loop;
static struct waiting	*waiting;
static size_t		 count, room;

static void
on_ready(void *arg)
{
	printf("ready\n");
}

static void
on_lost(void *arg, const char *why)
{
	printf("lost %s\n", why);
}

static void
on_version(void *arg, bool result, const char *condition, xmlNode *payload)
{
	printf("version %s %s\n", result ? "result" : "error",
	    result ? "" : condition);
}

static void
on_presence(void *arg, const char *from, const char *type, const char *status)
{
	static const char	 query[] =
	    "<query xmlns='jabber:iq:version'/>";

	printf("presence %s %s\n", from, type);
	if (strcmp(type, "available") == 0)
		component_presence(com, from, NULL);
	else if (strcmp(type, "probe") == 0)
		component_ask(com, from, false, query, sizeof(query) - 1,
		    5000, on_version, NULL);
}

static void
on_iq(void *arg, const char *from, const char *id, bool set, xmlNode *payload)
{
	struct buf	 b = { 0 };
	struct waiting	*w;

	if (!xmltree_is(payload, "echo", "urn:echo")) {
		component_error(com, from, id, "service-unavailable", NULL);
		return;
	}
	if (count == room) {
		room = room == 0 ? 64 : 2 * room;
		waiting = xreallocarray(waiting, room, sizeof(*waiting));
	}
	xmltree_print(&b, payload);
	w = &waiting[count++];
	w->from = xstrdup(from);
	w->id = xstrdup(id);
	w->body = buf_take(&b);
}

static void
on_idle(void *arg)
{
	struct waiting	*w;
	size_t		 i;

	for (i = 0; i < count; i++) {
		w = &waiting[i];
		component_reply(com, w->from, w->id, w->body,
		    strlen(w->body));
		free(w->from);
		free(w->id);
		free(w->body);
	}
	count = 0;
}

static void
on_term(void *arg, int signo)
{
	loop_stop(loop);
}

int
main(int argc, char **argv)
{
	static const struct component_events	 events = {
		on_ready, on_lost, on_presence, on_iq, on_idle
	};
	struct component_config			 config = {
		.host = "127.0.0.1", .step_ms = 2000, .retry_min_ms = 100,
		.retry_max_ms = 400
	};
	char					 secret[SECRET_MAX];

	if (argc < 4)
		return 2;
	log_init("component_echo", true, false);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (secret_read(argv[3], "secret", secret, sizeof(secret)) == -1)
		return 1;
	config.jid = argv[1];
	config.port = atoi(argv[2]);
	config.secret = secret;
	config.ping_ms = argc > 4 ? atoi(argv[4]) : 0;
	loop = loop_new();
	com = component_new(loop, &config, &events, NULL);
	loop_signal(loop, SIGTERM, on_term, NULL);
	component_start(com);
	loop_run(loop);
	component_free(com);
	loop_free(loop);
	free(waiting);
	return 0;
}
