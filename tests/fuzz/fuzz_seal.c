/*
 * Texts that should open, by the first octet: 0 the first message of a
 * handshake, 1 the second, else one under a session.  None of them can: they
 * are made by nobody who has a key, and only their form can be right.
 */
#include <string.h>

#include "base/buf.h"
#include "crypto/seal.h"
#include "tests/fuzz/must.h"

#define AGENT	"a@agents.test"
#define CENTRE	"centre.test"

static struct key	 centre, agent;

/* Both ends of a session that stands. */
static void
meet(struct seal **ours, struct seal **theirs)
{
	struct buf	 one = { 0 }, two = { 0 }, payload = { 0 };

	*ours = seal_open(&agent, centre.public, AGENT, CENTRE, "hello", 5, 0,
	    &one);
	must(*ours != NULL);
	*theirs = seal_accept(&centre, AGENT, CENTRE, one.data, one.len, 0,
	    &payload);
	must(*theirs != NULL && seal_answer(*theirs, "welcome", 7, &two) == 0);
	must(seal_finish(*ours, two.data, two.len, &payload) == 0);
	buf_free(&one);
	buf_free(&two);
	buf_free(&payload);
}

static void
try_first(const char *text, size_t len)
{
	struct buf	 payload = { 0 };

	must(seal_accept(&centre, AGENT, CENTRE, text, len, 0,
	    &payload) == NULL);
	must(payload.len == 0);
	buf_free(&payload);
}

static void
try_second(const char *text, size_t len)
{
	struct buf	 one = { 0 }, payload = { 0 };
	struct seal	*s;

	s = seal_open(&agent, centre.public, AGENT, CENTRE, "", 0, 0, &one);
	must(seal_finish(s, text, len, &payload) == -1);
	must(!seal_alive(s, 0) && !seal_proven(s) && payload.len == 0);
	seal_free(s);
	buf_free(&one);
	buf_free(&payload);
}

static void
try_sealed(uint64_t n, const char *text, size_t len)
{
	static struct seal	*ours, *theirs;
	struct buf		 plain = { 0 }, good = { 0 };

	if (ours == NULL || !seal_alive(ours, 0)) {
		seal_free(ours);
		seal_free(theirs);
		meet(&ours, &theirs);
	}
	must(seal_take(theirs, n, text, len, &plain) == -1);
	must(plain.len == 0);
	/* And it did no harm. */
	must(seal_put(ours, "x", 1, &n, &good) == 0);
	must(seal_take(theirs, n, good.data, good.len, &plain) == 0);
	must(plain.len == 1);
	buf_free(&plain);
	buf_free(&good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool	 ready;
	const char	*text = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (!ready) {
		log_hook(must_be_quiet, NULL);
		must(key_library_init() == 0);
		key_make(&centre);
		key_make(&agent);
		ready = true;
	}
	if (data[0] == 0)
		try_first(text, size - 1);
	else if (data[0] == 1)
		try_second(text, size - 1);
	else
		try_sealed(data[0], text, size - 1);
	return 0;
}
