/* Cutting a stream into stanzas, at every place where it may be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "schema/xmltree.h"
#include "xmpp/xmlstream.h"

#define HEAD \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept'" \
	" xmlns:stream='http://etherx.jabber.org/streams' id='a&amp;b>'>"

static struct buf		 told;	/* what the events said, as text */
static struct xmlstream		*stream;
static bool			 reset_at_stanza;

static void
tell(const char *what, const xmlNode *node)
{
	buf_puts(&told, what);
	if (node != NULL)
		xmltree_print(&told, node);
	buf_puts(&told, ";");
}

static void
on_header(void *arg, xmlNode *node)
{
	char	*id = xmltree_attr(node, "id");

	if (xmltree_is(node, "stream", "http://etherx.jabber.org/streams"))
		buf_printf(&told, "header %s;", id != NULL ? id : "none");
	else
		buf_puts(&told, "another header;");
	free(id);
}

static void
on_stanza(void *arg, xmlNode *node)
{
	tell("", node);
	if (reset_at_stanza)
		xmlstream_reset(stream);
}

static void
on_refused(void *arg, xmlNode *node, const char *why)
{
	buf_printf(&told, "refused %s ", why);
	tell("", node);
}

static void
on_end(void *arg)
{
	tell("end", NULL);
}

static const struct xmlstream_events	events = {
	on_header, on_stanza, on_refused, on_end
};

static int
setup(void **state)
{
	stream = xmlstream_new(&events, NULL);
	reset_at_stanza = false;
	buf_reset(&told);
	buf_puts(&told, "");
	return 0;
}

static int
teardown(void **state)
{
	xmlstream_free(stream);
	buf_free(&told);
	return 0;
}

/* Feeds text in pieces of step octets; the stream error, or NULL. */
static const char *
feed(const char *text, size_t len, size_t step)
{
	const char	*bad = NULL;
	size_t		 i;

	for (i = 0; i < len; i += step)
		if (xmlstream_feed(stream, text + i,
		    len - i < step ? len - i : step, &bad) == -1) {
			assert_non_null(bad);
			return bad;
		}
	return NULL;
}

/* The same text in all sizes of pieces, and cut once anywhere. */
static void
all_ways(const char *text, const char *want, const char *want_bad)
{
	size_t		 len = strlen(text), step;
	const char	*bad;

	for (step = 1; step <= len; step += step < 40 ? 1 : 97) {
		xmlstream_reset(stream);
		buf_reset(&told);
		bad = feed(text, len, step);
		if (want_bad == NULL)
			assert_null(bad);
		else
			assert_string_equal(bad, want_bad);
		assert_string_equal(told.data, want);
	}
}

static void
test_good(void **state)
{
	all_ways(HEAD, "header a&b>;", NULL);
	all_ways(HEAD " \n<a/> <b x='1'>t</b>\t</stream:stream>junk<>",
	    "header a&b>;<a xmlns='jabber:component:accept'/>;"
	    "<b xmlns='jabber:component:accept' x='1'>t</b>;end;", NULL);
	all_ways(HEAD "<iq a=\"x/>y'\" b='/'><q xmlns='u'>1 &lt; 2"
	    "<![CDATA[<z>]]]]><![CDATA[>]]></q></iq><i/>",
	    "header a&b>;<iq xmlns='jabber:component:accept' a='x/&gt;y&apos;'"
	    " b='/'><q xmlns='u'>1 &lt; 2&lt;z&gt;]]&gt;</q></iq>;"
	    "<i xmlns='jabber:component:accept'/>;", NULL);
	all_ways(HEAD "<stream:error><x/></stream:error>",
	    "header a&b>;<error xmlns='http://etherx.jabber.org/streams'>"
	    "<x xmlns='jabber:component:accept'/></error>;", NULL);
	all_ways(HEAD "<a>\xc3\xa9\xe2\x82\xac\xf0\x9f\x96\xa8</a>",
	    "header a&b>;<a xmlns='jabber:component:accept'>"
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x96\xa8</a>;", NULL);
}

static void
test_bad(void **state)
{
	static const struct {
		const char	*text, *condition;
	} bad[] = {
		{ "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>",
		  "restricted-xml" },
		{ HEAD "<!DOCTYPE a>", "restricted-xml" },
		{ HEAD "<a><!DOCTYPE a></a>", "restricted-xml" },
		{ HEAD "<a><!ENTITY b 'c'></a>", "restricted-xml" },
		{ HEAD "<a><!-- hello --></a>", "restricted-xml" },
		{ HEAD "<!-- hello -->", "restricted-xml" },
		{ HEAD "<![CDATA[x]]>", "restricted-xml" },
		{ HEAD "<?xml version='1.0'?>", "restricted-xml" },
		{ HEAD "<a><?php ?></a>", "restricted-xml" },
		{ HEAD "<a>&b;</a>", "not-well-formed" },
		{ HEAD "<a b='&c;'/>", "not-well-formed" },
		{ HEAD "<a>&#0;</a>", "not-well-formed" },
		{ HEAD "<a>\x01</a>", "not-well-formed" },
		{ HEAD "<a>\xff</a>", "not-well-formed" },
		{ HEAD "<a>\xc3(</a>", "not-well-formed" },
		{ HEAD "<a>\xed\xa0\x80</a>", "not-well-formed" },
		{ HEAD "<a b='\xe9'/>", "not-well-formed" },
		{ HEAD "<a></b>", "not-well-formed" },
		{ HEAD "<a b='1' b='2'/>", "not-well-formed" },
		{ HEAD "<a b=1/>", "not-well-formed" },
		{ HEAD "<a b/>", "not-well-formed" },
		{ HEAD "< a/>", "not-well-formed" },
		{ HEAD "<a <b/></a>", "not-well-formed" },
		{ HEAD "text", "invalid-xml" },
		{ "HTTP/1.1 400 Bad Request\r\n", "not-well-formed" },
		{ "\x16\x03\x01", "not-well-formed" },
		{ "</a>", "not-well-formed" },
		{ "<a/>", "invalid-xml" },
		{ "<?xml >", "not-well-formed" },
	};
	size_t		 i;
	const char	*got;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		xmlstream_reset(stream);
		got = feed(bad[i].text, strlen(bad[i].text), 1);
		if (got == NULL)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(got, bad[i].condition);
		xmlstream_reset(stream);
		got = feed(bad[i].text, strlen(bad[i].text), 1000);
		assert_string_equal(got, bad[i].condition);
	}
	assert_null(strstr(told.data, "<"));
	/* Not of our namespace: its user's business. */
	all_ways("<stream:stream>", "another header;", NULL);
	all_ways("<stream:stream xmlns:stream='u'>", "another header;", NULL);
}

