/* What the client says to each thing that a server says, step by step. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "schema/xmltree.h"
#include "xmpp/login.h"

#define STREAM	"<stream:stream xmlns='jabber:client' "			\
		"xmlns:stream='http://etherx.jabber.org/streams'>"
#define TLS	" xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define SASL	" xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define BIND	" xmlns='urn:ietf:params:xml:ns:xmpp-bind'"
#define ERRORS	" xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
#define OFFER(m) "<stream:features><mechanisms" SASL ">" m		\
		"</mechanisms></stream:features>"
#define MECH(m)	"<mechanism>" m "</mechanism>"

static struct login	login;

static int
begin(void **state)
{
	memset(&login, 0, sizeof(login));
	login.jid = "office@agents.test/platend";
	login.password = "pencil";
	login_start(&login);
	return 0;
}

static int
end(void **state)
{
	login_end(&login);
	return 0;
}

static enum login_act
hear(const char *text)
{
	char		*all = NULL, why[128];
	struct buf	 b = { 0 };
	enum login_act	 act;
	xmlDoc		*doc;

	buf_reset(&login.out);
	buf_printf(&b, STREAM "%s</stream:stream>", text);
	all = b.data;
	doc = xmltree_parse(all, b.len, why, sizeof(why));
	assert_non_null(doc);
	act = login_stanza(&login, xmltree_child(xmlDocGetRootElement(doc),
	    NULL, NULL));
	xmlFreeDoc(doc);
	buf_free(&b);
	return act;
}

static void
said(const char *part)
{
	if (login.out.len == 0 || strstr(login.out.data, part) == NULL)
		fail_msg("no %s in %s", part, login.out.len > 0 ?
		    login.out.data : "nothing");
}

static void
failed(enum login_fault fault, const char *part)
{
	assert_true(login.over);
	assert_int_equal(login.fault, fault);
	if (strstr(login.why, part) == NULL)
		fail_msg("no %s in %s", part, login.why);
	/* Nothing helps any more. */
	assert_int_equal(hear("<stream:features/>"), LOGIN_OVER);
	assert_int_equal(login.out.len, 0);
}

static void
secure(void)
{
	assert_int_equal(hear("<stream:features><starttls" TLS
	    "/></stream:features>"), LOGIN_ON);
	assert_string_equal(login.out.data, "<starttls" TLS "/>");
	assert_int_equal(hear("<proceed" TLS "/>"), LOGIN_SECURE);
	buf_reset(&login.out);
	login_secured(&login);
	said("<stream:stream to='agents.test' from='office@agents.test'");
}

static void
before_tls_only_tls(void **state)
{
	said("<stream:stream to='agents.test' version='1.0'");
	assert_null(strstr(login.out.data, "office"));
	assert_string_equal(login.waiting, "the stream");
	/* Whatever it offers, nothing is said. */
	assert_int_equal(hear("<success" SASL "/>"), LOGIN_ON);
	assert_int_equal(hear("<iq type='result' id=''/>"), LOGIN_ON);
	assert_int_equal(login.out.len, 0);
	assert_int_equal(hear(OFFER(MECH("PLAIN") MECH("SCRAM-SHA-1"))),
	    LOGIN_OVER);
	failed(LOGIN_FAILED, "offers no STARTTLS");
}

static void
features_that_look_like_starttls(void **state)
{
	assert_int_equal(hear("<stream:features><starttls/>"
	    "</stream:features>"), LOGIN_OVER);
	failed(LOGIN_FAILED, "offers no STARTTLS");
}

static void
direct_begins_with_tls(void **state)
{
	login_end(&login);
	memset(&login, 0, sizeof(login));
	login.jid = "office@agents.test/platend";
	login.password = "pencil";
	login.direct = true;
	login_start(&login);
	assert_int_equal(login.out.len, 0);
	assert_string_equal(login.waiting, "the TLS handshake");
	login_secured(&login);
	said("<stream:stream ");
	assert_int_equal(hear(OFFER(MECH("SCRAM-SHA-1"))), LOGIN_ON);
	said("mechanism='SCRAM-SHA-1'");
	login_fail(&login, LOGIN_FAILED, "x");
}

static void
another_mechanism_once(void **state)
{
	secure();
	assert_int_equal(hear(OFFER(MECH("SCRAM-SHA-1") MECH("SCRAM-SHA-256")
	    MECH("SCRAM-SHA-512"))), LOGIN_ON);
	said("mechanism='SCRAM-SHA-512'");
	assert_int_equal(hear("<failure" SASL "><invalid-mechanism/>"
	    "</failure>"), LOGIN_ON);
	said("mechanism='SCRAM-SHA-256'");
	assert_int_equal(hear("<failure" SASL "><invalid-mechanism/>"
	    "</failure>"), LOGIN_OVER);
	failed(LOGIN_REFUSED, "invalid-mechanism");
}

static void
refused_is_refused(void **state)
{
	secure();
	hear(OFFER(MECH("SCRAM-SHA-1") MECH("SCRAM-SHA-256")));
	assert_int_equal(hear("<failure" SASL "><not-authorized/><text>no"
	    "</text></failure>"), LOGIN_OVER);
	failed(LOGIN_REFUSED, "login refused (not-authorized)");
}

static void
success_from_nowhere(void **state)
{
	secure();
	/* Before anything was asked it means nothing. */
	assert_int_equal(hear("<success" SASL "/>"), LOGIN_ON);
	assert_int_equal(login.out.len, 0);
	hear(OFFER(MECH("SCRAM-SHA-1")));
	assert_int_equal(hear("<success" SASL "/>"), LOGIN_OVER);
	failed(LOGIN_FAILED, "before it has proved");
}

