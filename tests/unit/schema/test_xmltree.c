/* XML from strangers: what is read, and the hostile kinds that are not. */
#include "schema/xmltree.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "schema/taggate.h"

static void
refused_n(const char *xml, size_t len, const char *want)
{
	char why[256] = "";
	xmlDoc *doc = xmltree_parse(xml, len, why, sizeof why);

	if (doc != NULL)
		fail_msg("taken: %.60s", xml);
	if (strstr(why, want) == NULL)
		fail_msg("%.60s: %s, not %s", xml, why, want);
	assert_null(strchr(why, '\n'));
}

static void
refused(const char *xml, const char *want)
{
	refused_n(xml, strlen(xml), want);
}

static void
test_read(void **state)
{
	static const char xml[] =
	    "<?xml version='1.0'?>\n"
	    "<a xmlns='urn:one' x='1 &lt; 2' xml:lang='de'>"
	    " <b>t<![CDATA[<&>]]>&#252;</b><c xmlns='urn:two'/>\n"
	    "<p:d xmlns:p='urn:three' p:y='z'>&amp;&quot;&apos;&gt;</p:d></a>";
	char why[256], *text;
	xmlDoc *doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	xmlNode *root, *n;
	struct buf out = { 0 };

	assert_non_null(doc);
	root = xmlDocGetRootElement(doc);
	assert_true(xmltree_is(root, "a", "urn:one"));
	assert_true(xmltree_is(root, "a", NULL));
	assert_false(xmltree_is(root, "a", "urn:two"));
	assert_false(xmltree_is(NULL, "a", NULL));
	text = xmltree_attr(root, "x");
	assert_string_equal(text, "1 < 2");
	free(text);
	assert_null(xmltree_attr(root, "lang"));
	n = xmltree_child(root, NULL, NULL);
	assert_true(xmltree_is(n, "b", "urn:one"));
	text = xmltree_text(n);
	assert_string_equal(text, "t<&>\xc3\xbc");
	free(text);
	n = xmltree_next(n);
	assert_true(xmltree_is(n, "c", "urn:two"));
	assert_null(xmltree_text(n));
	assert_null(xmltree_child(n, NULL, NULL));
	assert_ptr_equal(xmltree_child(root, "c", "urn:two"), n);
	assert_ptr_equal(xmltree_child(root, NULL, "urn:two"), n);
	assert_null(xmltree_child(root, "c", "urn:one"));
	n = xmltree_next(n);
	assert_true(xmltree_is(n, "d", "urn:three"));
	assert_null(xmltree_attr(n, "y"));
	assert_null(xmltree_next(n));
	assert_null(xmltree_text(NULL));

	/* Printed on its own, an element still means the same. */
	xmltree_print(&out, root);
	assert_string_equal(out.data,
	    "<a xmlns='urn:one' x='1 &lt; 2' xml:lang='de'>"
	    " <b>t&lt;&amp;&gt;\xc3\xbc</b><c xmlns='urn:two'/>&#10;"
	    "<d xmlns='urn:three' xmlns:a1='urn:three' a1:y='z'>"
	    "&amp;&quot;&apos;&gt;</d></a>");
	buf_reset(&out);
	xmltree_print(&out, xmltree_child(root, "b", NULL));
	assert_string_equal(out.data,
	    "<b xmlns='urn:one'>t&lt;&amp;&gt;\xc3\xbc</b>");
	buf_free(&out);
	xmlFreeDoc(doc);
}

static void
test_no_namespace_inside(void **state)
{
	static const char xml[] = "<a xmlns='urn:one'><b xmlns=''/></a>";
	char why[256];
	xmlDoc *doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	struct buf out = { 0 };

	assert_non_null(doc);
	xmltree_print(&out, xmlDocGetRootElement(doc));
	assert_string_equal(out.data, xml);
	buf_free(&out);
	xmlFreeDoc(doc);
}

static void
test_nothing_inside(void **state)
{
	static const char xml[] = "<a><b><![CDATA[]]></b><c></c></a>";
	char why[256];
	xmlDoc *doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	struct buf out = { 0 };

	assert_non_null(doc);
	xmltree_print(&out, xmlDocGetRootElement(doc));
	assert_string_equal(out.data, "<a><b/><c/></a>");
	buf_free(&out);
	xmlFreeDoc(doc);
}

static void
test_namespace_with_ampersand(void **state)
{
	static const char xml[] = "<a xmlns='u:1&amp;2'><b xmlns='&lt;'/></a>";
	char why[256];
	xmlDoc *doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	struct buf out = { 0 };

	assert_null(doc);		/* "<" is in no URI */
	doc = xmltree_parse("<a xmlns='u:1&amp;2'/>", 22, why, sizeof why);
	assert_non_null(doc);
	assert_true(xmltree_is(xmlDocGetRootElement(doc), "a", "u:1&2"));
	xmltree_print(&out, xmlDocGetRootElement(doc));
	assert_string_equal(out.data, "<a xmlns='u:1&amp;2'/>");
	buf_free(&out);
	xmlFreeDoc(doc);
}