static void
many(struct buf *b, const char *text, int count)
{
	while (count-- > 0)
		buf_puts(b, text);
}

#define START	"<iq from='x@y/z' id='7' type='set'>"
#define SEEN	" <iq xmlns='jabber:component:accept' from='x@y/z' id='7' " \
		"type='set'/>;"
#define NEXT	"<n xmlns='jabber:component:accept'/>;"

/* The stanza between costs itself only. */
static void
refused(struct buf *b, const char *want)
{
	size_t	 step;

	for (step = 1; step < 100000; step *= 7) {
		xmlstream_reset(stream);
		buf_reset(&told);
		assert_null(feed(HEAD "<n/>", sizeof(HEAD "<n/>") - 1, step));
		assert_null(feed(b->data, b->len, step));
		assert_null(feed("\n<n/>", 5, step));
		assert_memory_equal(told.data, "header a&b>;" NEXT, 12);
		assert_string_equal(told.data + strlen("header a&b>;" NEXT),
		    want);
	}
	buf_reset(b);
}

static void
test_bounds(void **state)
{
	struct buf	 b = { 0 };

	/* Too large in text, in a tag, in its own tag; without an end. */
	buf_puts(&b, START "<q>");
	many(&b, "0123456789abcdef", XMLSTREAM_STANZA_MAX / 16);
	buf_puts(&b, "</q></iq>");
	refused(&b, "refused too large" SEEN NEXT);

	buf_puts(&b, START "<q a='");
	many(&b, "0123456789abcdef", XMLSTREAM_TAG_MAX / 16);
	buf_puts(&b, "'/></iq>");
	refused(&b, "refused a tag too large" SEEN NEXT);

	buf_puts(&b, "<iq from='");
	many(&b, "0123456789abcdef", XMLSTREAM_TAG_MAX / 16);
	buf_puts(&b, "'><q/></iq>");
	refused(&b, "refused a tag too large ;" NEXT);

	buf_puts(&b, "<");
	many(&b, "0123456789abcdef", XMLSTREAM_TAG_MAX / 16);
	buf_puts(&b, "/>");
	refused(&b, "refused a tag too large ;" NEXT);

	/* Too many attributes, here and there. */
	buf_puts(&b, START "<q ");
	many(&b, "a='' ", XMLSTREAM_ATTRIBUTES + 1);
	buf_puts(&b, "/></iq>");
	refused(&b, "refused too many attributes" SEEN NEXT);

	buf_puts(&b, "<iq ");
	many(&b, "a='' ", XMLSTREAM_ATTRIBUTES + 1);
	buf_puts(&b, "/>");
	refused(&b, "refused too many attributes ;" NEXT);

	/* Too many elements, too many levels, far too many. */
	buf_puts(&b, START);
	many(&b, "<q/>", XMLSTREAM_ELEMENTS);
	buf_puts(&b, "</iq>");
	refused(&b, "refused too many elements" SEEN NEXT);

	buf_puts(&b, START);
	many(&b, "<q>", XMLSTREAM_DEPTH);
	many(&b, "</q>", XMLSTREAM_DEPTH);
	buf_puts(&b, "</iq>");
	refused(&b, "refused too deep" SEEN NEXT);

	buf_puts(&b, START);
	many(&b, "<q>", 100000);
	many(&b, "</q>", 100000);
	buf_puts(&b, "</iq>");
	refused(&b, "refused too deep" SEEN NEXT);
	buf_free(&b);
}

