#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "schema/xmltree.h"
#include "xmpp/iq.h"
#include "xmpp/stanzaerror.h"

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

static xmlDoc *
parse(const char *text)
{
	char	 why[128];
	xmlDoc	*doc = xmltree_parse(text, strlen(text), why, sizeof(why));

	assert_non_null(doc);
	return doc;
}

static void
condition_is(const char *inner, const char *want)
{
	struct buf	 b = { 0 };
	xmlDoc		*doc;

	buf_printf(&b, "<iq type='error'>%s</iq>", inner);
	doc = parse(b.data);
	assert_string_equal(stanzaerror_condition(xmlDocGetRootElement(doc)),
	    want);
	xmlFreeDoc(doc);
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
attributes(void **state)
{
	xmlDoc	*doc = parse("<iq a='1' b='' xmlns:x='y' x:c='2'/>");
	xmlNode	*iq = xmlDocGetRootElement(doc);

	assert_string_equal(iq_attr(iq, "a"), "1");
	assert_string_equal(iq_attr(iq, "b"), "");
	assert_null(iq_attr(iq, "c"));
	assert_null(iq_attr(iq, "d"));
	xmlFreeDoc(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_as_text),
		cmocka_unit_test(conditions),
		cmocka_unit_test(attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