static void
test_document_types(void **state)
{
	refused("<!DOCTYPE a><a/>", "document type");
	refused("<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>",
	    "document type");
	refused("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
	    "<a>&x;</a>", "document type");
	refused("<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>"
	    "<a/>", "document type");
	refused("<!DOCTYPE l [<!ENTITY a 'lol'>"
	    "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
	    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
	    "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
	    "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>"
	    "<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
	    "<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>]><l>&g;</l>",
	    "document type");
	refused("<!DOCTYPE a [<!ATTLIST a x CDATA 'default'>]><a/>",
	    "document type");
	refused("<a>&x;</a>", "entity");
	refused("<a x='&x;'/>", "entity");
	refused("<a>&nbsp;</a>", "entity");
}

static void
test_odd_nodes(void **state)
{
	refused("<a><!-- x --></a>", "comment");
	refused("<!-- x --><a/>", "comment");
	refused("<a><?x y?></a>", "processing instruction");
	refused("<?xml-stylesheet href='http://127.0.0.1:1/'?><a/>",
	    "processing instruction");
}

static void
test_broken(void **state)
{
	char why[256];

	assert_null(xmltree_parse("", 0, why, sizeof why));
	refused("   ", "");
	refused("x", "line 1");
	refused("<a>", "line 1");
	refused("<a></b>", "line 1");
	refused("<a/><b/>", "line 1");
	refused("<a x='1' x='2'/>", "line 1");
	refused("<a x=1/>", "line 1");
	refused("<p:a/>", "line 1");
	refused("<a>&#0;</a>", "line 1");
	refused("<a>&#11;</a>", "line 1");
	refused("<a>\x01</a>", "line 1");
	refused("<a>]]></a>", "line 1");
	refused("<a>&lt</a>", "line 1");
	refused("\n\n<a>\n</b>", "line 4");
	refused_n("<a>\0</a>", 8, "not UTF-8");
	refused_n("<a/>\0", 5, "not UTF-8");
	refused("<a>\xff</a>", "not UTF-8");
	refused("<a>\xed\xa0\x80</a>", "not UTF-8");
	refused_n("\xff\xfe<\0a\0/\0>\0", 10, "not UTF-8");
}

/* A declared encoding does not bring other decoders into play. */
static void
test_encodings(void **state)
{
	static const char *const texts[] = {
	    "<?xml version='1.0' encoding='UTF-7'?><a>+ADw-b+AD4-</a>",
	    "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xc3\xbc</a>" };
	char why[256], *text;
	xmlDoc *doc;
	size_t i;

	for (i = 0; i < 2; i++) {
		doc = xmltree_parse(texts[i], strlen(texts[i]), why,
		    sizeof why);
		if (doc == NULL)
			continue;
		text = xmltree_text(xmlDocGetRootElement(doc));
		assert_string_equal(text, i == 0 ? "+ADw-b+AD4-" :
		    "\xc3\xbc");
		free(text);
		xmlFreeDoc(doc);
	}
}

static char *
repeat(const char *before, const char *part, size_t times, const char *after)
{
	struct buf out = { 0 };

	buf_puts(&out, before);
	while (times-- > 0)
		buf_puts(&out, part);
	buf_puts(&out, after);
	return buf_take(&out);
}

static void
test_bounds(void **state)
{
	char why[256], *xml;
	xmlDoc *doc;
	int64_t start = clock_mono_ms();

	xml = repeat("", "<a>", XMLTREE_DEPTH, "");
	{
		char *whole = repeat(xml, "</a>", XMLTREE_DEPTH, "");

		doc = xmltree_parse(whole, strlen(whole), why, sizeof why);
		assert_non_null(doc);
		xmlFreeDoc(doc);
		free(whole);
	}
	free(xml);
	xml = repeat("", "<a>", XMLTREE_DEPTH + 1, "");
	refused(xml, "nested too deeply");
	free(xml);
	xml = repeat("", "<a>", 200000, "");
	refused(xml, "nested too deeply");
	free(xml);
	xml = repeat("<r>", "<a/>", XMLTREE_NODES - 1, "</r>");
	doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	free(xml);
	xml = repeat("<r>", "<a/>", XMLTREE_NODES, "</r>");
	refused(xml, "too many elements");
	free(xml);
	xml = repeat("<r>", "<a/>", 1000000, "</r>");
	refused(xml, "too many elements");
	free(xml);
	xml = repeat("<", "a", 60000, "/>");	/* a name without end */
	refused(xml, "");
	free(xml);
	assert_true(clock_mono_ms() - start < 20000);
}