static void
test_within_bounds(void **state)
{
	struct buf	 b = { 0 };
	int		 i;

	assert_null(feed(HEAD, sizeof(HEAD) - 1, 1));
	buf_puts(&b, "<iq>");
	many(&b, "<q>", XMLSTREAM_DEPTH - 1);
	many(&b, "</q>", XMLSTREAM_DEPTH - 1);
	many(&b, "<q/>", XMLSTREAM_ELEMENTS - XMLSTREAM_DEPTH);
	buf_puts(&b, "</iq><iq ");
	for (i = 0; i < XMLSTREAM_ATTRIBUTES; i++)
		buf_printf(&b, "a%d='' ", i);
	buf_puts(&b, "/><iq>");
	many(&b, "0123456789abcdef", XMLSTREAM_STANZA_MAX / 16 - 1);
	buf_puts(&b, "</iq>");
	assert_null(feed(b.data, b.len, 1000));
	assert_null(strstr(told.data, "refused"));
	assert_non_null(strstr(told.data, "a63"));
	assert_int_equal(strlen(strrchr(told.data, '0')),
	    strlen("0123456789abcdef</iq>;"));
	buf_free(&b);
}

/* Names that the parser would remember do not pile up. */
static void
test_many_names(void **state)
{
	char	 text[128];
	int	 i;

	assert_null(feed(HEAD, sizeof(HEAD) - 1, 1000));
	for (i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "<iq><q%d%050d xmlns='u:%d'/>"
		    "</iq>", i, 0, i);
		buf_reset(&told);
		assert_null(feed(text, strlen(text), 1000));
		assert_non_null(strstr(told.data, "<q"));
	}
}

static void
test_reset_within(void **state)
{
	reset_at_stanza = true;
	assert_null(feed(HEAD "<a/><b/></stream:stream>",
	    sizeof(HEAD "<a/><b/></stream:stream>") - 1, 1000));
	assert_string_equal(told.data,
	    "header a&b>;<a xmlns='jabber:component:accept'/>;");
	reset_at_stanza = false;
	assert_null(feed(HEAD "<c/>", sizeof(HEAD "<c/>") - 1, 1000));
	assert_non_null(strstr(told.data, "<c "));
}

static uint32_t
dice(void)
{
	static uint32_t	 x = 20261120;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Damaged and shuffled streams: any answer will do, but there must be one. */
static void
test_garbage(void **state)
{
	static const char *const	 bits[] = {
		"<a>", "</a>", "<", ">", "/", "'", "\"", "=", "<iq/>", "]]>",
		"<![CDATA[", "<!--", "<?", "&amp;", "&", "x", " ", "\xff",
		"<a b='c'>", "<iq from='a@b' id='1'><q xmlns='u'/></iq>",
		"</stream:stream>", "<stream:error>", "\n"
	};
	struct buf			 b = { 0 };
	int				 round, i;

	for (round = 0; round < 30000; round++) {
		buf_reset(&b);
		buf_reset(&told);
		buf_puts(&b, HEAD);
		for (i = 0; i < 12; i++)
			buf_puts(&b, bits[dice() %
			    (sizeof(bits) / sizeof(*bits))]);
		if (dice() % 4 == 0)
			b.data[dice() % b.len] = (char)dice();
		xmlstream_reset(stream);
		(void)feed(b.data, b.len, 1 + dice() % 40);
	}
	buf_free(&b);
}

/* A stream that ended anywhere leaves nothing behind for the next. */
static void
test_reset_anywhere(void **state)
{
	static const char	 good[] = HEAD "<a/>";
	struct buf		 b = { 0 };
	size_t			 n;
	int			 i;

	buf_puts(&b, HEAD "<a ");
	for (i = 0; i < 2 * XMLSTREAM_ATTRIBUTES; i++)
		buf_printf(&b, "a%d='x' ", i);
	buf_puts(&b, "><![CDATA[]]></b");
	for (n = 0; n <= b.len; n++) {
		xmlstream_reset(stream);
		(void)feed(b.data, n, 4096);
		xmlstream_reset(stream);
		buf_reset(&told);
		assert_null(feed(good, sizeof(good) - 1, 4096));
		assert_string_equal(told.data, "header a&b>;<a xmlns="
		    "'jabber:component:accept'/>;");
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_within_bounds, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_many_names, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_reset_within, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_reset_anywhere, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
