/* The envelope inside the seal (XEP-0420). */
#include "schema/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/xmltree.h"

#define FROM	"agent@example.net"
#define TO	"platen.example.net"
#define NS	"xmlns='urn:xmpp:sce:1'"
#define F	"<from jid='" FROM "'/>"
#define T	"<to jid='" TO "'/>"
#define W	"<time stamp='2026-11-20T19:30:00.000Z'/>"
#define R	"<rpad>abc</rpad>"
#define C	"<content><x xmlns='urn:x'/></content>"

static int
opened(const char *xml, const char *want)
{
	char why[256] = "";
	struct envelope e;

	if (envelope_read(xml, strlen(xml), FROM, TO, &e, why,
	    sizeof why) == 0) {
		envelope_clear(&e);
		if (want != NULL)
			fail_msg("taken: %s", xml);
		return 1;
	}
	assert_null(e.doc);
	if (want == NULL || strstr(why, want) == NULL)
		fail_msg("%s: %s", xml, why);
	return 0;
}

static void
test_round_trip(void **state)
{
	struct buf out = { 0 }, inside = { 0 };
	struct envelope e;
	char why[256], text[300];
	size_t n;

	for (n = 0; n < 200; n++) {
		buf_reset(&out);
		buf_reset(&inside);
		memset(text, 'x', n);
		snprintf(text + n, sizeof text - n, "%s", "<&'>");
		buf_puts(&inside, "<y xmlns='urn:y'>");
		xmltree_escape(&inside, text);
		buf_puts(&inside, "</y>");
		buf_puts(&out, "0123456");	/* appended, not replaced */
		envelope_write(&out, inside.data, inside.len, FROM, TO,
		    1795202999999);
		buf_drop(&out, 7);
		assert_int_equal(out.len % 64, 0);
		assert_int_equal(envelope_read(out.data, out.len, FROM, TO,
		    &e, why, sizeof why), 0);
		assert_true(e.time_ms == 1795202999999);
		assert_true(xmltree_is(e.content, "y", "urn:y"));
		buf_reset(&out);
		xmltree_print(&out, e.content);
		assert_string_equal(out.data, inside.data);
		envelope_clear(&e);
		envelope_clear(&e);
	}
	buf_free(&out);
	buf_free(&inside);
}

/* Whatever is inside, a short one is as long as others. */
static void
test_lengths_tell_little(void **state)
{
	struct buf a = { 0 }, b = { 0 };

	envelope_write(&a, "<x/>", 4, FROM, TO, 0);
	envelope_write(&b, "<xyz>uvw</xyz>", 14, FROM, TO, 0);
	assert_int_equal(a.len, b.len);
	buf_free(&a);
	buf_free(&b);
}

static void
test_taken(void **state)
{
	assert_true(opened("<envelope " NS ">" C F T W R "</envelope>", NULL));
	/* in any order, with blanks between, and no padding needed */
	assert_true(opened("<envelope " NS ">\n<rpad/> " T W F
	    "<content>\n<x xmlns='urn:x'/> </content></envelope>", NULL));
}

static void
test_refused(void **state)
{
	opened("<envelope>" C F T W R "</envelope>", "no envelope");
	opened("<message " NS ">" C F T W R "</message>", "no envelope");
	opened("<envelope " NS ">" F T W R "</envelope>", "missing");
	opened("<envelope " NS ">" C T W R "</envelope>", "missing");
	opened("<envelope " NS ">" C F W R "</envelope>", "missing");
	opened("<envelope " NS ">" C F T R "</envelope>", "missing");
	opened("<envelope " NS ">" C F T W "</envelope>", "missing");
	opened("<envelope " NS ">" C C F T W R "</envelope>", "twice");
	opened("<envelope " NS ">" C F F T W R "</envelope>", "twice");
	opened("<envelope " NS ">" C F T W R "<more/></envelope>", "unknown");
	opened("<envelope " NS ">" C F T W R "<rpad xmlns='urn:x'/>"
	    "</envelope>", "unknown");
	opened("<envelope " NS ">" C "<from jid='b@c'/>" T W R "</envelope>",
	    "from");
	opened("<envelope " NS ">" C "<from/>" T W R "</envelope>", "from");
	opened("<envelope " NS ">" C "<from jid='" FROM "/x'/>" T W R
	    "</envelope>", "from");
	opened("<envelope " NS ">" C F "<to jid='" FROM "'/>" W R
	    "</envelope>", "to");
	opened("<envelope " NS ">" C F T "<time/>" R "</envelope>", "time");
	opened("<envelope " NS ">" C F T "<time stamp='now'/>" R
	    "</envelope>", "time");
	opened("<envelope " NS "><content/>" F T W R "</envelope>",
	    "one element");
	opened("<envelope " NS "><content>x</content>" F T W R "</envelope>",
	    "one element");
	opened("<envelope " NS "><content><x/><x/></content>" F T W R
	    "</envelope>", "one element");
	opened("<envelope " NS "><content><x/>y</content>" F T W R
	    "</envelope>", "one element");
	opened("<!DOCTYPE envelope><envelope " NS ">" C F T W R "</envelope>",
	    "document type");
	opened("", "neither XML nor");
	opened(" <envelope/>", "neither XML nor");
}

static void
test_too_long(void **state)
{
	char why[256], *text = malloc(ENVELOPE_MAX + 1);
	struct envelope e;

	memset(text, ' ', ENVELOPE_MAX + 1);
	text[0] = '<';
	assert_int_equal(envelope_read(text, ENVELOPE_MAX + 1, FROM, TO, &e,
	    why, sizeof why), -1);
	assert_non_null(strstr(why, "longer than"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_lengths_tell_little),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