static char *
attributes(const char *before, int count, const char *quotes)
{
	struct buf out = { 0 };
	int i;

	buf_puts(&out, before);
	for (i = 0; i < count; i++)
		buf_printf(&out, " a%d=%s", i, quotes);
	buf_puts(&out, "/>");
	return buf_take(&out);
}

/* Comparing each with each is what would cost. */
static void
test_attributes(void **state)
{
	static const char *const before[] = { "<a", "<a x='>'", "<a x=\">\"",
	    "<a><![CDATA[<x \"]]><b", "<a><![CDATA[]]]><b",
	    "<a><![CDATA[]>]]]]><b", "<a>'<b", "<a>\"<b", "<a><b/>=\"<b",
	    "<?xml version='1.0'?><a" };
	char why[256], *xml;
	int64_t start = clock_mono_ms();
	xmlDoc *doc;
	size_t i;

	for (i = 0; i < sizeof before / sizeof before[0]; i++) {
		xml = attributes(before[i], 30000, "''");
		refused(xml, "too many attributes");
		free(xml);
		xml = attributes(before[i], 30000, "\"\"");
		refused(xml, "too many attributes");
		free(xml);
	}
	assert_true(clock_mono_ms() - start < 5000);
	xml = attributes("<a", TAGGATE_ATTRIBUTES, "'='");
	doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	free(xml);
	xml = attributes("<a", TAGGATE_ATTRIBUTES + 1, "'='");
	refused(xml, "too many attributes");
	free(xml);
	/* text may hold as many as it likes */
	xml = repeat("<a x='1'>", "a=b ", 10000, "<![CDATA[a=b]]></a>");
	doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	free(xml);
}

/* The gate is the same wherever a stream is cut. */
static void
test_gate_in_pieces(void **state)
{
	char *xml = attributes("<a><![CDATA[<x ']]><b", 65, "'='");
	struct taggate g;
	size_t at, len = strlen(xml), n;
	int rc;

	for (n = 1; n < 40; n++) {
		memset(&g, 0, sizeof g);
		for (at = 0, rc = 0; at < len && rc == 0; at += n)
			rc = taggate_feed(&g, xml + at,
			    len - at < n ? len - at : n);
		assert_int_equal(rc, -1);
		assert_true(at > 500);
	}
	free(xml);
}

static void
test_escape(void **state)
{
	struct buf out = { 0 };

	xmltree_escape(&out, "a<b>&\"'\t\n\r\x01\x7f");
	assert_string_equal(out.data,
	    "a&lt;b&gt;&amp;&quot;&apos;&#9;&#10;&#13;\x7f");
	buf_reset(&out);
	xmltree_escape(&out, "\xff\xc3 \xef\xbf\xbf \xef\xbf\xbe\xc3\xbc");
	assert_string_equal(out.data, "??  \xc3\xbc");
	buf_free(&out);
}

/* Nothing reaches stderr by a way of its own. */
static void
test_silence(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	char why[256], c;

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	assert_null(xmltree_parse("<a><b></a>", 10, why, sizeof why));
	assert_null(xmltree_parse("<a>&x;", 6, why, sizeof why));
	assert_null(xmltree_parse("<!DOCTYPE a", 11, why, sizeof why));
	dup2(saved, STDERR_FILENO);
	assert_int_equal(read(fds[0], &c, 1), -1);
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

/* Cut short and bent at every place: an answer, never a crash. */
static void
test_mutations(void **state)
{
	static const char xml[] = "<a xmlns='urn:one' x='1&lt;'><b>t&#252;"
	    "</b><![CDATA[x]]><c:d xmlns:c='u'/></a>";
	char why[256], copy[sizeof xml];
	size_t i;
	int round;

	srandom(3);
	for (i = 0; i < sizeof xml - 1; i++)
		xmlFreeDoc(xmltree_parse(xml, i, why, sizeof why));
	for (round = 0; round < 20000; round++) {
		memcpy(copy, xml, sizeof xml);
		for (i = 0; i < 1 + (size_t)random() % 3; i++)
			copy[(size_t)random() % (sizeof xml - 1)] =
			    random() % 2 ? (char)random() :
			    "<>&'\"![]?/ "[random() % 11];
		xmlFreeDoc(xmltree_parse(copy, sizeof xml - 1, why,
		    sizeof why));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_no_namespace_inside),
		cmocka_unit_test(test_nothing_inside),
		cmocka_unit_test(test_namespace_with_ampersand),
		cmocka_unit_test(test_document_types),
		cmocka_unit_test(test_odd_nodes),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_gate_in_pieces),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
