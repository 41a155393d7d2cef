/*
 * An XMPP stream as it may come from a server: xmpp/xmlstream.c finds the
 * same in it whether it comes whole or in pieces, and whatever came in a
 * stream before.  The first octet is the length of a piece.
 */
#include <string.h>

#include "base/buf.h"
#include "schema/xmltree.h"
#include "tests/fuzz/must.h"
#include "xmpp/xmlstream.h"

static void
note(struct buf *story, const char *what, const xmlNode *node)
{
	buf_puts(story, what);
	xmltree_print(story, node);
	buf_putc(story, '\n');
}

static void
on_header(void *arg, xmlNode *header)
{
	must(header != NULL);
	note(arg, "header ", header);
}

static void
on_stanza(void *arg, xmlNode *stanza)
{
	must(stanza != NULL && stanza->type == XML_ELEMENT_NODE);
	note(arg, "stanza ", stanza);
}

static void
on_refused(void *arg, xmlNode *start, const char *why)
{
	must(start == NULL || start->children == NULL);
	note(arg, why, start);
}

static void
on_end(void *arg)
{
	note(arg, "end", NULL);
}

static void
feed(struct xmlstream *s, const char *bytes, size_t len, size_t piece,
    struct buf *story)
{
	const char	*bad = NULL;
	size_t		 n;

	for (; len > 0; bytes += n, len -= n) {
		n = len < piece ? len : piece;
		if (xmlstream_feed(s, bytes, n, &bad) == 0)
			continue;
		must(bad != NULL && bad[0] != '\0');
		note(story, bad, NULL);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xmlstream_events	 events = {
		on_header, on_stanza, on_refused, on_end
	};
	const char	*bytes = (const char *)data + 1;
	struct buf	 story = { 0 }, whole = { 0 };
	struct xmlstream *s;

	if (size < 2)
		return 0;
	log_hook(must_be_quiet, NULL);
	s = xmlstream_new(&events, &story);
	feed(s, bytes, size - 1, size, &story);
	buf_put(&whole, story.data == NULL ? "" : story.data, story.len);
	buf_reset(&story);
	xmlstream_reset(s);
	feed(s, bytes, size - 1, data[0] % 64 + 1, &story);
	must(whole.len == story.len);
	must(whole.len == 0 || memcmp(whole.data, story.data,
	    whole.len) == 0);
	xmlstream_free(s);
	buf_free(&whole);
	buf_free(&story);
	return 0;
}