static void
a_challenge_is_aborted(void **state)
{
	secure();
	hear(OFFER(MECH("SCRAM-SHA-1")));
	assert_int_equal(hear("<challenge" SASL ">cj1h</challenge>"),
	    LOGIN_OVER);
	said("<abort" SASL "></abort>");
	failed(LOGIN_FAILED, "not of SCRAM");
}

/* By PLAIN, which takes the fewest words. */
static void
authenticate(void)
{
	login.allow_plain = true;
	secure();
	hear(OFFER(MECH("PLAIN")));
	said("mechanism='PLAIN'>AG9mZmljZQBwZW5jaWw=</auth>");
	assert_int_equal(hear("<success" SASL "/>"), LOGIN_RESTART);
	said("<stream:stream ");
	assert_string_equal(login.waiting, "the stream after the login");
}

static void
binding(void **state)
{
	char	text[512];

	authenticate();
	assert_int_equal(hear("<stream:features><bind" BIND
	    "/></stream:features>"), LOGIN_ON);
	said("<bind" BIND "><resource>platend</resource></bind></iq>");
	/* Answers to others, and what is none. */
	assert_int_equal(hear("<iq type='result' id='x'/>"), LOGIN_ON);
	assert_int_equal(hear("<iq type='result'/>"), LOGIN_ON);
	snprintf(text, sizeof(text), "<iq type='get' id='%s'/>", login.id);
	assert_int_equal(hear(text), LOGIN_ON);
	assert_int_equal(hear("<presence/>"), LOGIN_ON);
	snprintf(text, sizeof(text), "<iq type='result' id='%s'><bind" BIND
	    "><jid>Office@agents.test/other</jid></bind></iq>", login.id);
	assert_int_equal(hear(text), LOGIN_DONE);
	/* And then no more. */
	assert_int_equal(hear(text), LOGIN_ON);
	assert_int_equal(hear("<stream:features/>"), LOGIN_ON);
}

static void
bound_to_nothing(void **state)
{
	char	text[256];

	authenticate();
	hear("<stream:features><bind" BIND "/></stream:features>");
	snprintf(text, sizeof(text), "<iq type='result' id='%s'/>", login.id);
	assert_int_equal(hear(text), LOGIN_OVER);
	failed(LOGIN_REFUSED, "logs us in as nobody");
}

static void
no_binding(void **state)
{
	authenticate();
	assert_int_equal(hear("<stream:features/>"), LOGIN_OVER);
	failed(LOGIN_FAILED, "lets us bind no resource");
}

static void
elsewhere(const char *content, const char *host, int port)
{
	char	text[512];

	end(NULL);
	begin(NULL);
	secure();
	snprintf(text, sizeof(text), "<stream:error><see-other-host" ERRORS
	    ">%s</see-other-host></stream:error>", content);
	assert_int_equal(hear(text), LOGIN_OVER);
	assert_int_equal(login.fault, host != NULL ? LOGIN_ELSEWHERE :
	    LOGIN_FAILED);
	if (host != NULL) {
		assert_string_equal(login.host, host);
		assert_int_equal(login.port, port);
	}
}

static void
other_hosts(void **state)
{
	char	text[400];

	elsewhere("xmpp.test", "xmpp.test", 0);
	elsewhere("xmpp.test:9222", "xmpp.test", 9222);
	elsewhere("[2001:db8::1]:443", "2001:db8::1", 443);
	elsewhere("[2001:db8::1]", "2001:db8::1", 0);
	elsewhere("", NULL, 0);
	elsewhere(":80", NULL, 0);
	elsewhere("a:b", NULL, 0);
	elsewhere("a:65536", NULL, 0);
	elsewhere("a:99999999999999999999", NULL, 0);
	elsewhere("a b", NULL, 0);
	elsewhere("a/../b", NULL, 0);
	memset(text, 'a', sizeof(text));
	text[300] = '\0';
	elsewhere(text, NULL, 0);
}

static void
stream_errors(void **state)
{
	hear("<stream:error/>");
	failed(LOGIN_FAILED, "ended the stream: no reason given");
	end(NULL);
	begin(NULL);
	hear("<stream:error><text" ERRORS ">x&#10;y</text><host-gone" ERRORS
	    "/></stream:error>");
	failed(LOGIN_FAILED, "ended the stream: host-gone, x?y");
	end(NULL);
	begin(NULL);
	hear("<stream:error><conflict" ERRORS "/></stream:error>");
	failed(LOGIN_CONFLICT, "another agent uses this account");
	end(NULL);
	begin(NULL);
	/* Not before TLS. */
	hear("<stream:error><see-other-host" ERRORS ">a</see-other-host>"
	    "</stream:error>");
	failed(LOGIN_FAILED, "see-other-host");
}

static void
text_that_cannot_be_used(void **state)
{
	login.password = "na\xc3\xafve";
	secure();
	assert_int_equal(hear(OFFER(MECH("SCRAM-SHA-1"))), LOGIN_OVER);
	assert_int_equal(login.out.len, 0);
	failed(LOGIN_REFUSED, "other letters than those of ASCII");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define	T(f)	cmocka_unit_test_setup_teardown(f, begin, end)
		T(before_tls_only_tls),
		T(features_that_look_like_starttls),
		T(direct_begins_with_tls),
		T(another_mechanism_once),
		T(refused_is_refused),
		T(success_from_nowhere),
		T(a_challenge_is_aborted),
		T(binding),
		T(bound_to_nothing),
		T(no_binding),
		T(other_hosts),
		T(stream_errors),
		T(text_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
