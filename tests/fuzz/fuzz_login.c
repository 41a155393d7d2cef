/*
 * What a server says until we are logged in: TLS comes before all else, and a
 * server that does not know the password never gets us in.
 *
 * The first octet: 1 TLS first, 2 by certificate, 4 PLAIN is allowed.  What
 * follows is what the server says; a NUL ends what came in one piece, so that
 * what follows on a restart can be there.
 */
#include <string.h>

#include "schema/xmltree.h"
#include "tests/fuzz/must.h"
#include "xmpp/login.h"
#include "xmpp/xmlstream.h"

#define JID		"a@agents.test/platend"
#define PASSWORD	"geheim17"

struct try {
	struct login		 login;
	struct xmlstream	*xml;
	bool			 ended;
};

static void
say(struct try *t)
{
	struct buf	*out = &t->login.out;

	if (out->len == 0)
		return;
	must(t->login.secured || strstr(out->data, "<auth") == NULL);
	must(t->login.secured || strstr(out->data, "a@") == NULL);
	must(strstr(out->data, PASSWORD) == NULL);
	buf_reset(out);
}

static void
act(struct try *t, enum login_act what)
{
	say(t);
	switch (what) {
	case LOGIN_ON:
		break;
	case LOGIN_SECURE:
		must(!t->login.secured);
		xmlstream_reset(t->xml);
		login_secured(&t->login);
		say(t);
		break;
	case LOGIN_RESTART:
		must(t->login.secured);
		xmlstream_reset(t->xml);
		break;
	case LOGIN_DONE:
		must(t->login.secured);
		must(t->login.password == NULL || t->login.allow_plain);
		t->ended = true;
		break;
	case LOGIN_OVER:
		must(t->login.over && t->login.why[0] != '\0');
		t->ended = true;
		break;
	}
}

static void
on_header(void *arg, xmlNode *header)
{
	struct try	*t = arg;

	if (!t->ended)
		act(t, login_header(&t->login, header));
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	struct try	*t = arg;

	if (!t->ended)
		act(t, login_stanza(&t->login, stanza));
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	((struct try *)arg)->ended = true;
}

static void
on_end(void *arg)
{
	((struct try *)arg)->ended = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xmlstream_events	 events = {
		on_header, on_stanza, on_refused, on_end
	};
	const char	*at = (const char *)data + 1, *end, *nul, *bad;
	struct try	 t = { .ended = false };

	if (size == 0)
		return 0;
	end = (const char *)data + size;
	log_hook(must_be_quiet, NULL);
	t.xml = xmlstream_new(&events, &t);
	t.login.jid = JID;
	t.login.direct = (data[0] & 1) != 0;
	t.login.password = (data[0] & 2) != 0 ? NULL : PASSWORD;
	t.login.allow_plain = (data[0] & 4) != 0;
	login_start(&t.login);
	say(&t);
	if (t.login.direct) {
		login_secured(&t.login);
		say(&t);
	}
	for (; at < end && !t.ended; at = nul + 1) {
		nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)
			nul = end;
		if (xmlstream_feed(t.xml, at, (size_t)(nul - at), &bad) == -1)
			break;
	}
	login_end(&t.login);
	xmlstream_free(t.xml);
	return 0;
}
