#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "schema/xmltree.h"
#include "xmpp/iq.h"
#include "xmpp/login.h"

static xmpp_ctx_t	*ctx;

static int
begin(void **state)
{
	ctx = xmpp_ctx_new(NULL, NULL);
	return 0;
}

static int
end(void **state)
{
	xmpp_ctx_free(ctx);
	return 0;
}

static void
stanzas_as_text(void **state)
{
	struct buf	b = { 0 };

	iq_put(&b, "set", "a'<b", "centre.test", "<x/>", 4);
	assert_string_equal(b.data, "<iq type='set' id='a&apos;&lt;b' "
	    "to='centre.test'><x/></iq>");
	buf_reset(&b);
	iq_put(&b, "result", "1", NULL, "", 0);
	assert_string_equal(b.data, "<iq type='result' id='1'></iq>");
	buf_reset(&b);
	iq_put_presence(&b, "centre.test", NULL, NULL);
	iq_put_presence(&b, NULL, "unavailable", NULL);
	iq_put_presence(&b, "centre.test", NULL, "disk < full");
	assert_string_equal(b.data, "<presence to='centre.test'/>"
	    "<presence type='unavailable'/><presence to='centre.test'>"
	    "<show>dnd</show><status>disk &lt; full</status></presence>");
	buf_reset(&b);
	iq_put_error(&b, "1", "x", "forbidden", "a & b");
	assert_string_equal(b.data, "<iq type='error' id='1' to='x'>"
	    "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:"
	    "xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:"
	    "xmpp-stanzas'>a &amp; b</text></error></iq>");
	buf_reset(&b);
	xmltree_escape(&b, "<&>\"'\n\x01");
	assert_string_equal(b.data, "&lt;&amp;&gt;&quot;&apos;&#10;");
	buf_free(&b);
}

static void
condition_is(const char *inner, const char *want)
{
	struct buf	 b = { 0 };
	xmpp_stanza_t	*stanza;
	char		 condition[IQ_CONDITION_MAX];

	buf_printf(&b, "<iq type='error'>%s</iq>", inner);
	stanza = xmpp_stanza_new_from_string(ctx, b.data);
	assert_non_null(stanza);
	iq_condition(stanza, condition);
	assert_string_equal(condition, want);
	xmpp_stanza_release(stanza);
	buf_free(&b);
}

#define NS	" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"

static void
conditions(void **state)
{
	condition_is("<error><item-not-found" NS "/></error>",
	    "item-not-found");
	condition_is("<x/><error>text<a/><text" NS "/><gone" NS ">xmpp:x"
	    "</gone></error>", "gone");
	condition_is("", "undefined-condition");
	condition_is("<error/>", "undefined-condition");
	condition_is("<error><forbidden/></error>", "undefined-condition");
	condition_is("<error><BAD" NS "/></error>", "undefined-condition");
	condition_is("<error><aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaa" NS "/></error>",
	    "undefined-condition");
}

static void
first_element(void **state)
{
	xmpp_stanza_t	*s;

	s = xmpp_stanza_new_from_string(ctx, "<iq> text <b/><c/></iq>");
	assert_string_equal(xmpp_stanza_get_name(iq_child(s)), "b");
	xmpp_stanza_release(s);
	s = xmpp_stanza_new_from_string(ctx, "<iq>text</iq>");
	assert_null(iq_child(s));
	xmpp_stanza_release(s);
}

/* A crash in libstrophe 0.12.2, mended in link.c. */
static void
next_of_nothing(void **state)
{
	assert_null(xmpp_stanza_get_next(NULL));
}

static void
log_lines(void **state)
{
	char	name[33];

	assert_true(login_element("RECV: <stream:features a='b'/>", "RECV",
	    name, sizeof(name)));
	assert_string_equal(name, "features");
	assert_true(login_element("SENT: <iq>", "SENT", name, sizeof(name)));
	assert_string_equal(name, "iq");
	assert_true(login_element("RECV: <a/>", "RECV", name, sizeof(name)));
	assert_string_equal(name, "a");
	assert_true(login_element("RECV: <", "RECV", name, sizeof(name)));
	assert_string_equal(name, "");
	assert_true(login_element("RECV: <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaa:b>", "RECV", name, sizeof(name)));
	assert_string_equal(name, "b");
	assert_false(login_element("RECV: x", "RECV", name, sizeof(name)));
	assert_false(login_element("RECV", "RECV", name, sizeof(name)));
	assert_false(login_element("SENT: <a>", "RECV", name, sizeof(name)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_as_text),
		cmocka_unit_test(conditions),
		cmocka_unit_test(first_element),
		cmocka_unit_test(next_of_nothing),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
