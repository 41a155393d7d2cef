#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "schema/xmltree.h"
#include "xmpp/awaited.h"

#define CENTRE	"centre.test"
#define SERVER	"agents.test"

static struct loop	*loop;
static struct awaited	*awaited;
static struct buf	 sent, heard;
static bool		 refuse;

static int
on_send(void *arg, const char *stanza, size_t len)
{
	if (refuse)
		return -1;
	buf_reset(&sent);
	buf_put(&sent, stanza, len);
	return 0;
}

static void
on_verdict(void *arg, enum awaited_from from, enum uplink_answer answer,
    const char *condition, int64_t asked_ms)
{
	buf_printf(&heard, "verdict %d %d %s;", (int)from, (int)answer,
	    condition);
}

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *e)
{
	buf_printf(&heard, "%s %d %s %s;", (const char *)arg, (int)answer,
	    condition != NULL ? condition : "-",
	    e != NULL && e->text != NULL ? e->text : "-");
}

static void
on_answer_ask_again(void *arg, enum uplink_answer answer,
    const char *condition, const struct uplink_element *e)
{
	buf_puts(&heard, "again;");
	awaited_put(awaited, AWAITED_CENTRE, "set", "<x/>", 4, 1000,
	    on_answer, "second");
}

static int
begin(void **state)
{
	refuse = false;
	buf_reset(&heard);
	buf_reset(&sent);
	loop = loop_new();
	awaited = awaited_new(loop, CENTRE, SERVER, on_send, on_verdict, NULL);
	return 0;
}

static int
end(void **state)
{
	awaited_free(awaited);
	loop_free(loop);
	buf_free(&heard);
	buf_free(&sent);
	return 0;
}

static void
ask(enum awaited_from from, const char *name, char id[40])
{
	char	*at;

	assert_int_equal(awaited_put(awaited, from, "set", "<x/>", 4, 1000,
	    on_answer, (void *)name), 0);
	at = strstr(sent.data, " id='");
	assert_non_null(at);
	snprintf(id, 40, "%.*s", (int)strcspn(at + 5, "'"), at + 5);
}

static void
answer(const char *from, const char *id, const char *text)
{
	char	 why[128];
	xmlDoc	*doc = xmltree_parse(text, strlen(text), why, sizeof(why));

	assert_non_null(doc);
	awaited_answer(awaited, from, id, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
}

static const char *
said(void)
{
	static char	text[512];

	snprintf(text, sizeof(text), "%s", heard.len > 0 ? heard.data : "");
	buf_reset(&heard);
	return text;
}

#define OK(text)	"<iq type='result'><r>" text "</r></iq>"
#define NO(condition)	"<iq type='error'><error><" condition \
    " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"

static void
each_gets_its_own(void **state)
{
	char	a[40], b[40];

	ask(AWAITED_CENTRE, "a", a);
	assert_non_null(strstr(sent.data, "to='" CENTRE "'"));
	ask(AWAITED_CENTRE, "b", b);
	assert_int_equal(strlen(a), 32);
	assert_string_not_equal(a, b);
	answer(CENTRE, b, OK("2"));
	answer(CENTRE, b, OK("2"));
	assert_string_equal(said(), "b 0 - 2;");
	answer(CENTRE, a, NO("item-not-found"));
	assert_string_equal(said(),
	    "verdict 0 1 item-not-found;a 1 item-not-found -;");
	assert_false(awaited_any(awaited, AWAITED_ALL));
}

static void
others_do_not_count(void **state)
{
	static const char *const liars[] = { "evil.test", CENTRE "/x",
	    "x@" CENTRE, SERVER, "", NULL };
	char	a[40], b[40];
	size_t	i;

	ask(AWAITED_CENTRE, "a", a);
	for (i = 0; i < sizeof(liars) / sizeof(liars[0]); i++)
		answer(liars[i], a, OK("lie"));
	answer(CENTRE, "unknown", OK("lie"));
	assert_string_equal(said(), "");
	assert_false(awaited_any(awaited, AWAITED_SERVER));
	ask(AWAITED_SERVER, "b", b);
	assert_true(awaited_any(awaited, AWAITED_SERVER));
	assert_non_null(strstr(sent.data, "to='" SERVER "'"));
	answer(CENTRE, b, OK("lie"));
	answer(NULL, b, OK("pong"));
	assert_string_equal(said(), "b 0 - pong;");
	answer(CENTRE, a, "<iq type='result'/>");
	assert_string_equal(said(), "a 0 - -;");
}

static void
time_runs_out_once(void **state)
{
	int64_t	until = clock_mono_ms() + 3000;
	char	a[40];

	assert_int_equal(awaited_put(awaited, AWAITED_CENTRE, "set", "<x/>",
	    4, 20, on_answer, "a"), 0);
	while (awaited_any(awaited, AWAITED_ALL) && clock_mono_ms() < until)
		loop_once(loop, 50);
	assert_string_equal(said(), "verdict 0 2 ;a 2 - -;");
	ask(AWAITED_CENTRE, "b", a);
	answer(CENTRE, a, OK("1"));
	said();
	loop_once(loop, 50);
	assert_string_equal(said(), "");
}

static void
a_flush_loses_those_that_waited(void **state)
{
	char	id[40];

	ask(AWAITED_CENTRE, "a", id);
	ask(AWAITED_SERVER, "b", id);
	assert_int_equal(awaited_put(awaited, AWAITED_CENTRE, "set", "<x/>",
	    4, 1000, on_answer_ask_again, NULL), 0);
	awaited_flush(awaited, AWAITED_CENTRE);
	assert_string_equal(said(), "a 2 - -;again;");
	awaited_flush(awaited, AWAITED_ALL);
	assert_string_equal(said(), "b 2 - -;second 2 - -;");
	assert_false(awaited_any(awaited, AWAITED_ALL));
}

static void
what_is_not_sent_is_not_awaited(void **state)
{
	refuse = true;
	assert_int_equal(awaited_put(awaited, AWAITED_CENTRE, "set", "<x/>",
	    4, 10, on_answer, "a"), -1);
	assert_false(awaited_any(awaited, AWAITED_ALL));
	assert_string_equal(said(), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define	T(f)	cmocka_unit_test_setup_teardown(f, begin, end)
		T(each_gets_its_own),
		T(others_do_not_count),
		T(time_runs_out_once),
		T(a_flush_loses_those_that_waited),
		T(what_is_not_sent_is_not_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
