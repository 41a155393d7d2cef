/*
 * The centre's connection to its server: what comes in on it, and what the
 * whole of `platen-central run` makes of it.  The wire is replaced; what goes
 * out must be a stream of stanzas, and not much more than what came in.
 *
 * The first octet: 1, the rest is all that the server says, else it follows
 * on a login; the others are the length of the pieces that it comes in.
 */
#include <string.h>

#include "central/reception.h"
#include "central/roster.h"
#include "tests/fuzz/stanzas.h"
#include "xmpp/wire.h"

#define OPENING	"<stream:stream xmlns='jabber:component:accept' " \
		"xmlns:stream='http://etherx.jabber.org/streams' id='x'>" \
		"<handshake/>"

static struct wire {
	const struct wire_events	*events;
	void				*arg;
	bool				 open;
	size_t				 out_len;
	struct xmlstream		*out;	/* what the server sees */
} wire;

static struct settings	 settings;
static struct keyring	 ring;
static struct loop	*loop;
static struct fleet	*fleet;
static const struct fleet_source	source = { .path = ":memory:" };

/* ---- The wire, in place of xmpp/wire.c. ---- */

struct wire *
wire_new(struct loop *l, const struct wire_events *events, void *arg)
{
	wire.events = events;
	wire.arg = arg;
	wire.out = stanzas_new();
	return &wire;
}

void
wire_free(struct wire *w)
{
	xmlstream_free(w->out);
	memset(w, 0, sizeof(*w));
}

void
wire_open(struct wire *w, const char *host, int port, int deadline_ms)
{
	w->open = true;
	xmlstream_reset(w->out);
}

void
wire_close(struct wire *w)
{
	w->open = false;
}

void
wire_finish(struct wire *w, int wait_ms)
{
	w->open = false;
}

void
wire_put(struct wire *w, const void *bytes, size_t len)
{
	const char	*bad = "";

	if (!w->open)
		return;
	w->out_len += len;
	must(xmlstream_feed(w->out, bytes, len, &bad) == 0);
}

size_t
wire_queued(const struct wire *w)
{
	return 0;
}

int64_t
wire_heard_ms(const struct wire *w)
{
	return 0;
}

int64_t
wire_put_ms(const struct wire *w)
{
	return 0;
}

/* ---- The centre. ---- */

static void
prepare(void)
{
	char	token[ROSTER_TOKEN_MAX], why[120];
	int64_t	agent;

	if (loop != NULL)
		return;
	log_hook(must_be_quiet, NULL);
	must(key_library_init() == 0);
	key_make(&ring.key[0]);
	ring.len = 1;
	settings.jid = "centre.test";
	settings.host = "127.0.0.1";
	settings.port = 5347;
	loop = loop_new();
	fleet = fleet_open(&source, FLEET_CREATE);
	must(fleet != NULL && roster_enrol(fleet, "a", "a@agents.test", NULL,
	    1000, 1, token, why, sizeof(why)) == 0);
	must(roster_admit(fleet, "a@agents.test", ring.key[0].public, token, 1,
	    &agent, why, sizeof(why)) == ROSTER_ADMITTED);
	must(fleet_commit(fleet) == 0);
}

static void
hear(const char *bytes, size_t len, size_t piece)
{
	size_t	 n;

	for (; len > 0 && wire.open; bytes += n, len -= n) {
		n = len < piece ? len : piece;
		wire.events->on_bytes(wire.arg, bytes, n);
		if (wire.open)
			wire.events->on_turn(wire.arg);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reception	*r;

	if (size < 2)
		return 0;
	prepare();
	r = reception_new(loop, &settings, "secret", &ring, fleet);
	reception_start(r);
	must(wire.open);
	wire.events->on_up(wire.arg);
	if ((data[0] & 1) == 0)
		hear(OPENING, strlen(OPENING), 1024);
	hear((const char *)data + 1, size - 1, (size_t)(data[0] >> 1) + 1);
	must(!fleet_failed(fleet));
	must(wire.out_len <= 16 * size + 4096);
	reception_stop(r);
	reception_free(r);
	return 0;
}
